"""Which names are one table: as pipelines say it by links and renamings, as stewards correct it.

The registers are those of the state `names`: `steward/{identifier}` and `link/{identifier}` hold
the identifier of the name whose table it is. What a steward said stands whatever is told later: to
be the same as another, or, where a name leads to itself, to be apart from all others.
"""

from __future__ import annotations

from typing import Final

from bilbaokg.lineage.names import Name
from bilbaokg.lineage.states import State, States

__all__ = ["NAMES", "Aliases"]

NAMES: Final = "names"
_MOST_STEPS: Final = 20


class Aliases:
    """The names of tables, resolved. Callers hold the write lock."""

    def __init__(self, states: States) -> None:
        self.states = states

    @property
    def _state(self) -> State:
        return self.states.of(NAMES)

    def main(self, name: Name) -> Name:
        """The name under which the table of a name is kept."""
        state, found = self._state, name.identifier
        for _ in range(_MOST_STEPS):
            leads = state.get(f"steward/{found}") or state.get(f"link/{found}")
            if not leads or leads == found:
                break
            found = leads
        return name if found == name.identifier else Name.of(found)

    def is_pinned(self, name: Name) -> bool:
        """Whether a steward decided about a name."""
        return self._state.get(f"steward/{name.identifier}") is not None

    def all(self) -> dict[str, tuple[str, str]]:
        """Identifier -> the one it leads to and who says so, "pipelines" or "steward"."""
        told = {name: (to.text, "pipelines") for name, to in self._state.under("link/")}
        decided = {name: (to.text, "steward") for name, to in self._state.under("steward/")}
        return dict(sorted({**told, **decided}.items()))

    def link(self, name: Name, to: Name, at: str) -> None:
        """Let a name lead to another, as a pipeline says."""
        self._state.put(f"link/{name.identifier}", at, to.identifier)

    def decide(self, name: Name, to: Name, at: str) -> None:
        """Let a name lead to another, or to itself, as a steward says."""
        self._state.put(f"steward/{name.identifier}", at, to.identifier)
