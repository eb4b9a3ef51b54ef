"""What is known of each thing that pipelines tell of: telling it again or late changes nothing.

The state of a record `id` is a set of registers: a key, the time of the event that last said it,
and a text. The later event wins, whenever it arrives; of two at the same time the greater text. So
the outcome depends on what was said, not on the order in which it came. Registers are kept in the
graph G = `<base>/graph/lineage/{id}`, in the same atomic write as the record that follows of them:

    <G#{key, percent-encoded}> prov:generatedAtTime "time"^^xsd:dateTime ; prov:value "text"

A time is held in the store without a string of its own, so that seeing a table each hour costs
no space.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from bilbaokg.store import GraphChange
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import PROV, XSD, literal, ref

__all__ = ["PRUNED", "RESTART", "ROOT", "Register", "State", "States"]

PRUNED: Final = "pruned"
"""The one register of a run that was removed: when something was last told of it before."""
ROOT: Final = "root"
"""What a run or job is within for all that is known, while nobody tells its own parent."""
RESTART: Final = "state/RESTART"
"""When a run that had started before started last."""

_AT: Final = PROV.generatedAtTime
_VALUE: Final = PROV.value
_AT_TERM: Final = ref(_AT)
_VALUE_TERM: Final = ref(_VALUE)
_DATE_TIME: Final = str(XSD.dateTime)
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~/:-]*")
# States kept between batches: tables and jobs that are told of again and again.
_KEPT: Final = 20_000


class Register(NamedTuple):
    """When it was said (as in Event.at), and what."""

    at: str
    text: str


# What tells of a moment, and what is declared from then on: its time is part of what it says.
_TIMED: Final = frozenset({"facet/lifecycleStateChange", "static"})


class State:
    """The registers of one record. `changed` are the keys of which something new was said.

    That a text was said again is nothing new; a register without a text says its time.
    """

    __slots__ = ("before", "changed", "id", "registers")

    def __init__(self, id: str, registers: dict[str, Register]) -> None:
        self.id, self.registers = id, registers
        self.before: dict[str, Register | None] = {}
        self.changed: set[str] = set()

    def get(self, key: str) -> str | None:
        """The text of a register, None where there is none."""
        found = self.registers.get(key)
        return found.text if found else None

    @property
    def parent(self) -> str | None:
        """What a run or job is within."""
        return self.get("parent") or self.get(ROOT)

    @property
    def parent_before(self) -> str | None:
        """The same as it was before something new was said."""
        told = (self.before.get(key, self.registers.get(key)) for key in ("parent", ROOT))
        return next((register.text for register in told if register), None)

    def under(self, prefix: str) -> Iterator[tuple[str, Register]]:
        """The registers whose key begins so, by key; without the prefix."""
        found = sorted(key for key in self.registers if key.startswith(prefix))
        return ((key[len(prefix) :], self.registers[key]) for key in found)

    def put(self, key: str, at: str, text: str = "") -> None:
        """Say it: what was said later stands."""
        told, old = Register(at, text), self.registers.get(key)
        if old is None or told > old:
            self._write(key, told)

    def earliest(self, key: str, at: str) -> None:
        """Say that it was so at this time: the earliest one stands."""
        old = self.registers.get(key)
        if old is None or at < old.at:
            self._write(key, Register(at, ""))

    def once(self, key: str, at: str, text: str = "") -> None:
        """Say it where it was not said before."""
        if key not in self.registers:
            self._write(key, Register(at, text))

    def set(self, key: str, at: str, text: str) -> None:
        """Let a register be so, whatever stood there: it follows of others."""
        told = Register(at, text)
        if self.registers.get(key) != told:
            self._write(key, told)

    def drop(self, key: str) -> None:
        """Forget a register."""
        old = self.registers.pop(key, None)
        if old is not None:
            self.before.setdefault(key, old)
            self.changed.add(key)

    def changed_under(self, *prefixes: str) -> bool:
        """Whether something new was said under a key that begins so."""
        return any(key.startswith(prefixes) for key in self.changed)

    def _write(self, key: str, told: Register) -> None:
        old = self.registers.get(key)
        self.before.setdefault(key, old)
        if old is None or old.text != told.text or not told.text or key in _TIMED:
            self.changed.add(key)
        self.registers[key] = told


class States:
    """The states of one store, those in use kept in memory. Callers hold the write lock."""

    def __init__(self, store: EmbeddedStore, base: str) -> None:
        self.store = store
        self._graphs = f"{base}/graph/lineage/"
        self._kept: OrderedDict[str, State] = OrderedDict()
        self._touched: dict[str, State] = {}

    def graph(self, id: str) -> str:
        """The IRI of the graph that keeps the state of a record."""
        return f"{self._graphs}{id}"

    def of(self, id: str) -> State:
        """The state of a record; empty where nothing was told of it."""
        state = self._touched.get(id)
        if state is None:
            state = self._kept.pop(id, None) or State(id, self.read(id))
            self._touched[id] = state
        return state

    def read(self, id: str) -> dict[str, Register]:
        """The registers of a record as they are on disk."""
        prefix = f"{self.graph(id)}#"
        times: dict[str, str] = {}
        texts: dict[str, str] = {}
        for s, p, o in self.store.values(self.graph(id)):
            (times if p == _AT else texts)[unquote(s[len(prefix) :])] = o
        return {key: Register(_long(at), texts.get(key, "")) for key, at in times.items()}

    def changes(self) -> list[GraphChange]:
        """What writes all that was said since the last time."""
        written = (self._change(state) for state in self._touched.values())
        return [change for change in written if change.insert or change.delete]

    def _change(self, state: State) -> GraphChange:
        graph = self.graph(state.id)
        insert: list[str] = []
        delete: list[str] = []
        for key, old in state.before.items():
            node, new = f"<{graph}#{_fragment(key)}>", state.registers.get(key)
            for lines, here, there in ((delete, old, new), (insert, new, old)):
                if here is None:
                    continue
                if there is None or there.at != here.at:
                    lines.append(f'{node} {_AT_TERM} "{_short(here.at)}"^^<{_DATE_TIME}> .')
                if here.text and (there is None or there.text != here.text):
                    lines.append(f"{node} {_VALUE_TERM} {literal(here.text)} .")
        return GraphChange(graph, insert=insert, delete=delete)

    def saved(self) -> None:
        """Tell that the changes are on disk: what is in memory is what is there."""
        for state in self._touched.values():
            state.before, state.changed = {}, set()
            # Runs end and are not told of again.
            if state.registers and not state.id.startswith("run/"):
                self._kept[state.id] = state
        self._touched = {}
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    def forget(self) -> None:
        """Tell that the changes were not written, or that others wrote: read anew."""
        self._touched, self._kept = {}, OrderedDict()


def _fragment(key: str) -> str:
    """A key as it stands in an IRI; most are as they are."""
    return key if _PLAIN.fullmatch(key) else quote(key, safe="/:")


def _long(at: str) -> str:
    """A time as the store gives it, as long as all others."""
    seconds, _, fraction = at.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction:0<6}Z"


def _short(at: str) -> str:
    """A time as the store gives it: without the zeros at its end."""
    return f"{at.removesuffix('Z').rstrip('0').removesuffix('.')}Z"
