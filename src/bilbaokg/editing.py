"""Editing one record: its new statements planned as an import would, for that record alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from bilbaokg.errors import Gone, Invalid
from bilbaokg.merging import Change, Head, Plan, is_buried, stop_changed_identifiers, text_of
from bilbaokg.partition import partition
from bilbaokg.records import Records
from bilbaokg.skolem import GENID
from bilbaokg.terms import plain, ref, split_line

__all__ = ["plan"]

_NODE: Final = re.compile(rf"(<[^<>]*{re.escape(GENID)}[0-9a-f]{{24}}-)(\d+)(-\d+>)")
_HERE: Final = "here"
_REST: Final = "rest/"
_TOLD: Final = 5


def plan(records: Records, id: str, lines: Iterable[str], *, merge: bool = False) -> Plan:
    """What replacing the text of a record by N-Triples lines would do, or adding them to it.

    Every new statement must belong to this record by the rules that divide what is loaded; what it
    holds already may stay. Raises Invalid naming what belongs elsewhere, or when the record would
    be left without its subject or with another identifier; Gone when it was deleted.
    """
    if id.startswith(_REST):
        raise Invalid("the rest of a source changes by loading that source alone", where=id)
    head = records.head(id) or Head(id, "")
    if is_buried(head.lines, head.iri):
        raise Gone("it was deleted", where=head.iri, hint="bring it back: bilbaokg restore IRI")
    wanted = _own_nodes(records, id, set(lines))
    if merge:
        wanted |= set(head.lines)
    head.iri = head.iri or _new_iri(records, id, wanted)
    _refuse_strangers(records, head, wanted)
    _refuse_headless(head, wanted)
    text = text_of(wanted)
    planned = Plan() if text == head.text else Plan(changes=[Change(head, text, [])])
    stop_changed_identifiers(planned)
    return planned


def _assigned(records: Records, lines: Iterable[str]) -> dict[str, tuple[str, list[str]]]:
    """Record id -> its IRI and the lines that belong to it."""
    said = {_HERE: sorted(lines)}
    found = partition(said, records.base, known=records.home, referrers=records.reaching)
    return {id: (found.iris[id], by[_HERE]) for id, by in found.records.items()}


def _new_iri(records: Records, id: str, lines: set[str]) -> str:
    """The IRI that a record with a new id would have."""
    found = _assigned(records, lines)
    if id in found:
        return found[id][0]
    ids = sorted(other for other in found if not other.startswith(_REST))
    raise Invalid(
        f"it describes nothing whose record would be {id}", where=records.graph(id),
        hint=f"it would be: {', '.join(ids[:_TOLD])}" if ids else "give its subject a class",
    )  # fmt: skip


def _refuse_strangers(records: Records, head: Head, lines: set[str]) -> None:
    """Raise where a statement that is new here belongs to another record, or to none."""
    present = set(head.lines)
    found = _assigned(records, lines)
    strange = {
        other: sorted({split_line(line).subject for line in said if line not in present})
        for other, (_, said) in found.items()
        if other != head.id
    }
    for other, subjects in sorted(strange.items()):
        if not subjects:
            continue
        named = ", ".join(map(plain, subjects[:_TOLD]))
        if other.startswith(_REST):
            raise Invalid(
                f"nothing in the record leads to {named}", where=head.iri,
                hint="refer to it from the record, or leave it out",
            )  # fmt: skip
        raise Invalid(
            f"statements about {named} belong to another record", where=head.iri,
            hint=f"send them to the graph {records.graph(other)}",
        )  # fmt: skip


def _refuse_headless(head: Head, lines: set[str]) -> None:
    """Raise where nothing is said of the record's subject, or that it is deleted."""
    if is_buried(lines, head.iri):
        raise Invalid("a tombstone is made by deleting", where=head.iri, hint="send a DELETE")
    if not any(line.startswith(f"{ref(head.iri)} ") for line in lines):
        raise Invalid(
            f"nothing is said of {head.iri}", where=head.iri, hint="to delete it, send a DELETE"
        )


def _own_nodes(records: Records, id: str, lines: set[str]) -> set[str]:
    """The lines, the blank nodes that they describe told from equal ones of other records.

    They are named by their content and the number of a twin (`skolem.py`): theirs is the first that
    no other record has.
    """
    described = filter(None, (_NODE.match(line) for line in lines))
    groups = {(found[1], int(found[2])) for found in described}
    names: dict[tuple[str, int], int] = {}
    for prefix, number in sorted(groups):
        twin, taken = number, {*groups, *((p, n) for (p, _), n in names.items())}
        while _is_foreign(records, id, f"{prefix}{twin}-0>") or (
            twin != number and (prefix, twin) in taken
        ):
            twin += 1
        names[prefix, number] = twin

    def rename(found: re.Match[str]) -> str:
        group = found[1], int(found[2])
        return f"{found[1]}{names.get(group, group[1])}{found[3]}"

    return {_NODE.sub(rename, line) for line in lines}


def _is_foreign(records: Records, id: str, node: str) -> bool:
    """Whether another record holds a blank node (its skolem IRI, as a term)."""
    home = records.home(node)
    return home is not None and home.id != id
