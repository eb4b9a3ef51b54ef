"""What is asked of the lineage page: a thing, how far, what to open further, what to leave out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from bilbaokg.lineage import DIRECTIONS, Graph
from bilbaokg.lineage.walking import Step, Walk
from bilbaokg.server.paging import page_number

__all__ = ["Asked"]

_USUAL: Final = 2
_MOST: Final = 100_000
_EXPANDED: Final = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form asks: the thing, how many hops (None: all), and what to leave out.

    `expand` names things that are shown with one hop more, by direction.
    """

    iri: str
    hops: Mapping[str, int | None]
    expand: Mapping[str, tuple[str, ...]]
    pages: Mapping[str, int]
    level: str = ""
    area: str = ""
    to: str = ""

    @classmethod
    def of(cls, params: QueryParams) -> Asked:
        """Reads parameters; nonsense counts as not said."""
        text = {name: params.get(name, "").strip() for name in ("iri", "level", "area", "to")}
        expand = {d: dict.fromkeys(params.getlist(f"expand_{d}")) for d in DIRECTIONS}
        return cls(
            hops={d: _depth(params.get(d, "")) for d in DIRECTIONS},
            expand={d: tuple(iris)[:_EXPANDED] for d, iris in expand.items()},
            pages={d: page_number(params.get(f"{d}_page")) for d in DIRECTIONS},
            **text,
        )

    def link(self, **changes: object) -> str:
        """The parameters of a like question."""
        held: dict[str, object] = {
            "iri": self.iri,
            **{d: "all" if n is None else str(n) for d, n in self.hops.items()},
            **{f"expand_{d}": iris for d, iris in self.expand.items()},
            **{"level": self.level, "area": self.area, "to": self.to},
        }
        return urlencode(
            {name: value for name, value in {**held, **changes}.items() if value}, doseq=True
        )

    def elsewhere(self, iri: str) -> str:
        """The parameters of the same depths around another thing."""
        nothing = {f"expand_{d}": () for d in DIRECTIONS}
        return self.link(iri=iri, to="", level="", area="", **nothing)

    def toggled(self, iri: str, direction: str) -> str:
        """The parameters of this question with one more thing expanded, or with it folded again."""
        held = self.expand[direction]
        changed = tuple(i for i in held if i != iri) if iri in held else (*held, iri)
        return self.link(**{f"expand_{direction}": changed})

    def walk(self, graph: Graph, direction: str) -> Walk:
        """What is reached one way, with one hop more from what is expanded."""
        walk = graph.walk(self.iri, direction, self.hops[direction], _MOST)
        hops = {self.iri: 0, **{step.iri: step.hops for step in walk.steps}}
        for iri in self.expand[direction]:
            if iri not in hops:
                continue
            for step in graph.walk(iri, direction, 1, _MOST).steps:
                if step.iri not in hops:
                    hops[step.iri] = hops[iri] + 1
                    walk.steps.append(Step(step.iri, hops[step.iri], iri))
        return walk


def _depth(text: str) -> int | None:
    if text == "all":
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 else _USUAL
