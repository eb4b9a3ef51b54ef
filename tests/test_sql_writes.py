"""Statements that write: several tables at once, rows that are there already, sets of columns."""

from __future__ import annotations

import pytest

from bilbaokg.lineage.script import Script, TableName
from bilbaokg.lineage.sql import columns

SCHEMA = {
    TableName("", "", name): dict.fromkeys(known.split(), "int")
    for name, known in {"trips": "id bike km", "totals": "bike km"}.items()
}


def written(found: Script) -> set[tuple[str, str]]:
    """The columns that are written, and what they come from, in lower case."""
    assert found.faults == []
    return {
        (f"{told.writes[0].name}.{e.output}".lower(), f"{e.table.name}.{e.column}".lower())
        for told in found.statements
        for e in told.edges
    }


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("oracle", "INSERT ALL INTO far (p) VALUES (id) INTO near (q, r) VALUES (bike, km + 1)"
         " SELECT id, bike, km FROM trips"),
        ("snowflake", "INSERT FIRST WHEN km > 9 THEN INTO far (p) VALUES (id)"
         " ELSE INTO near (q, r) VALUES (bike, km) SELECT id, bike, km FROM trips"),
        ("hive", "FROM trips INSERT OVERWRITE TABLE far SELECT id AS p WHERE km > 9"
         " INSERT INTO TABLE near PARTITION (d = '1') SELECT bike AS q, km AS r"),
        ("spark", "FROM (SELECT id, bike, km FROM trips) AS t INSERT INTO far SELECT t.id AS p"
         " INSERT INTO near SELECT t.bike AS q, t.km AS r"),
    ],
)  # fmt: skip
def test_each_table_of_an_insert_into_several_has_its_own_columns(dialect: str, sql: str) -> None:
    assert written(columns(sql, dialect)) == {
        ("far.p", "trips.id"), ("near.q", "trips.bike"), ("near.r", "trips.km"),
    }  # fmt: skip


def test_what_goes_into_several_tables_without_names_keeps_those_of_the_query() -> None:
    sql = "INSERT OVERWRITE ALL INTO far INTO near SELECT id, km FROM trips"
    assert written(columns(sql, "snowflake")) == {
        (f"{table}.{column}", f"trips.{column}")
        for table in ("far", "near")
        for column in ("id", "km")
    }


@pytest.mark.parametrize(
    ("dialect", "when"),
    [
        ("databricks", "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"),
        ("bigquery", "WHEN NOT MATCHED THEN INSERT ROW"),
        ("postgres", "WHEN NOT MATCHED THEN INSERT VALUES (s.bike, s.km)"),
        ("postgres", "WHEN NOT MATCHED THEN INSERT VALUES (bike, km)"),
        ("tsql", "WHEN NOT MATCHED BY TARGET THEN INSERT (bike, km) VALUES (s.bike, s.km)"),
        ("postgres", "WHEN MATCHED THEN UPDATE SET (bike, km) = (s.bike, s.km)"),
    ],
)
def test_merge_is_read_in_the_words_of_each_dialect(dialect: str, when: str) -> None:
    merge = ["MERGE INTO totals USING (SELECT bike, km FROM trips) AS s ON totals.bike = s.bike"]
    found = columns(" ".join([*merge, when]), dialect, SCHEMA)
    assert written(found) == {("totals.bike", "trips.bike"), ("totals.km", "trips.km")}


def test_what_merge_inserts_is_of_the_source_though_it_does_not_say_so() -> None:
    merge = (
        "MERGE INTO totals AS d USING ({0}) AS s ON FALSE"
        " WHEN NOT MATCHED THEN INSERT (`bike`, `km`) VALUES (`bike`, `km`)"
    )
    for source in ("SELECT bike, km FROM trips", "SELECT * FROM trips"):
        found = columns(merge.format(source), "bigquery")
        assert written(found) == {("totals.bike", "trips.bike"), ("totals.km", "trips.km")}
    found = columns(merge.format("SELECT * FROM p UNION ALL SELECT * FROM q"), "bigquery")
    assert written(found) == {
        (f"totals.{column}", f"{table}.{column}") for column in ("bike", "km") for table in "pq"
    }


def test_merge_with_all_columns_of_an_unknown_table_is_not_whole() -> None:
    sql = "MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED THEN INSERT *"
    [told] = columns(sql, "databricks").statements
    assert (told.columns, told.is_whole) == ((), False)


@pytest.mark.parametrize(
    ("dialect", "conflict"),
    [
        ("postgres", "ON CONFLICT (bike) DO UPDATE SET km = excluded.km, n = totals.n + 1"),
        ("sqlite", "ON CONFLICT (bike) DO UPDATE SET km = excluded.km, n = totals.n + 1"),
        ("mysql", "ON DUPLICATE KEY UPDATE km = VALUES(km), n = totals.n + 1"),
    ],
)
def test_what_an_insert_sets_in_rows_that_are_there_is_told(dialect: str, conflict: str) -> None:
    insert = "INSERT INTO totals (bike, km) SELECT bike, sum(km) FROM trips GROUP BY bike"
    assert written(columns(" ".join([insert, conflict]), dialect)) == {
        ("totals.bike", "trips.bike"), ("totals.km", "trips.km"), ("totals.n", "totals.n"),
    }  # fmt: skip


def test_replace_into_is_an_insert() -> None:
    found = columns("REPLACE INTO totals (bike, km) SELECT bike, km FROM trips", "mysql")
    assert written(found) == {("totals.bike", "trips.bike"), ("totals.km", "trips.km")}


@pytest.mark.parametrize(
    "pair",
    [
        "(bike, km) = (SELECT t.bike, t.km FROM trips AS t WHERE t.id = totals.id)",
        "(bike, km) = (trips.bike, trips.km) FROM trips WHERE trips.id = totals.id",
    ],
)
def test_columns_that_are_set_together_stay_apart(pair: str) -> None:
    found = columns(" ".join(["UPDATE totals SET", pair]), "postgres")
    assert written(found) == {("totals.bike", "trips.bike"), ("totals.km", "trips.km")}


def test_a_variable_that_holds_a_table_ends_with_the_script() -> None:
    script = (
        "DECLARE @v TABLE (id INT); INSERT INTO @v SELECT bike AS id FROM trips;"
        "INSERT INTO totals (bike) SELECT id FROM @v;"
        "INSERT INTO totals (km) SELECT km FROM @given"
    )
    found = columns(script, "tsql")
    filled, told, given = found.statements
    assert (filled.temporary, told.temporary) == (True, False)
    assert [table.name for table in told.reads] == ["trips"]
    assert {(e.output, e.table.name, e.column) for e in told.edges} == {("bike", "trips", "bike")}
    # Nobody knows what the caller gives.
    assert (given.reads, given.edges) == ((), ())


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ("DELETE FROM trips WHERE km > 9 RETURNING bike, km", ("DELETE", "trips")),
        ("UPDATE trips SET km = 0 RETURNING *", ("UPDATE", "trips")),
    ],
)
def test_what_is_changed_within_with_is_told_and_read(change: str, kept: tuple[str, str]) -> None:
    insert = "INSERT INTO totals (bike, km) SELECT bike, km FROM gone"
    found = columns(" ".join(["WITH gone AS (", change, ")", insert]), "postgres", SCHEMA)
    changed, inserted = found.statements
    assert (changed.kind, changed.writes[0].name) == kept
    assert [table.name for table in inserted.reads] == ["trips"]
    assert written(found) == {("totals.bike", "trips.bike"), ("totals.km", "trips.km")}


def test_what_is_added_to_a_column_is_told() -> None:
    update = "UPDATE t SET t.km += b.km * 2, n -= 1 FROM totals t JOIN trips b ON t.bike = b.bike"
    assert written(columns(update, "tsql", SCHEMA)) == {
        ("totals.km", "totals.km"), ("totals.km", "trips.km"), ("totals.n", "totals.n"),
    } - {("totals.n", "totals.n")}  # fmt: skip


def test_a_materialized_view_with_a_table_of_its_own_gives_that_its_columns() -> None:
    view = "CREATE MATERIALIZED VIEW v TO totals AS SELECT bike, km FROM trips"
    assert written(columns(view, "clickhouse")) == {
        ("totals.bike", "trips.bike"), ("totals.km", "trips.km"),
    }  # fmt: skip


def test_the_end_of_a_block_is_no_part_of_its_last_statement() -> None:
    head = "CREATE TRIGGER g AFTER INSERT ON trips FOR EACH ROW BEGIN"
    update = "UPDATE totals SET km = CASE WHEN km > 9 THEN km END WHERE bike = 1 END"
    assert written(columns(" ".join([head, update]), "mysql")) == {("totals.km", "totals.km")}


# ---- functions in place of tables


@pytest.mark.parametrize(
    ("dialect", "source", "column", "origin"),
    [
        ("postgres", "generate_series(1, t.km) AS g (n)", "g.n", "trips.km"),
        ("postgres", "generate_series(1, t.km) AS g (n)", "n", "trips.km"),
        ("postgres", "jsonb_to_recordset(t.doc) AS j (n int)", "j.n", "trips.doc"),
        ("mysql", "JSON_TABLE(t.doc, '$[*]' COLUMNS (n INT PATH '$.n')) AS j", "j.n", "trips.doc"),
        ("oracle", "JSON_TABLE(t.doc, '$[*]' COLUMNS (n NUMBER PATH '$.n')) j", "j.n", "trips.doc"),
        ("tsql", "STRING_SPLIT(t.tags, ',') AS s", "s.value", "trips.tags"),
    ],
)
def test_a_function_in_place_of_a_table_is_none(
    dialect: str, source: str, column: str, origin: str
) -> None:
    join = "CROSS APPLY" if dialect == "tsql" else "CROSS JOIN"
    query = ["CREATE TABLE c AS SELECT t.id,", column, "AS made FROM trips t", join, source]
    found = columns(" ".join(query), dialect)
    assert written(found) == {("c.id", "trips.id"), ("c.made", origin)}
    assert [table.name.lower() for table in found.statements[0].reads] == ["trips"]
