"""Stable names for blank nodes: what they depend on, and what they do not."""

from __future__ import annotations

import random
import re

import pyoxigraph as ox
import pytest
from helpers import BASE
from hypothesis import given, settings
from hypothesis import strategies as st

from bilbaokg.errors import BadInput
from bilbaokg.model import Source
from bilbaokg.settings import Settings
from bilbaokg.skolem import GENID, canonical_group, example, groups, listed, skolemise, unlisted
from bilbaokg.terms import DCAT, Statement, ref, split_line
from bilbaokg.workers import Pool, parse

NODES = st.sampled_from([f"_:b{n}" for n in range(5)])
NAMES = st.sampled_from([f"<urn:n{n}>" for n in range(2)])
VALUES = st.sampled_from(['"a"', '"a"@es', '"_:b1"'])
STATEMENTS = st.builds(
    Statement,
    NODES | NAMES,
    st.sampled_from(["<urn:p>", "<urn:q>", ref(DCAT.dataset)]),
    NODES | NAMES | VALUES,
).filter(lambda s: "_:b" in s.subject or s.object.startswith("_:"))
GRAPHS = st.lists(STATEMENTS, min_size=1, max_size=8, unique=True)


def named(statements: list[Statement]) -> set[Statement]:
    """The statements with IRIs in place of blank nodes."""
    kept, aside = unlisted(statements)
    return set(listed(skolemise(map(canonical_group, groups(kept)), BASE), aside))


def shuffled(statements: list[Statement], chance: random.Random) -> list[Statement]:
    """The same graph with other labels, in another order."""
    labels = [f"_:x{n}" for n in range(5)]
    chance.shuffle(labels)

    def other(term: str) -> str:
        return labels[int(term[3:])] if term.startswith("_:") else term

    changed = [Statement(other(s.subject), s.predicate, other(s.object)) for s in statements]
    chance.shuffle(changed)
    return changed


@given(GRAPHS, st.randoms(use_true_random=False))
def test_names_depend_on_neither_labels_nor_order(
    graph: list[Statement], chance: random.Random
) -> None:
    assert named(shuffled(graph, chance)) == named(graph)


@given(GRAPHS)
def test_no_statement_is_lost_and_no_blank_node_left(graph: list[Statement]) -> None:
    done = named(graph)
    assert len(done) == len(graph)
    assert not any(s.subject.startswith("_:") or s.object.startswith("_:") for s in done)


@given(GRAPHS)
def test_names_turned_back_give_the_same_graph(graph: list[Statement]) -> None:
    back = "\n".join(s.line for s in named(graph)).replace(f"<{BASE}{GENID}", "_:<")
    text = re.sub(r"_:<([^>]*)>", r"_:g\1", back)
    assert isomorphic(text, "\n".join(s.line for s in graph))


def isomorphic(one: str, two: str) -> bool:
    """Whether RDFC-1.0 gives both the same text."""
    found = []
    for text in (one, two):
        dataset = ox.Dataset(ox.parse(text, format=ox.RdfFormat.N_TRIPLES))
        dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
        found.append(sorted(map(str, dataset)))
    return found[0] == found[1]


@given(GRAPHS)
def test_groups_share_no_blank_node_and_hold_every_statement(graph: list[Statement]) -> None:
    found = groups(graph)
    assert sorted(s for group in found for s in group) == sorted(graph)
    labels = [
        {t for s in group for t in (s.subject, s.object) if t.startswith("_:")} for group in found
    ]
    assert sum(map(len, labels)) == len(set().union(*labels))


@given(
    st.lists(
        st.builds(Statement, st.just("_:b0"), st.just("<urn:p>"), NAMES | VALUES | st.just("_:b0")),
        min_size=1,
        unique=True,
    )
)
def test_lone_node_is_named_as_rdfc_names_it(group: list[Statement]) -> None:
    text = "\n".join(s.line for s in group)
    dataset = ox.Dataset(ox.parse(text, format=ox.RdfFormat.N_TRIPLES))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    assert sorted(s.line for s in canonical_group(group)) == sorted(f"{q} ." for q in dataset)


def test_name_is_hash_twin_and_number_below_the_base() -> None:
    (done,) = named([Statement("_:x", "<urn:p>", '"a"')])
    assert re.fullmatch(rf"<{BASE}/\.well-known/genid/[0-9a-f]{{24}}-0-0>", done.subject)


def test_twins_are_counted_and_stay_two() -> None:
    done = named([Statement(f"_:{n}", "<urn:p>", '"a"') for n in "abc"])
    assert sorted(s.subject.rpartition("/")[2][24:] for s in done) == ["-0-0>", "-1-0>", "-2-0>"]


def test_a_change_elsewhere_leaves_a_name_as_it_is() -> None:
    one = Statement("_:a", "<urn:p>", '"a"')
    assert named([one]) <= named([one, Statement("_:b", "<urn:p>", '"b"')])


def test_a_change_in_the_group_changes_its_names() -> None:
    before = named([Statement("_:a", "<urn:p>", '"a"'), Statement("<urn:d>", "<urn:q>", "_:a")])
    after = named([Statement("_:a", "<urn:p>", '"b"'), Statement("<urn:d>", "<urn:q>", "_:a")])
    assert before.isdisjoint(after)


# ---- a catalogue that is a blank node


def catalogue(*titles: str, about: str = '"C"') -> list[Statement]:
    """A blank catalogue of blank datasets, and of one with an IRI; each has a blank publisher."""
    said = [Statement("_:c", "<urn:title>", about), Statement("_:c", LIST, "<urn:d>")]
    for number, title in enumerate(titles):
        dataset, agent = f"_:d{number}", f"_:a{number}"
        said += [
            Statement("_:c", LIST, dataset),
            Statement(dataset, "<urn:title>", title),
            Statement(dataset, "<urn:publisher>", agent),
            Statement(agent, "<urn:name>", '"A"'),
        ]
    return said


LIST = ref(DCAT.dataset)


def node(statements: set[Statement], title: str) -> str:
    """The name of what has a title."""
    (found,) = {s.subject for s in statements if s[1:] == ("<urn:title>", title)}
    return found


def test_a_changed_dataset_of_a_blank_catalogue_renames_nothing_else() -> None:
    before, after = named(catalogue('"x"', '"y"')), named(catalogue('"x"', '"z"'))
    assert node(before, '"x"') == node(after, '"x"')
    assert node(before, '"C"') == node(after, '"C"')
    assert Statement(node(after, '"C"'), LIST, node(after, '"z"')) in after
    assert len(after) == len(catalogue('"x"', '"z"'))


def test_a_dataset_more_renames_no_blank_catalogue() -> None:
    before, after = named(catalogue('"x"')), named(catalogue('"x"', '"y"'))
    more = Statement("_:c", LIST, "<urn:e>")
    assert node(before, '"C"') == node(after, '"C"')
    assert node(before, '"C"') == node(named([*catalogue('"x"'), more]), '"C"')
    assert before < after


def test_a_changed_blank_catalogue_renames_none_of_its_datasets() -> None:
    before, after = named(catalogue('"x"')), named(catalogue('"x"', about='"D"'))
    assert node(before, '"x"') == node(after, '"x"')
    assert node(before, '"C"') != node(after, '"D"')


def test_twins_in_a_blank_catalogue_stay_two() -> None:
    done = named(catalogue('"x"', '"x"'))
    assert len({s.object for s in done if s.predicate == LIST}) == 3


def test_two_blank_catalogues_are_told_apart_by_what_they_list() -> None:
    other = [s._replace(subject="_:o") for s in catalogue() if s.predicate == LIST]
    done = named([*catalogue('"x"'), *other, Statement("_:o", "<urn:title>", '"O"')])
    assert Statement(node(done, '"O"'), LIST, "<urn:d>") in done
    assert Statement(node(done, '"O"'), LIST, node(done, '"x"')) not in done


def test_group_is_shown_by_a_statement_of_the_source() -> None:
    kept, _ = unlisted(catalogue('"x"'))
    assert [example(group) for group in groups(kept)] == [
        '[] <urn:title> "C" .',
        '[] <urn:title> "x" .',
    ]
    assert example([Statement("<urn:s>", "<urn:p>", "_:a")]) == "<urn:s> <urn:p> [] ."


def test_literal_that_looks_like_a_label_stays() -> None:
    (done,) = named([Statement("_:a", "<urn:p>", '"_:c14n0"')])
    assert done.object == '"_:c14n0"'


# ---- through a worker


def clique(size: int) -> str:
    """Blank nodes all joined to all others: RDFC-1.0 takes for ever."""
    pairs = [(a, b) for a in range(size) for b in range(size) if a != b]
    return "".join(f"_:n{a} <urn:p> _:n{b} .\n" for a, b in pairs)


def read(text: str, pool: Pool, seconds: float) -> set[str]:
    source = Source("s", None, "text/turtle", text.encode())
    return set(parse(source, Settings(base=BASE, group_seconds=seconds), pool=pool).lines)


def test_clique_of_twelve_is_refused_in_time_with_the_place(pool: Pool) -> None:
    text = "<urn:harmless> <urn:p> 1 .\n<urn:around> <urn:p> _:n1 .\n" + clique(12)
    with pytest.raises(BadInput, match="could not be named: stopped after 1") as error:
        read(text, pool, 1)
    assert "<urn:around>" in str(error.value.hint)
    assert "give IRIs" in str(error.value.hint)


def test_clique_that_fills_the_memory_first_is_refused_alike() -> None:
    with Pool(1, 300 << 20) as small, pytest.raises(BadInput, match="memory limit") as error:
        read("<urn:around> <urn:p> _:n1 .\n" + clique(12), small, 60)
    assert "give IRIs" in str(error.value.hint)


def test_pool_goes_on_after_a_clique(pool: Pool) -> None:
    assert read("_:a <urn:p> 1 .", pool, 5)


@settings(max_examples=20, deadline=None)
@given(GRAPHS)
def test_worker_names_nodes_as_described(pool: Pool, graph: list[Statement]) -> None:
    done = read("\n".join(s.line for s in graph), pool, 5)
    assert done == {s.line for s in named(graph)}


def test_time_of_one_group_is_not_charged_to_another(pool: Pool) -> None:
    star = "".join(f"_:centre <urn:p> {n} .\n" for n in range(9))
    pairs = "".join(f"_:a{n} <urn:p> _:b{n} . _:b{n} <urn:q> {n} .\n" for n in range(20_000))
    done = read(star + pairs, pool, 0.2)
    assert len(done) == 9 + 40_000
    assert all(split_line(line).subject.startswith(f"<{BASE}") for line in done)
