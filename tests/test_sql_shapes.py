"""Columns through the rarer shapes of queries: PIVOT and UNPIVOT, columns called otherwise."""

from __future__ import annotations

import pytest

from bilbaokg.lineage.script import Script, TableName
from bilbaokg.lineage.sql import columns

COUNTS = {TableName("", "", "counts"): dict.fromkeys(("day", "hour", "site", "n"), "int")}
WIDE = {TableName("", "", "wide"): dict.fromkeys(("site", "jan", "feb"), "int")}


def edges(found: Script) -> set[tuple[str, str, str]]:
    assert found.faults == []
    [told] = found.statements
    return {(e.output, f"{e.table.name}.{e.column}", e.how[:4]) for e in told.edges}


PIVOTED = {("day", "counts.day", "IDEN"), ("a", "counts.n", "AGGR"), ("b", "counts.n", "AGGR")}


@pytest.mark.parametrize(
    "query",
    [
        "SELECT p.day, a, b FROM (SELECT day, site, n FROM counts) AS c"
        " PIVOT (sum(n) FOR site IN ('a', 'b')) AS p",
        "SELECT * FROM (SELECT day, site, n FROM counts) AS c"
        " PIVOT (sum(n) FOR site IN ('a', 'b')) AS p",
        "WITH c AS (SELECT day, site, n FROM counts)"
        " SELECT * FROM c PIVOT (sum(n) FOR site IN ('a', 'b'))",
        "SELECT day, a, b FROM counts PIVOT (sum(n) FOR site IN ('a', 'b'))",
        "SELECT x AS day, y AS a, z AS b FROM (SELECT day, site, n FROM counts) AS c"
        " PIVOT (sum(n) FOR site IN ('a', 'b')) AS p (x, y, z)",
    ],
)
def test_columns_of_a_pivot_come_from_what_it_sums(query: str) -> None:
    found = columns(f"CREATE TABLE t AS {query}", "duckdb", COUNTS)
    assert edges(found) == PIVOTED
    told = found.statements[0]
    assert [table.name for table in told.reads] == ["counts"]
    assert {(b.column, b.how) for b in told.indirect} == {("site", "GROUP_BY")}


def test_each_sum_of_a_pivot_has_columns_of_its_own() -> None:
    query = "SELECT * FROM counts PIVOT (sum(n) AS s, max(hour) AS h FOR site IN ('a', 'b'))"
    assert edges(columns(query, "bigquery", COUNTS)) == {
        ("day", "counts.day", "IDEN"),
        ("s_a", "counts.n", "AGGR"), ("s_b", "counts.n", "AGGR"),
        ("h_a", "counts.hour", "AGGR"), ("h_b", "counts.hour", "AGGR"),
    }  # fmt: skip


MONTHS = {
    ("n", "wide.jan", "TRAN"), ("n", "wide.feb", "TRAN"),
    ("month", "wide.jan", "COND"), ("month", "wide.feb", "COND"),
}  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM wide UNPIVOT (n FOR month IN (jan, feb))",
        "WITH w AS (SELECT * FROM wide) SELECT u.* FROM w UNPIVOT (n FOR month IN (jan, feb)) AS u",
        "SELECT u.site, u.n, u.month FROM (SELECT * FROM wide) AS w"
        " UNPIVOT (n FOR month IN (jan, feb)) AS u",
    ],
)
def test_an_unpivoted_column_comes_from_all_that_it_was_spread_over(query: str) -> None:
    assert edges(columns(query, "duckdb", WIDE)) == {("site", "wide.site", "IDEN"), *MONTHS}


def test_columns_that_are_unpivoted_in_pairs_stay_apart() -> None:
    halves = "(low, high) FOR half IN ((a, b) AS 'one', (c, d) AS 'two')"
    query = " ".join(["SELECT low, high FROM t UNPIVOT (", halves, ")"])
    assert edges(columns(query, "bigquery")) == {
        ("low", "t.a", "TRAN"), ("low", "t.c", "TRAN"),
        ("high", "t.b", "TRAN"), ("high", "t.d", "TRAN"),
    }  # fmt: skip


def test_what_is_pivoted_and_unpivoted_again_is_followed_through_both() -> None:
    query = (
        "SELECT n2, day FROM (SELECT day, site, n FROM counts)"
        " PIVOT (sum(n) FOR site IN ('a' AS a, 'b' AS b)) UNPIVOT (n2 FOR s IN (a, b))"
    )
    assert edges(columns(query, "duckdb", COUNTS)) == {
        ("n2", "counts.n", "AGGR"), ("day", "counts.day", "IDEN"),
    }  # fmt: skip


def test_a_star_of_a_pivot_over_an_unknown_table_has_the_columns_that_it_adds() -> None:
    query = "SELECT * FROM o PIVOT (sum(n) FOR site IN ('a', 'b')) AS p"
    found = columns(f"CREATE TABLE t AS {query}", "duckdb")
    assert edges(found) == {("a", "o.n", "AGGR"), ("b", "o.n", "AGGR")}
    assert not found.statements[0].is_whole
    found = columns(" ".join(["SELECT a, day, n FROM (", query, ") AS q"]), "duckdb")
    assert edges(found) == {("a", "o.n", "AGGR"), ("day", "o.day", "IDEN")}


# ---- columns that are called otherwise


@pytest.mark.parametrize(
    "query",
    [
        "WITH c AS (SELECT day, n FROM counts) SELECT d, m FROM c AS e (d, m)",
        "WITH c (p, q) AS (SELECT day, n FROM counts) SELECT e.* FROM c AS e (d, m)",
        "SELECT d, m FROM (SELECT day, n FROM counts) AS e (d, m)",
        "SELECT d, m FROM (SELECT * FROM (SELECT day, n FROM counts) AS x (y, z)) AS e (d, m)",
        "SELECT e.d, f.m FROM (SELECT day, n FROM counts) AS e (d, k)"
        " JOIN (SELECT day, n FROM counts) AS f (k, m) USING (k)",
    ],
)
def test_columns_that_an_alias_calls_otherwise_are_the_same(query: str) -> None:
    assert edges(columns(query, "postgres", COUNTS)) == {
        ("d", "counts.day", "IDEN"), ("m", "counts.n", "IDEN"),
    }  # fmt: skip


def test_a_known_table_with_other_names_for_its_columns_keeps_their_order() -> None:
    found = columns("SELECT d, h FROM counts AS c (d, h)", "postgres", COUNTS)
    assert edges(found) == {("d", "counts.day", "IDEN"), ("h", "counts.hour", "IDEN")}


def test_a_function_that_gives_several_columns_names_them() -> None:
    query = "SELECT s.a, s.b FROM (SELECT stack(2, day, n) AS (a, b) FROM counts) AS s"
    assert {each[:2] for each in edges(columns(query, "spark", COUNTS))} == {
        (out, f"counts.{column}") for out in "ab" for column in ("day", "n")
    }
    query = "SELECT y FROM (SELECT TRANSFORM (day, n) USING 'cat' AS (y STRING) FROM counts)"
    assert {each[:2] for each in edges(columns(query, "spark", COUNTS))} == {
        ("y", "counts.day"), ("y", "counts.n"),
    }  # fmt: skip


# ---- the query as a whole


@pytest.mark.parametrize(
    "query",
    [
        "(SELECT day FROM counts) LIMIT 1",
        "((SELECT day FROM counts) ORDER BY day)",
        "WITH c AS (SELECT day FROM counts) (SELECT day FROM c LIMIT 1) LIMIT 1",
        "(SELECT day FROM counts UNION SELECT day FROM counts)",
    ],
)
def test_a_query_in_parentheses_is_one(query: str) -> None:
    assert edges(columns(query, "postgres", COUNTS)) == {("day", "counts.day", "IDEN")}
    told = columns(f"CREATE VIEW v AS {query}", "postgres", COUNTS)
    assert edges(told) == {("day", "counts.day", "IDEN")}


def test_a_union_by_name_joins_columns_of_one_name() -> None:
    found = columns("SELECT day, n FROM p UNION ALL BY NAME SELECT n, x FROM q", "duckdb")
    assert edges(found) == {
        ("day", "p.day", "IDEN"), ("n", "p.n", "IDEN"), ("n", "q.n", "IDEN"), ("x", "q.x", "IDEN"),
    }  # fmt: skip


def test_words_that_give_a_value_are_no_missing_columns() -> None:
    query = (
        "WITH c AS (SELECT day, n FROM counts), d AS (SELECT day FROM c)"
        " SELECT c.n, level, sysdate FROM c, d START WITH c.n = 1 CONNECT BY PRIOR c.n = d.day"
    )
    assert ("N", "COUNTS.N", "IDEN") in edges(columns(query, "oracle"))


@pytest.mark.parametrize("of", ["", "m."])
def test_what_a_pattern_of_rows_measures_is_made_of_the_table(of: str) -> None:
    query = (
        "SELECT {0}site, {0}top FROM counts MATCH_RECOGNIZE (PARTITION BY site ORDER BY day"
        " MEASURES last(up.n) AS top ONE ROW PER MATCH PATTERN (low up+)"
        " DEFINE up AS n > lag(n)) AS m"
    )
    told = {each[:2] for each in edges(columns(query.format(of), "oracle"))}
    assert told == {("SITE", "COUNTS.SITE"), ("TOP", "COUNTS.N")}
