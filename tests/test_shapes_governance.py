"""The governance shapes: each has records that pass and records that fail; what they say of the
bundled catalogue is its story."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from official import statements
from records import own_shapes

from bilbaokg import assets, profiles
from bilbaokg.model import Report
from bilbaokg.shacl import BOTH, check, check_records
from bilbaokg.shacl.graph import Graph
from bilbaokg.shacl.prepared import prepare
from bilbaokg.shacl.reading import read_source, source_of
from bilbaokg.shacl.texts import Texts
from bilbaokg.terms import (
    ADMS,
    DCAT,
    DEFAULT_BASE,
    LANGUAGES,
    PROV,
    RDF,
    RDFS,
    language_of,
    plain,
    ref,
)

DATA = Path(__file__).parent / "data" / "shapes"
BASE = (DATA / "governance.ttl").read_text(encoding="utf-8")
PREFIXES = "".join(re.findall(r"^@prefix.*\n", BASE, re.MULTILINE))
BASE_LINES = [" ".join((*s, ".")) for s in statements(BASE)]
SHAPE = "urn:bilbaokg:shapes:bilbaokg:1#"
PROFILE = profiles.load("bilbaokg/1")
SHAPES = prepare(PROFILE).shapes
OWN = own_shapes(SHAPES.graph)
MUTATIONS = [
    line.partition(": ")[::2]
    for line in (DATA / "governance-mutations.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def mutated(number: int, operation: str) -> list[str]:
    """The whole base record, mutated, under a namespace of its own."""
    kind, subject, rest = operation.split(" ", 2)
    named = rest if kind != "-" else f"{rest} <urn:o>"
    said = statements(f"{PREFIXES}{subject} {named} .")
    node = statements(f"{PREFIXES}{subject} a <urn:o> .")[0][0]
    added = [] if kind == "-" else said
    gone = {s[1] for s in said if s[0] == node} if kind != "+" else set()
    kept = [s for s in statements(BASE) if s[0] != node or s[1] not in gone]
    lines = [" ".join((*s, ".")) for s in (*kept, *added)]
    return [line.replace("/BASE/", f"/{number}/") for line in lines]


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """The base record and all mutations of it at once."""
    found = list(BASE_LINES)
    for number, (_, operation) in enumerate(MUTATIONS):
        found += mutated(number, operation)
    return list(dict.fromkeys(found))


def failures(report: Report) -> dict[str, set[str]]:
    """Which shapes fail, by the namespace of the mutation or BASE."""
    found: dict[str, set[str]] = defaultdict(set)
    for result in report.results:
        # A blank node of a mutation is a contact or an appointment that it added.
        place = re.search(r"example\.org/(\w+)/", result.focus or "")
        found[place[1] if place else "blank"].add((result.shape or "").removeprefix(SHAPE))
    return found


@pytest.fixture(scope="module")
def failed(lines: list[str]) -> dict[str, set[str]]:
    return failures(check(lines, PROFILE))


def test_every_shape_has_a_mutation_that_fails_it() -> None:
    assert {f"{SHAPE}{names.split(', ')[0]}" for names, _ in MUTATIONS} == set(OWN)


def test_base_record_passes_every_shape(failed: dict[str, set[str]]) -> None:
    assert failed.get("BASE", set()) == set()


@pytest.mark.parametrize("number", range(len(MUTATIONS)), ids=[m[0] for m in MUTATIONS])
def test_mutation_fails_its_shape_alone(number: int, failed: dict[str, set[str]]) -> None:
    names, operation = MUTATIONS[number]
    wanted = set(names.split(", "))
    if "[ a <http://schema.org/Person> ]" in operation:
        assert wanted <= failed["blank"]
    else:
        assert failed.get(str(number), set()) == wanted


@pytest.mark.peers
@pytest.mark.engine("pyshacl")
@pytest.mark.parametrize("number", range(len(MUTATIONS)), ids=[m[0] for m in MUTATIONS])
def test_reference_engine_finds_the_same(number: int) -> None:
    report = check(mutated(number, MUTATIONS[number][1]), PROFILE, engine=BOTH)
    assert report.results
    assert report.differences == ()


@pytest.mark.parametrize("shape", OWN, ids=lambda iri: iri.removeprefix(SHAPE))
def test_shape_speaks_three_languages_and_says_where_it_comes_from(shape: str) -> None:
    for text in ("name", "message", "description"):
        tags = sorted(language_of(t) or "" for t in SHAPES.texts(ref(shape), text))
        assert tags == sorted(LANGUAGES), text
    assert SHAPES.graph.one(ref(shape), ref(RDFS.seeAlso))


@pytest.mark.parametrize("shape", OWN, ids=lambda iri: iri.removeprefix(SHAPE))
def test_message_is_in_the_language_that_was_asked_for(shape: str, lines: list[str]) -> None:
    number = next(n for n, (names, _) in enumerate(MUTATIONS) if f"{SHAPE}{names}" == shape)
    found = check(mutated(number, MUTATIONS[number][1]), PROFILE, language="eu").results
    (message,) = {r.message for r in found if r.shape == shape}
    assert message in {plain(t) for t in SHAPES.texts(ref(shape), "message") if t.endswith("@eu")}


def records(lines: list[str]) -> Texts:
    """Each subject a record of its own, as the working store has them."""
    held: dict[str, list[str]] = defaultdict(list)
    for line in sorted(lines):
        held[line.partition(" ")[0]].append(f"{line}\n")
    texts = {id: "".join(said) for id, said in sorted(held.items())}
    return Texts((id, hashlib.sha256(t.encode()).hexdigest(), t) for id, t in texts.items())


@pytest.mark.parametrize("number", range(len(MUTATIONS)), ids=[m[0] for m in MUTATIONS])
def test_what_changes_elsewhere_is_seen_by_the_next_validation(number: int, tmp_path: Path) -> None:
    before = [line.replace("/BASE/", f"/{number}/") for line in BASE_LINES]
    after = mutated(number, MUTATIONS[number][1])
    verdicts = tmp_path / "verdicts.db"
    assert check_records(records(before), PROFILE, verdicts).results == ()
    again = check_records(records(after), PROFILE, verdicts)
    assert _told(again) == _told(check(after, PROFILE))


def _told(report: Report) -> Counter[tuple[str | None, ...]]:
    return Counter((r.focus, r.shape, r.path, r.value) for r in report.results)


# ---- mailboxes

FUNCTIONAL = (
    "datos@city.example", "datos-movilidad@city.example", "open.data@city.example",
    "atencion.ciudadana@city.example", "info_turismo@city.example", "movilidad@city.example",
    "medio.ambiente@city.example", "j@city.example", "010@city.example",
)  # fmt: skip
PERSONAL = (
    "ane.lasa@city.example", "ane_lasa.goiri@city.example", "a.lasa@city.example",
    "ane@gmail.com", "ANE.LASA@city.example", "alasa@hotmail.es",
)  # fmt: skip


@pytest.fixture(scope="module")
def flagged() -> set[str]:
    turtle = "".join(
        f"<urn:d> dcat:contactPoint <urn:c:{n}> . <urn:c:{n}> vcard:hasEmail <mailto:{address}> .\n"
        for n, address in enumerate((*FUNCTIONAL, *PERSONAL))
    )
    said = [" ".join((*s, ".")) for s in statements(PREFIXES + turtle)]
    report = check(said, PROFILE, partial=True)
    return {(result.value or "").removeprefix("mailto:") for result in report.results}


@pytest.mark.parametrize("address", FUNCTIONAL)
def test_functional_mailbox_is_accepted(address: str, flagged: set[str]) -> None:
    assert address not in flagged


@pytest.mark.parametrize("address", PERSONAL)
def test_mailbox_of_a_person_is_flagged(address: str, flagged: set[str]) -> None:
    assert address in flagged


# ---- the bundled catalogue


@pytest.fixture(scope="module")
def demo_lines() -> list[str]:
    said: list[str] = []
    for number, file in enumerate(sorted((assets.folder("demo") / "catalogue").glob("*.ttl"))):
        said += read_source(source_of(file), blank=f"d{number}b")[0]
    assert any(line.startswith(f"<{DEFAULT_BASE}/") for line in said)
    return said


@pytest.fixture(scope="module")
def demo(demo_lines: list[str]) -> Report:
    return check(demo_lines, PROFILE)


def about(report: Report, shape: str) -> set[str]:
    """The last part of the IRIs that fail a shape."""
    wanted = f"{SHAPE}{shape}"
    return {(r.focus or "").rpartition("/")[2] for r in report.results if r.shape == wanted}


def test_demo_has_the_faults_of_its_story(demo: Report) -> None:
    assert about(demo, "title-spanish") == {"aforos-peatonales"}
    assert about(demo, "description-spanish") == {"aforos-peatonales", "fuentes-agua-potable"}


@pytest.mark.parametrize("role", ["owner", "steward"])
def test_demo_lacks_the_owners_and_stewards_that_its_story_tells(
    demo: Report, demo_lines: list[str], role: str
) -> None:
    graph = Graph(demo_lines)
    bkg = f"<{DEFAULT_BASE}/ns#{{}}>".format
    active = set(graph.subjects(ref(ADMS.status), bkg("active")))
    held = active & set(graph.subjects(ref(DCAT.hadRole), bkg(role)))
    without = {
        plain(dataset).rpartition("/")[2]
        for dataset in graph.subjects(ref(RDF.type), ref(DCAT.Dataset))
        if not held & set(graph.objects(dataset, ref(PROV.qualifiedAttribution)))
    }
    assert about(demo, f"{role}-required") == without
    story = (assets.folder("demo") / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"\b{len(without)} (have )?no active {role}\b", story)


def test_demo_has_no_fault_that_its_story_does_not_tell(demo: Report) -> None:
    told = {"title-spanish", "description-spanish", "owner-required", "steward-required"}
    grave = Counter(r.shape for r in demo.results if r.severity == "violation")
    assert {str(shape).removeprefix(SHAPE) for shape in grave} == told
    warned = {str(r.shape).removeprefix(SHAPE) for r in demo.results if r.severity == "warning"}
    assert warned == {"description-basque", "lineage-known", "principles-asserted"}


def test_most_of_the_demo_has_who_answers_for_it(demo: Report) -> None:
    everything = set(re.findall(r"^dataset:([\w-]+) a dcat:Dataset", _demo_text(), re.MULTILINE))
    without = about(demo, "owner-required") | about(demo, "steward-required")
    assert without < everything
    assert len(without) < len(everything) / 3


def _demo_text() -> str:
    files = sorted((assets.folder("demo") / "catalogue").glob("datasets-*.ttl"))
    return "".join(file.read_text(encoding="utf-8") for file in files)


def test_every_finding_is_about_something_that_can_be_mended(demo: Report) -> None:
    assert all(result.hint for result in demo.results)
    assert DCAT.Dataset in {plain(term) for _, _, term in SHAPES.targets()}
