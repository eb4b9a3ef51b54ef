"""Rows that SQL carries between tables and files, and files that it reads like tables."""

from __future__ import annotations

import json
import re

import pytest

from bilbaokg.importers.sql import tell
from bilbaokg.lineage import Name
from bilbaokg.lineage.script import Script, TableName
from bilbaokg.lineage.sql import columns


def links(found: Script) -> list[tuple[str, list[str]]]:
    """What is written, and what that is made of."""
    assert found.faults == []
    return [
        (" ".join(table.text for table in told.writes), [table.text for table in told.reads])
        for told in found.statements
    ]


def edges(found: Script) -> set[tuple[str, str]]:
    return {
        (edge.output, f"{edge.table.text}#{edge.column}")
        for told in found.statements
        for edge in told.edges
    }


@pytest.mark.parametrize(
    ("dialect", "sql", "target", "source"),
    [
        ("postgres", "COPY mart.trips (id, km) FROM '/in/trips.csv' WITH (FORMAT csv)",
         "mart.trips", "file:/in/trips.csv"),
        ("redshift", "COPY trips FROM 's3://city/trips/' IAM_ROLE 'r' CSV", "trips",
         "s3://city/trips"),
        ("duckdb", "COPY trips FROM 'in/trips.parquet'", "trips", "file:in/trips.parquet"),
        ("snowflake", "COPY INTO trips FROM @Landing/Trips/ FILE_FORMAT = (TYPE = CSV)", "TRIPS",
         "@LANDING/Trips"),
        ("snowflake", "COPY INTO trips FROM 's3://city/x' CREDENTIALS = (AWS_KEY_ID = 'k')",
         "TRIPS", "s3://city/x"),
        ("databricks", "COPY INTO trips FROM 'abfss://raw@city.dfs.core.windows.net/trips'"
         " FILEFORMAT = CSV", "trips", "abfss://raw@city.dfs.core.windows.net/trips"),
        ("tsql", "COPY INTO dbo.trips FROM 'https://city.blob.core.windows.net/Raw/Trips.csv'"
         " WITH (FILE_TYPE = 'CSV')", "dbo.trips",
         "https://city.blob.core.windows.net/Raw/Trips.csv"),
        ("tsql", r"BULK INSERT dbo.trips FROM 'D:\In\Trips.csv' WITH (FIRSTROW = 2)", "dbo.trips",
         r"file:D:\In\Trips.csv"),
        ("hive", "LOAD DATA LOCAL INPATH '/in/x' OVERWRITE INTO TABLE trips PARTITION (d = '1')",
         "trips", "file:/in/x"),
        ("mysql", "LOAD DATA LOCAL INFILE '/in/x.csv' INTO TABLE city.trips FIELDS TERMINATED BY"
         " ';' (id, @km)", "city.trips", "file:/in/x.csv"),
        ("bigquery", "LOAD DATA INTO mart.trips FROM FILES (format = 'CSV', uris = ['gs://c/x'])",
         "mart.trips", "gs://c/x"),
        ("hive", "CREATE EXTERNAL TABLE trips (id INT) STORED AS ORC LOCATION 's3a://city/trips/'",
         "trips", "s3://city/trips"),
        ("bigquery", "CREATE EXTERNAL TABLE m.trips (id INT64) OPTIONS (uris = ['gs://c/x.csv'])",
         "m.trips", "gs://c/x.csv"),
        ("spark", "CREATE TABLE trips USING csv OPTIONS (path '/in/trips')", "trips",
         "file:/in/trips"),
        ("snowflake", "CREATE EXTERNAL TABLE trips (id INT AS (value:c1::int))"
         " LOCATION = @landing/trips FILE_FORMAT = (TYPE = CSV)", "TRIPS", "@LANDING/trips"),
    ],
)  # fmt: skip
def test_a_table_that_is_loaded_is_made_of_the_file(
    dialect: str, sql: str, target: str, source: str
) -> None:
    assert links(columns(sql, dialect)) == [(target, [source])]


@pytest.mark.parametrize(
    ("dialect", "sql", "file"),
    [
        ("postgres", "COPY (SELECT id, km FROM trips) TO '/out/x.csv' CSV HEADER",
         "file:/out/x.csv"),
        ("postgres", "COPY trips (id, km) TO '/out/x.csv'", "file:/out/x.csv"),
        ("duckdb", "COPY (SELECT id, km FROM trips) TO 's3://city/x.parquet' (FORMAT parquet)",
         "s3://city/x.parquet"),
        ("snowflake", 'COPY INTO @out/x FROM (SELECT "id", "km" FROM "trips")', "@OUT/x"),
        ("redshift", "UNLOAD ('SELECT id, km FROM trips') TO 's3://city/x_' IAM_ROLE 'r'",
         "s3://city/x_"),
        ("postgres", "UNLOAD ('SELECT id, km FROM trips') TO 's3://city/x_' IAM_ROLE 'r'",
         "s3://city/x_"),
        ("athena", "UNLOAD (SELECT id, km FROM trips) TO 's3://city/x/' WITH (format = 'ORC')",
         "s3://city/x"),
        ("hive", "INSERT OVERWRITE LOCAL DIRECTORY '/out/x' SELECT id, km FROM trips",
         "file:/out/x"),
        ("spark", "INSERT OVERWRITE DIRECTORY '/out/x' USING csv OPTIONS ('sep' = ';')"
         " SELECT id, km FROM trips", "file:/out/x"),
        ("bigquery", "EXPORT DATA OPTIONS (uri = 'gs://c/x-*.csv', format = 'CSV')"
         " AS SELECT id, km FROM trips", "gs://c/x-*.csv"),
        ("clickhouse", "INSERT INTO FUNCTION file('x.csv') SELECT id, km FROM trips",
         "file:x.csv"),
    ],
)  # fmt: skip
def test_a_file_that_is_written_has_the_columns_of_the_query(
    dialect: str, sql: str, file: str
) -> None:
    found = columns(sql, dialect)
    assert links(found) == [(file, ["trips"])]
    assert edges(found) == {("id", "trips#id"), ("km", "trips#km")}


@pytest.mark.parametrize(
    ("dialect", "source", "file"),
    [
        ("duckdb", "'in/x.parquet'", "file:in/x.parquet"),
        ("duckdb", "read_csv('s3://city/x.csv', header = true) AS t", "s3://city/x.csv"),
        ("duckdb", "read_parquet(['x.parquet'])", "file:x.parquet"),
        ("spark", "parquet.`/in/x`", "file:/in/x"),
        ("databricks", "delta.`s3n://city/x` AS t", "s3://city/x"),
        ("databricks", "read_files('/Volumes/city/x', format => 'csv')", "file:/Volumes/city/x"),
        ("clickhouse", "s3('https://city.s3.example.org/x.csv')",
         "https://city.s3.example.org/x.csv"),
        ("tsql", "OPENROWSET(BULK 'https://city.example.org/X.parquet', FORMAT = 'PARQUET')"
         " WITH (id INT, km INT) AS t", "https://city.example.org/X.parquet"),
    ],
)  # fmt: skip
def test_a_file_that_is_read_as_a_table_is_called_by_its_address(
    dialect: str, source: str, file: str
) -> None:
    found = columns(" ".join(["INSERT INTO trips SELECT id, km FROM", source]), dialect)
    assert links(found) == [("trips", [file])]
    assert edges(found) == {("id", f"{file}#id"), ("km", f"{file}#km")}


def test_columns_of_a_staged_file_have_their_positions_as_names() -> None:
    found = columns(
        "COPY INTO trips (id, km) FROM (SELECT $1, s.$3 * 1000 FROM @city.raw.landing/x.csv AS s)",
        "snowflake",
    )
    assert links(found) == [("TRIPS", ["CITY.RAW.@LANDING/x.csv"])]
    stage = "CITY.RAW.@LANDING/x.csv"
    assert edges(found) == {("ID", f"{stage}#$1"), ("KM", f"{stage}#$3")}


def test_several_files_of_one_table_are_all_read() -> None:
    found = columns("CREATE TABLE t AS SELECT * FROM read_json(['a.json', 'b.json'])", "duckdb")
    assert links(found) == [("t", ["file:a.json", "file:b.json"])]


@pytest.mark.parametrize(
    ("dialect", "table"),
    [("postgres", '"x.csv"'), ("spark", "parquet.trips"), ("snowflake", '"a/b"'),
     ("tsql", "[D:\\x]")],
)  # fmt: skip
def test_a_table_with_an_odd_name_is_no_file(dialect: str, table: str) -> None:
    [told] = columns(" ".join(["SELECT id FROM", table]), dialect).statements
    assert not told.reads[0].is_file


def test_what_comes_through_a_pipe_has_no_origin() -> None:
    script = (
        "COPY trips (id, note) FROM stdin;\n1\tit's\n2\t$$ ;\n\\.\n\n"
        "CREATE VIEW v AS SELECT id FROM trips;\nSELECT FROM WHERE"
    )
    found = columns(script, "postgres")
    assert [told.kind for told in found.statements] == ["COPY", "CREATE VIEW"]
    assert [fault.line for fault in found.faults] == [7]
    assert links(columns("COPY trips TO STDOUT; COPY trips FROM PROGRAM 'get'", "postgres")) == [
        ("", ["trips"]), ("trips", []),
    ]  # fmt: skip


# ---- from table to table


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("tsql", "ALTER TABLE day SWITCH PARTITION 3 TO trips PARTITION 3"),
        ("tsql", "ALTER TABLE day SWITCH TO trips WITH (WAIT_AT_LOW_PRIORITY (MAX_DURATION = 1))"),
        ("hive", "ALTER TABLE trips EXCHANGE PARTITION (d = '1') WITH TABLE day"),
        ("mysql", "ALTER TABLE trips EXCHANGE PARTITION p WITH TABLE day WITHOUT VALIDATION"),
    ],
)
def test_rows_of_a_partition_come_from_the_table_that_had_them(dialect: str, sql: str) -> None:
    made = "CREATE TABLE day (id INT); CREATE TABLE trips (id INT);"
    told = columns(" ".join([made, sql]), dialect)
    assert links(told)[2:] == [("trips", ["day"])]
    assert edges(told) == {("id", "day#id")}


def test_tables_that_are_swapped_have_the_rows_of_each_other() -> None:
    made = "CREATE TABLE a (id INT); CREATE TABLE b (id INT);"
    told = columns(" ".join([made, "ALTER TABLE a SWAP WITH b"]), "snowflake")
    assert links(told)[2:] == [("A", ["B"]), ("B", ["A"])]
    assert edges(told) == {("ID", "B#ID"), ("ID", "A#ID")}


@pytest.mark.parametrize(
    ("dialect", "like", "names"),
    [
        ("postgres", "(LIKE trips INCLUDING ALL, day date)", ("id", "km", "day")),
        ("mysql", "LIKE trips", ("id", "km")),
        ("hive", "LIKE trips", ("id", "km")),
    ],
)
def test_a_table_like_another_has_its_columns_and_not_its_rows(
    dialect: str, like: str, names: tuple[str, ...]
) -> None:
    """It is declared. That is no lineage: a change of the other's rows never reaches it."""
    made = "CREATE TABLE trips (id INT, km INT); CREATE TABLE fresh"
    read = "; CREATE VIEW v AS SELECT * FROM fresh"
    _, fresh, view = columns(" ".join([made, like, read]), dialect).statements
    assert (fresh.writes[0].text, fresh.reads, fresh.edges) == ("fresh", (), ())
    assert tuple(name for name, _ in fresh.types) == names
    assert view.columns == names


# ---- as events


@pytest.mark.parametrize(
    ("address", "namespace", "name"),
    [
        ("s3://city/raw/x.csv", "s3://city", "raw/x.csv"),
        ("gs://city", "gs://city", "/"),
        ("abfss://raw@city.dfs.core.windows.net/x", "abfss://raw@city.dfs.core.windows.net", "x"),
        ("hdfs://node:8020/x", "hdfs://node:8020", "/x"),
        ("dbfs:/mnt/x", "dbfs", "/mnt/x"),
        ("file:/in/x.csv", "file", "/in/x.csv"),
        ("file:x.csv", "file", "x.csv"),
        ("trips", "postgres://db:5432", "trips"),
    ],
)
def test_a_file_is_named_as_openlineage_names_it(address: str, namespace: str, name: str) -> None:
    assert TableName("", "", address).placed("postgres://db:5432") == (namespace, name)


@pytest.mark.parametrize(
    "address",
    [
        "s3://AKIA:hush@city/x.csv",
        "s3://city/x.csv?s3_secret_access_key=hush",
        "s3a://AKIA:hush@city?sig=hush",
        "https://ana:hush@city.example/x.csv",
        "https://city.example/x.csv?sv=1&sig=hu%2Fsh#x",
        "abfss://raw@city.dfs.core.windows.net/x.csv?sig=hush",
    ],
)
def test_no_password_or_signature_is_part_of_a_name(address: str) -> None:
    found = columns(
        "".join(("CREATE TABLE t AS SELECT a FROM read_csv('", address, "')")), "duckdb"
    )
    (source,) = found.statements[0].reads
    assert not {"hush", "hu", "sig", "AKIA"} & set(re.split(r"\W", source.text))


def test_a_sign_that_stands_for_any_other_is_part_of_a_name() -> None:
    found = columns("CREATE TABLE t AS SELECT a FROM read_csv('s3://city/x?.csv')", "duckdb")
    assert links(found) == [("t", ["s3://city/x?.csv"])]


def test_events_name_a_file_by_its_storage_and_a_stage_by_its_database() -> None:
    sql = "COPY INTO trips FROM 's3://city/x.csv'; COPY INTO trips FROM @landing"
    told = tell(columns(sql, "snowflake", database="RAW"), "x.sql", "snowflake://a", "sql", "0")
    [event] = told.events
    assert [table.name for table in event.inputs] == [
        Name("s3://city", "x.csv"), Name("snowflake://a", "RAW.@LANDING"),
    ]  # fmt: skip
    assert event.job_facets is not None
    assert "COPY" in json.loads(event.job_facets["jobType"])["jobType"]
