"""The server: one process that owns the working store and answers over HTTP.

    from bilbaokg.server import serve

Importing the package costs nothing, so that the command line may use its control socket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bilbaokg import lazy

if TYPE_CHECKING:
    from bilbaokg.server.app import create_app
    from bilbaokg.server.context import Context
    from bilbaokg.server.serving import serve

__all__ = ["Context", "create_app", "serve"]

__getattr__ = lazy.names_of(
    __name__, {"context": "Context", "app": "create_app", "serving": "serve"}
)
