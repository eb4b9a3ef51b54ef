"""What SQL files say becomes tables, jobs and what comes from what; and goes with its statement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers import BASE, Catalogue
from pipelines import SPACE, content, dataset, event, schema

from bilbaokg.errors import BadInput, NotFound
from bilbaokg.importers import openlineage
from bilbaokg.lineage.names import Name, column_iri, job_iri, table_iri
from bilbaokg.operations.lineage import take_in
from bilbaokg.terms import DCT, plain, ref

PROV = "http://www.w3.org/ns/prov#"
VIEWS = """\
CREATE TABLE raw.trips (id bigint, station text, minutes numeric);
CREATE TEMP TABLE long AS SELECT * FROM raw.trips WHERE minutes > 30;
CREATE VIEW mart.daily AS SELECT station, count(*) AS trips, avg(minutes) AS mean
  FROM long GROUP BY station;
INSERT INTO mart.log (at) SELECT station FROM mart.daily;
"""


def load(catalogue: Catalogue, *paths: Path, **params: Any) -> dict[str, Any]:
    given = {"dialect": "postgres", "namespace": SPACE, **params}
    return catalogue.do("lineage.sql", paths=[str(path) for path in paths], **given)


def table(name: str) -> str:
    return table_iri(BASE, Name(SPACE, name))


def column(of: str, name: str) -> str:
    return column_iri(BASE, table(of), name)


def says(catalogue: Catalogue, subject: str, predicate: str) -> list[str]:
    found = catalogue.workspace.store.match(f"<{subject}>", f"<{predicate}>")
    return sorted({o[1:-1] for *_, o, g in found if "/graph/record/" in g})


def comes_from(catalogue: Catalogue, subject: str) -> list[str]:
    return says(catalogue, subject, f"{PROV}wasDerivedFrom")


def texts(catalogue: Catalogue) -> dict[str, str]:
    return {record.id: record.text for record in catalogue.records.all()}


def test_tables_and_columns_come_from_what_the_statements_say(catalogue: Catalogue) -> None:
    done = load(catalogue, catalogue.file("views.sql", VIEWS))
    assert (done["files"], done["statements"], done["tables"], done["jobs"]) == (1, 4, 3, 2)
    assert done["problems"] == []
    # The temporary table between them is none of the catalogue.
    assert comes_from(catalogue, table("mart.daily")) == [table("raw.trips")]
    assert comes_from(catalogue, column("mart.daily", "mean")) == [column("raw.trips", "minutes")]
    job = job_iri(BASE, Name("sql", "views.sql#mart.daily"))
    assert says(catalogue, job, "https://schema.org/result") == [table("mart.daily")]
    assert says(catalogue, job, "https://schema.org/object") == [table("raw.trips")]
    minutes = column("raw.trips", "minutes")
    assert says(catalogue, minutes, "https://schema.org/additionalType") == ["DECIMAL"]


def test_the_same_files_again_change_nothing(catalogue: Catalogue) -> None:
    file = catalogue.file("views.sql", VIEWS)
    load(catalogue, file)
    before = texts(catalogue)
    assert load(catalogue, file)["records"] == {"new": 0, "changed": 0, "gone": 0}
    assert texts(catalogue) == before


def test_the_table_is_the_one_that_events_tell_of(catalogue: Catalogue) -> None:
    told = dataset("city.raw.trips", schema=schema("id", "station", "minutes"))
    sent = event("COMPLETE", "05:00:00", [told], [dataset("city.mart.other")])
    take_in(catalogue.workspace, [openlineage.read(content(sent))], "someone", "events")
    file = catalogue.file("v.sql", "CREATE VIEW mart.copy AS SELECT * FROM raw.trips")
    load(catalogue, file, within="city.public")
    assert comes_from(catalogue, table("city.mart.copy")) == [table("city.raw.trips")]
    # Its columns are known from the events.
    copied = column("city.mart.copy", "minutes")
    assert comes_from(catalogue, copied) == [column("city.raw.trips", "minutes")]


def test_a_view_may_stand_in_a_file_before_the_table_that_it_reads(catalogue: Catalogue) -> None:
    catalogue.file("in/a.sql", "CREATE VIEW v AS SELECT * FROM t")
    catalogue.file("in/sub/b.sql", "CREATE TABLE t (p int)")
    done = load(catalogue, catalogue.folder / "in")
    assert done["files"] == 2
    assert comes_from(catalogue, column("v", "p")) == [column("t", "p")]


def test_a_statement_that_is_gone_takes_only_what_was_its_own(catalogue: Catalogue) -> None:
    load(catalogue, catalogue.file("views.sql", VIEWS))
    load(catalogue, catalogue.file("other.sql", "INSERT INTO mart.log (at) SELECT q FROM raw.more"))
    whole = texts(catalogue)
    shorter = VIEWS.partition("INSERT")[0]
    done = load(catalogue, catalogue.file("views.sql", shorter))
    assert done["records"]["gone"] == 2
    assert comes_from(catalogue, table("mart.log")) == [table("raw.more")]
    assert comes_from(catalogue, table("mart.daily")) == [table("raw.trips")]
    assert load(catalogue, catalogue.folder / "views.sql")["records"]["gone"] == 0
    load(catalogue, catalogue.file("views.sql", VIEWS))
    assert texts(catalogue) == whole


def test_a_broken_statement_is_told_and_nothing_is_taken_back_for_it(catalogue: Catalogue) -> None:
    file = catalogue.file("views.sql", VIEWS)
    load(catalogue, file)
    before = texts(catalogue)
    done = load(catalogue, catalogue.file("views.sql", VIEWS.replace("INSERT INTO", "INSERT (")))
    [problem] = done["problems"]
    assert problem["source"] == {"file": "views.sql", "line": 5, "column": 24}
    assert texts(catalogue) == before


@pytest.mark.parametrize("wrong", [b"SELECT '\xff'", b"SELECT 1\0", b"\x89PNG\0"])
def test_a_file_that_cannot_be_read_is_told_and_the_others_count(
    catalogue: Catalogue, wrong: bytes
) -> None:
    bad = catalogue.file("bad.sql", wrong)
    done = load(catalogue, bad, catalogue.file("views.sql", VIEWS))
    assert [problem["source"]["file"] for problem in done["problems"]] == ["bad.sql"]
    assert done["jobs"] == 2


def test_a_query_that_writes_nothing_is_a_job_that_reads(catalogue: Catalogue) -> None:
    load(catalogue, catalogue.file("report.sql", "SELECT p FROM mart.daily"))
    job = job_iri(BASE, Name("sql", "report.sql"))
    assert says(catalogue, job, "https://schema.org/object") == [table("mart.daily")]


def test_a_dry_run_tells_each_statement_and_writes_nothing(catalogue: Catalogue) -> None:
    done = load(catalogue, catalogue.file("views.sql", VIEWS), dry_run=True)
    assert texts(catalogue) == {}
    view = next(told for told in done["lineage"] if told["writes"] == ["mart.daily"])
    assert (view["line"], view["reads"]) == (3, ["raw.trips"])
    assert {"column": "mean", "from": [
        {"table": "raw.trips", "column": "minutes", "how": "AGGREGATION"}
    ]} in view["columns"]  # fmt: skip
    assert {"table": "raw.trips", "column": "minutes", "how": "FILTER"} in view["bears"]


def test_tables_are_in_the_namespace_of_the_dialect_where_none_is_given(
    catalogue: Catalogue,
) -> None:
    told = load(catalogue, catalogue.file("views.sql", VIEWS), namespace=None)
    assert told["namespace"] == "postgres"
    identifiers = catalogue.workspace.store.match(None, ref(DCT.identifier))
    tables = {plain(o) for s, _, o, _ in identifiers if "/id/table/" in s}
    assert tables
    assert {name.partition("/")[0] for name in tables} == {"postgres"}


def test_wrong_arguments_are_refused_with_the_way_to_mend_them(catalogue: Catalogue) -> None:
    file = catalogue.file("views.sql", VIEWS)
    for given in ({"dialect": "postgers"}, {"namespace": " "}, {"within": "a.b.c"}):
        with pytest.raises(BadInput) as error:
            load(catalogue, file, **given)
        assert error.value.hint
    with pytest.raises(NotFound):
        load(catalogue, catalogue.folder / "none.sql")
    with pytest.raises(BadInput, match="two files"):
        load(catalogue, file, catalogue.file("in/views.sql", VIEWS))
    assert texts(catalogue) == {}


# ---- comments and new names

DESCRIPTION = "http://purl.org/dc/terms/description"
COMMENTED = """\
CREATE TABLE raw.trips (id bigint, station text);
COMMENT ON TABLE raw.trips IS 'Every trip; it''s raw';
COMMENT ON COLUMN raw.trips.station IS 'Where it began';
COMMENT ON COLUMN raw.trips.id IS NULL;
CREATE VIEW mart.daily AS SELECT station, count(*) AS trips FROM raw.trips GROUP BY station;
COMMENT ON VIEW mart.daily IS 'By day';
COMMENT ON COLUMN mart.daily.trips IS 'How many';
COMMENT ON SCHEMA mart IS 'none of ours';
"""


def test_comments_describe_tables_views_and_their_columns(catalogue: Catalogue) -> None:
    done = load(catalogue, catalogue.file("views.sql", COMMENTED))
    assert done["problems"] == []
    assert says(catalogue, table("raw.trips"), DESCRIPTION) == ["Every trip; it's raw"]
    assert says(catalogue, column("raw.trips", "station"), DESCRIPTION) == ["Where it began"]
    assert says(catalogue, table("mart.daily"), DESCRIPTION) == ["By day"]
    assert says(catalogue, column("mart.daily", "trips"), DESCRIPTION) == ["How many"]
    assert comes_from(catalogue, column("mart.daily", "station")) == [
        column("raw.trips", "station")
    ]
    before = texts(catalogue)
    load(catalogue, catalogue.file("views.sql", COMMENTED))
    assert texts(catalogue) == before


def test_comments_stand_in_definitions_too(catalogue: Catalogue) -> None:
    told = "CREATE TABLE t (a INT COMMENT 'first', b INT) COMMENT='whole';\n"
    load(catalogue, catalogue.file("a.sql", told), dialect="mysql")
    assert says(catalogue, table("t"), DESCRIPTION) == ["whole"]
    assert says(catalogue, column("t", "a"), DESCRIPTION) == ["first"]


def test_a_comment_keeps_what_is_known_of_the_columns(catalogue: Catalogue) -> None:
    load(catalogue, catalogue.file("a.sql", "CREATE TABLE t (a int, b text);\n"))
    load(catalogue, catalogue.file("b.sql", "COMMENT ON COLUMN t.b IS 'second';\n"))
    assert says(catalogue, column("t", "b"), DESCRIPTION) == ["second"]
    for name, kind in (("a", "INT"), ("b", "TEXT")):
        assert f'"{kind}"' in catalogue.text(column("t", name))


def test_a_comment_that_is_null_takes_back_what_was_said(catalogue: Catalogue) -> None:
    load(catalogue, catalogue.file("views.sql", COMMENTED))
    silent = "COMMENT ON TABLE raw.trips IS NULL;\nCOMMENT ON COLUMN raw.trips.station IS NULL;\n"
    assert load(catalogue, catalogue.file("b.sql", silent))["problems"] == []
    for subject in (table("raw.trips"), column("raw.trips", "station")):
        assert says(catalogue, subject, DESCRIPTION) == []
    assert says(catalogue, table("mart.daily"), DESCRIPTION) == ["By day"]
    before = texts(catalogue)
    load(catalogue, catalogue.file("b.sql", silent))
    assert texts(catalogue) == before


def test_columns_that_a_script_renames_have_their_last_name_alone(catalogue: Catalogue) -> None:
    told = (
        "CREATE TABLE t AS SELECT x AS a, y AS b FROM raw;\nALTER TABLE t RENAME COLUMN a TO c;\n"
        "ALTER TABLE t RENAME COLUMN b TO a;\nALTER TABLE t RENAME TO u;\n"
        "ALTER TABLE u RENAME COLUMN c TO d;\nCREATE VIEW v AS SELECT * FROM u WHERE a > 0;\n"
    )
    assert load(catalogue, catalogue.file("a.sql", told))["problems"] == []
    assert comes_from(catalogue, column("u", "d")) == [column("raw", "x")]
    assert comes_from(catalogue, column("u", "a")) == [column("raw", "y")]
    assert comes_from(catalogue, column("v", "d")) == [column("u", "d")]
    assert catalogue.records.home(f"<{column('u', 'c')}>") is None


def test_a_column_of_a_table_from_elsewhere_comes_from_what_it_was(catalogue: Catalogue) -> None:
    made = "CREATE TABLE t (a int, b text);\nCOMMENT ON COLUMN t.a IS 'first';\n"
    load(catalogue, catalogue.file("a.sql", made))
    renamed = "ALTER TABLE t RENAME COLUMN a TO c;\nCREATE VIEW v AS SELECT * FROM t;\n"
    assert load(catalogue, catalogue.file("b.sql", renamed))["problems"] == []
    assert comes_from(catalogue, column("t", "c")) == [column("t", "a")]
    assert says(catalogue, column("t", "c"), DESCRIPTION) == ["first"]
    assert comes_from(catalogue, column("v", "c")) == [column("t", "c")]
    before = texts(catalogue)
    load(catalogue, catalogue.file("b.sql", renamed))
    assert texts(catalogue) == before


def test_a_renamed_table_stays_the_same_thing(catalogue: Catalogue) -> None:
    load(catalogue, catalogue.file("a.sql", "CREATE TABLE city.old (a int);\n"))
    renamed = "ALTER TABLE city.old RENAME TO new;\nCREATE VIEW v AS SELECT a FROM city.new;\n"
    done = load(catalogue, catalogue.file("b.sql", renamed))
    assert done["problems"] == []
    (name,) = catalogue.do("lineage.names")["names"]
    assert (name["identifier"], name["same_as"]) == (f"{SPACE}/city.new", f"{SPACE}/city.old")
    assert comes_from(catalogue, column("v", "a")) == [column("city.old", "a")]
    before = texts(catalogue)
    load(catalogue, catalogue.file("b.sql", renamed))
    assert texts(catalogue) == before


def test_a_table_that_takes_the_place_of_another_is_no_rename_of_it(catalogue: Catalogue) -> None:
    load(catalogue, catalogue.file("a.sql", "CREATE TABLE t (a int);\n"))
    swap = (
        "CREATE TABLE t_new AS SELECT b AS a FROM raw;\nALTER TABLE t RENAME TO t_old;\n"
        "ALTER TABLE t_new RENAME TO t;\nDROP TABLE t_old;\n"
    )
    load(catalogue, catalogue.file("b.sql", swap))
    assert catalogue.do("lineage.names")["names"] == []
    assert comes_from(catalogue, table("t")) == [table("raw")]
    assert comes_from(catalogue, column("t", "a")) == [column("raw", "b")]
    for name in ("t_new", "t_old"):
        assert catalogue.records.home(f"<{table(name)}>") is None
