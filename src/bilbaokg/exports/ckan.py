"""The target `ckan`: DCAT-AP with what CKAN's harvester wants to find in the document itself.

Read in ckanext-dcat: it makes a dataset of every node with that class, so series stay out; it takes
the name of a format and the title of a licence from their nodes only; and CKAN refuses a whole
dataset for one keyword that it does not like.
"""

from __future__ import annotations

import re
from typing import Final

from bilbaokg.exports import derived
from bilbaokg.exports.catalogue import Catalogue, Pair
from bilbaokg.exports.dcat_ap import CARRIED
from bilbaokg.exports.feed import SERIES, Feed, Kind, changed
from bilbaokg.exports.inlined import format_node, title_of
from bilbaokg.terms import DCAT, DCT, RDFS, language_of, literal, plain, ref

__all__ = ["CKAN", "keyword", "knows_licence"]

_KEYWORD, _TITLE, _LICENCE = ref(DCAT.keyword), ref(DCT.title), ref(DCT.LicenseDocument)
# CKAN: tag_length_validator, tag_name_validator.
_NO_KEYWORD: Final = re.compile(r"[^\w .-]+")
_SHORTEST, _LONGEST = 2, 100
_EU: Final = r"<http://publications\.europa\.eu/resource/authority/licence/"
_CC: Final = r"<https?://creativecommons\.org/"
_ODC: Final = r"<https?://(?:www\.)?opendatacommons\.org/licenses/"
# What CKAN's own list calls licences, by which it finds them (ckan/model/license.py).
_LICENCES: Final = tuple(
    (re.compile(pattern), title)
    for pattern, title in (
        (rf"{_EU}CC0[>_]|{_CC}publicdomain/zero/", "Creative Commons CCZero"),
        (rf"{_EU}CC_BY[>_]|{_CC}licenses/by/", "Creative Commons Attribution"),
        (rf"{_EU}CC_BYSA[>_]|{_CC}licenses/by-sa/", "Creative Commons Attribution Share-Alike"),
        (rf"{_EU}CC_BYNC|{_CC}licenses/by-nc", "Creative Commons Non-Commercial (Any)"),
        (rf"{_EU}ODC_BL>|{_ODC}odbl/", "Open Data Commons Open Database License (ODbL)"),
        (rf"{_EU}ODC_BY>|{_ODC}by/", "Open Data Commons Attribution License"),
        (
            rf"{_EU}ODC_PDDL>|{_ODC}pddl/",
            "Open Data Commons Public Domain Dedication and License (PDDL)",
        ),
    )
)
_OTHER_TITLES: Final = frozenset(
    {
        "GNU Free Documentation License",
        "License not specified",
        "Other (Attribution)",
        "Other (Non-Commercial)",
        "Other (Not Open)",
        "Other (Open)",
        "Other (Public Domain)",
        "UK Open Government Licence (OGL)",
    }
)


def says(catalogue: Catalogue, node: str, name: str) -> list[Pair]:
    """What there is to say of a node, with formats and licences described where they are linked."""
    pairs = derived.says(catalogue, node, name)
    if name == "Dataset":
        said = ((p, keyword(o) if p == _KEYWORD else o) for p, o in pairs)
        return [(p, o) for p, o in said if o is not None]
    if name == "MediaTypeOrExtent":
        return pairs + format_node(catalogue, node)
    if name == "LicenseDocument":
        return _licence(catalogue, node, pairs)
    return pairs


def _licence(catalogue: Catalogue, node: str, pairs: list[Pair]) -> list[Pair]:
    """A licence with the title by which CKAN knows it, else with its own."""
    known = _title(node)
    if known:
        return [pair for pair in pairs if pair[0] != _TITLE] + [(_TITLE, literal(known))]
    if any(p == _TITLE for p, _ in pairs):
        return pairs
    return pairs + [(_TITLE, title) for title in title_of(catalogue, node)]


def _title(licence: str) -> str | None:
    return next((title for pattern, title in _LICENCES if pattern.match(licence)), None)


def knows_licence(title: str) -> bool:
    """Whether CKAN finds a licence of its own by this title (text)."""
    return title in _OTHER_TITLES or any(title == known for _, known in _LICENCES)


def keyword(term: str) -> str | None:
    """A keyword in the characters that CKAN takes; None where too little is left of it."""
    words = " ".join(_NO_KEYWORD.sub(" ", plain(term)).split())[:_LONGEST].strip()
    return literal(words, language=language_of(term)) if len(words) >= _SHORTEST else None


_KINDS: Final[dict[str, Kind]] = {
    **CARRIED,
    "Dataset": changed(CARRIED["Dataset"], without=(DCAT.inSeries,)),
    "MediaTypeOrExtent": changed(
        CARRIED["MediaTypeOrExtent"], classes=(DCT.IMT,), carries={RDFS.label: None}
    ),
}

CKAN: Final = Feed(
    name="ckan",
    profile="dcat-ap/3.0.1",
    kinds=_KINDS,
    says=says,
    skips=derived.skips,
    leaves_out=frozenset({SERIES}),
)
