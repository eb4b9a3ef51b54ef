"""What was told of tables: kept by the name under which it was told, seen by table.

The state of each name is its own, so that names may prove to be one table, or to be two, at any
time: what was told under each is put together anew, and of each register the latest word stands, as
if all had been told under one name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bilbaokg.lineage.aliases import Aliases
from bilbaokg.lineage.names import Name, table_id, table_iri
from bilbaokg.lineage.states import Register, State, States
from bilbaokg.terms import mint

__all__ = ["Tables", "called"]

_MOST_MINTED: Final = 100_000
# A name that was told of; one that only others spoke of, as that of a table they come from.
_NAMED: Final = ("name", "spoken")


def called(base: str, state: State) -> Name | None:
    """The name under which it was told what a state holds; None where nothing was."""
    for key in state.registers:
        kind, _, identifier = key.partition("/")
        if kind in _NAMED and table_id(base, name := Name.of(identifier)) == state.id:
            return name
    return None


class Tables:
    """The tables of one store. Callers hold the write lock."""

    def __init__(self, states: States, aliases: Aliases, base: str) -> None:
        self.states, self.aliases, self.base = states, aliases, base
        self._minted: dict[Name, str] = {}
        self._told: dict[Name, State] = {}

    def forget(self) -> None:
        """Resolve names anew."""
        self._minted.clear()
        self._told.clear()

    def settle(self) -> None:
        """See what was told anew, the names being as they were."""
        self._told.clear()
        if len(self._minted) > _MOST_MINTED:
            self._minted.clear()

    def iri(self, name: Name) -> str:
        """The IRI of the table that has this name."""
        found = self._minted.get(name)
        if found is None:
            found = self._minted[name] = table_iri(self.base, self.aliases.main(name))
        return found

    def id(self, name: Name) -> str:
        """The id of its record."""
        return table_id(self.base, self.aliases.main(name))

    def own(self, name: Name) -> State:
        """What was told under a name itself; to be changed."""
        return self.states.of(table_id(self.base, name))

    def told(self, name: Name) -> State:
        """What was told of the table that has this name, under all its names; not to be changed."""
        group = self.aliases.group(name)
        if len(group) == 1:
            return self.own(name)
        main = self.aliases.main(name)
        found = self._told.get(main)
        if found is None:
            found = self._told[main] = State(table_id(self.base, main), self._together(group))
        return found

    def _together(self, group: Sequence[Name]) -> dict[str, Register]:
        registers: dict[str, Register] = {}
        for name in group:
            for key, told in self.own(name).registers.items():
                old = registers.get(key)
                if old is None or told > old:
                    registers[key] = told
        return registers

    def called(self, id: str) -> Name | None:
        """The name of which the id of a record was made; None where nothing was told under it."""
        return called(self.base, self.states.of(id))

    def iri_of(self, id: str) -> str:
        """The IRI that a record has."""
        return mint(self.base, *id.split("/", 1))
