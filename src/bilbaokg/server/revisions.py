"""What changed in a record from one public release to the next: its history for everybody.

Only releases that were public and were not taken back count, as `history.py` has them. Statements
are compared by what they say: a nameless node counts as what is said of it, whatever its label.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from bilbaokg import index
from bilbaokg.errors import NotFound
from bilbaokg.index import Index, Piece, Text
from bilbaokg.server.described import Described, Writer
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import (
    Action,
    Difference,
    Edition,
    HistoryPage,
    PartChange,
    Side,
    Value,
)
from bilbaokg.skolem import GENID
from bilbaokg.terms import RDF, language_of, plain, ref

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = ["history"]

# Releases that one page looks through, and what it shows of one of them.
_RELEASES: Final = 50
_PARTS: Final = 40
_WORDS: Final = 600
_WORD: Final = re.compile(r"\s*(?:\w+|[^\w\s])|\s+")
# Texts that share less than this are shown whole.
_ALIKE: Final = 0.4
_DEPTH: Final = 4

Content = Any
"""What a term says, for comparing: the term itself, or the set of what is said of a nameless
node."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A release that is kept, when it became public, and the text of the record in it: None where
    it is not there, "" where it was deleted."""

    id: str
    at: str
    note: str
    known: Index
    text: str | None


@dataclass(frozen=True, slots=True)
class _Line:
    """Releases, oldest first; `whole` says that the record cannot have been in an older one."""

    seen: list[_Seen]
    whole: bool


def history(context: Context, reader: Reader, id: str, before: str = "") -> HistoryPage | None:
    """The page of a record by its id; None where no release has it.

    before: only releases older than this one are looked through.
    """
    line = _line(context, id, before)
    holders = [seen.known for seen in reversed(line.seen) if seen.text is not None]
    if not holders:
        return None
    reader.earlier = holders
    iri, href = holders[0].iri(id), reader.site.url(f"/{quote(id)}")
    shown = line.seen[-_RELEASES:]
    earlier = f"{href}/history?{urlencode({'before': shown[0].id})}"
    return HistoryPage(
        iri=iri,
        kind=id.partition("/")[0],
        title=reader.name(iri),
        present=href,
        editions=list(_editions(reader, id, iri, line))[::-1],
        releases=len(shown),
        earlier=Action(shown[0].id, earlier, "next") if len(line.seen) > _RELEASES else None,
    )


def _line(context: Context, id: str, before: str) -> _Line:
    """The last public releases that are kept, with one more than a page looks through."""
    times: dict[str, str] = {}
    for switch in context.releases.history():
        times.setdefault(switch.id, switch.at)
    standing = list(context.releases.standing())
    end = standing.index(before) if before in standing else len(standing)
    kept = set(context.releases.ids())
    chosen = [name for name in standing[:end] if name in kept][-_RELEASES - 1 :]
    seen = [_seen(context, id, name, times[name]) for name in chosen]
    return _Line(seen, whole=chosen[:1] == standing[:1])


def _seen(context: Context, id: str, name: str, at: str) -> _Seen:
    release = context.releases.get(name)
    known = index.of(release, context.cache)
    try:
        text = "" if known.is_gone(id) else known.text(id)
    except NotFound:
        text = None
    return _Seen(name, at, release.manifest["build"]["note"], known, text)


def _editions(reader: Reader, id: str, iri: str, line: _Line) -> Iterator[Edition]:
    """The releases in which the record is not what it was before, oldest first."""
    was, ever = None, False
    for number, now in enumerate(line.seen):
        state = _state(was, now, ever, line.whole)
        # The oldest of a full line is there to compare with.
        if state and not (number == 0 and len(line.seen) > _RELEASES):
            yield _edition(reader, id, iri, state, was, now)
        was, ever = now, ever or bool(now.text)


def _state(was: _Seen | None, now: _Seen, ever: bool, whole: bool) -> str:
    """What became of the record in a release; "" where nothing did."""
    if not now.text:
        gone = "withdrawn" if now.text is not None else "absent"
        return gone if was and was.text else ""
    if was is None:
        return "first" if whole else "unknown"
    if not was.text:
        return "returned" if ever or was.text is not None else "first"
    return "changed" if was.text != now.text else ""


def _edition(
    reader: Reader, id: str, iri: str, state: str, was: _Seen | None, now: _Seen
) -> Edition:
    site = reader.site
    parts: list[PartChange] = []
    if state == "changed" and was and was.text and now.text:
        parts = _Comparison(reader, was.text, now.text).parts(ref(iri))
    return Edition(
        state=state,
        release=Value(Text(now.id, ""), site.url(f"/releases/{now.id}")),
        at=now.at,
        note=now.note,
        shown=site.at(now.id, site.url(f"/{quote(id)}")) if now.text else None,
        parts=parts[:_PARTS],
        hidden=max(0, len(parts) - _PARTS),
    )


# ---- what differs between two texts


@dataclass
class _Version:
    """A record at one time, as what its terms say."""

    record: Described
    writer: Writer
    _contents: dict[str, Content] = field(default_factory=dict)

    def content(self, term: str, depth: int = 0) -> Content:
        """What a term says."""
        if GENID not in term or term not in self.record.subjects or depth > _DEPTH:
            return term
        if term not in self._contents:
            held = self.record.of(term)
            self._contents[term] = frozenset(
                (p, self.content(o, depth + 1)) for p, objects in held.items() for o in objects
            )
        return self._contents[term]

    def tops(self) -> dict[Content, str]:
        """The subjects that stand by themselves: those with a name, and nameless ones that no other
        subject holds, by what they say."""
        held = {o for said in self.record.subjects.values() for os in said.values() for o in os}
        free = (s for s in self.record.subjects if GENID not in s or s not in held)
        return {self.content(subject): subject for subject in free}


class _Comparison:
    """Two texts of one record, for one reader."""

    def __init__(self, reader: Reader, before: str, after: str) -> None:
        self.reader = reader
        self.old, self.new = (
            _Version(record, Writer(record, reader)) for record in map(Described, (before, after))
        )

    def parts(self, root: str) -> list[PartChange]:
        """What differs: of the record itself first, then of its parts, by name."""
        old, new = self.old.tops(), self.new.tops()
        named = {key for key in old.keys() & new.keys() if isinstance(key, str)}
        found = [
            self._part(root, old.get(key), new.get(key), "changed" if key in named else state)
            for keys, state in (
                (named, "changed"),
                (new.keys() - old.keys(), "new"),
                (old.keys() - new.keys(), "gone"),
            )
            for key in keys
        ]
        told = [part for part in found if part.properties]
        return sorted(told, key=lambda part: (part.title is not None, _title(part).casefold()))

    def _part(self, root: str, old: str | None, new: str | None, state: str) -> PartChange:
        before = self.old.record.of(old) if old else {}
        after = self.new.record.of(new) if new else {}
        subject, types = new or old or root, (after or before).get(ref(RDF.type), ())
        kind = self.reader.name(plain(types[0])) if types else None
        name = None if subject == root else self._name(subject, kind)
        differences = (
            self._difference(p, before.get(p, ()), after.get(p, ()))
            for p in before.keys() | after.keys()
        )
        told = [d for d in differences if d.before or d.after]
        told.sort(key=lambda d: d.name.text.text.casefold())
        return PartChange(name, kind, state, told)

    def _name(self, subject: str, kind: Text | None) -> Value:
        """A part by its name; a nameless one by its class."""
        return Value(kind) if kind and GENID in subject else self.reader.iri(plain(subject))

    def _difference(
        self, predicate: str, before: Iterable[str], after: Iterable[str]
    ) -> Difference:
        """One property with the values that went and came."""
        old = {self.old.content(o): o for o in before}
        new = {self.new.content(o): o for o in after}
        gone = self._ordered(term for key, term in old.items() if key not in new)
        come = self._ordered(term for key, term in new.items() if key not in old)
        marks = _marks(gone, come)
        return Difference(
            name=self.reader.iri(plain(predicate)),
            before=[Side(self.old.writer.value(t), marks.get(t, ((), ()))[0]) for t in gone],
            after=[Side(self.new.writer.value(t), marks.get(t, ((), ()))[1]) for t in come],
            kept=len(old.keys() & new.keys()),
        )

    def _ordered(self, terms: Iterable[str]) -> list[str]:
        """Texts in the reader's language first."""
        return sorted(terms, key=lambda t: (language_of(t) not in (self.reader.lang, None), t))


def _title(part: PartChange) -> str:
    return part.title.text.text if part.title else ""


Marks = tuple[Sequence[Piece], Sequence[Piece]]


def _marks(gone: Sequence[str], come: Sequence[str]) -> dict[str, Marks]:
    """Texts of one language of which one went and one came, with the words that differ marked."""
    pairs: dict[str | None, tuple[list[str], list[str]]] = {}
    for side, terms in enumerate((gone, come)):
        for term in terms:
            if term.startswith('"') and not term.endswith(">"):
                pairs.setdefault(language_of(term), ([], []))[side].append(term)
    found: dict[str, Marks] = {}
    for old, new in pairs.values():
        if len(old) == len(new) == 1 and (marks := _words(plain(old[0]), plain(new[0]))):
            found[old[0]] = found[new[0]] = marks
    return found


def _words(old: str, new: str) -> Marks | None:
    """Both texts in pieces, those marked that the other lacks; None where little is alike."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    if max(len(before), len(after)) > _WORDS:
        return None
    matcher = difflib.SequenceMatcher(None, before, after)
    if matcher.ratio() < _ALIKE:
        return None
    steps = matcher.get_opcodes()
    return (
        [Piece("".join(before[i:j]), tag != "equal") for tag, i, j, _, _ in steps if i < j],
        [Piece("".join(after[i:j]), tag != "equal") for tag, _, _, i, j in steps if i < j],
    )
