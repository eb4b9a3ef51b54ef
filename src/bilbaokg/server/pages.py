"""The HTML pages: `/{language}/...` and the static files.

Each page reads the current release, fills a typed page of `views.py` and renders it. Handlers are
plain functions, so they run in threads and never hold up the event loop. Every page works without
JavaScript and carries an ETag made of the release and its address.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bilbaokg import release as releases
from bilbaokg import render
from bilbaokg.errors import NotFound
from bilbaokg.index import FACETS, SORTS, Listing, Row, Text
from bilbaokg.server import describe, query_page
from bilbaokg.server.reading import Catalogue, Opened, Reader, anchor
from bilbaokg.server.views import (
    Action,
    Card,
    Choice,
    DatasetsPage,
    EmptyPage,
    FacetGroup,
    Finding,
    FindingGroup,
    HeldBack,
    HomePage,
    KindPage,
    Pager,
    ReleaseRow,
    ReleasesPage,
    Tile,
    ValidationPage,
    Value,
)

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = ["routes"]

_SIZE: Final = 20
_CSV_ROWS: Final = 100_000
_FINDINGS: Final = 500
_LONGEST: Final = 200
# The facets that the list of datasets offers; the others filter, but only links choose them.
_OFFERED: Final = ("theme", "area", "format", "access", "licence", "hvd", "publisher", "gap")
_OPEN: Final = ("theme", "area", "format")
_SHOWN_CHOICES: Final = 40
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
# Kinds that the home page offers, in this order.
_KINDS: Final = (
    "series", "service", "unit", "agent", "principle", "concept", "scheme", "table", "job",
    "catalog", "policy", "run",
)  # fmt: skip

Handler = Callable[[Request, Reader], Response]


def routes(context: Context) -> list[BaseRoute]:
    """Every page in every language, and the static files."""
    pages = _Pages(context)
    handlers: list[tuple[str, str, Handler]] = [
        ("/", "home", pages.home),
        ("/datasets", "datasets", pages.datasets),
        ("/datasets.csv", "datasets", pages.datasets_csv),
        ("/sparql", "sparql", pages.sparql),
        ("/validation", "validation", pages.validation),
        ("/releases", "releases", pages.releases),
        ("/{kind}", "", pages.kind),
        ("/{kind}/{slug}", "", pages.record),
    ]
    found: list[BaseRoute] = [Route("/static/{digest}/{name:path}", static)]
    for lang in render.languages():
        found.append(Route(f"/{lang}", partial(_home_of, lang)))
        for path, section, handler in handlers:
            endpoint = partial(pages.answer, handler, lang, section)
            found.append(Route(f"/{lang}{path}", endpoint))
    return found


def static(request: Request) -> Response:
    """A static file, for ever: its address holds the hash of its content."""
    path = render.asset_path(request.path_params["digest"], request.path_params["name"])
    if path is None:
        raise NotFound("no such file", where=request.url.path)
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return FileResponse(path, headers=headers)


def _home_of(lang: str, request: Request) -> Response:
    return RedirectResponse(f"{_root(request)}/{lang}/", status_code=308)


def _root(request: Request) -> str:
    return str(request.scope.get("root_path", "")).rstrip("/")


def _path(request: Request) -> str:
    """The path that was asked for, quoted, without our prefix."""
    return quote(str(request.scope["path"]).removeprefix(_root(request)))


class _Pages:
    """The handlers; each gets the request and a reader of the current release."""

    def __init__(self, context: Context) -> None:
        self.context, self.settings = context, context.settings
        self.catalogue = Catalogue(context.releases, context.data / "cache", context.settings.base)

    def site(self, request: Request, lang: str, section: str, opened: Opened | None) -> render.Site:
        """What stands around the page."""
        path = _path(request).removeprefix(f"/{lang}") or "/"
        query = f"?{request.url.query}" if request.url.query else ""
        titles = self.settings.title
        return render.Site(
            lang=lang,
            root=_root(request),
            path=f"{path}{query}",
            section=section,
            title=titles.get(lang)
            or titles.get(render.DEFAULT_LANGUAGE)
            or next(iter(titles.values())),
            release=opened.release.id if opened else None,
            released=opened.release.created_at if opened else None,
        )

    def answer(self, handler: Handler, lang: str, section: str, request: Request) -> Response:
        """Open the release, answer from the client's cache where it can, else make the page."""
        opened = self.catalogue.current()
        site = self.site(request, lang, section, opened)
        if opened is None:
            content = EmptyPage("bilbaokg demo" if section == "home" else "bilbaokg release build")
            return _html(content, site, headers={"Cache-Control": "no-store"})
        tag = _etag(opened, request)
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers={"ETag": tag})
        response = handler(request, Reader(opened, site))
        if response.status_code == 200 and "cache-control" not in response.headers:
            response.headers["ETag"] = tag
            response.headers["Cache-Control"] = "public, max-age=0, must-revalidate"
        return response

    # ---- home

    def home(self, request: Request, reader: Reader) -> Response:
        """The entrance."""
        index, site = reader.opened.index, reader.site
        counts = index.counts()
        facets = index.facets(names=("theme", "area", "gap"))
        recent = index.datasets(reader.lang, sort="modified", size=6)
        tiles = [
            Tile(counts.get(kind, 0), _t(reader, f"kind.{kind}", counts.get(kind, 0)), href)
            for kind, href in (
                ("dataset", site.url("/datasets")), ("series", site.url("/series")),
                ("service", site.url("/service")), ("unit", site.url("/unit")),
                ("principle", site.url("/principle")), ("concept", site.url("/concept")),
            )
            if counts.get(kind)
        ]  # fmt: skip
        content = HomePage(
            title=site.title,
            tiles=tiles,
            themes=self._tiles(reader, "theme", facets["theme"][:12]),
            areas=self._tiles(reader, "area", facets["area"][:12]),
            gaps=self._tiles(reader, "gap", facets["gap"]),
            recent=self._cards(reader, recent.rows),
            release=reader.opened.release.id,
            released=reader.opened.release.created_at,
            changes=self._changes(reader.opened.release),
            kinds=[
                Tile(counts[kind], _t(reader, f"kind.{kind}", counts[kind]), site.url(f"/{kind}"))
                for kind in _KINDS
                if counts.get(kind)
            ],
        )
        return _html(content, site)

    def _tiles(self, reader: Reader, facet: str, rows: Sequence[tuple[str, int]]) -> list[Tile]:
        names = _facet_names(reader, facet, [value for value, _ in rows])
        return [
            Tile(
                count, names[value].text, reader.site.url(f"/datasets?{urlencode({facet: value})}")
            )
            for value, count in rows
        ]

    def _changes(self, release: Any) -> tuple[int, int, int]:
        """New, changed and gone records since the release before."""
        before = None
        if release.previous:
            try:
                before = self.context.releases.get(release.previous)
            except NotFound:
                return (0, 0, 0)
        found = releases.difference(before, release)
        return (len(found.new), len(found.changed), len(found.gone))

    # ---- lists

    def datasets(self, request: Request, reader: Reader) -> Response:
        """The datasets that fit the form."""
        form = _Form(request)
        index, site = reader.opened.index, reader.site
        listing = index.datasets(reader.lang, form.filters, form.q, form.sort, form.page, _SIZE)
        facets = index.facets(form.filters, form.q, _OFFERED)
        reader.load(value for rows in facets.values() for value, _ in rows)
        elsewhere = [
            Tile(n, _t(reader, f"kind.{kind}", n), site.url(f"/{kind}?{urlencode({'q': form.q})}"))
            for kind, n in index.matches(form.q).items()
            if kind != "dataset" and render.has_text(f"kind.{kind}")
        ]
        content = DatasetsPage(
            q=form.q,
            sort=form.sort,
            sorts=[
                Choice(sort, Text(_t(reader, f"sort.{sort}"), ""), chosen=sort == form.sort)
                for sort in SORTS
                if sort != "relevance" or form.q
            ],
            facets=[self._facet(reader, name, facets[name], form) for name in _OFFERED],
            hidden=[
                (n, v) for n, values in form.filters.items() if n not in _OFFERED for v in values
            ],
            chips=self._chips(reader, form),
            clear=site.url("/datasets"),
            cards=self._cards(reader, listing.rows),
            pager=_pager(site, "/datasets", listing, form.link),
            csv=site.url(f"/datasets.csv?{form.link(page=None)}"),
            elsewhere=elsewhere,
        )
        return _html(content, site)

    def _facet(
        self, reader: Reader, name: str, rows: Sequence[tuple[str, int]], form: _Form
    ) -> FacetGroup:
        chosen = form.filters.get(name, [])
        # A chosen value stays in the form even where nothing has it any more.
        held = [*rows[:_SHOWN_CHOICES], *((v, n) for v, n in rows[_SHOWN_CHOICES:] if v in chosen)]
        held += [(value, 0) for value in chosen if value not in {v for v, _ in rows}]
        names = _facet_names(reader, name, [value for value, _ in held])
        choices = [Choice(value, names[value], n, value in chosen) for value, n in held]
        is_open = bool(chosen) or name in _OPEN
        return FacetGroup(name, _t(reader, f"facet.{name}"), choices, is_open)

    def _chips(self, reader: Reader, form: _Form) -> list[Action]:
        chips = []
        if form.q:
            chips.append(Action(f"«{form.q}»", reader.site.url(f"/datasets?{form.link(q='')}")))
        for name, values in form.filters.items():
            names = _facet_names(reader, name, values)
            for value in values:
                href = reader.site.url(f"/datasets?{form.without(name, value)}")
                chips.append(Action(f"{_t(reader, f'facet.{name}')}: {names[value].text}", href))
        return chips

    def _cards(self, reader: Reader, rows: Sequence[Row]) -> list[Card]:
        shown = ("area", "format", "access")
        reader.load(value for row in rows for name in shown for value in row.facets.get(name, ()))
        return [
            Card(
                href=reader.site.url(f"/{quote(row.id)}"),
                title=row.title,
                summary=row.summary,
                area=[Value(reader.name(iri)) for iri in row.facets.get("area", ())],
                formats=sorted(reader.name(v).text for v in row.facets.get("format", ())),
                modified=row.modified,
                access=next((Value(reader.name(v)) for v in row.facets.get("access", ())), None),
            )
            for row in rows
        ]

    def datasets_csv(self, request: Request, reader: Reader) -> Response:
        """The same list as a table, all pages of it."""
        form = _Form(request)
        listing = reader.opened.index.datasets(
            reader.lang, form.filters, form.q, form.sort, 1, _CSV_ROWS
        )
        facets = ("area", "steward", "publisher", "theme", "format", "licence", "access", "gap")
        reader.load(v for row in listing.rows for f in facets for v in row.facets.get(f, ()))
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["id", "iri", "title", "issued", "modified", *facets])
        for row in listing.rows:
            values = [
                "; ".join(t.text for t in _facet_names(reader, f, row.facets.get(f, [])).values())
                for f in facets
            ]
            cells = [row.id, row.iri, row.title.text, row.issued or "", row.modified or "", *values]
            writer.writerow([_cell(cell) for cell in cells])
        headers = {"Content-Disposition": 'attachment; filename="datasets.csv"'}
        return Response(out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)

    def kind(self, request: Request, reader: Reader) -> Response:
        """All records of one kind."""
        kind = request.path_params["kind"]
        index, site = reader.opened.index, reader.site
        if kind == "dataset":
            return RedirectResponse(site.url("/datasets"), status_code=308)
        if kind not in index.counts():
            return _missing(request, reader, kind, "")
        form = _Form(request)
        sort = "relevance" if form.q else "title"
        listing = index.datasets(reader.lang, {}, form.q, sort, form.page, 50, kind)
        rows = self._cards(reader, listing.rows)
        link = partial(_link, {"q": form.q})
        content = KindPage(kind, form.q, rows, _pager(site, f"/{kind}", listing, link))
        return _html(content, site)

    # ---- one resource

    def record(self, request: Request, reader: Reader) -> Response:
        """The page of a resource; a tombstone answers 410."""
        kind, slug = request.path_params["kind"], request.path_params["slug"]
        place = reader.opened.index.by_id(f"{kind}/{slug}")
        if place is None:
            return _missing(request, reader, kind, slug)
        if reader.opened.index.is_gone(place.record):
            return _html(describe.tombstone(place, reader), reader.site, status=410)
        if kind == "dataset" and place.whole:
            return _html(describe.dataset(place, reader), reader.site)
        return _html(describe.resource(place, reader), reader.site)

    # ---- the release

    def validation(self, request: Request, reader: Reader) -> Response:
        """The validation of the release."""
        content = reader.opened.release.manifest["content"]
        report = reader.opened.report
        results: list[dict[str, Any]] = report["results"] if report else []
        severity = request.query_params.get("severity", "")
        chosen = [r for r in results if severity in ("", r["severity"])]
        held = [HeldBack(h["id"], h["title"], h["reason"]) for h in content["held_back"]]
        page = ValidationPage(
            release=reader.opened.release.id,
            verdict=_verdict(report, bool(held), content["waived"]),
            profile=content["profile"],
            engine=report["engine"] if report else "",
            focus_nodes=report["focus_nodes"] if report else 0,
            counts=list(report["counts"].items()) if report else [],
            waived=content["waived"],
            held_back=held,
            groups=_grouped(reader, chosen[:_FINDINGS]),
            shown=min(len(chosen), _FINDINGS),
            total=len(chosen),
            severity=severity,
        )
        return _html(page, reader.site)

    def releases(self, request: Request, reader: Reader) -> Response:
        """All releases, newest first."""
        rows = []
        for release in reversed(self.context.releases.list()):
            content = release.manifest["content"]
            rows.append(
                ReleaseRow(
                    id=release.id,
                    created=release.created_at,
                    current=release.id == reader.opened.release.id,
                    records=len(content["entries"]),
                    statements=sum(entry["statements"] for entry in content["entries"]),
                    held_back=len(content["held_back"]),
                    waived=bool(content["waived"]),
                    changes=self._changes(release),
                    note=release.manifest["build"]["note"],
                )
            )
        headers = {"Cache-Control": "no-cache"}
        return _html(ReleasesPage(rows), reader.site, headers=headers)

    def sparql(self, request: Request, reader: Reader) -> Response:
        """The query form with the answer below it."""
        content, status = query_page.answer(self.context, request, reader)
        return _html(content, reader.site, status, headers={"Cache-Control": "no-store"})


class _Form:
    """The filters of a list, as its address carries them."""

    def __init__(self, request: Request) -> None:
        given = request.query_params
        self.q = given.get("q", "").strip()[:_LONGEST]
        held = {name: [v for v in given.getlist(name) if v] for name in FACETS}
        self.filters: dict[str, list[str]] = {
            name: list(dict.fromkeys(values))[:20] for name, values in held.items() if values
        }
        default = "relevance" if self.q else "modified"
        sort = given.get("sort", default)
        self.sort = sort if sort in SORTS and (self.q or sort != "relevance") else default
        page = given.get("page", "1")
        self.page = int(page) if page.isascii() and page.isdigit() and len(page) < 9 else 1

    def link(self, q: str | None = None, page: int | None = None) -> str:
        """The query string of this list with another text or page."""
        words = self.q if q is None else q
        pairs: list[tuple[str, object]] = [("q", words)] if words else []
        pairs += [(name, value) for name, values in self.filters.items() for value in values]
        if self.sort != ("relevance" if words else "modified") and (
            words or self.sort != "relevance"
        ):
            pairs.append(("sort", self.sort))
        return urlencode([*pairs, *([("page", page)] if page else [])])

    def without(self, name: str, value: str) -> str:
        """The query string of this list without one filter."""
        kept = {
            n: [v for v in values if (n, v) != (name, value)] for n, values in self.filters.items()
        }
        other = _Form.__new__(_Form)
        other.q, other.sort, other.filters = self.q, self.sort, kept
        return other.link()


def _link(values: Mapping[str, str], page: int | None = None) -> str:
    pairs: list[tuple[str, object]] = [(k, v) for k, v in values.items() if v]
    return urlencode([*pairs, *([("page", page)] if page else [])])


def _pager(site: render.Site, path: str, listing: Listing, link: Callable[..., str]) -> Pager:
    before = (listing.page - 1) * listing.size

    def address(page: int) -> str | None:
        return site.url(f"{path}?{link(page=page)}") if 1 <= page <= listing.pages else None

    return Pager(
        page=listing.page,
        pages=listing.pages,
        first=before + 1 if listing.rows else 0,
        last=before + len(listing.rows),
        total=listing.total,
        previous=address(listing.page - 1),
        next=address(listing.page + 1),
    )


def _facet_names(reader: Reader, facet: str, values: Sequence[str]) -> dict[str, Text]:
    """What the values of a facet are called."""
    if facet == "gap":
        known = {v: f"gap.{v}" for v in values}
        return {
            v: Text(_t(reader, key) if render.has_text(key) else v, "") for v, key in known.items()
        }
    reader.load(values)
    return {value: reader.name(value) for value in values}


def _verdict(report: Mapping[str, Any] | None, held: bool, waived: str | None) -> str:
    if report is None:
        return "unchecked"
    if waived:
        return "waived"
    if held:
        return "held"
    if report["blocks_release"]:
        return "blocked"
    return "clean" if report["conforms"] else "warnings"


def _grouped(reader: Reader, results: Sequence[Mapping[str, Any]]) -> list[FindingGroup]:
    """The findings by dataset, the gravest first."""
    reader.load(r["dataset"] or r["focus"] or "" for r in results)
    grave = ("violation", "warning", "info")
    by_dataset: dict[str, list[Finding]] = {}
    titles: dict[str, str | None] = {}
    for result in sorted(results, key=lambda r: grave.index(r["severity"])):
        subject = result["dataset"] or result["focus"] or ""
        by_dataset.setdefault(subject, []).append(describe.finding(reader, dict(result)))
        titles.setdefault(subject, result["title"])
    groups = []
    for subject, findings in by_dataset.items():
        place = reader.place(subject)
        title = titles[subject]
        # What was held back has no page: it is named by the title that the report gives.
        named = (
            Value(Text(title, ""), None, subject) if title and not place else reader.iri(subject)
        )
        groups.append(FindingGroup(anchor(subject), named, findings))
    return groups


def _cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _t(reader: Reader, key: str, count: int | None = None) -> str:
    return render.translate(key, reader.lang, count)


def _missing(request: Request, reader: Reader, kind: str, slug: str) -> Response:
    """404 with the records that may have been meant."""
    index = reader.opened.index
    ids = index.near(kind, slug or kind)
    found = [place for id in ids if (place := index.by_id(id))]
    near = [(reader.name(p.iri).text, reader.site.url(f"/{quote(p.page)}")) for p in found]
    problem = NotFound(f"/{kind}/{slug}" if slug else f"/{kind}").problem()
    site = reader.site
    text = render.error_page(problem, site.lang, root=site.root, path=site.path, near=near)
    return Response(text, status_code=404, media_type="text/html; charset=utf-8")


def _etag(opened: Opened, request: Request) -> str:
    address = f"{_root(request)} {_path(request)}?{request.url.query} {render.stamp()}"
    return f'"{opened.release.id}-{hashlib.sha256(address.encode()).hexdigest()[:16]}"'


def _html(
    content: Any, site: render.Site, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(
        render.page(content, site),
        status_code=status,
        media_type="text/html; charset=utf-8",
        headers=dict(headers or {}),
    )
