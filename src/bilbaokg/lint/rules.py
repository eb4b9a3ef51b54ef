"""The rules of the linter, in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from bilbaokg.lint import files, statements
from bilbaokg.lint.linted import Hit, Linted

__all__ = ["RULES", "Rule"]


class Rule(NamedTuple):
    """A rule: its code, which also names its texts, how severe it is, and the test."""

    code: str
    severity: str
    test: Callable[[Linted], Iterator[Hit]]


RULES: Final = (
    Rule("keyword-characters", "warning", statements.keyword_characters),
    Rule("title-duplicate", "warning", statements.title_duplicate),
    Rule("identifier-changed", "violation", statements.identifier_changed),
    Rule("issued-after-modified", "warning", statements.issued_after_modified),
    Rule("period-order", "violation", statements.period_order),
    Rule("date-in-future", "warning", statements.date_in_future),
    Rule("link-empty", "violation", files.link_empty),
    Rule("format-extension", "warning", files.format_extension),
    Rule("format-media-type", "warning", files.format_media_type),
    Rule("link-dead", "violation", files.link_dead),
    Rule("file-empty", "violation", files.file_empty),
    Rule("file-invalid", "violation", files.file_invalid),
    Rule("size-differs", "warning", files.size_differs),
    Rule("checksum-differs", "warning", files.checksum_differs),
    Rule("media-type-served", "info", files.media_type_served),
)
