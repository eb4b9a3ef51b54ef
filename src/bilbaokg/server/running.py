"""Two servers in one event loop, the public one and the control socket's, until a signal comes."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from bilbaokg.operations import Operation
from bilbaokg.server import control
from bilbaokg.server.app import create_app
from bilbaokg.server.context import Context
from bilbaokg.server.draining import Drain
from bilbaokg.server.express import Express
from bilbaokg.server.operate import control_app
from bilbaokg.server.protocol import Protocol
from bilbaokg.server.status import status
from bilbaokg.server.warming import Warmer
from bilbaokg.workspace import Workspace

__all__ = ["run"]

log = logging.getLogger(__name__)

# Ten together: what is at work may finish, then what is left is told and cut.
_DRAIN_SECONDS: Final = 9
_CUT_SECONDS: Final = 1
_TELL_SECONDS: Final = 0.2
# A request leaves little that only a search finds.
_GARBAGE: Final = (10_000, 20, 20)


def run(
    context: Context, workspace: Workspace, listening: socket.socket, host: str, root_path: str,
    started: Callable[[], None],
) -> None:  # fmt: skip
    """Serve until SIGTERM or SIGINT, then drain; `started` is called once both sockets answer."""
    drain = Drain()
    app = create_app(context, host=host, root_path=root_path, drain=drain)
    seconds = context.settings.request_seconds
    server = _server(app, partial(Protocol, seconds=seconds, express=Express(context, drain)))
    # What is there now stays: the search for garbage need not look at it again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE)
    warmer = Warmer(context)
    with warmer, asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        operating = control_app(workspace, drain, {"usage": _usage(context)})
        servers = server, _server(operating, partial(Protocol, seconds=seconds))
        drained = runner.run(_run(context, servers, listening, workspace, drain, started))
        context.pool.close()
        context.lanes.close()
        if not drained:
            # Here, for the runner waits for the threads of its requests.
            _leave_threads()
    if warmer.busy:
        _leave_threads()


def _leave_threads() -> None:
    """End: threads cannot be stopped; what they write is whole at any moment, as after a kill."""
    logging.shutdown()
    os._exit(0)


class _Server(uvicorn.Server):
    """Leaves the signals to us: two servers share this process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def _server(app: ASGIApp, protocol: Callable[..., Protocol]) -> _Server:
    options: dict[str, Any] = {
        "http": protocol, "lifespan": "off", "access_log": False, "log_config": None,
        "server_header": False, "proxy_headers": False, "ws": "none",
        "timeout_graceful_shutdown": _CUT_SECONDS,
    }  # fmt: skip
    return _Server(uvicorn.Config(app, **options))


def _usage(context: Context) -> Operation:
    return lambda _workspace, _params, _progress: status(context)


async def _run(
    context: Context, servers: tuple[_Server, _Server], listening: socket.socket,
    workspace: Workspace, drain: Drain, started: Callable[[], None],
) -> bool:  # fmt: skip
    """Serve both sockets until a signal comes and what is at work has ended; a second one cuts.

    Returns whether all of it ended by itself.
    """
    control_socket = control.bind(workspace.data)
    server, control_server = servers
    signalled = asyncio.Event()

    def stop() -> None:
        for each in servers:
            each.force_exit = each.should_exit = drain.begun
        drain.begin()
        context.replays.open = False
        signalled.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    serving = asyncio.gather(server.serve([listening]), control_server.serve([control_socket]))
    try:
        # Workers are new programs, which inherit no open store.
        await context.lanes.start()
        while not all(each.started for each in servers) and not serving.done():
            await asyncio.sleep(0.01)
        started()
        log.info("serving")
        ends: set[asyncio.Future[Any]] = {serving, loop.create_task(_drained(signalled, drain))}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        done = drain.done
        for each in servers:
            each.should_exit = True
        await serving
    finally:
        control.remove(workspace.data)
    # What was cut says so to whoever waits for it.
    await drain.wait(_TELL_SECONDS)
    log.info("stopped" if done else "stopped; what was still at work was cut off")
    return done


async def _drained(signalled: asyncio.Event, drain: Drain) -> None:
    await signalled.wait()
    await drain.wait(_DRAIN_SECONDS)
