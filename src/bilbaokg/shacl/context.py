"""Whose problem it is: the dataset that a node belongs to, its title, its steward, its line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from bilbaokg.shacl.graph import TYPE, Layers
from bilbaokg.shacl.shapes import choose, local_name
from bilbaokg.terms import ADMS, DCAT, DCT, FOAF, PROV, RDFS, SKOS, VCARD, in_force, plain, ref

__all__ = ["Context", "Facts", "Lines"]

Lines = Mapping[str, int] | Mapping[str, tuple[str, int]]
"""The source line of a subject term; with its file where there are several."""

_OWNERS: Final = frozenset(ref(DCAT[n]) for n in ("Dataset", "DatasetSeries", "DataService"))
_STOPS: Final = frozenset({ref(DCAT.Catalog), ref(DCAT.CatalogRecord)})
_NAMES: Final = tuple(map(ref, (FOAF.name, SKOS.prefLabel, VCARD.fn, RDFS.label)))
_TITLE: Final = ref(DCT["title"])
_ATTRIBUTION: Final = ref(PROV.qualifiedAttribution)


class Facts(NamedTuple):
    """What people need to know of a node; None where it is not known.

    dataset: an N-Triples term; steward, owner: who holds that role at present; source:
    `{"file": ..., "line": ...}`.
    """

    dataset: str | None = None
    title: str | None = None
    steward: str | None = None
    owner: str | None = None
    source: dict[str, Any] | None = None


class Context:
    """Answers about nodes of the data. Many nodes are asked about at once, as looking at data
    backwards may mean to read all of them.

    turn: told for which node is read what comes next. Without it, what is found for one serves all.
    """

    def __init__(
        self,
        data: Layers,
        language: str,
        line_of: Lines | None = None,
        file: str | None = None,
        turn: Callable[[str], None] | None = None,
    ) -> None:
        self.data, self.language, self.file, self._told = data, language, file, turn
        self.line_of: Mapping[str, Any] = line_of or {}

    def facts(self, nodes: Iterable[str]) -> dict[str, Facts]:
        """The facts of each node."""
        asked = list(dict.fromkeys(nodes))
        owners = self._nearest(asked, lambda node: bool(self._types(node) & _OWNERS), _STOPS)
        described = self._nearest(asked, lambda node: node in self.line_of) if self.line_of else {}
        known: dict[str, Facts] = {}
        found: dict[str, Facts] = {}
        for node in asked:
            self._turn(node)
            dataset = owners[node][0] if len(owners.get(node, ())) == 1 else None
            if dataset and (self._told or dataset not in known):
                known[dataset] = self._of(dataset)
            facts = known[dataset] if dataset else Facts()
            found[node] = facts._replace(source=self._source(described.get(node, ())))
        return found

    def _turn(self, node: str) -> None:
        if self._told:
            self._told(node)

    def _nearest(
        self, nodes: Iterable[str], is_wanted: Any, stops: frozenset[str] = frozenset()
    ) -> dict[str, list[str]]:
        """For each node, the first two wanted nodes that reach it in the fewest steps, or itself.

        Two tell as much as the ten thousand datasets of one publisher.
        """
        found: dict[str, list[str]] = {}
        levels = {node: [node] for node in nodes}
        seen = {node: {node} for node in levels}
        while levels:
            open_: set[str] = set()
            for node in list(levels):
                self._turn(node)
                if wanted := list(islice(filter(is_wanted, levels[node]), 2)):
                    found[node] = wanted
                    del levels[node]
                else:
                    open_.update(n for n in levels[node] if not self._types(n) & stops)
            if not levels:
                break
            above = self.data.referrers(open_)
            for node, level in list(levels.items()):
                self._turn(node)
                pairs = (pair for n in level for pair in above.get(n, ()))
                further = [s for s, p in pairs if p != TYPE and s not in seen[node]]
                levels[node] = list(dict.fromkeys(further))
                seen[node].update(further)
                if not further:
                    del levels[node]
        return found

    def _types(self, node: str) -> set[str]:
        return set(self.data.objects(node, TYPE))

    def _of(self, dataset: str) -> Facts:
        title = choose(self.data.objects(dataset, _TITLE), self.language)
        steward, owner = self.holder(dataset, "steward"), self.holder(dataset, "owner")
        return Facts(dataset, title, steward and self.name(steward), owner and self.name(owner))

    def holder(self, dataset: str, wanted: str) -> str | None:
        """Who holds a role at present (a term), or None; wanted: "owner" or "steward"."""
        for attribution in sorted(self.data.objects(dataset, _ATTRIBUTION)):
            roles = self.data.objects(attribution, ref(DCAT.hadRole))
            status = self.data.one(attribution, ref(ADMS.status))
            if in_force(map(plain, filter(None, [status]))) and any(
                local_name(plain(role)) == wanted for role in roles
            ):
                for agent in self.data.objects(attribution, ref(PROV.agent)):
                    return agent
        return None

    def name(self, agent: str) -> str:
        """How an agent is called, or its IRI."""
        found = (choose(self.data.objects(agent, p), self.language) for p in _NAMES)
        return next((name for name in found if name), plain(agent))

    def _source(self, described: Iterable[str]) -> dict[str, Any] | None:
        """File and line of a node, or of the nearest nodes that lead to it."""
        places = [self.line_of[node] for node in described]
        if not places:
            return {"file": self.file, "line": None} if self.file else None
        file, line = min(p if isinstance(p, tuple) else (self.file, p) for p in places)
        return {"file": file, "line": line}
