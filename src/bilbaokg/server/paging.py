"""Lists in pages: which one is asked for, and the ways to those beside it."""

from __future__ import annotations

from collections.abc import Callable

from bilbaokg.server.views import Pager

__all__ = ["page_number", "pager"]


def page_number(text: str | None) -> int:
    """The page that a parameter asks for; nonsense is the first."""
    digits = text and text.isascii() and text.isdigit() and len(text) < 9
    return max(int(text), 1) if text and digits else 1


def pager(page: int, size: int, total: int, address: Callable[[int], str]) -> Pager:
    """Where we are in a list; a page beyond the end is the last.

    size: entries of a full page; address: where a page is.
    """
    pages = max(-(-total // size), 1)
    page = min(page, pages)
    before = (page - 1) * size
    return Pager(
        page=page,
        pages=pages,
        first=min(before + 1, total),
        last=min(before + size, total),
        total=total,
        previous=address(page - 1) if page > 1 else None,
        next=address(page + 1) if page < pages else None,
    )
