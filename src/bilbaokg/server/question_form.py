"""What is asked of the lineage: the questions, what each has to be told, and what was told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from bilbaokg.index import Row, find
from bilbaokg.lineage import DIRECTIONS
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import Choice, QuestionField
from bilbaokg.terms import is_iri

__all__ = ["QUESTIONS", "Asked", "Wrong", "fields", "understood"]

_MOST_HOPS: Final = 1000
_MEANT: Final = 12
_LONGEST: Final = 4000
_KINDS: Final = {
    "iri": "thing", "to": "thing", "hops": "hops", "exactly": "tick", "direction": "end",
    "since": "moment", "until": "moment",
}  # fmt: skip
QUESTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "agree": ("iri",),
    "spoiled": ("iri",),
    "upstream": ("iri", "hops", "exactly"),
    "downstream": ("iri", "hops", "exactly"),
    "path": ("iri", "to"),
    "changed": ("since", "until"),
    "duties": ("iri",),
    "coverage": (),
    "ends": ("direction",),
    "circles": (),
    "dead-ends": (),
}
"""The questions in the order in which they are offered, by the names that they have over HTTP, with
what each has to be told."""
_REQUIRED: Final = {
    "upstream": ("iri",), "downstream": ("iri",), "path": ("iri", "to"), "agree": ("iri",),
    "changed": ("since", "until"),
}  # fmt: skip
# Of what kinds of records a question can be asked; otherwise of what has lineage.
_OF: Final = {
    "agree": ("dataset", "table", "column", "distribution"),
    "spoiled": ("job", "run"),
    "duties": ("dataset",),
}


class Wrong(Exception):
    """A field that does not fit: its name, the key of the text that says why, the HTTP status."""

    def __init__(self, name: str, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.name, self.error, self.status = name, error, status


@dataclass(frozen=True, slots=True)
class Asked:
    """What was told: texts as they were written, and for things what may be meant by them."""

    name: str
    texts: Mapping[str, str]
    meant: Mapping[str, list[Row]] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether all is told that is needed, and it is clear what is meant."""
        told = all(self.texts[name] for name in _REQUIRED.get(self.name, ()))
        return told and not self.meant

    @property
    def hops(self) -> int | None:
        """How far to go, or None. Raises Wrong."""
        text = self.texts.get("hops", "")
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= _MOST_HOPS):
            raise Wrong("hops", "hops")
        return int(text)

    @property
    def exactly(self) -> bool:
        """Whether only what is so many hops away is asked for. Raises Wrong without hops."""
        asked = bool(self.texts.get("exactly"))
        if asked and self.hops is None:
            raise Wrong("hops", "exactly")
        return asked

    @property
    def direction(self) -> str:
        """Which ends; nonsense counts as not said."""
        text = self.texts.get("direction", "")
        return text if text in DIRECTIONS else DIRECTIONS[0]

    def query(self, **more: str) -> str:
        """What was told, as the parameters of an address."""
        told = {n: "true" if n == "exactly" else v for n, v in self.texts.items() if v}
        return urlencode(told | more)


def understood(reader: Reader, name: str, params: QueryParams) -> Asked:
    """What is asked by a question of QUESTIONS; a thing may be told by its name."""
    texts, meant = {}, {}
    for each in QUESTIONS[name]:
        text = params.get(each, "").strip()[:_LONGEST]
        if _KINDS[each] == "thing" and text and not is_iri(text):
            rows = _called(reader, name, text)
            if len(rows) == 1:
                text = rows[0].iri
            else:
                meant[each] = rows
        texts[each] = text
    return Asked(name, texts, meant)


def _called(reader: Reader, name: str, text: str) -> list[Row]:
    """The things that a question can be asked of and that words find, best first."""
    rows = find(reader.opened.index, text[:200], kind=None).page(reader.lang, "relevance", size=100)
    kinds, graph = _OF.get(name), reader.opened.lineage
    fitting = (row.kind in kinds if kinds else row.iri in graph for row in rows.rows)
    return [row for row, fits in zip(rows.rows, fitting, strict=True) if fits][:_MEANT]


def fields(reader: Reader, asked: Asked, wrong: Wrong | None) -> list[QuestionField]:
    """The form of a question with what was told."""
    return [_field(reader, asked, name, wrong) for name in QUESTIONS[asked.name]]


def _field(reader: Reader, asked: Asked, name: str, wrong: Wrong | None) -> QuestionField:
    text, kind = asked.texts[name], _KINDS[name]
    meant = asked.meant.get(name)
    error = wrong.error if wrong and wrong.name == name else ""
    if meant is not None and not error:
        error = "which" if meant else "unfound"
    return QuestionField(
        name=name,
        kind=kind,
        value=asked.direction if kind == "end" else text,
        required=name in _REQUIRED.get(asked.name, ()),
        thing=reader.iri(text) if kind == "thing" and is_iri(text) and not error else None,
        choices=[_choice(reader, asked, name, row) for row in meant or ()],
        error=error,
    )


def _choice(reader: Reader, asked: Asked, name: str, row: Row) -> Choice:
    address = reader.site.url(f"/lineage/{asked.name}?{asked.query(**{name: row.iri})}")
    return Choice(address, row.title)
