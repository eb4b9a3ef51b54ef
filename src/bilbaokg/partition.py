"""Which statement belongs to which record.

A pure function over statements: roots get a record each; every other subject belongs to the one
root that reaches it backwards; what several reach is a record of its own; what none reaches is the
source's "rest". What the store already assigned stands.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bilbaokg.terms import (
    AS,
    CSVW,
    DCAT,
    DCT,
    FOAF,
    HYDRA,
    LISTINGS,
    ODRL,
    ORG,
    PROV,
    RDF,
    SKOS,
    Statement,
    mint,
    record_id,
    ref,
    split_line,
)

__all__ = [
    "MEMBERSHIP",
    "ROOT_KINDS",
    "Assignment",
    "Home",
    "is_path",
    "kind_of",
    "partition",
    "rest_id",
]

# In order of precedence: the first class that fits gives the kind of the record.
ROOT_KINDS: Final[dict[str, str]] = {
    ref(iri): kind
    for kind, iris in (
        ("catalog", (DCAT.Catalog,)),
        ("series", (DCAT.DatasetSeries,)),
        ("dataset", (DCAT.Dataset,)),
        ("service", (DCAT.DataService,)),
        ("table", (CSVW.Table,)),
        ("job", (PROV.Plan,)),
        ("principle", (DCT.Standard,)),
        ("unit", (ORG.OrganizationalUnit,)),
        (
            "agent",
            (
                ORG.FormalOrganization,
                ORG.Organization,
                ORG.OrganizationalCollaboration,
                FOAF.Organization,
                FOAF.Person,
                FOAF.Group,
                FOAF.Agent,
            ),
        ),
        ("scheme", (SKOS.ConceptScheme,)),
        ("concept", (SKOS.Concept,)),
    )
    for iri in iris
}
_SHARED_KINDS: Final[dict[str, str]] = {
    ref(DCAT.Distribution): "distribution",
    ref(CSVW.Column): "column",
    ref(PROV.Activity): "run",
    ref(ODRL.Policy): "policy",
    ref(ODRL.Set): "policy",
    ref(ODRL.Agreement): "policy",
    ref(ODRL.Offer): "policy",
}
MEMBERSHIP: Final = LISTINGS | frozenset(
    map(ref, (SKOS.hasTopConcept, SKOS.member, ORG.hasUnit, ORG.hasMember))
)
_TYPE: Final = ref(RDF.type)
_TOMBSTONE: Final = ref(AS.Tombstone)
_FORMER: Final = ref(AS.formerType)
_CATALOG_RECORD: Final = ref(DCAT.CatalogRecord)
_TOPIC: Final = ref(FOAF.primaryTopic)
_SEVERAL: Final = "*"


@dataclass(frozen=True, slots=True)
class Home:
    """The record that a subject belongs to; `shared` when the record is not a root's."""

    id: str
    iri: str
    shared: bool = False


_REST: Final = Home("rest/", "", shared=True)
_HYDRA: Final = f"<{HYDRA}"


@dataclass(slots=True)
class Assignment:
    """Record id -> source -> lines; record id -> IRI; how many lines went to "rest"."""

    records: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    iris: dict[str, str] = field(default_factory=dict)
    rest: int = 0


def kind_of(types: Iterable[str], preferred: str = "") -> str | None:
    """The kind of a root with these classes (N-Triples terms), or None when it is no root.

    `preferred` is the type in an IRI that we minted: it wins where it is among the candidates.
    """
    held = set(types)
    kinds = [kind for cls, kind in ROOT_KINDS.items() if cls in held]
    if preferred in kinds:
        return preferred
    return kinds[0] if kinds else None


def partition(
    said: Mapping[str, Iterable[str]],
    base: str,
    *,
    known: Callable[[str], Home | None] = lambda _: None,
    referrers: Callable[[str], list[Home]] = lambda _: [],
) -> Assignment:
    """Assign every line of every source (name -> lines) to one record.

    known(subject term) tells the record that the store already gave a subject; referrers(subject
    term) the records whose statements in the store point to it. All sources are split as one, so
    the outcome does not depend on their order; what nothing reaches is the rest of its own source.
    To be in a rest is no assignment: it neither stands nor reaches anything.
    """
    parsed = {source: [split_line(line) for line in lines] for source, lines in said.items()}
    return _Partition(parsed, base, known, referrers).run()


def is_path(predicate: str) -> bool:
    """Whether records reach their parts over a property (N-Triples term)."""
    return (
        predicate not in (_TYPE, _FORMER)
        and predicate not in MEMBERSHIP
        and not predicate.startswith(_HYDRA)
    )


def rest_id(source: str) -> str:
    """The id of the record that holds what nothing reaches of a source."""
    return f"{_REST.id}{hashlib.sha256(source.encode()).hexdigest()[:16]}"


def _is_rest(home: Home) -> bool:
    return home.id.startswith(_REST.id)


class _Partition:
    def __init__(
        self,
        said: Mapping[str, list[Statement]],
        base: str,
        known: Callable[[str], Home | None],
        referrers: Callable[[str], list[Home]],
    ) -> None:
        self.said, self.base = said, base
        self.known_at, self.referrers_of = known, referrers
        self.types: dict[str, list[str]] = defaultdict(list)
        self.former: dict[str, list[str]] = defaultdict(list)
        self.links: dict[str, list[str]] = defaultdict(list)
        self.topics: dict[str, set[str]] = defaultdict(set)
        self.homes: dict[str, Home] = {}
        self.roots: set[str] = set()
        self.reached: dict[str, str] = {}

    def known(self, subject: str) -> Home | None:
        """The record that the store gave a subject."""
        home = self.known_at(subject)
        return home if home and not _is_rest(home) else None

    def referrers(self, subject: str) -> dict[str, Home]:
        """The records in the store that point to a subject, by id."""
        return {home.id: home for home in self.referrers_of(subject) if not _is_rest(home)}

    def run(self) -> Assignment:
        subjects = self._survey()
        self._settle(subjects)
        self._spread(deque((s, s) for s in self.homes))
        self._ask_referrers(subjects)
        return self._assign(subjects)

    def _survey(self) -> dict[str, None]:
        """Collect classes and the links along which records reach their parts."""
        statements = [s for said in self.said.values() for s in said]
        subjects = dict.fromkeys(sorted({s.subject for s in statements}))
        about = {s.subject for s in statements if s[1:] == (_TYPE, _CATALOG_RECORD)}
        for subject, predicate, object_ in statements:
            if predicate == _TYPE:
                self.types[subject].append(object_)
            elif predicate == _FORMER:
                self.former[subject].append(object_)
            elif predicate == _TOPIC and subject in about and object_.startswith("<"):
                # A catalogue record belongs to what it describes: the topic reaches it.
                self.links[object_].append(subject)
                self.topics[subject].add(object_)
            elif object_ in subjects and is_path(predicate):
                self.links[subject].append(object_)
        return subjects

    def _settle(self, subjects: Mapping[str, None]) -> None:
        """Give a home to roots and to what the store knows; hydra nodes go to the rest."""
        topics = set().union(*self.topics.values()) if self.topics else set()
        for subject in (*subjects, *sorted(topics - subjects.keys())):
            types = self.types.get(subject, [])
            kind = self._kind(subject, types)
            if not kind and any(t.startswith(_HYDRA) for t in types):
                self.homes[subject] = _REST
                continue
            home = self.known(subject)
            if home is None and kind:
                iri = subject[1:-1]
                home = Home(record_id(self.base, kind, iri), iri)
            if home:
                self.homes[subject] = home
            if home and f"<{home.iri}>" == subject and not home.shared:
                self.roots.add(subject)
        for record, described in self.topics.items():
            if len(described) == 1 and described <= self.roots and record not in self.homes:
                self.homes[record] = self.homes[min(described)]

    def _kind(self, subject: str, types: list[str]) -> str | None:
        preferred = ""
        prefix = f"<{self.base}/id/"
        if subject.startswith(prefix):
            preferred = subject[len(prefix) :].partition("/")[0]
        if _TOMBSTONE in types:
            return kind_of(self.former[subject], preferred)
        return kind_of(types, preferred)

    def _spread(self, queue: deque[tuple[str, str]]) -> None:
        """Walk from every settled subject; a free one is visited once by one, once by several."""
        while queue:
            subject, origin = queue.popleft()
            home = self.homes.get(origin)
            owner = _SEVERAL if home is None or home.shared else home.id
            if home and _is_rest(home):
                continue
            for part in self.links.get(subject, ()):
                if part in self.homes:
                    continue
                before = self.reached.get(part)
                if before in (owner, _SEVERAL):
                    continue
                self.reached[part] = _SEVERAL if before else owner
                queue.append((part, origin if not before else part))

    def _ask_referrers(self, subjects: Iterable[str]) -> None:
        """What nothing in this import reaches may be reached from the store."""
        queue: deque[tuple[str, str]] = deque()
        for subject in subjects:
            if subject in self.homes or subject in self.reached:
                continue
            found = self.referrers(subject)
            if len(found) == 1 and not (home := next(iter(found.values()))).shared:
                self.homes[subject] = home
                queue.append((subject, subject))
            elif found:
                self.reached[subject] = _SEVERAL
                queue.append((subject, subject))
        self._spread(queue)

    def _home(self, subject: str, by_id: Mapping[str, Home]) -> Home:
        if home := self.homes.get(subject):
            return home
        reached = self.reached.get(subject)
        if reached is None:
            return _REST
        return by_id[reached] if reached != _SEVERAL else self._shared(subject)

    def _shared(self, subject: str) -> Home:
        kinds = (_SHARED_KINDS.get(t) for t in self.types[subject])
        iri = subject[1:-1]
        return Home(
            record_id(self.base, next(filter(None, kinds), "shared"), iri), iri, shared=True
        )

    def _rest(self, source: str) -> Home:
        id = rest_id(source)
        return Home(id, mint(self.base, *id.split("/")), shared=True)

    def _assign(self, subjects: Iterable[str]) -> Assignment:
        by_id = {home.id: home for home in self.homes.values()}
        homes = {subject: self._home(subject, by_id) for subject in subjects}
        outcome = Assignment()
        for source, statements in self.said.items():
            rest = self._rest(source)
            for statement in statements:
                home = homes[statement.subject]
                if statement.predicate in MEMBERSHIP:
                    home = self._member(statement.object, homes) or home
                elif _is_hydra(statement):
                    home = _REST
                if home is _REST:
                    home = rest
                    outcome.rest += 1
                by_source = outcome.records.setdefault(home.id, {})
                by_source.setdefault(source, []).append(statement.line)
                outcome.iris[home.id] = home.iri
        return outcome

    def _member(self, member: str, homes: Mapping[str, Home]) -> Home | None:
        """The record that keeps a membership: that of the member, where it is a root here."""
        if member in self.roots or _CATALOG_RECORD in self.types.get(member, ()):
            return homes[member]
        if member in homes or not member.startswith("<"):
            return None
        home = self.known(member)
        return home if home and not home.shared and f"<{home.iri}>" == member else None


def _is_hydra(statement: Statement) -> bool:
    """Whether a statement is about transport: portals type their catalogue hydra:Collection too."""
    said = statement.object if statement.predicate == _TYPE else statement.predicate
    return said.startswith(_HYDRA)
