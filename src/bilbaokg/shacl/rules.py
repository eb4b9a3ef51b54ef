"""What a constraint asks for, said once: its sentence, the way to mend it, what it allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bilbaokg import wording
from bilbaokg.shacl.finding import Finding
from bilbaokg.shacl.messages import Phrases, compact, compact_path, written
from bilbaokg.shacl.offers import LONG_PATTERN, Offer, Offers
from bilbaokg.shacl.prepared import Prepared
from bilbaokg.shacl.shapes import choose, local_name
from bilbaokg.shacl.vocabulary import IN_SCHEME
from bilbaokg.terms import RDFS, SH, plain, ref

__all__ = ["Rule", "Rules"]

_SUFFIX: Final = "ConstraintComponent"
_SHOWN: Final = 10
_ABOUT: Final = frozenset(
    ref(SH[n])
    for n in ("path", "severity", "message", "name", "description", "order", "group", "flags")
)
# Constraints that share a way to mend them.
_HINTS: Final = {
    **dict.fromkeys(("MinInclusive", "MaxInclusive", "MinExclusive", "MaxExclusive"), "Range"),
    "LessThanOrEquals": "LessThan",
    "Node": "And",
    "Inner": "And",
    "QualifiedMaxCount": "MaxCount",
}
_NESTING: Final = frozenset({"Node", "Inner", "And", "Or", "Xone"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One constraint of a shape.

    name: the key of its sentence. property: what its path is called, or its path in short; None for
    the resource itself. label: the first of these alone. path: its path's text, a predicate as
    bare IRI. values: what fills the sentence. allowed: at most ten values or what they must be.
    own: whether the message is the shape's own.
    """

    name: str
    label: str | None
    property: str | None
    path: str | None
    message: str
    own: bool
    hint: str | None
    offer: Offer
    allowed: tuple[str, ...] | None
    values: dict[str, Any] = field(hash=False)


class Rules:
    """The constraints of prepared shapes, in one language."""

    def __init__(self, prepared: Prepared, language: str) -> None:
        self.shapes, self.language = prepared.shapes, language
        self.phrases = Phrases(language)
        self._graph, self._vocabulary = prepared.shapes.graph, prepared.vocabulary
        self._offers = Offers(prepared.shapes, prepared.vocabulary)
        self._known: dict[tuple[str, str, str | None], Rule] = {}

    def of(self, finding: Finding) -> Rule:
        """The constraint that a finding is about."""
        key = finding.shape, finding.component, finding.path
        rule = self._known.get(key)
        if rule is None:
            rule = self._known[key] = self._rule(*key)
        return rule

    def clause(self, rules: Sequence[Rule]) -> str:
        """What fails, of several constraints of the same name, as part of a sentence."""
        first = rules[0]
        if first.own:
            return first.message.rstrip(".")
        name, about, values = first.name, first.property, first.values
        if name == "HasValue" and first.path == plain(IN_SCHEME):
            schemes = [term for rule in rules for term in rule.offer.terms]
            tables = (self._vocabulary.label(t, self.language) or compact(t) for t in schemes)
            name, about = "InScheme", None
            values = {"x": self.phrases.joined(map(self.phrases.quoted, tables))}
        elif name in _NESTING and first.offer.datatypes:
            types = map(self.phrases.datatype, first.offer.datatypes)
            name, values = "Datatype", {"x": self.phrases.joined(types)}
        elif len(rules) > 1:
            values = {**values, "x": self.phrases.joined(str(r.values["x"]) for r in rules)}
        return self.phrases.clause(name, about, **values)

    # ---- making one

    def _rule(self, shape: str, component: str, path: str | None) -> Rule:
        name = local_name(plain(component)).removesuffix(_SUFFIX)
        if wording.find(f"message.{name}", "es") is None or not component.startswith(f"<{SH}"):
            name = "Rule"
        offer = self._offers.of(shape, name) if name != "Rule" else Offer()
        if offer.resource and not offer.terms:
            offer = replace(offer, near=self._offers.beside(shape))
        text = self.shapes.path_text(path) if path else None
        label = self._label(shape, path, text)
        about = None if text is None else label or compact_path(text)
        name, values = self._values(name, shape, component)
        values["d"] = compact_path(text or "") or about
        own = choose(self.shapes.texts(shape, "message"), self.language)
        hint = choose(self.shapes.texts(shape, "description"), self.language)
        return Rule(
            name=name,
            label=label,
            property=about,
            path=text,
            message=own or self.phrases.message(name, about, **values),
            own=own is not None,
            hint=hint or self._hint(name, offer, values),
            offer=offer,
            allowed=self._allowed(name, offer),
            values=values,
        )

    def _label(self, shape: str, path: str | None, text: str | None) -> str | None:
        """The sh:name of a property shape, else what vocabularies call a property."""
        if path is None or text is None:
            return None
        named = self._graph.one(shape, ref(SH.path)) == path
        own = choose(self.shapes.texts(shape, "name"), self.language) if named else None
        found = wording.term(text, self.phrases.language)
        return own or (found[0] if found else None)

    def _values(self, name: str, shape: str, component: str) -> tuple[str, dict[str, Any]]:
        """What fills a constraint's sentence, which may become a more fitting one."""
        terms = self._graph.objects(shape, ref(SH[name[:1].lower() + name[1:]]))
        say, first = self.phrases, terms[0] if terms else '""'
        match name:
            case "MinCount" | "MaxCount":
                return name, self._number(first, "value_count")
            case "MinLength" | "MaxLength":
                return name, self._number(first, "character_count")
            case "QualifiedMinCount" | "QualifiedMaxCount":
                inner = self._graph.one(shape, ref(SH.qualifiedValueShape)) or ""
                return name, {"n": plain(first), "x": self._condition(inner)}
            case "Class":
                return name, {"x": say.joined(say.named(plain(t)) for t in terms or [first])}
            case "Datatype":
                return name, {"x": say.datatype(plain(first))}
            case "NodeKind":
                return name, {"x": say.kind(local_name(plain(first)))}
            case "Pattern":
                long = len(plain(first)) > LONG_PATTERN
                return ("LongPattern" if long else name), {"x": plain(first)}
            case "LanguageIn":
                return name, {"x": ", ".join(plain(t) for t in self.shapes.members(first))}
            case "MinInclusive" | "MaxInclusive" | "MinExclusive" | "MaxExclusive":
                return name, {"x": plain(first)}
            case "Equals" | "Disjoint" | "LessThan" | "LessThanOrEquals":
                return name, {"y": say.quoted(say.label(plain(first)))}
            case "Not":
                return name, {"x": self._condition(first)}
            case "And" | "Or" | "Xone":
                return name, {"n": len(self.shapes.members(first))}
            case "Node":
                called = self._called(first)
                return ("Node", {"x": called}) if called else ("Inner", {})
            case "Rule":
                return name, {"x": self._rule_name(shape, component)}
        return name, {"x": say.joined(map(written, terms or [first]))}

    def _number(self, term: str, noun: str) -> dict[str, Any]:
        text = plain(term)
        number = int(text) if text.isascii() and text.isdigit() else 0
        return {"n": number, "x": self.phrases.counted(noun, number)}

    def _rule_name(self, shape: str, component: str) -> str:
        if component != ref(SH.SPARQLConstraintComponent):
            return compact(component)
        return self._called(shape) or compact(self.shapes.named(shape) or shape)

    def _called(self, shape: str) -> str | None:
        """What a shape is called, or its short name."""
        labels = [*self.shapes.texts(shape, "name"), *self._graph.objects(shape, ref(RDFS.label))]
        if found := choose(labels, self.language):
            return self.phrases.quoted(found)
        return compact(shape) if shape.startswith("<") else None

    def _condition(self, shape: str, depth: int = 3) -> str:
        """A nested shape in few words: what it is called, else its constraints in SHACL's names."""
        if called := self._called(shape):
            return called
        path = self._graph.one(shape, ref(SH.path))
        said = [
            f"{compact(p)} {self._shown(o, depth - 1)}"
            for p, objects in self._graph.properties(shape).items()
            if p.startswith(f"<{SH}") and p not in _ABOUT
            for o in objects
        ]
        about = f"{compact_path(self.shapes.path_text(path))}: " if path else ""
        return about + ", ".join(said)

    def _shown(self, term: str, depth: int) -> str:
        if not term.startswith("_:"):
            return compact(term) if term.startswith("<") else written(term)
        if not depth:
            return "…"
        inside = [self._shown(item, depth) for item in self.shapes.members(term)]
        return f"({' '.join(inside)})" if inside else f"[{self._condition(term, depth)}]"

    def _hint(self, name: str, offer: Offer, values: dict[str, Any]) -> str | None:
        if offer.terms and name in {"Class", "In", *_NESTING}:
            return self.phrases.hint("In")
        if offer.datatypes and name in {"Datatype", *_NESTING}:
            return self.phrases.hint("Datatype", x=self.phrases.example(offer.datatypes[0]))
        if name == "Class":
            values = {**values, "x": self.phrases.joined(offer.notes)}
        if name == "NodeKind":
            kind = offer.notes[0].removeprefix("sh:") if offer.notes else ""
            name = {"IRI": "IRI", "BlankNodeOrIRI": "IRI", "Literal": "Literal"}.get(kind, name)
        if name == "LanguageIn":
            values = {**values, "x": next(iter(offer.notes), self.phrases.language)}
        return self.phrases.hint(_HINTS.get(name, name), **values)

    def _allowed(self, name: str, offer: Offer) -> tuple[str, ...] | None:
        """At most ten things that are allowed, or None where the sentence says it all."""
        terms = map(compact if name == "Closed" else plain, offer.terms)
        kinds = (note.removeprefix("sh:") for note in offer.notes)
        notes = (
            self.phrases.kind(kind) if kind != note else note
            for kind, note in zip(kinds, offer.notes, strict=True)
        )
        return tuple(dict.fromkeys([*terms, *notes]))[:_SHOWN] or None
