"""Which statement belongs to which record: rules 1 to 5 of the model, by name."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from helpers import BASE, lines
from hypothesis import given
from hypothesis import strategies as st

from bilbaokg.partition import (
    _SHARED_KINDS,
    MEMBERSHIP,
    ROOT_KINDS,
    Assignment,
    Home,
    kind_of,
    partition,
)
from bilbaokg.terms import (
    AS,
    DCAT,
    DCT,
    FOAF,
    HYDRA,
    KINDS,
    ORG,
    RDF,
    SKOS,
    Statement,
    record_id,
    ref,
    split_line,
)

DATASET = f"{BASE}/id/dataset/"


def split(turtle: str) -> dict[str, list[str]]:
    """Record id -> its statements, of one source over an empty store."""
    return texts(partition({"s": lines(turtle)}, BASE))


def texts(assigned: Assignment) -> dict[str, list[str]]:
    """Record id -> the statements of all sources, sorted."""
    return {
        id: sorted({line for said in by_source.values() for line in said})
        for id, by_source in sorted(assigned.records.items())
    }


def known(**homes: str) -> dict[str, Home]:
    """A store's assignment: local name of a foreign subject -> id of its record."""
    return {
        f"<https://other.example/{name}>": Home(id, f"{BASE}/id/{id}") for name, id in homes.items()
    }


# ---- rule 1: roots

ROOTS = [
    ("dcat:Catalog", "catalog"),
    ("dcat:Dataset", "dataset"),
    ("dcat:DatasetSeries", "series"),
    ("dcat:DataService", "service"),
    ("foaf:Agent", "agent"),
    ("foaf:Person", "agent"),
    ("foaf:Organization", "agent"),
    ("foaf:Group", "agent"),
    ("org:Organization", "agent"),
    ("org:FormalOrganization", "agent"),
    ("org:OrganizationalCollaboration", "agent"),
    ("org:OrganizationalUnit", "unit"),
    ("skos:ConceptScheme", "scheme"),
    ("skos:Concept", "concept"),
    ("dct:Standard", "principle"),
    ("prov:Plan", "job"),
    ("csvw:Table", "table"),
]


@pytest.mark.parametrize(("cls", "kind"), ROOTS)
def test_rule_1_every_root_class_gives_a_record(cls: str, kind: str) -> None:
    (id,) = split(f"x:a a {cls} .")
    assert id == record_id(BASE, kind, "https://other.example/a")


@pytest.mark.parametrize(
    "cls", ["dcat:Distribution", "dcat:CatalogRecord", "dct:Location", "org:Membership", "x:Y"]
)
def test_rule_1_other_classes_are_no_roots(cls: str) -> None:
    (id,) = split(f"x:a a {cls} .")
    assert id.startswith("rest/")


def test_rule_1_one_record_each() -> None:
    found = split(f":a a dcat:Dataset . :b a dcat:Dataset . <{BASE}/id/unit/c> a foaf:Agent .")
    assert set(found) == {"dataset/a", "dataset/b", record_id(BASE, "agent", f"{BASE}/id/unit/c")}


def test_rule_1_of_several_classes_the_first_of_the_table_counts_unless_the_iri_says() -> None:
    assert kind_of(map(ref, (FOAF.Agent, DCAT.Dataset))) == "dataset"
    assert kind_of(map(ref, (DCAT.DatasetSeries, DCAT.Dataset))) == "series"
    assert kind_of(map(ref, (ORG.OrganizationalUnit, FOAF.Agent))) == "unit"
    assert kind_of(map(ref, (ORG.OrganizationalUnit, FOAF.Agent)), "agent") == "agent"
    assert kind_of(map(ref, (DCAT.Dataset,)), "agent") == "dataset"
    assert kind_of(map(ref, (DCAT.Distribution,))) is None
    assert set(split("agent:x a org:OrganizationalUnit, foaf:Agent .")) == {"agent/x"}


def test_kinds_are_those_that_settings_know() -> None:
    known = {*ROOT_KINDS.values(), *_SHARED_KINDS.values(), "shared", "rest"}
    assert known == set(KINDS)


def test_rule_1_tombstone_keeps_the_kind_that_it_had() -> None:
    found = split(":a a as:Tombstone ; as:formerType dcat:Dataset . :b a as:Tombstone .")
    assert set(found) == {"dataset/a", next(id for id in found if id.startswith("rest/"))}


# ---- rule 2: membership

MEMBERSHIPS = [
    "dcat:dataset",
    "dcat:service",
    "dcat:catalog",
    "dcat:resource",
    "skos:hasTopConcept",
    "skos:member",
    "org:hasUnit",
    "org:hasMember",
]


@pytest.mark.parametrize("predicate", MEMBERSHIPS)
def test_rule_2_membership_goes_into_the_record_of_the_member(predicate: str) -> None:
    found = split(f"x:whole a dcat:Catalog ; {predicate} :a . :a a dcat:Dataset .")
    (statement,) = lines(f"x:whole {predicate} :a .")
    assert statement in found["dataset/a"]
    assert len(found["dataset/a"]) == 2


def test_rule_2_membership_of_what_is_no_root_here_stays_with_the_whole() -> None:
    found = split("x:whole a dcat:Catalog ; dcat:dataset :elsewhere, :untyped . :untyped dct:x 1 .")
    (catalog,) = (id for id in found if id.startswith("catalog/"))
    assert len(found[catalog]) == 3


def test_rule_2_membership_is_no_path() -> None:
    found = split(":a a dcat:Dataset ; dcat:resource :b . :b dct:title 'b' .")
    (rest,) = (id for id in found if id.startswith("rest/"))
    assert found[rest] == lines(":b dct:title 'b' .")


def test_rule_2_member_that_the_store_knows_as_a_root_keeps_its_membership() -> None:
    store = {f"<{DATASET}a>": Home("dataset/a", f"{DATASET}a")}
    said = {"s": lines("x:whole a dcat:Catalog ; dcat:dataset :a, :b .")}
    found = texts(partition(said, BASE, known=store.get))
    assert found["dataset/a"] == lines("x:whole dcat:dataset :a .")


def test_rule_2_member_that_the_store_knows_as_a_part_is_no_root() -> None:
    store = known(part="dataset/a")
    said = {"s": lines(":whole a dcat:Dataset ; dcat:resource x:part .")}
    assert set(partition(said, BASE, known=store.get).records) == {"dataset/whole"}


def test_rule_2_catalogue_record_belongs_to_its_topic() -> None:
    found = split(
        """x:whole a dcat:Catalog ; dcat:record x:r . :a a dcat:Dataset .
        x:r a dcat:CatalogRecord ; foaf:primaryTopic :a ; dct:source x:part . x:part dct:x 1 ."""
    )
    assert set(found) == {"dataset/a", next(id for id in found if id.startswith("catalog/"))}
    assert lines("x:whole dcat:record x:r .")[0] in found["dataset/a"]
    assert len(found["dataset/a"]) == 6


def test_rule_2_catalogue_record_belongs_to_its_topic_whoever_else_names_it() -> None:
    found = split(
        """:a a dcat:Dataset . :b a dcat:Dataset ; dct:relation x:r .
        x:r a dcat:CatalogRecord ; foaf:primaryTopic :a ."""
    )
    assert len(found["dataset/a"]) == 3


def test_rule_2_catalogue_record_finds_its_topic_in_the_store() -> None:
    store = {f"<{DATASET}a>": Home("dataset/a", f"{DATASET}a")}
    said = {"s": lines("x:r a dcat:CatalogRecord ; foaf:primaryTopic :a .")}
    assert set(partition(said, BASE, known=store.get).records) == {"dataset/a"}


def test_rule_2_catalogue_record_of_several_topics_is_shared_in_any_order() -> None:
    text = """:a a dcat:Dataset . :b a dcat:Dataset .
        x:r a dcat:CatalogRecord ; foaf:primaryTopic :a, :b ."""
    said = lines(text)
    assert texts(partition({"s": said}, BASE)) == texts(partition({"s": said[::-1]}, BASE))
    assert any(id.startswith("shared/") for id in split(text))


def test_rule_2_topic_that_is_a_text_is_no_topic() -> None:
    found = partition(
        {"s": lines("x:r a dcat:CatalogRecord ; foaf:primaryTopic 'a' .")},
        BASE,
        known=lambda subject: None if subject.startswith("<") else pytest.fail(subject),
    )
    assert found.rest == 2


# ---- rule 3: parts


def test_rule_3_part_belongs_to_the_one_root_that_reaches_it_over_any_path() -> None:
    found = split(
        """:a a dcat:Dataset ; dcat:distribution x:d . x:d a dcat:Distribution ; x:p x:e .
        x:e x:q x:f . x:f dct:title 'far' ; x:back x:d ."""
    )
    assert set(found) == {"dataset/a"}
    assert len(found["dataset/a"]) == 7


def test_rule_3_part_of_several_roots_is_a_record_of_its_own() -> None:
    found = split(
        """:a a dcat:Dataset ; dcat:contactPoint x:c . :b a dcat:Dataset ; dcat:contactPoint x:c .
        x:c vcard:fn 'Open data' ; x:more x:d . x:d dct:x 1 ."""
    )
    contact, more = (record_id(BASE, "shared", f"https://other.example/{n}") for n in "cd")
    assert set(found) == {"dataset/a", "dataset/b", contact, more}


@pytest.mark.parametrize(
    ("cls", "kind"),
    [
        ("dcat:Distribution", "distribution"),
        ("csvw:Column", "column"),
        ("prov:Activity", "run"),
        ("odrl:Set", "policy"),
        ("odrl:Agreement", "policy"),
        ("dct:LicenseDocument", "shared"),
    ],
)
def test_rule_3_shared_records_have_the_kind_of_their_class(cls: str, kind: str) -> None:
    found = split(f":a a dcat:Dataset ; x:p x:c . :b a dcat:Dataset ; x:p x:c . x:c a {cls} .")
    assert record_id(BASE, kind, "https://other.example/c") in found


def test_rule_3_what_no_root_reaches_is_the_one_rest_of_its_source() -> None:
    said = {"s": lines("x:a dct:x 1 . x:b x:p x:c . x:c x:p x:b ."), "t": lines("x:d dct:x 1 .")}
    assigned = partition(said, BASE)
    assert len(assigned.records) == 2
    assert all(id.startswith("rest/") for id in assigned.records)
    assert sorted(len(by["s"]) for by in assigned.records.values() if "s" in by) == [3]
    assert assigned.rest == 4


def test_rule_3_type_is_no_path() -> None:
    found = split(":a a dcat:Dataset, x:Kind . x:Kind dct:title 'Kind' .")
    assert len(found["dataset/a"]) == 2


def test_rule_3_walk_stops_at_roots() -> None:
    found = split(
        """:a a dcat:Dataset ; dct:publisher agent:p . agent:p a foaf:Agent ; x:p x:part .
        x:part dct:x 1 ."""
    )
    assert len(found["agent/p"]) == 3


# ---- rule 3: the first assignment stands


def test_rule_3_part_that_the_store_knows_stays_where_it_is() -> None:
    said = {"s": lines(":b a dcat:Dataset ; x:p x:part . x:part dct:title 'now' .")}
    found = texts(partition(said, BASE, known=known(part="dataset/a").get))
    assert found["dataset/a"] == lines("x:part dct:title 'now' .")


def test_rule_3_part_that_is_now_typed_as_a_root_stays_where_it_is() -> None:
    said = {"s": lines("x:part a foaf:Agent .")}
    assert set(partition(said, BASE, known=known(part="dataset/a").get).records) == {"dataset/a"}


def test_rule_3_what_a_known_part_reaches_belongs_with_it() -> None:
    said = {"s": lines("x:part x:p x:new . x:new dct:title 'new' .")}
    assert set(partition(said, BASE, known=known(part="dataset/a").get).records) == {"dataset/a"}


def test_rule_3_what_a_shared_record_reaches_is_shared() -> None:
    store = {"<https://other.example/c>": Home("shared/c", "https://other.example/c", shared=True)}
    said = {"s": lines("x:c x:p x:new . x:new dct:title 'new' .")}
    found = partition(said, BASE, known=store.get).records
    assert set(found) == {"shared/c", record_id(BASE, "shared", "https://other.example/new")}


def test_rule_3_one_record_of_the_store_that_points_to_it_takes_a_new_subject() -> None:
    said = {"s": lines("x:new dct:title 'new' ; x:p x:more . x:more dct:x 1 .")}
    homes = [Home("dataset/a", f"{DATASET}a")]
    found = partition(said, BASE, referrers=lambda s: homes if s.endswith("new>") else [])
    assert set(found.records) == {"dataset/a"}


def test_rule_3_several_records_of_the_store_that_point_to_it_share_a_new_subject() -> None:
    said = {"s": lines("x:new dct:title 'new' .")}
    homes = [Home("dataset/a", f"{DATASET}a"), Home("dataset/b", f"{DATASET}b")]
    found = partition(said, BASE, referrers=lambda _: homes)
    assert set(found.records) == {record_id(BASE, "shared", "https://other.example/new")}


def test_rule_3_rest_is_no_assignment_and_reaches_nothing() -> None:
    rest = Home("rest/0123", f"{BASE}/id/rest/0123", shared=True)
    said = {"s": lines(":a a dcat:Dataset ; x:p x:part . x:part dct:x 1 . x:other dct:x 1 .")}
    found = partition(said, BASE, known=lambda _: rest, referrers=lambda _: [rest])
    assert {id.partition("/")[0] for id in found.records} == {"dataset", "rest"}
    assert len(found.records["dataset/a"]["s"]) == 3
    assert found.rest == 1


# ---- rule 5: transport


def test_rule_5_hydra_nodes_are_kept_in_the_rest() -> None:
    found = split(
        """x:whole a dcat:Catalog ; hydra:view x:page ; hydra:totalItems 3 ; dct:title 'All' .
        x:page a hydra:PartialCollectionView ; hydra:next x:page2 . x:page2 dct:title 'two' ."""
    )
    (rest,) = (id for id in found if id.startswith("rest/"))
    (catalog,) = (id for id in found if id.startswith("catalog/"))
    assert found[catalog] == lines("x:whole a dcat:Catalog ; dct:title 'All' .")
    assert len(found[rest]) == 5


def test_rule_5_catalogue_that_is_a_hydra_collection_too_is_a_catalogue() -> None:
    found = split(
        "x:whole a dcat:Catalog, hydra:Collection ; dcat:dataset :a . :a a dcat:Dataset ."
    )
    (catalog,) = (id for id in found if id.startswith("catalog/"))
    assert found[catalog] == lines("x:whole a dcat:Catalog .")
    assert "dataset/a" in found


# ---- for any graph

NAMES = [*(f"<https://other.example/{n}>" for n in "abcdefg"), f"<{DATASET}a>"]
CLASSES = [DCAT.Dataset, DCAT.Catalog, FOAF.Agent, DCAT.Distribution, DCAT.CatalogRecord]
CLASSES += [HYDRA.Collection]
PREDICATES = [DCT.relation, DCT.source, DCAT.dataset, DCAT.record, SKOS.member, FOAF.primaryTopic]
PREDICATES += [HYDRA.view]
NODES = st.sampled_from(NAMES)
TYPED = st.builds(Statement, NODES, st.just(ref(RDF.type)), st.sampled_from(CLASSES).map(ref))
LINKED = st.builds(Statement, NODES, st.sampled_from(PREDICATES).map(ref), NODES)
PLAIN = st.builds(Statement, NODES, st.just(ref(DCT.title)), st.just('"x"'))
GRAPHS = st.lists(TYPED | LINKED | LINKED | PLAIN, max_size=20, unique=True)

REST = "rest"


class Naive:
    """The rule read backwards, from a statement to its roots, as the model words it."""

    def __init__(self, graph: Iterable[Statement]) -> None:
        self.graph = set(graph)
        self.subjects = {s.subject for s in self.graph}

    def is_a(self, node: str, *classes: str) -> bool:
        return any(Statement(node, ref(RDF.type), ref(cls)) in self.graph for cls in classes)

    def is_root(self, node: str) -> bool:
        return self.is_a(node, DCAT.Dataset, DCAT.Catalog, FOAF.Agent)

    def is_transport(self, node: str) -> bool:
        return self.is_a(node, HYDRA.Collection) and not self.is_root(node)

    def is_record(self, node: str) -> bool:
        return self.is_a(node, DCAT.CatalogRecord)

    def topics(self, node: str) -> set[str]:
        return {s.object for s in self.graph if s[:2] == (node, ref(FOAF.primaryTopic))}

    def pointing(self, node: str) -> set[str]:
        """The subjects from which one step leads to a node."""
        found = set()
        for s, p, o in self.graph:
            no_path = p == ref(RDF.type) or p in MEMBERSHIP or p.startswith(f"<{HYDRA}")
            if (
                o == node
                and not no_path
                and not (p == ref(FOAF.primaryTopic) and self.is_record(s))
            ):
                found.add(s)
        return found | (self.topics(node) & self.subjects if self.is_record(node) else set())

    def owners(self, node: str, seen: frozenset[str] = frozenset()) -> set[str]:
        """The roots that reach a node, stopping at roots."""
        found: set[str] = set()
        for before in self.pointing(node) - seen:
            if self.is_root(before):
                found.add(before)
            elif self.settled(before):
                found |= self.settled(before)
            elif not self.is_transport(before):
                found |= self.owners(before, seen | {node})
        return found

    def settled(self, node: str) -> set[str]:
        """The topic that a catalogue record belongs to."""
        topics = self.topics(node)
        if self.is_record(node) and len(topics) == 1 and self.is_root(min(topics)):
            return topics
        return set()

    def home(self, node: str) -> str:
        if self.is_root(node):
            return node
        if self.is_transport(node):
            return REST
        owners = self.settled(node) or self.owners(node)
        return min(owners) if len(owners) == 1 else f"shared {node}" if owners else REST

    def home_of(self, statement: Statement) -> str:
        subject, predicate, object_ = statement
        if predicate in MEMBERSHIP and (self.is_root(object_) or self.is_record(object_)):
            return self.home(object_)
        hydra = object_ if predicate == ref(RDF.type) else predicate
        return REST if hydra.startswith(f"<{HYDRA}") else self.home(subject)

    def records(self) -> list[list[str]]:
        """The statements, grouped."""
        groups: dict[str, list[str]] = {}
        for statement in self.graph:
            groups.setdefault(self.home_of(statement), []).append(statement.line)
        return sorted(map(sorted, groups.values()))


@given(GRAPHS)
def test_linear_walk_gives_what_the_rule_read_backwards_gives(graph: list[Statement]) -> None:
    assigned = partition({"s": [s.line for s in graph]}, BASE)
    assert sorted(texts(assigned).values()) == Naive(graph).records()


@given(GRAPHS)
def test_every_statement_is_in_one_record(graph: list[Statement]) -> None:
    assigned = partition({"s": [s.line for s in graph]}, BASE)
    held = [line for by in assigned.records.values() for said in by.values() for line in said]
    assert sorted(held) == sorted(s.line for s in graph)
    rest = [len(by["s"]) for id, by in assigned.records.items() if id.startswith("rest/")]
    assert assigned.rest == sum(rest)
    assert set(assigned.iris) == set(assigned.records)


@given(GRAPHS, st.randoms(use_true_random=False))
def test_order_of_statements_changes_nothing(graph: list[Statement], chance: random.Random) -> None:
    said = [s.line for s in graph]
    before = texts(partition({"s": said}, BASE))
    chance.shuffle(said)
    assert texts(partition({"s": said}, BASE)) == before


@given(GRAPHS, st.lists(st.sampled_from("stu"), min_size=20, max_size=20), st.permutations("stu"))
def test_order_of_sources_and_how_they_share_the_work_change_nothing(
    graph: list[Statement], sayers: list[str], order: list[str]
) -> None:
    by_source: dict[str, list[str]] = {
        name: [s.line for s, sayer in zip(graph, sayers, strict=False) if sayer == name]
        for name in "stu"
    }
    alone = texts(partition({"s": [s.line for s in graph]}, BASE))
    together = texts(partition(by_source, BASE))
    assert texts(partition({name: by_source[name] for name in order}, BASE)) == together
    own = {id: held for id, held in alone.items() if not id.startswith("rest/")}
    assert {id: held for id, held in together.items() if not id.startswith("rest/")} == own


@given(GRAPHS)
def test_what_was_assigned_is_assigned_so_again(graph: list[Statement]) -> None:
    said = {"s": [s.line for s in graph]}
    first = partition(said, BASE)
    members = set(MEMBERSHIP)
    store: dict[str, Home] = {}
    for id, by in first.records.items():
        for statement in map(split_line, by["s"]):
            if statement.predicate not in members:
                shared = id.partition("/")[0] in ("shared", "rest", "distribution")
                if id.startswith("rest/"):
                    store.setdefault(statement.subject, Home(id, first.iris[id], shared))
                else:
                    store[statement.subject] = Home(id, first.iris[id], shared)
    again = partition(said, BASE, known=store.get)
    assert texts(again) == texts(first)


def test_former_type_is_no_path() -> None:
    found = split(
        f":a a as:Tombstone ; as:formerType <{DCAT.Dataset}> . <{DCAT.Dataset}> dct:x 1 ."
    )
    assert lines(f":a <{AS.formerType}> <{DCAT.Dataset}> .")[0] in found["dataset/a"]
    assert len(found["dataset/a"]) == 2
