"""CKAN's own serialiser: its pages are harvested, and its packages say what ours say of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ckan_portal import package
from harvests import counts, harvest
from helpers import Catalogue
from sites import Site
from test_export_peers import ckan  # noqa: F401 -- a fixture

from bilbaokg.importers.ckan import read
from bilbaokg.terms import DCAT, DCT, ref, split_line

pytestmark = [pytest.mark.peers, pytest.mark.timeout(900)]

WRITES = Path(__file__).parent / "data" / "exports" / "ckan_writes.py"
SITE = "https://portal.example"
EXTRAS = {
    "uri": f"{SITE}/id/noise", "identifier": "noise-1", "temporal_start": "2019-01-01",
    "temporal_end": "2020-12-31", "issued": "2019-02-03", "modified": "2021-02-03",
    "access_rights": "http://publications.europa.eu/resource/authority/access-right/PUBLIC",
    "theme": '["http://publications.europa.eu/resource/authority/data-theme/ENVI"]',
    "language": '["http://publications.europa.eu/resource/authority/language/SPA"]',
    "conforms_to": f'["{SITE}/standard"]', "documentation": f'["{SITE}/doc"]',
    "publisher_uri": f"{SITE}/id/council", "publisher_name": "Ayuntamiento",
    "contact_name": "Datos", "contact_email": "datos@portal.example",
    "alternate_identifier": '["otro"]', "provenance": "Sonómetros.",
    "applicable_legislation": '["http://data.europa.eu/eli/reg_impl/2023/138/oj"]',
}  # fmt: skip
# What we say otherwise, and more exactly: formats and media types by IRI.
BETTER = frozenset(map(ref, (DCT["format"], DCAT.mediaType)))


def packages() -> list[dict[str, Any]]:
    listed = [{"key": key, "value": value} for key, value in EXTRAS.items()]
    return [package(1), package(2, extras=listed, url=f"{SITE}/page", version="1.2")]


def written(ckan: Path, folder: Path, site: str, listed: list[dict[str, Any]]) -> None:  # noqa: F811
    """Let CKAN write packages.nt and page-1.ttl and so on."""
    file = folder / "packages.json"
    file.write_text(json.dumps(listed), encoding="utf-8")
    done = subprocess.run(
        [ckan, WRITES, site, file, folder], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_what_ckan_would_say_in_dcat_we_say_too(ckan: Path, tmp_path: Path) -> None:  # noqa: F811
    written(ckan, tmp_path, SITE, packages())
    answer = {"success": True, "result": {"count": 2, "results": packages()}}
    ours = read(json.dumps(answer).encode(), {"site": SITE, "language": None})
    assert not ours.refused
    own = {tuple(split_line(line)) for line in ours.lines}
    text = (tmp_path / "packages.nt").read_text(encoding="utf-8")
    theirs = [tuple(split_line(line)) for line in text.split("\n") if line]
    named = {s for s in theirs if not s[0].startswith("_:") and not s[2].startswith("_:")}
    assert len(named) > 40
    # Classes of things that others describe are not ours to say.
    described = {subject for subject, *_ in own}
    missing = {s for s in named - own if s[1] not in BETTER and s[0] in described}
    assert missing == set()
    parts = {predicate for _, predicate, object_ in theirs if object_.startswith("_:")}
    assert {ref(DCAT.contactPoint), ref(DCT.temporal)} <= parts
    assert parts <= {predicate for _, predicate, object_ in own if object_.startswith("_:")}


def test_the_pages_of_a_ckan_are_harvested_whole(
    ckan: Path,  # noqa: F811
    tmp_path: Path,
    catalogue: Catalogue,
    site: Site,
) -> None:
    written(ckan, tmp_path, site.url(""), [package(n) for n in range(5)])
    for number in (1, 2, 3):
        body = (tmp_path / f"page-{number}.ttl").read_bytes()
        path = "/catalog.ttl" if number == 1 else f"/catalog.ttl?page={number}"
        site.pages[path] = (200, {"Content-Type": "text/turtle; charset=utf-8"}, body)
    done = harvest(catalogue, site.url("/catalog.ttl"))
    assert (done["pages"], done["classes"]["dcat:Dataset"]) == (3, 5)
    assert counts(harvest(catalogue, site.url("/catalog.ttl")))[:2] == (0, 0)
