"""The server: one process that owns the working store and answers over HTTP.

    from bilbaokg.server import serve

Importing the package costs nothing, so that the command line may use its control socket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bilbaokg.server.app import create_app
    from bilbaokg.server.context import Context
    from bilbaokg.server.serving import serve

__all__ = ["Context", "create_app", "serve"]

_HOMES = {"Context": "context", "create_app": "app", "serve": "serving"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
