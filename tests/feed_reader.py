"""A reader of feeds who knows nothing of the program: only the addresses and what they promise.

It keeps one set of statements a member, as the reference of the addresses says, and replaces each
as a whole. Labels of blank nodes are kept: the feed promises that they stay the same.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import pyoxigraph as ox

DCAT = "http://www.w3.org/ns/dcat#"
SCHEMA = "https://schema.org/"
HYDRA = "http://www.w3.org/ns/hydra/core#"
AS = "https://www.w3.org/ns/activitystreams#"
RDF_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
TOPIC = "<http://xmlns.com/foaf/0.1/primaryTopic>"
MEMBERS = {f"<{DCAT}{name}>" for name in ("Catalog", "Dataset", "DatasetSeries", "DataService")} | {
    f"<{SCHEMA}{name}>" for name in ("DataCatalog", "Dataset", "WebAPI")
}
LISTINGS = {f"<{DCAT}{name}>" for name in ("dataset", "service", "record", "catalog", "resource")}
LISTINGS |= {f"<{SCHEMA}{name}>" for name in ("dataset", "hasPart")}
FORMATS = {"nt": ox.RdfFormat.N_TRIPLES, "ttl": ox.RdfFormat.TURTLE, "rdf": ox.RdfFormat.RDF_XML}
ATOM = "{http://www.w3.org/2005/Atom}"
TOMBSTONES = "{http://purl.org/atompub/tombstones/1.0}"
RDF_ROOT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF"

Triple = tuple[str, str, str]
Get = Callable[[str], bytes]
"""Gives what stands at an absolute address; fails where it is not 200."""


class Page(NamedTuple):
    """One RDF page: what it says, and where the next one is."""

    triples: set[Triple]
    next: str | None


def read(content: bytes, ext: str) -> Page:
    """A page without its paging node."""
    found = {
        (str(q.subject), str(q.predicate), str(q.object))
        for q in ox.parse(content, format=FORMATS[ext])
    }
    paging = {s for s, _, o in found if o == f"<{HYDRA}PagedCollection>"}
    following = [o[1:-1] for s, p, o in found if s in paging and p == f"<{HYDRA}next>"]
    return Page({t for t in found if t[0] not in paging}, next(iter(following), None))


def whole(get: Get, address: str, ext: str) -> set[Triple]:
    """All pages from an address on."""
    found: set[Triple] = set()
    place: str | None = address
    while place:
        page = read(get(place), ext)
        found |= page.triples
        place = page.next
    return found


def split(triples: Iterable[Triple]) -> dict[str, set[Triple]]:
    """The statements of each member: up to other members, with its records and listings."""
    about: dict[str, list[Triple]] = {}
    listed: dict[str, list[Triple]] = {}
    records: dict[str, list[str]] = {}
    members = set()
    for triple in triples:
        subject, predicate, object_ = triple
        if predicate in LISTINGS:
            listed.setdefault(object_, []).append(triple)
            continue
        about.setdefault(subject, []).append(triple)
        if predicate == RDF_TYPE and object_ in MEMBERS:
            members.add(subject)
        if predicate == TOPIC:
            records.setdefault(object_, []).append(subject)
    found = {}
    for member in members:
        wanted, own = [member, *records.get(member, [])], set()
        seen = set(wanted)
        while wanted:
            node = wanted.pop()
            own.update(listed.get(node, []), about.get(node, []))
            for _, _, object_ in about.get(node, []):
                if object_ in about and object_ not in members | seen:
                    seen.add(object_)
                    wanted.append(object_)
        found[member] = own
    return found


class Reader:
    """Holds a feed, read whole once and from then on by its changes alone."""

    def __init__(self, get: Get, feed: str, changes: str, ext: str = "nt") -> None:
        self.get, self.feed, self.changes, self.ext = get, feed, changes, ext
        self.members: dict[str, set[Triple]] = {}
        self.known = ""  # the time of the newest change that is known

    @property
    def graph(self) -> set[Triple]:
        """All that it holds."""
        return set().union(*self.members.values())

    def begin(self) -> None:
        """Read the feed whole."""
        self.known = self._newest()
        self.take(whole(self.get, f"{self.feed}.{self.ext}", self.ext))

    def take(self, feed: Iterable[Triple]) -> None:
        """Begin with what somebody else has read."""
        self.members = split(feed)

    def _newest(self) -> str:
        return next((at for at, _, _ in self._entries(f"{self.changes}/changes.atom")), "")

    # ---- by Atom

    def follow_atom(self) -> None:
        """Take in the entries until one that is known."""
        newest = self.known
        for at, name, content in self._entries(f"{self.changes}/changes.atom"):
            if at < self.known:
                break
            newest = max(newest, at)
            if content is None:
                self.members.pop(name, None)
            else:
                self.members[name] = content
        self.known = newest

    def _entries(self, place: str | None) -> Iterator[tuple[str, str, set[Triple] | None]]:
        while place:
            tree = ElementTree.fromstring(self.get(place))  # noqa: S314  our own
            for element in tree:
                if element.tag == f"{TOMBSTONES}deleted-entry":
                    yield element.attrib["when"], f"<{element.attrib['ref']}>", None
                elif element.tag == f"{ATOM}entry":
                    at, name = (element.findtext(f"{ATOM}{n}") or "" for n in ("updated", "id"))
                    (content,) = element.findall(f"{ATOM}content/{RDF_ROOT}")
                    yield at, f"<{name}>", read(ElementTree.tostring(content), "rdf").triples
            links = tree.findall(f"{ATOM}link")
            place = next((e.attrib["href"] for e in links if e.attrib["rel"] == "next"), None)

    # ---- by what was modified, and what is gone

    def follow_modified(self, since: str) -> None:
        """Take in what changed since a moment, then let go of what went since."""
        changed = whole(self.get, f"{self.feed}.{self.ext}?modified_since={since}", self.ext)
        self.members |= split(changed)
        gone = whole(self.get, f"{self.changes}/deletions.{self.ext}?modified_since={since}",
                     self.ext)  # fmt: skip
        for subject, _, object_ in gone:
            if object_ == f"<{AS}Tombstone>":
                self.members.pop(subject, None)
