"""Where tables are whose names say less than all, once a script says so."""

from __future__ import annotations

import pytest

from bilbaokg.lineage.sql import columns


@pytest.mark.parametrize(
    ("dialect", "said", "table"),
    [
        ("mysql", "USE mart", "mart.trips"),
        ("hive", "USE mart", "mart.trips"),
        ("spark", "USE DATABASE mart", "mart.trips"),
        ("databricks", "USE CATALOG city; USE SCHEMA mart", "city.mart.trips"),
        ("trino", "USE city.mart", "city.mart.trips"),
        ("snowflake", "USE SCHEMA mart", "MART.TRIPS"),
        ("snowflake", 'USE DATABASE "city"', "city.PUBLIC.TRIPS"),
        ("snowflake", "USE DATABASE city; USE SCHEMA mart", "CITY.MART.TRIPS"),
        ("snowflake", "USE WAREHOUSE large; USE ROLE loader", "TRIPS"),
        ("tsql", "USE [City]\nGO\n", "city.dbo.trips"),
        ("postgres", "SET search_path TO mart, public", "mart.trips"),
        ("postgres", "SET LOCAL search_path = 'Mart', public", "Mart.trips"),
        ("postgres", 'SET search_path TO "$user", mart', "mart.trips"),
        ("postgres", "SELECT pg_catalog.set_config('search_path', '', false)", "trips"),
        ("oracle", "ALTER SESSION SET CURRENT_SCHEMA = mart", "MART.TRIPS"),
    ],
)  # fmt: skip
def test_tables_are_where_the_script_says(dialect: str, said: str, table: str) -> None:
    script = ";\n".join(["CREATE VIEW before AS SELECT 1 AS one", said, "SELECT id FROM trips"])
    found = columns(script, dialect)
    assert found.faults == []
    assert [each.text for each in found.statements[-1].reads] == [table]
    assert found.statements[0].writes[0].text.lower() == "before"


def test_a_table_that_is_made_is_known_where_it_is() -> None:
    script = (
        "CREATE TABLE mart.trips (id INT, km INT); CREATE TABLE trips (day DATE);"
        "USE mart; CREATE VIEW v AS SELECT * FROM trips"
    )
    told = columns(script, "mysql", database="raw").statements[-1]
    assert (told.writes[0].text, told.reads[0].text) == ("mart.v", "mart.trips")
    assert told.columns == ("id", "km")


def test_a_place_that_is_given_follows_the_case_rules_as_names_in_sql() -> None:
    script = "CREATE VIEW v AS SELECT id FROM trips; SELECT id FROM city.mart.trips"
    for dialect, place in (("snowflake", "CITY.MART."), ("postgres", "city.mart.")):
        made, read = columns(script, dialect, catalog="City", database="Mart").statements
        assert made.writes[0].text.startswith(place)
        assert made.reads[0].text.startswith(place)
        assert made.reads == read.reads
