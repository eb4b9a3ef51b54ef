"""The pages of questions to lineage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bilbaokg.server.views.values import Action, Choice, Value

__all__ = ["Answer", "AnswerTable", "Letter", "QuestionField", "QuestionPage", "Wording"]


@dataclass(frozen=True, slots=True)
class QuestionField:
    """What a question has to be told: `kind` is thing, hops, tick, end or moment.

    `thing` is what was meant, `choices` what may have been meant or can be chosen; `error` is the
    key of the text that says what is wrong.
    """

    name: str
    kind: str
    value: str
    required: bool = False
    thing: Value | None = None
    choices: list[Choice] = field(default_factory=list)
    error: str = ""


@dataclass(frozen=True, slots=True)
class AnswerTable:
    """A part of an answer as a table; `title` is empty where it is all of it.

    `columns` are names with the kind of their cells: head (a Value), values and people (lists of
    them; an empty one is said to be nobody, None is left open), way (a list in its order), number,
    text, tag (a text with its class). `anchors` are the ids of rows, `more` counts those that are
    not shown.
    """

    id: str
    title: str
    columns: tuple[tuple[str, str], ...]
    rows: list[tuple[Any, ...]]
    more: int = 0
    anchors: list[str] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """A message in one language, and the link that opens it as a mail; None for one too long."""

    lang: str
    name: str
    text: str
    mail: str | None


@dataclass(frozen=True, slots=True)
class Letter:
    """What can be written to somebody, in each language, the reader's first."""

    to: Value
    wordings: list[Wording]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: in a sentence, in tables, and with messages to send."""

    text: str
    tables: list[AnswerTable] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class QuestionPage:
    """A question to the lineage: its form, and its answer once all is told that it needs.

    `examples` are things to ask it of, `data` the same answer in other formats, `others` the other
    questions.
    """

    name: str
    fields: list[QuestionField]
    answer: Answer | None
    examples: list[Action]
    data: list[Action]
    others: list[Action]
