"""Processes that can be killed: the only place where foreign RDF and SPARQL are worked on.

A worker (`child.py`) takes jobs over a socket pair and answers in frames (`frames.py`). On a
deadline it is killed and replaced (`pool.py`). Sources are read through one (`sources.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bilbaokg import lazy

if TYPE_CHECKING:
    from bilbaokg.workers.frames import Frame, Put
    from bilbaokg.workers.pool import Pool, Starter, Worker
    from bilbaokg.workers.sources import Parsed, parse, stream

__all__ = ["Frame", "Parsed", "Pool", "Put", "Starter", "Worker", "parse", "stream"]

# A worker loads this package, too, and needs nothing of what starts workers.
__getattr__ = lazy.names_of(
    __name__,
    {"frames": "Frame Put", "pool": "Pool Starter Worker", "sources": "Parsed parse stream"},
)
