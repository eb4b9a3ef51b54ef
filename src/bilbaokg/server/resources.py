"""Single resources as data, their identities, and the few addresses that every site has."""

from __future__ import annotations

from functools import cache, partial
from typing import Final
from urllib.parse import quote

import pyoxigraph as ox
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bilbaokg import assets, exports, index
from bilbaokg.errors import NotFound
from bilbaokg.formats import FORMATS
from bilbaokg.model import Release
from bilbaokg.server import moments, negotiate
from bilbaokg.server.context import Context
from bilbaokg.server.feeds import EXTENSIONS
from bilbaokg.server.validators import is_known, media_type, validators
from bilbaokg.terms import AS, PREFIXES, RDF, ref, split_lines

__all__ = ["health_routes", "root_routes", "routes"]

# In our order of liking: a client without Accept gets data.
_OFFERS: Final = {
    "text/turtle": "ttl",
    "application/rdf+xml": "rdf",
    "application/ld+json": "jsonld",
    "application/n-triples": "nt",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/json": "jsonld",
    "application/xml": "rdf",
    "text/plain": "nt",
}
_NEGOTIATED: Final = {"Vary": "Accept, Accept-Language"}


def root_routes(context: Context) -> list[BaseRoute]:
    """The start: by language."""

    def start(request: Request) -> Response:
        lang = negotiate.language(request.headers.get("accept-language"))
        root = request.scope.get("root_path", "")
        return RedirectResponse(f"{root}/{lang}/", 303, {"Vary": "Accept-Language"})

    return [Route("/", start, name="start")]


def health_routes(context: Context) -> list[BaseRoute]:
    """For those who watch: `live` that the process answers, `ready` that it can serve."""

    def live(request: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})

    def ready(request: Request) -> Response:
        release = context.current()
        body = {"status": "ready", "release": release.id if release else None}
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    return [
        Route("/health/live", live, name="live"),
        Route("/health/ready", ready, name="ready"),
    ]


def routes(context: Context) -> list[BaseRoute]:
    """Identities, data of resources, the ontology."""
    resources = _Resources(context)
    found: list[BaseRoute] = [
        Route("/id/{type}/{slug}", resources.identity, name="identity"),
        Route("/ns", partial(_ontology, context), name="ontology"),
    ]
    for ext in EXTENSIONS:
        handler = partial(resources.data, ext)
        found.append(Route(f"/{{type}}/{{slug}}.{ext}", handler, name=f"resource.{ext}"))
    return found


class _Resources:
    def __init__(self, context: Context) -> None:
        self.context = context

    def identity(self, request: Request) -> Response:
        """303 to the page or to the data (W3C httpRange-14), whatever the client reads best."""
        kind, slug = request.path_params["type"], request.path_params["slug"]
        _, where = self._find(f"{kind}/{slug}", f"{self.context.settings.base}/id/{kind}/{slug}")
        name = negotiate.choose(request.headers.get("accept"), _OFFERS)
        root, page = request.scope.get("root_path", ""), quote(where.page)
        links = ", ".join(
            f'<{root}/{page}.{ext}>; rel="alternate"; type="{FORMATS[ext].media_type}"'
            for ext in EXTENSIONS
        )
        if name == "html":
            lang = negotiate.language(request.headers.get("accept-language"))
            target = f"{root}/{lang}/{page}"
        else:
            target = f"{root}/{page}.{name}"
        return RedirectResponse(target, 303, {**_NEGOTIATED, "Link": links})

    def data(self, ext: str, request: Request) -> Response:
        """What the release says of a resource; a deleted one answers 410 with its tombstone."""
        kind, slug = request.path_params["type"], request.path_params["slug"]
        asked = request.query_params.get(moments.PARAMETER, "")
        release, where = self._find(f"{kind}/{slug}", asked=asked)
        content = exports.resource(release, where.iri, ext)
        root = request.scope.get("root_path", "")
        headers = validators(release, f"{where.page}.{ext} {len(content)}")
        headers["Link"] = f'<{root}/es/{quote(where.page)}>; rel="alternate"; type="text/html"'
        if self._is_gone(release, where):
            return Response(content, 410, headers, media_type=media_type(ext))
        if is_known(request.headers, headers):
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=media_type(ext))

    def _find(
        self, id: str, iri: str | None = None, asked: str = ""
    ) -> tuple[Release, index.Where]:
        release = self._release(asked)
        if release is None:
            raise NotFound("nothing is published yet")
        found = index.of(release, self.context.cache)
        where = (found.resource(iri) if iri else None) or found.by_id(id)
        if where is None:
            raise NotFound(f"the catalogue has no {id!r}", hint="see /catalog.ttl")
        return release, where

    def _release(self, asked: str) -> Release | None:
        """The current release, or that of a day."""
        if not asked:
            return self.context.current()
        return self.context.releases.get(moments.release(self.context.releases, asked))

    def _is_gone(self, release: Release, where: index.Where) -> bool:
        text = index.of(release, self.context.cache).text(where.record)
        return f"{ref(where.iri)} {ref(RDF.type)} {ref(AS.Tombstone)} ." in split_lines(text)


def _ontology(context: Context, request: Request) -> Response:
    """The few terms of our own."""
    name = negotiate.choose(
        request.headers.get("accept"), {m: n for m, n in _OFFERS.items() if n != "html"}
    )
    return Response(
        _ontology_as(context.settings.base, name),
        headers={"Vary": "Accept", "Cache-Control": "no-cache"},
        media_type=media_type(name),
    )


@cache
def _ontology_as(base: str, name: str) -> bytes:
    file = assets.folder("ontology") / "bilbaokg.ttl"
    triples = (
        quad.triple
        for quad in ox.parse(path=str(file), format=ox.RdfFormat.TURTLE, base_iri=f"{base}/")
    )
    return bytes(ox.serialize(triples, format=FORMATS[name].rdf, prefixes=PREFIXES) or b"")
