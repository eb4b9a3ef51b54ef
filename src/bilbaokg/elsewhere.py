"""Things of others that our lineage leads to: what they are called at home, as far as we asked.

The words about one thing are a record of their own, apart from what we say ourselves. It is a rest
(see partition), so it settles nothing: whoever loads or harvests the thing itself gets its record.

    <thing>  a dcat:Resource, prov:Entity ; rdfs:label "its title"@es ; dct:type what it is there ;
             prov:invalidatedAtTime when it was first seen to be gone
    <record> prov:hadPrimarySource <thing> ; prov:generatedAtTime when these words came
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from bilbaokg.merging import own_lines
from bilbaokg.model import Record
from bilbaokg.partition import ROOT_KINDS, rest_id
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import (
    DCAT,
    DCT,
    FOAF,
    PROV,
    RDF,
    RDFS,
    SKOS,
    XSD,
    language_of,
    literal,
    mint,
    plain,
    ref,
    split_line,
)

__all__ = ["SOURCE", "Words", "host", "known", "lines", "place", "thing_of", "wanted"]

SOURCE: Final = "titles of things elsewhere"
"""The name of the source that says these words."""
_PREFIX: Final = "rest/"
_TYPE, _LABEL, _KIND = ref(RDF.type), ref(RDFS.label), ref(DCT.type)
_ABOUT, _AT, _GONE = (
    ref(PROV.hadPrimarySource), ref(PROV.generatedAtTime), ref(PROV.invalidatedAtTime),
)  # fmt: skip
# What leads from a thing of ours to what it was made of.
_ENDS: Final = tuple(
    map(
        ref,
        (
            PROV.wasDerivedFrom, PROV.used, PROV.hadPrimarySource, PROV.wasQuotedFrom,
            PROV.alternateOf, PROV.entity, DCT.source,
        ),
    )
)  # fmt: skip
# With one of these a thing has a name already.
_NAMED: Final = frozenset(map(ref, (DCT.title, SKOS.prefLabel, FOAF.name, RDFS.label)))


@dataclass(frozen=True, slots=True)
class Words:
    """What is known of a thing: titles by language tag ("" for none), the class that it has there
    (an IRI), when that came, and since when it is gone (xsd:dateTime)."""

    titles: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    at: str = ""
    gone: str = ""


def place(base: str, iri: str) -> tuple[str, str]:
    """The id and the IRI of the record of a thing."""
    id = rest_id(f"{SOURCE}: {iri}")
    return id, mint(base, *id.split("/"))


def host(iri: str) -> str:
    """The host of an http(s) IRI, as people read it; empty where there is none."""
    try:
        parts = urlsplit(iri)
        return (parts.hostname or "") if parts.scheme in ("http", "https") else ""
    except ValueError:
        return ""


def lines(base: str, iri: str, words: Words) -> list[str]:
    """The statements of the record of a thing."""
    thing, record = ref(iri), ref(place(base, iri)[1])
    said = [f"{thing} {_TYPE} {ref(cls)} ." for cls in (DCAT.Resource, PROV.Entity)]
    for language, title in words.titles.items():
        said.append(f"{thing} {_LABEL} {literal(title, language=language or None)} .")
    if words.kind:
        said.append(f"{thing} {_KIND} {ref(words.kind)} .")
    if words.gone:
        said.append(f"{thing} {_GONE} {literal(words.gone, datatype=XSD.dateTime)} .")
    at = literal(words.at, datatype=XSD.dateTime)
    return [*said, f"{record} {_ABOUT} {thing} .", f"{record} {_AT} {at} ."]


def thing_of(record: Record) -> str | None:
    """The thing (a term) that a record holds words about; None for any other record."""
    if not record.id.startswith(_PREFIX):
        return None
    own = map(split_line, own_lines(record.iri, record.text))
    return next((o for _, predicate, o in own if predicate == _ABOUT), None)


def known(store: EmbeddedStore, base: str) -> dict[str, Words]:
    """What a store holds of things elsewhere, by their IRI."""
    found: dict[str, Words] = {}
    graphs = f"{base}/graph/record/{_PREFIX}"
    for record, _, thing, graph in store.match(predicate=_ABOUT):
        if graph.startswith(graphs) and record.startswith(f"<{base}/id/{_PREFIX}"):
            held: dict[str, list[str]] = {}
            for subject in (thing, record):
                for _, predicate, object_, _ in store.match(subject, graph=graph):
                    held.setdefault(predicate, []).append(object_)
            titles = {language_of(x) or "": plain(x) for x in sorted(held.get(_LABEL, ()))}
            kind, at, gone = (plain(next(iter(held.get(p, ())), "")) for p in (_KIND, _AT, _GONE))
            found[plain(thing)] = Words(titles, kind, at, gone)
    return found


def wanted(store: EmbeddedStore, base: str, public_url: str) -> Iterator[str]:
    """The IRIs elsewhere that lineage leads to, and of which nobody here says a name; sorted."""
    records, ours = f"{base}/graph/record/", (f"<{base}/", f"<{public_url}/")
    rest = f"{records}{_PREFIX}"
    ends = {
        object_
        for predicate in _ENDS
        for _, _, object_, graph in store.match(predicate=predicate)
        if graph.startswith(records)
        and not graph.startswith(rest)
        and object_.startswith(("<http://", "<https://"))
        and not object_.startswith(ours)
    }
    for term in sorted(ends):
        own = place(base, plain(term))[0]
        if not _is_described(store, term, records, f"{records}{own}"):
            yield plain(term)


def _is_described(store: EmbeddedStore, term: str, records: str, own: str) -> bool:
    """Whether a record but its own one names a thing, or is the record of it."""
    return any(
        predicate in _NAMED or (predicate == _TYPE and object_ in ROOT_KINDS)
        for _, predicate, object_, graph in store.match(term)
        if graph.startswith(records) and graph != own
    )
