"""Verbs on webhooks: list, test, retry, secret."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any, Final

import click

from bilbaokg.audit import now
from bilbaokg.cli.base import DONE, FINDINGS, global_options, group, verb
from bilbaokg.cli.operating import configuration_of
from bilbaokg.console import Console
from bilbaokg.errors import BilbaokgError, NotFound
from bilbaokg.gaps import counted
from bilbaokg.server import control
from bilbaokg.settings import Settings
from bilbaokg.webhooks import signing
from bilbaokg.webhooks.events import of_test
from bilbaokg.webhooks.outbox import Delivery, Outbox, masked

__all__ = ["send_noted"]

_SHOWN: Final = 20


@group.group("webhook")
@global_options
def webhook_group() -> None:
    """Tell others of releases, and see whether they were told.

    Example: bilbaokg webhook test
    """


@verb(webhook_group, "list")
def webhook_list(console: Console) -> int:
    """List what was told or is still to be told, the newest last.

    Example: bilbaokg webhook list
    """
    configuration = configuration_of(console)
    found = Outbox(console.data).all()
    value = {
        "addresses": [masked(url) for url in configuration.webhooks],
        "deliveries": [delivery.as_dict() for delivery in found],
    }

    def tell() -> None:
        console.say(f"{len(configuration.webhooks)} in the setting webhooks")
        rows = [_row(delivery) for delivery in found[-_SHOWN:]]
        console.table(["message", "what", "at", "to", "state", "tried", "last", "next"], rows)
        if len(found) > _SHOWN:
            console.say(f"... and {len(found) - _SHOWN:,} before them (--json lists them all)")

    console.result(value, tell)
    return DONE


def _row(delivery: Delivery) -> list[Any]:
    due = delivery.due and datetime.fromtimestamp(delivery.due, UTC).isoformat(timespec="seconds")
    last = delivery.error or (delivery.status and f"HTTP {delivery.status}")
    return [
        delivery.message, delivery.type, delivery.at[:19], masked(delivery.url), delivery.state,
        delivery.attempts, last, due,
    ]  # fmt: skip


@verb(webhook_group, "test")
def webhook_test(console: Console) -> int:
    """Send a message of the type webhook.test to all addresses, once. One that fails: exit 1.

    Example: bilbaokg webhook test
    """
    from bilbaokg.webhooks.sending import send  # the HTTP client takes its time to load

    configuration = _configured(console)
    message = of_test(secrets.token_hex(8), now(), configuration)
    urls = configuration.webhooks
    answers = send(urls, message, signing.read(console.data, configuration), configuration)
    rows = [
        {"url": masked(url), "status": answer.status, "error": answer.error}
        for url, answer in zip(urls, answers, strict=True)
    ]
    told = [[row["url"], row["error"] or f"taken (HTTP {row['status']})"] for row in rows]
    value = {"message": message.id, "answers": rows}
    console.result(value, lambda: console.table(["to", "answer"], told))
    return FINDINGS if any(answer.error for answer in answers) else DONE


@verb(webhook_group, "retry")
@click.argument("message", required=False)
def webhook_retry(console: Console, message: str | None) -> int:
    """Send again what was not delivered, also what was given up; of one message, or all.

    Example: bilbaokg webhook retry
    """
    _configured(console)
    count = Outbox(console.data).retry(message)
    if message and not count:
        raise NotFound(f"nothing of {message!r} waits to be delivered", hint="see: webhook list")
    console.result({"again": count}, lambda: console.say(f"{count:,} to be sent again."))
    send_noted(console)
    return DONE


@verb(webhook_group, "secret")
def webhook_secret(console: Console) -> int:
    """Print the secret with which receivers verify signatures; it is made at the first use.

    Example: bilbaokg webhook secret
    """
    known = signing.read(console.data, configuration_of(console))
    console.result({"secrets": known}, lambda: console.say("\n".join(known)), always=True)
    return DONE


def _configured(console: Console) -> Settings:
    """The settings. Raises NotFound where no address is named."""
    configuration = configuration_of(console)
    if not configuration.webhooks:
        hint = 'set webhooks = ["https://..."] in settings.toml'
        raise NotFound("no address is told of releases", hint=hint)
    return configuration


def send_noted(console: Console) -> None:
    """Send once what is due, where no server is there to do it; what fails stays for one."""
    outbox = Outbox(console.data)
    if not outbox.exists or control.available(console.data):
        return
    from bilbaokg.webhooks.sending import send_due

    configuration = configuration_of(console)
    try:
        sent = send_due(outbox, configuration, signing.read(console.data, configuration))
        waiting = outbox.counts()["waiting"]
    except BilbaokgError as error:
        console.complain(f"webhooks could not be sent: {error}", error.hint)
        return
    if waiting:
        console.note(
            f"{counted(waiting, 'webhook')} not delivered: a running server sends them again, "
            "or: bilbaokg webhook retry"
        )
    elif sent:
        console.note(f"{counted(sent, 'webhook')} delivered.")
