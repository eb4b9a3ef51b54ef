"""The nouns of bilbaokg, as frozen dataclasses without behaviour of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pyoxigraph import Dataset

__all__ = [
    "SCOPES",
    "SEVERITIES",
    "Difference",
    "Entry",
    "Event",
    "Problem",
    "Profile",
    "Query",
    "Record",
    "Release",
    "Report",
    "Source",
]

SEVERITIES: Final = ("violation", "warning", "info")
# Scope of a token -> those that it contains. Pipelines tell lineage and read nothing.
SCOPES: Final[Mapping[str, frozenset[str]]] = {
    "lineage": frozenset({"lineage"}),
    "read": frozenset({"read"}),
    "write": frozenset({"lineage", "read", "write"}),
    "publish": frozenset({"lineage", "read", "write", "publish"}),
    "admin": frozenset({"lineage", "read", "write", "publish", "admin"}),
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where statements come from.

    `name` is the identity under which later imports replace what this one said; `location` is a
    path, or None where `content` holds the bytes.
    """

    name: str
    location: Path | None
    media_type: str
    content: bytes | None = None
    base: str | None = None

    @property
    def label(self) -> str:
        """How messages call this source."""
        return str(self.location) if self.location else self.name


@dataclass(frozen=True, slots=True)
class Record:
    """One unit of editing, history and release.

    `text` is its exact content: sorted canonical N-Triples; `revision` is the SHA-256 of it.
    `visibility` is "public" or "internal".
    """

    id: str
    iri: str
    text: str
    revision: str
    number: int
    visibility: str
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding, in the shape that reports and `--json` use (strings, None where unknown).

    `severity` is one of SEVERITIES; `focus` is an IRI or `_:label`; `path` an IRI or SPARQL
    property path text; `source` is `{"file": ..., "line": ...}`. `label` is what the property is
    called; `allowed` at most ten values or what they must be; `nearest` what was probably meant, a
    literal as Turtle writes it; `detail` what is said of this value alone.
    """

    severity: str
    message: str
    focus: str | None = None
    path: str | None = None
    component: str | None = None
    value: str | None = None
    hint: str | None = None
    shape: str | None = None
    dataset: str | None = None
    title: str | None = None
    steward: str | None = None
    source: dict[str, Any] | None = None
    label: str | None = None
    allowed: tuple[str, ...] | None = None
    nearest: str | None = None
    detail: str | None = None
    owner: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The JSON members, in the order of the interface."""
        members = {member.name: getattr(self, member.name) for member in fields(self)}
        return {**members, "allowed": None if self.allowed is None else list(self.allowed)}

    @classmethod
    def of(cls, document: dict[str, Any]) -> Problem:
        """The problem that a document of `as_dict` describes."""
        allowed = document.get("allowed")
        return cls(**{**document, "allowed": None if allowed is None else tuple(allowed)})


@dataclass(frozen=True, slots=True)
class Difference:
    """What only one of two engines found, and how often more than the other.

    `path` is as in Problem.
    """

    engine: str
    focus: str
    path: str | None
    component: str
    severity: str
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a validation.

    `conforms` is what SHACL says (no result at all); `blocks_release` is what the profile's gate
    says. `focus_nodes` counts what was looked at. `differences` is what two engines did not agree
    on, None where one engine ran alone. `notes` are lines about the shapes themselves, which are no
    part of a report on data. `tables` are the imported authority tables that were known beside the
    bundled ones. `standard` makes the text of the standard report. `kind` names the words of its
    verdict: a validation's or the linter's.
    """

    profile: str
    engine: str
    results: tuple[Problem, ...]
    focus_nodes: int
    gate: frozenset[str] = frozenset({"violation"})
    differences: tuple[Difference, ...] | None = None
    notes: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    standard: Callable[[], str] | None = field(default=None, repr=False, compare=False)
    kind: str = "report"

    @property
    def conforms(self) -> bool:
        """No result of any severity (SHACL, section 3.6.1.1)."""
        return not self.results

    @property
    def blocks_release(self) -> bool:
        """Whether a result has a severity that the gate names."""
        return any(result.severity in self.gate for result in self.results)

    @property
    def counts(self) -> dict[str, int]:
        """Results by severity."""
        found = Counter(result.severity for result in self.results)
        return {severity: found[severity] for severity in SEVERITIES}

    def at_or_over(self, threshold: str) -> bool:
        """Whether a result is as severe as the threshold, or more ("never" is never reached)."""
        if threshold not in SEVERITIES:
            return False
        allowed = SEVERITIES[: SEVERITIES.index(threshold) + 1]
        return any(result.severity in allowed for result in self.results)

    @property
    def turtle(self) -> str:
        """The standard sh:ValidationReport (SHACL, section 3.6), made anew each time."""
        return self.standard() if self.standard else ""

    def graph(self) -> Dataset:
        """The same as `turtle`, as statements."""
        import pyoxigraph

        turtle = pyoxigraph.parse(self.turtle, format=pyoxigraph.RdfFormat.TURTLE)
        return pyoxigraph.Dataset(turtle)

    @classmethod
    def of(cls, document: dict[str, Any]) -> Report:
        """The report that a document of `as_dict` describes, without its graph."""
        results = tuple(Problem.of(result) for result in document["results"])
        return cls(document["profile"], document["engine"], results, document["focus_nodes"])

    def as_dict(self) -> dict[str, Any]:
        """The document of `validate --format json`."""
        document = {
            "conforms": self.conforms,
            "blocks_release": self.blocks_release,
            "profile": self.profile,
            "engine": self.engine,
            "counts": self.counts,
            "focus_nodes": self.focus_nodes,
            "results": [result.as_dict() for result in self.results],
        }
        if self.tables:
            document["tables"] = list(self.tables)
        if self.differences is not None:
            document["differences"] = [asdict(difference) for difference in self.differences]
        return document


@dataclass(frozen=True, slots=True)
class Profile:
    """A set of shapes with a gate; `shapes` and `background` are RDF files.

    `gate` holds for the export targets that have none of their own in `gates`; without `targets`
    it is made for all of them. `folder` is where its profile.toml stands, None where it has none;
    `tables` are the files of its background that were imported.
    """

    name: str
    version: str
    title: dict[str, str]
    shapes: tuple[Path, ...]
    background: tuple[Path, ...] = ()
    extends: tuple[str, ...] = ()
    gate: frozenset[str] = frozenset({"violation"})
    targets: tuple[str, ...] = ()
    gates: Mapping[str, frozenset[str]] = field(default_factory=dict)
    source: str | None = None
    folder: Path | None = None
    tables: tuple[Path, ...] = ()

    @property
    def label(self) -> str:
        """`name/version`, as reports and options write it."""
        return f"{self.name}/{self.version}"

    @property
    def stops(self) -> frozenset[str]:
        """The severities that stop a release: it goes to all targets, so any gate stops it."""
        if not self.targets:
            return self.gate.union(*self.gates.values())
        return frozenset[str]().union(*(self.gates.get(t, self.gate) for t in self.targets))


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the audit chain; `hash` covers the entry and the hash before it."""

    seq: int
    at: str
    actor: str
    kind: str
    subject: str
    detail: dict[str, Any]
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One record in a release: the SHA-256 of its released text, and its number of statements."""

    id: str
    iri: str
    sha256: str
    statements: int


@dataclass(frozen=True, slots=True)
class Release:
    """An immutable directory of released records.

    `sha256` is the hash of catalogue.nq; `manifest` is the whole manifest.json.
    """

    id: str
    path: Path
    created_at: str
    previous: str | None
    sha256: str
    manifest: dict[str, Any] = field(repr=False)

    @property
    def number(self) -> int:
        """The place in the order of releases: 2 for r2."""
        return int(self.id[1:])

    @property
    def entries(self) -> Iterable[Entry]:
        """The released records, by id."""
        return [Entry(**entry) for entry in self.manifest["content"]["entries"]]

    @property
    def held_back(self) -> int:
        """How many records were left out."""
        return sum(rule["count"] for rule in self.manifest["content"]["held_back"])


@dataclass(frozen=True, slots=True)
class Query:
    """A saved query: its text and what its header says. `params` maps a name to its type."""

    name: str
    text: str
    kind: str
    title: dict[str, str]
    params: dict[str, str]
