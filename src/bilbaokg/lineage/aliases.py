"""Which names are one table: as pipelines say it by links and renamings, as stewards correct it.

Names that are linked, however far round, are a group, and one of them is the main name, under whose
IRI the table is kept. Both follow of what was said, not of the order in which it came: of a group
the name is the main one that was told of first by the time of the events; of two at the same time
the one that told of the other; else the lesser text. A steward's words stand above: a name leads to
the table that it was said to be the same as, and that one is the main name; a name that was set
apart has none of the links that pipelines tell, then or later.

The registers are those of the state `names`; a and b are identifiers:

    link/{a}\\n{b}    since when pipelines say that a is called b as well
    link/{a}         the same of a, the text, and of the text the main name: as it was kept before
    steward/{a}      whose table a is, the text; its own where a is apart
    apart/{a}        a was set apart before it was said to be the same as another
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from bilbaokg.lineage.names import Name, table_id
from bilbaokg.lineage.states import State, States

__all__ = ["NAMES", "Aliases"]

NAMES: Final = "names"
_BETWEEN: Final = "\n"
# Sorts after every time: of a name that was linked and never told of.
_NEVER: Final = "~"


@dataclass(slots=True)
class _Links:
    """What the registers say, by identifier."""

    near: dict[str, set[str]] = field(default_factory=dict)
    """The names that a name is one with, by one step; each way."""
    others: set[str] = field(default_factory=set)
    """Those that another told of as its own."""
    leads: dict[str, str] = field(default_factory=dict)
    """The names that a steward said to be the same as another, and that other."""
    led_to: set[str] = field(default_factory=set)
    apart: set[str] = field(default_factory=set)

    def join(self, a: str, b: str) -> None:
        self.near.setdefault(a, set()).add(b)
        self.near.setdefault(b, set()).add(a)

    def link(self, a: str, b: str) -> None:
        """Join what a pipeline links, where no steward set one of both apart."""
        if a not in self.apart and b not in self.apart:
            self.join(a, b)
            self.others.add(b)


class Aliases:
    """The names of tables, resolved. Callers hold the write lock."""

    def __init__(self, states: States, base: str) -> None:
        self.states, self.base = states, base
        self._known: _Links | None = None
        self._groups: dict[str, tuple[Name, ...]] = {}
        self._mains: dict[str, Name] = {}

    @property
    def _state(self) -> State:
        return self.states.of(NAMES)

    @property
    def _links(self) -> _Links:
        if self._known is None:
            self._known = _read(self._state)
        return self._known

    def forget(self) -> None:
        """Resolve anew: the states were read anew, or a steward decided."""
        self._known = None
        self._groups.clear()
        self._mains.clear()

    # ---- asking

    def is_alone(self, name: Name) -> bool:
        """Whether a name is one with no other."""
        near = self._links.near
        return not near or name.identifier not in near

    def group(self, name: Name) -> Sequence[Name]:
        """All names of the table that a name is of, by identifier."""
        if self.is_alone(name):
            return (name,)
        found = self._groups.get(name.identifier)
        if found is None:
            reached = self._reached(name.identifier)
            found = tuple(map(Name.of, sorted(reached)))
            self._groups.update(dict.fromkeys(reached, found))
        return found

    def _reached(self, identifier: str) -> set[str]:
        reached, ahead = {identifier}, [identifier]
        while ahead:
            new = self._links.near[ahead.pop()] - reached
            reached |= new
            ahead += new
        return reached

    def main(self, name: Name) -> Name:
        """The name under which the table of a name is kept."""
        if self.is_alone(name):
            return name
        found = self._mains.get(name.identifier)
        if found is None:
            group = self.group(name)
            found = min(group, key=self._rank)
            self._mains.update((each.identifier, found) for each in group)
        return found

    def _rank(self, name: Name) -> tuple[bool, bool, str, bool, str]:
        links, identifier = self._links, name.identifier
        told = self.states.of(table_id(self.base, name)).registers.get(f"name/{identifier}")
        return (
            identifier in links.leads, identifier not in links.led_to,
            told.at if told else _NEVER, identifier in links.others, identifier,
        )  # fmt: skip

    def all(self) -> dict[str, tuple[str, str]]:
        """Identifier -> the one it leads to and who says so, "pipelines" or "steward"."""
        links = self._links
        found = {each: (each, "steward") for each in links.apart - links.leads.keys()}
        for identifier in links.near:
            main = self.main(Name.of(identifier)).identifier
            if identifier in links.leads:
                found[identifier] = (links.leads[identifier], "steward")
            elif main != identifier:
                found[identifier] = (main, "pipelines")
        return dict(sorted(found.items()))

    def links(self) -> Iterable[tuple[Name, Name, str]]:
        """What pipelines linked: a name, the other that it told of, and since when."""
        for key, told in self._state.under("link/"):
            a, _, b = key.partition(_BETWEEN)
            yield Name.of(a), Name.of(b or told.text), told.at

    # ---- saying

    def is_linked(self, name: Name, other: Name) -> bool:
        """Whether pipelines told before that a name has another."""
        return _link(name, other) in self._state.registers

    def link(self, name: Name, other: Name, at: str) -> None:
        """Let a name have another, as a pipeline says."""
        links, is_new = self._links, not self.is_linked(name, other)
        self._state.earliest(_link(name, other), at)
        if is_new:
            links.link(name.identifier, other.identifier)
            self._let_go([name, other])

    def tell(self, name: Name) -> None:
        """Note that a name was told of at an earlier time than was known."""
        if not self.is_alone(name):
            self._let_go([name])

    def decide(self, name: Name, to: Name, at: str) -> None:
        """Let a name lead to another, or to itself, as a steward says."""
        state, key = self._state, f"steward/{name.identifier}"
        if to != name:
            if state.get(key) == name.identifier:
                state.set(f"apart/{name.identifier}", at, "")
            if name.identifier in self._chain(to.identifier):
                state.drop(f"steward/{to.identifier}")
        state.set(key, at, to.identifier)
        self.forget()

    def _chain(self, identifier: str) -> list[str]:
        """Where a name leads to, step by step."""
        leads, found = self._links.leads, [identifier]
        while (identifier := leads.get(identifier, "")) and identifier not in found:
            found.append(identifier)
        return found

    def _let_go(self, names: Iterable[Name]) -> None:
        """Resolve the groups of these anew."""
        for name in names:
            for each in [name, *self._groups.get(name.identifier, ())]:
                self._groups.pop(each.identifier, None)
                self._mains.pop(each.identifier, None)


def _link(name: Name, other: Name) -> str:
    return f"link/{name.identifier}{_BETWEEN}{other.identifier}"


def _read(state: State) -> _Links:
    links, told = _Links(), []
    for key, register in state.registers.items():
        kind, _, identifier = key.partition("/")
        if kind == "link":
            a, _, b = identifier.partition(_BETWEEN)
            told.append((a, b) if b else (register.text, a))
        elif kind == "apart" or register.text == identifier:
            links.apart.add(identifier)
        else:
            links.leads[identifier] = register.text
    for a, b in links.leads.items():
        links.join(a, b)
        links.led_to.add(b)
    for a, b in told:
        links.link(a, b)
    return links
