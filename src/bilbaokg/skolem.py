"""Stable names for blank nodes: `<base>/.well-known/genid/{24 hex}-{k}-{n}`.

Blank nodes joined by a statement form a group; a group is canonicalised with RDFC-1.0, and its
IRIs are made of the hash of the canonical text, a counter of identical twins (k) and the canonical
number of the node (n). Runs in a worker: canonicalising a hostile group takes for ever.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

import pyoxigraph as ox

from bilbaokg.terms import Statement

__all__ = ["GENID", "canonical_group", "groups", "skolemise"]

GENID: Final = "/.well-known/genid/"
_LABEL: Final = re.compile(r"_:[^ ]+")


def groups(statements: Iterable[Statement]) -> list[list[Statement]]:
    """The statements split into groups that share no blank node. Each must name at least one."""
    parent: dict[str, str] = {}

    def find(label: str) -> str:
        root = label
        while (above := parent.setdefault(root, root)) != root:
            root = above
        while parent[label] != root:
            parent[label], label = root, parent[label]
        return root

    held = list(dict.fromkeys(statements))
    for subject, _, object_ in held:
        labels = [term for term in (subject, object_) if term.startswith("_:")]
        roots = [find(label) for label in labels]
        if len(roots) == 2:
            parent[roots[0]] = roots[1]
    by_root: dict[str, list[Statement]] = defaultdict(list)
    for statement in held:
        label = statement.subject if statement.subject.startswith("_:") else statement.object
        by_root[find(label)].append(statement)
    return list(by_root.values())


def _relabel(term: str, names: dict[str, str]) -> str:
    return names[term] if term.startswith("_:") else term


def canonical_group(group: list[Statement]) -> list[Statement]:
    """The group with RDFC-1.0 labels (`_:c14n0`, ...), sorted."""
    labels = {term for s in group for term in (s.subject, s.object) if term.startswith("_:")}
    if len(labels) == 1:
        # RDFC-1.0 gives a lone blank node the label c14n0: no need to run it.
        names = {labels.pop(): "_:c14n0"}
        return sorted(
            Statement(_relabel(s.subject, names), s.predicate, _relabel(s.object, names))
            for s in group
        )
    text = "\n".join(s.line for s in group)
    dataset = ox.Dataset(ox.parse(text, format=ox.RdfFormat.N_TRIPLES, lenient=True))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(
        Statement(str(quad.subject), str(quad.predicate), str(quad.object)) for quad in dataset
    )


def skolemise(canonical: Iterable[list[Statement]], base: str) -> Iterator[Statement]:
    """The statements of canonical groups, blank nodes replaced by IRIs.

    Two groups with the same canonical text stay two: twins are counted.
    """
    twins: dict[str, int] = defaultdict(int)
    for group in canonical:
        text = "".join(f"{s.line}\n" for s in group)
        digest = hashlib.sha256(text.encode()).hexdigest()[:24]
        prefix = f"<{base}{GENID}{digest}-{twins[digest]}-"
        twins[digest] += 1

        def name(term: str, prefix: str = prefix) -> str:
            return f"{prefix}{term[6:]}>" if _LABEL.fullmatch(term) else term

        for s in group:
            yield Statement(name(s.subject), s.predicate, name(s.object))
