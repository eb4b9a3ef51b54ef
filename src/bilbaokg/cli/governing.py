"""Verbs of governance: delete, visibility, history, tokens, audit."""

from __future__ import annotations

from typing import Any

import click

from bilbaokg.cli.base import DONE, global_options, group, verb
from bilbaokg.cli.operating import operate
from bilbaokg.console import Console
from bilbaokg.model import SCOPES

__all__: list[str] = []

_SCOPES = click.Choice(list(SCOPES))


@verb(group, "delete")
@click.argument("iri")
@click.option("--replaced-by", metavar="IRI", help="What takes its place.")
@click.option("--force", is_flag=True, help="Also when other records refer to it.")
@click.option("--why", default="", help="Reason, kept in the audit.")
def delete(console: Console, **options: Any) -> int:
    """Delete a record; it leaves a tombstone.

    Example: bilbaokg delete https://datos.example.org/id/dataset/old --force
    """
    done = operate(console, "delete", options)
    console.result(
        done,
        lambda: console.say(f"Deleted {done['iri']}; its tombstone goes into the next release."),
    )
    return DONE


@verb(group, "restore")
@click.argument("iri")
@click.option("--why", default="", help="Reason, kept in the audit.")
def restore(console: Console, **options: Any) -> int:
    """Bring a deleted record back as it was before.

    Example: bilbaokg restore https://datos.example.org/id/dataset/old --why "deleted by mistake"
    """
    done = operate(console, "restore", options)
    console.result(done, lambda: console.say(f"Brought back {done['iri']}."))
    return DONE


@verb(group, "visibility")
@click.argument("iri")
@click.argument("to", type=click.Choice(["public", "internal"]))
@click.option("--why", default="", help="Reason, kept in the audit.")
def visibility(console: Console, **options: Any) -> int:
    """Set whether a record may enter a release.

    Example: bilbaokg visibility https://datos.example.org/id/table/staff internal
    """
    done = operate(console, "visibility", options)
    console.result(done, lambda: console.say(f"{done['iri']} is {done['visibility']}."))
    return DONE


@verb(group, "history")
@click.argument("iri")
def history(console: Console, iri: str) -> int:
    """List the revisions of a record.

    Example: bilbaokg history https://datos.example.org/id/dataset/noise
    """
    done = operate(console, "history", {"iri": iri})
    rows = [
        [r["number"], r["at"], r["actor"], r["revision"][:12], r["why"]] for r in done["revisions"]
    ]
    console.result(done, lambda: console.table(["", "at", "by", "revision", "why"], rows))
    return DONE


@group.group("token")
@global_options
def token_group() -> None:
    """Make, list and revoke API tokens.

    Example: bilbaokg token create harvester --scope read
    """


@verb(token_group, "create")
@click.argument("name")
@click.option(
    "--scope", type=_SCOPES, required=True,
    help="What it may do; from write on, each includes those before.",
)  # fmt: skip
@click.option("--expires", metavar="YYYY-MM-DD", help="Last day on which it works.")
def token_create(console: Console, **options: Any) -> int:
    """Make a token; it is shown once.

    Example: bilbaokg token create harvester --scope write --expires 2027-12-31
    """
    done = operate(console, "token.create", options)
    # Printed although --quiet: it is never to be seen again.
    console.result(done, lambda: console.say(done["token"]), always=True)
    console.note("Keep it now: it is not shown again.")
    return DONE


@verb(token_group, "list")
def token_list(console: Console) -> int:
    """List tokens, without their secrets.

    Example: bilbaokg token list
    """
    done = operate(console, "token.list", {})
    columns = ["name", "scope", "state", "created_at", "expires_at", "used_at"]
    rows = [[token[column] for column in columns] for token in done["tokens"]]
    heads = [column.removesuffix("_at") for column in columns]
    console.result(done, lambda: console.table(heads, rows))
    return DONE


@verb(token_group, "revoke")
@click.argument("name")
def token_revoke(console: Console, name: str) -> int:
    """Revoke a token at once.

    Example: bilbaokg token revoke harvester
    """
    done = operate(console, "token.revoke", {"name": name})
    console.result(done, lambda: console.say(f"Revoked {name}."))
    return DONE


@group.group("audit")
@global_options
def audit_group() -> None:
    """Read and verify the audit chain.

    Example: bilbaokg audit verify
    """


@verb(audit_group, "verify")
def audit_verify(console: Console) -> int:
    """Check the chain of audit entries and the text of every record.

    Example: bilbaokg audit verify
    """
    done = operate(console, "audit.verify", {})
    console.result(
        done,
        lambda: console.say(
            f"{done['entries']} audit entries and {done['records']} records "
            "are as they were written."
        ),
    )
    return DONE


@verb(audit_group, "list")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many."
)
def audit_list(console: Console, limit: int) -> int:
    """Show the newest audit entries.

    Example: bilbaokg audit list --limit 50
    """
    done = operate(console, "audit.list", {"limit": limit})
    rows = [[e["seq"], e["at"], e["actor"], e["kind"], e["subject"]] for e in done["entries"]]
    console.result(done, lambda: console.table(["", "at", "by", "what", "on"], rows))
    return DONE
