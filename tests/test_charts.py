"""What can be drawn of an answer, and how."""

from __future__ import annotations

import pytest

from bilbaokg.index import Text
from bilbaokg.server.charts import chart
from bilbaokg.server.views import Chart, Value
from bilbaokg.terms import XSD, literal, plain

Row = tuple[str | None, ...]


def number(value: object, kind: str = "integer") -> str:
    return literal(str(value), datatype=XSD + kind)


def day(text: str, kind: str = "date") -> str:
    return literal(text, datatype=XSD + kind)


def drawn(*rows: Row) -> dict[str, Chart]:
    names = ["a", "b", "c"][: len(rows[0])] if rows else []
    values = [[Value(Text(plain(t), ""), term=t) if t else None for t in row] for row in rows]
    return chart(names, rows, values)


def test_a_name_and_a_number_are_bars_as_long_as_their_share_of_the_longest() -> None:
    found = drawn(('"x"', number(5)), ('"y"', number(10)), ('"z"', number("2.5", "decimal")))
    assert list(found) == ["bars"]
    assert [bar.length for bar in found["bars"].bars] == [50, 100, 25]
    assert (found["bars"].names, found["bars"].figures) == ("a", "b")


def test_days_and_numbers_are_a_line_in_the_order_of_time() -> None:
    found = drawn((day("2026-03-01"), number(4)), (day("2026-01-01"), number(8)))
    points = found["time"].points
    assert [p.name.text.text for p in points] == ["2026-01-01", "2026-03-01"]
    assert points[0].x < points[1].x
    assert points[0].y < points[1].y  # the larger one stands higher
    assert [tick for _, tick in found["time"].ticks] == [0, 2, 4, 6, 8]
    assert found["time"].line.count(",") == 2


@pytest.mark.parametrize(
    ("early", "late"),
    [("2024", "2026"), ("2024-02", "2024-03")],
)
def test_years_and_months_are_times_too(early: str, late: str) -> None:
    kind = "gYear" if len(early) == 4 else "gYearMonth"
    assert "time" in drawn((day(late, kind), number(1)), (day(early, kind), number(2)))


def test_negative_numbers_have_a_line_and_no_bars() -> None:
    found = drawn((day("2026-01-01"), number(-4)), (day("2026-02-01"), number(4)))
    assert list(found) == ["time"]
    assert found["time"].ticks[0][1] == -4


@pytest.mark.parametrize(
    "rows",
    [
        (),
        (('"x"', '"y"'), ('"x"', '"z"')),
        ((number(1), number(2)), (number(3), number(4))),
        (('"x"', number(1)),),
        (('"x"', None), ('"y"', number(2))),
        (('"x"', number("NaN", "double")), ('"y"', number(2))),
        (('"x"', number("many")), ('"y"', number(2))),
        (('"x"', number(0)), ('"y"', number(0))),
        (('"x"', '"k"', number(1)), ('"y"', '"l"', number(2))),
        tuple((f'"{n}"', number(n)) for n in range(60)),
    ],
    ids=[
        "nothing", "no number", "no name", "one row", "unbound", "not a number", "ill-typed",
        "all zero", "two names", "too many",
    ],
)  # fmt: skip
def test_what_needs_a_guess_is_not_drawn(rows: tuple[Row, ...]) -> None:
    assert drawn(*rows) == {}


@pytest.mark.parametrize("other", ["2026-01-01", "soon", "0000-00-00"])
def test_days_that_come_twice_or_are_none_make_no_line(other: str) -> None:
    found = drawn((day("2026-01-01"), number(1)), (day(other), number(2)))
    assert "time" not in found
