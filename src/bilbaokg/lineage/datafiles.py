"""Files, folders and stages that SQL reads and writes as if they were tables.

A file is a table called by its address, `s3://bucket/key` or `file:/path`; a stage of Snowflake is
called `@STAGE/path` within its schema. Where dialects write them otherwise (as texts, behind the
name of a format, within a function) they are put in that form before a statement is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from sqlglot import exp

from bilbaokg.lineage.script import TableName

__all__ = ["file_table", "is_outside", "is_suspect", "with_files", "without_words"]

# Without one of these in its text a statement names no file.
_SUSPECT: Final = re.compile(
    r"[@/\\]|\b(?:read_\w+|\w+_scan|openrowset|s3|url|file)\s*\(|\.\w{2,7}['\"]", re.IGNORECASE
)
_ENDINGS: Final = re.compile(
    r"\.(?:csv|tsv|txt|parquet|json|jsonl|ndjson|xlsx|orc|avro|arrow)(?:\.(?:gz|zst|bz2|snappy))?$",
    re.IGNORECASE,
)
_FORMATS: Final = frozenset(
    {"avro", "binaryfile", "csv", "delta", "iceberg", "json", "orc", "parquet", "text"}
)
_READING: Final = re.compile(
    r"(?:read_\w+|(?:parquet|delta|iceberg|arrow)_scan|st_read|openrowset|url|file|hdfs|gcs"
    r"|(?:s3|deltalake|iceberg)(?:cluster)?)",
    re.IGNORECASE,
)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]+:(?=/)", re.IGNORECASE)
# What an address may hold beside a place: who reads it, with a password, and signatures.
_SECRETS: Final = re.compile(r"(?<=//)[^/@]*:[^/@]*@|\?[^?]*=.*", re.DOTALL)
# Names of one storage that clients choose between.
_SAME: Final = {"s3a": "s3", "s3n": "s3", "gcs": "gs"}
_DEPTHS: Final = {"(": 1, ")": -1}
_STAGE: Final = re.compile(r"@([^/]*)(.*)", re.DOTALL)


def is_suspect(sql: str) -> bool:
    """Whether there may be files among the tables of a statement."""
    return _SUSPECT.search(sql) is not None


def file_table(text: str) -> exp.Table | None:
    """The table that stands for a file at an address or path, or for a stage; None for no text."""
    text = text.strip()
    if not text:
        return None
    if text.startswith("@"):
        return _stage(text)
    scheme = _SCHEME.match(text)
    if scheme is None:
        return _called(f"file:{text.rstrip('/') or text}")
    name, rest = text[: scheme.end() - 1].lower(), _SECRETS.sub("", text[scheme.end() :])
    if name == "file":
        rest = "/" + rest.lstrip("/")
    return _called(f"{_SAME.get(name, name)}:{rest.rstrip('/')}")


def is_outside(table: exp.Table) -> bool:
    """Whether a table stands for a file or a stage."""
    return table.name.startswith("@") or TableName("", "", table.name).is_file


def _called(name: str) -> exp.Table:
    return exp.Table(this=_exactly(name))


def _exactly(name: str) -> exp.Identifier:
    """A name whose case counts, whatever the dialect makes of others."""
    found = exp.to_identifier(name, quoted=True)
    found.meta["case_sensitive"] = True
    return found


def _stage(text: str) -> exp.Table | None:
    """@catalog.schema.stage/path: the case of the path counts, that of the names does not."""
    found = _STAGE.fullmatch(text.rstrip("/"))
    if found is None or not found[1]:
        return None
    *before, name = found[1].split(".")
    parts = [part.strip('"') if part.startswith('"') else part.upper() for part in (*before, name)]
    ids = [_exactly(part) for part in parts[:-1]]
    this = _exactly(f"@{parts[-1]}{found[2]}")
    return exp.Table(this=this, db=ids[-1] if ids else None, catalog=ids[0] if ids[1:] else None)


def with_files(statement: exp.Expr, dialect: str) -> None:
    """Put the files among the tables of a statement in the form of tables called so."""
    stages = False
    if isinstance(statement, exp.Insert) and isinstance(statement.this, exp.Anonymous):
        statement.set("this", exp.Table(this=statement.this))
    for table in list(statement.find_all(exp.Table)):
        texts = list(_texts(table, dialect))
        found = [each for each in map(file_table, texts) if each is not None]
        if not found:
            continue
        stages = stages or texts[0].startswith("@")
        if len(found) == 1:
            for part in ("this", "db", "catalog"):
                table.set(part, found[0].args.get(part))
        else:
            table.replace(_together(found, table))
    if stages:
        _name_positions(statement)


def _texts(table: exp.Table, dialect: str) -> Iterator[str]:
    """The paths that a table stands for; nothing where it is one of the database."""
    this = table.this
    if isinstance(this, exp.Literal):
        yield this.name
    elif isinstance(this, exp.Var):
        yield from [this.name] if this.name.startswith("@") else ()
    elif isinstance(this, exp.Identifier):
        if this.quoted and _is_path(this.name, table, dialect):
            yield this.name
    elif isinstance(this, exp.ReadCSV | exp.ReadParquet) or (
        isinstance(this, exp.Anonymous) and _READING.fullmatch(this.name)
    ):
        yield from _given(this)


def _is_path(name: str, table: exp.Table, dialect: str) -> bool:
    if table.db:
        return not table.catalog and table.db.lower() in _FORMATS and ("/" in name or "." in name)
    in_place = dialect == "duckdb" and _ENDINGS.search(name) is not None
    return in_place or _SCHEME.match(name) is not None or name.startswith("@")


def _given(function: exp.Func) -> Iterator[str]:
    """The paths among what is given to a function: a text or a list of them."""
    for each in (*([function.this] if isinstance(function.this, exp.Expr) else ()),
                 *function.expressions):  # fmt: skip
        texts = each.expressions if isinstance(each, exp.Array) else [each]
        found = [text.name for text in texts if isinstance(text, exp.Literal) and text.is_string]
        if any(_SCHEME.match(text) or "." in text or "/" in text for text in found):
            yield from found
            return


def _together(files: list[exp.Table], table: exp.Table) -> exp.Subquery:
    """Several files that are read as one table."""
    query: Any = exp.select("*").from_(files[0])
    for file in files[1:]:
        query = exp.union(query, exp.select("*").from_(file), distinct=False)
    found = exp.Subquery(this=query)
    for part in ("alias", "joins", "pivots"):
        found.set(part, table.args.get(part))
    return found


def _name_positions(statement: exp.Expr) -> None:
    """Call the columns of a staged file, which have only positions, `$1` and so on."""
    for given in list(statement.find_all(exp.Parameter)):
        if isinstance(given.this, exp.Literal) and not given.this.is_string:
            name = exp.to_identifier(f"${given.this.name}", quoted=True)
            in_column = isinstance(given.parent, exp.Column)
            given.replace(name if in_column else exp.Column(this=name))


def without_words(tokens: list[Any]) -> list[Any]:
    """The tokens without those that only say how a file is laid out and that sqlglot refuses:
    DIRECTORY 'path' USING format OPTIONS (...), OPENROWSET(BULK 'path')."""
    words = [token.text.upper() for token in tokens]
    if "OPENROWSET" in words:
        drop = {n for n, word in enumerate(words) if word == "BULK" and words[n - 1] == "("}
        for begin in (n for n, word in enumerate(words) if word == "OPENROWSET"):
            end = _closed(words, begin + 1) + 1
            if words[end : end + 2] == ["WITH", "("]:
                drop.update(range(end, _closed(words, end + 1) + 1))
        return [token for n, token in enumerate(tokens) if n not in drop]
    if words[0] == "INSERT" and "DIRECTORY" in words[:4] and "USING" in words[:6]:
        begin = words.index("USING")
        end = begin + 2
        if words[end : end + 1] == ["OPTIONS"]:
            end = _closed(words, end + 1) + 1
        return [*tokens[:begin], *tokens[end:]]
    return tokens


def _closed(words: list[str], begin: int) -> int:
    """Where the parenthesis is closed that is opened at a place."""
    depth = 0
    for place in range(begin, len(words)):
        depth += _DEPTHS.get(words[place], 0)
        if not depth:
            return place
    return len(words)
