"""Content negotiation: the one reader of Accept, Accept-Language and Accept-Encoding.

RFC 9110, sections 12.4 and 12.5: quality values, parameters, wildcards; the most specific range
that fits an offer decides its quality.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from bilbaokg.errors import NotAcceptable
from bilbaokg.terms import LANGUAGES

__all__ = ["accepts_gzip", "accepts_html", "best", "choose", "language"]

_MOST_RANGES: Final = 100
# Programs send the same header again and again.
_REMEMBERED: Final = 500
_SHORT: Final = 500
_WORDS: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_ELEMENT: Final = re.compile(r'\s*((?:[^,"]|"(?:[^"\\]|\\.)*")*)\s*(?:,|$)')
_RANGE: Final = re.compile(rf"({_WORDS})/({_WORDS})")
_PARAMETER: Final = re.compile(rf';\s*({_WORDS})\s*=\s*({_WORDS}|"(?:[^"\\]|\\.)*")\s*')
_QUALITY: Final = re.compile(r"0(?:\.\d{0,3})?|1(?:\.0{0,3})?")
_LANGUAGE: Final = re.compile(r"\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_WORD: Final = re.compile(r"\*|" + _WORDS)


class _Range(NamedTuple):
    type: str
    subtype: str
    parameters: frozenset[tuple[str, str]]
    quality: float


def choose(accept: str | None, offers: Mapping[str, str]) -> str:
    """The name of the best offer; `offers` maps media types (in our order of liking) to names.

    Raises NotAcceptable listing what there is (RFC 9110, section 15.5.7).
    """
    media_type = best(accept, list(offers))
    if media_type is None:
        available = list(dict.fromkeys(m for m in offers if "*" not in m))
        raise NotAcceptable(
            f"available are {', '.join(available)}",
            hint="name one of them in the Accept header",
            available=available,
        )
    return offers[media_type]


def best(accept: str | None, offers: Sequence[str]) -> str | None:
    """The offered media type that the client likes most, or None when it accepts none.

    Without the header, or with nothing readable in it, the first offer. Among equals, the one that
    the client named more exactly, then the one that stands first in our list.
    """
    known = _known if accept is None or len(accept) < _SHORT else _best
    return known(accept, tuple(offers))


def _best(accept: str | None, offers: tuple[str, ...]) -> str | None:
    ranges = _ranges(accept) if accept else []
    if not ranges:
        return offers[0] if offers else None
    ranked = [(*_rating(offer, ranges), -place) for place, offer in enumerate(offers)]
    quality, _, place = max(ranked, default=(0.0, 0, 0))
    return offers[-place] if quality > 0 else None


_known: Final = lru_cache(_REMEMBERED)(_best)


def _ranges(accept: str) -> list[_Range]:
    found = []
    for element in _elements(accept):
        main = _RANGE.match(element)
        if main is None:
            continue
        parameters = {
            name.lower(): value.strip('"').lower()
            for name, value in _PARAMETER.findall(element, main.end())
        }
        quality = parameters.pop("q", "1")
        if _QUALITY.fullmatch(quality):
            parameters.pop("charset", None)  # everything we send is UTF-8
            kept = frozenset(parameters.items())
            found.append(_Range(main[1].lower(), main[2].lower(), kept, float(quality)))
    return found


def _elements(header: str) -> Iterable[str]:
    for count, element in enumerate(_ELEMENT.finditer(header)):
        if count >= _MOST_RANGES:
            return
        if element[1]:
            yield element[1].strip()


def _rating(offer: str, ranges: Iterable[_Range]) -> tuple[float, int]:
    """Quality and specificity of the range that fits the offer most exactly."""
    main, _, rest = offer.partition(";")
    type_, _, subtype = main.strip().lower().partition("/")
    parameters = frozenset(
        (name.lower(), value.strip('"').lower()) for name, value in _PARAMETER.findall(";" + rest)
    )
    fitting = [
        (_specificity(r), r.quality)
        for r in ranges
        if r.type in ("*", type_) and r.subtype in ("*", subtype) and r.parameters <= parameters
    ]
    specificity, quality = max(fitting, default=(0, 0.0))
    return quality, specificity


def _specificity(r: _Range) -> int:
    if r.type == "*":
        return 1
    return 2 if r.subtype == "*" else 3 + len(r.parameters)


def accepts_html(accept: str | None) -> bool:
    """Whether the client asks for HTML by name, and for no data format before it."""
    if not accept:
        return False
    named = [r for r in _ranges(accept) if "*" not in (r.type, r.subtype)]
    html = max((r.quality for r in named if r.subtype in ("html", "xhtml+xml")), default=0.0)
    other = max((r.quality for r in named if r.subtype not in ("html", "xhtml+xml")), default=0.0)
    return html > 0 and html >= other


def _weights(header: str | None, pattern: re.Pattern[str]) -> dict[str, float]:
    """Name (lower case) -> quality, for headers whose elements are plain words."""
    weights: dict[str, float] = {}
    for element in _elements(header or ""):
        found = pattern.match(element)
        parameters = dict(_PARAMETER.findall(element))
        quality = parameters.get("q", "1")
        if found and _QUALITY.fullmatch(quality):
            weights.setdefault(found[0].lower(), float(quality))
    return weights


def language(header: str | None, available: Sequence[str] = LANGUAGES) -> str:
    """The language to serve (RFC 4647, section 3.4: lookup); the first one when none fits."""
    weights = _weights(header, _LANGUAGE)
    ranked = sorted(weights.items(), key=lambda item: -item[1])
    for tag, quality in ranked:
        primary = tag.partition("-")[0]
        if quality > 0 and primary in available:
            return primary
        if quality > 0 and tag == "*":
            return next((a for a in available if weights.get(a, 1.0) > 0), available[0])
    return available[0]


def accepts_gzip(header: str | None) -> bool:
    """Whether gzip is welcome (RFC 9110, section 12.5.3)."""
    return (_known_gzip if header is None or len(header) < _SHORT else _gzip)(header)


def _gzip(header: str | None) -> bool:
    weights = _weights(header, _WORD)
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


_known_gzip: Final = lru_cache(_REMEMBERED)(_gzip)
