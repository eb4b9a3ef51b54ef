"""The lineage of a store that is written to, kept in memory from one question to the next.

It is made when it is first asked for. From then on the edges that commits speak of are noted, and
looked up in the store before the next answer: what that takes depends on what changed, not on how
much there is. Where too much changed at once, the graph is made anew.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from bilbaokg.lineage.edges import Edge, told
from bilbaokg.lineage.graph import Graph
from bilbaokg.store import GraphChange
from bilbaokg.store.embedded import EmbeddedStore

__all__ = ["LiveGraph"]

# Edges to look up, and things that are not as in the arrays: over these it is made anew.
_MOST_NOTED: Final = 20_000
_MOST_CHANGES: Final = 20_000
# Revisions are generated, and are no data.
_HISTORY: Final = "/graph/history/"


class LiveGraph:
    """The lineage of a store; many threads may ask for it while another writes."""

    def __init__(self, store: EmbeddedStore) -> None:
        self.store = store
        self._graph: Graph | None = None
        self._failures = store.failures
        self._noted: set[Edge | str] = set()
        self._watched = False
        self._making, self._noting = threading.Lock(), threading.Lock()
        store.watchers.append(self._note)

    @property
    def is_made(self) -> bool:
        """Whether it is in memory already."""
        return self._graph is not None and self._watched

    def now(self) -> Graph:
        """The lineage with all that was written before this was called."""
        with self._making:
            with self._noting:
                noted, self._noted, watched, self._watched = self._noted, set(), self._watched, True
            graph, failures = self._graph, self.store.failures
            try:
                if graph is None or not watched or failures != self._failures:
                    graph = Graph.of(self.store)
                elif noted:
                    edges = [each for each in noted if isinstance(each, Edge)]
                    typed = [each for each in noted if isinstance(each, str)]
                    graph = graph.after(self.store, edges, typed)
            except BaseException:
                self._forget()
                raise
            # With many changes beside the arrays the next one starts anew.
            self._graph = graph if graph.changes <= _MOST_CHANGES else None
            self._failures = failures
            return graph

    def _note(self, changes: Sequence[GraphChange]) -> None:
        """Remember which edges a commit speaks of, after it was tried."""
        if not self._watched:
            return
        found = {
            each
            for change in changes
            if _HISTORY not in change.graph
            for lines in (change.insert, change.delete)
            for line in lines
            if (each := told(line)) is not None
        }
        with self._noting:
            self._noted |= found
            emptied = any(change.drop for change in changes)
            if emptied or len(self._noted) > _MOST_NOTED:
                self._watched, self._noted = False, set()

    def _forget(self) -> None:
        with self._noting:
            self._watched, self._noted, self._graph = False, set(), None
