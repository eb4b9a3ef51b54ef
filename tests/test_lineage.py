"""What pipelines tell becomes records: the same ones whenever, however often and in which order it
comes."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import pytest
from helpers import BASE, Catalogue
from hypothesis import given
from hypothesis import strategies as st
from pipelines import RUN, SPACE, content, dataset, event, lineage_of, run_id, schema

from bilbaokg import settings
from bilbaokg.errors import NotFound, SyntaxFault
from bilbaokg.importers import openlineage
from bilbaokg.lineage.names import Name, column_iri, job_iri, run_iri, table_iri
from bilbaokg.lineage.walking import walk
from bilbaokg.operations.lineage import take_in
from bilbaokg.terms import plain, split_lines
from bilbaokg.workspace import Workspace, initialise

RAW, CLEAN, SUMMARY = "city.raw.trips", "city.clean.trips", "city.mart.trips"
PROV = "http://www.w3.org/ns/prov#"
DQV = "http://www.w3.org/ns/dqv#"
DERIVED = f"{PROV}wasDerivedFrom"
STATUS = "https://schema.org/actionStatus"


def table(name: str, namespace: str = SPACE) -> str:
    return table_iri(BASE, Name(namespace, name))


def column(name: str, field: str) -> str:
    return column_iri(BASE, table(name), field)


def job(name: str = "daily") -> str:
    return job_iri(BASE, Name("airflow", name))


def tell(workspace: Workspace, *events: Any) -> dict[str, int]:
    read = [openlineage.read(content(told)) for told in events]
    return take_in(workspace, read, "tester", "OpenLineage")


def says(catalogue: Catalogue, subject: str, predicate: str) -> list[str]:
    found = catalogue.workspace.store.match(f"<{subject}>", f"<{predicate}>")
    return sorted({o for *_, o, g in found if "/graph/record/" in g})


def texts(workspace: Workspace) -> dict[str, str]:
    return {record.id: record.text for record in workspace.records.all()}


def checked(name: str, **found: bool) -> dict[str, Any]:
    """A table of which a run says, by column, whether its values are all there."""
    facet = {"assertions": [
        {"assertion": "not_null", "column": column, "success": success}
        for column, success in found.items()
    ]}  # fmt: skip
    return dataset(name, own={"dataQualityAssertions": facet})


HISTORY = [
    event("START", "05:00:00", [dataset(RAW, schema=schema("id INT", "at TIMESTAMP"))]),
    event("RUNNING", "05:00:30", [dataset(RAW)], run_facets={"nominalTime": {"x": 1}}),
    event(
        "COMPLETE", "05:01:00", [],
        [dataset(CLEAN, schema=schema("trip BIGINT"), columnLineage=lineage_of(trip=f"{RAW}:id"))],
    ),
    event("START", "06:00:00", [checked(CLEAN, trip=False)], run=run_id(2), job="mart"),
    event("FAIL", "06:01:00", [], [dataset(SUMMARY)], run=run_id(2), job="mart"),
    event(
        "START", "07:00:00", [checked(CLEAN, trip=True), dataset("city.zones")], run=run_id(3),
        job="mart",
    ),
    event("COMPLETE", "07:01:00", [], [dataset(SUMMARY)], run=run_id(3), job="mart"),
    event(
        "START", "08:00:00", [dataset(RAW, schema=schema("id INT", "at TIMESTAMP", "bike"))],
        run=run_id(4),
    ),
    event("ABORT", "08:00:10", run=run_id(4)),
]  # fmt: skip


def test_run_is_merged_from_its_events(catalogue: Catalogue) -> None:
    assert tell(catalogue.workspace, *HISTORY[:3]) == {"new": 4, "changed": 0}
    run = run_iri(BASE, RUN)
    assert says(catalogue, run, f"{PROV}used") == [f"<{table(RAW)}>"]
    assert says(catalogue, run, f"{PROV}generated") == [f"<{table(CLEAN)}>"]
    assert says(catalogue, run, STATUS) == ["<https://schema.org/CompletedActionStatus>"]
    assert '"2026-11-20T05:00:00Z"' in says(catalogue, run, f"{PROV}startedAtTime")[0]
    assert '"2026-11-20T05:01:00Z"' in says(catalogue, run, f"{PROV}endedAtTime")[0]


def test_three_levels_are_said_at_once(catalogue: Catalogue) -> None:
    tell(catalogue.workspace, *HISTORY[:3])
    assert says(catalogue, column(CLEAN, "trip"), DERIVED) == [f"<{column(RAW, 'id')}>"]
    assert says(catalogue, table(CLEAN), DERIVED) == [f"<{table(RAW)}>"]
    (node,) = says(catalogue, column(CLEAN, "trip"), f"{PROV}qualifiedDerivation")
    how = says(catalogue, node[1:-1], f"{BASE}/ns#transformation")
    assert how == ['"DIRECT/IDENTITY"']


def test_telling_again_changes_nothing(catalogue: Catalogue) -> None:
    tell(catalogue.workspace, *HISTORY)
    before = texts(catalogue.workspace)
    revisions = [r.revision for r in catalogue.records.all()]
    for told in HISTORY:
        assert tell(catalogue.workspace, told) == {"new": 0, "changed": 0}
    assert tell(catalogue.workspace, *HISTORY, *HISTORY) == {"new": 0, "changed": 0}
    assert texts(catalogue.workspace) == before
    assert [r.revision for r in catalogue.records.all()] == revisions


@pytest.mark.parametrize("seed", range(6))
def test_order_does_not_matter(catalogue: Catalogue, seed: int) -> None:
    tell(catalogue.workspace, *HISTORY)
    expected = texts(catalogue.workspace)
    shuffled = HISTORY * 2
    random.Random(seed).shuffle(shuffled)  # noqa: S311
    # The same store cannot forget, so another one is told in another order.
    with fresh(catalogue) as other:
        for told in shuffled:
            tell(other, told)
        assert texts(other) == expected


def fresh(catalogue: Catalogue) -> Workspace:
    data = catalogue.folder / f"other-{len(list(catalogue.folder.iterdir()))}"
    initialise(data, {"base": BASE})
    return Workspace(data, settings.read(data, {}), catalogue.workspace.pool)


def invented(chance: random.Random) -> list[Any]:
    """Events of few runs, jobs and tables, many at the same time, some contradicting others."""

    def table_told() -> Any:
        facets: dict[str, Any] = {}
        if chance.random() < 0.4:
            facets["schema"] = schema(*chance.sample(["a", "b", "c INT"], 2))
        if chance.random() < 0.3:
            origin = f"t{chance.randrange(5)}:{chance.choice('abc')}"
            facets["columnLineage"] = lineage_of(**{chance.choice("abc"): origin})
        if chance.random() < 0.2:
            change = chance.choice(["DROP", "CREATE"])
            facets["lifecycleStateChange"] = {"lifecycleStateChange": change}
        return dataset(f"t{chance.randrange(5)}", **facets)

    told = []
    for _ in range(25):
        parent = {
            "run": {"runId": run_id(chance.choice([2, 7]))},
            "job": {"namespace": "airflow", "name": "dag"},
            "root": {
                "run": {"runId": run_id(chance.choice([3, 8]))},
                "job": {"namespace": "airflow", "name": chance.choice(["dag", "root", "j1"])},
            },
        }
        told.append(
            event(
                chance.choice(["START", "RUNNING", "COMPLETE", "FAIL", "ABORT", "OTHER"]),
                f"{chance.randrange(5, 8):02}:00:{chance.randrange(3):02}",
                [table_told() for _ in range(chance.randrange(3))],
                [table_told() for _ in range(chance.randrange(2))],
                run=run_id(chance.randrange(5)) if chance.random() < 0.9 else None,
                job=f"j{chance.randrange(3)}",
                run_facets={"parent": parent} if chance.random() < 0.3 else {},
            )
        )
    return told


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_told_has_one_outcome(catalogue: Catalogue, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    told = invented(chance)
    tell(catalogue.workspace, *told)
    expected = texts(catalogue.workspace)
    chance.shuffle(told)
    told += chance.sample(told, 10)
    with fresh(catalogue) as other:
        while told:
            size = chance.randrange(1, 6)
            tell(other, *told[:size])
            del told[:size]
            if chance.random() < 0.2:
                other.lineage.failed()  # nothing is in memory any more
        assert texts(other) == expected


def test_what_is_in_memory_is_what_is_on_disk(catalogue: Catalogue) -> None:
    tell(catalogue.workspace, *HISTORY)
    scribe = catalogue.workspace.lineage
    kept = {id: dict(state.registers) for id, state in scribe.states._kept.items()}
    assert any(id.startswith("table/") for id in kept)
    scribe.failed()
    assert {id: dict(scribe.states.of(id).registers) for id in kept} == kept


def test_failed_run_takes_nothing_from_what_a_completed_one_said(catalogue: Catalogue) -> None:
    tell(catalogue.workspace, *HISTORY)
    assert says(catalogue, table(SUMMARY), DERIVED) == [
        f"<{table(CLEAN)}>",
        f"<{table('city.zones')}>",
    ]
    tell(catalogue.workspace, event("START", "09:00:00", [dataset("x")], [dataset(SUMMARY)],
                                    run=run_id(9), job="mart"))  # fmt: skip
    tell(catalogue.workspace, event("FAIL", "09:01:00", run=run_id(9), job="mart"))
    assert f"<{table('x')}>" not in says(catalogue, table(SUMMARY), DERIVED)
    assert says(catalogue, run_iri(BASE, run_id(9)), STATUS) == [
        "<https://schema.org/FailedActionStatus>"
    ]


SPOILED = [
    event("START", "05:00:00", [dataset("a")], [dataset("b")]),
    event("FAIL", "05:01:00", [dataset("a")], [dataset("b")]),
    event("COMPLETE", "05:01:01", [dataset("a")], [dataset("b")]),
    event("START", "05:02:00", [dataset("a")], [dataset("b")]),
]


@pytest.mark.parametrize(
    ("told", "status", "ended"),
    [
        (SPOILED[:3], "Failed", "05:01:00Z"),
        (SPOILED, "Completed", "05:01:01Z"),
        ([*SPOILED, event("ABORT", "05:03:00")], "Failed", "05:03:00Z"),
        ([*SPOILED, event("COMPLETE", "05:03:00")], "Completed", "05:03:00Z"),
        ([*SPOILED[:3], event("COMPLETE", "06:00:00")], "Completed", "06:00:00Z"),
    ],
    ids=["failed", "started again", "failed again", "went well then", "went well much later"],
)
def test_run_that_failed_has_failed_though_it_is_over_until_it_starts_again(
    catalogue: Catalogue, told: list[dict[str, Any]], status: str, ended: str
) -> None:
    for each in reversed(told):
        tell(catalogue.workspace, each)
    run = run_iri(BASE, RUN)
    assert says(catalogue, run, STATUS) == [f"<https://schema.org/{status}ActionStatus>"]
    assert ended in says(catalogue, run, f"{PROV}endedAtTime")[0]


def test_job_that_reads_less_than_before_says_less(catalogue: Catalogue) -> None:
    tell(
        catalogue.workspace,
        event("COMPLETE", "05:00:00", [dataset("a"), dataset("b")], [dataset("c")]),
    )
    tell(
        catalogue.workspace,
        event("COMPLETE", "06:00:00", [dataset("a")], [dataset("c")], run=run_id(2)),
    )
    assert says(catalogue, table("c"), DERIVED) == [f"<{table('a')}>"]
    assert says(catalogue, table("b"), DERIVED) == []
    assert "table/" + table("b").rpartition("/")[2] in texts(catalogue.workspace)


def test_two_jobs_that_write_one_table_keep_their_own_words(catalogue: Catalogue) -> None:
    tell(
        catalogue.workspace,
        event("COMPLETE", "05:00:00", [dataset("a")], [dataset("c")], job="one"),
    )
    tell(
        catalogue.workspace,
        event("COMPLETE", "05:00:00", [dataset("b")], [dataset("c")], job="two", run=run_id(2)),
    )
    assert len(says(catalogue, table("c"), DERIVED)) == 2
    tell(
        catalogue.workspace,
        event("COMPLETE", "06:00:00", [dataset("b")], [dataset("d")], job="two", run=run_id(3)),
    )
    assert says(catalogue, table("c"), DERIVED) == [f"<{table('a')}>"]


def test_late_schema_does_not_replace_a_newer_one(catalogue: Catalogue) -> None:
    tell(catalogue.workspace, event("START", "06:00:00", [dataset("a", schema=schema("new"))]))
    tell(catalogue.workspace, event("START", "05:00:00", [dataset("a", schema=schema("old"))]))
    parts = says(catalogue, table("a"), "http://purl.org/dc/terms/hasPart")
    assert parts == [f"<{column('a', 'new')}>"]


def test_column_that_left_the_schema_is_gone_unless_lineage_speaks_of_it(
    catalogue: Catalogue,
) -> None:
    origins = lineage_of(x="a:kept")
    tell(
        catalogue.workspace,
        event("START", "05:00:00", [dataset("a", schema=schema("kept", "lost"))],
              [dataset("b", columnLineage=origins)]),
        event("START", "06:00:00", [dataset("a", schema=schema("other"))], run=run_id(2)),
    )  # fmt: skip
    parts = says(catalogue, table("a"), "http://purl.org/dc/terms/hasPart")
    assert sorted(parts) == sorted(f"<{column('a', c)}>" for c in ("kept", "other"))


def test_ownership_is_a_nomination(catalogue: Catalogue) -> None:
    owners = {"owners": [{"name": "team:data", "type": "MAINTAINER"}, {"name": "ana"}]}
    tell(catalogue.workspace, event("START", "05:00:00", [dataset("a", ownership=owners)]))
    text = catalogue.text(table("a"))
    assert text.count(f"<{BASE}/ns#nominated>") == 2
    assert f"<{BASE}/ns#active>" not in text
    assert f"<{BASE}/ns#technical-custodian>" in text
    assert f"<{BASE}/ns#owner>" in text


def test_facets_that_describe_become_statements(catalogue: Catalogue) -> None:
    told = dataset(
        "a", documentation={"description": "Viajes"}, version={"datasetVersion": "7"},
        tags={"tags": [{"key": "pii", "value": "true"}, {"key": "k", "value": "x", "field": "id"}]},
        datasetType={"datasetType": "VIEW"}, schema=schema("id INT"),
        lifecycleStateChange={"lifecycleStateChange": "DROP"},
    )  # fmt: skip
    tell(catalogue.workspace, event("START", "05:00:00", [told]))
    dcat = "http://www.w3.org/ns/dcat#"
    assert says(catalogue, table("a"), "http://purl.org/dc/terms/description") == ['"Viajes"']
    assert says(catalogue, table("a"), f"{dcat}version") == ['"7"']
    assert says(catalogue, table("a"), f"{dcat}keyword") == ['"pii"']
    assert says(catalogue, column("a", "id"), f"{dcat}keyword") == ['"k=x"']
    # Airflow has tags without values, and tells them so.
    tags = {"tags": [{"key": "bikes", "value": "bikes", "source": "AIRFLOW"}]}
    tell(catalogue.workspace, event("START", "06:00:00", job_facets={"tags": tags}))
    assert says(catalogue, job(), f"{dcat}keyword") == ['"bikes"']
    assert len(says(catalogue, table("a"), f"{PROV}invalidatedAtTime")) == 1


def test_unknown_facet_is_kept_byte_for_byte_and_stays_out_of_the_record(
    catalogue: Catalogue,
) -> None:
    exact = '{ "b" : 1.50, "a":[1e3 ,"\\u00f1ñ", {"z":null}]  }'
    body = json.dumps(
        event("START", "05:00:00", [dataset("a", odd="@"), dataset("b")], job_facets={"sql": "@"})
    )
    body = body.replace('"@"', exact)
    take_in(catalogue.workspace, [openlineage.read(body.encode())], "tester", "x")
    states = catalogue.workspace.lineage.states
    states.forget()
    assert states.of(f"table/{table('a').rpartition('/')[2]}").get("facet/odd") == exact
    assert states.of(f"job/{job().rpartition('/')[2]}").get("facet/sql") == exact
    assert "1.50" not in "".join(texts(catalogue.workspace).values())


_WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_VALUES = st.recursive(
    st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3),
    max_leaves=6,
)


@given(
    facets=st.dictionaries(_WORDS.filter(str.strip), _VALUES, max_size=4),
    gap=st.text(" \t\n\r", max_size=2), ascii=st.booleans(),
)  # fmt: skip
def test_facets_are_kept_as_they_are_however_the_event_is_laid_out(
    facets: dict[str, Any], gap: str, *, ascii: bool
) -> None:
    def laid_out(value: Any) -> str:
        return json.dumps(value, ensure_ascii=ascii, separators=(f"{gap},{gap}", f"{gap}:{gap}"))

    told = event("START", "05:00:00", [dataset("a", **facets)])
    read = openlineage.read(f"{gap}{laid_out(told)}{gap}".encode())
    assert read.inputs[0].facets == {name: laid_out(value) for name, value in facets.items()}


@pytest.mark.parametrize("content", [
    b'{"a": 1,}', b'{"a": 1 "b": 2}', b'{"a" 1}', b"{1: 2}", b'{"a": 1', b'{"a": 1]', b"{", b"{,}",
    b'{"inputs": [1,]}', b'{"inputs": [1 2]}', b'{"inputs": [}', b'{"a": 1}}', b'{"a\n": 1}',
    b'{"run": {"facets": {"x": }}}', b'{"run": {"facets": {"x"}}}', b'{"a": NaN}',
])  # fmt: skip
def test_what_is_no_json_is_refused(content: bytes) -> None:
    with pytest.raises(SyntaxFault, match="not JSON"):
        openlineage.read(content)


def test_facet_that_was_deleted_says_nothing_any_more(catalogue: Catalogue) -> None:
    tell(
        catalogue.workspace,
        event("START", "05:00:00", [dataset("a", documentation={"description": "x"})]),
    )
    tell(
        catalogue.workspace,
        event("START", "06:00:00", [dataset("a", documentation={"_deleted": True})]),
    )
    assert says(catalogue, table("a"), "http://purl.org/dc/terms/description") == []


def test_parents_are_linked_and_never_in_a_circle(catalogue: Catalogue) -> None:
    def within(id: str) -> Any:
        return {"parent": {"run": {"runId": id}, "job": {"namespace": "airflow", "name": "dag"}}}

    part_of = "http://purl.org/dc/terms/isPartOf"
    tell(catalogue.workspace, event("START", "05:00:00", run_facets=within(run_id(2))))
    assert says(catalogue, run_iri(BASE, RUN), part_of) == [f"<{run_iri(BASE, run_id(2))}>"]
    assert says(catalogue, job(), part_of) == [f"<{job('dag')}>"]
    tell(
        catalogue.workspace,
        event("START", "05:00:00", run=run_id(2), job="dag", run_facets=within(RUN)),
    )
    tell(
        catalogue.workspace, event("START", "05:00:00", run=run_id(3), run_facets=within(run_id(3)))
    )
    assert says(catalogue, run_iri(BASE, run_id(3)), part_of) == []
    assert says(catalogue, run_iri(BASE, run_id(2)), part_of) == []


def test_parent_is_within_what_all_began_with_until_it_tells_its_own(catalogue: Catalogue) -> None:
    def named(number: int, name: str) -> dict[str, Any]:
        return {"run": {"runId": run_id(number)}, "job": {"namespace": "airflow", "name": name}}

    part_of = "http://purl.org/dc/terms/isPartOf"
    within = {"parent": {**named(2, "dag.task"), "root": named(4, "dag")}}
    tell(catalogue.workspace, event("COMPLETE", "06:00:00", job="spark", run_facets=within))
    assert says(catalogue, run_iri(BASE, RUN), part_of) == [f"<{run_iri(BASE, run_id(2))}>"]
    assert says(catalogue, run_iri(BASE, run_id(2)), part_of) == [f"<{run_iri(BASE, run_id(4))}>"]
    assert says(catalogue, job("dag.task"), part_of) == [f"<{job('dag')}>"]
    assert says(catalogue, run_iri(BASE, run_id(2)), STATUS) == []
    own = {"parent": {**named(3, "dag.group"), "root": named(4, "dag")}}
    tell(
        catalogue.workspace,
        event("START", "05:00:00", run=run_id(2), job="dag.task", run_facets=own),
    )
    assert says(catalogue, run_iri(BASE, run_id(2)), part_of) == [f"<{run_iri(BASE, run_id(3))}>"]
    assert says(catalogue, job("dag.task"), part_of) == [f"<{job('dag.group')}>"]
    assert says(catalogue, job("dag.group"), part_of) == [f"<{job('dag')}>"]


def test_job_event_declares_lineage_until_a_run_knows_better(catalogue: Catalogue) -> None:
    tell(catalogue.workspace, event(None, "05:00:00", [dataset("a")], [dataset("c")], run=None))
    assert says(catalogue, table("c"), DERIVED) == [f"<{table('a')}>"]
    tell(catalogue.workspace, event("COMPLETE", "06:00:00", [dataset("b")], [dataset("c")]))
    assert says(catalogue, table("c"), DERIVED) == [f"<{table('b')}>"]
    tell(catalogue.workspace, event(None, "07:00:00", [dataset("d")], [dataset("c")], run=None))
    assert says(catalogue, table("c"), DERIVED) == [f"<{table('d')}>"]


def test_dataset_event_describes_a_table_without_any_job(catalogue: Catalogue) -> None:
    told = event(None, "05:00:00", run=None)
    del told["job"], told["inputs"], told["outputs"]
    told["dataset"] = dataset("a", schema=schema("x"), columnLineage=lineage_of(x="b:y"))
    tell(catalogue.workspace, told)
    assert says(catalogue, column("a", "x"), DERIVED) == [f"<{column('b', 'y')}>"]
    assert says(catalogue, table("a"), DERIVED) == [f"<{table('b')}>"]


def test_dataset_level_lineage_bears_on_the_table(catalogue: Catalogue) -> None:
    facet = {"fields": {}, "dataset": [{
        "namespace": SPACE, "name": "b", "field": "kind",
        "transformations": [{"type": "INDIRECT", "subtype": "FILTER", "description": "kind = 1"}],
    }]}  # fmt: skip
    tell(
        catalogue.workspace, event("COMPLETE", "05:00:00", [], [dataset("a", columnLineage=facet)])
    )
    assert says(catalogue, table("a"), DERIVED) == [f"<{table('b')}>"]
    assert '"INDIRECT/FILTER: kind = 1"' in catalogue.text(table("a"))
    assert says(catalogue, table("a"), f"{PROV}wasInfluencedBy") == [f"<{column('b', 'kind')}>"]
    reached = walk(catalogue.workspace.store, column("b", "kind"), "downstream").steps
    assert [step.iri for step in reached] == [table("a")]


def all_measured(catalogue: Catalogue, name: str) -> list[tuple[str, ...]]:
    """What was measured of a table: of what, the value, by which job."""
    properties = (f"{DQV}computedOn", f"{DQV}value", "http://purl.org/dc/terms/source")
    nodes = map(plain, says(catalogue, table(name), f"{DQV}hasQualityMeasurement"))
    return [tuple(plain(says(catalogue, node, p)[0]) for p in properties) for node in nodes]


def test_what_jobs_find_of_tables_that_they_test_is_measured(catalogue: Catalogue) -> None:
    told = tell(
        catalogue.workspace,
        event("COMPLETE", "05:00:00", [checked(RAW, id=False, at=True)], job="one"),
        event("COMPLETE", "06:00:00", [checked(RAW, id=True)], run=run_id(2), job="two"),
    )
    assert told["new"] == 5
    one, two = job("one"), job("two")
    by_job = [
        (column(RAW, name), value, by)
        for name, value, by in (("at", "true", one), ("id", "false", one), ("id", "true", two))
    ]
    assert sorted(all_measured(catalogue, RAW)) == sorted(by_job)
    # Found again it is no news; found otherwise it is.
    again = event(
        "COMPLETE", "07:00:00", [checked(RAW, id=False, at=True)], run=run_id(3), job="one"
    )
    assert tell(catalogue.workspace, again)["changed"] == 0
    mended = event("COMPLETE", "08:00:00", [checked(RAW, id=True)], run=run_id(4), job="one")
    assert tell(catalogue.workspace, mended)["changed"] == 1
    assert sorted(all_measured(catalogue, RAW)) == sorted(
        [(column(RAW, "id"), "true", one), (column(RAW, "id"), "true", two)]
    )
    # A job that goes takes its own along.
    catalogue.do("lineage.forget", iri=one)
    assert all_measured(catalogue, RAW) == [(column(RAW, "id"), "true", two)]


def test_an_assertion_may_be_of_the_table_and_have_a_name_and_be_none(
    catalogue: Catalogue,
) -> None:
    facet = {"assertions": [
        {"assertion": "row_count", "success": True, "name": "enough rows", "description": "≥ 5"},
        {"assertion": "row_count", "success": True, "name": "enough rows"},
        {"assertion": "unsure", "success": "yes"}, {"success": True}, "none", None,
    ]}  # fmt: skip
    tell(catalogue.workspace, event("COMPLETE", "05:00:00", [dataset(RAW, own={
        "dataQualityAssertions": facet})]))  # fmt: skip
    (node,) = says(catalogue, table(RAW), f"{DQV}hasQualityMeasurement")
    assert says(catalogue, plain(node), f"{DQV}computedOn") == [f"<{table(RAW)}>"]
    assert says(catalogue, plain(node), STATUS) == ["<https://schema.org/CompletedActionStatus>"]
    metric = f"{plain(node)}-metric"
    definition = "http://www.w3.org/2004/02/skos/core#definition"
    assert says(catalogue, metric, definition) == ['"≥ 5"']


ODD = [
    "a b",
    "a/b",
    "a%2Fb",
    "ñandú/日本",
    '"quoted"',
    "<x> ^`{|}\\",
    "line\nfeed",
    "tab\t",
    "\x01\x7f",
    "\U0001f6b2",
    "a" * 1900,
    ".",
    "..",
    "-",
    "?q#f",
    "\u202e",
    "\ufffe",
    "'; DROP TABLE x; --",
]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_names_with_odd_characters_are_kept_apart_and_can_be_read_back(
    catalogue: Catalogue, odd: str
) -> None:
    told = dataset(odd, namespace=f"s3://{odd}", schema=schema(odd.replace(" ", "_")))
    tell(catalogue.workspace, event("COMPLETE", "05:00:00", [told], [dataset("b")], job=odd))
    iri = table_iri(BASE, Name(f"s3://{odd}", odd))
    (identifier,) = says(catalogue, iri, "http://purl.org/dc/terms/identifier")
    (record,) = [r for r in catalogue.records.all() if r.iri == iri]
    assert split_lines(record.text)
    assert says(catalogue, table("b"), DERIVED) == [f"<{iri}>"]
    assert Name.of(plain(identifier)) == Name(f"s3://{odd}", odd)


def test_no_two_names_share_an_identity() -> None:
    parts = ["a", "/", "%", "2F", "a/", "/a", "A", "a ", ":", "b"]
    names = {Name("".join(x), "".join(y)) for x in itertools.product(parts, repeat=2)
             for y in itertools.product(parts, repeat=2)}  # fmt: skip
    assert len({name.identifier for name in names}) == len(names)
    assert len({table_iri(BASE, name) for name in names}) == len(names)


def test_job_that_is_deleted_takes_only_what_was_its_own(catalogue: Catalogue) -> None:
    told = dataset("c", schema=schema("x"), columnLineage=lineage_of(x="a:y"))
    other = dataset("c", columnLineage=lineage_of(x="b:z"))
    tell(
        catalogue.workspace,
        event("COMPLETE", "05:00:00", [dataset("a")], [told], job="one"),
        event("COMPLETE", "05:00:00", [dataset("b")], [other], job="two", run=run_id(2)),
    )
    before = texts(catalogue.workspace)
    catalogue.do("lineage.forget", iri=job("one"))
    assert says(catalogue, table("c"), DERIVED) == [f"<{table('b')}>"]
    assert says(catalogue, column("c", "x"), DERIVED) == [f"<{column('b', 'z')}>"]
    assert "Tombstone" in catalogue.text(job("one"))
    after = texts(catalogue.workspace)
    changed = {id.partition("/")[0] for id in before if before[id] != after[id]}
    assert changed == {"job", "table"}
    with pytest.raises(NotFound):
        catalogue.do("lineage.forget", iri=job("one"))


# ---- tables and their datasets


def dataset_iri(name: str) -> str:
    return f"{BASE}/id/dataset/{name}"


def part_of(catalogue: Catalogue, **datasets: str) -> None:
    """A steward says of which dataset each table is a part."""
    said = "".join(f"<{table(t)}> dct:isPartOf :{d} . " for t, d in datasets.items())
    catalogue.load(said, source="steward")


def no_part_of(catalogue: Catalogue, name: str) -> None:
    """The steward says something else of the table."""
    catalogue.load(f'<{table(name)}> dct:title "Otra"@es .', source="steward")


def test_dataset_comes_from_what_its_tables_come_from(catalogue: Catalogue) -> None:
    catalogue.load(':raw a dcat:Dataset ; dct:title "x"@es . :mart a dcat:Dataset .', source="city")
    tell(catalogue.workspace, event("COMPLETE", "05:00:00", [dataset("a")], [dataset("b")]))
    assert says(catalogue, dataset_iri("mart"), DERIVED) == []
    part_of(catalogue, a="raw", b="mart")
    assert says(catalogue, dataset_iri("mart"), DERIVED) == [f"<{dataset_iri('raw')}>"]
    assert says(catalogue, dataset_iri("raw"), DERIVED) == []
    later = event("COMPLETE", "06:00:00", [dataset("z")], [dataset("b")], run=run_id(2))
    tell(catalogue.workspace, later)
    assert says(catalogue, dataset_iri("mart"), DERIVED) == []
    tell(
        catalogue.workspace,
        event("COMPLETE", "07:00:00", [dataset("a")], [dataset("b")], run=run_id(3)),
    )
    assert says(catalogue, dataset_iri("mart"), DERIVED) == [f"<{dataset_iri('raw')}>"]
    no_part_of(catalogue, "b")
    assert says(catalogue, dataset_iri("mart"), DERIVED) == []


def test_what_people_say_of_a_dataset_stands(catalogue: Catalogue) -> None:
    datasets = ":raw a dcat:Dataset . :other a dcat:Dataset . :mart a dcat:Dataset"
    catalogue.load(f"{datasets} ; prov:wasDerivedFrom :other .", source="city")
    tell(catalogue.workspace, event("COMPLETE", "05:00:00", [dataset("a")], [dataset("b")]))
    part_of(catalogue, a="raw", b="mart")
    assert len(says(catalogue, dataset_iri("mart"), DERIVED)) == 2
    no_part_of(catalogue, "b")
    assert says(catalogue, dataset_iri("mart"), DERIVED) == [f"<{dataset_iri('other')}>"]


DATASETS = ":raw a dcat:Dataset . :mart a dcat:Dataset ."


def test_dataset_that_the_same_step_changes_agrees_too(catalogue: Catalogue) -> None:
    catalogue.load(DATASETS, source="steward")
    tell(catalogue.workspace, event("COMPLETE", "05:00:00", [dataset("a")], [dataset("b")]))
    parts = f"<{table('a')}> dct:isPartOf :raw . <{table('b')}> dct:isPartOf :mart ."
    named = DATASETS.replace(":mart a", ':mart dct:title "Viajes"@es ; a')
    done = catalogue.load(f"{named} {parts}", source="steward")
    assert says(catalogue, dataset_iri("mart"), DERIVED) == [f"<{dataset_iri('raw')}>"]
    before = texts(catalogue.workspace)
    again = catalogue.load(f"{named} {parts}", source="steward")
    assert (again["records"]["new"], again["records"]["changed"]) == (0, 0), done
    assert texts(catalogue.workspace) == before
    other = parts.replace(":mart", ":other")
    catalogue.load(f"{named.replace('Viajes', 'Otros')} {other}", source="steward")
    assert says(catalogue, dataset_iri("mart"), DERIVED) == []


def test_dataset_that_is_deleted_in_the_same_step_stays_deleted(catalogue: Catalogue) -> None:
    catalogue.load(DATASETS, source="city")
    tell(catalogue.workspace, event("COMPLETE", "05:00:00", [dataset("a")], [dataset("b")]))
    part_of(catalogue, a="raw", b="mart")
    buried = ":mart a as:Tombstone ; as:formerType dcat:Dataset ; as:deleted"
    day = '"2026-11-20T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime>'
    prefix = "@prefix as: <https://www.w3.org/ns/activitystreams#> ."
    other = f"<{table('a')}> dct:isPartOf :other . <{table('b')}> dct:isPartOf :mart ."
    catalogue.load(f"{prefix} :raw a dcat:Dataset . {buried} {day} . {other}", source="city")
    assert says(catalogue, dataset_iri("mart"), DERIVED) == []
    assert "Tombstone" in catalogue.text(dataset_iri("mart"))


def test_dataset_that_comes_back_comes_from_what_its_tables_now_come_from(
    catalogue: Catalogue,
) -> None:
    catalogue.load(f"{DATASETS} :other a dcat:Dataset .", source="city")
    tell(catalogue.workspace, event("COMPLETE", "05:00:00", [dataset("a")], [dataset("b")]))
    part_of(catalogue, a="raw", b="mart")
    catalogue.do("delete", iri=dataset_iri("mart"), force=True)
    part_of(catalogue, a="other", b="mart")
    catalogue.do("restore", iri=dataset_iri("mart"))
    assert says(catalogue, dataset_iri("mart"), DERIVED) == [f"<{dataset_iri('other')}>"]


def test_dataset_no_longer_comes_from_what_a_deleted_table_came_from(catalogue: Catalogue) -> None:
    catalogue.load(DATASETS, source="city")
    tell(catalogue.workspace, event("COMPLETE", "05:00:00", [dataset("a")], [dataset("b")]))
    part_of(catalogue, a="raw", b="mart")
    catalogue.do("delete", iri=table("b"), force=True)
    assert says(catalogue, dataset_iri("mart"), DERIVED) == []
    catalogue.do("restore", iri=table("b"))
    assert says(catalogue, dataset_iri("mart"), DERIVED) == [f"<{dataset_iri('raw')}>"]


STEPS = ("datasets", "parts", "told")


@pytest.mark.parametrize("order", list(itertools.permutations(STEPS)), ids="-".join)
def test_levels_agree_whatever_is_known_first(catalogue: Catalogue, order: tuple[str, ...]) -> None:
    columns = dataset("b", columnLineage=lineage_of(x="a:y"))
    steps = {
        "datasets": lambda: catalogue.load(DATASETS, source="city"),
        "parts": lambda: part_of(catalogue, a="raw", b="mart"),
        "told": lambda: tell(
            catalogue.workspace, event("COMPLETE", "05:00:00", [dataset("a")], [columns])
        ),
    }
    for step in order:
        steps[step]()
    assert says(catalogue, column("b", "x"), DERIVED) == [f"<{column('a', 'y')}>"]
    assert says(catalogue, table("b"), DERIVED) == [f"<{table('a')}>"]
    assert says(catalogue, dataset_iri("mart"), DERIVED) == [f"<{dataset_iri('raw')}>"]


def test_tables_that_no_pipeline_told_of_are_left_as_described(catalogue: Catalogue) -> None:
    said = f"<{table('b')}> a csvw:Table ; prov:wasDerivedFrom <{table('a')}> ; dct:isPartOf :mart"
    prefix = "@prefix csvw: <http://www.w3.org/ns/csvw#> ."
    parts = f"<{table('a')}> a csvw:Table ; dct:isPartOf :raw ."
    catalogue.load(f"{prefix} {said} . {parts} {DATASETS}", source="city")
    assert says(catalogue, dataset_iri("mart"), DERIVED) == []


def test_levels_agree_by_the_shapes(catalogue: Catalogue) -> None:
    from bilbaokg import validate

    catalogue.load(":raw a dcat:Dataset . :mart a dcat:Dataset .", source="city")
    told = dataset("b", columnLineage=lineage_of(x="a:y"))
    tell(catalogue.workspace, event("COMPLETE", "05:00:00", [dataset("a")], [told]))
    part_of(catalogue, a="raw", b="mart")
    file = catalogue.folder / "all.nt"
    file.write_text("".join(texts(catalogue.workspace).values()), encoding="utf-8")
    found = validate(file, shapes="bilbaokg/1").results
    assert [
        r.message for r in found if r.severity == "violation" and "wasDerivedFrom" in str(r.hint)
    ] == []


# ---- one table under many names


def symlinks(*names: str) -> dict[str, Any]:
    return {"identifiers": [{"namespace": "hive", "name": name, "type": "TABLE"} for name in names]}


def test_names_that_a_pipeline_links_are_one_table(catalogue: Catalogue) -> None:
    tell(
        catalogue.workspace,
        event("COMPLETE", "05:00:00", [], [dataset("/files/t", "s3://x", symlinks=symlinks("t"))]),
    )
    tell(
        catalogue.workspace,
        event(
            "COMPLETE", "06:00:00", [dataset("t", "hive")], [dataset("c")], job="two", run=run_id(2)
        ),
    )
    assert says(catalogue, table("c"), DERIVED) == [f"<{table('/files/t', 's3://x')}>"]
    assert len([id for id in texts(catalogue.workspace) if id.startswith("table/")]) == 2


def test_tables_that_prove_to_be_one_are_merged(catalogue: Catalogue) -> None:
    origins = {
        "fields": {"z": {"inputFields": [{"namespace": "hive", "name": "t", "field": "id"}]}}
    }
    known, reader = (
        dataset("/t", "s3://x", schema=schema("id")),
        dataset("c", columnLineage=origins),
    )
    tell(
        catalogue.workspace,
        event("COMPLETE", "05:00:00", [dataset("a")], [known]),
        event("COMPLETE", "05:00:00", [dataset("t", "hive")], [reader], job="two", run=run_id(2)),
    )
    assert says(catalogue, table("c"), DERIVED) == [f"<{table('t', 'hive')}>"]
    linked = dataset("/t", "s3://x", symlinks=symlinks("t"))
    tell(
        catalogue.workspace, event("COMPLETE", "06:00:00", [dataset("a")], [linked], run=run_id(3))
    )
    kept = table("/t", "s3://x")
    assert says(catalogue, table("c"), DERIVED) == [f"<{kept}>"]
    assert says(catalogue, column("c", "z"), DERIVED) == [f"<{column_iri(BASE, kept, 'id')}>"]
    assert says(catalogue, table("t", "hive"), "http://purl.org/dc/terms/isReplacedBy") == [
        f"<{kept}>"
    ]
    tell(
        catalogue.workspace,
        event(
            "COMPLETE", "07:00:00", [dataset("t", "hive")], [dataset("c")], job="two", run=run_id(4)
        ),
    )
    assert says(catalogue, table("c"), DERIVED) == [f"<{kept}>"]


def test_renaming_keeps_the_identity(catalogue: Catalogue) -> None:
    tell(
        catalogue.workspace,
        event("COMPLETE", "05:00:00", [], [dataset("old", schema=schema("id"))]),
    )
    change = {
        "lifecycleStateChange": "RENAME",
        "previousIdentifier": {"namespace": SPACE, "name": "old"},
    }
    tell(
        catalogue.workspace,
        event(
            "COMPLETE", "06:00:00", [], [dataset("new", lifecycleStateChange=change)], run=run_id(2)
        ),
    )
    tables = [id for id in texts(catalogue.workspace) if id.startswith("table/")]
    assert tables == [f"table/{table('old').rpartition('/')[2]}"]


def test_steward_s_words_stand_when_the_pipeline_speaks_again(catalogue: Catalogue) -> None:
    linked = event("COMPLETE", "05:00:00", [], [dataset("/t", "s3://x", symlinks=symlinks("t"))])
    tell(catalogue.workspace, linked)
    catalogue.do("lineage.apart", namespace="hive", name="t")
    tell(catalogue.workspace, linked | {"eventTime": "2026-11-21T00:00:00Z"})
    tell(
        catalogue.workspace,
        event(
            "COMPLETE", "06:00:00", [dataset("t", "hive")], [dataset("c")], job="two", run=run_id(2)
        ),
    )
    assert says(catalogue, table("c"), DERIVED) == [f"<{table('t', 'hive')}>"]
    catalogue.do("lineage.same", namespace="hive", name="t", iri=table("/t", "s3://x"))
    assert says(catalogue, table("c"), DERIVED) == [f"<{table('/t', 's3://x')}>"]


def test_a_name_that_a_steward_sets_apart_leaves_the_table_that_it_was_taken_for(
    catalogue: Catalogue,
) -> None:
    linked = dataset("/t", "s3://x", symlinks=symlinks("t"))
    tell(
        catalogue.workspace,
        event("COMPLETE", "05:00:00", [], [linked]),
        event(
            "COMPLETE", "06:00:00", [dataset("t", "hive")], [dataset("c")], job="two", run=run_id(2)
        ),
    )
    kept, own = table("/t", "s3://x"), table("t", "hive")
    assert says(catalogue, table("c"), DERIVED) == [f"<{kept}>"]
    assert len(says(catalogue, kept, "http://www.w3.org/ns/adms#identifier")) == 2
    catalogue.do("lineage.apart", namespace="hive", name="t")
    # What was read under the name comes from its own table now, without being told again.
    assert says(catalogue, table("c"), DERIVED) == [f"<{own}>"]
    assert len(says(catalogue, kept, "http://www.w3.org/ns/adms#identifier")) == 1
    assert len(says(catalogue, own, "http://www.w3.org/ns/adms#identifier")) == 1
    # And back.
    catalogue.do("lineage.same", namespace="hive", name="t", iri=kept)
    assert says(catalogue, table("c"), DERIVED) == [f"<{kept}>"]
    assert len(says(catalogue, kept, "http://www.w3.org/ns/adms#identifier")) == 2


def test_table_that_was_deleted_here_stays_deleted(catalogue: Catalogue) -> None:
    tell(catalogue.workspace, event("COMPLETE", "05:00:00", [], [dataset("a", schema=schema("x"))]))
    catalogue.do("delete", iri=table("a"), force=True)
    tell(
        catalogue.workspace,
        event("COMPLETE", "06:00:00", [], [dataset("a", schema=schema("y"))], run=run_id(2)),
    )
    assert "Tombstone" in catalogue.text(table("a"))


def test_what_a_steward_adds_stands(catalogue: Catalogue) -> None:
    tell(catalogue.workspace, event("COMPLETE", "05:00:00", [], [dataset("a")]))
    catalogue.load(f'<{table("a")}> dct:title "Viajes"@es .', source="steward")
    tell(
        catalogue.workspace,
        event("COMPLETE", "06:00:00", [], [dataset("a", schema=schema("y"))], run=run_id(2)),
    )
    assert '"Viajes"@es' in says(catalogue, table("a"), "http://purl.org/dc/terms/title")


def test_audit_tells_who_sent_how_many(catalogue: Catalogue) -> None:
    tell(catalogue.workspace, *HISTORY)
    last = catalogue.records.audit.last()
    assert last
    assert (last.actor, last.kind, last.detail["events"]) == ("tester", "lineage", len(HISTORY))
    assert catalogue.records.audit.verify()
    assert catalogue.records.verify()
