"""The files of a dbt project: which versions are understood, and what is wrong with others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from bilbaokg.errors import BadInput, NotFound, TooLarge, UnsupportedFormat

__all__ = ["document"]

_VERSION: Final = re.compile(r"/dbt/([a-z-]+)/v(\d{1,4})\.json$")
# File -> its name in the schema, the versions that are understood, which dbt writes them.
_FILES: Final = {
    "manifest.json": ("manifest", range(9, 13), "dbt 1.5 to 1.11"),
    "catalog.json": ("catalog", range(1, 2), "dbt 1.5 to 1.11"),
    "run_results.json": ("run-results", range(4, 7), "dbt 1.5 to 1.11"),
    "sources.json": ("sources", range(3, 4), "dbt 1.5 to 1.11"),
}
# Which command writes a file.
_WRITERS: Final = {
    "manifest.json": "dbt docs generate",
    "catalog.json": "dbt docs generate",
    "run_results.json": "dbt test",
    "sources.json": "dbt source freshness",
}


def document(path: Path, limit: int) -> dict[str, Any]:
    """The object of an artefact, its version checked. limit: bytes that it may have.

    Raises NotFound, BadInput, UnsupportedFormat, TooLarge.
    """
    writer = f"run: {_WRITERS[path.name]}"
    try:
        if path.stat().st_size > limit:
            raise TooLarge(
                f"over {limit:,} bytes", where=str(path), hint="raise file_limit in settings.toml"
            )
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise NotFound("there is no such file", where=str(path), hint=writer) from None
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=str(path)) from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"it is not JSON: {error}", where=str(path), hint=writer) from None
    told = found.get("metadata") if isinstance(found, dict) else None
    schema = told.get("dbt_schema_version") if isinstance(told, dict) else None
    version = _VERSION.search(schema) if isinstance(schema, str) else None
    name, versions, tools = _FILES[path.name]
    if version is None or version[1] != name:
        raise BadInput(f"it is no {name} of dbt", where=str(path), hint=writer)
    if int(version[2]) not in versions:
        age = "old" if int(version[2]) < versions.start else "new"
        raise UnsupportedFormat(
            f"version {version[2]} of the {name} is too {age}", where=str(path),
            hint=f"versions {versions.start} to {versions[-1]} are read: write it with {tools}",
        )  # fmt: skip
    return dict(found)
