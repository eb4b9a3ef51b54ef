"""Names of tables: whatever links them, the outcome is that of what was said, not of its order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from pipelines import content, dataset, event, lineage_of, run_id, schema

from bilbaokg import settings
from bilbaokg.importers import openlineage
from bilbaokg.lineage import Planned, Scribe
from bilbaokg.lineage.names import Name, column_iri, run_iri, table_iri
from bilbaokg.merging import is_buried
from bilbaokg.planning import Planner
from bilbaokg.records import Records
from bilbaokg.settings import Settings
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import DCT, ref
from bilbaokg.workspace import initialise

BASE = "https://datos.example.org"
# The namespace of lineage_of, so that columns come from tables that have other names too.
SPACE = "postgres://db:5432"
NAMES = [(SPACE, "a"), (SPACE, "b"), ("hive", "c"), ("s3://x", "/d"), ("hive", "e")]


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    data = Path(tmp_path_factory.mktemp("names"))
    initialise(data, {"base": BASE})
    return settings.read(data, {})


class Writer:
    """A store in memory, and what pipelines and stewards tell it."""

    def __init__(self, configured: Settings) -> None:
        self.records = Records(EmbeddedStore(), configured)
        self.scribe = Scribe(self.records)

    def tell(self, *events: Any) -> None:
        self._save(self.scribe.plan([openlineage.read(content(told)) for told in events]))

    def decide(self, name: tuple[str, str], to: tuple[str, str], at: str) -> None:
        self._save(self.scribe.decide(Name(*name), Name(*to), at))

    def say(self, subject: str, line: str) -> None:
        """A person says something of a record."""
        id = subject[len(f"{BASE}/id/") :]
        plan = Planner(self.records).known({id: (subject, {"steward": [line]})}, {})
        self.records.commit(plan, actor="t", kind="load", subject="x", why="")

    def _save(self, planned: Planned) -> None:
        self.records.commit(
            planned.plan, actor="t", kind="lineage", subject="x", why="", beside=planned.states
        )
        self.scribe.written()

    def current(self) -> dict[str, str]:
        """The records that are no tombstones, by id."""
        found = self.records.all()
        return {x.id: x.text for x in found if not is_buried(x.text.splitlines(), x.iri)}

    def successors(self) -> dict[str, list[str]]:
        """The tombstones (IRIs) and what took their place."""
        return {
            x.iri: [o for *_, o, _ in self.records.store.match(ref(x.iri), ref(DCT.isReplacedBy))]
            for x in self.records.all()
            if is_buried(x.text.splitlines(), x.iri)
        }


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    namespace, name = draw(st.sampled_from(NAMES))
    facets: dict[str, Any] = {}
    kind = draw(st.sampled_from(["", "", "symlinks", "rename", "schema", "columns", "columns"]))
    other = draw(st.sampled_from(NAMES))
    if kind == "symlinks":
        facets["symlinks"] = {"identifiers": [{"namespace": other[0], "name": other[1]}]}
    elif kind == "rename":
        before = {"namespace": other[0], "name": other[1]}
        change = {"lifecycleStateChange": "RENAME", "previousIdentifier": before}
        facets["lifecycleStateChange"] = change
    elif kind == "schema":
        facets["schema"] = schema(draw(st.sampled_from(["x INT", "y", "z DATE"])))
    elif kind == "columns":
        origin = draw(st.sampled_from(["a:x", "b:y", "b:z"]))
        facets["columnLineage"] = lineage_of(**{draw(st.sampled_from("xy")): origin})
    return {"namespace": namespace, "name": name, "facets": facets}


@st.composite
def told(draw: st.DrawFn) -> dict[str, Any]:
    number = draw(st.integers(1, 3))
    at = f"0{draw(st.integers(5, 7))}:00:00"
    inputs = draw(st.lists(tables(), max_size=1))
    outputs = draw(st.lists(tables(), max_size=2))
    if draw(st.integers(0, 5)) == 0:
        alone = event(None, at, run=None)
        return {k: v for k, v in alone.items() if k[:3] in ("eve", "pro", "sch")} | {
            "dataset": draw(tables())
        }
    parent = {"run": {"runId": run_id(draw(st.integers(1, 3)))},
              "job": {"namespace": "airflow", "name": "dag"}}  # fmt: skip
    return event(
        draw(st.sampled_from(["START", "RUNNING", "COMPLETE", "FAIL"])), at, inputs, outputs,
        run=run_id(number) if draw(st.integers(0, 4)) else None,
        job=f"j{draw(st.integers(0, 1))}",
        run_facets={"parent": parent} if draw(st.integers(0, 4)) == 0 else {},
    )  # fmt: skip


@examples(
    max_examples=50, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    data=st.data(), events=st.lists(told(), min_size=2, max_size=7),
    decisions=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=2),
)  # fmt: skip
def test_names_that_are_linked_have_one_outcome_in_every_order(
    configured: Settings, data: st.DataObject, events: list[Any], decisions: list[Any]
) -> None:
    together, shuffled = Writer(configured), Writer(configured)
    together.tell(*events)
    for decision in decisions:
        together.decide(*decision, "2026-11-21T00:00:00.000000Z")
    order = data.draw(st.permutations([*events, *events[:2]]))
    while order:
        size = data.draw(st.integers(1, 3))
        shuffled.tell(*order[:size])
        order = order[size:]
        if data.draw(st.booleans()):
            shuffled.scribe.failed()  # nothing is in memory any more
        if decisions and (not order or data.draw(st.booleans())):
            shuffled.decide(*decisions[0], "2026-11-21T00:00:00.000000Z")
            decisions = decisions[1:]
    for decision in decisions:
        shuffled.decide(*decision, "2026-11-21T00:00:00.000000Z")
    assert shuffled.current() == together.current()
    for iri, kept in shuffled.successors().items():
        assert kept, iri


def says(writer: Writer, subject: str, predicate: str) -> list[str]:
    found = writer.records.store.match(ref(subject), f"<{predicate}>")
    return sorted({o for *_, o, g in found if "/graph/record/" in g})


def iri(name: str, namespace: str = SPACE) -> str:
    return table_iri(BASE, Name(namespace, name))


def at(hour: int, *, inputs: Any = (), outputs: Any = (), run: int = 1, job: str = "daily") -> Any:
    return event("COMPLETE", f"{hour:02}:00:00", inputs, outputs, run=run_id(run), job=job)


def linked(name: str, namespace: str, **facets: Any) -> Any:
    """The table named, which says that it is hive c as well."""
    return dataset(name, namespace, symlinks=C_TOO, **facets)


C_TOO = {"identifiers": [{"namespace": "hive", "name": "c", "type": "TABLE"}]}
PART = "http://purl.org/dc/terms/hasPart"
TITLE = "http://purl.org/dc/terms/title"
IDENTIFIER = "http://purl.org/dc/terms/identifier"
ALIAS = "http://www.w3.org/ns/adms#identifier"
DERIVED = "http://www.w3.org/ns/prov#wasDerivedFrom"
USED = "http://www.w3.org/ns/prov#used"
DESCRIPTION = "http://purl.org/dc/terms/description"


def test_name_that_was_told_of_first_is_the_main_one_though_it_is_told_late(
    configured: Settings,
) -> None:
    writer = Writer(configured)
    writer.tell(at(6, outputs=[linked("/d", "s3://x")]), at(7, inputs=[dataset("/d", "s3://x")]))
    writer.tell(at(8, inputs=[dataset("c", "hive")], outputs=[dataset("z")], run=2, job="reader"))
    assert says(writer, iri("z"), DERIVED) == [ref(iri("/d", "s3://x"))]
    writer.tell(at(5, inputs=[dataset("c", "hive")], run=3, job="early"))
    assert says(writer, iri("z"), DERIVED) == [ref(iri("c", "hive"))]
    run = run_iri(BASE, run_id(2))
    assert says(writer, run, USED) == [ref(iri("c", "hive"))]
    assert writer.successors() == {iri("/d", "s3://x"): [ref(iri("c", "hive"))]}


def test_table_that_is_kept_under_a_path_is_called_as_its_catalogue_calls_it(
    configured: Settings,
) -> None:
    writer, path = Writer(configured), ("/lake/mart.db/c", "s3://x")
    writer.tell(at(6, outputs=[dataset(*path)]))
    assert says(writer, iri(*path), TITLE) == ['"/lake/mart.db/c"']
    writer.tell(at(7, outputs=[linked(*path)]))
    assert says(writer, iri(*path), TITLE) == ['"c"']
    assert says(writer, iri(*path), IDENTIFIER) == ['"s3://x/%2Flake%2Fmart.db%2Fc"']
    writer.decide(("hive", "c"), ("hive", "c"), "2026-11-21T00:00:00.000000Z")
    assert says(writer, iri(*path), TITLE) == ['"/lake/mart.db/c"']


def test_table_that_is_the_main_one_again_is_as_it_was(configured: Settings) -> None:
    writer = Writer(configured)
    plain_table = dataset("c", "hive", documentation={"description": "de c"})
    writer.tell(at(6, outputs=[dataset("/d", "s3://x", schema=schema("x"))], inputs=[plain_table]))
    writer.say(iri("c", "hive"), f'{ref(iri("c", "hive"))} {ref(TITLE)} "Viajes"@es .')
    writer.tell(at(7, outputs=[linked("/d", "s3://x")]), at(5, inputs=[dataset("/d", "s3://x")]))
    assert iri("c", "hive") in writer.successors()
    writer.decide(("hive", "c"), ("hive", "c"), "2026-11-21T00:00:00.000000Z")
    assert writer.successors() == {}
    assert says(writer, iri("c", "hive"), TITLE) == ['"Viajes"@es', '"c"']
    assert says(writer, iri("c", "hive"), DESCRIPTION) == ['"de c"']
    assert says(writer, iri("/d", "s3://x"), DESCRIPTION) == []


def test_name_that_is_set_apart_takes_along_what_was_told_under_it(configured: Settings) -> None:
    writer = Writer(configured)
    of_c = dataset(
        "c", "hive", schema=schema("y"), documentation={"description": "de c"},
        columnLineage=lineage_of(y="b:k"),
    )  # fmt: skip
    writer.tell(
        at(5, inputs=[dataset("a")], outputs=[linked("/d", "s3://x", schema=schema("x"))]),
        at(6, inputs=[dataset("b")], outputs=[of_c], run=2, job="other"),
    )
    kept, own = iri("/d", "s3://x"), iri("c", "hive")
    assert says(writer, kept, DERIVED) == sorted([ref(iri("a")), ref(iri("b"))])
    assert says(writer, kept, PART) == [ref(column_iri(BASE, kept, "y"))]  # the later schema
    together = writer.current()
    writer.decide(("hive", "c"), ("hive", "c"), "2026-11-21T00:00:00.000000Z")
    assert says(writer, kept, DERIVED) == [ref(iri("a"))]
    assert says(writer, kept, PART) == [ref(column_iri(BASE, kept, "x"))]
    assert says(writer, kept, DESCRIPTION) == []
    assert says(writer, own, DERIVED) == [ref(iri("b"))]
    assert says(writer, own, PART) == [ref(column_iri(BASE, own, "y"))]
    assert says(writer, own, DESCRIPTION) == ['"de c"']
    assert says(writer, run_iri(BASE, run_id(2)), "http://www.w3.org/ns/prov#generated") == [
        ref(own)
    ]
    writer.decide(("hive", "c"), ("s3://x", "/d"), "2026-11-22T00:00:00.000000Z")
    assert writer.current() == together


@pytest.mark.parametrize("apart", [True, False])
def test_steward_s_decision_stands_whether_it_came_before_or_after(
    configured: Settings, apart: bool
) -> None:
    to = ("hive", "c") if apart else (SPACE, "b")
    events = [
        at(5, outputs=[linked("/d", "s3://x", schema=schema("x"))], inputs=[dataset("a")]),
        at(6, inputs=[dataset("c", "hive")], outputs=[dataset("b")], run=2, job="other"),
        at(7, inputs=[dataset("b", symlinks=C_TOO)], outputs=[dataset("z")], run=3, job="third"),
    ]
    before, after = Writer(configured), Writer(configured)
    before.decide(("hive", "c"), to, "2026-11-21T00:00:00.000000Z")
    before.tell(*events)
    after.tell(*events)
    after.decide(("hive", "c"), to, "2026-11-21T00:00:00.000000Z")
    after.tell(*events)
    assert after.current() == before.current()
    main = ref(iri("c", "hive") if apart else iri("b"))
    assert says(after, run_iri(BASE, run_id(2)), USED) == [main]
    assert after.scribe.aliases.all()["hive/c"] == ("/".join(to), "steward")


def test_table_whose_iri_a_steward_gave_stays_the_main_one(configured: Settings) -> None:
    writer = Writer(configured)
    writer.tell(at(5, outputs=[dataset("a")]), at(6, inputs=[dataset("b")], run=2, job="other"))
    writer.decide((SPACE, "a"), (SPACE, "b"), "2026-11-21T00:00:00.000000Z")
    writer.tell(at(4, outputs=[linked("b", SPACE)]), at(3, inputs=[dataset("c", "hive")], run=3))
    assert {iri("a"), iri("c", "hive")} <= {*writer.successors()} | {iri("c", "hive")}
    assert writer.scribe.tables.iri(Name("hive", "c")) == iri("b")
    # And said the other way round, the other one is.
    writer.decide((SPACE, "b"), (SPACE, "a"), "2026-11-22T00:00:00.000000Z")
    assert writer.scribe.tables.iri(Name("hive", "c")) == iri("a")
    assert iri("a") not in writer.successors()


def test_table_that_is_internal_stays_so_under_another_name(configured: Settings) -> None:
    writer = Writer(configured)
    writer.tell(at(6, outputs=[dataset("a")]))
    id = writer.scribe.tables.id(Name(SPACE, "a"))
    writer.records.set_visibility(id, "internal", actor="t", why="draft")
    renamed = {"identifiers": [{"namespace": SPACE, "name": "a"}]}
    writer.tell(at(5, outputs=[dataset("b", symlinks=renamed)], run=2))
    assert writer.successors() == {iri("a"): [ref(iri("b"))]}
    assert writer.records.get(writer.scribe.tables.id(Name(SPACE, "a"))).visibility == "internal"
    writer.decide((SPACE, "a"), (SPACE, "a"), "2026-11-21T00:00:00.000000Z")
    assert writer.records.get(id).visibility == "internal"


def test_table_that_people_deleted_does_not_come_back_by_links(configured: Settings) -> None:
    writer = Writer(configured)
    writer.tell(at(5, outputs=[dataset("a")]))
    id = writer.scribe.tables.id(Name(SPACE, "a"))
    writer.records.delete(id, replaced_by=None, actor="t", why="")
    writer.tell(at(6, outputs=[linked("a", SPACE)]), at(7, inputs=[dataset("c", "hive")]))
    assert id not in writer.current()


def test_runs_within_each_other_are_within_none_in_every_order(configured: Settings) -> None:
    def within(run: int, parent: int) -> Any:
        facet = {"run": {"runId": run_id(parent)}, "job": {"namespace": "airflow", "name": "dag"}}
        return event("START", "05:00:00", run=run_id(run), run_facets={"parent": facet})

    part_of = "http://purl.org/dc/terms/isPartOf"
    events = [within(1, 2), within(2, 3), within(3, 1), within(4, 1)]
    for order in (events, events[::-1], [events[2], events[0], events[3], events[1]]):
        writer = Writer(configured)
        for each in order:
            writer.tell(each)
        for run in (1, 2, 3):
            assert says(writer, run_iri(BASE, run_id(run)), part_of) == []
        assert says(writer, run_iri(BASE, run_id(4)), part_of) == [ref(run_iri(BASE, run_id(1)))]


def test_names_of_a_data_directory_from_before_are_still_read(configured: Settings) -> None:
    """All names of a table were kept with its main one, and a link as the text of its alias."""
    writer = Writer(configured)
    writer.tell(at(5, outputs=[dataset("/d", "s3://x", schema=schema("x"))]))
    main, when = Name("s3://x", "/d"), "2026-11-20T05:00:00.000000Z"
    states = writer.scribe.states
    states.of("names").put("link/hive/c", when, main.identifier)
    states.of("names").put("steward/hive/e", when, main.identifier)
    for alias in ("hive/c", "hive/e"):
        writer.scribe.tables.own(main).put(f"name/{alias}", when)
    writer.records.store.apply(states.changes())
    writer.scribe.failed()
    writer.tell(at(6, inputs=[dataset("c", "hive")], outputs=[dataset("z")], run=2, job="reader"))
    assert says(writer, iri("z"), DERIVED) == [ref(iri("/d", "s3://x"))]
    assert len(says(writer, iri("/d", "s3://x"), ALIAS)) == 3
    assert writer.scribe.aliases.all() == {
        "hive/c": (main.identifier, "pipelines"), "hive/e": (main.identifier, "steward"),
    }  # fmt: skip
    writer.decide(("hive", "c"), ("hive", "c"), "2026-11-21T00:00:00.000000Z")
    assert says(writer, iri("z"), DERIVED) == [ref(iri("c", "hive"))]
    assert len(says(writer, iri("/d", "s3://x"), ALIAS)) == 2
