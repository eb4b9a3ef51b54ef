"""What a dbt project tells by its artefacts becomes tables, jobs, measurements and uses."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from dbt_artefacts import manifest, model, results, source, write
from helpers import BASE, Catalogue
from pipelines import content, event

from bilbaokg.errors import BadInput, BilbaokgError, NotFound, TooLarge, UnsupportedFormat
from bilbaokg.importers import dbt, openlineage
from bilbaokg.lineage.names import Name, column_iri, job_iri, table_iri
from bilbaokg.operations.lineage import take_in
from bilbaokg.workers import Pool

SPACE = "postgres://db:5432"
PROV, DUV = "http://www.w3.org/ns/prov#", "http://www.w3.org/ns/duv#"
DQV = "http://www.w3.org/ns/dqv#"
TEST = model(
    "not_null_trips_id", "model.city.trips", kind="test", column_name="id",
    attached_node="model.city.trips", test_metadata={"name": "not_null"},
)  # fmt: skip
NODES = (
    source("rides", description="As the bicycles send it."),
    model("clean", "source.city.raw.rides", config={"materialized": "ephemeral"}),
    model(
        "trips", "model.city.clean", group="mobility", tags=["bikes"],
        columns={"id": {"name": "id", "data_type": "bigint", "description": "Of the trip."}},
    ),
    TEST,
)  # fmt: skip
GROUPS = {"group.city.mobility": {"name": "mobility", "owner": {"name": "Mobility team"}}}
EXPOSURES = {
    "exposure.city.board": {
        "name": "board", "label": "Bikes", "type": "dashboard", "url": "https://example.org/board",
        "depends_on": {"nodes": ["model.city.trips"]},
    },
    "exposure.city.study": {
        "name": "study", "type": "analysis", "url": "javascript:alert(1)",
        "depends_on": {"nodes": ["model.city.trips", "source.city.raw.rides"]},
    },
}  # fmt: skip
PASSED = {"unique_id": TEST["unique_id"], "status": "pass", "failures": 0}


def whole(folder: Path, **more: Any) -> Path:
    told = manifest(*NODES, groups=GROUPS, exposures=EXPOSURES, **more)
    return write(folder / "target", manifest=told, run_results=results(PASSED))


def load(catalogue: Catalogue, folder: Path, **params: Any) -> dict[str, Any]:
    return catalogue.do("lineage.dbt", path=str(folder), namespace=SPACE, **params)


def table(name: str) -> str:
    return table_iri(BASE, Name(SPACE, name))


TRIPS, RIDES = table("city.mart.trips"), table("city.raw.rides")


def says(catalogue: Catalogue, subject: str, predicate: str) -> list[str]:
    found = catalogue.workspace.store.match(f"<{subject}>", f"<{predicate}>")
    return sorted({o for *_, o, g in found if "/graph/record/" in g})


def texts(catalogue: Catalogue) -> dict[str, str]:
    return {record.id: record.text for record in catalogue.records.all()}


def test_model_is_a_table_and_the_job_that_makes_it(catalogue: Catalogue) -> None:
    done = load(catalogue, whole(catalogue.folder))
    assert (done["tables"], done["jobs"], done["measurements"], done["exposures"]) == (2, 1, 1, 2)
    job = job_iri(BASE, Name("dbt", "city.mart.city.trips"))
    assert says(catalogue, job, "https://schema.org/result") == [f"<{TRIPS}>"]
    # The ephemeral model between them is no table.
    assert says(catalogue, TRIPS, f"{PROV}wasDerivedFrom") == [f"<{RIDES}>"]
    assert says(catalogue, TRIPS, "http://www.w3.org/ns/dcat#keyword") == ['"bikes"']
    column = column_iri(BASE, TRIPS, "id")
    assert says(catalogue, column, "http://purl.org/dc/terms/description") == ['"Of the trip."']


def test_owner_of_a_group_is_nominated_and_no_fact(catalogue: Catalogue) -> None:
    load(catalogue, whole(catalogue.folder))
    (node,) = says(catalogue, TRIPS, f"{PROV}qualifiedAttribution")
    status = says(catalogue, node[1:-1], "http://www.w3.org/ns/adms#status")
    assert status == [f"<{BASE}/ns#nominated>"]


def test_test_is_a_measurement_of_its_column(catalogue: Catalogue) -> None:
    load(catalogue, whole(catalogue.folder))
    (node,) = says(catalogue, TRIPS, f"{DQV}hasQualityMeasurement")
    assert says(catalogue, node[1:-1], f"{DQV}computedOn") == [f"<{column_iri(BASE, TRIPS, 'id')}>"]
    assert says(catalogue, node[1:-1], f"{DQV}value")[0].startswith('"0"')


def test_exposures_are_tools_and_uses_with_safe_links_alone(catalogue: Catalogue) -> None:
    load(catalogue, whole(catalogue.folder))
    (tool,) = says(catalogue, TRIPS, f"{DUV}hasUsageTool")
    page = "http://xmlns.com/foaf/0.1/page"
    assert says(catalogue, tool[1:-1], page) == ["<https://example.org/board>"]
    (use,) = says(catalogue, TRIPS, f"{DUV}hasUsage")
    assert says(catalogue, RIDES, f"{DUV}hasUsage") == [use]
    assert says(catalogue, use[1:-1], page) == []


def test_the_same_artefacts_again_change_nothing(catalogue: Catalogue) -> None:
    folder = whole(catalogue.folder)
    load(catalogue, folder)
    before = texts(catalogue)
    assert load(catalogue, folder)["records"] == {"new": 0, "changed": 0, "gone": 0}
    assert texts(catalogue) == before
    # Generated anew without a change: only its time is another.
    load(catalogue, whole(catalogue.folder, at="2026-11-21T05:00:00.000000Z"))
    assert texts(catalogue) == before


def test_what_is_no_longer_listed_is_gone_at_its_source_and_stays(catalogue: Catalogue) -> None:
    load(catalogue, whole(catalogue.folder))
    later = manifest(*NODES[:2], at="2026-11-21T05:00:00.000000Z")
    done = load(catalogue, write(catalogue.folder / "later", manifest=later))
    # The table, its job, and the use that two tables share.
    assert done["records"]["gone"] == 3
    assert "gone at its source dbt city" in {p["message"] for p in done["problems"]}
    assert says(catalogue, TRIPS, f"{PROV}wasDerivedFrom") == [f"<{RIDES}>"]


def test_what_stewards_say_stays(catalogue: Catalogue) -> None:
    folder = whole(catalogue.folder)
    load(catalogue, folder)
    catalogue.load(f"<{TRIPS}> a csvw:Table ; dct:isPartOf :trips . :trips a dcat:Dataset .")
    load(catalogue, folder)
    part_of = says(catalogue, TRIPS, "http://purl.org/dc/terms/isPartOf")
    assert part_of == [f"<{BASE}/id/dataset/trips>"]


def test_results_of_tests_that_were_not_run_this_time_stay(catalogue: Catalogue) -> None:
    folder = whole(catalogue.folder)
    load(catalogue, folder)
    before = texts(catalogue)
    write(folder, run_results=results(at="2026-11-22T05:00:00.000000Z"))
    load(catalogue, folder)
    assert texts(catalogue) == before


def test_events_and_artefacts_tell_of_the_same_tables_and_jobs(catalogue: Catalogue) -> None:
    load(catalogue, whole(catalogue.folder))
    before = set(texts(catalogue))
    told = event(
        "COMPLETE", "06:00:00", [{"namespace": SPACE, "name": "city.raw.rides"}],
        [{"namespace": SPACE, "name": "city.mart.trips"}],
    ) | {"job": {"namespace": "dbt", "name": "city.mart.city.trips"}}  # fmt: skip
    take_in(catalogue.workspace, [openlineage.read(content(told))], "tester", "OpenLineage")
    assert {id.partition("/")[0] for id in set(texts(catalogue)) - before} == {"run"}


@pytest.mark.parametrize("version", [9, 10, 11, 12])
def test_manifest_versions_are_read(catalogue: Catalogue, version: int) -> None:
    told = manifest(*NODES, version=version)
    done = load(catalogue, write(catalogue.folder / "target", manifest=told))
    assert (done["project"], done["tables"]) == ("city", 2)


@pytest.mark.parametrize(
    ("told", "error", "says"),
    [
        (manifest(version=8), UnsupportedFormat, "too old"),
        (manifest(version=20), UnsupportedFormat, "too new"),
        ("{", BadInput, "not JSON"),
        ("[" * 100_000, BadInput, "not JSON"),
        ("[]", BadInput, "no manifest"),
        (results(), BadInput, "no manifest"),
        (manifest(at="yesterday"), BilbaokgError, "not understood"),
    ],
    ids=["old", "new", "cut", "nested", "array", "other", "time"],
)
def test_manifest_that_cannot_be_used_is_refused(
    tmp_path: Path, told: Any, error: type[BilbaokgError], says: str
) -> None:
    with pytest.raises(error, match=says):
        dbt.read(write(tmp_path / "target", manifest=told), SPACE, "dbt", 1 << 20)


def test_missing_and_large_manifests_are_refused_with_the_way_to_mend_it(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as missing:
        dbt.read(tmp_path, SPACE, "dbt", 1 << 20)
    assert missing.value.hint == "run: dbt docs generate"
    with pytest.raises(TooLarge):
        dbt.read(whole(tmp_path), SPACE, "dbt", 100)


def test_tables_are_of_the_kind_of_database_where_nobody_names_it(tmp_path: Path) -> None:
    told = manifest(*NODES)
    write(tmp_path, manifest=told)
    assert dbt.read(tmp_path, None, "dbt", 1 << 20).namespace == told["metadata"]["adapter_type"]
    del told["metadata"]["adapter_type"]
    write(tmp_path, manifest=told)
    with pytest.raises(BadInput) as refused:
        dbt.read(tmp_path, None, "dbt", 1 << 20)
    assert "--namespace" in (refused.value.hint or "")


def test_broken_parts_are_told_and_the_rest_counts(catalogue: Catalogue) -> None:
    odd = [
        model("odd", alias="a\x00/%2F \u202e\ud800"), model("long", alias="x" * 3000),
        model("wrong", alias=["x"]), model("circle", "model.city.circle", columns=[]),
    ]  # fmt: skip
    told = manifest(*NODES, *odd, exposures=[], groups=None)
    folder = write(catalogue.folder / "target", manifest=told, catalog="{", run_results=[])
    done = load(catalogue, folder)
    assert done["tables"] == 3
    where = [p["path"] for p in done["problems"] if p["severity"] == "warning"]
    assert len(where) == 5
    assert {"catalog.json", "run_results.json"} < set(where)


def test_test_that_could_not_run_is_told_and_measures_nothing(catalogue: Catalogue) -> None:
    folder = whole(catalogue.folder)
    failed = {**PASSED, "status": "error", "failures": None, "message": "no such table"}
    write(folder, run_results=results(failed))
    done = load(catalogue, folder)
    assert done["measurements"] == 0
    assert "could not be run" in "".join(p["message"] for p in done["problems"])


def test_test_that_passed_without_a_count_found_nothing(catalogue: Catalogue) -> None:
    folder = whole(catalogue.folder)
    write(folder, run_results=results({**PASSED, "failures": None, "message": "SUCCESS 1"}))
    done = load(catalogue, folder)
    assert done["measurements"] == 1
    assert {p["severity"] for p in done["problems"]} == {"info"}


def test_results_of_what_ran_no_test_are_told_once(catalogue: Catalogue) -> None:
    folder = whole(catalogue.folder)
    write(folder, run_results=results({**PASSED, "status": "success", "failures": None}))
    done = load(catalogue, folder)
    assert done["measurements"] == 0
    [told] = [p for p in done["problems"] if p["path"] == "run_results.json"]
    assert (told["severity"], told["message"]) == ("info", "its tests were compiled and not run")


def test_the_project_of_an_old_manifest_is_known_by_its_id(catalogue: Catalogue) -> None:
    told = manifest(*NODES, {**NODES[0], "package_name": "zeta", "unique_id": "model.zeta.x"})
    told["metadata"].pop("project_name", None)
    told["metadata"]["project_id"] = hashlib.md5(b"zeta", usedforsecurity=False).hexdigest()
    assert load(catalogue, write(catalogue.folder / "target", manifest=told))["project"] == "zeta"


# ---- columns, out of the SQL that was compiled


def compiled(name: str, sql: str, *parents: str, **more: Any) -> dict[str, Any]:
    written = f'"city"."mart"."{name}"'
    return model(name, *parents, compiled_code=sql, relation_name=written, **more)


COLUMNS = {"id": {"name": "id"}, "Station": {"name": "Station"}}
READ = 'with s as (select * from "city"."raw"."rides") select id, upper("Station") as st from s'


def derived(catalogue: Catalogue, name: str) -> dict[str, list[str]]:
    """Column -> the columns that it comes from, as `table.column`."""
    iri = table(name)
    found: dict[str, list[str]] = {}
    for column in says(catalogue, iri, "http://purl.org/dc/terms/hasPart"):
        [called] = says(catalogue, column[1:-1], "http://www.w3.org/ns/csvw#name")
        for origin in says(catalogue, column[1:-1], f"{PROV}wasDerivedFrom"):
            [field] = says(catalogue, origin[1:-1], "http://www.w3.org/ns/csvw#name")
            found.setdefault(called.strip('"'), []).append(field.strip('"'))
    return found


def test_columns_come_from_those_that_the_compiled_sql_reads(catalogue: Catalogue) -> None:
    rides = source("rides", columns=COLUMNS, relation_name='"city"."raw"."rides"')
    told = manifest(rides, compiled("trips", READ, "source.city.raw.rides"))
    done = load(catalogue, write(catalogue.folder / "target", manifest=told))
    assert [p for p in done["problems"] if p["severity"] == "warning"] == []
    assert derived(catalogue, "city.mart.trips") == {"id": ["id"], "st": ["Station"]}


def test_columns_are_spelt_as_the_catalogue_spells_them(catalogue: Catalogue) -> None:
    rides = source("rides", columns=COLUMNS, relation_name="city.raw.rides")
    trips = model(
        "trips", "source.city.raw.rides", relation_name="city.mart.trips",
        compiled_code="select ID, station as Code from city.raw.rides",
        columns={"Code": {"name": "Code"}},
    )  # fmt: skip
    told = manifest(rides, trips)
    for adapter in ("duckdb", "snowflake", "bigquery"):
        told["metadata"]["adapter_type"] = adapter
        load(catalogue, write(catalogue.folder / "target", manifest=told))
        found = derived(catalogue, "city.mart.trips")
        assert found["Code"] == ["Station"], adapter


def test_compiled_sql_that_did_not_change_is_not_read_again(catalogue: Catalogue) -> None:
    asked = []

    class Counting(Pool):
        def run(self, job: str, *args: Any, **more: Any) -> Any:
            asked.append(job)
            return super().run(job, *args, **more)

    def told(sql: str) -> dict[str, Any]:
        at = f"2026-11-20T05:00:{len(asked):02}.000000Z"
        return manifest(source("rides"), compiled("trips", sql, "source.city.raw.rides"), at=at)

    with Counting(1) as pool:
        catalogue.workspace.pool = pool
        for sql, times in ((READ, 1), (READ, 1), (READ.replace("id,", ""), 2)):
            load(catalogue, write(catalogue.folder / "target", manifest=told(sql)))
            assert asked.count("compiled") == times
    assert derived(catalogue, "city.mart.trips") == {"st": ["Station"]}


def test_sql_that_cannot_be_read_is_told_and_the_other_models_count(catalogue: Catalogue) -> None:
    told = manifest(
        source("rides"),
        compiled("bad", "select (id from x", "source.city.raw.rides"),
        compiled("deep", f"select {'(' * 5000}1{')' * 5000}", "source.city.raw.rides"),
        compiled("trips", READ, "source.city.raw.rides"),
    )
    done = load(catalogue, write(catalogue.folder / "target", manifest=told))
    problems = [p for p in done["problems"] if p["severity"] == "warning"]
    assert [p["path"].rpartition(".")[2] for p in problems] == ["bad", "deep"]
    assert all("compiled SQL" in p["hint"] for p in problems)
    assert derived(catalogue, "city.mart.trips") == {"id": ["id"], "st": ["Station"]}
    assert says(catalogue, table("city.mart.bad"), f"{PROV}wasDerivedFrom") == [f"<{RIDES}>"]


def test_a_column_that_nothing_has_is_told_each_time_and_the_others_count(
    catalogue: Catalogue,
) -> None:
    rides = source("rides", columns=COLUMNS, relation_name='"city"."raw"."rides"')
    sql = 'with s as (select id from "city"."raw"."rides") select s.id, s.day as d from s'
    told = manifest(rides, compiled("trips", sql, "source.city.raw.rides"))
    folder = write(catalogue.folder / "target", manifest=told)
    for _ in range(2):
        [problem] = [p for p in load(catalogue, folder)["problems"] if p["severity"] == "warning"]
        assert problem["path"] == "manifest.json model.city.trips"
        assert problem["message"].startswith("not all of its columns are known: ")
        assert "'s.day'" in problem["message"]
        assert derived(catalogue, "city.mart.trips") == {"id": ["id"]}


def test_the_sql_of_an_unknown_adapter_is_told_and_left(catalogue: Catalogue) -> None:
    told = manifest(source("rides"), compiled("trips", READ, "source.city.raw.rides"))
    told["metadata"]["adapter_type"] = "abacus"
    done = load(catalogue, write(catalogue.folder / "target", manifest=told))
    assert any("'abacus'" in p["message"] for p in done["problems"])
    assert derived(catalogue, "city.mart.trips") == {}


def test_compiled_sql_that_a_later_command_left_out_is_read_from_its_file(
    catalogue: Catalogue,
) -> None:
    rides = source("rides", relation_name='"city"."raw"."rides"')
    paths = {"trips": "models/trips.sql", "out": "../../../secret.sql", "nul": "a\0b"}
    made = [
        model(name, "source.city.raw.rides", original_file_path=path)
        for name, path in paths.items()
    ]
    folder = write(catalogue.folder / "target", manifest=manifest(rides, *made))
    catalogue.file("target/compiled/city/models/trips.sql", READ)
    catalogue.file("secret.sql", READ)
    load(catalogue, folder)
    assert derived(catalogue, "city.mart.trips") == {"id": ["id"], "st": ["Station"]}
    assert derived(catalogue, "city.mart.out") == {}
