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
    return {view: each for (view, _), each in chart(names, rows, values).items()}


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
        tuple((f'"{n}"', number(n)) for n in range(60)),
    ],
    ids=[
        "nothing", "no number", "no name", "one row", "unbound", "not a number", "ill-typed",
        "all zero", "too many",
    ],
)  # fmt: skip
def test_what_needs_a_guess_is_not_drawn(rows: tuple[Row, ...]) -> None:
    assert drawn(*rows) == {}


@pytest.mark.parametrize("other", ["2026-01-01", "soon", "0000-00-00"])
def test_days_that_come_twice_or_are_none_make_no_line(other: str) -> None:
    found = drawn((day("2026-01-01"), number(1)), (day(other), number(2)))
    assert "time" not in found


def test_each_column_of_numbers_can_be_drawn() -> None:
    rows = [('"x"', number(5), number(1)), ('"y"', number(10), number(-1))]
    values = [[Value(Text(plain(t), "")) for t in row] for row in rows]
    assert list(chart(["a", "b", "c"], rows, values)) == [("bars", "b")]
    rows = [('"x"', number(5), number(1)), ('"y"', number(10), number(2))]
    assert list(chart(["a", "b", "c"], rows, values)) == [("bars", "b"), ("bars", "c")]


def test_row_is_named_by_two_columns_and_a_thing_beside_its_title_once() -> None:
    def told(*rows: Row) -> tuple[list[list[str]], str]:
        found = drawn(*rows)["bars"]
        return [[name.text.text for name in bar.names] for bar in found.bars], found.names

    both = told(('"k"', '"x"', number(1)), ('"y"', None, number(2)))
    assert both == ([["k", "x"], ["y"]], "a, b")
    once = told(('"x"', '"x"@es', number(1)), ('"y"', '"y"@es', number(2)))
    assert once == ([["x"], ["y"]], "a")


def test_things_with_days_are_marks_from_the_first_to_the_last() -> None:
    found = drawn(
        ('"x"', day("2026-01-11")), ('"y"', day("2026-01-01")), ('"z"', day("2026-01-06"))
    )  # fmt: skip
    assert list(found) == ["timeline"]
    marks = found["timeline"].marks
    assert [(m.names[0].text.text, m.place) for m in marks] == [("y", 0), ("z", 50), ("x", 100)]
    assert [m.place for m in drawn(*[('"x"', day("2026-01-01"))] * 2)["timeline"].marks] == [0, 0]
