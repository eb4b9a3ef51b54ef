"""RDF literal values: lexical forms of datatypes (lexical.py), the order of values (order.py)."""

from __future__ import annotations

from bilbaokg.shacl.values.lexical import is_well_formed
from bilbaokg.shacl.values.order import compare

__all__ = ["compare", "is_well_formed"]
