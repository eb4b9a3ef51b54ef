"""Our feeds in the hands of others: CKAN's harvester reads them, the official shapes judge."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import rdflib
from export_helpers import TYPE, Triple, about, files, public, released, triples, whole
from rdflib.namespace import SH

from bilbaokg import assets, exports
from bilbaokg.model import Release
from bilbaokg.settings import Settings
from bilbaokg.terms import DCAT, DCT, plain, ref

pytestmark = [pytest.mark.peers, pytest.mark.timeout(900)]

PEERS = Path(__file__).parent / "data" / "exports" / "ckan_reads.py"
# What CKAN is installed from; its own requirements are an extra.
CKAN = ("ckan[requirements]==2.12.0", "ckanext-dcat==2.4.4")
DEMO = Settings(page_size=30, public_url="https://portal.example")
VOCABULARIES = (
    "access-right", "data-theme", "dataset-types", "datasetstatus", "distribution-status",
    "filetypes", "frequencies", "licences", "planned-availability",
)  # fmt: skip
Finding = tuple[str, str, str, str]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Release:
    held = files([assets.folder("demo") / "catalogue", assets.folder("ontology")], DEMO)
    return released(tmp_path_factory.mktemp("demo") / "r1", public(held, DEMO), DEMO)


@pytest.fixture(scope="module")
def ckan(request: pytest.FixtureRequest) -> Path:
    """The interpreter of an environment with CKAN in it, kept between runs."""
    place = Path(request.config.cache.mkdir("ckan-peer")) / "-".join(CKAN).replace("/", "_")
    python = place / "bin" / "python"
    done = place / "installed"
    if not done.is_file():
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
        install = [python, "-m", "pip", "install", "--quiet", *CKAN]
        outcome = subprocess.run(install, capture_output=True, text=True)
        if outcome.returncode:
            pytest.skip(f"CKAN cannot be installed here: {outcome.stderr.strip()[-200:]}")
        done.touch()
    return python


def harvested(python: Path, profile: str, paths: list[Path]) -> dict[str, Any]:
    outcome = subprocess.run(
        [python, PEERS, profile, *paths], capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stderr[-2000:]
    answer: dict[str, Any] = json.loads(outcome.stdout)
    return answer


def pages(release: Release, cache: Path, language: str | None) -> list[Path]:
    return [
        exports.representation(release, DEMO, "dcat-ap", "rdf", number, language, cache=cache)
        for number in range(1, exports.page_count(release, "dcat-ap") + 1)
    ]


def feed(release: Release) -> set[Triple]:
    return triples(whole(release, "dcat-ap", "nt", "es"), "nt")


@pytest.mark.parametrize("profile", ["euro_dcat_ap_2", "euro_dcat_ap_3"])
def test_ckan_harvests_every_dataset_with_its_texts_and_resources(
    demo: Release, ckan: Path, tmp_path: Path, profile: str
) -> None:
    found = harvested(ckan, profile, pages(demo, tmp_path, "es"))["datasets"]
    expected = feed(demo)
    datasets = {plain(s) for s, p, o in expected if p == TYPE and o == ref(DCAT.Dataset)}
    by_uri = {extra["value"]: d for d in found for extra in d["extras"] if extra["key"] == "uri"}
    assert by_uri.keys() == datasets
    assert len(found) == len(datasets) > 50
    for uri, dataset in by_uri.items():
        titles = {plain(t) for t in about(expected, uri, DCT.title)}
        assert {dataset["title"]} == titles
        publishers = {plain(p) for p in about(expected, uri, DCT.publisher)}
        told = {e["value"] for e in dataset["extras"] if e["key"] == "publisher_uri"}
        assert told == publishers
        spread = [plain(d) for d in about(expected, uri, DCAT.distribution)]
        assert sorted(r["uri"] for r in dataset["resources"]) == sorted(spread)
        for resource in dataset["resources"]:
            media = {plain(m) for m in about(expected, resource["uri"], DCAT.mediaType)}
            wanted = {m.partition("media-types/")[2] for m in media}
            assert {resource.get("mimetype")} - {None} == wanted
            links = about(expected, resource["uri"], DCAT.downloadURL)
            links = links or about(expected, resource["uri"], DCAT.accessURL)
            assert {resource.get("url")} - {None, ""} == {plain(link) for link in links}
            formats = about(expected, resource["uri"], DCT["format"])
            assert bool(resource.get("format")) == bool(formats or media)


def test_ckan_walks_the_pages_and_stops(demo: Release, ckan: Path, tmp_path: Path) -> None:
    told = harvested(ckan, "euro_dcat_ap_3", pages(demo, tmp_path, None))["next"]
    start, version = f"{DEMO.public_url}/catalog.rdf", exports.version(demo, "dcat-ap")
    pages_ = [f"{start}?page={n}&version={version}" for n in range(2, len(told) + 1)]
    assert told == [*pages_, None]
    assert len(told) == 3


# ---- the official shapes


def reference() -> Path:
    default = Path(__file__).resolve().parents[2] / "shared"
    path = Path(os.environ.get("BILBAOKG_REFERENCE", default))
    if not (path / "profiles").is_dir():
        pytest.skip(f"no official shapes at {path}; set BILBAOKG_REFERENCE")
    return path


def findings(content: bytes) -> Counter[Finding]:
    """The violations that pySHACL finds with the official files; blank focus nodes count as one."""
    from pyshacl import validate

    shapes, data = rdflib.Graph(), rdflib.Graph()
    folder = reference() / "profiles" / "dcat-ap-3.0.1"
    for name in ("shapes", "range", "shapes_recommended", "mdr-vocabularies.shape"):
        shapes.parse(folder / f"{name}.ttl")
    data.parse(data=content, format="turtle")
    own = set(data.subjects())
    for name in VOCABULARIES:
        data.parse(reference() / "vocab" / f"{name}.ttl")
    _, report, _ = validate(data, shacl_graph=shapes, inference="none")
    found: Counter[Finding] = Counter()
    for result in report.subjects(rdflib.RDF.type, SH.ValidationResult):
        focus, value = report.value(result, SH.focusNode), report.value(result, SH.value)
        if report.value(result, SH.resultSeverity) == SH.Violation and focus in own:
            named = focus if isinstance(focus, rdflib.URIRef) else "_:"
            shown = value if isinstance(value, rdflib.URIRef) else ""
            path, component = (
                str(report.value(result, p)) for p in (SH.resultPath, SH.sourceConstraintComponent)
            )
            found[str(named), path, component.rpartition("#")[2], str(shown)] += 1
    return found


@pytest.mark.filterwarnings("ignore")
def test_export_adds_no_violation_of_the_official_shapes(demo: Release) -> None:
    exported = findings(whole(demo, "dcat-ap", "ttl"))
    held = findings(whole(demo, "full", "ttl"))
    assert sorted(exported.keys() - held.keys()) == []
    mandatory = {f for f in exported if f[2] == "MinCountConstraintComponent" and DCT in f[1]}
    assert mandatory, "the demo has datasets without a description on purpose: shapes do fire"
