"""The target `dcat-ap-es`: the catalogue as DCAT-AP-ES 1.0.0 wants it, for datos.gob.es.

That profile is built on DCAT-AP 2.1.1: it knows no series (a series node would count as a dataset
without distributions), no catalogue in a catalogue, and of checksums SHA-1 alone. Publishers are
known by their DIR3 code, themes by the sectors of the Spanish standard (NTI-RISP).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bilbaokg.exports import derived, vocabulary
from bilbaokg.exports.catalogue import Catalogue, Pair
from bilbaokg.exports.dcat_ap import CARRIED
from bilbaokg.exports.derived import CUSTODIAN, above
from bilbaokg.exports.feed import SERIES, Feed, Kind, changed
from bilbaokg.exports.inlined import format_node
from bilbaokg.terms import (
    ADMS,
    DCAT,
    DCT,
    FOAF,
    LOCN,
    ODRL,
    ORG,
    OWL,
    RDFS,
    SCHEMA,
    SKOS,
    SPDX,
    plain,
    ref,
)

__all__ = ["DCAT_AP_ES"]

ORGANISM: Final = "http://datos.gob.es/recurso/sector-publico/org/Organismo/"
_DIR3: Final = re.compile(r"[A-Z][A-Z0-9]{8}")
_SCHEMES: Final = tuple(
    map(ref, (vocabulary.SECTORS, vocabulary.EUROPEAN_THEMES, "http://inspire.ec.europa.eu/theme"))
)
_THEMES: Final = tuple(f"{scheme[:-1]}/" for scheme in _SCHEMES)
_GEOMETRY: Final = tuple(map(ref, (DCAT.bbox, DCAT.centroid, LOCN.geometry)))
_PUBLISHER, _THEME, _TAXONOMY = map(ref, (DCT.publisher, DCAT.theme, DCAT.themeTaxonomy))
_MATCHES: Final = tuple(map(ref, (SKOS.exactMatch, SKOS.closeMatch, SKOS.broadMatch)))
_IDENTIFIER, _OTHER_IDENTIFIER, _NOTATION = map(
    ref, (DCT.identifier, ADMS.identifier, SKOS.notation)
)
_SAME: Final = (ref(OWL.sameAs), ref(RDFS.seeAlso))
_AGENTS: Final = frozenset(
    map(
        ref,
        (FOAF.Agent, FOAF.Organization, ORG.Organization, ORG.FormalOrganization,
         ORG.OrganizationalUnit),
    )
)  # fmt: skip
_ALGORITHM, _CHECKSUM = ref(SPDX.algorithm), ref(SPDX.Checksum)
_SHA1: Final = "//spdx.org/rdf/terms#checksumAlgorithm_sha1>"
_DATES: Final = {
    ref(f"{space}{old}"): ref(new)
    for space in (SCHEMA, SCHEMA.replace("https:", "http:"))
    for old, new in (("startDate", DCAT.startDate), ("endDate", DCAT.endDate))
}


def says(catalogue: Catalogue, node: str, name: str) -> list[Pair]:
    """What there is to say of a node, in the words of the profile."""
    pairs = derived.says(catalogue, node, name)
    if name in ("Catalog", "Dataset", "Service"):
        pairs = [pair for p, o in pairs for pair in _resource(catalogue, p, o)]
    if name == "Catalog":
        kept = [pair for pair in pairs if pair[0] != _TAXONOMY or pair[1] in _SCHEMES]
        pairs = [*kept, (_TAXONOMY, ref(vocabulary.SECTORS))]
    elif name == "Location" and not any(p in _GEOMETRY for p, _ in pairs):
        return []  # a place that is described needs a geometry; others are known by their IRI
    elif name == "PeriodOfTime":
        pairs = [(_DATES.get(p, p), o) for p, o in pairs]
    elif name == "MediaTypeOrExtent":
        pairs += format_node(catalogue, node)
    return pairs


def _resource(catalogue: Catalogue, predicate: str, value: str) -> Iterator[Pair]:
    if predicate == _PUBLISHER:
        yield predicate, _organism(catalogue, value)
    elif predicate == _THEME:
        yield from ((predicate, theme) for theme in _themes(catalogue, value))
    else:
        yield predicate, value


# ---- publishers


def _code(catalogue: Catalogue, agent: str) -> str | None:
    """The DIR3 code of an agent, from its IRI, its identifiers, or what it is the same as."""
    linked = (o for p in _SAME for o in catalogue.values(agent, p))
    for iri in (agent, *linked):
        code = plain(iri).removeprefix(ORGANISM)
        if iri.startswith(f"<{ORGANISM}") and _DIR3.fullmatch(code):
            return code
    named = catalogue.values(agent, _IDENTIFIER)
    for other in catalogue.values(agent, _OTHER_IDENTIFIER):
        named = named + catalogue.values(other, _NOTATION)
    return next((code for code in map(plain, named) if _DIR3.fullmatch(code)), None)


def _organism(catalogue: Catalogue, agent: str) -> str:
    """The agent, or the nearest one above it that has a DIR3 code."""
    return next((a for a in above(catalogue, agent) if _code(catalogue, a)), agent)


def calls(catalogue: Catalogue, node: str) -> str:
    """An agent with a code is known by its DIR3 IRI; SHA-1 as SPDX 2 wrote it."""
    if catalogue.types(node) & _AGENTS and (code := _code(catalogue, node)):
        return ref(f"{ORGANISM}{code}")
    return f"<http:{_SHA1}" if node.endswith(_SHA1) else node


# ---- themes and checksums


def _themes(catalogue: Catalogue, theme: str) -> Iterator[str]:
    """Themes of the three schemes that the profile knows, with the sector that follows."""
    matches = [o for p in _MATCHES for o in catalogue.values(theme, p)]
    for found in (theme, *matches):
        if found.startswith(_THEMES):
            yield found
            if sector := vocabulary.sector_of(found):
                yield sector


def skips(catalogue: Catalogue, node: str) -> bool:
    """Checksums of other algorithms stay out, and what every target leaves out."""
    if _CHECKSUM in catalogue.types(node):
        return not any(a.endswith(_SHA1) for a in catalogue.values(node, _ALGORITHM))
    return derived.skips(catalogue, node)


_RESOURCE_WITHOUT: Final = (CUSTODIAN, DCT.rightsHolder, ODRL.hasPolicy)
_KINDS: Final[dict[str, Kind]] = {
    **CARRIED,
    "Catalog": changed(CARRIED["Catalog"], without=(DCT.hasPart,)),
    "Dataset": changed(
        CARRIED["Dataset"], without=(*_RESOURCE_WITHOUT, DCAT.inSeries, DCAT.prev, DCT.subject)
    ),
    "Service": changed(CARRIED["Service"], without=_RESOURCE_WITHOUT),
    "PeriodOfTime": replace(CARRIED["PeriodOfTime"], turned=frozenset(_DATES)),
    "MediaTypeOrExtent": changed(CARRIED["MediaTypeOrExtent"], classes=(DCT.IMT,)),
}

DCAT_AP_ES: Final = Feed(
    name="dcat-ap-es",
    profile="dcat-ap-es/1.0.0",
    kinds=_KINDS,
    says=says,
    skips=skips,
    calls=calls,
    leaves_out=frozenset({SERIES}),
    one_catalogue=True,
)
