"""What values of facets are called that are codes of ours, not things of the release."""

from __future__ import annotations

from typing import Final

from bilbaokg import wording

__all__ = ["code_name"]

# Facet -> the section of the wording that names its values.
_SECTIONS: Final = {
    "quality": "band",
    "validity": "validity",
    "freshness": "freshness",
    "lineage": "traced",
    "principles": "principled",
    "has": "possessed",
}


def code_name(facet: str, value: str, lang: str) -> str | None:
    """The name of a value; the value itself where it is none of ours; None for other facets."""
    section = _SECTIONS.get(facet)
    return section and (wording.find(f"{section}.{value}", lang) or value)
