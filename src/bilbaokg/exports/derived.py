"""What exists in exports only: names of agents, and shortcuts made of the roles in force.

It is derived each time and stored nowhere, so it cannot disagree with what it is made of.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bilbaokg.exports.catalogue import Catalogue, Pair
from bilbaokg.terms import (
    ADMS,
    DCAT,
    DCT,
    FOAF,
    ORG,
    PROV,
    RDFS,
    SKOS,
    VCARD,
    ref,
)

__all__ = ["CUSTODIAN", "above", "says", "skips"]

CUSTODIAN: Final = "http://data.europa.eu/930/custodian"
_AGENT_NAMES: Final = tuple(
    map(ref, (SKOS.prefLabel, RDFS.label, DCT.title, VCARD["organization-name"], VCARD.fn))
)
_NAME: Final = ref(FOAF.name)
_ATTRIBUTION, _ROLE, _AGENT = map(ref, (PROV.qualifiedAttribution, DCAT.hadRole, PROV.agent))
_HOLDER: Final = ref(DCT.rightsHolder)
_ABOVE: Final = (ref(ORG.unitOf), ref(ORG.subOrganizationOf))
_LEGAL: Final = ref(ORG.FormalOrganization)
_STATUS: Final = ref(ADMS.status)


def says(catalogue: Catalogue, node: str, name: str) -> list[Pair]:
    """What the catalogue says of a node as one kind, and what follows from it for an export."""
    return [*catalogue.about.get(node, ()), *_derive(catalogue, node, name)]


def _derive(catalogue: Catalogue, node: str, name: str) -> list[Pair]:
    """An agent's foaf:name from its other names; rights holder and custodian from the roles."""
    if name == "Agent":
        return _agent_name(catalogue, node)
    if name in ("Dataset", "Series", "Service"):
        return _shortcuts(catalogue, node)
    return []


def _agent_name(catalogue: Catalogue, node: str) -> list[Pair]:
    if catalogue.values(node, _NAME):
        return []
    found = (catalogue.values(node, predicate) for predicate in _AGENT_NAMES)
    return [(_NAME, name) for name in next(filter(None, found), [])]


def _shortcuts(catalogue: Catalogue, node: str) -> list[Pair]:
    pairs: list[Pair] = []
    for attribution in catalogue.values(node, _ATTRIBUTION):
        if skips(catalogue, attribution):
            continue
        roles = catalogue.values(attribution, _ROLE)
        for agent in catalogue.values(attribution, _AGENT):
            if f"<{catalogue.base}/ns#steward>" in roles:
                pairs.append((ref(CUSTODIAN), agent))
            if f"<{catalogue.base}/ns#owner>" in roles and (body := _legal_body(catalogue, agent)):
                pairs.append((_HOLDER, body))
    # A rights holder that somebody stated stays; a difference is a finding, not ours to mend.
    stated = bool(catalogue.values(node, _HOLDER))
    return [pair for pair in pairs if pair[0] != _HOLDER or not stated]


def _legal_body(catalogue: Catalogue, agent: str) -> str | None:
    """The formal organisation that an agent is, or is part of; the nearest one."""
    return next((a for a in above(catalogue, agent) if _LEGAL in catalogue.types(a)), None)


def above(catalogue: Catalogue, agent: str) -> Iterator[str]:
    """An agent and those that it is part of, the nearest first."""
    seen: set[str] = set()
    waiting = [agent]
    while waiting:
        found = waiting.pop(0)
        if found not in seen:
            seen.add(found)
            yield found
            waiting += [o for p in _ABOVE for o in catalogue.values(found, p)]


def skips(catalogue: Catalogue, node: str) -> bool:
    """Whether a node stays out: roles that are not in force, or that nobody holds in public."""
    if ref(PROV.Attribution) not in catalogue.types(node):
        return False
    ours = f"<{catalogue.base}/ns#"
    states = [s for s in catalogue.values(node, _STATUS) if s.startswith(ours)]
    in_force = not states or f"{ours}active>" in states
    return not in_force or not catalogue.values(node, _AGENT)
