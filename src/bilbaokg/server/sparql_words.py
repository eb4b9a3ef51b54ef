"""Words to complete a query with: the prefixes, classes and properties that a release uses."""

from __future__ import annotations

from typing import Any, Final

from bilbaokg.server.reading import Reader
from bilbaokg.terms import PREFIXES

__all__ = ["words"]

_KEYWORDS: Final = (
    "SELECT", "SELECT DISTINCT", "ASK", "CONSTRUCT", "DESCRIBE", "WHERE", "FROM", "FROM NAMED",
    "PREFIX", "OPTIONAL", "UNION", "MINUS", "FILTER", "FILTER NOT EXISTS", "FILTER EXISTS", "BIND",
    "VALUES", "GRAPH", "GROUP BY", "HAVING", "ORDER BY", "LIMIT", "OFFSET", "COUNT",
    "SUM", "AVG", "MIN", "MAX", "SAMPLE", "GROUP_CONCAT", "STR", "LANG", "LANGMATCHES", "DATATYPE",
    "IRI", "BOUND", "IF", "COALESCE", "REGEX", "REPLACE", "CONTAINS", "STRSTARTS", "STRENDS",
    "LCASE", "UCASE", "STRLEN", "SUBSTR", "CONCAT", "YEAR", "MONTH", "DAY", "NOW", "ABS", "ROUND",
)  # fmt: skip
_MOST: Final = 2000


def words(reader: Reader) -> dict[str, Any]:
    """`prefixes` (prefix, iri), `terms` (term with its prefix, label, count, kind: class or
    property), the most used first, and `keywords`."""
    prefixes = {"bkg": f"{reader.opened.base}/ns#", **PREFIXES}
    used = reader.opened.terms[:_MOST]
    reader.load(iri for iri, _, _ in used)
    terms = [
        {"term": short, "label": reader.name(iri).text, "count": count, "kind": kind}
        for iri, count, kind in used
        if (short := _short(iri, prefixes))
    ]
    return {
        "prefixes": [{"prefix": prefix, "iri": iri} for prefix, iri in prefixes.items()],
        "terms": terms,
        "keywords": list(_KEYWORDS),
    }


def _short(iri: str, prefixes: dict[str, str]) -> str:
    """A term as it is abbreviated; empty where it cannot be."""
    for prefix, namespace in prefixes.items():
        local = iri.removeprefix(namespace)
        if local != iri and local.isascii() and local.replace("_", "").replace("-", "").isalnum():
            return f"{prefix}:{local}"
    return ""
