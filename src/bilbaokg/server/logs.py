"""Log lines as JSON: one event a line, whatever the text holds."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

__all__ = ["JsonLines", "configure"]

_EXTRA: Final = ("request_id", "path", "operation")


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object; control characters are escaped by JSON itself."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in _EXTRA if hasattr(record, name)}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True)


def configure(level: int = logging.INFO) -> None:
    """Send the log of this process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # It says every address that is asked, with what may be a secret in it.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # It says at every start and stop what we say ourselves, and of an answer that we cut as well.
    uvicorn = logging.getLogger("uvicorn.error")
    uvicorn.setLevel(logging.WARNING)
    uvicorn.addFilter(lambda record: "without completing response" not in record.getMessage())
