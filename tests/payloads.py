"""The demo catalogue with everything that it says replaced by what attackers and accidents write.

Every literal becomes one of `TEXTS`, many typed values and every address outside the catalogue
becomes hostile, too; IRIs of records and vocabularies stay, so the pages of the demo show payloads
in every field that they show at all. Which one a term becomes follows from the term: what two
versions have in common stays so.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyoxigraph as ox

from bilbaokg import assets, settings
from bilbaokg.operations import OPERATIONS
from bilbaokg.terms import DCT, PREFIXES, SH
from bilbaokg.workspace import Workspace, initialise

__all__ = ["EXTRA", "FLAG", "made"]

BASE: Final = "https://bilbaokg.example"
FLAG: Final = "payloadRan"
_RUN: Final = f"window.{FLAG}=1"

TEXTS: Final = (
    f"<script>{_RUN}</script>",
    f"</title></textarea></script><script>{_RUN}</script>",
    f"\"><img src=x onerror={_RUN}>",
    f"' autofocus onfocus={_RUN} x='",
    f"<svg onload={_RUN}><a xlink:href='javascript:{_RUN}'><text>x</text></a></svg>",
    f"javascript:{_RUN}",
    f"<a href='JaVaScRiPt:{_RUN}'>x</a><base href='https://evil.example/'>",
    f"<iframe srcdoc='<script>parent.{FLAG}=1</script>'></iframe>",
    f"<!--><script>{_RUN}</script-->]]>",
    f"{{{{7*7}}}}${{7*7}}#{{7*7}}<%= 7*7 %>{{% raw %}}{{{{constructor.constructor('{_RUN}')()}}}}",
    "'; DROP TABLE records; -- \" OR 1=1 /*",
    '"} . DELETE WHERE { ?s ?p ?o } # > <',
    "=HYPERLINK(\"https://evil.example\";\"x\")",
    "&lt;b&gt; &amp;amp; %3Cscript%3E \\u003cscript\\u003e + {count} {0} %s",
    "\u202egnp.exe\u202c \u2066\u2067\u2069 \u200f\u061c",
    "\u200b\u200c\u200d\ufeff\u2060",
    "w" * 10_000,
    "👩‍👩‍👧‍👦" * 50 + "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "Z̷̢̛͔̳̈́" * 60,
    "עברית العربية 中文 \u0915\u094d\u0937",
    "\u0001\u0008\u000b\u000c\u001b[31m\u007f\u0085\u2028\u2029\ufffe\uffff",
    " \t\r\n ",
    "",
)  # fmt: skip
VALUES: Final = (f"<script>{_RUN}</script>", f"\" onmouseover={_RUN} \"", "99999999999-99-99", "",
                 "-1", "NaN", "9" * 400, "2026-02-30T25:61:61Z")  # fmt: skip
# No IRI holds a space, quotes or angle brackets; all else may stand there.
IRIS: Final = (
    f"javascript:{_RUN}//",
    f"JAVASCRIPT:{_RUN}//",
    f"data:text/html,{_RUN}",
    "data:image/svg+xml,%3Csvg%20onload=1%3E",
    f"vbscript:{_RUN}",
    "file:///etc/passwd",
    "blob:https://evil.example/1",
    f"https://evil.example/')-{_RUN}-('#&quot;onload=",
    f"https://evil.example/{'a' * 5000}",
    "http://[::1]:99999/\u202egnp",
    "mailto:a@b.example?bcc=c@d.example&body=%0d%0aX",
    "urn:x:\u200b\u0627",
)

# What the demo has no reason to hold: pages of their own.
EXTRA: Final = {
    "many": "/dataset/many",
    "nameless": "/dataset/nameless",
    "cycle": f"/lineage?iri={BASE}/id/table/cycle-a&upstream=all&downstream=all",
    "cycle-of-one": f"/lineage?iri={BASE}/id/table/cycle-self&upstream=all",
    "cycle-table": "/table/cycle-a",
}
_MANY: Final = 5000


def made(data: Path) -> Path:
    """A data directory with two releases of the spoiled demo, the second one published."""
    folder = assets.folder("demo")
    initialise(data, {"base": BASE, "public_url": BASE, "title": {"es": TEXTS[0], "eu": TEXTS[2]}})
    first = sorted((folder / "catalogue").glob("*.ttl"))
    changed = {path.name: path for path in (folder / "changes").glob("*.ttl")}
    for files in (first, [changed.get(path.name, path) for path in first]):
        file = data.with_suffix(".nt")
        lines = (*_lines([*_bundled(), *files]), *_extra())
        file.write_text("\n".join(lines), encoding="utf-8")
        # A lock is held while a workspace is open: each step has one of its own.
        _do(data, "load", paths=[str(file)], source="payloads")
        release = _do(data, "release.build", waive=TEXTS[0], note=TEXTS[2], accept_removals="all")
        _do(data, "release.publish", id=release["id"])
    return data


def _do(data: Path, name: str, **params: Any) -> dict[str, Any]:
    with Workspace(data, settings.read(data)) as workspace:
        return OPERATIONS[name](workspace, params, lambda *_: None)


def _bundled() -> list[Path]:
    names = ("bilbaokg.ttl", "roles.ttl", "themes.ttl")
    return [assets.folder("ontology") / name for name in names]


def _lines(files: list[Path]) -> Iterator[str]:
    for file in files:
        text = file.read_bytes()
        parsed = ox.parse(text, ox.RdfFormat.TURTLE, base_iri=f"{BASE}/", rename_blank_nodes=True)
        for quad in parsed:
            predicate = quad.predicate.value
            yield f"{quad.subject} {quad.predicate} {_spoiled(quad.object, predicate)} ."


def _spoiled(term: Any, predicate: str) -> Any:
    """What stands in the place of a term."""
    if predicate.startswith(SH) and predicate not in (SH.message, SH.name, SH.description):
        return term  # or the rule would be another one
    number = zlib.crc32(f"{predicate} {term}".encode())
    if isinstance(term, ox.NamedNode):
        known = term.value.startswith((BASE, *PREFIXES.values())) or "/authority/" in term.value
        return term if known or predicate == DCT.conformsTo else _iri(number)
    if not isinstance(term, ox.Literal):
        return term
    if term.language or term.datatype.value.endswith("#string"):
        text = TEXTS[number % len(TEXTS)]
        return ox.Literal(text, language=term.language)
    spoil = number % 3 == 0
    return ox.Literal(VALUES[number % len(VALUES)], datatype=term.datatype) if spoil else term


def _iri(number: int) -> ox.NamedNode:
    return ox.NamedNode(IRIS[number % len(IRIS)])


def _extra() -> Iterator[str]:
    """Thousands of parts, no names, and lineage that leads back to where it began."""

    def said(subject: str, predicate: str, thing: str) -> str:
        return f"<{BASE}/id/{subject}> <{predicate}> {thing} ."

    dcat, rdf, prov = (PREFIXES[name] for name in ("dcat", "rdf", "prov"))
    for slug in ("many", "nameless"):
        yield said(f"dataset/{slug}", f"{rdf}type", f"<{dcat}Dataset>")
        yield said("catalog/bilbao", f"{dcat}dataset", f"<{BASE}/id/dataset/{slug}>")
    for n in range(_MANY):
        part = f"distribution/many-{n}"
        yield said("dataset/many", f"{dcat}distribution", f"<{BASE}/id/{part}>")
        yield said(part, f"{rdf}type", f"<{dcat}Distribution>")
        yield said(part, f"{dcat}accessURL", f"<{IRIS[n % len(IRIS)]}>")
    for made_, of in (("cycle-a", "cycle-b"), ("cycle-b", "cycle-a"), ("cycle-self", "cycle-self")):
        yield said(f"table/{made_}", f"{rdf}type", f"<{PREFIXES['csvw']}Table>")
        yield said(f"table/{made_}", f"{prov}wasDerivedFrom", f"<{BASE}/id/table/{of}>")
