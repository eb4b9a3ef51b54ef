"""Questions to the lineage of the working store beyond a walk: paths, ends, who must agree."""

from __future__ import annotations

from typing import Any, Final

from bilbaokg import wording
from bilbaokg.errors import BadInput, NotFound
from bilbaokg.lineage import label
from bilbaokg.lineage.owners import owners
from bilbaokg.operations.base import Progress
from bilbaokg.terms import LANGUAGES, is_iri, ref
from bilbaokg.workspace import Workspace

__all__ = ["known", "lineage_agree", "lineage_ends", "lineage_path"]

_MOST: Final = 100_000


def known(workspace: Workspace, iri: str) -> str:
    """The IRI. Raises BadInput where it is none, NotFound where the working store lacks it."""
    if not is_iri(iri):
        raise BadInput(
            f"{iri!r} is no absolute IRI", hint="the IRI of a dataset, table, column or job"
        )
    store = workspace.store
    if not any(store.match(ref(iri))) and not any(store.match(object=ref(iri))):
        raise NotFound("the working store does not know it", where=iri, hint="check its spelling")
    return iri


def lineage_path(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """A shortest way between two things, the way that data go. params: iri, to, lang.

    `direction` says where `to` lies, seen from `iri`; None where there is no way.
    """
    iri, to = known(workspace, params["iri"]), known(workspace, params["to"])
    graph, language = workspace.graph.now(), params.get("lang") or "es"
    way, direction = graph.path(iri, to), "downstream"
    if not way:
        way, direction = graph.path(to, iri), "upstream"
    return {
        "iri": iri, "to": to, "direction": direction if way else None,
        "path": [{"iri": node, "label": label(workspace.store, node, language)} for node in way],
    }  # fmt: skip


def lineage_ends(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Where derivations begin (direction upstream) or end (downstream). params: direction, lang."""
    graph, language = workspace.graph.now(), params.get("lang") or "es"
    return {
        "direction": params["direction"],
        "found": [
            {"iri": iri, "label": label(workspace.store, iri, language), "level": graph.level(iri)}
            for iri in graph.ends(params["direction"])
        ],
    }


def lineage_agree(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Who must agree to a change of a thing: the owners of it and of all that depends on it.

    params: iri, lang. With each owner the datasets concerned, and a message to them in every
    language; `unowned` are datasets that nobody answers for.
    """
    iri, language = known(workspace, params["iri"]), params.get("lang") or "es"
    store, base = workspace.store, workspace.settings.base
    affected = workspace.graph.now().walk(iri, "downstream", limit=_MOST)
    found = owners(store, base, [iri, *(step.iri for step in affected.steps)])

    def named(iris: list[str]) -> list[dict[str, str]]:
        return [{"iri": each, "label": label(store, each, language)} for each in iris]

    return {
        "iri": iri, "label": label(store, iri, language), "affected": len(affected.steps),
        "complete": affected.complete,
        "owners": [
            {
                "iri": agent, "label": label(store, agent, language), "datasets": named(held),
                "message": {
                    code: wording.say(
                        "agree.message", code, thing=label(store, iri, code),
                        datasets="\n".join(f"- {label(store, each, code)}" for each in held),
                    )
                    for code in LANGUAGES
                },
            }
            for agent, held in found.items() if agent
        ],
        "unowned": named(found.get("", [])),
    }  # fmt: skip
