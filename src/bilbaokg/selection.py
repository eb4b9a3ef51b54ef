"""What a release would hold: the public records that pass the gate; what is left out, and why."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from bilbaokg import elsewhere, governance, wording
from bilbaokg.bundle import Bundle
from bilbaokg.errors import GateRefused, Invalid
from bilbaokg.gaps import counted
from bilbaokg.merging import text_of, title_of
from bilbaokg.model import Problem, Record, Report
from bilbaokg.settings import Settings
from bilbaokg.terms import BINDING, RDF, Statement, plain, ref, split_line, split_lines

__all__ = ["DANGLING", "Check", "Content", "HeldBack", "Rule", "choose", "select"]

DANGLING: Final = "Dangling"
"""The component of the rule that a release points to nothing that it does not hold."""

_TYPE: Final = ref(RDF.type)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a record failed, in terms of the profile and with nothing of the record.

    `shape` is None where the shape has no IRI; `path` is a property or None.
    """

    component: str
    shape: str | None
    path: str | None


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A record that was left out, for the operator: its title and the reason name it."""

    id: str
    iri: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Reason:
    text: str
    rule: Rule


@dataclass(slots=True)
class Content:
    """What a release would hold: public records with their released text, and what was left out.

    `report` is about these records alone. `withheld` are the terms that the working store
    describes and these records do not: they may not leave.
    """

    records: Collection[Record]
    cut: Counter[str] = field(default_factory=Counter)
    held_back: list[HeldBack] = field(default_factory=list)
    failed: Counter[Rule] = field(default_factory=Counter)
    report: Report | None = None
    withheld: frozenset[str] = frozenset()

    def lines(self) -> Iterable[str]:
        """All statements, record by record."""
        return (line for record in self.records for line in split_lines(record.text))

    def rules(self) -> list[dict[str, Any]]:
        """By which rule how many records were left out: all that the public learns of them."""
        rows = [asdict(rule) | {"count": count} for rule, count in self.failed.items()]
        return sorted(rows, key=lambda row: (-row["count"], *map(str, row.values())))


Check = Callable[[Content], Report]


def choose(
    records: Iterable[Record],
    check: Check | None,
    settings: Settings,
    *,
    hold_back: bool,
    waive: str | None,
    directory: Path | None = None,
    language: str = "es",
) -> Content:
    """What the release holds after the gate. Raises GateRefused with the report, Invalid.

    `directory` is where texts are kept meanwhile; `language` is that of the reasons. What is held
    back takes its findings with it: the report that stays is of what is left.
    """
    everything = Bundle(records, directory)
    held: dict[str, _Reason] = {}
    first: Report | None = None
    while True:
        if hold_back:
            held |= _pointing(everything, settings, held, language)
        content = select(everything, settings, held, directory)
        if not content.records:
            raise _nothing(held)
        if check is None:
            return content
        report = content.report = check(content)
        first = first or report
        if not report.blocks_release or waive:
            return content
        failing = _failing(report, content.records)
        if not hold_back or not failing:
            raise _refused(report, "mend them, or build with --hold-back or --waive REASON")
        held |= failing
        if not any(_is_listed(r) and r.id not in held for r in content.records):
            raise _refused(first, "holding back would leave no dataset: mend them, or --waive")


def select(
    records: Collection[Record],
    settings: Settings,
    held: Mapping[str, _Reason] | None = None,
    directory: Path | None = None,
) -> Content:
    """The public records with their released text, without those held back (by id).

    Raises Invalid when a record left out is named by a servesDataset, inSeries or publisher.
    """
    everything, held = records, held or {}
    known = governance.people(everything)
    inside = {r.id for r in everything if r.visibility == "public" and r.id not in held}
    inside -= _unasked(everything, inside)
    out = _terms_of(everything, inside, settings.base)
    others = {ref(r.iri) for r in everything if r.id not in inside}
    cut: Counter[str] = Counter()
    dangling: list[Statement] = []

    def released() -> Iterator[Record]:
        for record in everything:
            if record.id in inside:
                dangling.extend(_dangling(record.text, out))
                lines, gone = governance.public_lines(
                    record, known, out, settings.namespace, others
                )
                cut.update(gone)
                yield from _with(record, lines)

    chosen = Bundle(released(), directory)
    if not dangling:
        chosen, withheld = _closed(chosen, everything, cut, dangling, settings.base, directory)
    if dangling:
        raise Invalid(
            "the release would point to what it does not hold: "
            + "; ".join(map(_text, dangling[:5])),
            hint="name the body instead of the person: persons are never released"
            if any(s.object in known.persons for s in dangling)
            else "make the record public, mend it, or hold back what points to it",
        )
    content = Content(chosen, cut, withheld=withheld)
    content.held_back = [
        HeldBack(r.id, r.iri, title_of(r.iri, split_lines(r.text)) or r.iri, held[r.id].text)
        for r in sorted((r for r in everything if r.id in held), key=lambda r: r.id)
    ]
    content.failed.update(reason.rule for reason in held.values())
    return content


def _unasked(records: Collection[Record], inside: Set[str]) -> set[str]:
    """The ids of words about things elsewhere that nothing inside leads to, or that are ours: what
    they speak of would show what is not public."""
    about = {r.id: thing for r in records if (thing := elsewhere.thing_of(r))}
    if not about:
        return set()
    things = set(about.values())
    named = {
        object_
        for record in records
        if record.id in inside and record.id not in about
        for object_ in (split_line(line).object for line in split_lines(record.text))
        if object_ in things
    }
    ours = {ref(record.iri) for record in records}
    return {id for id, thing in about.items() if thing not in named or thing in ours}


def _with(record: Record, lines: list[str]) -> Iterator[Record]:
    """The record with these lines; nothing where there are none."""
    if lines:
        text = text_of(lines)
        yield replace(record, text=text, revision=hashlib.sha256(text.encode()).hexdigest())


def _subjects(record: Record) -> set[str]:
    """What a record describes, and the record itself."""
    return {ref(record.iri), *(line.partition(" ")[0] for line in split_lines(record.text))}


def _named(object_: str, ours: str) -> set[str]:
    """What a value points to, and of an IRI of ours what it is a fragment of."""
    term = governance.pointed(object_)
    return {term, f"{term[:-1].partition('#')[0]}>"} if term.startswith(ours) else {term}


def _closed(
    chosen: Bundle,
    everything: Collection[Record],
    cut: Counter[str],
    dangling: list[Statement],
    base: str,
    directory: Path | None,
) -> tuple[Bundle, frozenset[str]]:
    """The records without statements that point to what is described in none of them, but is known.

    What a cut takes away may be the last that was said of a node, so it is done until nothing more
    is cut. Returns with it the terms that are not in them; adds what may not be cut and dangles.
    """
    ours = f"<{base}/id/"
    # Of the many terms of a catalogue only hashes are held.
    known = {hash(term) for record in everything for term in _subjects(record)}
    while True:
        left = known.difference(hash(term) for r in chosen for term in _subjects(r))
        withheld = frozenset(
            term
            for r in (everything if left else ())
            for term in _subjects(r)
            if hash(term) in left
        )
        before = cut.total()

        def trimmed(
            chosen: Bundle = chosen, withheld: frozenset[str] = withheld
        ) -> Iterator[Record]:
            for record in chosen:
                statements = map(split_line, split_lines(record.text))
                gone = {s.line: s for s in statements if _named(s.object, ours) & withheld}
                cut.update(plain(s.predicate) for s in gone.values())
                dangling.extend(s for s in gone.values() if s.predicate in BINDING)
                lines = [line for line in split_lines(record.text) if line not in gone]
                yield from _with(record, lines) if gone else (record,)

        if withheld:
            chosen = Bundle(trimmed(), directory)
        if cut.total() == before:
            return chosen, withheld


def _pointing(
    everything: Collection[Record], settings: Settings, held: Mapping[str, _Reason], language: str
) -> dict[str, _Reason]:
    """What would point to what is held back, and so must be held back too."""
    found: dict[str, _Reason] = {}
    while True:
        left = {*held, *found}
        inside = {r.id for r in everything if r.visibility == "public" and r.id not in left}
        out = _terms_of(everything, inside, settings.base)
        more = {
            r.id: _lost(statements[0], language)
            for r in everything
            if r.id in inside and (statements := _dangling(r.text, out))
        }
        if not more:
            return found
        found |= more


def _lost(statement: Statement, language: str) -> _Reason:
    """Why a record is held back whose statement points to what the release does not hold."""
    path = plain(statement.predicate)
    named = wording.term(path, language)
    words = {"property": named[0] if named else path, "object": plain(statement.object)}
    return _Reason(wording.say("held.dangling", language, **words), Rule(DANGLING, None, path))


def _terms_of(records: Collection[Record], inside: set[str], base: str) -> frozenset[str]:
    """Terms that the release does not describe: subjects of the records that are not inside, and
    what a record must point to, bears an IRI of ours, and no record describes.
    """
    iris = {ref(r.iri): r.id for r in records}
    out: set[str] = set()
    wanted: set[str] = set()
    for record in records:
        statements = [split_line(line) for line in split_lines(record.text)]
        wanted |= {s.object for s in statements if s.predicate in BINDING}
        if record.id not in inside:
            out |= {s.subject for s in statements if iris.get(s.subject, record.id) == record.id}
            out.add(ref(record.iri))
    wanted = {term for term in wanted if term.startswith(f"<{base}/id/")}
    for record in records if wanted else ():
        wanted.difference_update(line.partition(" ")[0] for line in split_lines(record.text))
    return frozenset(out | wanted)


def _dangling(text: str, out: frozenset[str]) -> list[Statement]:
    return [
        s for s in map(split_line, split_lines(text)) if s.predicate in BINDING and s.object in out
    ]


def _text(statement: Statement) -> str:
    return f"{statement.subject} {plain(statement.predicate)} {statement.object}"


def _nothing(held: Mapping[str, _Reason]) -> Invalid:
    why = next((reason.text for reason in held.values()), "")
    hint = f"all of it would be held back: {why}" if why else "load a catalogue first"
    return Invalid("there is nothing to release", hint=hint)


def _refused(report: Report, hint: str) -> GateRefused:
    blocking = sum(result.severity in report.gate for result in report.results)
    stop = "stops" if blocking == 1 else "stop"
    what = f"{counted(blocking, 'finding')} {stop} the release"
    return GateRefused(what, hint=hint, report=report.as_dict())


def _is_listed(record: Record) -> bool:
    return record.id.partition("/")[0] in ("dataset", "series", "service")


def _failing(report: Report, records: Iterable[Record]) -> dict[str, _Reason]:
    """Record id -> reason, for each record that holds the focus of a blocking result."""
    by_focus: dict[str, Problem] = {}
    for result in report.results:
        if result.severity in report.gate and result.focus:
            by_focus.setdefault(result.focus, result)
    failing: dict[str, _Reason] = {}
    for record in records:
        roots = {record.iri} | {
            plain(line.partition(" ")[0])
            for line in split_lines(record.text)
            if f" {_TYPE} " in line
        }
        for focus in sorted(roots & by_focus.keys()):
            failing.setdefault(record.id, _reason(by_focus[focus]))
    return failing


def _reason(problem: Problem) -> _Reason:
    shape = problem.shape if problem.shape and not problem.shape.startswith("_:") else None
    return _Reason(problem.message, Rule(problem.component or "", shape, problem.path))
