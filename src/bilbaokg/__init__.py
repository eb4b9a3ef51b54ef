"""bilbaokg: a city's metadata catalogue kept as a knowledge graph.

    from bilbaokg import validate
    report = validate("catalogue.ttl", shapes="dcat-ap/3.0.1")

Importing the package costs nothing: what is used is loaded when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bilbaokg.shacl import validate

__all__ = ["__version__", "validate"]


def __getattr__(name: str) -> Any:
    if name == "validate":
        from bilbaokg.shacl import validate

        return validate
    if name == "__version__":
        from importlib.metadata import version

        return version("bilbaokg")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
