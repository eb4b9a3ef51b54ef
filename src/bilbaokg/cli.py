"""The command line: verbs of a few lines over the operations."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

import bilbaokg
from bilbaokg import assets, exports, profiles, release, reports, settings, shacl
from bilbaokg import queries as saved_queries
from bilbaokg.console import Console
from bilbaokg.errors import BadInput, BilbaokgError, GateRefused, NotFound
from bilbaokg.formats import by_name
from bilbaokg.importers.rdf import discover
from bilbaokg.model import Release, Report
from bilbaokg.operations import OPERATIONS, Workspace, initialise, is_initialised
from bilbaokg.server import control
from bilbaokg.server.sparql import evaluate
from bilbaokg.terms import DEFAULT_BASE
from bilbaokg.workers import Pool, parse

__all__ = ["main"]

_DONE, _FINDINGS, _FAILED, _INTERRUPTED = 0, 1, 2, 130
_LANGUAGES: Final = click.Choice(["es", "eu", "en"])
_SCOPES: Final = click.Choice(["read", "write", "publish", "admin"])


def _global_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the global options, so that they may stand before or after its name."""

    @click.option(
        "--data",
        type=click.Path(path_type=Path),
        help="Data directory [BILBAOKG_DATA or ./bilbaokg-data].",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
    @click.option("--quiet", is_flag=True, help="Print errors only.")
    @click.option(
        "--lang", type=_LANGUAGES, help="Language of messages from shapes, and of titles."
    )
    @click.pass_context
    @wraps(function)
    def with_options(
        context: click.Context,
        /,
        data: Path | None,
        as_json: bool,
        quiet: bool,
        lang: str | None,
        **rest: Any,
    ) -> Any:
        above: dict[str, Any] = context.meta.setdefault("bilbaokg", {})
        for name, value in (("data", data), ("as_json", as_json), ("quiet", quiet), ("lang", lang)):
            if value:
                above[name] = value
        if isinstance(context.command, click.Group):
            return function(**rest)
        console = Console(
            data=above.get("data") or Path(os.environ.get("BILBAOKG_DATA") or "bilbaokg-data"),
            as_json=above.get("as_json", False),
            quiet=above.get("quiet", False),
            lang=above.get("lang") or _language(),
        )
        context.meta["console"] = console
        return function(console, **rest)

    return with_options


def _language() -> str:
    wanted = (
        os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    )
    return wanted[:2] if wanted[:2] in ("es", "eu", "en") else "en"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(bilbaokg.__version__, prog_name="bilbaokg")
@_global_options
def cli() -> None:
    """A city's metadata catalogue as a knowledge graph: DCAT-AP in, portals out.

    Exit codes: 0 done; 1 done, with findings; 2 could not be done; 130 interrupted.
    """


def _verb(
    group: click.Group, name: str, **options: Any
) -> Callable[[Callable[..., Any]], click.Command]:
    """Register a verb with the global options."""
    return lambda function: group.command(name, **options)(_global_options(function))


def _settings(console: Console) -> settings.Settings:
    if not is_initialised(console.data):
        raise NotFound(
            "no catalogue here",
            where=str(console.data),
            hint="run: bilbaokg init, or give --data DIR",
        )
    return settings.read(console.data)


def _do(console: Console, name: str, params: dict[str, Any]) -> dict[str, Any]:
    """Run an operation: in the server that holds the directory, else here."""
    params = {"lang": console.lang, **params}
    configuration = _settings(console)
    with console.progress() as progress:
        if control.available(console.data):
            return control.call(console.data, name, params, progress)
        with Workspace(console.data, configuration) as workspace:
            return OPERATIONS[name](workspace, params, progress)


def _release(console: Console, id: str | None) -> tuple[Release, settings.Settings]:
    configuration = _settings(console)
    releases = release.Releases(console.data, configuration)
    found = releases.get(id) if id else releases.current()
    if found is None:
        raise NotFound(
            "nothing is published yet",
            hint="run: bilbaokg release build, then: bilbaokg release publish",
        )
    return found, configuration


# ---- beginning


@_verb(cli, "init")
@click.option("--base", help=f"IRI under which this catalogue mints identities [{DEFAULT_BASE}].")
@click.option("--title", help="Title of the catalogue, in Spanish.")
def init(console: Console, base: str | None, title: str | None) -> int:
    """Make a data directory.

    Example: bilbaokg init --base https://datos.example.org --title "Datos de la ciudad"
    """
    values: dict[str, Any] = {"base": (base or DEFAULT_BASE).rstrip("/")}
    if title:
        values["title"] = {"es": title}
    made = initialise(console.data, values)
    configuration = settings.read(console.data)
    console.result(
        {"data": str(console.data), "base": configuration.base, "created": made},
        lambda: console.say(
            f"{'Made' if made else 'Already there:'} {console.data}, base {configuration.base}"
        ),
    )
    if not base and made:
        console.note(
            f"The base is an example host. Choose your own before publishing: bilbaokg init --base IRI"
        )
    return _DONE


@_verb(cli, "demo")
@click.option("--no-serve", is_flag=True, help="Load, validate and release, but do not serve.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
def demo(console: Console, no_serve: bool, host: str, port: int) -> int:
    """Load the bundled catalogue of Bilbao, validate it, release it and serve it.

    Example: bilbaokg --data ./demo demo
    """
    folder = assets.folder("demo")
    script = tomllib.loads((folder / "demo.toml").read_text(encoding="utf-8"))
    initialise(console.data, {"base": script["base"], "title": script["title"]})
    if release.Releases(console.data, _settings(console)).current() is None:
        for number, step in enumerate(script["step"], 1):
            _demo_step(console, folder, step, f"[{number}/{len(script['step'])}]")
    else:
        console.note(f"The demo is already loaded in {console.data}.")
    if no_serve:
        return _DONE
    return _serve(console, host, port, "", None)


def _demo_step(console: Console, folder: Path, step: dict[str, Any], label: str) -> None:
    base = settings.read(console.data).base
    for path in step.get("load", []):
        loads = [(folder / path, f"demo/{Path(path).name}")]
        if replaces := step.get("replaces"):
            loads = [(f, f"demo/{replaces}/{f.name}") for f in sorted((folder / path).iterdir())]
        for file, source in loads:
            done = _do(
                console,
                "load",
                {"paths": [str(file)], "source": source, "base": base, "why": "demo"},
            )
            console.note(f"{label} loaded {source}: {_counts(done['records'])}")
    if note := step.get("release"):
        built = _do(console, "release.build", {"hold_back": True, "note": note})
        _do(console, "release.publish", {"id": built["id"], "why": note})
        console.note(
            f"{label} released {built['id']}: {built['records']} records, {len(built['held_back'])} held back"
        )


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.items() if number) or "nothing"


# ---- loading and validating


@_verb(cli, "load")
@click.argument("paths", nargs=-1, required=True)
@click.option(
    "--format", help="Format of the files: ttl, trig, nt, nq, jsonld, rdf [by extension]."
)
@click.option("--base", help="Base IRI for relative IRIs in the files.")
@click.option(
    "--source", help="Name of the source; loading it again replaces what it said [the path]."
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--why", default="", help="Reason, kept in the audit.")
def load(console: Console, paths: tuple[str, ...], **options: Any) -> int:
    """Import RDF from files, folders or standard input (-), also gzip.

    Example: bilbaokg load catalogue.ttl exports/ --why "monthly delivery"
    """
    with tempfile.TemporaryDirectory(prefix="bilbaokg-") as spool:
        given = [_spooled(path, Path(spool), options) for path in paths]
        done = _do(console, "load", {"paths": given, **options})
    console.result(done, lambda: _tell_load(console, done))
    return _DONE


def _spooled(path: str, folder: Path, options: dict[str, Any]) -> str:
    """The absolute path of an argument; standard input goes to a file first."""
    if path != "-":
        return str(Path(path).absolute())
    content = sys.stdin.buffer.read()
    if not options.get("format"):
        guess = saved_sniff(content)
        options["format"] = guess
    options["source"] = options.get("source") or "-"
    file = (
        folder
        / f"stdin.{by_name(options['format']).name}{'.gz' if content[:2] == b'\x1f\x8b' else ''}"
    )
    file.write_bytes(content)
    return str(file)


def _tell_load(console: Console, done: dict[str, Any]) -> None:
    records, statements = done["records"], done["statements"]
    if not (records["new"] or records["changed"] or records["gone"]):
        console.say(f"Nothing changed: {records['unchanged']:,} records are as they were.")
    else:
        console.say(f"{'Would save' if done['dry_run'] else 'Saved'}: {_counts(records)} records.")
    rest = f", {statements['rest']:,} belong to no record" if statements["rest"] else ""
    console.say(
        f"{statements['parsed']:,} statements read, {statements['distinct']:,} distinct{rest}, from {done['files']} files."
    )
    console.table(
        ["class", "count"], [[c, f"{n:,}"] for c, n in list(done["classes"].items())[:15]]
    )
    console.problems(done["problems"])


@_verb(cli, "validate")
@click.argument("paths", nargs=-1)
@click.option(
    "--profile", help="Profile NAME[/VERSION], or a folder or file of shapes [dcat-ap/3.0.1]."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(sorted(reports.FORMATS)),
    default="text",
    show_default=True,
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the report to a file."
)
@click.option(
    "--fail-on",
    type=click.Choice(["violation", "warning", "info", "never"]),
    default="violation",
    show_default=True,
)
@click.option("--engine", default=None, help="fast, pyshacl or both, as far as installed.")
@click.option("--input-format", help="Format of the files [by extension].")
@click.option("--base", help="Base IRI for relative IRIs in the files.")
def validate(
    console: Console,
    paths: tuple[str, ...],
    profile: str | None,
    format_: str,
    output: Path | None,
    fail_on: str,
    engine: str | None,
    input_format: str | None,
    base: str | None,
) -> int:
    """Validate files, or without PATH the working store.

    Example: bilbaokg validate catalogue.ttl --profile dcat-ap --format html --output report.html
    """
    if console.as_json:
        format_ = "json"
    report = (
        _validate_files(console, paths, profile, engine, input_format, base)
        if paths
        else _validate_store(console, profile, engine)
    )
    rendered = reports.render(report, format_, console.lang)
    if output:
        _write_output(output, rendered)
        console.note(f"Report written to {output}.")
    elif not console.quiet or format_ != "text":
        sys.stdout.write(rendered if isinstance(rendered, str) else rendered.decode())
    return _FINDINGS if report.at_or_over(fail_on) else _DONE


def _validate_files(
    console: Console,
    paths: tuple[str, ...],
    profile: str | None,
    engine: str | None,
    input_format: str | None,
    base: str | None,
) -> Report:
    configuration = settings.read(console.data if is_initialised(console.data) else None)
    options: dict[str, Any] = {"format": input_format}
    with (
        tempfile.TemporaryDirectory(prefix="bilbaokg-") as spool,
        console.progress() as progress,
        Pool(1) as pool,
    ):
        given = [Path(_spooled(path, Path(spool), options)) for path in paths]
        sources = discover(given, configuration, format=options["format"], base=base)
        lines: dict[str, None] = {}
        line_of: dict[str, int] = {}
        for number, source in enumerate(sources):
            progress(number, len(sources), f"reading {source.name}")
            parsed = parse(source, configuration, pool=pool, locate=True)
            lines.update(dict.fromkeys(parsed.lines))
            line_of.update(parsed.line_of)
        progress(0, None, f"validating {len(lines):,} statements")
        file = paths[0] if len(sources) == 1 else None
        return _check(
            console,
            list(lines),
            profile or configuration.profile,
            engine,
            line_of=line_of,
            file=file,
        )


def _validate_store(console: Console, profile: str | None, engine: str | None) -> Report:
    configuration = _settings(console)
    with tempfile.TemporaryDirectory(prefix="bilbaokg-") as spool:
        dumped = _do(console, "dump", {"path": str(Path(spool) / "records.nt")})
        lines = Path(dumped["path"]).read_text(encoding="utf-8").splitlines()
    with console.progress() as progress:
        progress(0, None, f"validating {len(lines):,} statements")
        return _check(console, lines, profile or configuration.profile, engine)


def _check(
    console: Console, lines: list[str], profile: str, engine: str | None, **options: Any
) -> Report:
    chosen = {"engine": engine} if engine else {}
    return shacl.check(lines, profiles.load(profile), language=console.lang, **chosen, **options)


def _write_output(path: Path, content: str | bytes) -> None:
    try:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        raise BadInput(f"cannot be written: {error.strerror}", where=str(path)) from None


# ---- releases


@cli.group("release")
@_global_options
def release_group() -> None:
    """Build, publish and compare releases."""


@_verb(release_group, "build")
@click.option("--profile", help="Profile that the gate uses [dcat-ap/3.0.1].")
@click.option("--hold-back", is_flag=True, help="Leave failing records out.")
@click.option(
    "--waive", metavar="REASON", help="Take failing records in; the manifest keeps the reason."
)
@click.option("--note", default="", help="One line on this release.")
def release_build(console: Console, **options: Any) -> int:
    """Build a release of the approved public records; findings of the gate refuse it (exit 1).

    Example: bilbaokg release build --hold-back --note "November"
    """
    if options["hold_back"] and options["waive"] is not None:
        raise BadInput("--hold-back and --waive exclude each other")
    done = _do(console, "release.build", options)
    console.result(done, lambda: _tell_release(console, done, "Built"))
    return _DONE


def _tell_release(console: Console, done: dict[str, Any], verb: str) -> None:
    console.say(
        f"{verb} {done['id']}: {done['records']:,} records, {done['datasets']:,} datasets, sha256 {done['sha256'][:16]}."
    )
    if done["waived"]:
        console.say(f"Findings waived: {done['waived']}")
    if done["held_back"]:
        console.say(f"{len(done['held_back'])} records held back:")
        console.table(["record", "why"], [[h["title"], h["reason"]] for h in done["held_back"]])


@_verb(release_group, "publish")
@click.argument("id", required=False)
@click.option("--why", default="", help="Reason, kept in the audit.")
def release_publish(console: Console, **options: Any) -> int:
    """Make a release the current one [the newest].

    Example: bilbaokg release publish r2
    """
    done = _do(console, "release.publish", options)
    console.result(done, lambda: _tell_release(console, done, "Published"))
    return _DONE


@_verb(release_group, "rollback")
@click.argument("id", required=False)
@click.option("--why", default="", help="Reason, kept in the audit.")
def release_rollback(console: Console, **options: Any) -> int:
    """Make the release before the current one current again.

    Example: bilbaokg release rollback --why "wrong licence in r2"
    """
    done = _do(console, "release.rollback", options)
    console.result(done, lambda: _tell_release(console, done, "Current again"))
    return _DONE


@_verb(release_group, "list")
def release_list(console: Console) -> int:
    """List all releases."""
    releases = release.Releases(console.data, _settings(console))
    current = releases.current()
    rows = [
        {
            "id": r.id,
            "created_at": r.created_at,
            "records": len(list(r.entries)),
            "sha256": r.sha256,
            "current": current is not None and r.id == current.id,
            "note": r.manifest["build"]["note"],
        }
        for r in releases.list()
    ]
    console.result(
        {"releases": rows},
        lambda: (
            console.table(
                ["", "id", "made", "records", "sha256", "note"],
                [
                    [
                        "*" if r["current"] else "",
                        r["id"],
                        r["created_at"],
                        r["records"],
                        str(r["sha256"])[:12],
                        r["note"],
                    ]
                    for r in rows
                ],
            )
            if rows
            else console.say("No release yet. Build one: bilbaokg release build")
        ),
    )
    return _DONE


@_verb(release_group, "show")
@click.argument("id", required=False)
def release_show(console: Console, id: str | None) -> int:
    """Show a release [the current one]: what it holds, what was held back or cut."""
    shown, _ = _release(console, id)
    content = shown.manifest["content"]
    console.result(shown.manifest, lambda: _tell_manifest(console, shown, content))
    return _DONE


def _tell_manifest(console: Console, shown: Release, content: dict[str, Any]) -> None:
    build = shown.manifest["build"]
    console.say(
        f"{shown.id}, made {shown.created_at} by {build['actor']}, after {shown.previous or 'none'}. {build['note']}"
    )
    console.say(
        f"{len(content['entries']):,} records, profile {content['profile']}, sha256 {shown.sha256}"
    )
    console.table(["class", "count"], [[c, n] for c, n in content["counts"].items()])
    if content["cut"]:
        console.say("Left out because it may not be public:")
        console.table(["property", "statements"], [[p, n] for p, n in content["cut"].items()])
    for held in content["held_back"]:
        console.say(f"held back: {held['title']} ({held['reason']})", "yellow")


@_verb(release_group, "diff")
@click.argument("before")
@click.argument("after")
@click.option("--statements", is_flag=True, help="Show the statements that differ.")
def release_diff(console: Console, before: str, after: str, statements: bool) -> int:
    """Compare two releases, record by record.

    Example: bilbaokg release diff r1 r2 --statements
    """
    old, new = _release(console, before)[0], _release(console, after)[0]
    changes = release.difference(old, new)
    value: dict[str, Any] = {
        "before": old.id,
        "after": new.id,
        "new": changes.new,
        "changed": changes.changed,
        "gone": changes.gone,
    }
    if statements:
        value["removed"], value["added"] = release.statements(old, new)

    def tell() -> None:
        for kind in ("new", "changed", "gone"):
            for id in value[kind]:
                console.say(f"{kind:>8}  {id}")
        for sign, kind, style in (("-", "removed", "red"), ("+", "added", "green")):
            for line in value.get(kind, []):
                console.say(f"{sign} {line}", style)
        if not (changes.new or changes.changed or changes.gone):
            console.say("The two releases hold the same.")

    console.result(value, tell)
    return _DONE


# ---- getting data out


@_verb(cli, "export")
@click.argument("target")
@click.option("--release", "release_id", help="Release [the current one].")
@click.option(
    "--format",
    "extension",
    default="ttl",
    show_default=True,
    help="rdf, ttl, nt, jsonld; full also nq, trig.",
)
@click.option(
    "--language", type=_LANGUAGES, help="Only texts in this language, where there is one."
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="File [standard output]."
)
def export(
    console: Console,
    target: str,
    release_id: str | None,
    extension: str,
    language: str | None,
    output: Path | None,
) -> int:
    """Write a release for a target, whole: dcat-ap, or full (every statement).

    Example: bilbaokg export dcat-ap --format rdf --output catalogue.rdf
    """
    shown, configuration = _release(console, release_id)
    content = exports.whole(shown, configuration, target, extension.lstrip("."), language)
    if output:
        _write_output(output, content)
        console.note(f"Wrote {len(content):,} bytes to {output}.")
    else:
        sys.stdout.buffer.write(content)
    return _DONE


@_verb(cli, "query")
@click.argument("query")
@click.option(
    "--working", is_flag=True, help="Ask the working store instead of the current release."
)
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="K=V",
    help="Parameter of a saved query; repeatable.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["json", "csv", "tsv", "xml", "ttl", "table"]),
    default="table",
    show_default=True,
)
@click.option("--timeout", type=float, default=60.0, show_default=True, help="Seconds.")
def query(
    console: Console,
    query: str,
    working: bool,
    params: tuple[str, ...],
    format_: str,
    timeout: float,
) -> int:
    """Run a saved query, a file, or standard input (-). Without --working: the current release.

    Example: bilbaokg query datasets-without-steward --format csv
    """
    text, substitutions = _query_text(query, params)
    if working:
        store = Path(_do(console, "checkpoint", {})["path"])
    else:
        store = _release(console, None)[0].path / "store"
    evaluate_to_console(console, store, text, substitutions, format_, timeout)
    return _DONE


# ---- people, tokens, audit


@_verb(cli, "delete")
@click.argument("iri")
@click.option("--replaced-by", metavar="IRI", help="What takes its place.")
@click.option("--force", is_flag=True, help="Also when other records refer to it.")
@click.option("--why", default="", help="Reason, kept in the audit.")
def delete(console: Console, **options: Any) -> int:
    """Delete a record; it leaves a tombstone.

    Example: bilbaokg delete https://bilbaokg.example/id/dataset/old --replaced-by https://...
    """
    done = _do(console, "delete", options)
    console.result(
        done,
        lambda: console.say(f"Deleted {done['iri']}; its tombstone goes into the next release."),
    )
    return _DONE


@_verb(cli, "visibility")
@click.argument("iri")
@click.argument("to", type=click.Choice(["public", "internal"]))
@click.option("--why", default="", help="Reason, kept in the audit.")
def visibility(console: Console, **options: Any) -> int:
    """Set whether a record may enter a release.

    Example: bilbaokg visibility https://bilbaokg.example/id/table/staff internal
    """
    done = _do(console, "visibility", options)
    console.result(done, lambda: console.say(f"{done['iri']} is {done['visibility']}."))
    return _DONE


@_verb(cli, "history")
@click.argument("iri")
def history(console: Console, iri: str) -> int:
    """List the revisions of a record.

    Example: bilbaokg history https://bilbaokg.example/id/dataset/bilbobus-gtfs
    """
    done = _do(console, "history", {"iri": iri})
    rows = [
        [r["number"], r["at"], r["actor"], r["revision"][:12], r["why"]] for r in done["revisions"]
    ]
    console.result(done, lambda: console.table(["", "at", "by", "revision", "why"], rows))
    return _DONE


@cli.group("token")
@_global_options
def token_group() -> None:
    """Make, list and revoke API tokens."""


@_verb(token_group, "create")
@click.argument("name")
@click.option("--scope", type=_SCOPES, required=True)
@click.option("--expires", metavar="YYYY-MM-DD", help="Last day on which it works.")
def token_create(console: Console, **options: Any) -> int:
    """Make a token; it is shown once.

    Example: bilbaokg token create harvester --scope write --expires 2027-12-31
    """
    done = _do(console, "token.create", options)
    console.result(done, lambda: console.say(done["token"]))
    console.note("Keep it now: it is not shown again.")
    return _DONE


@_verb(token_group, "list")
def token_list(console: Console) -> int:
    """List tokens, without their secrets."""
    done = _do(console, "token.list", {})
    rows = [
        [t["name"], t["scope"], t["created_at"], t["expires"], t["last_used"], t["revoked_at"]]
        for t in done["tokens"]
    ]
    console.result(
        done,
        lambda: console.table(["name", "scope", "made", "expires", "last used", "revoked"], rows),
    )
    return _DONE


@_verb(token_group, "revoke")
@click.argument("name")
def token_revoke(console: Console, name: str) -> int:
    """Revoke a token at once."""
    done = _do(console, "token.revoke", {"name": name})
    console.result(done, lambda: console.say(f"Revoked {name}."))
    return _DONE


@cli.group("audit")
@_global_options
def audit_group() -> None:
    """Read and verify the audit chain."""


@_verb(audit_group, "verify")
def audit_verify(console: Console) -> int:
    """Check the chain of audit entries and the text of every record."""
    done = _do(console, "audit.verify", {})
    console.result(
        done,
        lambda: console.say(
            f"{done['entries']} audit entries and {done['records']} records are as they were written."
        ),
    )
    return _DONE


@_verb(audit_group, "list")
@click.option("--limit", default=20, show_default=True)
def audit_list(console: Console, limit: int) -> int:
    """Show the newest audit entries."""
    done = _do(console, "audit.list", {"limit": limit})
    rows = [[e["seq"], e["at"], e["actor"], e["kind"], e["subject"]] for e in done["entries"]]
    console.result(done, lambda: console.table(["", "at", "by", "what", "on"], rows))
    return _DONE


@_verb(cli, "status")
def status(console: Console) -> int:
    """Say what the catalogue holds and what is published."""
    done = _do(console, "status", {})

    def tell() -> None:
        console.say(f"{done['data']}, base {done['base']}")
        console.table(["records", "count"], [[k, n] for k, n in sorted(done["records"].items())])
        console.say(
            f"Current release: {done['current'] or 'none'}; all: {', '.join(done['releases']) or 'none'}"
        )

    console.result(done, tell)
    return _DONE


@cli.group("profile")
@_global_options
def profile_group() -> None:
    """Profiles: what a catalogue is validated against."""


@_verb(profile_group, "list")
def profile_list(console: Console) -> int:
    """List the profiles that are there."""
    found = [
        {"name": p.name, "version": p.version, "title": p.title, "gate": sorted(p.gate)}
        for p in profiles.available()
    ]
    rows = [
        [f"{p['name']}/{p['version']}", p["title"].get(console.lang, ""), ", ".join(p["gate"])]
        for p in found
    ]
    console.result({"profiles": found}, lambda: console.table(["profile", "title", "gate"], rows))
    return _DONE


# ---- serving


@_verb(cli, "serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--root-path", default="", help="Path prefix under a reverse proxy, such as /x.")
@click.option("--workers", type=int, help="Query workers [2].")
def serve(console: Console, host: str, port: int, root_path: str, workers: int | None) -> int:
    """Serve pages, feeds, SPARQL and the API.

    Example: bilbaokg serve --port 8000
    """
    return _serve(console, host, port, root_path, workers)


def _serve(console: Console, host: str, port: int, root_path: str, workers: int | None) -> int:
    from bilbaokg import server

    configuration = _settings(console)
    if not console.quiet:
        address = f"http://{'localhost' if host in ('127.0.0.1', '0.0.0.0', '::') else host}:{port}{root_path}"
        console.say(f"Serving {console.data} at {address}/  (Ctrl-C stops)")
        for path, what in _SIGHTS:
            console.say(f"  {address}{path:<28} {what}")
    server.serve(
        console.data,
        configuration,
        host=host,
        port=port,
        root_path=root_path,
        workers=workers or configuration.workers,
    )
    return _DONE


_SIGHTS: Final = (
    ("/es/datasets", "datasets, with search and facets"),
    ("/es/validation", "what validation found"),
    ("/es/sparql", "ask the graph"),
    ("/catalog.ttl", "the feed that portals harvest (.rdf .jsonld .nt)"),
    ("/sparql", "the SPARQL endpoint"),
)


def main(arguments: list[str] | None = None) -> None:
    """Run a verb and exit with its code; no user's error shows a traceback."""
    logging.getLogger("bilbaokg").addHandler(logging.NullHandler())
    meta: dict[str, Any] = {}
    try:
        with cli.make_context(
            "bilbaokg", sys.argv[1:] if arguments is None else arguments
        ) as context:
            meta = context.meta
            code = cli.invoke(context)
    except click.exceptions.Exit as done:
        code = done.exit_code
    except click.ClickException as error:
        error.show()
        code = _FAILED
    except (KeyboardInterrupt, click.exceptions.Abort):
        sys.stderr.write("interrupted\n")
        code = _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = _FAILED
    except BilbaokgError as error:
        console = meta.get("console") or Console(Path())
        _tell_error(console, error)
        code = error.exit_code
    sys.exit(code or _DONE)


def _tell_error(console: Console, error: BilbaokgError) -> None:
    if isinstance(error, GateRefused) and not console.as_json:
        console.problems(error.extra["report"]["results"])
    console.error(error)


if __name__ == "__main__":
    main()
