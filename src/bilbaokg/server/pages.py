"""The HTML pages: `/{language}/...` and the static files.

Each page (see `sections`) reads the current release, fills a typed page of `views` and renders it.
Handlers are plain functions, so they run in threads and never hold up the event loop. Every page
works without JavaScript and carries an ETag made of the release and its address.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bilbaokg import render
from bilbaokg.server import html, moments, sections
from bilbaokg.server.kept import Kept
from bilbaokg.server.reading import Opened, Reader
from bilbaokg.server.sections import Page
from bilbaokg.server.static import static
from bilbaokg.server.validators import is_among
from bilbaokg.server.views import AbsentPage, EmptyPage

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = ["Pages", "routes"]

_VARY: Final = {"Vary": "Accept-Encoding"}


def routes(context: Context) -> list[BaseRoute]:
    """Every page in every language, and the static files."""
    pages = Pages(context)
    found: list[BaseRoute] = [Route("/static/{digest}/{name:path}", static)]
    shown = sections.pages(context)
    for lang in render.languages():
        found.append(Route(f"/{lang}", partial(_home_of, lang)))
        found += [Route(f"/{lang}{page.path}", partial(pages.answer, page, lang)) for page in shown]
    return found


def _home_of(lang: str, request: Request) -> Response:
    return RedirectResponse(f"{html.root(request)}/{lang}/", status_code=308)


class Pages:
    """Answers for pages: opens the release, keeps what was drawn of it, and sends that again."""

    def __init__(self, context: Context) -> None:
        self.context, self.settings = context, context.settings
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

    def answer(self, page: Page, lang: str, request: Request) -> Response:
        """Open the release, answer from the client's cache where it can, else make the page."""
        opened = self.context.catalogue.current()
        site = self.site(request, lang, page.section, opened)
        if opened is None:
            command = "bilbaokg demo" if page.section == "home" else "bilbaokg release build"
            return html.answer(EmptyPage(command), site, headers={"Cache-Control": "no-store"})
        if page.has_past:
            site = replace(site, present=_present(request), dating=_others(request))
            try:
                opened, site = self._dated(request, opened, site)
            except moments.Absent as absent:
                content = AbsentPage(absent.reason, absent.asked, absent.first, site.present)
                return html.answer(content, site, absent.status, {"Cache-Control": "no-store"})
        # What tells of all releases changes where their folder does.
        tag = html.etag(opened, request, self._line() if page.section == "releases" else "")
        tags = [html.packed_tag(tag), tag] if html.accepts_gzip(request) else [tag]
        for known in tags:
            if is_among(known, request.headers.get("if-none-match", "")):
                return Response(status_code=304, headers={"ETag": known, **_VARY})
        if (body := self._kept.get(tags[0])) is not None:
            coding = {} if tags[0] == tag else {"Content-Encoding": "gzip"}
            return html.checked(
                Response(body, media_type=html.MEDIA, headers={**_VARY, **coding}), tags[0]
            )
        response = page.handler(request, Reader(opened, site))
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


def _others(request: Request) -> list[tuple[str, str]]:
    """What a page was asked, but the time."""
    return [(n, v) for n, v in request.query_params.multi_items() if n != moments.PARAMETER]


def _present(request: Request) -> str:
    """The address of the same page now."""
    held = urlencode(_others(request))
    return f"{html.root(request)}{html.path(request)}{f'?{held}' if held else ''}"
