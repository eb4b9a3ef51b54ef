"""Exports: what leaves a release, target by target.

A target is a file and a line in TARGETS. Feeds are cut into pages when a release is built; other
syntaxes and languages of a page are made from it on first request and kept in the cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bilbaokg import lazy

if TYPE_CHECKING:
    from bilbaokg.exports.building import build, cut
    from bilbaokg.exports.language import in_language
    from bilbaokg.exports.lookup import resource
    from bilbaokg.exports.pages import address
    from bilbaokg.exports.representations import (
        dump,
        packing,
        page_count,
        representation,
        version,
        write,
        write_whole,
    )
    from bilbaokg.exports.schema_org import island
    from bilbaokg.exports.targets import MAIN, TARGETS, feeds

__all__ = [
    "MAIN",
    "TARGETS",
    "address",
    "build",
    "cut",
    "dump",
    "feeds",
    "in_language",
    "island",
    "packing",
    "page_count",
    "representation",
    "resource",
    "version",
    "write",
    "write_whole",
]

__getattr__ = lazy.names_of(
    __name__,
    {
        "building": "build cut",
        "language": "in_language",
        "lookup": "resource",
        "pages": "address",
        "representations": "dump packing page_count representation version write write_whole",
        "schema_org": "island",
        "targets": "MAIN TARGETS feeds",
    },
)
