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

__all__ = ["CKAN"]

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


def says(catalogue: Catalogue, node: str, name: str) -> list[Pair]:
    """What there is to say of a node, with formats and licences described where they are linked."""
    pairs = derived.says(catalogue, node, name)
    if name == "Dataset":
        return [pair for p, o in pairs for pair in (_keywords(o) if p == _KEYWORD else [(p, o)])]
    if name == "MediaTypeOrExtent":
        return pairs + format_node(catalogue, node)
    if name == "LicenseDocument":
        return _licence(catalogue, node, pairs)
    return pairs


def _licence(catalogue: Catalogue, node: str, pairs: list[Pair]) -> list[Pair]:
    """A licence with the title by which CKAN knows it, else with its own."""
    known = next((title for pattern, title in _LICENCES if pattern.match(node)), None)
    if known:
        return [pair for pair in pairs if pair[0] != _TITLE] + [(_TITLE, literal(known))]
    if any(p == _TITLE for p, _ in pairs):
        return pairs
    return pairs + [(_TITLE, title) for title in title_of(catalogue, node)]


def _keywords(term: str) -> list[Pair]:
    """A keyword in the characters that CKAN takes; none where too little is left of it."""
    words = " ".join(_NO_KEYWORD.sub(" ", plain(term)).split())[:_LONGEST].strip()
    if len(words) < _SHORTEST:
        return []
    return [(_KEYWORD, literal(words, language=language_of(term)))]


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
