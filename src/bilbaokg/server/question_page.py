"""The pages of questions to lineage: a form, and the answer in words, tables and other formats."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from bilbaokg import queries, render
from bilbaokg.errors import BadInput, NotFound
from bilbaokg.index import Text
from bilbaokg.lineage.answers import MOST
from bilbaokg.server import moments
from bilbaokg.server.around import Around
from bilbaokg.server.question_answers import ANSWERS, Shown, changed
from bilbaokg.server.question_form import QUESTIONS, Asked, Wrong, fields, understood
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import Action, Answer, Choice, QuestionField, QuestionPage

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = ["about", "as_events", "as_prov", "offered", "page"]

_EXAMPLES: Final = 6
_OFFERED_RELEASES: Final = 50
# What kinds of things are asked after first on their pages.
_ABOUT: Final = {
    "dataset": ("agree", "duties"), "table": ("agree",), "column": ("agree",),
    "distribution": ("agree",), "job": ("spoiled",), "run": ("spoiled",),
}  # fmt: skip
_ONE: Final = frozenset({"agree", "upstream", "downstream", "path"})
_WITHOUT_LIMIT: Final = frozenset({"agree", "coverage", "path"})
# The saved query that says the same, as far as SPARQL can.
_SAVED: Final = {
    "agree": "owners-to-agree", "spoiled": "runs-failed", "upstream": "upstream",
    "downstream": "downstream", "path": "lineage-between", "coverage": "lineage-of-each-unit",
    "duties": "restricted-sources-of-public-data", "ends": "lineage-ends",
    "circles": "lineage-circles", "dead-ends": "lineage-dead-ends",
}  # fmt: skip
_FORMATS: Final = (("CSV", "csv"), ("JSON", "json"))
_PROV: Final = (("PROV-O (Turtle)", "ttl"), ("PROV-O (JSON-LD)", "jsonld"))


def offered(reader: Reader, but: str = "") -> list[Action]:
    """The questions, each with its page."""
    return [
        Action(
            render.translate(f"question.{name}.title", reader.lang),
            reader.site.url(f"/lineage/{name}"),
            name,
        )
        for name in QUESTIONS
        if name != but
    ]


def about(reader: Reader, iri: str, kind: str) -> list[Action]:
    """The questions that a page about a thing of a kind leads to."""
    asked = {"iri": iri}
    return [
        Action(
            render.translate(f"question.{name}.about", reader.lang),
            reader.site.url(f"/lineage/{name}?{Asked(name, asked).query()}"),
            name,
        )
        for name in _ABOUT.get(kind, ())
    ]


def page(
    context: Context, reader: Reader, name: str, params: QueryParams
) -> tuple[QuestionPage, int]:
    """The page of a question, and its HTTP status. Raises NotFound for one that there is not."""
    if name not in QUESTIONS:
        raise NotFound(f"no question {name[:50]!r}", hint=", ".join(QUESTIONS))
    asked, wrong, answer = understood(reader, name, params), None, None
    if name == "changed":
        asked = _spanned(context, reader, asked)
    try:
        if asked.is_whole:
            answer = _answered(context, reader, asked)
    except Wrong as fault:
        wrong = fault
    form = [_with_releases(context, reader, each) for each in fields(reader, asked, wrong)]
    return QuestionPage(
        name=name,
        fields=form,
        answer=answer,
        examples=[] if answer else _examples(reader, asked),
        data=_data(context, reader, asked) if answer else [],
        others=offered(reader, name),
    ), wrong.status if wrong else 200


def _answered(context: Context, reader: Reader, asked: Asked) -> Answer:
    if asked.name == "changed":
        before, after = map(context.catalogue.past, _in_order(context, asked))
        return changed(Shown.of(Reader(after, reader.site, earlier=[before.index])), before)
    try:
        return ANSWERS[asked.name](Shown.of(reader), asked)
    except NotFound as fault:
        name = "to" if fault.where == asked.texts.get("to") else "iri"
        raise Wrong(name, "unknown", fault.status) from None
    except BadInput:
        raise Wrong("iri", f"of_{asked.name}") from None


# ---- what changed between two releases


def _spanned(context: Context, reader: Reader, asked: Asked) -> Asked:
    """With what is meant where nothing is told: since the release before, up to the one shown."""
    texts, standing = dict(asked.texts), list(context.releases.standing())
    texts["until"] = texts["until"] or reader.opened.release.id
    last = texts["until"]
    if not texts["since"] and last in standing[1:]:
        texts["since"] = standing[standing.index(last) - 1]
    return replace(asked, texts=texts)


def _in_order(context: Context, asked: Asked) -> list[str]:
    """The two releases, the earlier first. Raises Wrong."""
    return sorted((_release(context, asked, end) for end in ("since", "until")), key=_number)


def _number(id: str) -> int:
    return int(id[1:])


def _release(context: Context, asked: Asked, end: str) -> str:
    try:
        return moments.find(context.releases, asked.texts[end]).release
    except moments.Absent as absent:
        raise Wrong(end, f"moment_{absent.reason}", absent.status) from None


def _with_releases(context: Context, reader: Reader, field: QuestionField) -> QuestionField:
    """A field for a moment offers the releases, the newest first."""
    if field.kind != "moment":
        return field
    times = {switch.id: switch.at for switch in context.releases.history()}
    ids = list(reversed(context.releases.standing()))[:_OFFERED_RELEASES]
    told = [(id, render.when(times[id], reader.lang)) for id in ids]
    return replace(field, choices=[Choice(id, Text(when, "")) for id, when in told])


# ---- ways on


def _examples(reader: Reader, asked: Asked) -> list[Action]:
    """Things that a question about one thing can be asked of."""
    if asked.name not in _ONE or asked.texts["iri"]:
        return []
    around = Around(reader)
    busiest = reader.opened.lineage.busiest(_EXAMPLES, leave_out=("run", "job", "other"))
    around.load(iri for iri, _ in busiest)
    return [
        Action(
            around.name(iri).text,
            reader.site.url(f"/lineage/{asked.name}?{asked.query(iri=iri)}"),
        )
        for iri, _ in busiest
    ]


def _data(context: Context, reader: Reader, asked: Asked) -> list[Action]:
    """The same answer in other formats, of the release that is shown; lineage as PROV-O."""
    id, told = reader.opened.release.id, asked.query(lang=reader.lang)
    if asked.name == "changed":
        since, id = _in_order(context, asked)
        told = urlencode({"since": since, "lang": reader.lang})
    base = _api(reader, id)
    limit = "" if asked.name in _WITHOUT_LIMIT else f"&limit={MOST}"
    found = [
        Action(text, f"{base}/{asked.name}?{told}{limit}&format={name}", name)
        for text, name in _FORMATS
    ]
    found += as_prov(reader, asked.texts.get("iri", ""), id)
    return [*found, *_saved(reader, asked)]


def _api(reader: Reader, id: str = "") -> str:
    """Where programs ask the lineage of a release, by default of the one that is shown."""
    return f"{reader.site.root}/api/releases/{id or reader.opened.release.id}/lineage"


def as_prov(reader: Reader, iri: str = "", id: str = "") -> list[Action]:
    """The lineage of a release as PROV-O: of a thing, or all of it."""
    about = f"{urlencode({'iri': iri})}&" if iri else ""
    base = _api(reader, id)
    return [Action(text, f"{base}/prov?{about}format={name}", name) for text, name in _PROV]


def as_events(reader: Reader) -> Action:
    """What the release that is shown states, as OpenLineage events."""
    return Action("OpenLineage", f"{_api(reader)}/events", "ndjson")


def _saved(reader: Reader, asked: Asked) -> list[Action]:
    """The saved query that asks the same."""
    name = _SAVED.get(asked.name)
    if name is None:
        return []
    known = queries.load(f"{queries.EXAMPLES}/{name}").params
    told = {"resource": asked.texts.get("iri", ""), "to": asked.texts.get("to", "")}
    given = {f"p.{n}": value for n, value in told.items() if value and n in known}
    address = f"/sparql?{urlencode({'saved': name, 'run': 1, **given})}"
    return [Action("SPARQL", reader.site.now(address), "sparql")]
