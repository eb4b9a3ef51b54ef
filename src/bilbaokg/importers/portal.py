"""What portals answer that is no RDF, as RDF: the job that a worker runs.

A reader takes bytes that strangers wrote and gives N-Triples lines; blank nodes are named after,
as in every import. A new format is a file here and a line in READERS.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bilbaokg import parsing
from bilbaokg.importers import ckan, table
from bilbaokg.importers.translation import Translation
from bilbaokg.parsing import Put

__all__ = ["READERS", "job"]

READERS: Final[dict[str, Callable[[bytes, dict[str, Any]], Translation]]] = {
    "ckan": ckan.read,
    "csv": table.read,
}


def job(params: dict[str, Any], body: bytes, put: Put) -> None:
    """Read the page at `params["path"]` with `params["reader"]`, whose own are `params["options"]`.

    The other params are those of parsing.job. The first frame is `{"portal": about}` (see
    Translation.about), then come those of parsing.job. Raises what the reader and it raise.
    """
    translation = READERS[params["reader"]](Path(params["path"]).read_bytes(), params["options"])
    put({"portal": translation.about()}, b"")
    lines = "".join(f"{line}\n" for line in translation.lines)
    # JSON can hold half a character, which is none.
    content = lines.encode(errors="replace")
    parsing.job({**params, "path": None, "format": "nt"}, content, put)
