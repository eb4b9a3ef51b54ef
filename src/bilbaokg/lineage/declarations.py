"""The comments of statements on tables and columns.

They stand in COMMENT ON, or in the words of CREATE and ALTER.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from sqlglot import exp

from bilbaokg.lineage.plan import properties_of

__all__ = ["Comments", "comments", "with_sums", "without_null"]

_ADDING: Final = frozenset("+-*/%&|^")
_COMMENTED: Final = ("TABLE", "VIEW", "MATERIALIZED VIEW")


@dataclass(slots=True)
class Comments:
    """What is said of a table, None where nothing is, and of its columns; "" takes it back."""

    table: exp.Table
    text: str | None = None
    columns: dict[str, str] = field(default_factory=dict)


def comments(statement: exp.Expr) -> Comments | None:
    """The comments of a statement whose identifiers are normalised; None where it has none."""
    found = None
    if isinstance(statement, exp.Comment):
        found = _of_comment(statement)
    elif isinstance(statement, exp.Create | exp.Alter):
        found = _of_definition(statement)
    return found if found and (found.text is not None or found.columns) else None


def _of_comment(statement: exp.Comment) -> Comments | None:
    kind, on, text = statement.args.get("kind"), statement.this, _text(statement.expression)
    if kind == "COLUMN" and isinstance(on, exp.Column) and on.table:
        parts = (on.args.get(part) for part in ("table", "db", "catalog"))
        names = [part.copy() if part is not None else None for part in parts]
        table = exp.Table(this=names[0], db=names[1], catalog=names[2])
        return Comments(table, columns={on.name: text})
    return Comments(on, text) if kind in _COMMENTED and isinstance(on, exp.Table) else None


def _of_definition(statement: exp.Create | exp.Alter) -> Comments | None:
    defined: Any = statement.this
    table = defined.this if isinstance(defined, exp.Schema) else defined
    if not isinstance(table, exp.Table):
        return None
    found = Comments(table)
    for said in (*properties_of(statement), *(statement.args.get("options") or ())):
        if isinstance(said, exp.SchemaCommentProperty):
            found.text = _text(said.this)
    columns = defined.expressions if isinstance(defined, exp.Schema) else ()
    for column in (*columns, *(statement.args.get("actions") or ())):
        for said in column.args.get("constraints") or ():
            if isinstance(said.args.get("kind"), exp.CommentColumnConstraint):
                found.columns[column.name] = _text(said.args["kind"].this)
    return found


def _text(said: Any) -> str:
    return str(said.name).strip() if isinstance(said, exp.Expr) else ""


def with_sums(tokens: list[Any]) -> list[Any]:
    """The tokens of SET a += b (T-SQL) as those of SET a = a + b."""
    words = [token.text for token in tokens]
    places = [n for n in range(1, len(words) - 1) if words[n] in _ADDING and words[n + 1] == "="]
    for place in reversed(places):
        begin = place - 1
        while begin > 1 and words[begin - 1] == ".":
            begin -= 2
        column, operator, equals = tokens[begin:place], tokens[place], tokens[place + 1]
        tokens = [*tokens[:place], equals, *column, operator, *tokens[place + 2 :]]
    return tokens


def without_null(chunk: list[Any]) -> list[Any]:
    """The tokens of COMMENT ON ... IS NULL with an empty text in place of NULL, as sqlglot wants
    it."""
    last, kinds = chunk[-1], type(chunk[-1].token_type)
    if chunk[0].token_type is not kinds.COMMENT or last.token_type is not kinds.NULL:
        return chunk
    text = type(last)(kinds.STRING, "", last.line, last.col, last.start, last.end)
    return [*chunk[:-1], text]
