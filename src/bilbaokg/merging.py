"""Merging what sources say into records: pure steps from what stands to what shall stand."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from bilbaokg.errors import Invalid
from bilbaokg.model import Problem
from bilbaokg.terms import (
    AS,
    DCAT,
    DCT,
    PERSONS,
    RDF,
    XSD,
    Statement,
    literal,
    plain,
    ref,
    split_line,
    split_lines,
)

__all__ = [
    "Change",
    "Head",
    "Plan",
    "Said",
    "buried",
    "bury",
    "conflicts",
    "digest",
    "is_buried",
    "is_person",
    "merged",
    "own_lines",
    "speaking",
    "stop_changed_identifiers",
    "text_of",
    "title_of",
    "waiting",
]

_TYPE: Final = ref(RDF.type)
_TOMBSTONE: Final = ref(AS.Tombstone)
_DELETED: Final = ref(AS.deleted)
_TOMBSTONE_TERMS: Final = frozenset(map(ref, (AS.formerType, AS.deleted, DCT.isReplacedBy)))
_SINGLE: Final = frozenset(
    map(ref, (DCT.issued, DCT.modified, DCT.publisher, DCT.accrualPeriodicity, DCT.accessRights))
)
_IDENTIFIED: Final = tuple(map(ref, (DCAT.Dataset, DCAT.DatasetSeries, DCAT.DataService)))


def text_of(lines: Iterable[str]) -> str:
    """The exact text of a record: its distinct lines, sorted, each ended."""
    return "\n".join((*sorted(set(lines)), ""))


def digest(text: str) -> str:
    """The SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def title_of(iri: str, lines: Iterable[str]) -> str | None:
    """The title of a resource, in Spanish where it has one; None without any."""
    start = f"{ref(iri)} {ref(DCT.title)} "
    titles = [split_line(line).object for line in lines if line.startswith(start)]
    found = min(titles, key=lambda title: (not title.endswith("@es"), title), default=None)
    return plain(found) if found else None


@dataclass(slots=True)
class Said:
    """What one source last said of a record; held: the properties by which the store keeps it."""

    source: str
    text: str
    gone: bool = False
    held: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(slots=True)
class Head:
    """The present state of a record, as its history graph tells it."""

    id: str
    iri: str
    number: int = 0
    text: str = ""
    revision: str = ""
    said: dict[str, Said] = field(default_factory=dict)
    visibility: str | None = None

    @property
    def lines(self) -> list[str]:
        """The statements, sorted."""
        return split_lines(self.text)

    @property
    def deleted_here(self) -> bool:
        """Whether it is a tombstone that no source asked for."""
        words = (split_lines(said.text) for said in self.said.values())
        return is_buried(self.lines, self.iri) and not any(is_buried(w, self.iri) for w in words)


@dataclass(slots=True)
class Change:
    """One record's step from `head` to `text`; a new one may begin as `internal`."""

    head: Head
    text: str
    said: list[Said]
    internal: bool = False

    @property
    def kind(self) -> str:
        if not self.head.number:
            return "new"
        return "changed" if self.text != self.head.text else "unchanged"


@dataclass(slots=True)
class Plan:
    """What an import would do: nothing is written before `Records.commit`."""

    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0
    gone: list[str] = field(default_factory=list)
    rest: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Records by what happens to them: new, changed, unchanged, gone."""
        kinds = [change.kind for change in self.changes]
        return {
            "new": kinds.count("new"),
            "changed": kinds.count("changed"),
            "unchanged": self.unchanged,
            "gone": len(set(self.gone)),
        }

    def tell_gone(self, head: Head, source: str, *, still: Iterable[str]) -> None:
        """Note that a source no longer lists a record; `still` are the sources that do."""
        self.gone.append(head.id)
        others = ", ".join(sorted(still))
        self.problems.append(
            Problem(
                "info" if others else "warning",
                f"gone at its source {source}",
                focus=head.iri,
                title=title_of(head.iri, head.lines),
                hint=f"still described by {others}"
                if others
                else "it stays in the catalogue until it is deleted: bilbaokg delete IRI",
            )
        )

    def tell_buried(self, head: Head, source: str) -> None:
        """Note that a source still describes what was deleted here."""
        self.problems.append(
            Problem(
                "warning",
                f"it was deleted here, and {source} still describes it",
                focus=head.iri,
                hint="take it out there, or bring it back: bilbaokg restore IRI",
            )
        )


def merged(head: Head, now_said: Mapping[str, list[str]]) -> set[str]:
    """Merge by source: new = (old - what S said before) + what S says now, for every S."""
    before: set[str] = set()
    others: set[str] = set()
    for source, words in head.said.items():
        (before if source in now_said else others).update(split_lines(words.text))
    return (set(head.lines) - (before - others)).union(*now_said.values())


def waiting(plan: Plan, head: Head, now_said: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """What counts of the words about a record that was deleted here: only that it is deleted.

    Otherwise sources keep the words from before the deletion, and go on from there if it is
    brought back.
    """
    counting: dict[str, list[str]] = {}
    for source, words in sorted(now_said.items()):
        if is_buried(words, head.iri):
            counting[source] = words
            continue
        plan.tell_buried(head, source)
        if source in head.said:
            counting[source] = split_lines(head.said[source].text)
    return counting


def bury(before: Iterable[str], lines: set[str], iri: str) -> set[str]:
    """Where the record's subject became a tombstone, leave one for it and for each of its parts."""
    if not is_buried(lines, iri):
        return lines
    subject = ref(iri)
    kept = {line for line in lines if _is_tombstone(split_line(line))}
    deleted = next((s.object for s in map(split_line, kept) if s[:2] == (subject, _DELETED)), None)
    for part, _, type_ in (s for s in map(split_line, before) if s.predicate == _TYPE):
        # A blank node or a fragment of the record has no address of its own.
        own = "/.well-known/genid/" not in part and not part.startswith(f"{subject[:-1]}#")
        if part != subject and type_ != _TOMBSTONE and own:
            kept.add(f"{part} {_TYPE} {_TOMBSTONE} .")
            kept.add(f"{part} {ref(AS.formerType)} {type_} .")
            if deleted:
                kept.add(f"{part} {_DELETED} {deleted} .")
    return kept


def buried(head: Head, replaced_by: str | None, at: str) -> Change:
    """The step from a record to the tombstone of it and of its parts.

    replaced_by: the IRI of what took its place; at: when, as xsd:dateTime.
    """
    subject = ref(head.iri)
    lines = {
        *head.lines,
        f"{subject} {_TYPE} {_TOMBSTONE} .",
        f"{subject} {_DELETED} {literal(at, datatype=XSD.dateTime)} .",
    }
    lines |= {
        f"{subject} {ref(AS.formerType)} {o} ."
        for s, p, o in map(split_line, head.lines)
        if s == subject and p == _TYPE
    }
    if replaced_by:
        lines.add(f"{subject} {ref(DCT.isReplacedBy)} {ref(replaced_by)} .")
    return Change(head, text_of(bury(head.lines, lines, head.iri)), [])


def is_buried(lines: Iterable[str], iri: str) -> bool:
    """Whether a record's subject is a tombstone."""
    return f"<{iri}> {_TYPE} {_TOMBSTONE} ." in lines


def is_person(head: Head) -> bool:
    return any(f"<{head.iri}> {_TYPE} {cls} ." in head.lines for cls in PERSONS)


def _is_tombstone(statement: Statement) -> bool:
    return statement.predicate in _TOMBSTONE_TERMS or statement[1:] == (_TYPE, _TOMBSTONE)


def own_lines(iri: str, text: str) -> Iterator[str]:
    """The statements of a record's subject: they stand together, for its text is sorted."""
    begin = f"{ref(iri)} "
    start = 0 if text.startswith(begin) else text.find(f"\n{begin}") + 1
    while text.startswith(begin, start):
        end = text.index("\n", start)
        yield text[start:end]
        start = end + 1


def conflicts(iri: str, text: str, said: Mapping[str, Said]) -> list[Problem]:
    """Two values of a single-valued property of the record's subject, with who says which."""
    values: dict[str, set[str]] = {}
    for _, p, o in map(split_line, own_lines(iri, text)):
        if p in _SINGLE:
            values.setdefault(p, set()).add(o)
    problems = []
    for predicate, objects in sorted(values.items()):
        sayers = {o: _sayers(f"{ref(iri)} {predicate} {o} .", said) for o in sorted(objects)}
        # One source that says two values does not disagree with another: validation tells of it.
        if len(set(sayers.values())) > 1:
            who = "; ".join(f"{plain(o)} ({names})" for o, names in sayers.items())
            problems.append(
                Problem(
                    "warning",
                    f"sources disagree: {who}",
                    focus=iri,
                    title=title_of(iri, split_lines(text)),
                    path=predicate[1:-1],
                    hint="correct one of the sources and load it again",
                )
            )
    return problems


def speaking(said: Iterable[Said]) -> set[str]:
    """The names of the sources that still describe a record."""
    return {words.source for words in said if not words.gone}


def _sayers(line: str, said: Mapping[str, Said]) -> str:
    """The names of the sources that say a line."""
    return ", ".join(sorted(x.source for x in said.values() if line in x.text)) or "edited here"


def stop_changed_identifiers(plan: Plan) -> None:
    """dct:identifier is minted once: an import that would change one is stopped."""
    predicate = ref(DCT.identifier)
    for change in plan.changes:
        subject = ref(change.head.iri)
        both = change.head.text + change.text
        identified = any(f"{subject} {_TYPE} {cls} ." in both for cls in _IDENTIFIED)
        if not identified or is_buried(split_lines(change.text), change.head.iri):
            continue
        old, new = (
            {s.object for s in map(split_line, split_lines(text)) if s[:2] == (subject, predicate)}
            for text in (change.head.text, change.text)
        )
        if old and new != old:
            raise Invalid(
                f"its dct:identifier would change from {_list(old)} to {_list(new) or 'none'}",
                where=change.head.iri,
                hint="identifiers never change: mend the file, or give another dataset its own IRI",
            )


def _list(terms: Iterable[str]) -> str:
    return ", ".join(sorted(plain(term) for term in terms))
