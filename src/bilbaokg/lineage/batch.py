"""What a batch of events touches, gathered so that what follows is said once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bilbaokg.lineage.names import Name

__all__ = ["Batch", "Words"]

Words = Mapping[str, tuple[str, Mapping[str, list[str]]]]
"""Record id -> its IRI, and by source what that says of it, as lines."""


@dataclass(slots=True)
class Batch:
    """What is touched, in the order in which it was. Jobs and runs by the ids of their records."""

    names: dict[Name, None] = field(default_factory=dict)
    """Of tables."""
    jobs: dict[str, bool] = field(default_factory=dict)
    """And whether what they read and write must be looked up again."""
    runs: dict[str, bool] = field(default_factory=dict)
    """And whether they must be said again though nothing new was told."""
    columns: dict[tuple[Name, str], None] = field(default_factory=dict)
    """Names under which a job ("" for none) told something new of columns."""
    outputs: dict[tuple[str, str], None] = field(default_factory=dict)
    """Ids of tables, and the jobs ("" for none) whose words about them are to be said anew."""
    before: dict[Name, Name] = field(default_factory=dict)
    """The main names, as they were, of names that may now be of another table."""
    moved: set[tuple[str, str]] = field(default_factory=set)
    """Ids of tables: one under which a name was kept, and the one under which it is now."""
    again: set[Name] = field(default_factory=set)
    """Main names of tables that have other names than before."""
    replaced: dict[str, str | None] = field(default_factory=dict)
    """Ids of records that are no more, and the IRIs of what took their place."""
    back: set[str] = field(default_factory=set)
    """Ids of records that others had taken the place of, and no longer do."""
    said: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Record id -> source -> what it says now."""
