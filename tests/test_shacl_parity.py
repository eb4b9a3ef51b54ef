"""Two engines give the same results: on mutated records, official examples and real catalogues.

What is compared is the multiset of (focus, path, component, severity). The reference engine is
slow, so each run judges hundreds of mutations at once. Forms of literals that it misjudges are in
test_shacl_lexical.py.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import official
import pytest
from mutations import KINDS, Mutation, mutations, reached, restricted

from bilbaokg import profiles
from bilbaokg.errors import SyntaxFault
from bilbaokg.model import Profile, Report
from bilbaokg.shacl import ENGINES, check
from bilbaokg.shacl.graph import Graph
from bilbaokg.shacl.reading import read_files

REFERENCE: Final = "pyshacl"
JUDGED: Final = "fast" if "fast" in ENGINES else REFERENCE
# The reference against itself, on shuffled statements, only shows that the comparison works.
SHARE: Final = 1 if JUDGED != REFERENCE else 20

PROFILE: Final = profiles.load("dcat-ap/3.0.1")
BASE: Final = Path(__file__).parent / "data" / "shapes" / "base.ttl"
CATALOGUES: Final = ("rostock.rdf", "brandenburg.ttl")

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore:Parsing weird boolean"),
]

Key = tuple[str, str, str, str]


# ---- the comparison


def keys(report: Report, names: dict[str, str]) -> Counter[Key]:
    """The results without their order; blank nodes are told by how they are reached."""
    return Counter(
        (names.get(r.focus or "", r.focus or ""), r.path or "", r.component or "", r.severity)
        for r in report.results
    )


def difference(one: Counter[Key], other: Counter[Key]) -> list[tuple[int, Key]]:
    """What one has more often (positive) or less often than the other."""
    counts = {key: one[key] - other[key] for key in one | other}
    return sorted((count, key) for key, count in counts.items() if count)


def shuffled(lines: Iterable[str], seed: int = 1) -> list[str]:
    mixed = list(lines)
    random.Random(seed).shuffle(mixed)  # noqa: S311
    return mixed


def disagreements(
    lines: Sequence[str], profile: Profile, known: Sequence[str] = ()
) -> list[tuple[int, Key]]:
    """What the reference reports more often (positive) or less often than the engine judged."""
    names = reached([*lines, *known])
    expected = check(lines, profile, engine=REFERENCE, known=known)
    found = check(shuffled(lines), profile, engine=JUDGED, known=shuffled(known))
    assert expected.focus_nodes == found.focus_nodes
    return difference(keys(expected, names), keys(found, names))


def named(found: list[tuple[int, Key]], made: Sequence[Mutation]) -> list[tuple[int, str, Key]]:
    """The same, with what was done to the node."""
    names = {m.focus.strip("<>"): m.name for m in made}
    return [(count, names.get(key[0], ""), key) for count, key in found]


# ---- the shapes and the data


@pytest.fixture(scope="module")
def spanish(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Profile:
    files = official.files(reference, "dcat-ap-es-1.0.0")
    return official.without_imports(tmp_path_factory.mktemp("es"), files, "dcat-ap-es")


def statements(file: Path) -> list[str]:
    text = file.read_text(encoding="utf-8")
    return [" ".join((*s, ".")) for s in official.statements(text)]


@cache
def made(shapes: tuple[Path, ...], base: Path = BASE) -> list[Mutation]:
    """The mutations of all properties that our shapes or these restrict."""
    files = (*PROFILE.shapes, *shapes) if base == BASE else shapes
    properties = restricted(Graph(read_files(files)))
    axioms = Graph(read_files(PROFILE.background)) if base == BASE else None
    return list(mutations(statements(base), properties, classes=axioms))


def together(base: Path, chosen: Iterable[Mutation]) -> list[str]:
    lines = [*statements(base), *(line for mutation in chosen for line in mutation.lines)]
    return list(dict.fromkeys(lines))


def examples(reference: Path, name: str) -> list[str]:
    """All examples of a profile that can be read, as one catalogue."""
    lines: list[str] = []
    for file in sorted((reference / "profiles" / name / "examples").glob("*.ttl")):
        try:
            lines += official.read(file)
        except SyntaxFault:  # test_shapes_dcat_ap.py lists them
            continue
    return list(dict.fromkeys(lines))


# ---- mutations


def test_mutations_are_two_thousand_of_every_kind_and_on_every_class() -> None:
    found = made(())
    assert len(found) >= 2000
    for kind in KINDS:
        assert sum(kind in mutation.name for mutation in found) >= 50, kind
    assert len({mutation.focus for mutation in found}) == len(found)
    properties = restricted(Graph(read_files(PROFILE.shapes)))
    assert len({class_ for class_, _, _ in properties}) >= 15
    for _, predicate, backwards in properties:
        mark = f" {'^' if backwards else ''}{predicate} "
        assert sum(mark in mutation.name for mutation in found) >= 14, mark


def test_same_seed_gives_the_same_mutations_and_another_others() -> None:
    properties = restricted(Graph(read_files(PROFILE.shapes)))
    runs = [
        list(mutations(statements(BASE), properties, seed=seed, classes=None)) for seed in (5, 5, 6)
    ]
    assert runs[0] == runs[1] != runs[2]


def test_a_mutation_changes_one_property_of_a_copy() -> None:
    graph = Graph(statements(BASE))
    for mutation in made(()):
        node, predicate = mutation.name.split(" ")[:2]
        backwards = predicate.startswith("^")
        copied = Graph(mutation.lines).by_subject.get(mutation.focus, {})
        original = graph.by_subject.get(node, {})
        changed = {p for p in {*copied, *original} if copied.get(p) != original.get(p)}
        own = {p for p in changed if node not in original.get(p, ())}
        if node in graph.by_subject:
            assert own <= (set() if backwards else {predicate}), mutation.name


EIGHTH_OR_ALL = pytest.mark.parametrize("step", [8, pytest.param(1, marks=pytest.mark.peers)])


@EIGHTH_OR_ALL
def test_engines_agree_on_mutations_under_our_shapes(step: int) -> None:
    chosen = made(())[:: step * SHARE]
    assert named(disagreements(together(BASE, chosen), PROFILE), chosen) == []


@EIGHTH_OR_ALL
def test_engines_agree_on_mutations_under_the_official_shapes(reference: Path, step: int) -> None:
    profile = official.dcat_ap(reference)
    chosen = made(profile.shapes)[:: step * SHARE]
    known = official.tables(reference)
    assert named(disagreements(together(BASE, chosen), profile, known), chosen) == []


def spanish_mutations(reference: Path, profile: Profile, step: int) -> list[tuple[int, str, Key]]:
    base = (
        reference / "profiles" / "dcat-ap-es-1.0.0" / "examples" / "E_DCAT-AP-ES_full_optional.ttl"
    )
    chosen = made(profile.shapes, base)[::step]
    return named(disagreements(together(base, chosen), profile), chosen)


def test_engines_agree_on_mutations_under_the_spanish_shapes(
    reference: Path, spanish: Profile
) -> None:
    assert spanish_mutations(reference, spanish, 80 * SHARE) == []


@pytest.mark.peers
def test_engines_agree_on_many_mutations_under_the_spanish_shapes(
    reference: Path, spanish: Profile
) -> None:
    found = spanish_mutations(reference, spanish, 7 * SHARE)
    # What cannot be compared with a bound fails (SHACL, section 4.3); the reference lets it pass.
    bound = "MinInclusiveConstraintComponent"
    assert [one for one in found if not (one[0] < 0 and one[2][2] == bound)] == []


@pytest.mark.peers
def test_engines_agree_on_mutations_under_the_shapes_for_high_value_data(reference: Path) -> None:
    files = official.files(reference, "dcat-ap-hvd-3.0.0")
    profile = Profile("hvd", "official", {}, tuple(files))
    chosen = made(profile.shapes)[::SHARE]
    assert named(disagreements(together(BASE, chosen), profile), chosen) == []


# ---- what others published


@pytest.mark.parametrize("name", ["dcat-ap-3.0.1", "dcat-ap-hvd-3.0.0"])
def test_engines_agree_on_official_examples(reference: Path, name: str) -> None:
    lines = examples(reference, name)
    assert len(lines) > 50
    hvd = Profile("hvd", "official", {}, tuple(official.files(reference, "dcat-ap-hvd-3.0.0")))
    for profile in (PROFILE, official.dcat_ap(reference), hvd):
        assert disagreements(lines, profile) == []


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.peers)])
def test_engines_agree_on_the_spanish_examples(
    reference: Path, spanish: Profile, whole: bool
) -> None:
    found = examples(reference, "dcat-ap-es-1.0.0")
    # In five datasets with what they lead to there is every class of the examples.
    lines = found if whole else official.sample(found, 5)
    assert disagreements(lines[:: min(SHARE, 2)], spanish) == []


@pytest.mark.parametrize("name", CATALOGUES)
def test_engines_agree_on_samples_of_real_catalogues(reference: Path, name: str) -> None:
    lines = official.sample(official.read(reference / "catalogues" / name), 8)
    assert disagreements(lines, PROFILE) == []
    assert disagreements(lines, official.dcat_ap(reference), official.tables(reference)) == []


@pytest.mark.peers
@pytest.mark.parametrize("name", CATALOGUES)
def test_engines_agree_on_real_catalogues(reference: Path, name: str) -> None:
    lines = official.read(reference / "catalogues" / name)
    assert disagreements(lines, PROFILE) == []
    assert disagreements(lines, official.dcat_ap(reference), official.tables(reference)) == []


# ---- the comparison itself


def result(focus: str, path: str = "urn:p") -> Key:
    return focus, path, "MinCountConstraintComponent", "violation"


def test_difference_counts_what_one_side_has_more_often() -> None:
    one = Counter([result("urn:a"), result("urn:a"), result("urn:b")])
    other = Counter([result("urn:a"), result("urn:b"), result("urn:b", "urn:q")])
    assert difference(one, one) == []
    assert difference(one, other) == [(-1, result("urn:b", "urn:q")), (1, result("urn:a"))]


def test_blank_nodes_are_named_by_the_way_that_leads_to_them() -> None:
    one = reached(["<urn:a> <urn:p> _:x .", "_:x <urn:q> _:y .", "<urn:a> <urn:p> _:z ."])
    other = reached(["_:n2 <urn:q> _:n1 .", "<urn:a> <urn:p> _:n2 .", "<urn:a> <urn:p> _:n3 ."])
    assert one == {
        "_:x": "<urn:a> <urn:p>",
        "_:z": "<urn:a> <urn:p>",
        "_:y": "<urn:a> <urn:p> <urn:q>",
    }
    assert sorted(one.values()) == sorted(other.values())


def test_blank_nodes_in_a_circle_that_nothing_leads_to_keep_their_labels() -> None:
    assert reached(["_:x <urn:p> _:y .", "_:y <urn:p> _:x ."]) == {}
