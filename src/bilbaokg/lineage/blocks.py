"""Statements within procedures and blocks, found by tokens before sqlglot parses them.

Between semicolons the first statement of a block comes with the words that begin the block, such as
CREATE PROCEDURE ... AS BEGIN or IF ... THEN. T-SQL needs no semicolons: there a statement begins
where one of its words begins a line.
"""

from __future__ import annotations

import re
from collections.abc import Set
from typing import Any, Final

from sqlglot.tokenizer_core import TokenType

__all__ = ["body", "changes", "nested", "opened", "split", "swallows"]

_CHANGING: Final = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "CREATE"})
_VERBS: Final = _CHANGING | {"SELECT", "WITH", "TRUNCATE", "DROP", "ALTER"}
_ROUTINES: Final = frozenset({"PROCEDURE", "PROC", "TRIGGER", "FUNCTION"})
_BLOCKS: Final = frozenset(
    {
        "BEGIN", "CATCH", "DO", "ELSE", "ELSEIF", "ELSIF", "END", "EXCEPTION", "FOR", "IF", "LOOP",
        "REPEAT", "THEN", "TRY", "WHEN", "WHILE",
    }
)  # fmt: skip
# After these a statement begins, within a block.
_OPENING: Final = frozenset(
    {"ATOMIC", "BEGIN", "CATCH", "DO", "ELSE", "LOOP", "REPEAT", "THEN", "TRY"}
)
# What T-SQL begins statements with, but for SELECT, WITH, SET and EXEC, which may go on with one.
_STARTING: Final = frozenset(
    {
        "ALTER", "BEGIN", "CLOSE", "COMMIT", "CREATE", "DEALLOCATE", "DECLARE", "DELETE", "DROP",
        "ELSE", "END", "FETCH", "IF", "INSERT", "MERGE", "OPEN", "PRINT", "RAISERROR", "RETURN",
        "ROLLBACK", "THROW", "TRUNCATE", "UPDATE", "USE", "WHILE",
    }
)  # fmt: skip
# Behind these a word goes on with a statement, whatever it may begin.
_GOING_ON: Final = frozenset(
    {
        ",", "(", "AFTER", "ALL", "EXCEPT", "FOR", "IN", "INDEX", "INTERSECT", "INTO", "OF", "ON",
        "PROC", "PROCEDURE", "TABLE", "UNION", "VIEW",
    }
)  # fmt: skip
_HEADER: Final = 6
_DEPTHS: Final = {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}
_TEXTS: Final = (TokenType.HEREDOC_STRING, TokenType.RAW_STRING)
_DO: Final = re.compile(r"\bDO(?=\s+(?:LANGUAGE\s+\w+\s+)?\$\w*\$)", re.IGNORECASE)
_ROWS: Final = re.compile(r"\bstdin\b[^;\n]*;[ \t\r]*$", re.IGNORECASE | re.MULTILINE)
_NO_MORE: Final = re.compile(r"^\\\.[ \t\r]*$", re.MULTILINE)
_SEEN: Final = re.compile(r"[^\n]")
_QUOTED: Final = (TokenType.STRING, TokenType.IDENTIFIER)
_LANGUAGES: Final = frozenset({"SQL", "PLPGSQL"})


def changes(tokens: list[Any]) -> bool:
    """Whether a statement in the text of a routine writes a table: there SELECT ... INTO gives
    values to variables."""
    words = [_word(token) for token in tokens] or [""]
    return words[0] in _CHANGING or (words[0] == "WITH" and not _CHANGING.isdisjoint(words))


def _is_routine(tokens: list[Any]) -> bool:
    """Whether they begin to define a procedure, a trigger or a function."""
    words = [_word(token) for token in tokens[:_HEADER]]
    return words[0] in ("CREATE", "ALTER", "REPLACE") and not _ROUTINES.isdisjoint(words)


def nested(tokens: list[Any]) -> Any | None:
    """The token with the text of a routine, where that is a text in SQL (PostgreSQL, Snowflake)."""
    run_at_once = tokens[0].token_type in _TEXTS or _word(tokens[0]) == "LANGUAGE"
    if not (run_at_once or _is_routine(tokens)):
        return None
    words = [_word(token) for token in tokens]
    if "LANGUAGE" in words[:-1]:
        language = tokens[words.index("LANGUAGE") + 1]
        if language.text.upper() not in _LANGUAGES:  # also as a text: LANGUAGE 'plpgsql'
            return None
    return next((token for token in tokens if token.token_type in _TEXTS), None)


def opened(sql: str) -> str:
    """A script of PostgreSQL without what the tokenizer cannot read: the word that hides the text
    of DO, and the rows of COPY ... FROM stdin, are blanked."""
    sql, found, begin = _DO.sub(lambda word: _blank(word[0]), sql), [], 0
    while (rows := _ROWS.search(sql, begin)) and (end := _NO_MORE.search(sql, rows.end())):
        found += [sql[begin : rows.end()], _blank(sql[rows.end() : end.end()])]
        begin = end.end()
    return "".join([*found, sql[begin:]])


def _blank(text: str) -> str:
    """As much of nothing, in as many lines."""
    return _SEEN.sub(" ", text)


def swallows(tokens: list[Any]) -> bool:
    """Whether what stands behind a word between statements is one text to the tokenizer."""
    return (
        len(tokens) == 2
        and _word(tokens[0]) in ("BEGIN", "END", "GO")
        and tokens[1].token_type is TokenType.STRING
    )


def body(tokens: list[Any]) -> list[Any]:
    """The tokens without the words of the block that stand before the statement; nothing where
    there are only those."""
    first = _word(tokens[0])
    routine = _is_routine(tokens)
    if not routine and first not in _BLOCKS:
        return tokens
    opening = _OPENING
    if routine and "FUNCTION" not in (_word(token) for token in tokens[:_HEADER]):
        opening = _OPENING | {"AS", "IS"}
    depth = 0
    for place, token in enumerate(tokens):
        depth += _DEPTHS.get(token.token_type, 0)
        if place == 0 or depth or _word(token) not in _VERBS:
            continue
        # The condition of IF and WHILE of T-SQL ends where the statement begins.
        if _word(tokens[place - 1]) in opening or first in ("IF", "WHILE"):
            return _unended(tokens[place:])
    return []


def _unended(tokens: list[Any]) -> list[Any]:
    """The tokens of a statement without the END of its block, which may follow at once."""
    words = [_word(token) for token in tokens]
    return (
        tokens[:-1] if words[-1] == "END" and words.count("END") > words.count("CASE") else tokens
    )


def split(tokens: list[Any]) -> list[list[Any]]:
    """The statements of T-SQL among tokens without semicolons."""
    found: list[list[Any]] = [[]]
    # The words behind the first of the statement that stand in no parentheses.
    said: set[str] = set()
    depth = cases = 0
    for place, token in enumerate(tokens):
        word, piece = _word(token), found[-1]
        depth += _DEPTHS.get(token.token_type, 0)
        if piece and not depth and not cases and _starts(tokens, place, _word(piece[0]), said):
            found.append([])
            said = set()
        elif piece and not depth:
            said.add(word)
        if word == "CASE" or (word == "END" and cases):
            cases += 1 if word == "CASE" else -1
        found[-1].append(token)
    return found


def _starts(tokens: list[Any], place: int, first: str, said: Set[str]) -> bool:
    """Whether a statement begins at a token; first: the word that begins the one before, said: what
    that went on with."""
    before, token = tokens[place - 1], tokens[place]
    if before.line == token.line or _word(before) in _GOING_ON:
        return False
    word = _word(token)
    if word in ("SELECT", "WITH", "EXEC", "EXECUTE"):
        following = tokens[place + 1] if place + 1 < len(tokens) else None
        if word == "WITH" and following and following.token_type is TokenType.L_PAREN:
            return False  # how a table is to be read
        whole = said & {"SELECT", "VALUES", "EXEC", "EXECUTE"}
        return _word(before) != "AS" and bool(whole or first not in ("INSERT", "WITH", "CREATE"))
    if word == "SET":
        return first not in ("UPDATE", "MERGE", "WITH") or "SET" in said
    if word in _CHANGING and (_word(before) == "THEN" or (first == "WITH" and not said & _VERBS)):
        return False
    return word in _STARTING


def _word(token: Any) -> str:
    """A token as a word of the language; "" for a text or a name in quotes."""
    return "" if token.token_type in _QUOTED else str(token.text).upper()
