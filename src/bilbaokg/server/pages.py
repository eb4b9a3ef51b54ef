"""The HTML pages: `/{language}/...` and the static files.

Each page reads the current release, fills a typed page of `views.py` and renders it. Handlers are
plain functions, so they run in threads and never hold up the event loop. Every page works without
JavaScript and carries an ETag made of the release and its address.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from bilbaokg import render
from bilbaokg.errors import NotFound
from bilbaokg.index.dashboard import area_of
from bilbaokg.model import SEVERITIES
from bilbaokg.server import (
    components,
    dataset_page,
    describe,
    finding_list,
    findings,
    glossary,
    history,
    html,
    lineage_page,
    lists,
    moments,
    monthly,
    pointing,
    principles,
    query_page,
    question_page,
    revisions,
    search_page,
    sparql_words,
    units,
)
from bilbaokg.server.dashboards import Dashboards
from bilbaokg.server.guides import GUIDES, guide
from bilbaokg.server.kept import Kept
from bilbaokg.server.lineage_form import Asked
from bilbaokg.server.paging import page_number
from bilbaokg.server.reading import Opened, Reader
from bilbaokg.server.static import static
from bilbaokg.server.validators import is_among
from bilbaokg.server.views import AbsentPage, EmptyPage
from bilbaokg.terms import KINDS, is_iri

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = ["Pages", "routes"]

Handler = Callable[[Request, Reader], Response]
_VARY: Final = {"Vary": "Accept-Encoding"}
# How the report of a validation is downloaded: by format, which is its extension, too.
_REPORTS: Final = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def routes(context: Context) -> list[BaseRoute]:
    """Every page in every language, and the static files."""
    pages = Pages(context)
    # Those of the present alone, then those that show a release of the past, too.
    present: list[tuple[str, str, Handler]] = [
        ("/sparql", "sparql", pages.sparql),
        ("/sparql/words.json", "sparql", pages.sparql_words),
        ("/releases", "releases", pages.releases),
        ("/releases/{id}", "releases", pages.release),
        ("/{kind}/{slug}/history", "", pages.history),
        ("/components", "", pages.components),
        *((f"/{name}", "", partial(pages.guide, name)) for name in GUIDES),
    ]
    dated: list[tuple[str, str, Handler]] = [
        ("/", "home", pages.home),
        ("/search", "search", pages.search),
        ("/iri", "", pages.iri),
        ("/datasets", "datasets", pages.datasets),
        ("/datasets.csv", "datasets", pages.datasets_csv),
        ("/lineage", "lineage", pages.lineage),
        ("/lineage.csv", "lineage", pages.lineage_csv),
        ("/lineage/{question}", "lineage", pages.question),
        ("/validation", "validation", pages.validation),
        ("/validation/findings", "validation", pages.findings),
        *((f"/validation.{extension}", "validation", pages.report) for extension in _REPORTS),
        ("/principle", "principle", pages.principles),
        ("/concept", "concept", pages.glossary),
        ("/dashboards", "dashboards", pages.dashboard),
        ("/dashboards/{slug}", "dashboards", pages.dashboard),
        ("/dashboards/{slug}/report", "dashboards", pages.monthly),
        ("/roles", "unit", pages.roles),
        ("/{kind}", "", pages.kind),
        ("/{kind}/{slug}", "", pages.record),
    ]
    found: list[BaseRoute] = [Route("/static/{digest}/{name:path}", static)]
    for lang in render.languages():
        found.append(Route(f"/{lang}", partial(_home_of, lang)))
        for has_past, handlers in ((False, present), (True, dated)):
            for path, section, handler in handlers:
                endpoint = partial(pages.answer, handler, lang, section, has_past)
                found.append(Route(f"/{lang}{path}", endpoint))
    return found


def _home_of(lang: str, request: Request) -> Response:
    return RedirectResponse(f"{html.root(request)}/{lang}/", status_code=308)


class Pages:
    """The handlers; each gets the request and a reader of the current release."""

    def __init__(self, context: Context) -> None:
        self.context, self.settings = context, context.settings
        self.dashboards = Dashboards(context)
        # Pages of a release never change: what was drawn is sent again.
        self._kept = Kept[str, bytes](context.settings.cache_bytes // 4)

    def site(self, request: Request, lang: str, section: str, opened: Opened | None) -> render.Site:
        """What stands around the page, as it is now."""
        path = html.path(request).removeprefix(f"/{lang}") or "/"
        query = f"?{request.url.query}" if request.url.query else ""
        titles = self.settings.title
        return render.Site(
            lang=lang,
            root=html.root(request),
            path=f"{path}{query}",
            section=section,
            title=titles.get(lang)
            or titles.get(render.DEFAULT_LANGUAGE)
            or next(iter(titles.values())),
            release=opened.release.id if opened else None,
            released=opened.release.created_at if opened else None,
            canonical=self._canonical(lang, path, bool(request.url.query)),
        )

    def _canonical(self, lang: str, path: str, asks: bool) -> str | None:
        """The address without its query; a list that was asked for otherwise has none."""
        is_list = path.count("/") < 2
        return None if asks and is_list else self.context.url(f"/{lang}{path}")

    def answer(
        self, handler: Handler, lang: str, section: str, has_past: bool, request: Request
    ) -> Response:
        """Open the release, answer from the client's cache where it can, else make the page."""
        opened = self.context.catalogue.current()
        site = self.site(request, lang, section, opened)
        if opened is None:
            command = "bilbaokg demo" if section == "home" else "bilbaokg release build"
            return html.html(EmptyPage(command), site, headers={"Cache-Control": "no-store"})
        if has_past:
            site = replace(site, present=_present(request), dating=_others(request))
            try:
                opened, site = self._dated(request, opened, site)
            except moments.Absent as absent:
                content = AbsentPage(absent.reason, absent.asked, absent.first, site.present)
                return html.html(content, site, absent.status, {"Cache-Control": "no-store"})
        # What tells of all releases changes where their folder does.
        tag = html.etag(opened, request, self._line() if section == "releases" else "")
        tags = [html.packed_tag(tag), tag] if html.accepts_gzip(request) else [tag]
        for known in tags:
            if is_among(known, request.headers.get("if-none-match", "")):
                return Response(status_code=304, headers={"ETag": known, **_VARY})
        if (body := self._kept.get(tags[0])) is not None:
            coding = {} if tags[0] == tag else {"Content-Encoding": "gzip"}
            return html.checked(
                Response(body, media_type=html.MEDIA, headers={**_VARY, **coding}), tags[0]
            )
        response = handler(request, Reader(opened, site))
        if len(tags) > 1 and not html.pack(response):
            del tags[0]
        response.headers.update(_VARY)
        if response.status_code == 200 and "cache-control" not in response.headers:
            html.checked(response, tags[0])
            if response.media_type == html.MEDIA:
                self._kept.put(tags[0], bytes(response.body), len(response.body))
        return response

    def _line(self) -> str:
        """What tells one state of the folder of releases from another."""
        return str(self.context.releases.path.stat().st_mtime_ns)

    def _dated(
        self, request: Request, opened: Opened, site: render.Site
    ) -> tuple[Opened, render.Site]:
        """The release that the reader asks for, and what stands around a page of its time.

        Raises moments.Absent.
        """
        asked = request.query_params.get(moments.PARAMETER, "")
        if not asked:
            return opened, site
        moment = moments.find(self.context.releases, asked)
        opened = self.context.catalogue.past(moment.release)
        release = opened.release
        return opened, replace(site, moment=moment, release=release.id, released=release.created_at)

    # ---- lists

    def home(self, request: Request, reader: Reader) -> Response:
        """The entrance."""
        changes = history.change_counts(self.context, reader.opened.release)
        return html.html(lists.home(reader, changes), reader.site)

    def search(self, request: Request, reader: Reader) -> Response:
        """Everything that fits the words, by kind; an IRI leads to its page."""
        asked = request.query_params.get("q", "").strip()
        if "://" in asked and is_iri(asked) and html.is_named(reader, asked):
            return html.to(reader, asked)
        return html.html(search_page.page(reader, lists.Form(request.query_params)), reader.site)

    def iri(self, request: Request, reader: Reader) -> Response:
        """The page of any IRI: its own, else what is said of it by others."""
        iri = request.query_params.get("iri", "")
        if reader.place(iri):
            return html.to(reader, iri)
        number = page_number(request.query_params.get(pointing.PARAMETER))
        content = describe.mention(iri, reader, number) if is_iri(iri) else None
        return html.html(content, reader.site) if content else html.missing(reader, "iri", iri)

    def datasets(self, request: Request, reader: Reader) -> Response:
        """The datasets that fit the form."""
        return html.html(lists.datasets(reader, lists.Form(request.query_params)), reader.site)

    def datasets_csv(self, request: Request, reader: Reader) -> Response:
        """The same list as a table, all pages of it."""
        pieces = lists.table(reader, lists.Form(request.query_params))
        headers = {"Content-Disposition": 'attachment; filename="datasets.csv"'}
        return StreamingResponse(pieces, media_type="text/csv; charset=utf-8", headers=headers)

    def guide(self, name: str, request: Request, reader: Reader) -> Response:
        """A page of text."""
        content = guide(reader, name)
        return html.html(content, reader.site) if content else html.missing(reader, name, "")

    def components(self, request: Request, reader: Reader) -> Response:
        """Every component of the pages, for those who change one."""
        return html.html(components.page(reader), reader.site)

    def dashboard(self, request: Request, reader: Reader) -> Response:
        """How the city or one of its areas stands."""
        slug = request.path_params.get("slug", "")
        try:
            area = area_of(reader.opened.index, slug) if slug else ""
        except NotFound:
            return html.missing(reader, "unit", slug)
        return html.html(self.dashboards.page(reader, area), reader.site)

    def monthly(self, request: Request, reader: Reader) -> Response:
        """The report of an area for a month; without one, to the last."""
        slug, asked = request.path_params["slug"], request.query_params.get("month")
        try:
            area = area_of(reader.opened.index, slug)
        except NotFound:
            return html.missing(reader, "unit", slug)
        unkept = {"Cache-Control": "no-store"}
        if asked is None:
            month = monthly.default(self.context, monthly.today(reader.site.moment))
            address = reader.site.url(f"/dashboards/{quote(slug)}/report?month={month}")
            return RedirectResponse(address, status_code=303, headers=unkept)
        content, reader = monthly.report(self.context, reader, area, asked)
        if isinstance(content, monthly.NoMonthPage):
            return html.html(content, reader.site, content.status, unkept)
        # What has not ended may change without a release: its last day comes.
        return html.html(content, reader.site, headers=unkept if content.partial else None)

    def lineage(self, request: Request, reader: Reader) -> Response:
        """What a thing comes from and what is made of it; without one, where to begin."""
        asked = Asked.of(request.query_params)
        if not asked.iri:
            q = request.query_params.get("q", "")
            return html.html(lineage_page.start(reader, q), reader.site)
        content = lineage_page.page(reader, asked)
        return (
            html.html(content, reader.site) if content else html.missing(reader, "iri", asked.iri)
        )

    def lineage_csv(self, request: Request, reader: Reader) -> Response:
        """Everything that is reached one way, as a table."""
        asked = Asked.of(request.query_params)
        pieces = lineage_page.table(reader, asked, request.query_params.get("direction", ""))
        headers = {"Content-Disposition": 'attachment; filename="lineage.csv"'}
        return StreamingResponse(pieces, media_type="text/csv; charset=utf-8", headers=headers)

    def question(self, request: Request, reader: Reader) -> Response:
        """A question to the lineage, with its answer."""
        name = request.path_params["question"]
        content, status = question_page.page(self.context, reader, name, request.query_params)
        # Which releases were taken back may change.
        headers = {"Cache-Control": "no-cache"} if name == "changed" else None
        return html.html(content, reader.site, status, headers)

    def principles(self, request: Request, reader: Reader) -> Response:
        """The principles with the scoreboard; as a list where one was asked for."""
        asks = request.query_params.keys() - {moments.PARAMETER}
        content = None if asks else principles.scoreboard(reader)
        if content is None:
            form = lists.Form(request.query_params)
            return html.html(lists.kind(reader, "principle", form), reader.site)
        return html.html(content, reader.site)

    def glossary(self, request: Request, reader: Reader) -> Response:
        """The vocabularies as trees, or one of them; as a list where one was asked for."""
        if scheme := request.query_params.get(glossary.TREE):
            number = page_number(request.query_params.get("page"))
            return html.html(glossary.vocabulary(reader, scheme, number), reader.site)
        if request.query_params.keys() - {moments.PARAMETER}:
            form = lists.Form(request.query_params)
            return html.html(lists.kind(reader, "concept", form), reader.site)
        return html.html(glossary.glossary(reader), reader.site)

    def roles(self, request: Request, reader: Reader) -> Response:
        """Who holds which role, and where nobody does."""
        return html.html(units.roles(reader), reader.site)

    def kind(self, request: Request, reader: Reader) -> Response:
        """All records of one kind, also where there are none."""
        kind = request.path_params["kind"]
        if kind == "dataset":
            return RedirectResponse(reader.site.url("/datasets"), status_code=308)
        if kind not in KINDS:
            return html.missing(reader, kind, "")
        site = replace(reader.site, section=kind)
        return html.html(lists.kind(reader, kind, lists.Form(request.query_params)), site)

    # ---- one resource

    def record(self, request: Request, reader: Reader) -> Response:
        """The page of a resource; a tombstone answers 410."""
        kind, slug = request.path_params["kind"], request.path_params["slug"]
        place = reader.opened.index.by_id(f"{kind}/{slug}")
        if place is None:
            return html.missing(reader, kind, slug)
        if reader.opened.index.is_gone(place.record):
            return html.html(describe.tombstone(place, reader), reader.site, status=410)
        if kind == "dataset" and place.whole:
            files = page_number(request.query_params.get(dataset_page.PARAMETER))
            return html.html(dataset_page.dataset(place, reader, files), reader.site)
        number = page_number(request.query_params.get(pointing.PARAMETER))
        if kind in ("unit", "agent") and place.whole:
            return html.html(units.page(reader, place, number), reader.site)
        if kind == "concept" and place.whole:
            below = page_number(request.query_params.get(glossary.BELOW))
            return html.html(glossary.concept(reader, place, number, below), reader.site)
        if kind == "principle" and principles.is_tested(reader, place.iri):
            content = principles.page(self.context, reader, place, request.query_params)
            return html.html(content, reader.site)
        return html.html(describe.resource(place, reader, number), reader.site)

    def history(self, request: Request, reader: Reader) -> Response:
        """What changed in a record from release to release."""
        kind, slug = request.path_params["kind"], request.path_params["slug"]
        id, before = f"{kind}/{slug}", request.query_params.get("before", "")
        place = reader.opened.index.by_id(id)
        if place and place.record != id:
            return RedirectResponse(reader.site.url(f"/{quote(place.record)}/history"), 308)
        content = revisions.history(self.context, reader, id, before)
        return html.html(content, reader.site) if content else html.missing(reader, kind, slug)

    # ---- the release

    def validation(self, request: Request, reader: Reader) -> Response:
        """The validation of the release."""
        severity = request.query_params.get("severity", "")
        chosen = severity if severity in SEVERITIES else ""
        number = page_number(request.query_params.get("page"))
        before = history.previous(self.context, reader.opened.release)
        return html.html(findings.page(reader, chosen, number, before), reader.site)

    def findings(self, request: Request, reader: Reader) -> Response:
        """What it found, as one list."""
        return html.html(
            finding_list.page(reader, finding_list.Asked(request.query_params)), reader.site
        )

    def report(self, request: Request, reader: Reader) -> Response:
        """The same to download."""
        format = request.url.path.rpartition(".")[2]
        released = self.context.releases.report(reader.opened.release)
        if released is None:
            return html.missing(reader, "validation", "")
        name = f"validation-{reader.opened.release.id}.{format}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        asked = finding_list.Asked(request.query_params)
        text = finding_list.report(reader, released, format, asked)
        return Response(text, media_type=_REPORTS[format], headers=headers)

    def releases(self, request: Request, reader: Reader) -> Response:
        """The public releases, newest first."""
        return html.html(history.overview(self.context, reader), reader.site)

    def release(self, request: Request, reader: Reader) -> Response:
        """One release: what it changed."""
        content = history.page(self.context, reader, request.path_params["id"])
        return html.html(content, reader.site)

    def sparql(self, request: Request, reader: Reader) -> Response:
        """The query form with the answer below it."""
        content, status, headers = query_page.answer(self.context, request, reader)
        return html.html(content, reader.site, status, {"Cache-Control": "no-store", **headers})

    def sparql_words(self, request: Request, reader: Reader) -> Response:
        """What the editor of the SPARQL page completes."""
        return JSONResponse(sparql_words.words(reader))


def _others(request: Request) -> list[tuple[str, str]]:
    """What a page was asked, but the time."""
    return [(n, v) for n, v in request.query_params.multi_items() if n != moments.PARAMETER]


def _present(request: Request) -> str:
    """The address of the same page now."""
    held = urlencode(_others(request))
    return f"{html.root(request)}{html.path(request)}{f'?{held}' if held else ''}"
