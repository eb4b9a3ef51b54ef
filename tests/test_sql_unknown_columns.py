"""SQL over tables whose columns are known in part: what can be told is told, the rest is named."""

from __future__ import annotations

import pytest

from bilbaokg.lineage.script import Script, TableName
from bilbaokg.lineage.sql import columns

SCHEMA = {
    TableName("", "", name): dict.fromkeys(known.split(), "int")
    for name, known in {
        "trips": "id bike km",
        "bikes": "bike maker",
        "makers": "maker town",
    }.items()
}


def read(query: str) -> Script:
    return columns(f"CREATE VIEW v AS {query}", "postgres", SCHEMA)


def edges(found: Script) -> set[tuple[str, str]]:
    [told] = found.statements
    return {(edge.output, f"{edge.table.name}.{edge.column}") for edge in told.edges}


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT km, maker, b.since FROM trips JOIN bikes AS b ON b.bike = trips.bike",
         {("km", "trips.km"), ("maker", "bikes.maker"), ("since", "bikes.since")}),
        ("SELECT km, maker FROM trips AS t JOIN bikes AS b ON t.bike = b.bike WHERE b.since > 1",
         {("km", "trips.km"), ("maker", "bikes.maker")}),
        ("SELECT b.*, t.rain FROM trips AS t JOIN bikes AS b ON t.bike = b.bike",
         {("bike", "bikes.bike"), ("maker", "bikes.maker"), ("rain", "trips.rain")}),
        ("SELECT km, maker, day FROM trips JOIN bikes USING (day)",
         {("km", "trips.km"), ("maker", "bikes.maker"), ("day", "trips.day"),
          ("day", "bikes.day")}),
        ("SELECT km, maker, upper(day) AS day FROM trips JOIN bikes USING (day)",
         {("km", "trips.km"), ("maker", "bikes.maker"), ("day", "trips.day"),
          ("day", "bikes.day")}),
        # Which of the first two has the day nobody knows.
        ("SELECT km, town, day FROM trips JOIN bikes USING (bike) JOIN makers USING (day)",
         {("km", "trips.km"), ("town", "makers.town"), ("day", "makers.day")}),
    ],
)  # fmt: skip
def test_a_column_that_a_table_is_not_known_to_have_hides_no_other(
    query: str, told: set[tuple[str, str]]
) -> None:
    found = read(query)
    assert found.faults == []
    assert edges(found) == told
    assert found.statements[0].is_whole


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("SELECT km, day, maker FROM trips JOIN bikes ON trips.bike = bikes.bike", "'day'"),
        ("WITH t AS (SELECT bike, km FROM trips)"
         " SELECT km, t.day, maker FROM t JOIN bikes ON t.bike = bikes.bike", "'t.day'"),
        ("WITH t AS (SELECT bike, km FROM trips)"
         " SELECT km, maker FROM t JOIN bikes ON t.bike = bikes.bike WHERE t.day = t.rain",
         "'t.day', 't.rain'"),
    ],
)  # fmt: skip
def test_a_column_that_nothing_has_is_named_and_the_others_are_told(query: str, named: str) -> None:
    found = read(query)
    assert [fault.message for fault in found.faults] == [
        f"nothing that it reads has {named}: the others are told"
    ]
    assert edges(found) == {("km", "trips.km"), ("maker", "bikes.maker")}


def test_many_columns_that_nothing_has_are_told_shortly() -> None:
    lost = [f"t.c{n}" for n in range(9)]
    found = read(" ".join(["SELECT", ", ".join(lost), ", km FROM (SELECT km FROM trips) AS t"]))
    assert found.faults[0].message.endswith("'t.c3', 't.c4' and 4 more: the others are told")
    assert edges(found) == {("km", "trips.km")}


def test_what_the_known_tables_have_not_is_of_the_only_unknown_one() -> None:
    found = read("SELECT km, rain FROM trips JOIN weather ON trips.id = weather.id")
    assert edges(found) == {("km", "trips.km"), ("rain", "weather.rain")}
    # Of two unknown ones none is guessed, and that is not told each time.
    found = read("SELECT km, rain FROM trips, weather, seasons")
    assert (edges(found), found.faults) == ({("km", "trips.km")}, [])


def test_a_constant_is_not_taken_for_a_column_that_is_missing() -> None:
    found = read("SELECT w.one, km FROM trips CROSS JOIN (SELECT 1 AS one) AS w")
    assert (edges(found), found.faults) == ({("km", "trips.km")}, [])
    found = read("SELECT one, km FROM trips CROSS JOIN (SELECT 1 AS one) AS w")
    assert (edges(found), found.faults) == ({("km", "trips.km")}, [])


def test_each_statement_that_writes_tells_what_it_can() -> None:
    for sql in (
        "UPDATE trips SET km = b.size, bike = maker FROM bikes AS b WHERE trips.bike = b.bike",
        "MERGE INTO trips USING bikes AS b ON trips.bike = b.bike"
        " WHEN MATCHED THEN UPDATE SET km = b.size, bike = maker",
    ):
        found = columns(sql, "postgres", SCHEMA)
        assert found.faults == []
        assert edges(found) == {("km", "bikes.size"), ("bike", "bikes.maker")}
