"""Statements that carry rows between tables and files, or from table to table, as a whole.

COPY, LOAD DATA and EXPORT are known to sqlglot; UNLOAD, BULK INSERT, LOAD DATA INFILE of MySQL and
the exchange of partitions it takes for texts or refuses, so they are made of their tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.tokenizer_core import TokenType

from bilbaokg.lineage.datafiles import file_table

__all__ = ["made_of_tokens", "paths"]

_FIRST: Final = frozenset({"ALTER", "BULK", "LOAD", "REPLACE", "UNLOAD"})
# What may stand behind the name of a table.
_AFTER: Final = ("PARTITION", "CHARACTER", "FIELDS", "COLUMNS", "LINES", "IGNORE", "SET", "(")
_AFTER_EXCHANGED: Final = ("INCLUDING", "EXCLUDING", "WITH", "WITHOUT", "UPDATE")
_OPTIONS: Final = ("uri", "uris", "path")


def made_of_tokens(tokens: Sequence[Any], sql: str, dialect: Dialect) -> exp.Expr | None:
    """The statement of some tokens of a text, where it is one that sqlglot does not read. Raises
    SqlglotError."""
    if _word(tokens[0]) not in _FIRST or len(tokens) == 1:
        return None
    words = [_word(token) for token in tokens]

    def table(begin: int, *ends: str) -> exp.Table | None:
        """The one whose name begins at a token and goes on to one of some words."""
        end = next((n for n in range(begin, len(words)) if words[n] in ends), len(words))
        if end == begin:
            return None
        text = sql[tokens[begin].start : tokens[end - 1].end + 1]
        return exp.maybe_parse(text, into=exp.Table, dialect=dialect)

    def text(begin: int) -> str:
        is_text = begin < len(tokens) and tokens[begin].token_type is TokenType.STRING
        return str(tokens[begin].text) if is_text else ""

    if words[0] == "REPLACE" and tokens[1].text[:4].upper() == "INTO":
        # The tokenizer of MySQL takes all behind the word for one text.
        text_ = f"INSERT {tokens[1].text}"
        return dialect.parse(text_)[0] if tokens[1].token_type is TokenType.STRING else None
    if words[0] == "UNLOAD":
        if tokens[1].token_type is not TokenType.STRING:
            return _unload(tokens[1:], sql, dialect)
        # Of some dialects the tokenizer takes all behind the word for one text.
        return _unload(dialect.tokenize(tokens[1].text), tokens[1].text, dialect)
    if words[:2] == ["BULK", "INSERT"] and "FROM" in words:
        path = text(words.index("FROM") + 1)
        return _loaded(table(2, "FROM"), path)
    if words[0] == "LOAD" and "INFILE" in words and "TABLE" in words:
        path = text(words.index("INFILE") + 1)
        begin = words.index("TABLE") + 1
        return _loaded(table(begin, *_AFTER), path)
    if "PARTITION" in words and "EXCHANGE" in words and "WITH" in words:
        begin = words.index("WITH") + 1
        begin += words[begin : begin + 1] == ["TABLE"]
        return _moved(table(begin, *_AFTER_EXCHANGED), table(_named(words), "EXCHANGE"))
    if "SWITCH" in words and "TO" in words:
        to = table(words.index("TO") + 1, "PARTITION", "WITH")
        return _moved(table(_named(words), "SWITCH"), to)
    return None


def _named(words: list[str]) -> int:
    """Where the table of ALTER TABLE stands."""
    return 4 if words[2:4] == ["IF", "EXISTS"] else 2


def _loaded(table: exp.Table | None, path: str) -> exp.Expr | None:
    if table is None or not path:
        return None
    return exp.LoadData(this=table, inpath=exp.Literal.string(path))


def _moved(source: exp.Table | None, target: exp.Table | None) -> exp.Expr | None:
    """Rows of a table that become those of another."""
    if source is None or target is None:
        return None
    return exp.Insert(this=target, expression=exp.select("*").from_(source))


def _unload(tokens: Sequence[Any], sql: str, dialect: Dialect) -> exp.Expr | None:
    """What stands behind UNLOAD: ('query' or query) TO 'address'."""
    ends = [
        n for n in range(2, len(tokens) - 2)
        if tokens[n].token_type is TokenType.R_PAREN and _word(tokens[n + 1]) == "TO"
        and tokens[n + 2].token_type is TokenType.STRING
    ]  # fmt: skip
    if not ends:
        return None
    held = tokens[1 : ends[-1]]
    is_text = len(held) == 1 and held[0].token_type is TokenType.STRING
    text = held[0].text if is_text else sql[held[0].start : held[-1].end + 1]
    query = exp.maybe_parse(text, dialect=dialect)
    address = exp.Literal.string(tokens[ends[-1] + 2].text)
    if not isinstance(query, exp.Query):
        return None
    return exp.Copy(this=exp.Subquery(this=query), kind=False, files=[address])


def _word(token: Any) -> str:
    quoted = token.token_type in (TokenType.STRING, TokenType.IDENTIFIER)
    return "" if quoted else str(token.text).upper()


def paths(told: Any) -> list[exp.Table]:
    """The files of options or properties: LOCATION 'path', OPTIONS (path 'path'), uris = [...]."""
    found = []
    for each in told.expressions if isinstance(told, exp.Expr) else ():
        if isinstance(each, exp.LocationProperty):
            found.append(each.this)
        elif isinstance(each, exp.OptionsProperty):
            found += paths(each)
        elif isinstance(each, exp.Property) and each.name.lower() in _OPTIONS:
            value = each.args.get("value")
            found += value.expressions if isinstance(value, exp.Array) else [value]
    named = (each if isinstance(each, exp.Table) else _file(each) for each in found)
    return [table for table in named if table is not None]


def _file(text: Any) -> exp.Table | None:
    return file_table(text.name) if isinstance(text, exp.Literal | exp.Var) else None
