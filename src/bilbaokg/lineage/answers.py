"""Questions to lineage, answered as plain JSON: walks, ways, ends, circles, who must agree."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from bilbaokg import wording
from bilbaokg.lineage.edges import Kind
from bilbaokg.lineage.graph import Graph
from bilbaokg.lineage.ground import Ground
from bilbaokg.lineage.owners import owners, wholes, within
from bilbaokg.lineage.walking import Step, Walk, columns_of, part_of
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import DUV, LANGUAGES, ref

__all__ = [
    "MOST",
    "agree",
    "between",
    "circles",
    "dead_ends",
    "ends",
    "path",
    "reached",
    "walked",
]

MOST: Final = 100_000
"""How many things an answer tells at most."""


def walked(
    ground: Ground, iri: str, direction: str, hops: int | None = None, *, exactly: bool = False,
    limit: int = MOST,
) -> dict[str, Any]:  # fmt: skip
    """What a thing comes from (upstream) or what is made of it (downstream), nearest first.

    exactly: only what is that many hops away at least. Raises BadInput, NotFound.
    """
    iri = ground.known(iri)
    found = _walk(ground, iri, direction, hops, exactly=exactly, limit=limit)
    return {
        **ground.named(iri), "direction": direction, "hops": hops, "exactly": exactly,
        "complete": found.complete and len(found.steps) <= limit,
        "found": [_step(ground, step) for step in found.steps[:limit]],
    }  # fmt: skip


def reached(
    ground: Ground, iri: str, direction: str, hops: int | None, *, exactly: bool, limit: int = MOST
) -> Walk:
    """The steps of such a walk: at least `limit` of them where there are so many.

    Raises BadInput, NotFound.
    """
    return _walk(ground, ground.known(iri), direction, hops, exactly=exactly, limit=limit)


def _walk(
    ground: Ground, iri: str, direction: str, hops: int | None, *, exactly: bool, limit: int
) -> Walk:
    found = ground.walk(iri, direction, hops, MOST if exactly else limit)
    if exactly:
        found.steps = [step for step in found.steps if step.hops == hops]
    return found


def _step(ground: Ground, step: Step) -> dict[str, Any]:
    return {**ground.told(step.iri), "hops": step.hops, "via": step.via}


def path(ground: Ground, iri: str, to: str) -> dict[str, Any]:
    """A shortest way between two things, the way that data go. Raises BadInput, NotFound.

    `direction` says where `to` lies, seen from `iri`; None where there is no way.
    """
    iri, to = ground.known(iri), ground.known(to)
    way, direction = between(ground.graph, ground.store, iri, to)
    return {
        "iri": iri, "to": to, "direction": direction,
        "path": [ground.named(node) for node in way],
    }  # fmt: skip


def between(graph: Graph, store: EmbeddedStore, iri: str, to: str) -> tuple[list[str], str | None]:
    """A shortest way between two things, the way that data go, and where `to` lies: downstream,
    upstream, None where there is no way.

    Where they have none themselves, of what is part of them: a table leads to a dataset by way of
    the tables and files of that.
    """
    for here, there in (([iri], [to]), (within(store, iri), within(store, to))):
        if way := graph.path(here, there):
            return way, "downstream"
        if way := graph.path(there, here):
            return way, "upstream"
    return [], None


def ends(ground: Ground, direction: str, limit: int = MOST) -> dict[str, Any]:
    """Where derivations begin (upstream) or end (downstream)."""
    found = ground.all_told(ground.graph.ends(direction), limit)
    return {"direction": direction, **found}


def circles(ground: Ground, limit: int = MOST) -> dict[str, Any]:
    """Things that come from themselves: of each knot a shortest circle."""
    found = ground.graph.cycles()
    return {
        "count": len(found), "complete": len(found) <= limit,
        "circles": [[ground.told(iri) for iri in circle] for circle in found[:limit]],
    }  # fmt: skip


def dead_ends(ground: Ground, limit: int = MOST) -> dict[str, Any]:
    """Tables that are made and that nothing uses, and jobs that read and write nothing.

    A table is used when something is made of it, when a job reads it, when a use of it is told
    (duv:hasUsage), and when it is part of a dataset.
    """
    return ground.all_told(_dead(ground), limit)


def _dead(ground: Ground) -> Iterator[str]:
    graph = ground.graph
    for iri in graph.of_level("table", "job"):
        made, used = (graph.neighbours(iri, d) for d in ("upstream", "downstream"))
        if made and not used and not (graph.level(iri) == "table" and _is_in_use(ground, iri)):
            yield iri


def _is_in_use(ground: Ground, table: str) -> bool:
    used = (ground.store.match(ref(table), ref(p)) for p in (DUV.hasUsage, DUV.hasUsageTool))
    return any(map(any, used)) or wholes(ground.store, table) != [table]


def agree(ground: Ground, iri: str) -> dict[str, Any]:
    """Who must agree to a change of a thing: the owners of it and of all that depends on it.

    With each owner the datasets concerned, and a message to them in every language; `unowned` are
    datasets that nobody answers for, `uncertain` tables of which nobody tells whether they depend
    on a column. Raises BadInput, NotFound.
    """
    iri = ground.known(iri)
    affected = ground.graph.walk(iri, "downstream", limit=MOST)
    concerned = [iri, *(step.iri for step in affected.steps)]
    found = owners(ground.store, ground.base, concerned)
    return {
        **ground.named(iri), "affected": len(affected.steps), "complete": affected.complete,
        "owners": [
            {
                **ground.named(agent), "datasets": [ground.named(each) for each in held],
                "message": {code: _message(ground, iri, held, code) for code in LANGUAGES},
            }
            for agent, held in found.items() if agent
        ],
        "unowned": [ground.named(each) for each in found.get("", [])],
        "uncertain": [ground.named(each) for each in _untold(ground, concerned)],
    }  # fmt: skip


def _untold(ground: Ground, concerned: Collection[str]) -> list[str]:
    """Tables made of those that hold the columns among some things, and not among these themselves,
    where nobody tells which columns they come from."""
    graph, store = ground.graph, ground.store
    columns = [iri for iri in concerned if graph.level(iri) in ("column", None)]
    holding = {table for column in columns for table in part_of(store, column)}
    made = {
        edge.target
        for table in holding for edge in graph.neighbours(table, "downstream")
        if edge.kind == Kind.DERIVED and graph.level(edge.target) == "table"
    }  # fmt: skip
    return sorted(table for table in made.difference(concerned) if not _is_told(ground, table))


def _is_told(ground: Ground, table: str) -> bool:
    """Whether it is told of any column of a table what that comes from."""
    columns = columns_of(ground.store, table)
    return any(ground.graph.neighbours(column, "upstream") for column in columns)


def _message(ground: Ground, iri: str, datasets: list[str], language: str) -> str:
    listed = "\n".join(f"- {ground.label(each, language)}" for each in datasets)
    return wording.say(
        "agree.message", language, thing=ground.label(iri, language), datasets=listed
    )
