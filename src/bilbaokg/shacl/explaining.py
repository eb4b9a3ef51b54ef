"""What a finding means for a person: what was asked, what is there, what was probably meant.

What a shape asks for is worked out once a constraint (rules.py); what is said of a single value
costs a few look-ups. Nothing of this runs for data without findings.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import islice
from typing import Final, NamedTuple

from bilbaokg.shacl.finding import Finding
from bilbaokg.shacl.graph import Layers, is_blank
from bilbaokg.shacl.messages import compact, written
from bilbaokg.shacl.nearest import Index
from bilbaokg.shacl.offers import Offer
from bilbaokg.shacl.paths import Malformed, Path, read_path
from bilbaokg.shacl.patterns import compile_pattern
from bilbaokg.shacl.prepared import Prepared
from bilbaokg.shacl.rules import Rule, Rules
from bilbaokg.shacl.shapes import choose
from bilbaokg.shacl.values import is_well_formed
from bilbaokg.shacl.vocabulary import names
from bilbaokg.terms import (
    RDF,
    SH,
    datatype_of,
    is_iri,
    language_of,
    literal,
    plain,
    ref,
    split_literal,
)

__all__ = ["Explainer", "Explanation", "Said"]

_SPARQL: Final = ref(SH.SPARQLConstraintComponent)
_CLAUSES: Final = 4
_SHOWN: Final = 200
# Values with more characters than this are no slips of a shorter one.
_LONGEST: Final = 2000
# Suggestions that are remembered at a time.
_REMEMBERED: Final = 100_000
_ADDRESS: Final = re.compile(r"(?:https?|ftp|urn|mailto|tel|doi):\S+|www\.\S+\.\S+", re.IGNORECASE)
_SPANISH_DATE: Final = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")
_NOTHING: Final = None, None


class Said(NamedTuple):
    """What the data add to what a rule says of a finding (see Explanation)."""

    nearest: str | None
    detail: str | None


class Explanation(NamedTuple):
    """What is said of a finding. nearest is an IRI, or a literal as Turtle writes it."""

    message: str
    path: str | None
    hint: str | None
    label: str | None
    allowed: tuple[str, ...] | None
    nearest: str | None
    detail: str | None


class Explainer:
    """Explains findings about data in one language. Nothing that it remembers is of the data."""

    def __init__(self, prepared: Prepared, data: Layers, language: str) -> None:
        self._rules, self._data = Rules(prepared, language), data
        self._say, self._language = self._rules.phrases, language
        self._shapes, self._vocabulary = prepared.shapes, prepared.vocabulary
        self._trusted = prepared.trusted
        self._paths: dict[str, Path | None] = {}
        self._remembered: dict[tuple[int, str], str | None] = {}

    def look(self, finding: Finding) -> Said:
        """What the data say of one finding."""
        rule = self._rules.of(finding)
        nearest, meant = self._suggestion(finding, rule)
        said = [*self._facts(finding, rule), *self._reason(finding, rule), *filter(None, [meant])]
        return Said(nearest, " ".join(said) or None)

    def explain(self, finding: Finding, said: Said | None = None) -> Explanation:
        """Everything that is said of one finding; said: what the data say, where that is known."""
        rule = self._rules.of(finding)
        nearest, detail = said or self.look(finding)
        return Explanation(
            message=self._message(finding, rule),
            path=rule.path,
            hint=rule.hint,
            label=rule.label,
            allowed=rule.allowed,
            nearest=nearest,
            detail=detail,
        )

    def _message(self, finding: Finding, rule: Rule) -> str:
        """Queries bring their own words, with values filled in; for the rest there are ours."""
        brings = finding.messages and rule.name == "Rule"
        if brings and (finding.component == _SPARQL or not rule.own):
            return choose(finding.messages, self._language) or rule.message
        return rule.message

    # ---- what is there

    def _facts(self, finding: Finding, rule: Rule) -> Iterator[str]:
        say, value = self._say, finding.value
        match rule.name:
            case "MinCount" | "MaxCount":
                if found := len(self._values(finding)):
                    yield say.detail("now", x=say.counted("value_count", found))
            # A message of the shape's own speaks of the values that count, not of all.
            case "QualifiedMinCount" | "QualifiedMaxCount" if not rule.own:
                if found := len(self._values(finding)):
                    yield say.detail("total", n=found)
            case "MinLength" | "MaxLength" if value and not is_blank(value):
                length = len(plain(value))
                yield say.detail("now", x=say.counted("character_count", length))
            case "UniqueLang":
                tags = Counter(filter(None, map(language_of, self._values(finding))))
                yield say.detail("repeated", x=", ".join(sorted(t for t in tags if tags[t] > 1)))
            case "LessThan" | "LessThanOrEquals":
                yield from self._compared(finding, rule)
            case "LanguageIn" if value and value.startswith('"'):
                tag = language_of(value)
                yield say.detail("language", x=tag) if tag else say.detail("untagged")
            case "Datatype" if value:
                yield self._typed(value, rule)
            case "Xone":
                yield from self._several(finding)

    def _values(self, finding: Finding) -> list[str]:
        """The value nodes of the property that a finding is about."""
        if finding.path is None:
            return []
        if finding.path not in self._paths:
            try:
                self._paths[finding.path] = read_path(self._shapes.graph, finding.path)
            except Malformed:
                self._paths[finding.path] = None
        path = self._paths[finding.path]
        return list(path.values(self._data, finding.focus)) if path else []

    def _compared(self, finding: Finding, rule: Rule) -> Iterator[str]:
        parameter = ref(SH[rule.name[:1].lower() + rule.name[1:]])
        others = self._shapes.graph.objects(finding.shape, parameter)
        objects = (o for other in others for o in self._data.objects(finding.focus, other))
        if found := [plain(o)[:_SHOWN] for o in islice(objects, _CLAUSES)]:
            yield self._say.detail("compared", x=self._say.joined(found))

    def _typed(self, value: str, rule: Rule) -> str:
        if not value.startswith('"'):
            return self._say.detail("link")
        datatype = datatype_of(value)
        if datatype in rule.offer.datatypes:
            return self._say.detail("written")
        return self._say.detail("typed", x=compact(ref(datatype)))

    def _several(self, finding: Finding) -> Iterator[str]:
        """Of alternatives that exclude each other: how many are met, if more than one."""
        for head in self._shapes.graph.objects(finding.shape, ref(SH.xone)):
            alternatives = self._shapes.members(head)
            failed = {d.shape for d in finding.details}
            met = sum(not failed & self._inside(a) for a in alternatives)
            if met > 1:
                yield self._say.detail("several", n=met, x=len(alternatives))

    def _inside(self, shape: str) -> set[str]:
        """A shape and the property shapes below it."""
        found, waiting = {shape}, [shape]
        while waiting:
            below = self._shapes.graph.objects(waiting.pop(), ref(SH.property))
            waiting += [b for b in below if b not in found]
            found.update(below)
        return found

    # ---- why

    def _reason(self, finding: Finding, rule: Rule) -> Iterator[str]:
        """The results of nested shapes in one sentence."""
        if not finding.details or self._is_text_for_link(finding, rule):
            return
        if rule.name == "Xone" and any(self._several(finding)):
            return
        groups: dict[tuple[str, str | None, str], list[Rule]] = {}
        for nested in map(self._rules.of, _leaves(finding.details)):
            key = nested.name, nested.path, nested.message if nested.own else ""
            groups.setdefault(key, []).append(nested)
        typed = {path for name, path, _ in groups if name == "Datatype"}
        telling = [
            rules
            for (name, path, _), rules in groups.items()
            if not (path in typed and name == "Pattern")
            and not (name == "LongPattern" and len(groups) > 1)
        ]
        if rule.own and rule.offer.terms and len(telling) == 1:
            # "Not of this table" is what the shape's own message says.
            return
        said = list(dict.fromkeys(map(self._rules.clause, telling)))
        more = ["…"] if len(said) > _CLAUSES else []
        yield self._say.detail("reason", x="; ".join([*said[:_CLAUSES], *more]))

    # ---- what was probably meant

    def _suggestion(self, finding: Finding, rule: Rule) -> tuple[str | None, str | None]:
        """The nearest value that is allowed, and the sentence that asks about it."""
        if rule.name == "Closed":
            return self._property(finding, rule)
        value, offer = finding.value, rule.offer
        if value is None:
            return _NOTHING
        if is_blank(value):
            return self._meant(self._by_names(value, offer), value)
        return self._of_value(value, offer)

    def _property(self, finding: Finding, rule: Rule) -> tuple[str | None, str | None]:
        if not finding.path or not rule.offer.terms:
            return _NOTHING
        found = self._vocabulary.index(rule.offer.terms).find(plain(finding.path))
        if not found:
            return _NOTHING
        return plain(found), self._say.detail("nearest", x=compact(found))

    def _of_value(self, value: str, offer: Offer) -> tuple[str | None, str | None]:
        text = plain(value).strip()
        if len(value) > _LONGEST:
            is_text = value.startswith('"') and offer.resource
            return None, self._say.detail("text") if is_text else None
        found = self._by_text(value, text, offer) or self._by_names(value, offer)
        if value.startswith('"') and offer.resource:
            return self._unquoted(text, found)
        return self._meant(found, value)

    def _by_text(self, value: str, text: str, offer: Offer) -> str | None:
        """The term that a value's text leads to; remembered."""
        key = id(offer), value
        if key not in self._remembered:
            if len(self._remembered) > _REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = self._led_to(value, text, offer)
        return self._remembered[key]

    def _led_to(self, value: str, text: str, offer: Offer) -> str | None:
        """Of a list, else by its type or pattern."""
        index = self._index(offer)
        found = index.find(text) if index else None
        if not found and offer.far:
            found = self._vocabulary.index(offer.far).address(text)
        return found or _retyped(value, text, offer) or self._fitting(value, text, offer)

    def _index(self, offer: Offer) -> Index | None:
        terms = offer.terms or offer.near
        return self._vocabulary.index(terms) if terms else None

    def _by_names(self, value: str, offer: Offer) -> str | None:
        """The term that a resource is called like in the data."""
        index = self._index(offer)
        if index is None or value.startswith('"'):
            return None
        return next(filter(None, map(index.name, names(self._data, value))), None)

    def _unquoted(self, text: str, found: str | None) -> tuple[str | None, str | None]:
        """A text where an IRI is due: the IRI that it is, or may stand for."""
        if not _ADDRESS.fullmatch(text):
            nearest, meant = self._meant(found, "")
            said = self._say.detail("text")
            return nearest, f"{said} {meant}" if meant else said
        iri = plain(found) if found else f"http://{text}" if text[:4].lower() == "www." else text
        if not is_iri(iri):
            return None, self._say.detail("text")
        return iri, self._say.detail("quoted", x=iri)

    def _meant(self, found: str | None, value: str) -> tuple[str | None, str | None]:
        if not found or found == value:
            return _NOTHING
        label = self._vocabulary.label(found, self._language) if found.startswith("<") else None
        shown = f"{written(found)} ({label})" if label else written(found)
        return written(found), self._say.detail("nearest", x=shown)

    def _fitting(self, value: str, text: str, offer: Offer) -> str | None:
        """A slight change of the text that fits a pattern of ours; foreign ones may never end."""
        if not self._trusted:
            return None
        for pattern, flags in offer.patterns:
            matches = _matcher(pattern, flags)
            for variant in _variants(text):
                if matches(variant):
                    return _like(value, variant, offer)
        return None

    def _is_text_for_link(self, finding: Finding, rule: Rule) -> bool:
        return rule.offer.resource and (finding.value or "").startswith('"')


def _leaves(findings: Iterable[Finding]) -> Iterator[Finding]:
    for finding in findings:
        if finding.details:
            yield from _leaves(finding.details)
        else:
            yield finding


@cache
def _matcher(pattern: str, flags: str) -> Callable[[str], bool]:
    return compile_pattern(pattern, flags)


def _like(value: str, text: str, offer: Offer) -> str:
    """A text as a term of the kind that is due, else of the kind and type of a value."""
    if offer.resource or value.startswith("<"):
        return ref(text)
    _, datatype, language = split_literal(value)
    return literal(text, language=language, datatype=None if language else datatype)


def _variants(text: str) -> Iterator[str]:
    """A text as it may have been meant: http or https, without or with a slash, in another case."""
    for form in (text, text.rstrip("/#"), f"{text}/"):
        head, slash, last = form.rstrip("/").rpartition("/")
        tail = form[len(form.rstrip("/")) :]
        for cased in (form, form.lower(), f"{head}{slash}{last.upper()}{tail}"):
            yield cased
            if cased.startswith("http://"):
                yield f"https://{cased[7:]}"
            elif cased.startswith("https://"):
                yield f"http://{cased[8:]}"


def _retyped(value: str, text: str, offer: Offer) -> str | None:
    """The same text with another datatype, where it is well written for that; a Spanish date."""
    if not value.startswith('"'):
        return None
    datatype = datatype_of(value)
    day = _SPANISH_DATE.fullmatch(text)
    texts = [text, text.lower()]
    if day:
        texts.append(f"{day[3]}-{int(day[2]):02}-{int(day[1]):02}")
    # No language can be made up, and every text is a text.
    for wanted in (d for d in offer.datatypes if d != RDF.langString):
        for form in texts:
            if (form, wanted) != (plain(value), datatype) and is_well_formed(form, wanted):
                return literal(form, datatype=wanted)
    return None
