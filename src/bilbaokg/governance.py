"""Roles, and what of a record may be published: units answer in public, persons never do.

A public text names the unit in place of the person (prov:agent), holds active roles only, and
carries nothing of how an appointment came about.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Final

from bilbaokg.model import Record
from bilbaokg.terms import (
    ADMS,
    AS,
    FOAF,
    ORG,
    PERSONS,
    PROV,
    RDF,
    Statement,
    plain,
    ref,
    split_line,
    split_lines,
)

__all__ = ["People", "is_end", "people", "pointed", "public_lines", "units"]

_TYPE: Final = ref(RDF.type)
_ORGANISATIONS: Final = tuple(
    map(
        ref,
        (
            ORG.Organization,
            ORG.FormalOrganization,
            ORG.OrganizationalUnit,
            ORG.OrganizationalCollaboration,
            FOAF.Organization,
            FOAF.Group,
        ),
    )
)
_AGENT: Final = ref(PROV.agent)
_ACTIVITIES: Final = frozenset(
    map(ref, (AS.Offer, AS.Accept, AS.Reject, AS.Leave, AS.Remove, ORG.Membership))
)
_STATUS: Final = ref(ADMS.status)
_ATTRIBUTION: Final = ref(PROV.Attribution)
_GENERATED: Final = ref(PROV.wasGeneratedBy)


@dataclass(frozen=True, slots=True)
class People:
    """The persons of the catalogue (N-Triples terms) and the unit that each works for."""

    persons: frozenset[str] = frozenset()
    units: Mapping[str, str] = field(default_factory=dict)


def people(records: Iterable[Record]) -> People:
    """Who the persons are, from all records; a person's unit is that of an open membership.

    A member is taken for a person unless it is known to be an organisation.
    """
    persons: set[str] = set()
    organisations: set[str] = set()
    member: dict[str, str] = {}
    organization: dict[str, str] = {}
    ended: set[str] = set()
    during: dict[str, str] = {}
    for record in records:
        subject = ref(record.iri)
        if any(f"{subject} {_TYPE} {cls} ." in record.text for cls in _ORGANISATIONS):
            organisations.add(subject)
        if ORG.member not in record.text and not any(cls in record.text for cls in PERSONS):
            continue
        for s, p, o in map(split_line, split_lines(record.text)):
            if p == _TYPE and o in PERSONS:
                persons.add(s)
            elif p == ref(ORG.member):
                member[s] = o
            elif p == ref(ORG.organization):
                organization[s] = o
            elif p == ref(ORG.memberDuring):
                during[s] = o
            elif is_end(p):
                ended.add(s)
    known = units(member, organization, during, ended)
    return People(frozenset(persons | (set(member.values()) - organisations)), known)


def is_end(predicate: str) -> bool:
    """Whether a property (a term) says when a time ended."""
    return plain(predicate).rpartition("/")[2].rpartition("#")[2] in ("endDate", "hasEnd")


def units(
    member: Mapping[str, str],
    organization: Mapping[str, str],
    during: Mapping[str, str],
    ended: Set[str],
) -> dict[str, str]:
    """Who works for which unit, from memberships: their member, organisation and time; the times
    that ended. All are terms."""
    found: dict[str, str] = {}
    # Open memberships are written last, so they win over those that ended.
    for post in sorted(member, key=lambda post: (during.get(post, "") not in ended, post)):
        if post in organization:
            found[member[post]] = organization[post]
    return found


def public_lines(
    record: Record,
    known: People,
    excluded: Set[str],
    namespace: str,
    others: Set[str] = frozenset(),
) -> tuple[list[str], Counter[str]]:
    """The lines of a record that may be published, and what was cut, counted by property.

    `excluded` holds terms that are not in the release: statements that point to them are cut, by
    their IRI as text too. `others` are heads of records that are not: nothing is said of them here.
    """
    statements = [split_line(line) for line in split_lines(record.text)]
    hidden = _hidden(statements, known, namespace, ref(record.iri))
    lines: list[str] = []
    cut: Counter[str] = Counter()
    for statement in statements:
        subject, predicate, object_ = statement
        if predicate == _AGENT and object_ in known.units:
            object_ = known.units[object_]
        named = pointed(object_)
        left_out = named in known.persons or named in excluded or subject in others
        if left_out or subject in hidden or object_ in hidden:
            cut[plain(predicate)] += 1
        else:
            lines.append(Statement(subject, predicate, object_).line)
    return lines, cut


def pointed(object_: str) -> str:
    """What a value points to: a literal that is an IRI points to what the IRI names."""
    return ref(plain(object_)) if object_.startswith('"http') else object_


def _hidden(statements: list[Statement], known: People, namespace: str, root: str) -> set[str]:
    """Subjects that stay inside: persons, memberships, appointments, roles that are not active."""
    types: dict[str, set[str]] = defaultdict(set)
    status: dict[str, str] = {}
    origin: dict[str, str] = {}
    for s, p, o in statements:
        if p == _TYPE:
            types[s].add(o)
        elif p == _STATUS:
            status[s] = o
        elif p == _GENERATED:
            origin[s] = o
    hidden = {s for s in types if types[s] & _ACTIVITIES} | {
        s.subject for s in statements if s.subject in known.persons
    }
    hidden |= {s for s, activity in origin.items() if types[activity] & _ACTIVITIES}
    inactive = {
        ref(f"{namespace}{name}") for name in ("nominated", "accepted", "declined", "ended")
    }
    hidden |= {s for s in types if _ATTRIBUTION in types[s] and status.get(s) in inactive}
    return _with_parts(hidden, statements, root) if hidden else hidden


def _with_parts(hidden: set[str], statements: list[Statement], root: str) -> set[str]:
    """The hidden subjects and those to which only hidden ones point, however far."""
    subjects = {s.subject for s in statements} - {root}
    pointing: dict[str, set[str]] = defaultdict(set)
    parts: dict[str, list[str]] = defaultdict(list)
    for s, _, o in statements:
        if o in subjects and o != s:
            pointing[o].add(s)
            parts[s].append(o)
    queue = list(hidden)
    while queue:
        for part in parts[queue.pop()]:
            if part not in hidden and pointing[part] <= hidden:
                hidden.add(part)
                queue.append(part)
    return hidden
