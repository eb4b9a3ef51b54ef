"""What each portal would do with a release made now: pages and JSON, for signed-in people.

A rehearsal takes seconds: it is made once for a state of the working store, and kept in memory.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby, islice
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bilbaokg import exports, render
from bilbaokg.errors import NotFound, Overloaded
from bilbaokg.gaps import curie
from bilbaokg.index import Text
from bilbaokg.operations import OPERATIONS
from bilbaokg.rehearsal.portals import grave
from bilbaokg.server.api import head
from bilbaokg.server.context import Context
from bilbaokg.server.openapi import problems
from bilbaokg.server.pages import Pages
from bilbaokg.server.views import (
    Choice,
    Cut,
    Dependent,
    Duty,
    Fate,
    Finding,
    Obliged,
    Reach,
    RehearsalPage,
    Value,
)
from bilbaokg.terms import PREFIXES
from bilbaokg.workspace import Workspace

__all__ = ["Rehearsals", "routes"]

_SHOWN: Final = 100
_TITLES: Final = 5
_MOST_CUT: Final = 20
_KEPT: Final = 4
_WAIT_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 10
_FATES: Final = ("deleted", "replaced", "created", "changed")


def routes(context: Context) -> list[BaseRoute]:
    """A page a target and language, and the same as JSON; none without a working store."""
    if context.workspace is None:
        return []
    rehearsals = Rehearsals(context.workspace)
    pages = _Pages(context, rehearsals)
    router = APIRouter(tags=["releases"])

    @router.get("/api/rehearsal/{target}", responses=problems(404, 409, 422, 503))
    def rehearsal(
        target: Annotated[str, Path(max_length=50)], lang: Literal["es", "eu", "en"] = "es"
    ) -> dict[str, Any]:
        """What the portals of a target would do were a release made now; see `publish rehearse`."""
        return rehearsals.of(target, lang)

    found: list[BaseRoute] = [*router.routes, *map(head, router.routes)]
    for lang in render.languages():
        found.append(Route(f"/{lang}/rehearsal", partial(_first, lang)))
        found.append(Route(f"/{lang}/rehearsal/{{target}}", partial(pages.answer, lang)))
    return found


def _first(lang: str, request: Request) -> Response:
    root = str(request.scope.get("root_path", "")).rstrip("/")
    return RedirectResponse(f"{root}/{lang}/rehearsal/{exports.MAIN}", status_code=307)


class Rehearsals:
    """Makes rehearsals, and keeps the last ones while nothing changes."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._kept: dict[tuple[object, ...], dict[str, Any]] = {}
        self.lock = threading.Lock()

    def of(self, target: str, language: str) -> dict[str, Any]:
        """The rehearsal for a target. Raises NotFound, Overloaded, and as the operation does."""
        if target not in {feed.name for feed in exports.feeds()}:
            known = ", ".join(feed.name for feed in exports.feeds())
            raise NotFound(f"no target {target!r}", hint=f"targets: {known}")
        key = (target, language, *self._state())
        if (kept := self._kept.get(key)) is not None:
            return kept
        if not self.lock.acquire(timeout=_WAIT_SECONDS):
            # It would hold a thread that others need.
            words = "another rehearsal is being made"
            raise Overloaded(words, retry_after=_RETRY_SECONDS)
        try:
            return self._kept.get(key) or self._made(key, target, language)
        finally:
            self.lock.release()

    def _made(self, key: tuple[object, ...], target: str, language: str) -> dict[str, Any]:
        params = {"target": target, "lang": language}
        done = OPERATIONS["publish.rehearse"](self.workspace, params, lambda *_: None)
        self._kept[key] = done
        while len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]
        return done

    def _state(self) -> tuple[object, ...]:
        """What a rehearsal is made of: everything that changes the store leaves an entry."""
        with self.workspace.mutex:
            last = self.workspace.records.audit.last()
        return (last.seq if last else 0, self.workspace.releases.current_id())


class _Pages:
    """The page of a target."""

    def __init__(self, context: Context, rehearsals: Rehearsals) -> None:
        self.pages, self.rehearsals = Pages(context), rehearsals

    def answer(self, lang: str, request: Request) -> Response:
        """The page; never kept by anybody between."""
        target = request.path_params["target"]
        done = self.rehearsals.of(target, lang)
        site = self.pages.site(request, lang, "releases", self.pages.context.catalogue.current())
        # It is for those who sign in: search engines have no address for it.
        text = render.page(_page(done, site), replace(site, canonical=None))
        return HTMLResponse(text, headers={"Cache-Control": "no-store"})


def _page(done: Mapping[str, Any], site: render.Site) -> RehearsalPage:
    lang, target = site.lang, done["target"]
    dropped = done["dropped"]
    targets = [
        Choice(site.url(f"/rehearsal/{feed.name}"), Text(feed.name, ""), chosen=feed.name == target)
        for feed in exports.feeds()
    ]
    shown = grave(target, done["broken"])
    held = [Fate(row["title"], row["iri"], row["reason"]) for row in done["held_back"]]
    return RehearsalPage(
        target=target,
        targets=targets,
        release=done["release"],
        records=done["records"],
        counts={name: count for name, count in done["counts"].items() if name != "others"},
        fates=[(name, _fates(name, done[name][:_SHOWN], lang)) for name in _FATES if done[name]],
        held_back=held[:_SHOWN],
        reach=_reach(done["reached"]),
        duties=len({duty["dataset"]["iri"] for duty in done["duties"]}),
        obliged=_obliged(done["duties"]),
        severities=done["severities"],
        rules=_rules(shown, lang),
        others=len(done["broken"]) - len(shown),
        statements=_cuts(dropped["statements"], lang),
        nodes=_cuts(dropped["nodes"], lang),
        unused=_cuts(dropped["unused"], lang),
        data=f"{site.root}/api/rehearsal/{target}?lang={lang}",
    )


def _value(thing: Mapping[str, Any]) -> Value:
    """A thing of the working store, which may have no page."""
    return Value(Text(thing["label"], ""), None, thing["iri"])


def _reach(found: Sequence[Mapping[str, Any]]) -> Reach | None:
    rows = [Dependent(_value(row), list(map(_value, row["owners"]))) for row in found]
    owners = {owner.term for row in rows for owner in row.owners}
    return Reach(len(rows), len(owners), rows[:_SHOWN]) if rows else None


def _obliged(found: Iterable[Mapping[str, Any]]) -> list[Obliged]:
    """The first datasets with their duties; those of a dataset stand together."""
    held = groupby(found, lambda duty: duty["dataset"])
    return [Obliged(_value(d), [_duty(each) for each in some]) for d, some in islice(held, _SHOWN)]


def _duty(told: Mapping[str, Any]) -> Duty:
    values, path = (list(map(_value, told[name])) for name in ("values", "path"))
    return Duty(told["kind"], _value(told["source"]), values, path)


def _fates(name: str, rows: Iterable[Mapping[str, Any]], lang: str) -> list[Fate]:
    return [Fate(row["title"] or row["iri"], row["iri"], _words(name, row, lang)) for row in rows]


def _words(name: str, row: Mapping[str, Any], lang: str) -> str:
    """Why a record is deleted or replaced; in what it changes."""
    if name == "deleted":
        return str(row["reason"] or render.translate(f"rehearsal.reason.{row['why']}", lang))
    if name == "replaced":
        return render.translate("rehearsal.reason.replaced", lang, was=row["was"], now=row["now"])
    return ", ".join(_name(iri, lang).text for iri in row["properties"])


def _name(iri: str, lang: str) -> Text:
    return render.term_label(iri, lang) or Text(curie(iri, PREFIXES), "")


def _cuts(counts: Mapping[str, int], lang: str) -> list[Cut]:
    most = list(counts.items())[:_MOST_CUT]
    return [Cut(Value(_name(iri, lang), None, iri), count) for iri, count in most]


def _rules(broken: Iterable[Mapping[str, Any]], lang: str) -> list[tuple[Finding, list[str]]]:
    """The findings that say the same as one, the gravest first, with the first titles."""
    same: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for problem in broken:
        key = (problem["severity"], problem["message"], problem["path"])
        same.setdefault(key, []).append(problem)
    return [(_finding(held, lang), _about(held)) for held in same.values()]


def _finding(held: list[Mapping[str, Any]], lang: str) -> Finding:
    first, path = held[0], held[0]["path"]
    return Finding(
        severity=first["severity"],
        property=Value(_name(path, lang), None, path) if path else None,
        message=first["message"],
        value=first["detail"] if len(held) == 1 else None,
        hint=first["hint"],
        steward=None,
        count=len(held),
    )


def _about(held: list[Mapping[str, Any]]) -> list[str]:
    titles = (p["title"] or p["dataset"] or p["focus"] or "" for p in held)
    return list(dict.fromkeys(filter(None, titles)))[:_TITLES]
