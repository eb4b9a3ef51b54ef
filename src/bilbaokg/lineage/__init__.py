"""Lineage: what pipelines tell of jobs, runs, tables and columns, merged into records.

Importers make `events` of whatever they read; a `Scribe` plans what they do to the records. `walk`
goes along what comes from what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bilbaokg import lazy

if TYPE_CHECKING:
    from bilbaokg.lineage.agreeing import agree
    from bilbaokg.lineage.batch import Words
    from bilbaokg.lineage.edges import Edge, Kind
    from bilbaokg.lineage.events import ENDS, Event, Facets, Parent, Table
    from bilbaokg.lineage.graph import Graph
    from bilbaokg.lineage.live import LiveGraph
    from bilbaokg.lineage.making import Makers, Making
    from bilbaokg.lineage.names import Name
    from bilbaokg.lineage.scribe import Planned, Scribe
    from bilbaokg.lineage.walking import DIRECTIONS, label, walk

__all__ = [
    "DIRECTIONS",
    "ENDS",
    "Edge",
    "Event",
    "Facets",
    "Graph",
    "Kind",
    "LiveGraph",
    "Makers",
    "Making",
    "Name",
    "Parent",
    "Planned",
    "Scribe",
    "Table",
    "Words",
    "agree",
    "label",
    "walk",
]

__getattr__ = lazy.names_of(
    __name__,
    {
        "agreeing": "agree",
        "batch": "Words",
        "edges": "Edge Kind",
        "events": "ENDS Event Facets Parent Table",
        "graph": "Graph",
        "live": "LiveGraph",
        "making": "Makers Making",
        "names": "Name",
        "scribe": "Planned Scribe",
        "walking": "DIRECTIONS label walk",
    },
)
