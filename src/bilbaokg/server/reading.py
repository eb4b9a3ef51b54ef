"""What a page reads: the current release, opened once, and the names of things in it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote, unquote

from bilbaokg import elsewhere, index, queries, render
from bilbaokg.elsewhere import Words
from bilbaokg.index import Index, Text, Where, choose, vocabulary
from bilbaokg.lineage import Graph
from bilbaokg.lineage.duties import Duty, duties_of
from bilbaokg.lineage.effects import dependents
from bilbaokg.lineage.ground import Ground
from bilbaokg.model import Query, Release
from bilbaokg.queries import bind
from bilbaokg.release import Releases
from bilbaokg.server import compliance
from bilbaokg.server.compliance import Compliance
from bilbaokg.server.views import Value
from bilbaokg.skolem import GENID
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import DCAT, LANGUAGES, PREFIXES, RDF, XSD, language_of, plain, ref

__all__ = ["Catalogue", "Opened", "Reader", "anchor", "short"]

T = TypeVar("T")

_DATES: Final = (f"^^<{XSD.date}>", f"^^<{XSD.dateTime}>")
_AUTHORITIES: Final = (
    "http://publications.europa.eu/resource/authority/",
    "https://www.iana.org/assignments/media-types/",
    "http://www.iana.org/assignments/media-types/",
)

_USED: Final = {
    "class": "SELECT ?term (COUNT(*) AS ?n) WHERE { ?s a ?term } GROUP BY ?term",
    "property": "SELECT ?term (COUNT(*) AS ?n) WHERE { ?s ?term ?o } GROUP BY ?term",
}


def anchor(iri: str) -> str:
    """The id of a subject on the page of its record."""
    return f"s-{hashlib.sha256(iri.encode()).hexdigest()[:10]}"


@dataclass(frozen=True)
class Opened:
    """A release with its index and store, which many threads may read."""

    release: Release
    index: Index
    store: EmbeddedStore
    base: str
    _once: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)
    # What is made may be made of what else is.
    _making: Any = field(default_factory=threading.RLock, repr=False, compare=False)

    @cached_property
    def report(self) -> dict[str, Any] | None:
        """The validation that the gate ran, or None when the release was built without one."""
        file = self.release.path / "report.json"
        found: dict[str, Any] | None = json.loads(file.read_text()) if file.is_file() else None
        return found

    @cached_property
    def results_of(self) -> Mapping[str, Sequence[dict[str, Any]]]:
        """What that validation found, by the dataset and by the node that it is about (IRIs)."""
        found: dict[str, list[dict[str, Any]]] = {}
        for result in self.report["results"] if self.report else ():
            for iri in {result["dataset"], result["focus"]} - {None}:
                found.setdefault(iri, []).append(result)
        return found

    @property
    def lineage(self) -> Graph:
        """What comes from what in the release, made once, when it is first asked for."""
        found: Graph = self._made("_lineage")
        return found

    @cached_property
    def _lineage(self) -> Graph:
        return Graph.of(self.store)

    def _made(self, name: str) -> Any:
        """What is made once; what is there need not wait for what is being made."""
        if name not in vars(self):
            with self._making:
                return getattr(self, name)
        return vars(self)[name]

    def ground(self, lang: str) -> Ground:
        """What questions to its lineage are asked of; lang: in which labels are told."""
        return Ground(self.store, self.base, lambda: self.lineage, lang=lang)

    @property
    def duties(self) -> Mapping[str, Sequence[Duty]]:
        """What sources ask of each of its datasets (IRIs), reckoned once, when first asked for."""
        found: Mapping[str, Sequence[Duty]] = self._made("_duties")
        return found

    @cached_property
    def _duties(self) -> Mapping[str, Sequence[Duty]]:
        typed = self.store.match(None, ref(RDF.type), ref(DCAT.Dataset))
        iris = sorted({s[1:-1] for s, *_ in typed if s.startswith("<")})
        found: dict[str, list[Duty]] = {iri: [] for iri in iris}
        for duty in duties_of(self.ground(LANGUAGES[0]), *iris):
            found[duty.dataset].append(duty)
        return found

    def duties_of(self, dataset: str) -> Sequence[Duty]:
        """Those of a dataset (IRI); of it alone where those of all are not reckoned yet."""
        known = vars(self).get("_duties", {}).get(dataset)
        return duties_of(self.ground(LANGUAGES[0]), dataset) if known is None else known

    def dependents(self, changed: Collection[str]) -> Mapping[str, list[str]]:
        """The datasets (IRIs) that depend on what it changed or withdrew, the nearest first, and
        their owners; reckoned once for the same changes."""
        make = partial(dependents, self.ground(LANGUAGES[0]), sorted(changed))
        return self.once(("dependents", frozenset(changed)), make)

    def once(self, name: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, which depends on the release and this name alone: made once.

        What is there need not wait for what is being made.
        """
        if name not in self._once:
            with self._making:
                if name not in self._once:
                    self._once[name] = make()
        found: T = self._once[name]
        return found

    @cached_property
    def elsewhere(self) -> Mapping[str, Words]:
        """What is known of the things of others that it leads to, by their IRI."""
        return elsewhere.known(self.store, self.base)

    @property
    def compliance(self) -> Compliance:
        """How its datasets stand against principles, reckoned once, when it is first asked for."""
        found: Compliance = self._made("_compliance")
        return found

    @cached_property
    def _compliance(self) -> Compliance:
        return compliance.of(self.select(queries.load("pages/compliance")), self.index)

    @property
    def terms(self) -> list[tuple[str, int, str]]:
        """The classes and properties in use, the most used first: IRI, how often, and which it is
        (class or property). Counted once, when first asked for."""
        found: list[tuple[str, int, str]] = self._made("_terms")
        return found

    @cached_property
    def _terms(self) -> list[tuple[str, int, str]]:
        found = [
            (row["term"].value, int(row["n"].value), kind)
            for kind, text in _USED.items()
            for row in self.store.query(text)
        ]
        return sorted(found, key=lambda each: (-each[1], each[0]))

    def select(self, query: Query, **params: str) -> list[dict[str, str]]:
        """Rows of a page query of ours: variable -> N-Triples term, unbound ones left out."""
        solutions: Any = self.store.query(bind(query, **params))
        names = [variable.value for variable in solutions.variables]
        return [
            {name: str(row[name]) for name in names if row[name] is not None} for row in solutions
        ]


# Releases of the past that stay open.
_PAST: Final = 2


class Catalogue:
    """The current release, opened when first asked for and again when it changes; and those before
    it, of which the last that were asked for stay open."""

    def __init__(self, releases: Releases, cache: Path, base: str) -> None:
        self.releases, self.cache, self.base = releases, cache, base
        self._lock = threading.Lock()
        self._opened: Opened | None = None
        self._reaching = threading.Lock()
        self._past: OrderedDict[str, Opened] = OrderedDict()

    def current(self) -> Opened | None:
        """The release that is published now, or None before the first."""
        try:
            name = (self.releases.path / "current").readlink().name
        except OSError:
            return None
        with self._lock:
            if self._opened is None or self._opened.release.id != name:
                self._opened = self._open(name)
            return self._opened

    def past(self, id: str) -> Opened:
        """A release by its id. Raises NotFound, CorruptStore."""
        now = self.current()
        if now and now.release.id == id:
            return now
        with self._reaching:
            if id not in self._past:
                self._past[id] = self._open(id)
            self._past.move_to_end(id)
            while len(self._past) > _PAST:
                self._past.popitem(last=False)
            return self._past[id]

    def _open(self, id: str) -> Opened:
        release = self.releases.get(id)
        found = index.of(release, self.cache)
        store = EmbeddedStore.read_only(release.path / "store")
        return Opened(release, found, store, self.base)


@dataclass
class Reader:
    """Names and addresses of things, for one reader: their language and our path prefix.

    `earlier` are other releases that may know the name of what this one does not.
    """

    opened: Opened
    site: render.Site
    earlier: Sequence[Index] = ()
    _labels: dict[str, Text] = field(default_factory=dict)
    _places: dict[str, Where | None] = field(default_factory=dict)
    _values: dict[str, Value] = field(default_factory=dict)

    @property
    def lang(self) -> str:
        """The language of the page."""
        return self.site.lang

    def load(self, iris: Iterable[str]) -> None:
        """Look these up in two queries, so that what follows asks nothing."""
        missing = [iri for iri in dict.fromkeys(iris) if iri not in self._places]
        if not missing:
            return
        found = self.opened.index.resources(missing)
        self._places |= {iri: found.get(iri) for iri in missing}
        self._labels |= self.opened.index.labels(missing, self.lang)
        for other in self.earlier:
            unnamed = [iri for iri in missing if iri not in self._labels]
            self._labels |= other.labels(unnamed, self.lang)

    def place(self, iri: str) -> Where | None:
        """Where the release shows a subject."""
        if iri not in self._places:
            self.load([iri])
        return self._places[iri]

    def name(self, iri: str) -> Text:
        """What a thing is called: in the release, in our vocabularies, else a short form.

        What the release calls it in another language comes after what we call it in this one. A
        nameless part is called after its record.
        """
        place = self.place(iri)
        told = self._labels.get(iri)
        if told and told.lang == self.lang:
            return told
        ours = vocabulary.names(self.opened.base).get(iri, {})
        if self.lang in ours:
            return Text(ours[self.lang], self.lang)
        term = render.term_label(iri, self.lang)
        if term and term.lang == self.lang:
            return term
        if told:
            return told
        if ours:
            return choose(ours, self.lang)
        if place and not place.whole and place.page == place.record:
            return self.name(self.opened.index.iri(place.record))
        if GENID in iri:
            return Text(render.translate("resource.node", self.lang), "")
        return term or Text(short(iri), "")

    def is_named(self, iri: str) -> bool:
        """Whether the release says what a thing is called."""
        return self.place(iri) is not None and iri in self._labels

    def href(self, iri: str) -> str | None:
        """Our page about a thing, else the IRI itself when a browser may follow it."""
        place = self.place(iri)
        if place is None:
            return render.safe_href(iri)
        mark = "" if place.whole or place.page != place.record else f"#{anchor(iri)}"
        return self.site.url(f"/{quote(place.page)}{mark}")

    def iri(self, iri: str) -> Value:
        """An IRI by its name, with a link."""
        found = self._values.get(iri)
        if found is None:
            found = Value(self.name(iri), self.href(iri), iri, mark=self.mark(iri))
            self._values[iri] = found
        return found

    def mark(self, iri: str) -> str:
        """Where a thing is whose title was asked for elsewhere, and since when it is gone there;
        empty for all others."""
        words = self.words(iri)
        if words is None:
            return ""
        key = "elsewhere.gone" if words.gone else "elsewhere.at"
        when = render.when(words.gone[:10], self.lang)
        return render.translate(key, self.lang, host=elsewhere.host(iri), when=when)

    def words(self, iri: str) -> Words | None:
        """What is known of a thing elsewhere, which the release names and does not describe."""
        words = self.opened.elsewhere.get(iri)
        return words if words and self.place(iri) is None else None

    def value(self, term: str) -> Value:
        """An N-Triples term as people read it."""
        if term.startswith("<"):
            return self.iri(plain(term))
        text, tag = plain(term), language_of(term)
        if term.endswith(_DATES):
            return Value(Text(render.when(text, self.lang), ""), term=text)
        datatype = term.rpartition('"^^<')[2][:-1] if term.endswith(">") else ""
        return Value(Text(text, tag or ""), term=short(datatype))


def short(iri: str) -> str:
    """An IRI as people abbreviate it; itself where there is no usual way."""
    for prefix in ("mailto:", "tel:"):
        if iri.startswith(prefix):
            return unquote(iri.removeprefix(prefix))
    for authority in _AUTHORITIES:
        if iri.startswith(authority):
            rest = iri.removeprefix(authority)
            return rest.partition("/")[2] if "publications" in authority and "/" in rest else rest
    for name, namespace in PREFIXES.items():
        if iri.startswith(namespace) and iri != namespace:
            return f"{name}:{iri.removeprefix(namespace)}"
    return _spelt(iri)


def _spelt(iri: str) -> str:
    """An IRI with its letters for their percents, where all can be seen."""
    with contextlib.suppress(UnicodeDecodeError):
        spelt = unquote(iri, errors="strict")
        return spelt if spelt.isprintable() else iri
    return iri
