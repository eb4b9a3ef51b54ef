"""From the exact text of a record to the page that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote

from bilbaokg import exports, queries, render
from bilbaokg.index import Text, Where, choose
from bilbaokg.model import Record
from bilbaokg.server import findings, lists
from bilbaokg.server.reading import Reader, anchor
from bilbaokg.server.views import (
    Action,
    Assertion,
    DatasetPage,
    Distribution,
    Group,
    LineageStep,
    MentionPage,
    Node,
    ResourcePage,
    Responsible,
    TombstonePage,
    Value,
)
from bilbaokg.skolem import GENID
from bilbaokg.terms import (
    ADMS,
    AS,
    CSVW,
    DCAT,
    DCATAP,
    DCT,
    EARL,
    FOAF,
    PROV,
    RDF,
    RDFS,
    SKOS,
    language_of,
    plain,
    ref,
    split_line,
    split_lines,
)

__all__ = ["dataset", "resource", "tombstone"]

_TYPE: Final = ref(RDF.type)
_ATTRIBUTION: Final = ref(PROV.qualifiedAttribution)
_DEPTH: Final = 3
_INCOMING: Final = 200
# Kinds of records that the island of a dataset describes beside it.
_AROUND: Final = frozenset({"agent", "catalog", "concept", "shared", "unit"})
_DATA: Final = (("Turtle", "ttl"), ("JSON-LD", "jsonld"), ("RDF/XML", "rdf"), ("N-Triples", "nt"))
_TITLES: Final = tuple(map(ref, (DCT.title, SKOS.prefLabel, FOAF.name, RDFS.label)))
_SUMMARIES: Final = tuple(map(ref, (DCT.description, SKOS.definition, RDFS.comment)))
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


class Described:
    """The statements of one record: subject -> predicate -> objects (N-Triples terms)."""

    def __init__(self, text: str) -> None:
        self.subjects: dict[str, dict[str, list[str]]] = {}
        for s, p, o in map(split_line, split_lines(text)):
            self.subjects.setdefault(s, {}).setdefault(p, []).append(o)

    def of(self, subject: str) -> dict[str, list[str]]:
        """What is said of a subject."""
        return self.subjects.get(subject, {})

    def all(self, subject: str, predicate: str) -> list[str]:
        """The objects of a subject's property (an IRI)."""
        return self.of(subject).get(ref(predicate), [])

    def first(self, subject: str, predicate: str) -> str | None:
        """One object of a subject's property, as its plain text."""
        return next(map(plain, self.all(subject, predicate)), None)

    def iris(self) -> Iterator[str]:
        """Every IRI that the record mentions."""
        for subject, held in self.subjects.items():
            yield plain(subject)
            for predicate, objects in held.items():
                yield plain(predicate)
                yield from (plain(o) for o in objects if o.startswith("<"))


# ---- parts that all pages share


class _Writer:
    """Writes the statements of one record for one reader."""

    def __init__(self, record: Described, reader: Reader) -> None:
        self.record, self.reader = record, reader
        reader.load(record.iris())

    def value(self, term: str, depth: int = 0) -> Value:
        """A term; a nameless node of the record is shown by what is said of it."""
        if GENID not in term or term not in self.record.subjects:
            return self.reader.value(term)
        if depth >= _DEPTH:
            return Value(Text("…", ""), f"#{anchor(plain(term))}")
        return Value(Text("", ""), parts=self.groups(term, depth=depth + 1))

    def groups(self, subject: str, skip: Iterable[str] = (), depth: int = 0) -> list[Group]:
        """All statements about a subject, by property, names in alphabetical order."""
        held = self.record.of(subject)
        left = [p for p in held if p not in {*skip, *((_TYPE,) if depth else ())}]
        return sorted(
            (self.group(p, held[p], depth) for p in left), key=lambda g: g.name.text.text.casefold()
        )

    def group(self, predicate: str, objects: Sequence[str], depth: int = 0) -> Group:
        """One property with its values; of texts in several languages the reader's comes first."""
        own = self.reader.lang
        ordered = sorted(objects, key=lambda o: (language_of(o) not in (own, None), o))
        values = [self.value(o, depth) for o in ordered]
        # Two vocabularies often have the same word; the table of all statements keeps both.
        once = {(v.text, bool(v.parts), n if v.parts else 0): v for n, v in enumerate(values)}
        return Group(self.reader.iri(plain(predicate)), list(once.values()))

    def facts(self, subject: str, predicates: Iterable[str]) -> list[Group]:
        """These properties of a subject, where it has them."""
        held = self.record.of(subject)
        return [self.group(p, held[p]) for p in predicates if p in held]

    def text(self, subject: str, predicates: Iterable[str]) -> Text:
        """The text of the first of these properties that is there, for this reader."""
        held = self.record.of(subject)
        found = next((held[p] for p in predicates if p in held), [])
        texts = {language_of(o) or "": plain(o) for o in reversed(found)}
        return choose(texts, self.reader.lang)

    def values(self, subject: str, predicate: str) -> list[Value]:
        """The values of a property (an IRI)."""
        return [self.value(o) for o in self.record.all(subject, predicate)]

    def one(self, subject: str, predicate: str) -> Value | None:
        """The first value of a property, or None."""
        return next(iter(self.values(subject, predicate)), None)

    def nodes(self, first: str) -> list[Node]:
        """Every subject with all its statements; the one that the page is about comes first."""
        ordered = sorted(self.record.subjects, key=lambda s: (s != first, s))
        return [
            Node(anchor(plain(s)), plain(s), [
                Group(self.reader.iri(plain(p)), [self.reader.value(o) for o in objects])
                for p, objects in sorted(self.record.of(s).items())
            ])
            for s in ordered
        ]  # fmt: skip


def _formats(reader: Reader, id: str) -> list[Action]:
    return [
        Action(name, f"{reader.site.root}/{quote(id)}.{extension}", "alternate")
        for name, extension in _DATA
    ]


def _open_in_sparql(reader: Reader, iri: str, pattern: str = "<{}> ?property ?value") -> str:
    text = f"SELECT * WHERE {{\n  {pattern.format(iri)} .\n}}\n"
    return reader.site.url(f"/sparql?query={quote(text)}&run=1")


def _incoming(reader: Reader, iri: str, listed: bool) -> tuple[list[Group], int]:
    """What points to a resource, by property; a record's several parts count once.

    With it how many statements were looked at where there are more, else 0. Where the datasets that
    use it are `listed`, they are not told again.
    """
    query, limit = queries.load("pages/incoming"), str(_INCOMING + 1)
    all_rows = reader.opened.select(query, resource=iri, limit=limit)
    rows = all_rows[:_INCOMING]
    reader.load(plain(term) for row in rows for term in row.values())
    found: dict[str, dict[tuple[Text, str], Value]] = {}
    for row in rows:
        subject = plain(row["subject"])
        place = reader.place(subject)
        record = place.record if place else subject
        if listed and record.startswith("dataset/"):
            continue
        value = reader.value(row["subject"])
        found.setdefault(row["predicate"], {}).setdefault((value.text, record), value)
    groups = [
        Group(reader.iri(plain(p)), sorted(held.values(), key=lambda v: v.text.text.casefold()))
        for p, held in found.items()
    ]
    return groups, _INCOMING if len(all_rows) > len(rows) else 0


# ---- pages


def resource(place: Where, reader: Reader) -> ResourcePage:
    """The page of any resource that has none of its own kind."""
    record = Described(reader.opened.index.text(place.record))
    writer = _Writer(record, reader)
    term = ref(place.iri)
    held = record.of(term)
    title = next((p for p in _TITLES if p in held), "")
    summary = next((p for p in _SUMMARIES if p in held), "")
    whole = reader.opened.index.iri(place.record)
    listed = lists.where_used(reader, place.iri)
    incoming, cut = _incoming(reader, place.iri, bool(listed))
    return ResourcePage(
        id=place.record,
        iri=place.iri,
        kind=place.page.partition("/")[0],
        title=reader.name(place.iri),
        summary=writer.text(term, _SUMMARIES),
        record=None if place.whole else reader.iri(whole),
        groups=writer.groups(term, skip=(title, summary)),
        listed=listed,
        incoming=incoming,
        cut=cut,
        formats=_formats(reader, place.record),
        sparql=_open_in_sparql(reader, place.iri),
        nodes=writer.nodes(term),
    )


def mention(iri: str, reader: Reader) -> MentionPage | None:
    """The page of what the release names and does not describe; None where it does not name it."""
    listed = lists.where_used(reader, iri)
    incoming, cut = _incoming(reader, iri, bool(listed))
    if not listed and not incoming:
        return None
    return MentionPage(
        iri=iri,
        title=reader.name(iri),
        href=render.safe_href(iri),
        listed=listed,
        incoming=incoming,
        cut=cut,
        sparql=_open_in_sparql(reader, iri, pattern="?resource ?property <{}>"),
    )


def tombstone(place: Where, reader: Reader) -> TombstonePage:
    """The page of a deleted record."""
    record = Described(reader.opened.index.text(place.record))
    writer = _Writer(record, reader)
    term = ref(place.iri)
    return TombstonePage(
        iri=place.iri,
        title=reader.name(place.iri),
        former=writer.one(term, AS.formerType),
        deleted=record.first(term, AS.deleted),
        successor=writer.one(term, DCT.isReplacedBy),
    )


def dataset(place: Where, reader: Reader) -> DatasetPage:
    """The page of a dataset."""
    index = reader.opened.index
    record = Described(index.text(place.record))
    writer = _Writer(record, reader)
    term, facets = ref(place.iri), index.facets_of(place.record)
    responsible = _responsible(writer, term)
    held = {r.role.text for r in responsible}
    licences = set(map(plain, record.all(term, DCT.license)))
    return DatasetPage(
        id=place.record,
        iri=place.iri,
        title=reader.name(place.iri),
        summary=writer.text(term, _SUMMARIES),
        tags=_tags(writer, term),
        facts=writer.facts(term, _FACTS),
        keywords=_keywords(writer, term),
        distributions=[
            _distribution(writer, d, licences) for d in record.all(term, DCAT.distribution)
        ],
        upstream=_lineage(reader, "upstream", place.iri),
        downstream=_lineage(reader, "downstream", place.iri),
        tables=_tables(reader, place.iri),
        assertions=_assertions(writer),
        responsible=responsible,
        missing=[role for role in ("owner", "steward") if _role(reader, role).text not in held],
        contact=_contacts(writer, term),
        series=writer.values(term, DCAT.inSeries),
        services=_sources(reader, place.iri, DCAT.servesDataset),
        usages=writer.values(term, "http://www.w3.org/ns/duv#hasUsage"),
        gaps=facets.get("gap", []),
        findings=findings.of_dataset(reader, place.iri),
        formats=_formats(reader, place.record),
        sparql=_open_in_sparql(reader, place.iri),
        nodes=writer.nodes(term),
        island=_island(place, record, reader),
    )


def _island(place: Where, record: Described, reader: Reader) -> dict[str, Any]:
    """The dataset for search engines: its own record, and those that it names."""
    index = reader.opened.index
    named = index.resources(record.iris()).values()
    ids = {place.record, *(n.record for n in named if n.record.partition("/")[0] in _AROUND)}
    records = [Record(id, index.iri(id), index.text(id), "", 1, "public") for id in sorted(ids)]
    return exports.island(records, place.iri, reader.opened.base, reader.lang)


def _tags(writer: _Writer, term: str) -> list[Value]:
    """The short marks under the title: access, high value, status."""
    access = writer.values(term, DCT.accessRights)
    valued = [
        Value(Text(render.translate("dataset.hvd", writer.reader.lang), ""))
        for _ in writer.record.all(term, DCATAP.hvdCategory)[:1]
    ]
    return [*access, *valued, *writer.values(term, ADMS.status)]


def _keywords(writer: _Writer, term: str) -> list[Value]:
    """Keywords in the reader's language; all of them where there are none."""
    words = writer.record.all(term, DCAT.keyword)
    own = [word for word in words if language_of(word) in (writer.reader.lang, None)]
    site = writer.reader.site
    return [
        Value(Text(plain(w), language_of(w) or ""), site.url(f"/datasets?q={quote(plain(w))}"))
        for w in sorted(own or words)
    ]


def _distribution(writer: _Writer, term: str, known: set[str]) -> Distribution:
    """A distribution; its licence only where it is not `known` from the dataset."""
    if term not in writer.record.subjects:
        place = writer.reader.place(plain(term))
        if place:
            other = Described(writer.reader.opened.index.text(place.record))
            writer = _Writer(other, writer.reader)
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


def _responsible(writer: _Writer, term: str) -> list[Responsible]:
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


def _contacts(writer: _Writer, term: str) -> list[Value]:
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


def _lineage(reader: Reader, direction: str, iri: str) -> list[LineageStep]:
    rows = reader.opened.select(queries.load(f"pages/{direction}"), resource=iri)
    steps: dict[str, dict[str, None]] = {}
    for row in rows:
        further = steps.setdefault(row["near"], {})
        if "far" in row:
            further[row["far"]] = None
    reader.load(plain(term) for near, far in steps.items() for term in (near, *far))
    return [
        LineageStep(reader.value(near), [reader.value(far) for far in further])
        for near, further in steps.items()
    ]


def _sources(reader: Reader, iri: str, predicate: str) -> list[Value]:
    """The resources that point to this one with a property."""
    rows = reader.opened.store.match(predicate=ref(predicate), object=ref(iri))
    return [reader.value(subject) for subject in sorted({s for s, *_ in rows})]


def _tables(reader: Reader, iri: str) -> list[Value]:
    """The tables that hold the dataset's data."""
    parts = reader.opened.store.match(predicate=ref(DCT.isPartOf), object=ref(iri))
    tables = {
        s for s, *_ in parts if any(reader.opened.store.match(s, _TYPE, ref(CSVW.Table)))
    }  # fmt: skip
    return [reader.value(subject) for subject in sorted(tables)]


def _assertions(writer: _Writer) -> list[Assertion]:
    record = writer.record
    found = []
    for subject, held in record.subjects.items():
        if ref(EARL.Assertion) not in held.get(_TYPE, ()):
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
