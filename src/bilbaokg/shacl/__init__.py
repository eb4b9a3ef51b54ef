"""SHACL validation: statements and a profile in, a report out.

`validate` is the library's call on anything that RDF comes in; `check` and `check_sources` are what
the program uses on statements that it holds and on files. `check_records` and `check_record` are
for records: for all of them, of which only what can have changed is looked at, and for one with
what it refers to. Engines share one protocol and stand in engine.ENGINES. Background knowledge
(authority tables, class axioms) is seen with the data, and what is found inside it is never
reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bilbaokg import lazy

if TYPE_CHECKING:
    from bilbaokg.shacl.checking import check, check_record, check_records, check_sources, validate
    from bilbaokg.shacl.engine import BOTH, DEFAULT_ENGINE, ENGINES, Engine
    from bilbaokg.shacl.finding import Finding
    from bilbaokg.shacl.graph import Statements
    from bilbaokg.shacl.incremental import Versions

__all__ = [
    "BOTH",
    "DEFAULT_ENGINE",
    "ENGINES",
    "Engine",
    "Finding",
    "Statements",
    "Versions",
    "check",
    "check_record",
    "check_records",
    "check_sources",
    "validate",
]

__getattr__ = lazy.names_of(
    __name__,
    {
        "checking": "check check_record check_records check_sources validate",
        "engine": "BOTH DEFAULT_ENGINE ENGINES Engine",
        "finding": "Finding",
        "graph": "Statements",
        "incremental": "Versions",
    },
)
