"""What each page shows, as frozen dataclasses: the contract between `pages.py` and the templates.

`SomePage` is drawn by `web/templates/some.html`, which uses every field and no other. Addresses are
ready to print: they carry the path prefix and were checked to be safe links.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bilbaokg.index import Piece, Text

__all__ = [
    "Action",
    "Assertion",
    "Card",
    "Carried",
    "ChangeGroup",
    "Choice",
    "Cut",
    "DatasetPage",
    "DatasetsPage",
    "Distribution",
    "EmptyPage",
    "FacetGroup",
    "Fate",
    "Finding",
    "FindingGroup",
    "FindingKind",
    "Group",
    "HeldBack",
    "Hints",
    "HomePage",
    "KindPage",
    "LineageStep",
    "Listed",
    "MentionPage",
    "Node",
    "Pager",
    "Passage",
    "RehearsalPage",
    "ReleasePage",
    "ReleaseRow",
    "ReleasesPage",
    "ResourcePage",
    "Responsible",
    "SavedQuery",
    "SearchGroup",
    "SearchPage",
    "SparqlPage",
    "Tile",
    "TombstonePage",
    "ValidationPage",
    "Value",
]


@dataclass(frozen=True, slots=True)
class Value:
    """A term as it is shown: its text and language, where it leads, and what it is exactly.

    `term` is the IRI or the datatype's short name, for a title attribute; `parts` are the
    statements about a nameless node, shown in its place.
    """

    text: Text
    href: str | None = None
    term: str = ""
    parts: list[Group] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Group:
    """A property with its values."""

    name: Value
    values: list[Value]


@dataclass(frozen=True, slots=True)
class Node:
    """One subject of a record with all that is said of it; `anchor` is its id on the page."""

    anchor: str
    iri: str
    groups: list[Group]


@dataclass(frozen=True, slots=True)
class Action:
    """A link with a text of its own: a format to download, a filter to take away, a page."""

    text: str
    href: str
    rel: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure with what it counts; `href` leads to the things counted."""

    count: int
    text: str
    href: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a text with what was looked for; `name` says which, None where it is the summary
    itself."""

    name: str | None
    lang: str
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Card:
    """One record in a list; `context` is its area, its vocabulary or what it is part of.

    `access` is None where it is public. Of a search `marked` is the title with its hits, and
    `passage` another place that has some.
    """

    href: str
    title: Text
    summary: Text
    context: list[Value]
    formats: list[str]
    modified: str | None
    access: Value | None
    marked: Sequence[Piece] = ()
    passage: Passage | None = None


@dataclass(frozen=True, slots=True)
class Pager:
    """Where in a list we are; `previous` and `next` are addresses or None at the ends."""

    page: int
    pages: int
    first: int
    last: int
    total: int
    previous: str | None
    next: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that a facet or a sort order offers."""

    value: str
    text: Text
    count: int = 0
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class FacetGroup:
    """A facet: its form field name, its title, its values; `open` when one is chosen.

    `more` values have fewer entries and are not shown.
    """

    name: str
    title: str
    choices: list[Choice]
    open: bool = False
    more: int = 0


@dataclass(frozen=True, slots=True)
class Hints:
    """What helps who searches: synonyms that were looked for too; where nothing was found, the
    words spelt otherwise, how much there is without filters, and how much of each word."""

    synonyms: list[str]
    corrected: Action | None
    unfiltered: Tile | None
    words: list[Tile]


@dataclass(frozen=True, slots=True)
class EmptyPage:
    """Nothing is released yet. `command` is what the operator runs next."""

    command: str


@dataclass(frozen=True, slots=True)
class HomePage:
    """The entrance: how much there is, what changed, the ways in."""

    title: str
    tiles: list[Tile]
    themes: list[Tile]
    areas: list[Tile]
    gaps: list[Tile]
    recent: list[Card]
    release: str
    released: str
    changes: tuple[int, int, int]
    tour: bool
    kinds: list[Tile]


@dataclass(frozen=True, slots=True)
class DatasetsPage:
    """The list of datasets with its filters; a plain GET form."""

    q: str
    sorts: list[Choice]
    facets: list[FacetGroup]
    hidden: list[tuple[str, str]]
    chips: list[Action]
    clear: str
    cards: list[Card]
    pager: Pager
    csv: str
    elsewhere: list[Tile]
    hints: Hints


@dataclass(frozen=True, slots=True)
class SearchGroup:
    """The best entries of one kind; `href` leads to all `total` of them."""

    kind: str
    total: int
    cards: list[Card]
    href: str


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Everything that words find, by kind.

    `terms` are keywords and names that hold the words; where nothing was found, those most in use.
    """

    q: str
    total: int
    groups: list[SearchGroup]
    terms: list[Tile]
    hints: Hints
    release: str


@dataclass(frozen=True, slots=True)
class KindPage:
    """All records of one kind, by name; `schemes` narrow them to one vocabulary."""

    kind: str
    q: str
    scheme: str
    schemes: list[Tile]
    rows: list[Card]
    pager: Pager
    hints: Hints


@dataclass(frozen=True, slots=True)
class Distribution:
    """One way to get the data."""

    title: Value
    format: str
    size: str
    modified: str | None
    licence: Value | None
    download: str | None
    access: str | None
    availability: Value | None


@dataclass(frozen=True, slots=True)
class Responsible:
    """Who answers for a dataset in one role; `since` is a date or None."""

    role: Text
    agent: Value
    since: str | None = None


@dataclass(frozen=True, slots=True)
class LineageStep:
    """A neighbour in the lineage and what lies one step further."""

    near: Value
    far: list[Value]


@dataclass(frozen=True, slots=True)
class Assertion:
    """Whether a principle is met: outcome is passed, failed, untested or another EARL name."""

    principle: Value
    outcome: str
    automatic: bool
    date: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of the release's validation, or `count` of the same about different parts."""

    severity: str
    property: Value | None
    message: str
    value: str | None
    hint: str | None
    steward: str | None
    count: int = 1


@dataclass(frozen=True, slots=True)
class DatasetPage:
    """A dataset: how to get it, who answers for it, where it comes from, what it lacks.

    `island` is the dataset in JSON-LD, for search engines.
    """

    id: str
    iri: str
    title: Text
    summary: Text
    tags: list[Value]
    facts: list[Group]
    keywords: list[Value]
    distributions: list[Distribution]
    upstream: list[LineageStep]
    downstream: list[LineageStep]
    tables: list[Value]
    assertions: list[Assertion]
    responsible: list[Responsible]
    missing: list[str]
    contact: list[Value]
    series: list[Value]
    services: list[Value]
    usages: list[Value]
    gaps: list[str]
    findings: list[Finding]
    formats: list[Action]
    sparql: str
    nodes: list[Node]
    island: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """The datasets for which a resource is something (their area, theme, format...).

    `facet` names what; `href` leads to all `total` of them.
    """

    facet: str
    total: int
    cards: list[Card]
    href: str


@dataclass(frozen=True, slots=True)
class ResourcePage:
    """Any other resource: what is said of it and what points to it, names first.

    `cut` is how many statements that point to it were looked at where there are more, else 0.
    """

    id: str
    iri: str
    kind: str
    title: Text
    summary: Text
    record: Value | None
    groups: list[Group]
    listed: list[Listed]
    incoming: list[Group]
    cut: int
    formats: list[Action]
    sparql: str
    nodes: list[Node]


@dataclass(frozen=True, slots=True)
class MentionPage:
    """What the release names and does not describe: a licence, a format, a thing of others.

    `href` leads to it, None where a browser should not follow; `cut` as of a ResourcePage.
    """

    iri: str
    title: Text
    href: str | None
    listed: list[Listed]
    incoming: list[Group]
    cut: int
    sparql: str


@dataclass(frozen=True, slots=True)
class TombstonePage:
    """What is left of a record that was deleted; `successor` replaces it."""

    iri: str
    title: Text
    former: Value | None
    deleted: str | None
    successor: Value | None


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """The findings about one dataset, or about what belongs to none."""

    anchor: str
    title: Value
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class FindingKind:
    """A finding with how many datasets (or other subjects) it is about."""

    finding: Finding
    subjects: int


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A rule of the gate, and how many records it kept out of the release; never which."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class ValidationPage:
    """The validation of the release: the verdict, then what to mend.

    `verdict` is clean, warnings, held, waived, blocked or unchecked; `counts` are results by
    severity; `kinds` the different findings; `more` counts groups that are not shown.
    """

    release: str
    verdict: str
    profile: str
    engine: str
    focus_nodes: int
    counts: list[tuple[str, int]]
    waived: str | None
    held_back: list[HeldBack]
    kinds: list[FindingKind]
    groups: list[FindingGroup]
    more: int
    severity: str


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One release; `changes` are new, changed and gone records.

    `waived` and `accepted` are the reasons for findings and for what portals may delete.
    """

    id: str
    href: str
    created: str
    current: bool
    records: int
    statements: int
    held_back: int
    waived: str | None
    accepted: str | None
    changes: tuple[int, int, int]
    note: str


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """The records that a release brought, changed or withdrew (`kind`: new, changed, gone).

    `records` are named, `more` are not shown, `unnamed` are not in the current release.
    """

    kind: str
    count: int
    records: list[Value]
    more: int
    unnamed: int


@dataclass(frozen=True, slots=True)
class Cut:
    """How many statements of a property, or things of a class, a target does not carry."""

    name: Value
    count: int


@dataclass(frozen=True, slots=True)
class Carried:
    """What the feed of a target leaves out of a release: the `count` of statements, the properties
    with most of them, and how many `more` properties there are."""

    target: str
    href: str
    count: int
    cuts: list[Cut]
    more: int


@dataclass(frozen=True, slots=True)
class ReleasePage:
    """One release and what it changed since `previous` (None where that is not there)."""

    row: ReleaseRow
    previous: str | None
    first: bool
    sha256: str
    groups: list[ChangeGroup]
    carried: list[Carried]


@dataclass(frozen=True, slots=True)
class Fate:
    """What a portal would do with one record, and why: in words, or by the names of properties."""

    title: str
    iri: str
    words: str


@dataclass(frozen=True, slots=True)
class RehearsalPage:
    """What the portals of a target would do were a release made now; for signed-in people.

    `fates` are the records by what becomes of them (deleted, replaced, created, changed), the first
    of each, with `counts`; `release` is what it is held against, None before the first; `rules` are
    what loses a record or what portals themselves ask for, drawn together, with the first titles
    of whom it is about; `others` counts the other findings.
    """

    target: str
    targets: list[Choice]
    release: str | None
    records: int
    counts: dict[str, int]
    fates: list[tuple[str, list[Fate]]]
    held_back: list[Fate]
    severities: dict[str, int]
    rules: list[tuple[Finding, list[str]]]
    others: int
    statements: list[Cut]
    nodes: list[Cut]
    unused: list[Cut]
    data: str


@dataclass(frozen=True, slots=True)
class ReleasesPage:
    """All releases, newest first."""

    rows: list[ReleaseRow]


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """An example to start from."""

    title: str
    description: str
    href: str


@dataclass(frozen=True, slots=True)
class SparqlPage:
    """The query form and what the last query gave.

    `boolean` answers ASK; `rows` are None before a run, and triples for a CONSTRUCT;
    `more` says that there are further rows; `error` comes with the line where it stands, and with
    its `detail` in English where it was put into other words.
    """

    query: str
    saved: list[SavedQuery]
    columns: list[str]
    rows: list[list[Value | None]] | None
    boolean: bool | None
    milliseconds: int
    more: bool
    downloads: list[Action]
    error: Text | None
    detail: str | None
    line: int | None
    excerpt: str | None
    hint: str | None
    endpoint: str
