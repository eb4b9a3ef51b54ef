"""Text of others on a terminal: without what would steer it."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["on_one_line", "printable"]

# C0 and C1 controls, and the characters that turn the direction of writing.
_UNSAFE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """The text without what steers a terminal; line ends and tabs stay."""
    return _UNSAFE.sub("\ufffd", text)


def on_one_line(text: str) -> str:
    """The text without what steers a terminal, on one line."""
    return printable(" ".join(text.split()))
