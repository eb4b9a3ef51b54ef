"""Two servers in one event loop, the public one and the control socket's, until a signal comes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from bilbaokg.server import control
from bilbaokg.server.app import create_app
from bilbaokg.server.context import Context
from bilbaokg.server.operate import control_app
from bilbaokg.workspace import Workspace

__all__ = ["run"]

log = logging.getLogger(__name__)

_DRAIN_SECONDS: Final = 10


def run(
    context: Context, workspace: Workspace, listening: socket.socket, host: str, root_path: str,
    started: Callable[[], None],
) -> None:  # fmt: skip
    """Serve until SIGTERM or SIGINT, then drain; `started` is called once both sockets answer."""
    server = _server(create_app(context, host=host, root_path=root_path))
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(_run(server, listening, workspace, started))
    context.pool.close()
    context.lanes.close()


class _Server(uvicorn.Server):
    """Leaves the signals to us: two servers share this process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def _server(app: ASGIApp) -> _Server:
    options: dict[str, Any] = {
        "lifespan": "off", "access_log": False, "log_config": None, "server_header": False,
        "proxy_headers": False, "ws": "none", "timeout_graceful_shutdown": _DRAIN_SECONDS,
    }  # fmt: skip
    return _Server(uvicorn.Config(app, **options))


async def _run(
    server: _Server, listening: socket.socket, workspace: Workspace, started: Callable[[], None]
) -> None:
    """Serve both sockets until a signal comes."""
    control_socket = control.bind(workspace.data)
    control_server = _server(control_app(workspace))
    servers = (server, control_server)

    def stop() -> None:
        for each in servers:
            each.force_exit = each.should_exit
            each.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    serving = asyncio.gather(server.serve([listening]), control_server.serve([control_socket]))
    try:
        while not all(each.started for each in servers) and not serving.done():
            await asyncio.sleep(0.01)
        started()
        log.info("serving")
        await serving
    finally:
        control.remove(workspace.data)
    log.info("stopped")
