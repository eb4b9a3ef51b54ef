"""Stable names for blank nodes: `<base>/.well-known/genid/{24 hex}-{k}-{n}`.

Blank nodes joined by a statement form a group; a group is canonicalised with RDFC-1.0, and its
IRIs are made of the hash of the canonical text, a counter of identical twins (k) and the canonical
number of the node (n). Runs in a worker: canonicalising a hostile group takes for ever.

What a catalogue lists is no part of what it is (`unlisted`): otherwise a catalogue that is a blank
node would be one group with all its datasets, and a change of one would rename them all.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

import pyoxigraph as ox

from bilbaokg.terms import LISTINGS, Statement

__all__ = ["GENID", "canonical_group", "example", "groups", "listed", "skolemise", "unlisted"]

GENID: Final = "/.well-known/genid/"
_LABEL: Final = re.compile(r"_:[^ ]+")
# Stands for the catalogue where it lists what is a blank node too, and marks it among its group.
_LISTER: Final = "<urn:bilbaokg:lister>"


def unlisted(statements: Iterable[Statement]) -> tuple[list[Statement], list[Statement]]:
    """The statements to be named, and those that list IRIs, which need a name for one end alone.

    Where one blank node lists, it stands aside in its listings: blank members keep them with a
    stand-in for it, so that they do not depend on it, nor it on them. `listed` undoes this.
    """
    held = list(dict.fromkeys(statements))
    listers = {s.subject for s in held if s.predicate in LISTINGS and s.subject.startswith("_:")}
    # Several, which could be twins, are told apart by what they list.
    if len(listers) != 1 or any(_LISTER in s for s in held):
        return held, []
    (lister,) = listers
    kept, aside = [Statement(lister, _LISTER, _LISTER)], []
    for statement in held:
        if statement.subject != lister or statement.predicate not in LISTINGS:
            kept.append(statement)
        elif statement.object.startswith("_:"):
            kept.append(statement._replace(subject=_LISTER))
        else:
            aside.append(statement)
    return kept, aside


def listed(named: Iterable[Statement], aside: Iterable[Statement]) -> list[Statement]:
    """All statements, named: what `unlisted` put in the catalogue's place becomes its name."""
    found = list(named)
    lister = next((s.subject for s in found if s.predicate == _LISTER), _LISTER)
    return [
        s._replace(subject=lister) if s.subject == _LISTER else s
        for s in found
        if s.predicate != _LISTER
    ] + [s._replace(subject=lister) for s in aside]


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


def example(group: list[Statement]) -> str:
    """A statement by which people find a group: from an IRI, if one leads there; blank nodes []."""
    found = [s for s in group if _LISTER not in s] or group
    line = next((s for s in found if s.subject.startswith("<")), found[0]).line
    return re.sub(rf"_:\w+|{_LISTER}", "[]", line[:200])


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
