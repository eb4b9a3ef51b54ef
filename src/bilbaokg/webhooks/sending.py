"""Sending what is due: each address by itself, within limits, never into a private network.

Names are resolved and judged before a connection is made, to an address that was judged; no
redirect is followed, and of an answer nothing but its head is read.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import httpx

from bilbaokg.fetching.guard import GuardedTransport, Refused, hosts
from bilbaokg.fetching.polite import retry_after, user_agent
from bilbaokg.settings import Settings
from bilbaokg.webhooks import signing
from bilbaokg.webhooks.events import Message
from bilbaokg.webhooks.outbox import Outbox

__all__ = ["SECONDS", "Answer", "Sender", "send", "send_due"]

log = logging.getLogger(__name__)

SECONDS: Final = 15.0
"""How long a receiver may take to answer."""

_LOOK_SECONDS: Final = 1.0
_END_SECONDS: Final = 0.5
_GONE: Final = 410
_WAYS_OUT: Final = {"private address": " (webhook_private_hosts can allow its host)"}


class Answer(NamedTuple):
    """What came of one request. error: None where the receiver took it; wait: the seconds it asks
    for; over: it wants no more."""

    status: int | None
    error: str | None
    wait: float = 0.0
    over: bool = False


def send(
    urls: Sequence[str], message: Message, secrets: Sequence[str], settings: Settings
) -> list[Answer]:
    """Send a message to addresses at the same time, once; whatever goes wrong is an answer."""
    body = message.body.encode()
    return _posted([(url, message.id, body) for url in urls], secrets, settings)


def send_due(outbox: Outbox, settings: Settings, secrets: Sequence[str]) -> int:
    """Send what is due, and keep what came of it; how much that was."""
    taken = outbox.take(settings.webhooks)
    posts = [(d.url, d.message, d.body.encode()) for d in taken]
    for delivery, answer in zip(taken, _posted(posts, secrets, settings), strict=True):
        status, error, wait, over = answer
        outbox.tell(delivery, status, error, wait=wait, over=over)
        if error:
            host = httpx.URL(delivery.url).host
            log.warning("webhook %s was not taken by %s: %s", delivery.message, host, error)
    return len(taken)


def _posted(
    posts: Sequence[tuple[str, str, bytes]], secrets: Sequence[str], settings: Settings
) -> list[Answer]:
    """The answers to (address, id, body), asked at the same time."""

    async def all_of_them() -> list[Answer]:
        transport = GuardedTransport(known=hosts(settings.webhook_private_hosts))
        async with httpx.AsyncClient(
            transport=transport, timeout=SECONDS, trust_env=False, follow_redirects=False
        ) as client:
            return await asyncio.gather(*(_post(client, *post, secrets) for post in posts))

    return asyncio.run(all_of_them()) if posts else []


async def _post(
    client: httpx.AsyncClient, url: str, id: str, body: bytes, secrets: Sequence[str]
) -> Answer:
    headers = {
        "User-Agent": user_agent("webhook"),
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        **signing.headers(secrets, id, int(time.time()), body),
    }
    request = client.build_request("POST", url, headers=headers, content=body)
    try:
        async with asyncio.timeout(SECONDS):
            response = await client.send(request, stream=True)
            # Of the body nothing is read: it may be without an end.
            await response.aclose()
            return _judged(response)
    except Refused as refused:
        return Answer(None, f"it may not be asked: {refused}{_WAYS_OUT.get(str(refused), '')}")
    except (TimeoutError, httpx.TimeoutException):
        return Answer(None, f"no answer in {SECONDS:g} s")
    except (httpx.HTTPError, OSError) as error:
        return Answer(None, f"the connection failed: {str(error)[:200] or type(error).__name__}")


def _judged(response: httpx.Response) -> Answer:
    """2xx is success, all else failure; 410 is the wish to hear nothing more."""
    status = response.status_code
    if response.is_success:
        return Answer(status, None)
    words = f"HTTP {status}"
    if response.is_redirect:
        words += ": redirects are not followed"
    return Answer(
        status, words, retry_after(response.headers.get("retry-after", "")), over=status == _GONE
    )


class Sender:
    """Sends what is due while a server runs, in a thread of its own.

    A daemon: what it was sending when the server ends is sent again by the next one.
    """

    def __init__(self, data: Path, settings: Settings, pause: float = _LOOK_SECONDS) -> None:
        self.data, self.settings, self.pause = data, settings, pause
        self.outbox = Outbox(data)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._said = ""

    def __enter__(self) -> Sender:
        if self.settings.webhooks:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(_END_SECONDS)

    @property
    def busy(self) -> bool:
        """Whether something is still being sent."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._ended.wait(self.pause):
            try:
                if self.outbox.exists:
                    # Read each time: a secret may be changed while the server runs.
                    secrets = signing.read(self.data, self.settings)
                    send_due(self.outbox, self.settings, secrets)
                self._said = ""
            except Exception as error:
                # A full disk or a broken secret may be mended; it is said once.
                if str(error) != self._said:
                    self._said = str(error)
                    log.exception("webhooks cannot be sent")
