"""Questions to lineage over HTTP, as JSON or CSV: the working store's, and that of releases.

The working store is asked at `/api/lineage/...` with a token, what was released at
`/api/releases/{id}/lineage/...` by everybody; `current` is the release that is published now.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from bilbaokg.errors import BadInput, NotFound
from bilbaokg.formats import FORMATS
from bilbaokg.lineage import (
    Graph,
    answers,
    coverage,
    differences,
    duties,
    failures,
    provenance,
    recorded,
    stated,
)
from bilbaokg.lineage.ground import Ground
from bilbaokg.operations.questions import ground_of, lineage_changed
from bilbaokg.reports.lineage import as_csv
from bilbaokg.server import negotiate
from bilbaokg.server.context import Context
from bilbaokg.server.openapi import problems
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.writing import to_bytes

__all__ = ["public_routes", "working_routes"]

_OFFERS: Final = {"application/json": "json", "text/csv": "csv"}
_PROV_FORMATS: Final = ("ttl", "jsonld", "nt", "rdf")
_NDJSON: Final = "application/x-ndjson"
_OPENED: Final = 2

Iri = Annotated[
    str,
    Query(
        max_length=4000,
        description="of a dataset, table, column, job or run; or its title or identifier",
    ),
]
Hops = Annotated[int | None, Query(ge=1, le=1000, description="how far; all the way by default")]
Limit = Annotated[int, Query(ge=1, le=answers.MOST, description="how many things at most")]
Lang = Annotated[Literal["es", "eu", "en"], Query(description="of the labels")]
Format = Annotated[Literal["json", "csv"] | None, Query(description="in place of Accept")]
Moment = Annotated[str, Query(max_length=40, description="a date, or a time with its zone")]
Release = Annotated[str, Path(pattern=r"^(current|r[1-9][0-9]{0,8})$")]
Ask = Callable[[Request, str], Ground]


def working_routes(context: Context) -> list[BaseRoute]:
    """Questions to the working store; none where there is none."""
    if context.workspace is None:
        return []
    workspace, router = context.workspace, _router()

    def ask(request: Request, lang: str) -> Ground:
        return ground_of(workspace, {"lang": lang})

    @router.get("/api/lineage/changed", responses=_responses(400))
    def changed(
        request: Request, since: Moment, until: Moment = "", limit: Limit = 10_000,
        lang: Lang = "es", format: Format = None,
    ) -> Response:  # fmt: skip
        """What came and went in the lineage between two moments: after `since`, up to `until` (now
        by default). What runs read and wrote is left out."""
        asked = {"since": since, "until": until, "limit": limit, "lang": lang}
        return _answer(request, format, "changed", lineage_changed(workspace, asked, _quiet))

    @router.get("/api/lineage/events", responses=_events())
    def events() -> Response:
        """What pipelines told, merged, as OpenLineage events, a line each: taken in anew they make
        the same lineage."""
        store = EmbeddedStore.read_only(workspace.checkpoint())
        lines = (f"{line}\n" for line in recorded.events(store, workspace.settings.base))
        return StreamingResponse(lines, media_type=_NDJSON)

    _add(router, "/api/lineage", ask)
    return list(router.routes)


def public_routes(context: Context) -> list[BaseRoute]:
    """Questions to what was released."""
    shelf, router = _Shelf(context), _router()

    def ask(request: Request, lang: str) -> Ground:
        return shelf.ground(request.path_params["id"], lang)

    @router.get("/api/releases/{id}/lineage/changed", responses=_responses(400, 404))
    def changed(
        request: Request, id: Release, since: Moment, limit: Limit = 10_000,
        lang: Lang = "es", format: Format = None,
    ) -> Response:  # fmt: skip
        """What came and went in the lineage since another release: `since` is its id, or the day or
        moment when it was public. What runs read and wrote is left out."""
        before, after = shelf.ground(shelf.at(since), lang), shelf.ground(id, lang)
        found = differences.between(before.graph, after.graph)
        told = differences.telling(after, found, limit)
        return _answer(request, format, "changed", {"since": shelf.at(since), "until": id, **told})

    @router.get("/api/releases/{id}/lineage/events", responses=_events(404))
    def events(id: Release) -> Response:
        """What a release states of tables, jobs and runs, as OpenLineage events, a line each."""
        id = shelf.named(id)
        ground, at = shelf.ground(id, "es"), context.releases.get(id).created_at
        lines = (f"{line}\n" for line in stated.events(ground, at))
        return StreamingResponse(lines, media_type=_NDJSON)

    _add(router, "/api/releases/{id}/lineage", ask, release=True)
    return list(router.routes)


def _quiet(*_: Any) -> None:
    """Nobody sees the progress of a request."""


def _router() -> APIRouter:
    return APIRouter(tags=["lineage"])


def _responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    types: dict[str, Any] = {"application/json": {"schema": {"type": "object"}}, "text/csv": {}}
    return {200: {"description": "the answer", "content": types}, **problems(406, *statuses)}


def _answer(request: Request, format: str | None, kind: str, told: dict[str, Any]) -> Response:
    """An answer in the format that is asked for by name, else by Accept."""
    chosen = format or negotiate.choose(request.headers.get("accept"), _OFFERS)
    headers = {"Vary": "Accept"}
    if chosen == "csv":
        return Response(as_csv(kind, told), media_type="text/csv", headers=headers)
    return JSONResponse(told, headers=headers)


def _add(router: APIRouter, prefix: str, ask: Ask, *, release: bool = False) -> None:
    """Add the questions below an address."""
    missing = (404,) if release else ()
    _add_whole(router, prefix, ask, missing)
    _add_provenance(router, prefix, ask)
    _add_of_one(router, prefix, ask)


def _add_whole(router: APIRouter, prefix: str, ask: Ask, missing: Iterable[int]) -> None:
    """Questions to all of the lineage."""

    @router.get(f"{prefix}/ends", responses=_responses(*missing))
    def ends(
        request: Request, direction: Literal["upstream", "downstream"] = "upstream",
        limit: Limit = 10_000, lang: Lang = "es", format: Format = None,
    ) -> Response:  # fmt: skip
        """Where derivations begin (upstream: the roots) or end (downstream: the leaves)."""
        told = answers.ends(ask(request, lang), direction, limit)
        return _answer(request, format, "found", told)

    @router.get(f"{prefix}/circles", responses=_responses(*missing))
    def circles(
        request: Request, limit: Limit = 1000, lang: Lang = "es", format: Format = None
    ) -> Response:
        """Things that come from themselves: of each knot a shortest circle."""
        return _answer(request, format, "circles", answers.circles(ask(request, lang), limit))

    @router.get(f"{prefix}/dead-ends", responses=_responses(*missing))
    def dead_ends(
        request: Request, limit: Limit = 10_000, lang: Lang = "es", format: Format = None
    ) -> Response:
        """Tables that are made and that nothing uses, and jobs that read and write nothing."""
        return _answer(request, format, "found", answers.dead_ends(ask(request, lang), limit))

    @router.get(f"{prefix}/coverage", responses=_responses(*missing))
    def covered(request: Request, lang: Lang = "es", format: Format = None) -> Response:
        """Of how many datasets lineage is known, said to be unknown, or missing; by area."""
        return _answer(request, format, "coverage", coverage.coverage(ask(request, lang)))

    @router.get(f"{prefix}/spoiled", responses=_responses(400, 404))
    def spoiled(
        request: Request, iri: Annotated[str, Query(max_length=4000)] = "",
        limit: Limit = 10_000, lang: Lang = "es", format: Format = None,
    ) -> Response:  # fmt: skip
        """The failed runs after which none of their job went well, and what each spoils: all that
        is made of what it was to write. `iri`: of one run or job."""
        told = failures.spoiled(ask(request, lang), iri, limit)
        return _answer(request, format, "spoiled", told)

    @router.get(f"{prefix}/duties", responses=_responses(400, 404))
    def flagged(
        request: Request, iri: Annotated[str, Query(max_length=4000)] = "",
        limit: Limit = 10_000, lang: Lang = "es", format: Format = None,
    ) -> Response:  # fmt: skip
        """The public datasets with sources that are not public, hold personal data, are under
        another licence or are classified by what travels; with the way from there. `iri`: of one
        dataset."""
        return _answer(request, format, "duties", duties.duties(ask(request, lang), iri, limit))


def _events(*statuses: int) -> dict[int | str, dict[str, Any]]:
    told: dict[int | str, dict[str, Any]] = {
        200: {"description": "the events", "content": {_NDJSON: {}}}
    }
    return {**told, **problems(*statuses)}


def _graph_types() -> dict[str, str]:
    """Media type -> name of the formats of PROV-O."""
    return {FORMATS[name].media_type: name for name in _PROV_FORMATS}


def _add_provenance(router: APIRouter, prefix: str, ask: Ask) -> None:
    """Lineage as PROV-O."""
    content: dict[str, Any] = {media_type: {} for media_type in _graph_types()}
    told: dict[int | str, dict[str, Any]] = {200: {"description": "it", "content": content}}

    @router.get(f"{prefix}/prov", responses={**told, **problems(400, 404, 406)})
    def prov(
        request: Request, iri: Annotated[str, Query(max_length=4000)] = "", hops: Hops = None,
        lang: Lang = "es", format: Literal["ttl", "jsonld", "nt", "rdf"] | None = None,
    ) -> Response:  # fmt: skip
        """Lineage as PROV-O: all of it, or what is around `iri`, `hops` far."""
        chosen = format or negotiate.choose(request.headers.get("accept"), _graph_types())
        ground = ask(request, lang)
        among = provenance.around(ground, iri, hops) if iri else None
        content = to_bytes(provenance.lines(ground, among), chosen)
        headers = {"Vary": "Accept", "Content-Type": FORMATS[chosen].media_type}
        return Response(content, headers=headers)


def _add_of_one(router: APIRouter, prefix: str, ask: Ask) -> None:
    """Questions to the lineage of one thing."""

    @router.get(f"{prefix}/path", responses=_responses(400, 404))
    def path(
        request: Request, iri: Iri, to: Iri, lang: Lang = "es", format: Format = None
    ) -> Response:
        """A shortest way between two things, the way that data go; `direction` says where `to`
        lies, seen from `iri`."""
        return _answer(request, format, "path", answers.path(ask(request, lang), iri, to))

    @router.get(f"{prefix}/agree", responses=_responses(400, 404))
    def agree(request: Request, iri: Iri, lang: Lang = "es", format: Format = None) -> Response:
        """Who must agree to a change of a thing: the owners of all that depends on it, each with a
        message in every language."""
        return _answer(request, format, "agree", answers.agree(ask(request, lang), iri))

    @router.get(f"{prefix}/{{direction}}", responses=_responses(400, 404))
    def walk(
        request: Request, direction: Literal["upstream", "downstream"], iri: Iri,
        hops: Hops = None, exactly: bool = False, limit: Limit = 10_000, lang: Lang = "es",
        format: Format = None,
    ) -> Response:  # fmt: skip
        """What a dataset, table, column or job comes from (upstream), or what is made of it
        (downstream), nearest first; within `hops`, or exactly so many, or all the way. `complete`
        is false where there is more than `limit`."""
        if exactly and hops is None:
            raise BadInput("exactly how many hops?", hint="give hops with exactly")
        ground = ask(request, lang)
        told = answers.walked(ground, iri, direction, hops, exactly=exactly, limit=limit)
        return _answer(request, format, "walk", told)


class _Shelf:
    """The lineage of releases: of the current one as pages read it, and the others asked last."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._kept: dict[str, tuple[EmbeddedStore, Graph]] = {}
        self._turn = threading.Lock()

    def ground(self, id: str, lang: str) -> Ground:
        """That of a release that was public and was not taken back. Raises NotFound."""
        base, current = self.context.settings.base, self.context.catalogue.current()
        if current is not None and id in ("current", current.release.id):
            return current.ground(lang)
        if id not in self.context.releases.standing():
            raise NotFound(f"no release {id!r}", hint="see /api/releases")
        with self._turn:
            store, graph = self._kept.pop(id) if id in self._kept else self._opened(id)
            self._kept[id] = store, graph
            while len(self._kept) > _OPENED:
                del self._kept[next(iter(self._kept))]
        return Ground(store, base, lambda: graph, lang=lang)

    def named(self, id: str) -> str:
        """The id of the release that is meant."""
        current = self.context.catalogue.current() if id == "current" else None
        return current.release.id if current else id

    def _opened(self, id: str) -> tuple[EmbeddedStore, Graph]:
        store = EmbeddedStore.read_only(self.context.releases.get(id).path / "store")
        return store, Graph.of(store)

    def at(self, since: str) -> str:
        """The id of the release that is meant, or that was public at a moment.

        Raises BadInput, NotFound.
        """
        if since == "current" or (since[:1] == "r" and since[1:].isdigit()):
            return since
        moment, _ = differences.span(since)
        found = [s.id for s in self.context.releases.history() if s.at <= moment]
        if not found:
            raise NotFound("nothing was public then", where=since, hint="see /api/releases")
        return found[-1]
