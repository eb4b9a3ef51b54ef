"""Serving a data directory: one process, two sockets, a pool of workers, an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from bilbaokg.errors import BadInput
from bilbaokg.server import control, logs
from bilbaokg.server.app import create_app
from bilbaokg.server.context import Context
from bilbaokg.server.operate import control_app
from bilbaokg.settings import Settings
from bilbaokg.workers import Pool
from bilbaokg.workspace import Workspace

__all__ = ["serve"]

log = logging.getLogger(__name__)

_DRAIN_SECONDS: Final = 10
# For each worker of the fast lane one of the slow lane (evaluation.Lanes).
_LANES: Final = 2


def serve(
    data: Path, settings: Settings, host: str = "127.0.0.1", port: int = 8000, root_path: str = "",
    workers: int | None = None, *, announce: Callable[[str], None] = print,
) -> None:  # fmt: skip
    """Serve a data directory until SIGTERM or SIGINT; then drain for at most 10 seconds.

    `announce` is told the address once connections are accepted. Raises NotFound without a
    catalogue, StoreBusy naming the holder, BadInput when the address cannot be used.
    """
    logs.configure()
    listening = _listen(host, port)
    pool = Pool(_LANES * (workers or settings.workers), settings.memory_limit)
    # The lock first, for a quick refusal; workers are new programs, which inherit no open store.
    with contextlib.closing(listening), pool, Workspace(data, settings) as workspace:
        pool.start()
        context = Context(data, settings, workspace.releases, pool, workspace.accounts, workspace)
        app = create_app(context, host=host, root_path=root_path)
        server = _server(app)
        run = _run(server, listening, workspace, lambda: announce(_address(listening)))
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(run)
        pool.close()
        context.lanes.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        text = getattr(error, "strerror", None) or str(error)
        raise BadInput(
            f"cannot listen there: {text}",
            where=f"{host}:{port}",
            hint="choose another --host or --port",
        ) from None
    return listening


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


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
