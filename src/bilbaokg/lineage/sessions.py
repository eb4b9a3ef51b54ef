"""Where a script says that tables are whose names say less: USE, SET search_path and the like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

__all__ = ["place"]

_SCHEMAS: Final = frozenset({"SEARCH_PATH", "CURRENT_SCHEMA"})
# In these USE x names what stands before the schema; each with the schema that is then meant.
_CATALOGS: Final = {"snowflake": "PUBLIC", "tsql": "dbo", "fabric": "dbo", "redshift": "public"}
_NAMES: Final = (TokenType.VAR, TokenType.IDENTIFIER, TokenType.STRING)

Place = tuple[exp.Identifier | None, exp.Identifier | None]
"""A catalog and a schema, None for what stays as it is."""


def place(statement: exp.Expr, tokens: Sequence[Any], dialect: str) -> Place | None:
    """The catalog and schema that a statement and its tokens set; None for one that sets none."""
    if isinstance(statement, exp.Use):
        return _used(statement, dialect)
    if isinstance(statement, exp.Set | exp.Command):
        return _set([str(token.text) for token in tokens[:8]], tokens)
    return None


def _used(statement: exp.Use, dialect: str) -> Place | None:
    table = statement.this
    kind = statement.args.get("kind")
    word = kind.name.upper() if isinstance(kind, exp.Expr) else ""
    if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
        return None
    if isinstance(before := table.args.get("db"), exp.Identifier):
        return before, table.this
    if word == "CATALOG" or (word in ("", "DATABASE") and dialect in _CATALOGS):
        schema = _CATALOGS.get(dialect)
        return table.this, exp.to_identifier(schema, quoted=True) if schema else None
    return (None, table.this) if word in ("", "DATABASE", "SCHEMA", "NAMESPACE") else None


def _set(words: list[str], tokens: Sequence[Any]) -> Place | None:
    """SET search_path TO a, b; ALTER SESSION SET CURRENT_SCHEMA = a: the first of them."""
    upper = [word.upper() for word in words]
    at = next((n for n, word in enumerate(upper) if word in _SCHEMAS), 0)
    if not at or upper[0] not in ("SET", "ALTER") or upper[at + 1 : at + 2] not in (["TO"], ["="]):
        return None
    for token in tokens[at + 2 :]:
        if token.token_type in _NAMES and "$" not in token.text and token.text:
            quoted = token.token_type is not TokenType.VAR
            return None, exp.to_identifier(token.text, quoted=quoted)
    return None
