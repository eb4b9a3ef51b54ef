"""Lineage read out of SQL: known answers, sqlglot's own lineage, and input that is broken."""

from __future__ import annotations

import random

import pytest
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.lineage import lineage

from bilbaokg.errors import BadInput, TooLarge
from bilbaokg.lineage import blocks, statements
from bilbaokg.lineage.script import Edge, Fault, Indirect, Script, Statement, TableName
from bilbaokg.lineage.sql import SIZE_LIMIT, check_dialect, columns, read
from bilbaokg.workers import Pool

A, B, C = (TableName("", "", name) for name in "abc")
SCHEMA = {A: {"id": "int", "x": "int", "y": "text"}, B: {"id": "int", "z": "int"}}


def only(sql: str, dialect: str = "postgres") -> Statement:
    script = columns(sql, dialect, SCHEMA)
    assert script.faults == []
    [statement] = script.statements
    return statement


# ---- known answers


def test_a_view_reads_its_tables_and_each_column_says_how_it_is_made() -> None:
    told = only(
        "CREATE VIEW c AS SELECT a.id, x + 1 AS more, sum(z) AS total"
        " FROM a JOIN b ON a.id = b.id WHERE y = 'q' GROUP BY a.id, x"
    )
    assert (told.kind, told.reads, told.writes) == ("CREATE VIEW", (A, B), (C,))
    assert told.columns == ("id", "more", "total")
    assert set(told.edges) == {
        Edge("id", A, "id", "IDENTITY"),
        Edge("more", A, "x", "TRANSFORMATION"),
        Edge("total", B, "z", "AGGREGATION"),
    }
    assert set(told.indirect) == {
        Indirect(A, "id", "JOIN"),
        Indirect(B, "id", "JOIN"),
        Indirect(A, "y", "FILTER"),
        Indirect(A, "id", "GROUP_BY"),
        Indirect(A, "x", "GROUP_BY"),
    }


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO c (p, q) SELECT id, x FROM a",
        "CREATE TABLE c AS SELECT id AS p, x AS q FROM a",
        "INSERT INTO c (p, q) WITH w AS (SELECT id, x FROM a) SELECT * FROM w",
        "MERGE INTO c USING a ON c.p = a.id WHEN NOT MATCHED THEN INSERT (p, q) VALUES (a.id, a.x)",
        "UPDATE c SET p = a.id, q = a.x FROM a",
    ],
)
def test_each_way_of_writing_gives_the_target_its_columns(sql: str) -> None:
    told = only(sql)
    assert told.writes == (C,)
    assert {A} <= set(told.reads)
    assert set(told.edges) == {Edge("p", A, "id", "IDENTITY"), Edge("q", A, "x", "IDENTITY")}


def test_delete_reads_what_says_which_rows_go() -> None:
    told = only("DELETE FROM a WHERE x > 1")
    assert (told.kind, told.writes, told.columns, told.edges) == ("DELETE", (A,), (), ())
    assert told.indirect == (Indirect(A, "x", "FILTER"),)
    other = only("DELETE FROM a USING b WHERE a.id = b.id")
    assert set(other.reads) == {A, B}
    assert set(other.indirect) == {Indirect(A, "id", "FILTER"), Indirect(B, "id", "FILTER")}
    everything = only("DELETE FROM a")
    assert (everything.writes, everything.indirect) == ((A,), ())


def test_joins_of_an_update_bear_on_it() -> None:
    told = only("UPDATE a SET x = b.z FROM a JOIN b ON a.id = b.id WHERE b.z > 1", "tsql")
    assert (told.writes, told.edges) == ((A,), (Edge("x", B, "z", "IDENTITY"),))
    assert set(told.indirect) == {
        Indirect(A, "id", "JOIN"),
        Indirect(B, "id", "JOIN"),
        Indirect(B, "z", "FILTER"),
    }


def test_who_reads_a_temporary_table_reads_what_it_was_made_of() -> None:
    script = columns(
        "CREATE TEMP TABLE t AS SELECT x + 1 AS m FROM a; CREATE TABLE c AS SELECT m AS n FROM t",
        "postgres", SCHEMA,
    )  # fmt: skip
    first, second = script.statements
    assert (first.temporary, second.temporary) == (True, False)
    assert second.reads == (A,)
    assert second.edges == (Edge("n", A, "x", "TRANSFORMATION"),)


def test_names_follow_the_case_rules_of_the_dialect() -> None:
    sql = 'CREATE VIEW V AS SELECT ID, "Odd name" FROM "Big"'
    for dialect, view, column in (("postgres", "v", "id"), ("snowflake", "V", "ID")):
        told = columns(sql, dialect).statements[0]
        assert told.writes == (TableName("", "", view),)
        assert told.reads == (TableName("", "", "Big"),)
        assert told.columns == (column, "Odd name")


@pytest.mark.parametrize(
    "write",
    [
        'INSERT INTO t (Ab, "Cd") SELECT x, x FROM s',
        'CREATE VIEW t (Ab, "Cd") AS SELECT x, x FROM s',
        'UPDATE t SET Ab = s.x, "Cd" = s.x FROM s',
        'MERGE INTO t USING s ON t.i = s.i WHEN MATCHED THEN UPDATE SET t.Ab = s.x, "Cd" = s.x',
        "MERGE INTO t USING s ON t.i = s.i"
        ' WHEN NOT MATCHED THEN INSERT (Ab, "Cd") VALUES (s.x, s.x)',
    ],
)
@pytest.mark.parametrize(
    ("dialect", "columns_there"),
    [("postgres", ("ab", "Cd")), ("snowflake", ("AB", "Cd")), ("duckdb", ("ab", "cd"))],
)
def test_columns_that_are_written_follow_the_case_rules_as_those_that_are_read(
    write: str, dialect: str, columns_there: tuple[str, ...]
) -> None:
    written, read_again = columns(f'{write};\nSELECT Ab, "Cd" FROM t', dialect).statements
    assert written.columns == columns_there
    assert tuple(edge.column for edge in read_again.edges) == columns_there


def test_a_column_that_is_selected_twice_keeps_both_positions() -> None:
    made = {("p", "id"), ("q", "id"), ("r", "x")}
    for query in (
        "SELECT id, id, x FROM a",
        "SELECT id, id, x FROM a UNION ALL SELECT id, id, x FROM a",
        "WITH w AS (SELECT id, x FROM a) SELECT id, id, x FROM w",
    ):
        told = only(f"CREATE VIEW c (p, q, r) AS {query}")
        assert {(edge.output, edge.column) for edge in told.edges} == made
        [_, inserted] = columns(f"CREATE TABLE t (p INT, q INT, r INT); INSERT INTO t {query}",
                                "postgres", SCHEMA).statements  # fmt: skip
        assert {(edge.output, edge.column) for edge in inserted.edges} == made
    told = only("SELECT a.id, b.id FROM a JOIN b ON a.id = b.id")
    assert told.columns == ("id",)
    assert {edge.table for edge in told.edges} == {A, B}


def test_names_that_say_no_schema_have_the_given_one() -> None:
    script = columns("SELECT x FROM a, o.b", "postgres", catalog="city", database="public")
    assert [t.text for t in script.statements[0].reads] == ["city.public.a", "city.o.b"]


# ---- the same edges as sqlglot's own lineage


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id, x AS renamed FROM a",
        "SELECT * FROM a",
        "SELECT b.*, a.y FROM a JOIN b ON a.id = b.id",
        "SELECT a.id + b.z AS n, upper(y) AS u FROM a LEFT JOIN b ON a.id = b.id",
        "SELECT x, count(*) AS n, max(y) AS top FROM a GROUP BY x",
        "WITH w AS (SELECT id, x * 2 AS d FROM a) SELECT d, id FROM w",
        "WITH w AS (SELECT id FROM a), v AS (SELECT id FROM w) SELECT v.id FROM v",
        "SELECT s.n FROM (SELECT sum(z) AS n FROM b) AS s",
        "SELECT id, x FROM a UNION ALL SELECT id, z FROM b",
        "SELECT n FROM (SELECT x AS n FROM a UNION SELECT z FROM b) AS u",
        "SELECT CASE WHEN x > 1 THEN y ELSE 'n' END AS k FROM a",
        "SELECT p.x, q.x AS other FROM a AS p JOIN a AS q ON p.id = q.id",
        "SELECT coalesce(w.n, a.x) AS c FROM a LEFT JOIN"
        " (SELECT id, max(z) AS n FROM b GROUP BY id) AS w ON a.id = w.id",
        "SELECT row_number() OVER (PARTITION BY x ORDER BY y) AS r FROM a",
    ],
)
def test_columns_come_from_where_sqlglot_says(query: str) -> None:
    agree_with_sqlglot(query)


def agree_with_sqlglot(query: str) -> None:
    told = only(query)
    nested = {table.name: dict(known) for table, known in SCHEMA.items()}
    assert told.columns
    assert told.edges
    for output in told.columns:
        leaves = {
            (node.expression.name, node.name.rpartition(".")[2])
            for node in lineage(output, query, schema=nested, dialect="postgres").walk()
            if not node.downstream and isinstance(node.expression, exp.Table)
        }
        ours = {(e.table.name, e.column) for e in told.edges if e.output == output}
        assert ours == {leaf for leaf in leaves if leaf[1] != "*"}, (output, query)


class Written:
    """Queries at random, of two columns n and m: tables, joins, unions, subqueries, WITH."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)  # noqa: S311 -- the same ones each time

    def whole(self) -> str:
        names = [f"w{n}" for n in range(self.pick.randrange(4))]
        parts = [f"{name} AS ({self.query(names[:n], 2)})" for n, name in enumerate(names)]
        made = f"WITH {', '.join(parts)} " if parts else ""
        return made + self.query(names, 3)

    def query(self, names: list[str], depth: int) -> str:
        if depth and self.pick.random() < 0.2:
            return f"{self.query(names, depth - 1)} UNION ALL {self.query(names, depth - 1)}"
        first = self.source(names, depth)
        if self.pick.random() < 0.5:
            one = f"SELECT {self.made('p')} AS n, {self.made('p')} AS m"
            return f"{one} FROM {first} AS p"
        join = f"{first} AS p JOIN {self.source(names, depth)} AS q ON p.n = q.m"
        one = f"SELECT {self.made('q')} AS n, {self.made('p')} AS m"
        return f"{one} FROM {join}"

    def source(self, names: list[str], depth: int) -> str:
        if names and self.pick.random() < 0.5:
            return self.pick.choice(names)
        if depth and self.pick.random() < 0.4:
            return f"({self.query(names, depth - 1)})"
        return self.pick.choice(
            ["(SELECT id AS n, y AS m FROM a)", "(SELECT z AS n, id AS m FROM b)"]
        )

    def made(self, of: str) -> str:
        form = self.pick.choice(
            ["{0}.n", "{0}.m", "upper({0}.m)", "{0}.n || {0}.m", "coalesce({0}.m, 'x')",
             "CASE WHEN {0}.n = 1 THEN {0}.m END", "row_number() OVER (ORDER BY {0}.n)"]
        )  # fmt: skip
        return form.format(of)


@pytest.mark.parametrize("seed", range(60))
def test_columns_of_random_queries_come_from_where_sqlglot_says(seed: int) -> None:
    query = Written(seed).whole()
    agree_with_sqlglot(query)
    # Each column there can be told without that any table is known.
    [told] = columns(query, "postgres", {}).statements
    assert set(told.edges) == set(only(query).edges)


# ---- what cannot be read


def test_a_broken_statement_is_named_by_line_and_column_and_the_rest_counts() -> None:
    script = columns("SELECT x FROM a;\nSELECT id\n  FROM (b wrong;\nSELECT z FROM b", "postgres")
    assert [told.reads for told in script.statements] == [(A,), (B,)]
    [fault] = script.faults
    assert (fault.line, fault.column) == (3, 11)


@pytest.mark.parametrize("opened", ["'oops", '"oops', "/* oops", "$$ oops"])
def test_what_is_not_closed_leaves_the_statements_around_it(opened: str) -> None:
    sql = ";".join(["SELECT x FROM a", f"  SELECT {opened} ", "\nSELECT z FROM b", ""])
    script = columns(sql, "postgres")
    assert [(told.line, told.reads) for told in script.statements] == [(1, (A,)), (2, (B,))]
    assert script.faults == [Fault("a text, name or comment is not closed", 1, 19)]


@pytest.mark.parametrize(
    ("dialect", "broken"),
    [
        ("mysql", "RENAME"), ("sqlite", "ALTER TABLE t RENAME'a'TO u"), ("clickhouse", "AS"),
        ("databricks", "ALTER TABLE t RENAME COLUMN b TO '/in/x.csv'"),
        ("mysql",
         "MERGE INTO SELECT b USING a ON b.id = a.id WHEN MATCHED THEN UPDATE SET x = 1"),
        ("bigquery", "ALTER TABLE a SWAP"), ("duckdb", "ALTER TABLE a SWAP WITH SELECT b"),
        ("teradata", "UNLOAD() TO 's3://city/x'"),
        ("trino", "INSERT INTO FUNCTION SELECT('x.csv') fileid, km FROM trips"),
    ],
)  # fmt: skip
def test_a_statement_whose_parts_do_not_fit_is_named_and_the_rest_counts(
    dialect: str, broken: str
) -> None:
    parts = ["CREATE VIEW c AS SELECT x FROM a", broken, "SELECT z FROM b"]
    script = columns(";\n".join(parts), dialect)
    assert [told.kind for told in script.statements] == ["CREATE VIEW", "SELECT"]
    assert [fault.line for fault in script.faults] == [2]


def test_a_template_is_told_to_be_one() -> None:
    made = "CREATE VIEW c AS SELECT x FROM a; SELECT * FROM {{ ref('b') }}; SELECT {% if y %} 1"
    script = columns(made, "postgres")
    assert [told.kind for told in script.statements] == ["CREATE VIEW"]
    assert len(script.faults) == 2
    assert all("lineage dbt" in fault.message for fault in script.faults)


def test_a_semicolon_in_a_text_does_not_end_a_statement() -> None:
    script = columns("SELECT ';' AS s, x FROM a; SELECT 'oops", "postgres")
    assert [told.reads for told in script.statements] == [(A,)]
    assert [(fault.line, fault.column) for fault in script.faults] == [(1, 28)]


def test_lines_are_counted_through_texts_of_several_lines() -> None:
    script = columns("SELECT 'one\ntwo' AS t FROM a;\nSELECT (z FROM b", "postgres")
    assert [told.line for told in script.statements] == [1]
    assert [(fault.line, fault.column) for fault in script.faults] == [(3, 11)]


def test_an_unknown_dialect_is_refused_with_the_nearest_ones() -> None:
    with pytest.raises(BadInput) as error:
        check_dialect("postgers")
    assert "postgres" in (error.value.hint or "")
    assert check_dialect("SQLServer") == "tsql"


# ---- in a worker


def test_a_worker_finds_the_same(pool: Pool) -> None:
    sql = "CREATE VIEW c AS SELECT *, 1 AS one FROM a WHERE x > 1; SELECT (; SELECT z FROM b"
    assert read(sql.encode(), "postgres", SCHEMA, pool=pool) == columns(sql, "postgres", SCHEMA)


@pytest.mark.parametrize("body", [b"SELECT 1\0\1\2", b"\x89PNG\r\n\x1a\n\0", b"SELECT '\xff'"])
def test_bytes_that_are_no_text_are_refused(pool: Pool, body: bytes) -> None:
    with pytest.raises(BadInput) as error:
        read(body, "postgres", pool=pool, label="views.sql")
    assert error.value.where == "views.sql"


def test_a_script_over_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(TooLarge, match="bytes of SQL"):
        read(b" " * (SIZE_LIMIT + 1), "postgres")


def test_deep_nesting_is_a_fault_and_the_rest_counts(pool: Pool) -> None:
    deep = "SELECT " + "(" * 5000 + "1" + ")" * 5000
    sql = ";\n".join(["SELECT x FROM a", deep, "SELECT z FROM b"])
    script = read(sql.encode(), "postgres", pool=pool)
    assert [told.reads for told in script.statements] == [(A,), (B,)]
    assert script.faults == [Fault("it is nested too deeply", 2, 1)]


# ---- columns that are not known


def test_a_star_of_an_unknown_table_gives_no_column_and_hides_none() -> None:
    told = columns("CREATE VIEW v AS SELECT * EXCEPT (x), 1 AS one FROM o", "bigquery")
    [view] = told.statements
    assert (view.columns, view.edges, view.is_whole) == (("one",), (), False)


def test_a_column_is_followed_through_stars_of_an_unknown_table() -> None:
    sql = (
        "CREATE TABLE t AS WITH s AS (SELECT * FROM o), r AS (SELECT id, name AS n FROM s)"
        " SELECT id, upper(n) AS big FROM r"
    )
    [told] = columns(sql, "duckdb").statements
    o = TableName("", "", "o")
    assert set(told.edges) == {
        Edge("id", o, "id", "IDENTITY"),
        Edge("big", o, "name", "TRANSFORMATION"),
    }


def test_what_star_replaces_and_renames_comes_from_what_it_says() -> None:
    o = TableName("", "", "o")
    [told] = columns("SELECT * REPLACE (y + 1 AS y) FROM o", "bigquery").statements
    assert told.edges == (Edge("y", o, "y", "TRANSFORMATION"),)
    [told] = columns('SELECT * RENAME (x AS z) FROM "o"', "snowflake").statements
    assert told.edges == (Edge("Z", o, "X", "IDENTITY"),)


@pytest.mark.parametrize("dialect", ["postgres", "snowflake", "bigquery", "tsql", "oracle"])
def test_a_subquery_over_an_unknown_table_has_its_columns(dialect: str) -> None:
    script = columns(
        "INSERT INTO m SELECT day, x + 1 AS more FROM t WHERE day > (SELECT max(day) FROM m)",
        dialect,
        {},
    )
    assert script.faults == []
    [told] = script.statements
    found = {(e.output.lower(), e.table.name.lower(), e.column.lower()) for e in told.edges}
    assert found == {("day", "t", "day"), ("more", "t", "x")}
    named = {(b.table.name.lower(), b.column.lower()) for b in told.indirect}
    assert named == {("t", "day"), ("m", "day")}


@pytest.mark.parametrize("tables", ["t", "t, u"])
def test_names_that_a_query_gives_itself_are_followed_over_unknown_tables(tables: str) -> None:
    made = "CREATE TABLE c AS SELECT a AS b, b + 1 AS more, trim(e) AS e FROM"
    script = columns(f"{made} {tables} WHERE b > 1 AND e = 'x' GROUP BY b, e", "snowflake", {})
    assert script.faults == []
    [told] = script.statements
    assert told.columns == ("B", "MORE", "E")
    found = {(edge.output, edge.column) for edge in told.edges}
    assert found == ({("B", "A"), ("MORE", "A"), ("E", "E")} if tables == "t" else set())


def test_of_several_unknown_tables_in_a_subquery_none_is_guessed() -> None:
    [told] = columns(
        "CREATE TABLE c AS SELECT p FROM t WHERE q IN"
        " (SELECT r FROM u JOIN v ON u.id = v.id WHERE s = 1)",
        "postgres",
        {},
    ).statements
    t, u, v = (TableName("", "", name) for name in "tuv")
    assert told.edges == (Edge("p", t, "p", "IDENTITY"),)
    assert set(told.reads) == {t, u, v}
    assert set(told.indirect) == {
        Indirect(t, "q", "FILTER"),
        Indirect(u, "id", "JOIN"),
        Indirect(v, "id", "JOIN"),
    }


def test_a_schema_of_yesterday_does_not_lose_the_columns() -> None:
    told = only("CREATE VIEW c AS SELECT added, x FROM a")
    assert set(told.edges) == {
        Edge("added", A, "added", "IDENTITY"),
        Edge("x", A, "x", "IDENTITY"),
    }


# ---- how a column bears


def test_what_orders_a_window_or_picks_a_case_is_told_once_and_as_such() -> None:
    told = only(
        "CREATE VIEW c AS SELECT sum(id) OVER (PARTITION BY x ORDER BY y) AS s,"
        " CASE WHEN x > 1 THEN y END AS k FROM a"
    )
    assert set(told.edges) == {
        Edge("s", A, "id", "AGGREGATION"),
        Edge("s", A, "x", "WINDOW"),
        Edge("s", A, "y", "WINDOW"),
        Edge("k", A, "y", "TRANSFORMATION"),
        Edge("k", A, "x", "CONDITIONAL"),
    }
    assert told.indirect == ()


def test_an_update_of_joined_tables_sets_each_from_the_other() -> None:
    sql = "UPDATE a JOIN b ON a.id = b.id SET a.x = b.z, b.z = a.y WHERE a.x > 1"
    first, second = columns(sql, "mysql", SCHEMA).statements
    assert (first.writes, first.edges) == ((A,), (Edge("x", B, "z", "IDENTITY"),))
    assert (second.writes, second.edges) == ((B,), (Edge("z", A, "y", "IDENTITY"),))
    assert Indirect(B, "id", "JOIN") in first.indirect


def test_a_clone_and_a_declared_table_have_all_their_columns() -> None:
    script = columns(
        "CREATE TABLE t (p int, q text); CREATE TABLE u CLONE t; CREATE VIEW v AS SELECT * FROM u",
        "snowflake",
    )
    declared, clone, view = script.statements
    assert declared.types == (("P", "INT"), ("Q", "VARCHAR"))
    assert clone.columns == view.columns == ("P", "Q")
    assert view.edges[0] == Edge("P", TableName("", "", "U"), "P", "IDENTITY")


def test_rows_of_constants_are_passed_over() -> None:
    rows = ",".join(["(1, 'some text', 2.5, NULL)"] * 40_000)
    assert len(rows) < SIZE_LIMIT
    sql = ["INSERT INTO a (id, x) VALUES", rows, "; SELECT z FROM b"]
    script = columns(" ".join(sql), "postgres")
    assert [told.kind for told in script.statements] == ["INSERT", "SELECT"]
    assert script.faults == []


def test_rows_that_hold_a_query_are_read() -> None:
    [told] = columns("INSERT INTO a (x) VALUES ((SELECT max(z) FROM b))", "postgres").statements
    assert told.writes == (A,)


def edges(script: Script) -> set[tuple[str, ...]]:
    """The columns that are written, each with what it comes from."""
    return {
        (statement.writes[0].name, edge.output, edge.table.name, edge.column)
        for statement in script.statements
        for edge in statement.edges
    }


def test_insert_gives_by_position_what_the_columns_of_a_known_table_are_called() -> None:
    made = "CREATE TABLE t (day DATE, total INT, part TEXT);"
    insert = "INSERT INTO t SELECT x, y AS other FROM a"
    found = columns(made + insert, "postgres")
    assert edges(found) == {("t", "day", "a", "x"), ("t", "total", "a", "y")}
    insert = "INSERT OVERWRITE TABLE t PARTITION (day = '2026-01-01') SELECT x, y FROM a"
    found = columns(made + insert, "spark")
    assert edges(found) == {("t", "total", "a", "x"), ("t", "part", "a", "y")}
    insert = "INSERT INTO t BY NAME SELECT x AS total FROM a"
    found = columns(made + insert, "duckdb")
    assert edges(found) == {("t", "total", "a", "x")}


def test_rows_that_hold_queries_read_their_tables() -> None:
    [told] = columns("INSERT INTO c VALUES (1, (SELECT max(z) FROM b))", "postgres").statements
    assert (told.writes, told.reads) == ((C,), (B,))


def test_select_into_writes_what_all_its_parts_give() -> None:
    [told] = columns("SELECT x INTO c FROM a UNION ALL SELECT z FROM b", "tsql").statements
    assert (told.writes, told.reads) == ((C,), (A, B))
    assert {(edge.table, edge.column) for edge in told.edges} == {(A, "x"), (B, "z")}


def test_a_table_that_only_decides_which_rows_stay_is_read() -> None:
    view = "CREATE VIEW c AS SELECT a.x FROM a LEFT SEMI JOIN b ON a.id = b.id"
    [told] = columns(view, "spark").statements
    assert told.reads == (A, B)
    assert set(told.indirect) == {Indirect(A, "id", "JOIN"), Indirect(B, "id", "JOIN")}


@pytest.mark.parametrize(
    ("dialect", "join"),
    [
        ("postgres", ", LATERAL (SELECT max(b.z) AS z FROM b WHERE b.id = a.id) AS s"),
        ("postgres", "LEFT JOIN LATERAL (SELECT max(b.z) AS z FROM b WHERE b.id = a.id) s ON true"),
        ("tsql", "OUTER APPLY (SELECT max(b.z) AS z FROM b WHERE b.id = a.id) AS s"),
    ],
)
def test_a_subquery_that_is_joined_row_by_row_is_followed(dialect: str, join: str) -> None:
    found = columns(" ".join(["CREATE VIEW c AS SELECT a.x, s.z FROM a", join]), dialect)
    assert found.faults == []
    assert edges(found) == {("c", "x", "a", "x"), ("c", "z", "b", "z")}
    assert found.statements[0].reads == (A, B)


@pytest.mark.parametrize(
    ("dialect", "query"),
    [
        ("postgres", "SELECT t.id, tag FROM t, UNNEST(t.tags) AS u(tag)"),
        ("bigquery", "SELECT t.id, tag FROM t, UNNEST(t.tags) AS tag"),
        ("spark", "SELECT id, tag FROM t LATERAL VIEW explode(tags) u AS tag"),
        ("snowflake", 'SELECT t."id", f.value AS "tag" FROM "t" t, LATERAL FLATTEN(t."tags") f'),
    ],
)
def test_columns_are_made_of_what_rows_are_made_of(dialect: str, query: str) -> None:
    found = columns(f"CREATE VIEW c AS {query}", dialect)
    assert found.faults == []
    told = {(output, table, column) for _, output, table, column in edges(found)}
    assert told == {("id", "t", "id"), ("tag", "t", "tags")}


# ---- routines and blocks

PROCEDURES = {
    "tsql": """
        CREATE OR ALTER PROCEDURE load_day @day DATE AS
        BEGIN
            SET NOCOUNT ON
            BEGIN TRY
                DECLARE @n INT = 0
                IF @day IS NULL
                    SET @day = (SELECT max(d) FROM days)
                INSERT INTO daily (x)
                SELECT CASE WHEN x > 0 THEN x
                       ELSE 0
                       END
                FROM raw
                WHERE d = @day
                UPDATE m
                SET m.n = d.x
                FROM monthly AS m
                JOIN daily AS d ON d.m = m.m
                MERGE yearly AS y
                USING monthly AS m ON y.y = m.y
                WHEN MATCHED THEN
                    UPDATE SET y.n = m.n;
            END TRY
            BEGIN CATCH
                INSERT INTO failures (x) SELECT error_number()
            END CATCH
        END
        """,
    "oracle": """
        CREATE OR REPLACE PROCEDURE load_day (p_day DATE) IS
            v_n NUMBER;
        BEGIN
            INSERT INTO daily (x) SELECT x FROM raw WHERE d = p_day;
            IF v_n > 0 THEN
                UPDATE monthly SET n = (SELECT max(x) FROM daily);
            ELSE
                MERGE INTO yearly y USING monthly m ON (y.y = m.y)
                WHEN MATCHED THEN UPDATE SET y.n = m.n;
            END IF;
        END;
        """,
    "mysql": """
        CREATE PROCEDURE load_day (IN p_day DATE)
        BEGIN
            INSERT INTO daily (x) SELECT x FROM raw WHERE d = p_day;
            IF p_day > '2026-01-01' THEN
                UPDATE monthly SET n = (SELECT max(x) FROM daily);
            END IF;
            INSERT INTO yearly (n) SELECT n FROM monthly;
        END
        """,
    "postgres": """
        CREATE PROCEDURE load_day (p_day date) LANGUAGE plpgsql AS $body$
        DECLARE n int;
        BEGIN
            SELECT count(*) INTO n FROM raw;
            n := n + 1;
            INSERT INTO daily (x) SELECT x FROM raw WHERE d = p_day;
            IF n > 0 THEN
                UPDATE monthly SET n = (SELECT max(x) FROM daily);
            ELSE
                INSERT INTO yearly (n) SELECT n FROM monthly;
            END IF;
        END
        $body$;
        """,
}


@pytest.mark.parametrize("dialect", PROCEDURES)
def test_the_statements_of_a_procedure_are_read(dialect: str) -> None:
    found = columns(PROCEDURES[dialect], dialect)
    assert found.faults == []
    told = {tuple(part.lower() for part in edge) for edge in edges(found)}
    assert told == {
        ("daily", "x", "raw", "x"), ("monthly", "n", "daily", "x"), ("yearly", "n", "monthly", "n"),
    }  # fmt: skip


def test_statements_of_t_sql_need_no_semicolons() -> None:
    script = """
        insert into c select id from a
        insert into d
        select z from b
        union all
        select x from a
        with w as (select x from a)
        insert into e
        select x from w
        drop table if exists f
        select y
        into g
        from a
        """
    found = columns(script, "tsql")
    assert found.faults == []
    told = {(writes, table, column) for writes, _, table, column in edges(found)}
    assert told == {
        ("c", "a", "id"), ("d", "b", "z"), ("d", "a", "x"), ("e", "a", "x"), ("g", "a", "y"),
    }  # fmt: skip


def test_names_and_texts_in_quotes_begin_no_statement() -> None:
    found = columns("insert into c\nselect\n 'open' as state,\n [use]\nfrom a", "tsql")
    assert (len(found.statements), found.faults) == (1, [])
    assert edges(found) == {("c", "use", "a", "use")}


def test_a_long_statement_without_semicolons_is_one() -> None:
    joined = "left join c as c{0}\nwith (nolock)\non c{0}.x = b.x\n"
    script = "select b.a\ninto d\nfrom b\n" + "".join(map(joined.format, range(300)))
    tokens = Dialect.get_or_raise("tsql").tokenize(script * 20)
    assert len(blocks.split(tokens)) == 20


def test_what_is_not_closed_in_a_routine_takes_no_statement_twice() -> None:
    made = "CREATE FUNCTION f() RETURNS int AS $$ INSERT INTO d SELECT 'it; $$"
    parts = ["CREATE VIEW c AS SELECT x FROM a", made, "DROP TABLE e"]
    script = columns(";\n".join(parts), "postgres")
    assert [told.kind for told in script.statements] == ["CREATE VIEW"]
    assert [fault.line for fault in script.faults] == [2]


@pytest.mark.parametrize("begin", ["DO $$", "do language plpgsql $body$", "DO\n$x1$"])
def test_a_block_that_is_run_at_once_is_read(begin: str) -> None:
    end = "$" + begin.split("$")[1] + "$"
    text = "BEGIN INSERT INTO c (p) SELECT x FROM a; UPDATE d SET p = c.p FROM c; END"
    parts = [begin, text, end, ";\nCREATE VIEW v AS SELECT z FROM b"]
    script = columns(" ".join(parts), "postgres")
    assert script.faults == []
    assert edges(script) == {("c", "p", "a", "x"), ("d", "p", "c", "p"), ("v", "z", "b", "z")}


def test_a_statement_of_a_routine_that_cannot_be_read_is_told() -> None:
    body = "BEGIN n := 1; INSERT INTO d SELECT FROM WHERE; INSERT INTO c SELECT x FROM a; END"
    script = columns(f"CREATE PROCEDURE p() AS $$ {body} $$", "postgres")
    assert edges(script) == {("c", "x", "a", "x")}
    assert len(script.faults) == 1


def test_texts_in_texts_without_number_are_told() -> None:
    script = "SELECT 1"
    for number in range(200):
        script = f"DO $t{number}$ BEGIN INSERT INTO c SELECT 1; {script}; END $t{number}$"
    assert "nested" in columns(script, "postgres").faults[-1].message


def test_a_routine_in_another_language_is_no_sql() -> None:
    made = "CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS $$ INSERT INTO c; $$;"
    found = columns(" ".join([made, "CREATE VIEW c AS SELECT x FROM a"]), "postgres")
    assert (len(found.statements), found.faults) == (1, [])


@pytest.mark.parametrize(("dialect", "end"), [("tsql", "GO"), ("fabric", "go"), ("oracle", "/")])
def test_statements_end_where_the_tools_of_a_dialect_end_them(dialect: str, end: str) -> None:
    views = ("CREATE VIEW v AS SELECT a FROM t", "CREATE VIEW w AS SELECT a FROM v")
    sql = "".join(f"{view}\n{end}\n" for view in views)
    found = columns(sql, dialect)
    assert [told.kind for told in found.statements] == ["CREATE VIEW", "CREATE VIEW"]
    assert found.faults == []


@pytest.mark.parametrize(
    ("dialect", "script"),
    [
        ("tsql", "{0};\nGO\n{1};\nGO\n"),
        ("tsql", "CREATE PROCEDURE p AS {0}\nGO\nCREATE PROCEDURE q AS\nBEGIN\n{1}; END\nGO\n"),
        ("tsql", "BEGIN TRY {0}; END TRY\nBEGIN CATCH {1}; THROW; END CATCH"),
        ("tsql", "IF @n > 0 BEGIN {0}; END ELSE BEGIN {1}; END"),
        ("tsql", "{0};\nEND\nEND\nGO\n-- Don't;\nGO\n{1};\nGO 2\n"),
        ("bigquery", "BEGIN {0}; {1}; END"),
        ("bigquery", "BEGIN TRANSACTION; {0}; {1}; COMMIT TRANSACTION"),
        ("sqlite", "BEGIN IMMEDIATE; {0}; {1}; END TRANSACTION"),
    ],
)
def test_what_stands_behind_begin_end_and_go_is_read(dialect: str, script: str) -> None:
    held = ("INSERT INTO t SELECT a FROM r", "INSERT INTO u SELECT b FROM s")
    found = columns(script.format(*held), dialect)
    assert found.faults == []
    told = [(s.kind, s.reads[0].name, s.writes[0].name) for s in found.statements]
    assert told == [("INSERT", "r", "t"), ("INSERT", "s", "u")]


def test_places_behind_go_are_those_in_the_script() -> None:
    found = columns("SELECT a FROM t;\nGO\nSELECT b FROM v;\nGO\n  SELECT FROM WHERE;\n", "tsql")
    assert [told.line for told in found.statements] == [1, 3]
    assert [fault.line for fault in found.faults] == [5]


def test_ends_without_number_are_told() -> None:
    found = columns("END " * 5000 + "SELECT a FROM t", "tsql")
    assert [fault.message for fault in found.faults] == ["it is nested too deeply"]


def test_a_statement_with_a_misspelt_verb_is_told() -> None:
    found = columns("SELECT a FROM t;\nselec b;\nEND;\nSELECT c FROM", "postgres")
    assert [told.kind for told in found.statements] == ["SELECT"]
    assert [(fault.line, fault.message) for fault in found.faults] == [
        (2, "'selec' begins no statement; SELECT is meant?"),
        (4, "Expected table name but got the end, near 'FROM'"),
    ]


@pytest.mark.parametrize(
    ("dialect", "sql", "names"),
    [
        ("mysql", "RENAME TABLE a TO b, c.d TO e.f", [("a", "b"), ("c.d", "e.f")]),
        ("mysql", "RENAME TABLE `a b` TO `TO`", [("a b", "TO")]),
        ("clickhouse", "RENAME TABLE x.a TO b", [("x.a", "x.b")]),
        ("oracle", "RENAME a TO b", [("A", "B")]),
        ("tsql", "EXEC sp_rename 'dbo.a', 'b.c'", [("dbo.a", "dbo.b.c")]),
        ("tsql", "EXEC sys.sp_rename @newname = N'b', @objname = '[a]'", [("a", "b")]),
        ("tsql", "EXEC sp_rename 'a', @b", []),
        ("tsql", "EXEC sp_rename 'a.i', 'j', 'INDEX'", []),
        ("mysql", "RENAME USER a TO b", []),
        ("mysql", "RENAME TABLE a TO", []),
    ],
)  # fmt: skip
def test_tables_are_renamed_in_the_words_of_each_dialect(
    dialect: str, sql: str, names: list[tuple[str, str]]
) -> None:
    told = columns(sql, dialect).statements
    assert [(s.was and s.was.text, s.writes[0].text) for s in told] == names


@pytest.mark.parametrize(
    ("dialect", "rename"),
    [
        ("postgres", "ALTER TABLE t RENAME COLUMN a TO b"),
        ("postgres", "ALTER TABLE t RENAME a TO b"),
        ("mysql", "ALTER TABLE t CHANGE a b INT"), ("spark", "ALTER TABLE t CHANGE COLUMN a b INT"),
        ("tsql", "EXEC sp_rename 't.a', 'b', 'COLUMN'"),
    ],
)  # fmt: skip
def test_a_renamed_column_is_made_of_the_one_that_it_was(dialect: str, rename: str) -> None:
    script = ("CREATE TABLE t (a INT, c INT)", rename, "INSERT INTO v SELECT * FROM t")
    _, renamed, told = columns(";\n".join(script), dialect).statements
    assert renamed.renamed == (("a", "b"),)
    assert [(e.output, e.table.name, e.column) for e in renamed.edges] == [("b", "t", "a")]
    assert told.columns == ("b", "c")


@pytest.mark.parametrize(
    ("name", "begins"), [("klingon", "one of: athena"), ("postgre", "postgres is meant? one of:")]
)
def test_an_unknown_dialect_is_answered_with_all_and_the_near_ones(name: str, begins: str) -> None:
    with pytest.raises(BadInput) as error:
        columns("SELECT 1", name)
    hint = error.value.hint or ""
    assert hint.startswith(begins)
    assert hint.endswith("trino, tsql")


def test_a_mistake_of_ours_is_none_of_the_sql_to_tests_and_costs_users_a_statement_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(statements, "renamings", lambda *_: [None])
    with pytest.raises(AttributeError):
        columns("SELECT x FROM a", "postgres")
    monkeypatch.setattr(statements, "RAISES_OURS", False)
    script = columns("SELECT x FROM a; SELECT z FROM b", "postgres")
    assert [fault.line for fault in script.faults] == [1, 1]
