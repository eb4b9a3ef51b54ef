"""What is known of the harvesters that read each target: a table, from their code and manuals.

`known_by` decides what is created, changed and deleted; `takes` of which kinds a harvester makes
something; `demands` are rules beside the target's profile. Where these facts were read stands in
docs/howto/publish-to-a-portal.md. A demand says when it is broken and nothing else: its words are
in web/locale/portals.toml, by its name.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from bilbaokg.exports import ckan
from bilbaokg.exports.feed import DATASET, SERIES, SERVICE, Walk
from bilbaokg.model import SEVERITIES
from bilbaokg.rehearsal.members import IRI, Members
from bilbaokg.terms import DCAT, DCT, SCHEMA, plain, ref

__all__ = ["PORTALS", "Broken", "Demand", "Offered", "Portal", "grave"]

_IDENTIFIER: Final = ref(DCT.identifier)
_KEYWORD, _DISTRIBUTION = ref(DCAT.keyword), ref(DCAT.distribution)
_LICENCE, _TITLE = ref(DCT.license), ref(DCT["title"])
_FORMATS: Final = (ref(DCT["format"]), ref(DCAT.mediaType))
_NAME, _DESCRIPTION, _SPREAD, _CONTENT = (
    ref(SCHEMA[name]) for name in ("name", "description", "distribution", "contentUrl")
)
_WANTED: Final = tuple(ref(SCHEMA[name]) for name in ("license", "creator"))
# CKAN (ckanext-dcat: MAX_FILE_SIZE), bytes of one page.
_LARGEST_PAGE: Final = 50 << 20
# A page in RDF/XML has fewer bytes than so many times the characters of its statements.
_MOST_GROWTH: Final = 6
# Google's dataset search, characters of a description.
_SHORTEST, _LONGEST = 50, 5000


class Broken(NamedTuple):
    """Where a demand is not met: the member (a term, None for the feed), the property and value,
    and what else its words need."""

    member: str | None
    property: str | None = None
    value: str | None = None
    words: str = ""


class Offered(NamedTuple):
    """The feed that a portal would be given: the walk that made it, and what it lists."""

    walk: Walk
    members: Members

    def of(self, kind: str) -> list[str]:
        """The members of a kind, sorted."""
        return sorted(m for m, known in self.members.kinds.items() if known == kind)


@dataclass(frozen=True, slots=True)
class Demand:
    """One rule of a portal. violation: it loses the record; warning: it shows less of it."""

    name: str
    severity: str
    check: Callable[[Offered], Iterator[Broken]]


@dataclass(frozen=True, slots=True)
class Portal:
    """What the harvesters of one target do."""

    known_by: tuple[str, ...]
    takes: frozenset[str]
    demands: tuple[Demand, ...] = ()


# ---- all portals


def identifier_missing(offered: Offered) -> Iterator[Broken]:
    """Datasets that udata passes over, as it knows them by nothing else."""
    for member in offered.of(DATASET):
        if not offered.members.values(member, _IDENTIFIER):
            yield Broken(member, _IDENTIFIER)


def identifier_doubled(offered: Offered) -> Iterator[Broken]:
    """Members that bear the identifier of another one: a portal takes them for the same."""
    bearers: dict[str, list[str]] = defaultdict(list)
    for kind in (DATASET, SERIES):
        for member in offered.of(kind):
            for identifier in offered.members.values(member, _IDENTIFIER):
                bearers[identifier].append(member)
    for identifier, found in sorted(bearers.items()):
        for member in found[1:]:
            yield Broken(member, _IDENTIFIER, identifier, plain(found[0]))


# ---- CKAN


def keyword_lost(offered: Offered) -> Iterator[Broken]:
    """Keywords of which too little is left in the characters that CKAN takes."""
    for member, keyword in _keywords(offered):
        if ckan.keyword(keyword) is None:
            yield Broken(member, _KEYWORD, keyword)


def keyword_changed(offered: Offered) -> Iterator[Broken]:
    """Keywords that are written otherwise for CKAN."""
    for member, keyword in _keywords(offered):
        said = ckan.keyword(keyword)
        if said is not None and said != keyword:
            yield Broken(member, _KEYWORD, keyword, plain(said))


def _keywords(offered: Offered) -> Iterator[tuple[str, str]]:
    for member in offered.of(DATASET):
        for keyword in offered.walk.catalogue.values(member, _KEYWORD):
            yield member, keyword


def licence_unknown(offered: Offered) -> Iterator[Broken]:
    """Datasets none of whose files has a licence of CKAN's list: it shows them without one."""
    values = offered.members.values
    for member in offered.of(DATASET):
        files = values(member, _DISTRIBUTION)
        licences = {licence for file in files for licence in values(file, _LICENCE)}
        titles = {plain(title) for licence in licences for title in values(licence, _TITLE)}
        if files and not any(map(ckan.knows_licence, titles)):
            yield Broken(member, _LICENCE, min(licences, default=None))


def format_missing(offered: Offered) -> Iterator[Broken]:
    """Files of which CKAN cannot say the format."""
    for member in offered.of(DATASET):
        for file in sorted(offered.members.values(member, _DISTRIBUTION)):
            if not any(offered.members.values(file, way) for way in _FORMATS):
                yield Broken(member, _FORMATS[0], file)


def files_missing(offered: Offered) -> Iterator[Broken]:
    """Datasets of which CKAN shows nothing to open."""
    for member in offered.of(DATASET):
        if not offered.members.values(member, _DISTRIBUTION):
            yield Broken(member, _DISTRIBUTION)


def page_too_large(offered: Offered) -> Iterator[Broken]:
    """Pages that CKAN does not read to their end: it takes nothing of the whole feed."""
    for page in offered.walk.pages():
        lines = offered.walk.write(page)
        if _MOST_GROWTH * sum(map(len, lines)) < _LARGEST_PAGE:
            continue
        out = io.BytesIO()
        offered.walk.feed.put(lines, "rdf", out)
        if out.tell() >= _LARGEST_PAGE:
            yield Broken(None, None, str(page.number), f"{out.tell():,}")


# ---- search engines


def name_missing(offered: Offered) -> Iterator[Broken]:
    """Datasets without a name or a description are not taken up."""
    for member in offered.of(DATASET):
        for way in (_NAME, _DESCRIPTION):
            if not offered.members.values(member, way):
                yield Broken(member, way)


def description_length(offered: Offered) -> Iterator[Broken]:
    """Descriptions that are too short or too long to be taken up."""
    for member in offered.of(DATASET):
        for text in sorted(offered.members.values(member, _DESCRIPTION)):
            if not _SHORTEST <= len(plain(text)) <= _LONGEST:
                yield Broken(member, _DESCRIPTION, text, str(len(plain(text))))


def facts_missing(offered: Offered) -> Iterator[Broken]:
    """Datasets without what search engines recommend: licence and creator."""
    for member in offered.of(DATASET):
        for way in _WANTED:
            if not offered.members.values(member, way):
                yield Broken(member, way)


def address_missing(offered: Offered) -> Iterator[Broken]:
    """Files that nobody could open."""
    for member in offered.of(DATASET):
        for file in sorted(offered.members.values(member, _SPREAD)):
            if not offered.members.values(file, _CONTENT):
                yield Broken(member, _CONTENT, file)


PORTALS: Final[dict[str, Portal]] = {
    "dcat-ap": Portal(
        known_by=(_IDENTIFIER, IRI),
        takes=frozenset({DATASET, SERIES, SERVICE}),
        demands=(
            Demand("identifier-doubled", "violation", identifier_doubled),
            Demand("identifier-missing", "warning", identifier_missing),
        ),
    ),
    "dcat-ap-es": Portal(
        known_by=(IRI, _IDENTIFIER),
        takes=frozenset({DATASET, SERVICE}),
        demands=(Demand("identifier-doubled", "violation", identifier_doubled),),
    ),
    "ckan": Portal(
        known_by=(IRI, _IDENTIFIER),
        takes=frozenset({DATASET}),
        demands=(
            Demand("page-too-large", "violation", page_too_large),
            Demand("keyword-lost", "warning", keyword_lost),
            Demand("licence-unknown", "warning", licence_unknown),
            Demand("files-missing", "warning", files_missing),
            Demand("format-missing", "warning", format_missing),
            Demand("keyword-changed", "info", keyword_changed),
        ),
    ),
    "schema.org": Portal(
        known_by=(IRI,),
        takes=frozenset({DATASET, SERVICE}),
        demands=(
            Demand("name-missing", "violation", name_missing),
            Demand("description-length", "violation", description_length),
            Demand("address-missing", "violation", address_missing),
            Demand("facts-missing", "warning", facts_missing),
        ),
    ),
}
"""The harvesters of each target. A new target is a line here too."""


def grave(target: str, broken: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of the problems of a rehearsal those that lose something: violations, and what the portals
    themselves ask for."""
    asked = {demand.name for demand in PORTALS[target].demands}
    return [p for p in broken if p["severity"] == SEVERITIES[0] or p["component"] in asked]
