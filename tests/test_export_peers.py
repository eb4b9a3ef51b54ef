"""Our feeds in the hands of others: CKAN's harvester reads them, the official shapes judge."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import rdflib
from export_helpers import TYPE, Triple, about, files, public, released, triples, whole
from rdflib.namespace import SH
from serving import BASE, Served, published, served

from bilbaokg import assets, exports
from bilbaokg.model import Release
from bilbaokg.settings import Settings
from bilbaokg.terms import DCAT, DCT, plain, ref

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from generate import Catalogue

pytestmark = [pytest.mark.peers, pytest.mark.timeout(900)]

PEERS = Path(__file__).parent / "data" / "exports"
# What CKAN is installed from; its own requirements are an extra.
CKAN = ("ckan[requirements]==2.12.0", "ckanext-dcat==2.4.4", "ckanext-harvest==1.6.3")
FEED_READERS = ("feedparser==6.0.14",)
UDATA = ("udata==17.18.0", "mongomock==4.3.0")
DEMO = Settings(page_size=30, public_url="https://portal.example", list_services=True)
VOCABULARIES = (
    "access-right", "data-theme", "dataset-types", "datasetstatus", "distribution-status",
    "filetypes", "frequencies", "licences", "nti-risp_vocab_sector", "nti-risp_vocab_territorio",
    "planned-availability",
)  # fmt: skip
Finding = tuple[str, str, str, str]
DCAT_AP = ("dcat-ap-3.0.1", ("shapes", "range", "shapes_recommended", "mdr-vocabularies.shape"))
DCAT_AP_ES = (
    "dcat-ap-es-1.0.0",
    tuple(
        f"shacl_{name}"
        for name in ("catalog_shape", "common_shapes", "dataservice_shape", "dataset_shape",
                     "distribution_shape", "mdr-vocabularies.shape")
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Release:
    held = files([assets.folder("demo") / "catalogue", assets.folder("ontology")], DEMO)
    return released(tmp_path_factory.mktemp("demo") / "r1", public(held, DEMO), DEMO)


def environment(request: pytest.FixtureRequest, packages: tuple[str, ...]) -> Path:
    """The interpreter of an environment with these packages in it, kept between runs."""
    place = Path(request.config.cache.mkdir("export-peers")) / "-".join(packages).replace("/", "_")
    python = place / "bin" / "python"
    done = place / "installed"
    if not done.is_file():
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
        install = [python, "-m", "pip", "install", "--quiet", *packages]
        outcome = subprocess.run(install, capture_output=True, text=True)
        if outcome.returncode:
            pytest.skip(f"{packages[0]} cannot be installed: {outcome.stderr.strip()[-200:]}")
        done.touch()
    return python


@pytest.fixture(scope="module")
def ckan(request: pytest.FixtureRequest) -> Path:
    return environment(request, CKAN)


@pytest.fixture(scope="module")
def udata(request: pytest.FixtureRequest) -> Path:
    return environment(request, UDATA)


@pytest.fixture(scope="module")
def readers(request: pytest.FixtureRequest) -> Path:
    return environment(request, FEED_READERS)


def harvested(python: Path, script: str, *arguments: object) -> dict[str, Any]:
    outcome = subprocess.run(
        [python, PEERS / script, *map(str, arguments)], capture_output=True, text=True, check=False
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
    found = harvested(ckan, "ckan_reads.py", profile, *pages(demo, tmp_path, "es"))["datasets"]
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
    told = harvested(ckan, "ckan_reads.py", "euro_dcat_ap_3", *pages(demo, tmp_path, None))["next"]
    start, version = f"{DEMO.public_url}/catalog.rdf", exports.version(demo, "dcat-ap")
    pages_ = [f"{start}?page={n}&version={version}" for n in range(2, len(told) + 1)]
    assert told == [*pages_, None]
    assert len(told) == 3


# ---- harvests over the network, page by page


DATASETS = 260


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served catalogue of three pages, whose links lead to the server itself."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = io.StringIO()
    Catalogue(DATASETS, errors=0.0, base=BASE).write(text, "nt")
    data = tmp_path_factory.mktemp("portal") / "data"
    published(data, text.getvalue(), page_size=100, public_url=f"http://127.0.0.1:{port}")
    with served(data, port=port) as server:
        yield server


@pytest.mark.parametrize("profile", ["euro_dcat_ap_2", "euro_dcat_ap_3"])
@pytest.mark.parametrize("path", ["/catalog.rdf", "/feeds/ckan/catalog.rdf"])
def test_ckan_gathers_every_dataset_over_the_pages(
    portal: Served, ckan: Path, profile: str, path: str
) -> None:
    found = harvested(ckan, "ckan_gathers.py", profile, f"{portal.url}{path}")
    assert found["errors"] == []
    assert len(set(found["ids"])) == len(found["ids"]) == DATASETS
    for dataset in found["datasets"]:
        assert dataset["title"]
        assert dataset["notes"]
        assert dataset["tags"]
        assert dataset["resources"]
        assert {"guid", "publisher_name", "publisher_uri"} <= {e["key"] for e in dataset["extras"]}


def test_ckan_knows_formats_licences_and_keywords_of_its_own_feed(
    portal: Served, ckan: Path
) -> None:
    address = f"{portal.url}/feeds/ckan/catalog.rdf"
    datasets = harvested(ckan, "ckan_gathers.py", "euro_dcat_ap_3", address)["datasets"]
    assert {dataset["license_id"] for dataset in datasets} == {"cc-by"}
    resources = [resource for dataset in datasets for resource in dataset["resources"]]
    assert {r["format"] for r in resources} == {"CSV", "GeoJSON", "JSON", "XLSX", "XML"}
    assert all("/" in r["mimetype"] and ":" not in r["mimetype"] for r in resources)
    tags = {tag["name"] for dataset in datasets for tag in dataset["tags"]}
    assert all(re.fullmatch(r"[\w .-]{2,100}", tag) for tag in tags)


def test_udata_makes_every_dataset_over_the_pages(portal: Served, udata: Path) -> None:
    found = harvested(udata, "udata_reads.py", f"{portal.url}/catalog.rdf")
    assert len(found["pages"]) == 3
    datasets = found["datasets"]
    assert len({dataset["uri"] for dataset in datasets}) == len(datasets) == DATASETS
    for dataset in datasets:
        assert dataset["title"]
        assert dataset["description"]
        assert dataset["tags"]
        assert all(r["url"] and r["format"] for r in dataset["resources"])


@pytest.mark.parametrize("path", ["/feeds/changes.atom", "/feeds/schema.org/changes.atom?lang=eu"])
def test_feed_readers_read_every_change_over_the_pages(
    portal: Served, readers: Path, path: str
) -> None:
    found = harvested(readers, "atom_reads.py", f"{portal.url}{path}")
    assert (found["faults"], found["pages"]) == ([], 3)
    entries = found["entries"]
    kinds = Counter(kind for entry in entries for kind in entry["kinds"])
    assert kinds["Dataset"] == DATASETS
    assert kinds["created"] == len(entries) == len({entry["id"] for entry in entries})
    for entry in entries:
        assert entry["title"]
        assert entry["dated"]
        assert entry["content"] == "application/rdf+xml"
        assert entry["links"][0] == "text/html"


# ---- the official shapes


def reference() -> Path:
    default = Path(__file__).resolve().parents[2] / "shared"
    path = Path(os.environ.get("BILBAOKG_REFERENCE", default))
    if not (path / "profiles").is_dir():
        pytest.skip(f"no official shapes at {path}; set BILBAOKG_REFERENCE")
    return path


def findings(content: bytes, profile: str, files: Sequence[str]) -> Counter[Finding]:
    """The violations that pySHACL finds with the official files; blank focus nodes count as one."""
    from pyshacl import validate

    shapes, data = rdflib.Graph(), rdflib.Graph()
    for name in files:
        shapes.parse(reference() / "profiles" / profile / f"{name}.ttl")
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
@pytest.mark.parametrize("target", ["dcat-ap", "ckan"])
def test_export_adds_no_violation_of_the_official_shapes(demo: Release, target: str) -> None:
    exported, held = (findings(whole(demo, t, "ttl"), *DCAT_AP) for t in (target, "full"))
    assert sorted(exported.keys() - held.keys()) == []
    mandatory = {f for f in exported if f[2] == "MinCountConstraintComponent" and DCT in f[1]}
    assert {f"{DEMO.public_url}/sparql"} <= {plain(s) for s, _, _ in triples(
        whole(demo, target, "nt"), "nt")}  # fmt: skip
    assert mandatory, "the demo has datasets without a description on purpose: shapes do fire"


@pytest.mark.filterwarnings("ignore")
def test_dcat_ap_es_breaks_no_rule_that_the_catalogue_keeps(demo: Release) -> None:
    """What is left is what the demo lacks on purpose: files, texts, a publisher, odd values."""
    found = findings(whole(demo, "dcat-ap-es", "ttl"), *DCAT_AP_ES)
    lacking = {
        DCAT.distribution, DCAT.accessURL, DCT.accrualPeriodicity, DCT.description, DCT["format"],
        DCT.publisher, "None",
    }  # fmt: skip
    assert {path for _, path, _, _ in found} <= lacking
    assert (DCAT.distribution, "MinCountConstraintComponent") in {f[1:3] for f in found}
    assert not [f for f in found if "/id/series/" in f[0] or "/catalog/" in f[0]]
