"""What is answered to questions to the lineage of a release, as pages show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from babel.numbers import format_percent

from bilbaokg import render, wording
from bilbaokg.index import Text
from bilbaokg.lineage import answers, coverage, differences, duties, failures
from bilbaokg.lineage.ground import Ground
from bilbaokg.server.around import Around
from bilbaokg.server.question_form import Asked
from bilbaokg.server.reading import Opened, Reader, anchor
from bilbaokg.server.views import Answer, AnswerTable, Letter, Value, Wording
from bilbaokg.terms import DCAT, FOAF, ref

__all__ = ["ANSWERS", "Shown", "changed"]

_ROWS: Final = 200
# Longer addresses are cut by some programs for mail.
_LONGEST_MAIL: Final = 1900
_EMAIL: Final = ref("http://www.w3.org/2006/vcard/ns#hasEmail")
_PEOPLE: Final = (("owner", "people"), ("area", "values"))
_THING: Final = (("thing", "head"), ("kind", "text"))
_TAGS: Final = {"personal": "bad", "inherited": "note"}
Told = Mapping[str, Any]


@dataclass
class Shown:
    """What an answer is drawn with: names of things, who answers for them, texts."""

    reader: Reader
    ground: Ground
    around: Around

    @classmethod
    def of(cls, reader: Reader) -> Shown:
        """That of what a reader reads."""
        return cls(reader, reader.opened.ground(reader.lang), Around(reader))

    def say(self, key: str, count: int | None = None, **values: object) -> str:
        """A text about questions."""
        return render.translate(f"question.{key}", self.reader.lang, count, **values)

    def level(self, iri: str) -> str:
        """What a thing is, in words."""
        level = self.around.level(iri)
        return render.translate(f"lineage.level.{level}", self.reader.lang) if level else "–"

    def thing(self, iri: str) -> tuple[Value, str]:
        """A thing and what it is (the columns of _THING)."""
        return self.around.value(iri), self.level(iri)

    def people(self, iri: str) -> tuple[list[Value] | None, list[Value]]:
        """Who owns it, and of which area it is (the columns of _PEOPLE); no owner of ours (None)
        is missing where it is not ours."""
        owners, areas = (
            [self.reader.iri(who) for who in self.around.facet(iri, name)]
            for name in ("owner", "area")
        )
        return owners or (None if self.around.level(iri) == "elsewhere" else []), areas

    def values(self, things: Iterable[Told]) -> list[Value]:
        """Things that an answer names."""
        return [self.around.value(thing["iri"]) for thing in things]

    def table(
        self, id: str, columns: Iterable[tuple[str, str]], rows: list[tuple[Any, ...]],
        more: int = 0, title: str = "", note: str = "", anchors: Iterable[str] = (),
    ) -> AnswerTable:  # fmt: skip
        """A table of an answer, for most the whole of it."""
        return AnswerTable(id, title, tuple(columns), rows, more, list(anchors), note)

    def counted(
        self, question: str, count: int, tables: list[AnswerTable], **values: object
    ) -> Answer:
        """An answer that says how much was found."""
        key = f"{question}.found" if count else f"{question}.none"
        text = self.say(key, count if count else None, **values)
        return Answer(text, tables if count else [])


def _walked(shown: Shown, asked: Asked) -> Answer:
    iri = asked.texts["iri"]
    walk = answers.reached(shown.ground, iri, asked.name, asked.hops, exactly=asked.exactly)
    steps, count = walk.steps[:_ROWS], len(walk.steps)
    shown.around.load([*(step.iri for step in steps), *(step.via for step in steps)])
    rows = [
        (*shown.thing(step.iri), step.hops, [shown.around.value(step.via)], *shown.people(step.iri))
        for step in steps
    ]
    columns = (*_THING, ("hops", "number"), ("via", "values"), *_PEOPLE)
    table = shown.table("found", columns, rows, count - len(rows))
    return shown.counted(asked.name, count, [table], name=shown.around.name(iri).text)


def _path(shown: Shown, asked: Asked) -> Answer:
    told = answers.path(shown.ground, asked.texts["iri"], asked.texts["to"])
    way = [node["iri"] for node in told["path"]]
    shown.around.load(way)
    rows = [(number, *shown.thing(iri), *shown.people(iri)) for number, iri in enumerate(way)]
    table = shown.table("found", (("step", "number"), *_THING, *_PEOPLE), rows)
    if not way:
        return Answer(shown.say("path.none"))
    first, last = (shown.around.name(iri).text for iri in (way[0], way[-1]))
    return shown.counted("path", len(way) - 1, [table], first=first, last=last)


def _listed(shown: Shown, name: str, told: Told) -> Answer:
    """Things with who answers for them."""
    iris = [thing["iri"] for thing in told["found"][:_ROWS]]
    shown.around.load(iris)
    rows = [(*shown.thing(iri), *shown.people(iri)) for iri in iris]
    table = shown.table("found", (*_THING, *_PEOPLE), rows, told["count"] - len(rows))
    return shown.counted(name, told["count"], [table])


def _ends(shown: Shown, asked: Asked) -> Answer:
    told = answers.ends(shown.ground, asked.direction, _ROWS)
    return _listed(shown, f"ends.{asked.direction}", told)


def _dead_ends(shown: Shown, asked: Asked) -> Answer:
    return _listed(shown, "dead-ends", answers.dead_ends(shown.ground, _ROWS))


def _circles(shown: Shown, asked: Asked) -> Answer:
    told = answers.circles(shown.ground, _ROWS)
    shown.around.load(node["iri"] for circle in told["circles"] for node in circle)
    rows = []
    for number, circle in enumerate(told["circles"], 1):
        owners, areas = (
            list(
                {
                    who.term: who for node in circle for who in shown.people(node["iri"])[n] or ()
                }.values()
            )
            for n in (0, 1)
        )
        rows.append((number, shown.values([*circle, circle[0]]), owners, areas))
    columns = (("number", "number"), ("circle", "way"), *_PEOPLE)
    table = shown.table("found", columns, rows, told["count"] - len(rows))
    return shown.counted("circles", told["count"], [table])


def _coverage(shown: Shown, asked: Asked) -> Answer:
    told = coverage.coverage(shown.ground)
    columns = ("datasets", "known", "unknown", "missing")

    def row(area: Value, counts: Told) -> tuple[Any, ...]:
        share = counts["share"]
        part = "–" if share is None else format_percent(share, locale=shown.reader.lang)
        return area, *(counts[name] for name in columns), part

    areas = told["areas"]
    shown.reader.load(area["iri"] for area in areas)
    rows = [row(shown.reader.iri(area["iri"]), area) for area in areas]
    rows.append(row(Value(Text(shown.say("coverage.all"), "")), told))
    table = shown.table(
        "found", (("area", "head"), *((name, "number") for name in (*columns, "share"))), rows,
        anchors=[*(anchor(area["iri"]) for area in areas), "all"],
        note=shown.say("coverage.note"),
    )  # fmt: skip
    if not told["datasets"]:
        return Answer(shown.say("coverage.none"))
    return Answer(shown.say("coverage.found", told["known"], n=told["datasets"]), [table])


def _spoiled(shown: Shown, asked: Asked) -> Answer:
    told = failures.spoiled(shown.ground, asked.texts["iri"], _ROWS)
    tables = [_spoiled_by(shown, number, run) for number, run in enumerate(told["runs"][:_ROWS], 1)]
    return shown.counted("spoiled", len(told["runs"]), tables)


def _spoiled_by(shown: Shown, number: int, run: Told) -> AnswerTable:
    things = [{**each, "hops": 0} for each in run["writes"]] + run["spoiled"]
    shown.around.load(thing["iri"] for thing in (*things, *run["datasets"]))
    rows = [(*shown.thing(t["iri"]), t["hops"], *shown.people(t["iri"])) for t in things]
    maker = shown.reader.name((run["job"] or run)["iri"]).text
    told = [shown.say("spoiled.failed", when=render.when(run["at"], shown.reader.lang))]
    good = run["last_good"]
    if good:
        told.append(shown.say("spoiled.good", when=render.when(good["at"], shown.reader.lang)))
    else:
        told.append(shown.say("spoiled.never"))
    if run["datasets"]:
        names = ", ".join(value.text.text for value in shown.values(run["datasets"]))
        told.append(shown.say("spoiled.datasets", names=names))
    if not run["complete"]:
        told.append(render.translate("lineage.cut", shown.reader.lang))
    columns = (*_THING, ("hops", "number"), *_PEOPLE)
    return shown.table(f"run-{number}", columns, rows, title=maker, note=" ".join(told))


def _duties(shown: Shown, asked: Asked) -> Answer:
    told = duties.duties(shown.ground, asked.texts["iri"], _ROWS)
    every = told["found"]
    shown.around.load(n["iri"] for duty in every for n in (duty["dataset"], *duty["path"]))
    rows = [
        (
            shown.around.value(duty["dataset"]["iri"]), _tag(shown, duty["kind"]),
            shown.values([duty["source"]]), shown.values(duty["values"]),
            shown.values(duty["path"]), *shown.people(duty["dataset"]["iri"]),
        )
        for duty in every
    ]  # fmt: skip
    columns = (
        ("dataset", "head"), ("duty", "tag"), ("source", "values"), ("said", "values"),
        ("way", "way"), *_PEOPLE,
    )  # fmt: skip
    table = shown.table("found", columns, rows, told["count"] - len(rows))
    n = told["datasets"]
    return shown.counted("duties", told["count"], [table], n=n)


def _tag(shown: Shown, kind: str) -> tuple[str, str]:
    text = render.translate(f"duty.tag.{kind}", shown.reader.lang)
    return text, _TAGS.get(kind, "warn")


def changed(after: Shown, before: Opened) -> Answer:
    """What came and went in the lineage between two releases."""
    came: dict[int, list[Any]] = {1: [], -1: []}
    for sign, edge in differences.between(before.lineage, after.reader.opened.lineage):
        came[sign].append(edge)
    if not any(came.values()):
        return Answer(after.say("changed.none"))
    names = {1: "added", -1: "removed"}
    tables = [_came(after, names[sign], edges) for sign, edges in came.items() if edges]
    return Answer(after.say("changed.found", n=len(came[1]), gone=len(came[-1])), tables)


def _came(shown: Shown, name: str, edges: Sequence[Any]) -> AnswerTable:
    some = edges[:_ROWS]
    shown.around.load(iri for edge in some for iri in (edge.source, edge.target))
    rows = [
        (
            shown.around.value(edge.target), [shown.around.value(edge.source)],
            shown.say(f"edge.{edge.kind.name.lower()}"), *shown.people(edge.target),
        )
        for edge in some
    ]  # fmt: skip
    columns = (("to", "head"), ("from", "values"), ("edge", "text"), *_PEOPLE)
    title = shown.say(f"changed.{name}")
    return shown.table(name, columns, rows, len(edges) - len(rows), title=title)


def _agree(shown: Shown, asked: Asked) -> Answer:
    iri = asked.texts["iri"]
    told = answers.agree(shown.ground, iri)
    shown.around.load(d["iri"] for o in told["owners"] for d in o["datasets"])
    rows = [
        (shown.reader.iri(owner["iri"]), shown.values(owner["datasets"][:_ROWS]),
         _areas(shown, owner["datasets"]))
        for owner in told["owners"]
    ]  # fmt: skip
    columns = (("owner", "head"), ("agrees", "values"), ("area", "values"))
    tables = [shown.table("owners", columns, rows, title=shown.say("agree.owners"))] if rows else []
    for kind in ("unowned", "uncertain"):
        if told[kind]:
            tables.append(_further(shown, kind, told[kind]))
    name, affected = shown.around.name(iri).text, told["affected"]
    if rows:
        text = shown.say("agree.found", len(rows), name=name, n=affected)
    else:
        text = shown.say("agree.none", name=name)
    letters = [_letter(shown, iri, owner) for owner in told["owners"]]
    return Answer(text, tables, letters)


def _areas(shown: Shown, things: Iterable[Told]) -> list[Value]:
    found = (area for thing in things for area in shown.around.facet(thing["iri"], "area"))
    return [shown.reader.iri(area) for area in dict.fromkeys(found)]


def _further(shown: Shown, kind: str, things: Sequence[Told]) -> AnswerTable:
    some = [thing["iri"] for thing in things[:_ROWS]]
    shown.around.load(some)
    rows = [(*shown.thing(iri), shown.people(iri)[1]) for iri in some]
    columns = (*_THING, ("area", "values"))
    title, note = shown.say(f"agree.{kind}"), shown.say(f"agree.{kind}_note")
    return shown.table(kind, columns, rows, len(things) - len(rows), title=title, note=note)


def _letter(shown: Shown, iri: str, owner: Told) -> Letter:
    boxes = _mailboxes(shown.ground, owner)
    first = shown.reader.lang
    messages = sorted(owner["message"].items(), key=lambda item: item[0] != first)
    return Letter(
        shown.reader.iri(owner["iri"]),
        [_wording(shown, iri, boxes, lang, text.strip()) for lang, text in messages],
    )


def _wording(shown: Shown, iri: str, boxes: Iterable[str], lang: str, text: str) -> Wording:
    subject = wording.say("agree.subject", lang, thing=shown.ground.label(iri, lang))
    lines = text.replace("\n", "\r\n")  # RFC 6068
    mail = f"mailto:{','.join(boxes)}?subject={quote(subject)}&body={quote(lines)}"
    name = render.translate("language", lang)
    return Wording(lang, name, text, mail if len(mail) <= _LONGEST_MAIL else None)


def _mailboxes(ground: Ground, owner: Told) -> list[str]:
    """Where an owner reads: its own box, else those of the contacts of its datasets."""
    store = ground.store
    boxes = [o for *_, o, _ in store.match(ref(owner["iri"]), ref(FOAF.mbox))]
    if not boxes:
        contacts = {
            contact for dataset in owner["datasets"]
            for _, _, contact, _ in store.match(ref(dataset["iri"]), ref(DCAT.contactPoint))
        }  # fmt: skip
        boxes = [o for contact in contacts for *_, o, _ in store.match(contact, _EMAIL)]
    told = {box[1:-1].removeprefix("mailto:") for box in boxes if box.startswith("<mailto:")}
    return [quote(box, safe="@+%") for box in sorted(told)[:5]]


ANSWERS: Final[Mapping[str, Callable[[Shown, Asked], Answer]]] = {
    "upstream": _walked,
    "downstream": _walked,
    "path": _path,
    "ends": _ends,
    "circles": _circles,
    "dead-ends": _dead_ends,
    "agree": _agree,
    "spoiled": _spoiled,
    "coverage": _coverage,
    "duties": _duties,
}
"""Question -> what answers it; what changed is asked of two releases (see changed)."""
