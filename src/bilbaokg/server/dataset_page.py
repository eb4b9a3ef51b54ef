"""The page of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Final
from urllib.parse import quote

from bilbaokg import exports, render
from bilbaokg.index import Text, Where
from bilbaokg.model import Record
from bilbaokg.server import consequences, findings, question_page
from bilbaokg.server.described import (
    SUMMARIES,
    TYPE,
    Described,
    Writer,
    formats,
    open_in_sparql,
)
from bilbaokg.server.paging import pager
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import (
    Assertion,
    DatasetPage,
    Distribution,
    LineageStep,
    Responsible,
    Value,
)
from bilbaokg.terms import (
    ADMS,
    CSVW,
    DCAT,
    DCATAP,
    DCT,
    EARL,
    PROV,
    language_of,
    plain,
    ref,
)

__all__ = ["PARAMETER", "dataset"]

PARAMETER: Final = "files"
"""Names the page of the distributions."""
_FILES: Final = 50
# Things along the lineage.
_STEPS: Final = 500
# Characters of a record.
_ISLAND: Final = 200_000

_ATTRIBUTION: Final = ref(PROV.qualifiedAttribution)
_DERIVED: Final = ref(PROV.wasDerivedFrom)
# Kinds of records that the island of a dataset describes beside it.
_AROUND: Final = frozenset({"agent", "catalog", "concept", "shared", "unit"})
# What the first table of a dataset's page shows, in this order.
_FACTS: Final = tuple(
    map(
        ref,
        (
            DCAT.theme, DCT.subject, DCT.creator, DCT.publisher, DCT.issued, DCT.modified,
            DCT.accrualPeriodicity, DCT.temporal, DCT.spatial, DCT.language, DCT.license,
            DCT.accessRights, DCT.rights, DCATAP.hvdCategory, DCATAP.applicableLegislation,
            DCT.conformsTo, DCAT.version, DCT.identifier, DCAT.landingPage, DCT.isReplacedBy,
        ),
    )
)  # fmt: skip


def dataset(place: Where, reader: Reader, number: int = 1) -> DatasetPage:
    """The page of a dataset, with page `number` of its distributions."""
    index = reader.opened.index
    record = Described(index.text(place.record))
    writer = Writer(record, reader)
    term, facets = ref(place.iri), index.facets_of(place.record)
    responsible = _responsible(writer, term)
    held = {r.role.text for r in responsible}
    licences = set(map(plain, record.all(term, DCT.license)))
    files = record.all(term, DCAT.distribution)
    upstream, downstream = _lineage(reader, place.iri)
    there = pager(number, _FILES, len(files), lambda page: _address(reader, place, page))
    return DatasetPage(
        id=place.record,
        iri=place.iri,
        title=reader.name(place.iri),
        summary=writer.text(term, SUMMARIES),
        tags=_tags(writer, term),
        facts=writer.facts(term, _FACTS),
        keywords=_keywords(writer, term),
        distributions=[
            _distribution(writer, d, licences) for d in files[max(0, there.first - 1) : there.last]
        ],
        files=there,
        upstream=upstream,
        downstream=downstream,
        tables=_tables(reader, place.iri),
        duties=consequences.duties_of(reader, place.iri),
        questions=question_page.about(reader, place.iri, "dataset"),
        assertions=_assertions(writer),
        responsible=responsible,
        missing=[role for role in ("owner", "steward") if _role(reader, role).text not in held],
        contact=_contacts(writer, term),
        series=writer.values(term, DCAT.inSeries),
        services=_sources(reader, place.iri, DCAT.servesDataset),
        usages=writer.values(term, "http://www.w3.org/ns/duv#hasUsage"),
        gaps=facets.get("gap", []),
        findings=findings.of_dataset(reader, place.iri),
        formats=formats(reader, place.record),
        sparql=open_in_sparql(reader, place.iri),
        nodes=writer.nodes(term),
        island=_island(place, record, reader),
    )


def _address(reader: Reader, place: Where, page: int) -> str:
    return reader.site.url(f"/{quote(place.page)}?{PARAMETER}={page}#distributions")


def _island(place: Where, record: Described, reader: Reader) -> dict[str, Any]:
    """The dataset for search engines: its own record, and those that it names.

    Nothing for a record too large to be carried by its page: its data stand beside it.
    """
    named = (found for iri in record.iris() if (found := reader.place(iri)))
    ids = {place.record, *(n.record for n in named if n.record.partition("/")[0] in _AROUND)}
    texts = reader.opened.index.texts(sorted(ids))
    if len(texts[place.record][1]) > _ISLAND:
        return {}
    records = [Record(id, iri, text, "", 1, "public") for id, (iri, text) in texts.items()]
    return exports.island(records, place.iri, reader.opened.base, reader.lang)


def _tags(writer: Writer, term: str) -> list[Value]:
    """The short marks under the title: access, high value, status."""
    access = writer.values(term, DCT.accessRights)
    valued = [
        Value(Text(render.translate("dataset.hvd", writer.reader.lang), ""))
        for _ in writer.record.all(term, DCATAP.hvdCategory)[:1]
    ]
    return [*access, *valued, *writer.values(term, ADMS.status)]


def _keywords(writer: Writer, term: str) -> list[Value]:
    """Keywords in the reader's language; all of them where there are none."""
    words = writer.record.all(term, DCAT.keyword)
    own = [word for word in words if language_of(word) in (writer.reader.lang, None)]
    site = writer.reader.site
    return [
        Value(Text(plain(w), language_of(w) or ""), site.url(f"/datasets?q={quote(plain(w))}"))
        for w in sorted(own or words)
    ]


def _distribution(writer: Writer, term: str, known: set[str]) -> Distribution:
    """A distribution; its licence only where it is not `known` from the dataset."""
    if term not in writer.record.subjects:
        place = writer.reader.place(plain(term))
        if place:
            other = Described(writer.reader.opened.index.text(place.record))
            writer = Writer(other, writer.reader)
    record = writer.record
    download, access = record.first(term, DCAT.downloadURL), record.first(term, DCAT.accessURL)
    format = writer.one(term, DCT.format) or writer.one(term, DCAT.mediaType)
    licence = writer.one(term, DCT.license)
    return Distribution(
        title=writer.reader.iri(plain(term)),
        format=format.text.text if format else "",
        size=render.file_size(record.first(term, DCAT.byteSize), writer.reader.lang),
        modified=record.first(term, DCT.modified),
        licence=licence if licence and licence.term not in known else None,
        download=render.safe_href(download) if download else None,
        access=render.safe_href(access) if access else None,
        availability=writer.one(term, DCATAP.availability),
    )


def _role(reader: Reader, role: str) -> Text:
    return reader.name(f"{reader.opened.base}/ns#{role}")


def _responsible(writer: Writer, term: str) -> list[Responsible]:
    """Who answers for the record, owner first."""
    found = []
    for attribution in writer.record.of(term).get(_ATTRIBUTION, []):
        since = writer.record.first(attribution, DCT.temporal)
        start = writer.record.first(ref(since), DCAT.startDate) if since else None
        for role in writer.record.all(attribution, DCAT.hadRole):
            for agent in writer.values(attribution, PROV.agent):
                found.append((role, Responsible(writer.reader.name(plain(role)), agent, start)))
    order = ("owner>", "steward>")
    return [
        who
        for _, who in sorted(
            found,
            key=lambda f: (next((n for n, o in enumerate(order) if f[0].endswith(o)), 9), f[0]),
        )
    ]


def _contacts(writer: Writer, term: str) -> list[Value]:
    """Functional mailboxes: the name leads to a mail."""
    found = []
    for contact in writer.record.all(term, DCAT.contactPoint):
        place = writer.reader.place(plain(contact))
        text = writer.reader.opened.index.text(place.record) if place else ""
        mail = Described(text).first(contact, "http://www.w3.org/2006/vcard/ns#hasEmail")
        value = writer.reader.value(contact)
        mail_href = render.safe_href(mail) if mail else None
        found.append(Value(value.text, mail_href or value.href, mail or value.term))
    return found


def _lineage(reader: Reader, iri: str) -> tuple[list[LineageStep], list[LineageStep]]:
    """What is one or two steps before it and after it, in the order of their IRIs."""
    match = reader.opened.store.match

    def before(term: str) -> Iterable[str]:
        return {o for *_, o, _ in match(term, _DERIVED)} if term.startswith("<") else ()

    def after(term: str) -> Iterable[str]:
        return {s for s, *_ in match(None, _DERIVED, term)}

    both = [_steps(ref(iri), beside) for beside in (before, after)]
    reader.load(plain(t) for steps in both for near, far in steps.items() for t in (near, *far))
    upstream, downstream = (
        [LineageStep(reader.value(n), [*map(reader.value, far)]) for n, far in steps.items()]
        for steps in both
    )
    return upstream, downstream


def _steps(term: str, beside: Callable[[str], Iterable[str]]) -> dict[str, list[str]]:
    """The terms beside one, each with those beside it."""
    nearest = sorted(beside(term), key=plain)
    rows = ((n, far) for n in nearest for far in ("", *sorted(beside(n), key=plain)))
    steps: dict[str, list[str]] = {}
    for near, far in islice(rows, _STEPS):
        steps.setdefault(near, []).extend([far] if far else [])
    return steps


def _sources(reader: Reader, iri: str, predicate: str) -> list[Value]:
    """The resources that point to this one with a property."""
    rows = reader.opened.store.match(predicate=ref(predicate), object=ref(iri))
    return [reader.value(subject) for subject in sorted({s for s, *_ in rows})]


def _tables(reader: Reader, iri: str) -> list[Value]:
    """The tables that hold the dataset's data."""
    parts = reader.opened.store.match(predicate=ref(DCT.isPartOf), object=ref(iri))
    tables = {
        s for s, *_ in parts if any(reader.opened.store.match(s, TYPE, ref(CSVW.Table)))
    }  # fmt: skip
    return [reader.value(subject) for subject in sorted(tables)]


def _assertions(writer: Writer) -> list[Assertion]:
    record = writer.record
    found = []
    for subject, held in record.subjects.items():
        if ref(EARL.Assertion) not in held.get(TYPE, ()):
            continue
        result = record.first(subject, EARL.result)
        outcome = record.first(ref(result), EARL.outcome) if result else None
        mode = record.first(subject, EARL.mode) or ""
        principle = writer.one(subject, EARL.test)
        if principle:
            name = (outcome or "untested").rpartition("#")[2]
            date = record.first(subject, DCT.date)
            found.append(Assertion(principle, name, mode.endswith("#automatic"), date))
    return sorted(found, key=lambda a: a.principle.text.text)
