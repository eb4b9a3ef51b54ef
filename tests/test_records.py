"""Records: merging by source, history, deletion, visibility: rules 6 to 8 of the model, by name."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from helpers import BASE, content_hash, lines, wipe
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from test_partition import GRAPHS

from bilbaokg.errors import CorruptStore, Gone, Invalid, NotFound
from bilbaokg.merging import Plan, text_of
from bilbaokg.model import Event
from bilbaokg.planning import Planner
from bilbaokg.records import Records
from bilbaokg.settings import Settings
from bilbaokg.store import GraphChange
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import DCAT, DCT, PROV, XSD, literal, ref, split_lines

A, B = f"{BASE}/id/dataset/a", f"{BASE}/id/dataset/b"


def save(records: Records, missing: tuple[str, ...] = (), why: str = "import", **said: str) -> Plan:
    """Import what each source says now, in Turtle."""
    told = {name: lines(text) for name, text in said.items()}
    plan = Planner(records).plan(told, missing=missing)
    records.commit(plan, actor="ane", kind="load", subject=", ".join(said), why=why)
    return plan


def load(records: Records, said: Mapping[str, list[str]]) -> Event | None:
    """Import what each source says now, as lines."""
    return records.commit(Planner(records).plan(said), actor="a", kind="load", subject="", why="")


def text(turtle: str) -> str:
    """The exact text of a record with these statements."""
    return text_of(lines(turtle))


def projection(records: Records, id: str) -> set[str]:
    """The statements that queries see of a record."""
    found = records.store.match(graph=records.graph(id))
    return {f"{s} {p} {o} ." for s, p, o, _ in found}


def normalised(text: str) -> set[str]:
    """What an Oxigraph store makes of a text."""
    store = ox.Store()
    store.load(text.encode(), ox.RdfFormat.N_TRIPLES, lenient=True)
    return {f"{quad.triple} ." for quad in store}


# ---- reading


def test_record_holds_its_exact_text_and_the_hash_of_it(records: Records) -> None:
    said = ':a a dcat:Dataset ; dct:title "A"@es ; dcat:byteSize "01"^^xsd:nonNegativeInteger .'
    save(records, s=said)
    record = records.get("dataset/a")
    assert (record.iri, record.number, record.visibility, record.gone) == (A, 1, "public", ())
    assert record.text == text(said)
    assert record.revision == hashlib.sha256(record.text.encode()).hexdigest()
    assert records.ids() == ["dataset/a"]
    assert list(records.all()) == [record]


def test_queries_see_the_projection(records: Records) -> None:
    said = ':a a dcat:Dataset ; dcat:byteSize "01"^^xsd:nonNegativeInteger .'
    save(records, s=said)
    assert projection(records, "dataset/a") == normalised(text(said)) != set(lines(said))


def test_unknown_record_is_not_found(records: Records) -> None:
    for ask in (
        lambda: records.get("dataset/x"),
        lambda: records.delete("dataset/x", replaced_by=None, actor="ane", why=""),
        lambda: records.set_visibility("dataset/x", "public", actor="ane", why=""),
    ):
        with pytest.raises(NotFound, match="dataset/x"):
            ask()


def test_home_of_a_part_is_its_record(records: Records) -> None:
    save(records, s=":a a dcat:Dataset ; x:p x:part . x:part dct:x 1 . x:c dcat:dataset :a .")
    home = records.home("<https://other.example/part>")
    assert home is not None
    assert (home.id, home.iri, home.shared) == ("dataset/a", A, False)
    assert records.home("<https://other.example/c>") is None, "its membership is kept by the member"
    assert records.home("<https://other.example/unknown>") is None


def test_statements_about_our_own_graphs_deceive_nobody(records: Records) -> None:
    save(records, s=":a a dcat:Dataset ; x:p x:part . x:part dct:x 1 .")
    evil = f"x:evil a foaf:Agent ; foaf:isPrimaryTopicOf <{records.graph('dataset/a')}> ."
    evil += f"<{records.graph('dataset/a')}> dcat:hasCurrentVersion x:evil ."
    evil += "x:evil foaf:isPrimaryTopicOf <https://evil.example/graph> ."
    save(records, t=evil)
    home = records.home("<https://other.example/part>")
    assert home is not None
    assert home.iri == A
    assert records.get("dataset/a").number == 1
    assert records.verify() == len(records.ids()) == 2


# ---- rule 6: merging by source


def test_rule_6_two_sources_speak_about_one_record(records: Records) -> None:
    save(records, s=':a a dcat:Dataset ; dct:title "A"@es .')
    plan = save(records, t=':a a dcat:Dataset ; dct:title "A"@eu .')
    assert plan.counts == {"new": 0, "changed": 1, "unchanged": 0, "gone": 0}
    assert records.get("dataset/a").text == text(':a a dcat:Dataset ; dct:title "A"@es, "A"@eu .')


def test_rule_6_corrected_file_corrects_and_touches_nothing_of_others(records: Records) -> None:
    save(records, s=':a a dcat:Dataset ; dct:title "Ruido"@es ; dct:issued "2020" .')
    save(records, t=':a a dcat:Dataset ; dct:title "Zarata"@eu .')
    save(records, s=':a a dcat:Dataset ; dct:title "Sonido"@es .')
    expected = ':a a dcat:Dataset ; dct:title "Sonido"@es, "Zarata"@eu .'
    assert records.get("dataset/a").text == text(expected)


def test_rule_6_same_file_twice_changes_nothing(records: Records) -> None:
    said = """:a a dcat:Dataset ; dct:title "A" ; x:p x:shared . x:rest dct:x 1 .
        :b a dcat:Dataset ; x:p x:shared . x:shared dct:x "1.50"^^xsd:decimal ."""
    save(records, s=said)
    before, entries = content_hash(records.store), len(records.audit.events())
    plan = save(records, s=said)
    assert plan.counts == {"new": 0, "changed": 0, "unchanged": 4, "gone": 0}
    assert (plan.rest, plan.changes, plan.problems) == (1, [], [])
    assert content_hash(records.store) == before
    assert len(records.audit.events()) == entries


def test_rule_6_statement_of_two_sources_stays_when_one_drops_it(records: Records) -> None:
    both = ':a a dcat:Dataset ; dct:title "A" .'
    save(records, s=both)
    assert save(records, t=both).counts["unchanged"] == 1
    save(records, s=":a a dcat:Dataset .")
    assert records.get("dataset/a").text == text(both)
    save(records, t=":a a dcat:Dataset .")
    assert records.get("dataset/a").text == text(":a a dcat:Dataset .")


def test_rule_6_statement_goes_when_its_sources_drop_it_at_once(records: Records) -> None:
    both = ':a a dcat:Dataset ; dct:title "A" .'
    save(records, s=both, t=both)
    save(records, s=":a a dcat:Dataset .", t=":a a dcat:Dataset .")
    assert records.get("dataset/a").text == text(":a a dcat:Dataset .")


def test_rule_6_statement_that_moves_from_one_source_to_another_stays(records: Records) -> None:
    with_title, without = ':a a dcat:Dataset ; dct:title "A" .', ":a a dcat:Dataset ."
    for first, second in (("s", "t"), ("t", "s")):
        save(records, **{first: with_title, second: without})
        plan = save(records, **{first: without, second: with_title})
        assert plan.counts["unchanged"] == 1
        assert records.get("dataset/a").text == text(with_title)
        save(records, **{first: without})
        assert records.get("dataset/a").text == text(with_title)


def test_rule_6_what_a_source_no_longer_lists_is_gone_at_source_never_deleted(
    records: Records,
) -> None:
    save(records, s=":a a dcat:Dataset . :b a dcat:Dataset .")
    plan = save(records, s=":a a dcat:Dataset .")
    assert plan.counts == {"new": 0, "changed": 0, "unchanged": 1, "gone": 1}
    (problem,) = plan.problems
    assert (problem.focus, problem.message) == (B, "gone at its source s")
    assert problem.severity == "warning"
    assert "bilbaokg delete" in str(problem.hint)
    record = records.get("dataset/b")
    assert (record.text, record.number, record.gone) == (text(":b a dcat:Dataset ."), 1, ("s",))


def test_rule_6_gone_is_told_once(records: Records) -> None:
    save(records, s=":a a dcat:Dataset . :b a dcat:Dataset .")
    save(records, s=":a a dcat:Dataset .")
    before = content_hash(records.store)
    assert save(records, s=":a a dcat:Dataset .").counts["gone"] == 0
    assert content_hash(records.store) == before
    assert records.get("dataset/b").gone == ("s",)


def test_rule_6_what_comes_back_is_no_longer_gone(records: Records) -> None:
    both = ":a a dcat:Dataset . :b a dcat:Dataset ; dct:title 'b' ."
    save(records, s=both)
    save(records, s=":a a dcat:Dataset .")
    plan = save(records, s=both)
    assert plan.counts == {"new": 0, "changed": 0, "unchanged": 2, "gone": 0}
    assert records.get("dataset/b").gone == ()
    save(records, s=":a a dcat:Dataset .")
    save(records, s=":a a dcat:Dataset . :b a dcat:Dataset ; dct:title 'c' .")
    assert records.get("dataset/b").text == text(":b a dcat:Dataset ; dct:title 'c' .")


def test_rule_6_source_that_no_longer_exists_marks_all_it_said(records: Records) -> None:
    save(records, s=":a a dcat:Dataset .", t=":b a dcat:Dataset .")
    plan = save(records, missing=("t",), s=":a a dcat:Dataset .")
    assert plan.counts["gone"] == 1
    assert records.get("dataset/b").gone == ("t",)


@pytest.mark.parametrize("missing", [(), ("t",)])
def test_rule_6_gone_at_one_source_is_marked_also_where_another_still_speaks(
    records: Records, missing: tuple[str, ...]
) -> None:
    save(records, s=":a a dcat:Dataset .", t=":a dct:title 'A' . :b a dcat:Dataset .")
    said = {"s": ":a a dcat:Dataset ."} | ({} if missing else {"t": ":b a dcat:Dataset ."})
    plan = save(records, missing=missing, **said)
    (problem,) = (p for p in plan.problems if p.focus == A)
    assert (problem.severity, problem.message) == ("info", "gone at its source t")
    assert problem.hint == "still described by s"
    assert records.get("dataset/a").gone == ("t",)
    assert records.get("dataset/a").text == text(":a a dcat:Dataset ; dct:title 'A' .")


@pytest.mark.parametrize(
    "predicate",
    ["dct:issued", "dct:modified", "dct:publisher", "dct:accrualPeriodicity", "dct:accessRights"],
)
def test_rule_6_two_values_of_a_single_valued_property_name_both_sources(
    records: Records, predicate: str
) -> None:
    save(records, first=f":a a dcat:Dataset ; {predicate} x:one ; dct:title 'A' .")
    plan = save(records, second=f":a a dcat:Dataset ; {predicate} x:two ; dct:title 'B' .")
    (problem,) = plan.problems
    assert problem.severity == "warning"
    assert problem.message == (
        "sources disagree: https://other.example/one (first); https://other.example/two (second)"
    )
    assert (problem.focus, problem.path) == (A, DCT[predicate.partition(":")[2]])
    assert save(records, second=f":a a dcat:Dataset ; {predicate} x:one .").problems == []


def test_rule_6_two_values_of_one_source_are_no_conflict_of_sources(records: Records) -> None:
    assert save(records, s=":a a dcat:Dataset ; dct:issued '1', '2' .").problems == []
    assert save(records, t=":a a dcat:Dataset ; dct:title 'A' .").problems == []


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("dct:identifier 'ID-1'", "dct:identifier 'ID-2'", "from ID-1 to ID-2"),
        ("dct:identifier 'ID-1'", "dct:identifier 'ID-1', 'ID-2'", "from ID-1 to ID-1, ID-2"),
        ("dct:identifier 'ID-1'", "dct:title 'none'", "from ID-1 to none"),
    ],
)
@pytest.mark.parametrize("cls", ["dcat:Dataset", "dcat:DatasetSeries", "dcat:DataService"])
def test_rule_6_changed_identifier_is_stopped_and_nothing_is_written(
    records: Records, cls: str, before: str, after: str, message: str
) -> None:
    save(records, s=f"x:a a {cls} ; {before} .")
    stored = content_hash(records.store)
    with pytest.raises(Invalid, match=message) as error:
        save(records, s=f"x:a a {cls} ; {after} . :new a dcat:Dataset .")
    assert error.value.where == "https://other.example/a"
    assert error.value.hint
    assert content_hash(records.store) == stored


def test_rule_6_identifier_does_not_change_under_another_class_either(records: Records) -> None:
    save(records, s=":a a dcat:Dataset ; dct:identifier 'ID-1' .")
    with pytest.raises(Invalid, match="ID-1 to ID-2"):
        save(records, s=":a a foaf:Agent ; dct:identifier 'ID-2' .")


def test_rule_6_identifier_can_be_given_later_and_of_other_things_change(records: Records) -> None:
    save(records, s=":a a dcat:Dataset . agent:p a foaf:Agent ; dct:identifier 'P-1' .")
    save(records, s=":a a dcat:Dataset ; dct:identifier 'ID-1' . agent:p a foaf:Agent .")
    assert '"ID-1"' in records.get("dataset/a").text


def test_rule_6_identifier_is_free_again_after_deletion(records: Records) -> None:
    save(records, s=":a a dcat:Dataset ; dct:identifier 'ID-1' .")
    records.delete("dataset/a", replaced_by=None, actor="ane", why="")
    save(records, s=":a a dcat:Dataset ; dct:identifier 'ID-2' .")


def test_rest_is_corrected_when_it_gets_a_class(records: Records) -> None:
    save(records, s=":a dct:title 'A' .")
    assert records.ids()[0].startswith("rest/")
    plan = save(records, s=":a a dcat:Dataset ; dct:title 'A' .")
    assert plan.counts == {"new": 1, "changed": 1, "unchanged": 0, "gone": 0}
    assert records.get("dataset/a").text == text(":a a dcat:Dataset ; dct:title 'A' .")
    assert records.get(records.ids()[1]).text == "", "what was in the rest is in the record"
    before = content_hash(records.store)
    assert save(records, s=":a a dcat:Dataset ; dct:title 'A' .").changes == []
    assert content_hash(records.store) == before


def test_rest_of_a_source_that_no_longer_exists_is_gone_like_any_record(records: Records) -> None:
    save(records, s=":a dct:title 'A' .")
    assert save(records, missing=("s",)).counts["gone"] == 1
    assert records.get(records.ids()[0]).text == text(":a dct:title 'A' .")


def test_rest_of_one_source_takes_nothing_of_another(records: Records) -> None:
    save(records, s="x:contact dct:title 'old' .")
    save(records, t=":a a dcat:Dataset ; x:p x:contact . x:contact dct:title 'new' .")
    assert len(split_lines(records.get("dataset/a").text)) == 3
    home = records.home("<https://other.example/contact>")
    assert home is not None
    assert home.id == "dataset/a"


@pytest.mark.parametrize(
    "said",
    [
        "x:r a dcat:CatalogRecord, dcat:Dataset ; foaf:primaryTopic x:b . x:b a x:Part .",
        "x:c a dcat:Catalog ; hydra:view x:page . x:page dct:title 'page' .",
        ":a a as:Tombstone ; as:formerType x:Kind . x:Kind dct:title 'kind' .",
        "x:whole dcat:dataset x:elsewhere . :a a dcat:Dataset ; dct:isPartOf x:whole .",
    ],
)
def test_what_is_no_path_within_an_import_is_none_from_the_store(
    records: Records, said: str
) -> None:
    save(records, s=said)
    before = {record.id: record.text for record in records.all()}
    assert save(records, s=said).changes == []
    assert {record.id: record.text for record in records.all()} == before


def test_whole_that_only_has_memberships_stays_where_it_is(records: Records) -> None:
    save(records, s=":a dct:relation x:whole .", t=":a a dcat:Dataset .")
    said = "x:whole dcat:dataset x:elsewhere ."
    save(records, s=said)
    assert save(records, s=said).changes == []


def test_membership_that_a_record_keeps_stays_though_a_rest_speaks_of_its_whole(
    records: Records,
) -> None:
    save(records, s=":a a dcat:Dataset .", t="x:part a dcat:Distribution .")
    save(records, s=":a dct:relation x:part .")
    said = "x:part dcat:dataset x:part ."
    save(records, s=said)
    assert save(records, s=said).changes == []


STATEMENTS_OF_ANY_KIND = GRAPHS.map(lambda graph: sorted(s.line for s in graph)).filter(bool)


@hypothesis_settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(STATEMENTS_OF_ANY_KIND, min_size=1, max_size=3))
def test_what_a_source_says_now_is_held_once_and_whole(imports: list[list[str]]) -> None:
    records = Records(EmbeddedStore(), Settings(base=BASE))
    for said in imports:
        load(records, {"s": said})
        assert Planner(records).plan({"s": said}).changes == []
        held = [x for r in records.all() if "s" not in r.gone for x in split_lines(r.text)]
        assert sorted(held) == said
        assert records.verify() == len(records.ids())


@hypothesis_settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.lists(
        st.dictionaries(st.sampled_from("stu"), STATEMENTS_OF_ANY_KIND, min_size=1),
        min_size=1,
        max_size=3,
    ),
    st.randoms(use_true_random=False),
)
def test_order_of_sources_and_statements_changes_nothing(
    imports: list[dict[str, list[str]]], chance: random.Random
) -> None:
    one, two = (Records(EmbeddedStore(), Settings(base=BASE)) for _ in range(2))
    for said in imports:
        names = chance.sample(sorted(said), len(said))
        shuffled = {name: chance.sample(said[name], len(said[name])) for name in names}
        for records, given_ in ((one, said), (two, shuffled)):
            load(records, given_)
        assert list(one.all()) == list(two.all())
        assert Planner(one).plan(said).changes == []


# ---- the projection


def test_projection_keeps_a_value_whose_twin_goes(records: Records) -> None:
    both = ':a a dcat:Dataset ; x:size "1.5"^^xsd:decimal, "1.50"^^xsd:decimal .'
    save(records, s=both)
    assert len(projection(records, "dataset/a")) == 2
    left = ':a a dcat:Dataset ; x:size "1.5"^^xsd:decimal .'
    save(records, s=left)
    assert projection(records, "dataset/a") == normalised(text(left))
    assert len(projection(records, "dataset/a")) == 2
    save(records, s=both)
    save(records, s=":a a dcat:Dataset .")
    assert projection(records, "dataset/a") == set(lines(":a a dcat:Dataset ."))


VALUES = [
    *(literal(v, datatype=XSD.decimal) for v in ("1.5", "1.50", "2.0")),
    literal("1", datatype=XSD.integer),
    literal("1", datatype=XSD.int),
    literal("01", datatype=XSD.integer),
    literal("1"),
    literal("\\u0041 {} ; <x> \r\n\t\x00\ufffe😀"),
    literal("a", language="es"),
    ref(B),
]
STATEMENTS = st.sets(
    st.builds(
        lambda s, p, o: f"{s} {p} {o} .",
        st.sampled_from([ref(A), ref(B)]),
        st.sampled_from([ref(DCT.title), ref(DCT.relation)]),
        st.sampled_from(VALUES),
    ),
    max_size=6,
)
TYPES = {A: lines(":a a dcat:Dataset ."), B: lines(":b a dcat:Dataset .")}


def typed(statements: set[str]) -> set[str]:
    """The statements, with a class for each subject."""
    return {*statements, *(x for iri in TYPES for x in TYPES[iri] if ref(iri) in str(statements))}


IMPORTS = st.lists(
    st.dictionaries(st.sampled_from("stu"), STATEMENTS.map(typed), min_size=1, max_size=2),
    min_size=1,
    max_size=5,
)


@hypothesis_settings(max_examples=60, deadline=None)
@given(IMPORTS)
def test_rule_6_record_is_what_all_sources_last_said_of_it(
    imports: list[dict[str, set[str]]],
) -> None:
    records = Records(EmbeddedStore(), Settings(base=BASE))
    last: dict[tuple[str, str], set[str]] = {}
    for said in imports:
        for source, now_said in said.items():
            for iri in TYPES:
                if about := {line for line in now_said if line.startswith(ref(iri))}:
                    last[iri, source] = about
        load(records, said)
        before = content_hash(records.store)
        assert load(records, said) is None
        assert content_hash(records.store) == before
        for id, iri in (("dataset/a", A), ("dataset/b", B)):
            expected = set().union(*(words for (about, _), words in last.items() if about == iri))
            if not expected:
                assert records.head(id) is None
                continue
            record = records.get(id)
            assert record.text == text_of(expected)
            assert projection(records, id) == normalised(record.text)
            silent = {s for (about, s) in last if about == iri and s in said} - {
                s for s, words in said.items() if any(line.startswith(ref(iri)) for line in words)
            }
            assert silent <= set(record.gone)
    assert records.verify() == len(records.ids())
    records.audit.verify()


# ---- rule 7: deletion


def tombstone(records: Records, id: str) -> set[str]:
    """The text of a deleted record, without the time."""
    return {x for x in split_lines(records.get(id).text) if "#deleted" not in x}


def test_rule_7_deletion_leaves_a_tombstone_for_the_record_and_its_parts(records: Records) -> None:
    save(
        records,
        s=f""":a a dcat:Dataset ; dct:title "A" ; dcat:distribution x:d ; x:p :a-1 , :a\\#role ,
            <{BASE}/.well-known/genid/0-0-0> .
        x:d a dcat:Distribution ; dct:title "D" . :a-1 dct:title "untyped" .
        :a\\#role a prov:Attribution . <{BASE}/.well-known/genid/0-0-0> a dct:Location .""",
    )
    records.delete("dataset/a", replaced_by=B, actor="ane", why="merged")
    assert tombstone(records, "dataset/a") == set(
        lines(
            """:a a as:Tombstone ; as:formerType dcat:Dataset ; dct:isReplacedBy :b .
            x:d a as:Tombstone ; as:formerType dcat:Distribution ."""
        )
    )
    assert records.get("dataset/a").text.count("#deleted> ") == 2
    assert records.get("dataset/a").number == 2


def test_rule_7_shared_records_stay(records: Records) -> None:
    said = """:a a dcat:Dataset ; x:p x:c . :b a dcat:Dataset ; x:p x:c . x:c a vcard:Kind ."""
    save(records, s=said)
    (shared,) = (id for id in records.ids() if id.startswith("shared/"))
    before = records.get(shared)
    records.delete("dataset/a", replaced_by=None, actor="ane", why="")
    assert records.get(shared) == before


def test_rule_7_referrers_are_the_records_that_point_to_it(records: Records) -> None:
    save(
        records,
        s="""x:c a dcat:Catalog ; dcat:dataset :a . :a a dcat:Dataset ; dct:relation :a .
        :b a dcat:Dataset ; dct:relation :a . x:d a dcat:DataService ; dcat:servesDataset :a .""",
    )
    found = {home.iri for home in records.referrers(ref(A))}
    assert found == {A, B, "https://other.example/d"}


def test_rule_7_tombstone_stands_whatever_its_sources_still_say(records: Records) -> None:
    said = ":a a dcat:Dataset ; dct:title 'A' ; dct:isReplacedBy :b ; x:p x:d . x:d a x:Part ."
    save(records, s=said)
    records.delete("dataset/a", replaced_by=None, actor="ane", why="")
    before = records.get("dataset/a")
    assert save(records, s=said).counts["unchanged"] == 1
    assert save(records, s=said.replace("'A'", "'B'")).counts["unchanged"] == 1
    assert save(records, t=":a a dcat:Dataset ; dct:title 'T' .").counts["unchanged"] == 1
    assert records.get("dataset/a") == before
    assert save(records, s=":b a dcat:Dataset .").counts["gone"] == 1


def test_rule_7_deleting_twice_is_told(records: Records) -> None:
    save(records, s=":a a dcat:Dataset .")
    records.delete("dataset/a", replaced_by=None, actor="ane", why="")
    before = content_hash(records.store)
    with pytest.raises(Gone, match="deleted before"):
        records.delete("dataset/a", replaced_by=None, actor="ane", why="")
    assert content_hash(records.store) == before


def test_rule_7_source_that_still_describes_what_was_deleted_is_named(records: Records) -> None:
    said = ":a a dcat:Dataset ; dct:title 'A' ."
    save(records, s=said)
    records.delete("dataset/a", replaced_by=None, actor="ane", why="")
    for plan in (save(records, s=said), save(records, s=said)):
        (problem,) = plan.problems
        assert problem.message == "it was deleted here, and s still describes it"
        assert (problem.severity, problem.focus) == ("warning", A)
        assert "bilbaokg restore" in str(problem.hint)


def test_deleted_record_is_brought_back_as_it_was(records: Records) -> None:
    said = ":a a dcat:Dataset ; dct:title 'A' ; x:p x:d . x:d a dcat:Distribution ."
    save(records, s=said)
    records.delete("dataset/a", replaced_by=None, actor="ane", why="by mistake")
    event = records.restore("dataset/a", actor="jon", why="it was a mistake")
    assert (event.kind, event.actor, event.subject) == ("restore", "jon", A)
    assert records.get("dataset/a").text == text(said)
    assert projection(records, "dataset/a") == set(lines(said))
    assert [r["why"] for r in records.revisions("dataset/a")] == [
        "import",
        "by mistake",
        "it was a mistake",
    ]
    before = content_hash(records.store)
    save(records, s=said)
    assert content_hash(records.store) == before


def test_sources_go_on_where_they_were_when_a_record_is_brought_back(records: Records) -> None:
    save(records, s=":a a dcat:Dataset ; dct:title 'A' .")
    records.delete("dataset/a", replaced_by=None, actor="ane", why="")
    save(records, s=":a a dcat:Dataset ; dct:title 'B' .", t=":a dct:title 'T' .")
    records.restore("dataset/a", actor="ane", why="")
    assert records.get("dataset/a").text == text(":a a dcat:Dataset ; dct:title 'A' .")
    save(records, s=":a a dcat:Dataset ; dct:title 'B' .", t=":a dct:title 'T' .")
    assert records.get("dataset/a").text == text(":a a dcat:Dataset ; dct:title 'B', 'T' .")


def test_sources_go_on_where_they_were_also_when_they_name_what_replaces_it(
    records: Records,
) -> None:
    said = ":a a dcat:Dataset ; dct:title 'B' ; dct:isReplacedBy :b ."
    save(records, s=":a a dcat:Dataset ; dct:title 'A' .")
    records.delete("dataset/a", replaced_by=None, actor="ane", why="")
    save(records, s=said)
    records.restore("dataset/a", actor="ane", why="")
    save(records, s=said)
    assert records.get("dataset/a").text == text(said)


def test_source_that_follows_a_deletion_and_comes_back_brings_the_record_back(
    records: Records,
) -> None:
    said = ":a a dcat:Dataset ; dct:title 'A' ."
    save(records, s=said)
    records.delete("dataset/a", replaced_by=None, actor="ane", why="")
    save(records, s=TOMBSTONE)
    records.restore("dataset/a", actor="ane", why="")
    save(records, s=said)
    assert records.get("dataset/a").text == text(said)


@pytest.mark.parametrize("at", ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.120Z"])
def test_what_a_source_said_before_leaves_nothing_behind(
    records: Records, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    monkeypatch.setattr("bilbaokg.records.now", lambda: at)
    long = ":a a dcat:Dataset ; dct:description " + literal("x" * 900_000) + " ."
    for said in (":a a dcat:Dataset .", ':a a dcat:Dataset ; dct:title "x" .', long):
        save(records, s=said, t=':a a dcat:Dataset ; dct:title "y" .')
        save(records, t=':a a dcat:Dataset ; dct:title "y" .', missing=("s",))
        save(records, s=':a a dcat:Dataset ; dct:title "z" .')
        kept = records.store.values(records.history_graph("dataset/a"))
        told = [p for s, p, _ in kept if "#s-" in s]
        assert (len(told), told.count(PROV.hadPrimarySource), PROV.invalidatedAtTime in told) == (
            4, 2, False
        )  # fmt: skip


def test_gone_and_back_is_noted_also_of_a_deleted_record(records: Records) -> None:
    both = ":a a dcat:Dataset . :b a dcat:Dataset ."
    save(records, s=both)
    records.delete("dataset/a", replaced_by=None, actor="ane", why="")
    save(records, s=":b a dcat:Dataset .")
    assert records.get("dataset/a").gone == ("s",)
    save(records, s=both)
    assert records.get("dataset/a").gone == ()


def test_only_what_was_deleted_is_brought_back(records: Records) -> None:
    save(records, s=":a a dcat:Dataset . " + TOMBSTONE.replace(":a ", ":b "))
    for id in ("dataset/a", "dataset/b"):
        with pytest.raises(Invalid, match="not deleted, or was never anything else"):
            records.restore(id, actor="ane", why="")
    with pytest.raises(NotFound):
        records.restore("dataset/x", actor="ane", why="")


TOMBSTONE = ':a a as:Tombstone ; as:formerType dcat:Dataset ; as:deleted "2024-01-01" .'


def test_rule_7_source_that_brings_a_tombstone_buries_the_record_and_its_parts(
    records: Records,
) -> None:
    alive = ":a a dcat:Dataset ; dct:title 'A' ; x:p x:d . x:d a dcat:Distribution ."
    save(records, s=alive)
    save(records, t=":a dct:title 'of another source' .")
    plan = save(records, s=TOMBSTONE)
    assert plan.counts["changed"] == 1
    buried = TOMBSTONE + (
        'x:d a as:Tombstone ; as:formerType dcat:Distribution ; as:deleted "2024-01-01" .'
    )
    assert records.get("dataset/a").text == text(buried)
    before = content_hash(records.store)
    save(records, s=TOMBSTONE)
    assert content_hash(records.store) == before


def test_rule_7_record_that_comes_back_at_its_source_is_whole_again(records: Records) -> None:
    alive = ":a a dcat:Dataset ; dct:title 'A' ; x:p x:d . x:d a dcat:Distribution ."
    other = ":a dct:title 'of another source' ."
    save(records, s=alive)
    save(records, t=other)
    save(records, s=TOMBSTONE)
    save(records, s=alive)
    assert records.get("dataset/a").text == text(alive + other)


def test_rule_7_tombstone_from_the_start_is_a_record(records: Records) -> None:
    save(records, s=TOMBSTONE)
    assert records.get("dataset/a").text == text(TOMBSTONE)


# ---- rule 8: visibility


def test_rule_8_everything_is_public_but_persons(records: Records) -> None:
    save(records, s="agent:ane a foaf:Person . :a a dcat:Dataset . agent:city a foaf:Agent .")
    found = {record.id: record.visibility for record in records.all()}
    assert found == {"agent/ane": "internal", "agent/city": "public", "dataset/a": "public"}


def test_rule_8_record_can_be_set_internal_and_public_again(records: Records) -> None:
    save(records, s=":a a dcat:Dataset .")
    for visibility in ("internal", "public", "public", "internal"):
        event = records.set_visibility("dataset/a", visibility, actor="ane", why="law")
        assert (event.kind, event.subject, event.actor) == ("visibility", A, "ane")
        assert event.detail == {"to": visibility, "why": "law"}
        assert records.get("dataset/a").visibility == visibility
    save(records, s=":a a dcat:Dataset ; dct:title 'new' .")
    assert records.get("dataset/a").visibility == "internal"
    assert records.get("dataset/a").number == 2


def test_rule_8_statement_in_a_file_sets_no_visibility(records: Records) -> None:
    graph = records.graph("dataset/a")
    save(
        records,
        s=f""":a a dcat:Dataset ; dct:accessRights 'internal' .
        <{graph}> dct:accessRights 'internal' .""",
    )
    assert records.get("dataset/a").visibility == "public"


def test_rule_8_person_cannot_be_made_public(records: Records) -> None:
    save(records, s="agent:ane a foaf:Person .")
    with pytest.raises(Invalid, match="persons are always internal"):
        records.set_visibility("agent/ane", "public", actor="ane", why="")
    records.set_visibility("agent/ane", "internal", actor="ane", why="")


def test_rule_8_agent_becomes_internal_with_the_statement_that_it_is_a_person(
    records: Records,
) -> None:
    save(records, s="agent:ane a foaf:Agent .")
    records.set_visibility("agent/ane", "public", actor="ane", why="")
    save(records, t="agent:ane a foaf:Person .")
    assert records.get("agent/ane").visibility == "internal"


def test_rule_8_unknown_visibility_is_refused(records: Records) -> None:
    save(records, s=":a a dcat:Dataset .")
    with pytest.raises(Invalid, match="secret") as error:
        records.set_visibility("dataset/a", "secret", actor="ane", why="")
    assert error.value.hint == "public or internal"


def test_rule_8_whole_kinds_can_be_internal(records: Records) -> None:
    save(records, s="x:t a csvw:Table . :a a dcat:Dataset .")
    inner = Records(records.store, Settings(base=BASE, internal_kinds=("table", "column")))
    found = {r.id.partition("/")[0]: r.visibility for r in inner.all()}
    assert found == {"table": "internal", "dataset": "public"}
    (table,) = (id for id in inner.ids() if id.startswith("table/"))
    inner.set_visibility(table, "public", actor="ane", why="")
    assert inner.get(table).visibility == "public"


# ---- history


def test_history_holds_the_exact_text_of_every_revision(records: Records) -> None:
    versions = [f':a a dcat:Dataset ; x:p "{n}.50"^^xsd:decimal .' for n in range(3)]
    for number, said in enumerate(versions):
        save(records, why=f"reason {number}", s=said)
    found = records.revisions("dataset/a")
    assert [r["text"] for r in found] == [text(said) for said in versions]
    assert [r["number"] for r in found] == ["1", "2", "3"]
    assert [r["why"] for r in found] == ["reason 0", "reason 1", "reason 2"]
    assert {r["actor"] for r in found} == {"ane"}
    assert [r["at"] for r in found] == sorted(r["at"] for r in found)
    for revision in found:
        assert revision["revision"] == hashlib.sha256(revision["text"].encode()).hexdigest()


def test_history_goes_on_over_deletion(records: Records) -> None:
    save(records, s=":a a dcat:Dataset .")
    records.delete("dataset/a", replaced_by=None, actor="jon", why="no longer kept")
    assert [(r["actor"], r["why"]) for r in records.revisions("dataset/a")] == [
        ("ane", "import"),
        ("jon", "no longer kept"),
    ]


def test_words_of_a_source_survive_the_revisions_that_follow(records: Records) -> None:
    save(records, s=':a a dcat:Dataset ; x:p "1.50"^^xsd:decimal .')
    for number in range(3):
        save(records, t=f":a dct:title '{number}' .")
    save(records, s=":a a dcat:Dataset .")
    assert records.get("dataset/a").text == text(":a a dcat:Dataset ; dct:title '2' .")


EXACT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@hypothesis_settings(max_examples=40, deadline=None)
@given(st.lists(EXACT, min_size=2, max_size=4, unique=True))
def test_any_text_is_exact_in_history_loaded_or_updated(values: list[str]) -> None:
    records = Records(EmbeddedStore(), Settings(base=BASE))
    texts = []
    for value in values:
        said = [*TYPES[A], f"{ref(A)} {ref(DCT.title)} {literal(value)} ."]
        records.commit(
            Planner(records).plan({"s": said}), actor=value, kind="load", subject=value, why=value
        )
        texts.append(text_of(said))
    found = records.revisions("dataset/a")
    assert [r["text"] for r in found] == texts
    assert [(r["actor"], r["why"]) for r in found] == [(value, value) for value in values]
    assert records.verify() == 1
    assert records.audit.verify() == len(values)


def test_large_record_is_exact_and_kept_in_pieces_that_do_not_slow_the_store(
    records: Records,
) -> None:
    said = [f'{ref(A)} {ref(DCT.title)} "\\\\u0041 {n:07} y más texto"@es .' for n in range(20_000)]
    for now_said in (said, said[1:], said):
        plan = Planner(records).plan({"s": [*TYPES[A], *now_said], "t": now_said[:15_000]})
        records.commit(plan, actor="a", kind="load", subject="", why="")
        record = records.get("dataset/a")
        assert record.text == text_of([*TYPES[A], *now_said])
        assert len(record.text) > 2 << 20
        assert len(projection(records, "dataset/a")) == len(now_said) + 1
    assert [len(r["text"].split("\n")) for r in records.revisions("dataset/a")] == [
        20_002,
        20_001,
        20_002,
    ]
    assert records.verify() == 1
    longest = max(len(str(quad.object)) for quad in records.store.raw)
    assert longest < 1 << 20
    before = content_hash(records.store)
    save(records, missing=("t",))
    assert records.get("dataset/a").gone == ("t",)
    assert content_hash(records.store) != before


# ---- the audit of a commit, and the disk


def test_one_operation_is_one_entry_also_for_three_thousand_records(records: Records) -> None:
    many = {"s": [f"{ref(f'{A}{n}')} {ref(DCT.title)} {literal(str(n))} ." for n in range(3000)]}
    many["s"] += [line.replace("/a>", f"/a{n}>") for n in range(3000) for line in TYPES[A]]
    told: list[int] = []
    plan = Planner(records).plan(many)
    event = records.commit(
        plan, actor="ane", kind="load", subject="many", why="first", on_saved=told.append
    )
    assert isinstance(event, Event)
    assert len(records.ids()) == sum(told) == 3000
    assert [e.seq for e in records.audit.events()] == [1]
    assert event.detail["records"]["new"] == 3000
    assert event.detail["why"] == "first"
    texts = "".join(f"{r.id} {r.revision}\n" for r in records.all())
    assert event.detail["planned"] == hashlib.sha256(texts.encode()).hexdigest()


def test_nothing_to_write_is_no_entry(records: Records) -> None:
    assert records.commit(Plan(), actor="ane", kind="load", subject="", why="") is None
    assert records.audit.events() == []


def test_plan_writes_nothing(records: Records) -> None:
    before = content_hash(records.store)
    assert Planner(records).plan({"s": lines(":a a dcat:Dataset .")}).counts["new"] == 1
    assert content_hash(records.store) == before


def test_commit_returns_when_the_log_is_on_disk(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, int]] = []
    real = os.fdatasync

    def watch(descriptor: int) -> None:
        real(descriptor)
        synced.append((Path(f"/proc/self/fd/{descriptor}").resolve().name, len(records.ids())))

    monkeypatch.setattr(os, "fdatasync", watch)
    save(records, s=":a a dcat:Dataset .")
    save(records, s=":a a dcat:Dataset ; dct:title 'changed' .")
    records.set_visibility("dataset/a", "internal", actor="ane", why="")
    records.delete("dataset/a", replaced_by=None, actor="ane", why="")
    assert len(synced) >= 4
    assert all(held == 1 for _, held in synced), "what is synced has been written"
    if Path("/proc/self/fd").is_dir():
        assert all(name.endswith(".log") for name, _ in synced)


def test_every_batch_is_on_disk_before_the_next(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[Any] = []
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda fd: (real(fd), steps.append("synced"))[0])
    said = [line.replace("/a>", f"/a{n}>") for n in range(2500) for line in TYPES[A]]
    plan = Planner(records).plan({"s": said})
    records.commit(plan, actor="a", kind="load", subject="", why="", on_saved=steps.append)
    assert [step for step in steps if step != "synced"] == [1000, 1000, 500]
    assert steps[0] == "synced"
    assert all(steps[n - 1] == "synced" for n, step in enumerate(steps) if step != "synced")


# ---- damage


def damage(records: Records, graph: str, subject: str, predicate: str, new: str | None) -> None:
    """Change one value behind the program's back."""
    old = [
        f"{s} {p} {o} ."
        for s, p, o, _ in records.store.match(ref(subject), ref(predicate), graph=graph)
    ]
    insert = [f"{ref(subject)} {ref(predicate)} {new} ."] if new else []
    records.store.apply([GraphChange(graph, insert, old)])


@pytest.fixture
def two_revisions(records: Records) -> Records:
    save(records, s=":a a dcat:Dataset ; dct:title 'one' .")
    save(records, s=":a a dcat:Dataset ; dct:title 'two' .")
    assert records.verify() == 1
    return records


@pytest.mark.parametrize("number", [1, 2])
def test_changed_text_of_any_revision_is_found_by_name(two_revisions: Records, number: int) -> None:
    graph = two_revisions.history_graph("dataset/a")
    damage(two_revisions, graph, f"{graph}#r{number}", PROV.value, literal("forged"))
    with pytest.raises(CorruptStore, match=f"revision {number} of record dataset/a") as error:
        two_revisions.verify()
    assert error.value.where == "dataset/a"


def test_lost_text_is_found_by_name(two_revisions: Records) -> None:
    graph = two_revisions.history_graph("dataset/a")
    damage(two_revisions, graph, f"{graph}#r1", PROV.value, None)
    with pytest.raises(CorruptStore, match="revision 1 of record dataset/a"):
        two_revisions.verify()


def test_record_whose_current_revision_is_lost_is_found(two_revisions: Records) -> None:
    graph = two_revisions.history_graph("dataset/a")
    damage(two_revisions, graph, two_revisions.graph("dataset/a"), DCAT.hasCurrentVersion, None)
    with pytest.raises(CorruptStore, match="dataset/a"):
        two_revisions.verify()


def test_audit_that_was_cut_at_its_end_is_found(two_revisions: Records) -> None:
    audit = two_revisions.audit
    wipe(two_revisions.store, audit.graph, audit.iri(2))
    reopened = Records(two_revisions.store, two_revisions.settings)
    assert reopened.audit.verify() == 1
    with pytest.raises(CorruptStore, match="audit entry of revision 2 of record dataset/a"):
        reopened.verify()
