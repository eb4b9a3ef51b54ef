"""Saved queries: `queries/**/*.rq`, each with a header that says what it is for.

The header is made of the comments at the top of the file:

    # title@es: Conjuntos de datos de un tema
    # description@es: Los que llevan el tema pedido, los más recientes primero.
    # param theme: iri
    # param since: date optional
    # param limit: integer = 100

A parameter is written as a variable in the text (`?theme`), and `bind` puts a serialised term in
its place wherever the variable stands as a token: never inside strings, IRIs or comments. An
optional parameter without a value stays a variable. (Oxigraph's `substitutions=` only reaches
variables that the query projects, so it cannot carry parameters.)
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

from bilbaokg import assets
from bilbaokg.errors import BadInput, BilbaokgError, NotFound, TooLarge
from bilbaokg.model import Query
from bilbaokg.terms import XSD, is_iri, literal, ref

__all__ = [
    "EXAMPLES",
    "LIMIT",
    "OWN",
    "TYPES",
    "Header",
    "Param",
    "available",
    "bind",
    "body",
    "bound",
    "expected",
    "find",
    "header",
    "load",
    "parse",
    "read",
    "saved",
]

LIMIT: Final = 1 << 20
"""The most bytes that a query may have."""

EXAMPLES: Final = "examples"
"""The folder of the queries for people."""

OWN: Final = "queries"
"""The folder of a city's own, below its data directory."""

# Texts that were read stay read: the same ones are asked for again and again.
_PARSED: Final = 200
_SIMPLE: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_NAME: Final = re.compile(rf"{_SIMPLE.pattern}(?:/{_SIMPLE.pattern})*")
_FIELD: Final = re.compile(r"#\s*(title|description)@([a-z-]+):\s*(.+)")
_PARAM: Final = re.compile(
    r"#\s*param\s+([a-z][a-z0-9_]*):\s*([a-z]+)(\s+optional)?(?:\s*=\s*(.*\S))?\s*"
)
_LABEL: Final = re.compile(r"#\s*label\s+([a-z][a-z0-9_]*)@([a-z-]+):\s*(.+)")
_FORM: Final = re.compile(r"\b(SELECT|CONSTRUCT|ASK|DESCRIBE)\b", re.IGNORECASE)
# Comments, IRIs and strings are tokens, so what looks like a variable inside them stays.
_TOKEN: Final = re.compile(
    r"#[^\n]*"
    r"|<[^<>\"{}|^`\\\x00-\x20]*>"
    r'|"""(?:[^\\]|\\.)*?"""' + r"|'''(?:[^\\]|\\.)*?'''"
    r'|"(?:[^"\\\n\r]|\\.)*"' + r"|'(?:[^'\\\n\r]|\\.)*'"
    r"|[?$](?P<variable>\w+)",
    re.DOTALL,
)
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter: its type (of TYPES), whether it may be missing, its default as text."""

    type: str
    optional: bool = False
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """What a query file says of itself; titles and descriptions by language.

    `labels` are what people call its parameters: name -> language -> text.
    """

    title: dict[str, str] = field(default_factory=dict)
    description: dict[str, str] = field(default_factory=dict)
    params: dict[str, Param] = field(default_factory=dict)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)


def _iri(text: str) -> str:
    if not is_iri(text):
        raise ValueError("an absolute IRI, such as https://example.org/x")
    return ref(text)


def _language(text: str) -> str:
    if not _LANGUAGE.fullmatch(text):
        raise ValueError("a language tag, such as es")
    return literal(text.lower())


def _integer(text: str) -> str:
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise ValueError("a whole number, such as 10")
    return str(int(text))


def _date(text: str) -> str:
    try:
        return literal(date.fromisoformat(text).isoformat(), datatype=XSD.date)
    except ValueError:
        raise ValueError("a date, such as 2026-01-31") from None


def _boolean(text: str) -> str:
    if text not in ("true", "false"):
        raise ValueError("true or false")
    return text


# Type name -> function from the given text to a SPARQL term; ValueError says what is expected.
TYPES: Final[dict[str, Callable[[str], str]]] = {
    "iri": _iri,
    "string": literal,
    "lang": _language,
    "integer": _integer,
    "date": _date,
    "boolean": _boolean,
}


@lru_cache(_PARSED)
def header(text: str) -> Header:
    """The header of a query text. Raises BadInput for a parameter of unknown type."""
    found = Header()
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        if match := _FIELD.fullmatch(line.rstrip()):
            getattr(found, match[1])[match[2]] = match[3]
        elif match := _LABEL.fullmatch(line.rstrip()):
            found.labels.setdefault(match[1], {})[match[2]] = match[3]
        elif match := _PARAM.fullmatch(line):
            if match[2] not in TYPES:
                raise BadInput(
                    f"parameter {match[1]} has the unknown type {match[2]!r}",
                    hint=f"known: {', '.join(TYPES)}",
                )
            found.params[match[1]] = Param(match[2], bool(match[3]), match[4])
    return found


@lru_cache(_PARSED)
def parse(name: str, text: str) -> Query:
    """The query that a file's text holds. Raises BadInput when it is none."""
    head = header(text)
    code = _TOKEN.sub(lambda m: m[0] if m["variable"] else " ", text)
    form = _FORM.search(code)
    if form is None:
        raise BadInput("no SELECT, CONSTRUCT, ASK or DESCRIBE", where=name)
    return Query(
        name=name,
        text=text,
        kind=form[1].lower(),
        title=head.title or {"en": name},
        params={param: spec.type for param, spec in head.params.items()},
    )


def load(name: str) -> Query:
    """A saved query by its path below `queries/`, without extension.

    Raises NotFound with the nearest names.
    """
    file = assets.folder("queries") / f"{name}.rq"
    if not _NAME.fullmatch(name) or not file.is_file():
        near = difflib.get_close_matches(name, [query.name for query in available()], n=3)
        hint = f"did you mean {', '.join(near)}?" if near else None
        raise NotFound(f"no saved query {name!r}", hint=hint)
    return parse(name, file.read_text(encoding="utf-8"))


def saved(
    own: Path | None = None, on_fault: Callable[[BilbaokgError], None] = lambda _fault: None
) -> dict[str, Query]:
    """The queries for people by name: those of `queries/examples/`, and those of a city's folder.

    own: that folder; its files take the place of ours with the same name. on_fault: told of each
    file of it that is no query, which is left out.
    """
    found = {query.name.rpartition("/")[2]: query for query in available(EXAMPLES)}
    for file in sorted(own.glob("*.rq")) if own and own.is_dir() else ():
        try:
            found[file.stem] = _named(file)
        except BilbaokgError as fault:
            on_fault(fault)
    return {name: replace(query, name=name) for name, query in sorted(found.items())}


def find(
    name: str,
    own: Path | None = None,
    on_fault: Callable[[BilbaokgError], None] = lambda _fault: None,
) -> Query:
    """The query of a name among those that `saved` gives; only its own file is read.

    Raises NotFound with the nearest names.
    """
    file = own / f"{name}.rq" if own and _SIMPLE.fullmatch(name) else None
    if file and file.is_file():
        try:
            return replace(read(file), name=name)
        except BilbaokgError as fault:
            on_fault(fault)
    try:
        return replace(load(f"{EXAMPLES}/{name}"), name=name)
    except NotFound:
        near = difflib.get_close_matches(name, saved(own), n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "see: bilbaokg queries"
        raise NotFound(f"no saved query {name[:100]!r}", hint=hint) from None


def _named(file: Path) -> Query:
    if not _SIMPLE.fullmatch(file.stem):
        raise BadInput(
            f"{file.stem!r} is no name for a query",
            where=str(file),
            hint="use letters a to z, digits and single hyphens",
        )
    return read(file)


def read(file: Path) -> Query:
    """The query in a file. Raises BadInput for what cannot be read or is none, TooLarge."""
    try:
        with file.open("rb") as opened:
            content = opened.read(LIMIT + 1)
        if len(content) > LIMIT:
            raise TooLarge(f"a query has at most {LIMIT:,} bytes", where=str(file))
        return parse(str(file), content.decode())
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=str(file)) from None
    except UnicodeDecodeError as error:
        raise BadInput(f"byte {error.start} is not UTF-8", where=str(file)) from None
    except BadInput as error:
        error.where = error.where or str(file)
        raise


def available(folder: str = "") -> list[Query]:
    """The saved queries of a folder and those below it, by name."""
    root = assets.folder("queries")
    files = (root / folder).rglob("*.rq") if not folder or _NAME.fullmatch(folder) else ()
    named = sorted((_name(file, root), file) for file in files)
    return [parse(name, file.read_text(encoding="utf-8")) for name, file in named]


def _name(file: Path, root: Path) -> str:
    return file.relative_to(root).with_suffix("").as_posix()


def bind(query: Query, /, **params: str) -> str:
    """The query's text with its parameters in place.

    Values are texts; the parameter's type says how they are read. Raises BadInput naming the
    parameter that is unknown, missing or ill-typed.
    """
    known = header(query.text).params
    if unknown := sorted(params.keys() - known.keys()):
        raise BadInput(
            f"{query.name} has no parameter {unknown[0]!r}",
            hint=f"its parameters: {', '.join(known) or 'none'}",
        )
    values: dict[str, str] = {}
    for name, spec in known.items():
        given = params.get(name, spec.default)
        if given is not None:
            values[name] = _term(query.name, name, spec, given)
        elif not spec.optional:
            raise BadInput(f"{query.name} needs the parameter {name!r} ({spec.type})")
    return _TOKEN.sub(lambda m: values.get(m["variable"] or "", m[0]), query.text)


def bound(query: Query, language: str, params: Mapping[str, str]) -> str:
    """As `bind`, in a reader's language unless `language` is given."""
    own = {"language": language} if query.params.get("language") == "lang" else {}
    return bind(query, **own | dict(params))


def body(text: str) -> str:
    """The text of a query without the comments at its top."""
    lines = text.splitlines()
    start = next((n for n, line in enumerate(lines) if line and not line.startswith("#")), 0)
    return "\n".join(lines[start:]) + "\n"


def expected(spec: Param, given: str) -> str | None:
    """What a parameter wants instead of the given text; None where it fits."""
    try:
        given.encode()
        TYPES[spec.type](given)
    except UnicodeEncodeError:
        return "text without lone surrogates"
    except ValueError as error:
        return str(error)
    return None


def _term(query: str, name: str, spec: Param, given: str) -> str:
    wanted = expected(spec, given)
    if wanted is None:
        return TYPES[spec.type](given)
    shown = given[:80].encode(errors="replace").decode()
    raise BadInput(
        f"{name} = {shown!r} is not of type {spec.type}", where=query, hint=f"give {wanted}"
    )
