"""Serving a data directory: one process, two sockets, a pool of workers, an orderly end."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from bilbaokg.errors import BadInput
from bilbaokg.server import control, logs
from bilbaokg.settings import Settings
from bilbaokg.workers import Pool
from bilbaokg.workspace import WAIT_SECONDS, Workspace

__all__ = ["serve"]


def serve(
    data: Path, settings: Settings, host: str = "127.0.0.1", port: int = 8000, root_path: str = "",
    workers: int | None = None, *, announce: Callable[[str], None] = print,
) -> None:  # fmt: skip
    """Serve a data directory until SIGTERM or SIGINT; then drain for at most 10 seconds.

    `announce` is told the address once connections are accepted. Raises NotFound without a
    catalogue, StoreBusy naming the holder, BadInput when the address cannot be used, CorruptStore
    naming a file of the published release that is not what was released.
    """
    logs.configure()
    # Another server does not end by itself: nothing to wait for.
    wait = 0.0 if control.available(data) else WAIT_SECONDS
    settings = replace(settings, workers=workers or settings.workers)
    pool = Pool(settings.workers, settings.memory_limit)
    # The lock comes before the port, which a first server may hold as well.
    with (
        pool,
        Workspace(data, settings, pool, wait=wait) as workspace,
        contextlib.closing(_listen(host, port)) as listening,
    ):
        if current := workspace.releases.current():
            workspace.builder.check(current)
        workspace.clear_cache()
        # What takes long to import comes after the lock, so that a refusal is quick.
        from bilbaokg.operations import noting
        from bilbaokg.server import running
        from bilbaokg.server.context import Context
        from bilbaokg.server.query_log import NAME, QueryLog
        from bilbaokg.server.usage import Usage
        from bilbaokg.webhooks.sending import Sender

        file = data / NAME if settings.query_log else None
        with contextlib.closing(QueryLog(file, workspace.releases.current_id)) as log:
            context = Context(
                data, settings, workspace.releases, pool, workspace.accounts, workspace,
                Usage(settings, host, log=log),
            )  # fmt: skip
            started = partial(announce, _address(listening))
            noting.catch_up(workspace)
            with Sender(data, settings) as sender:
                running.run(context, workspace, listening, host, root_path, started)
    if sender.busy:
        # A name server that does not answer would hold the process; what is cut is sent again.
        logging.shutdown()
        os._exit(0)


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
