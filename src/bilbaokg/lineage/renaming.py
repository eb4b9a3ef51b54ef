"""New names that statements give to tables and columns.

ALTER says them in words that sqlglot knows; RENAME TABLE is only a command to it, and T-SQL calls a
procedure with the names as texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokenizer_core import TokenType

__all__ = ["Renaming", "renamings"]

_PARAMETERS: Final = ("objname", "newname", "objtype")
_TABLES: Final = ("", "OBJECT")


@dataclass(slots=True)
class Renaming:
    """A table under its old name, its new one where it has one, its columns under old and new."""

    table: exp.Table
    to: exp.Table | None = None
    columns: list[tuple[exp.Identifier, exp.Identifier]] = field(default_factory=list)


def renamings(statement: exp.Expr, dialect: Dialect) -> list[Renaming]:
    """What a statement calls otherwise, in its order, as it is written. Raises ParseError."""
    if isinstance(statement, exp.Alter) and isinstance(statement.this, exp.Table):
        found = _of_alter(statement)
        if not all(isinstance(name, exp.Identifier) for pair in found.columns for name in pair):
            raise ParseError("RENAME of what is no name")
        if found.to and not isinstance(found.to.this, exp.Identifier):
            raise ParseError("RENAME to what is no name")
        return [found] if found.to or found.columns else []
    is_command = isinstance(statement, exp.Command) and str(statement.this).upper() == "RENAME"
    if is_command and not isinstance(statement.expression, exp.Expr):
        raise ParseError("RENAME without names")
    try:
        if isinstance(statement, exp.Execute):
            return list(_of_procedure(statement, dialect))
        if is_command:
            return list(_of_command(str(statement.expression.name), dialect))
    except SqlglotError:
        # What stands where a name should be is none.
        pass
    return []


def _of_alter(statement: exp.Alter) -> Renaming:
    found = Renaming(statement.this)
    for action in statement.args.get("actions") or ():
        if isinstance(action, exp.RenameColumn):
            found.columns.append((_identifier(action.this), _identifier(action.args["to"])))
        elif isinstance(action, exp.ModifyColumn) and action.args.get("rename_from"):
            found.columns.append((action.args["rename_from"], action.this.this))
        elif isinstance(action, exp.AlterColumn) and action.args.get("rename_to"):
            found.columns.append((_identifier(action.this), action.args["rename_to"]))
        elif isinstance(action, exp.AlterRename) and isinstance(action.this, exp.Table):
            # RENAME a TO b means a column; sqlglot reads a as the new name of the table.
            if (to := _option(statement)) is not None:
                found.columns.append((action.this.this, to))
            else:
                found.to = _completed(action.this, statement.this)
    return found


def _option(statement: exp.Alter) -> exp.Identifier | None:
    for option in statement.args.get("options") or ():
        if isinstance(option, exp.ToTableProperty) and isinstance(option.this, exp.Table):
            return _identifier(option.this)
    return None


def _identifier(named: Any) -> exp.Identifier:
    """That of a column or a table, which may stand alone."""
    return named if isinstance(named, exp.Identifier) else named.this


def _completed(new: exp.Table, old: exp.Table) -> exp.Table:
    """A new name; what it does not say is as it was."""
    found = new.copy()
    if not found.args.get("db"):
        for part in ("db", "catalog"):
            found.set(part, old.args.get(part))
    return found


def _of_command(text: str, dialect: Dialect) -> Iterator[Renaming]:
    """RENAME [TABLE] a TO b, c TO d."""
    tokens = dialect.tokenize(text)
    if tokens and tokens[0].token_type is TokenType.TABLE:
        tokens = tokens[1:]
    part: list[Any] = []
    for token in [*tokens, None]:
        if token is not None and token.token_type is not TokenType.COMMA:
            part.append(token)
            continue
        # A quoted name begins and ends with its marks, so that its text is shorter than it is.
        at = [n for n, t in enumerate(part) if t.text.upper() == "TO" and t.end - t.start == 1]
        if len(at) == 1 and 0 < at[0] < len(part) - 1:
            sides = part[: at[0]], part[at[0] + 1 :]
            old, new = (_table(text[s[0].start : s[-1].end + 1], dialect) for s in sides)
            if old is not None and new is not None:
                yield Renaming(old, _completed(new, old))
        part = []


def _of_procedure(statement: exp.Execute, dialect: Dialect) -> Iterator[Renaming]:
    """EXEC sp_rename 'schema.table', 'new', or 'schema.table.column', 'new', 'COLUMN'."""
    called = statement.this
    if not isinstance(called, exp.Table) or called.name.lower() != "sp_rename":
        return
    given = dict(zip(_PARAMETERS, map(_text, statement.expressions), strict=False))
    given |= {
        each.this.name.lower(): _text(each.expression)
        for each in statement.expressions
        if isinstance(each, exp.EQ)
    }
    path = _table(given.get("objname", ""), dialect)
    new = exp.to_identifier(given.get("newname", ""), quoted=True)
    kind = given.get("objtype", "").upper()
    if path is None or not new.name:
        return
    # The new name is no more than a name: dots in it are a part of it.
    if kind in _TABLES:
        yield Renaming(path, _completed(exp.Table(this=new), path))
    elif kind == "COLUMN":
        [*names, column] = [part for part in path.parts if isinstance(part, exp.Identifier)]
        if names:
            told = zip(("this", "db", "catalog"), (n.copy() for n in names[::-1]), strict=False)
            yield Renaming(exp.Table(**dict(told)), columns=[(column, new)])


def _text(said: exp.Expr) -> str:
    """A text that is given; "" for a variable, whose value nobody knows."""
    return str(said.name) if isinstance(said, exp.Literal | exp.National) else ""


def _table(text: str, dialect: Dialect) -> exp.Table | None:
    """The name of a table; None for what is more or less than that. Raises SqlglotError."""
    found = exp.maybe_parse(text, into=exp.Table, dialect=dialect) if text.strip() else None
    if not isinstance(found, exp.Table) or not isinstance(found.this, exp.Identifier):
        return None
    return None if found.alias else found
