"""How programs find what there is: sitemaps, robots.txt, and a VoID description of the data.

Sitemaps follow sitemaps.org: an index of files of at most 50,000 addresses. The description
(VoID, section 5; DCAT 3) names the dumps, the feeds and the SPARQL endpoint as services.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bilbaokg import exports, index
from bilbaokg.errors import NotFound
from bilbaokg.formats import FORMATS
from bilbaokg.model import Release
from bilbaokg.server import changes, negotiate
from bilbaokg.server.context import Context
from bilbaokg.server.validators import is_known, media_type, validators
from bilbaokg.terms import (
    DCAT,
    DCT,
    FOAF,
    LANGUAGES,
    RDF,
    XSD,
    Namespace,
    literal,
    ref,
)
from bilbaokg.writing import to_bytes

__all__ = ["MOST", "routes", "split"]

MOST: Final = 50_000
"""How many addresses a sitemap may hold (sitemaps.org)."""
VOID: Final = Namespace("http://rdfs.org/ns/void#")
_SITEMAPS: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"
_XML: Final = "application/xml"
# What crawlers should leave alone.
_CLOSED: Final = ("sparql", "graph-store", "api/", "working/", "scratch/")
_OFFERS: Final = {FORMATS[ext].media_type: ext for ext in ("ttl", "rdf", "jsonld", "nt")}
_SPARQL: Final = "http://www.w3.org/TR/sparql11-protocol/"
_FORMATS: Final = "http://www.w3.org/ns/formats/"
_RFC: Final = "https://www.rfc-editor.org/rfc/rfc"
_CHANGES: Final = {
    changes.ATOM: (f"{_RFC}4287", f"{_RFC}5005", f"{_RFC}6721"),
    "deletions.json": ("https://www.w3.org/TR/activitystreams-core/",),
}
_FEATURES: Final = ("Turtle", "RDF_XML", "JSON-LD", "N-Triples")


def routes(context: Context) -> list[BaseRoute]:
    """The addresses that every site has for programs."""
    found = _Discovery(context)
    return [
        Route("/robots.txt", found.robots, name="robots"),
        Route("/sitemap.xml", found.sitemaps, name="sitemaps"),
        Route("/sitemaps/{number:int}.xml", found.sitemap, name="sitemap"),
        Route("/.well-known/void", found.void, name="void"),
    ]


class _Discovery:
    def __init__(self, context: Context) -> None:
        self.context = context

    def robots(self, request: Request) -> Response:
        """What crawlers should leave alone, and where the sitemap is."""
        root = request.scope.get("root_path", "")
        lines = ["User-agent: *", *(f"Disallow: {root}/{path}" for path in _CLOSED)]
        lines.append(f"Sitemap: {self.context.url('/sitemap.xml')}")
        return PlainTextResponse("".join(f"{line}\n" for line in lines))

    def sitemaps(self, request: Request) -> Response:
        """The index of the sitemaps."""
        release = self._release()
        numbers = range(1, len(split(self._addresses(release))) + 1)
        places = [self.context.url(f"/sitemaps/{number}.xml") for number in numbers]
        body = _sitemap("sitemapindex", "sitemap", places, release.created_at)
        return self._answer(request, release, "sitemaps", body)

    def sitemap(self, request: Request) -> Response:
        """One sitemap."""
        release, number = self._release(), request.path_params["number"]
        parts = split(self._addresses(release))
        if not 1 <= number <= len(parts):
            raise NotFound(f"no sitemap {number}", hint="see /sitemap.xml")
        body = _sitemap("urlset", "url", parts[number - 1])
        return self._answer(request, release, f"sitemap {number}", body)

    def void(self, request: Request) -> Response:
        """What the data are, how many, and where to get or ask them."""
        release = self._release()
        ext = negotiate.choose(request.headers.get("accept"), _OFFERS)
        body = to_bytes(sorted(set(self._described(release))), ext)
        found = self._answer(request, release, f"void {ext}", body, media_type(ext))
        found.headers["Vary"] = "Accept"
        return found

    def _release(self) -> Release:
        release = self.context.current()
        if release is None:
            raise NotFound("nothing is published yet")
        return release

    def _addresses(self, release: Release) -> list[str]:
        """The pages of all records, in each language."""
        pages = ["", *index.of(release, self.context.cache).pages()]
        return [self.context.url(f"/{lang}/{quote(page)}") for page in pages for lang in LANGUAGES]

    def _answer(
        self, request: Request, release: Release, name: str, body: bytes, media: str = _XML
    ) -> Response:
        headers = validators(release, f"{name} {self.context.settings.public_url}")
        if is_known(request.headers, headers):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=media)

    # ---- the description

    def _described(self, release: Release) -> Iterator[str]:
        """The lines of the description: the data, then the services that give them."""
        settings, content = self.context.settings, release.manifest["content"]
        document, data = (self.context.url(f"/.well-known/void{mark}") for mark in ("", "#data"))
        statements = sum(entry["statements"] for entry in content["entries"])
        yield _line(document, RDF.type, ref(VOID.DatasetDescription))
        yield _line(document, FOAF.primaryTopic, ref(data))
        yield _line(data, RDF.type, ref(VOID.Dataset))
        yield from self._titles(data)
        yield _line(data, DCT.modified, literal(release.created_at, datatype=XSD.dateTime))
        yield _line(data, FOAF.homepage, ref(self.context.url("/")))
        yield _line(data, VOID.triples, literal(str(statements), datatype=XSD.integer))
        yield _line(data, VOID.uriSpace, literal(f"{settings.base}/id/"))
        yield _line(data, VOID.sparqlEndpoint, ref(self.context.url("/sparql")))
        for ext in ("nt", "ttl"):
            dump = self.context.url(f"/feeds/full/dump.{ext}.gz")
            yield _line(data, VOID.dataDump, ref(dump))
        for feature in _FEATURES:
            yield _line(data, VOID.feature, ref(f"{_FORMATS}{feature}"))
        for cls, count in content["counts"].items():
            part = self.context.url(f"/.well-known/void#class-{quote(cls, safe='')}")
            yield _line(data, VOID.classPartition, ref(part))
            yield _line(part, VOID["class"], ref(cls))
            yield _line(part, VOID.entities, literal(str(count), datatype=XSD.integer))
        yield from self._services()

    def _services(self) -> Iterator[str]:
        sparql = self.context.url("/sparql")
        yield from self._service(sparql, "SPARQL", sparql)
        yield _line(sparql, DCT.conformsTo, ref(_SPARQL))
        yield _line(sparql, DCAT.endpointDescription, ref(sparql))
        for feed in exports.feeds():
            address = exports.address(self.context.settings, feed.name, feed.formats[0])
            yield from self._service(address, feed.name, address)
        for name, standards in _CHANGES.items():
            address = changes.address_of(self.context.settings, exports.MAIN, name)
            yield from self._service(address, name.partition(".")[0], address)
            yield from (_line(address, DCT.conformsTo, ref(standard)) for standard in standards)

    def _service(self, iri: str, title: str, endpoint: str) -> Iterator[str]:
        yield _line(iri, RDF.type, ref(DCAT.DataService))
        yield _line(iri, DCT.title, literal(title))
        yield _line(iri, DCAT.endpointURL, ref(endpoint))

    def _titles(self, iri: str) -> Iterator[str]:
        for language, title in self.context.settings.title.items():
            yield _line(iri, DCT.title, literal(title, language=language))


def split(addresses: Sequence[str], most: int = MOST) -> list[Sequence[str]]:
    """The addresses of each sitemap."""
    return [addresses[start : start + most] for start in range(0, len(addresses), most)]


def _line(subject: str, predicate: str, object_: str) -> str:
    return f"{ref(subject)} {ref(predicate)} {object_} ."


def _sitemap(root: str, entry: str, places: Iterable[str], modified: str | None = None) -> bytes:
    """A document of the sitemap protocol."""
    when = f"<lastmod>{modified}</lastmod>" if modified else ""
    rows = "".join(f"<{entry}><loc>{escape(place)}</loc>{when}</{entry}>\n" for place in places)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{head}<{root} xmlns="{_SITEMAPS}">\n{rows}</{root}>\n'.encode()
