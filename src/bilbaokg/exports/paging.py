"""The paging node of a page, in both vocabularies that harvesters follow (Hydra, old and new)."""

from __future__ import annotations

from dataclasses import dataclass

from bilbaokg.exports.catalogue import TYPE
from bilbaokg.terms import HYDRA, XSD, literal, ref

__all__ = ["Paging"]


@dataclass(frozen=True, slots=True)
class Paging:
    """Where a page stands: one node, typed and linked in both vocabularies that harvesters read."""

    address: str  # without its query: `{public_url}/catalog.rdf`
    pages: int
    total: int
    page_size: int
    version: str
    language: str | None = None
    since: str | None = None  # of what changed alone: from when on

    def url(self, number: int) -> str:
        """The address of a page: its number, the first one too, and what it is a page of."""
        version = f"&version={self.version}" if self.version else ""
        tail = f"&lang={self.language}" if self.language else ""
        since = f"&modified_since={self.since}" if self.since else ""
        return f"{self.address}?page={number}{version}{tail}{since}"

    def lines(self, number: int) -> list[str]:
        """The statements of the paging node of a page; the last page has no next."""
        links = {"first": 1, "last": self.pages, "previous": number - 1, "next": number + 1}
        node = ref(self.url(number))
        found = [
            f"{node} {TYPE} {ref(HYDRA[cls])} ."
            for cls in ("PagedCollection", "PartialCollectionView")
        ]
        for name, target in links.items():
            if 1 <= target <= self.pages:
                for term in (name, f"{name}Page"):
                    found.append(f"{node} {ref(HYDRA[term])} {ref(self.url(target))} .")
        for name, value in (("itemsPerPage", self.page_size), ("totalItems", self.total)):
            number_ = literal(str(value), datatype=XSD.integer)
            found.append(f"{node} {ref(HYDRA[name])} {number_} .")
        return found
