"""Every error that bilbaokg raises on purpose.

    BilbaokgError                       status  exit
    ├── BadInput                           400     2
    │   ├── SyntaxFault                    400     2   file, line, column, excerpt
    │   ├── TooLarge                       413     2
    │   ├── UnsupportedFormat              415     2
    │   └── Invalid                        422     2   well formed, yet not acceptable
    ├── NotAcceptable                      406     2
    ├── Unauthorized                       401     2
    ├── Forbidden                          403     2
    ├── NotFound                           404     2
    ├── Gone                               410     2
    ├── PreconditionFailed                 412     2
    ├── Conflict                           409     2
    │   ├── StoreBusy                      409     2   another process holds the data directory
    │   ├── GateRefused                    409     1   findings stop a release
    │   ├── DutyRefused                    409     1   duties along lineage stop a release
    │   └── RemovalRefused                 409     1   portals would delete too much
    ├── TooManyRequests                    429     2   a client used up its minute
    ├── Overloaded                         503     2
    │   ├── DeadlineExceeded               503     2
    │   └── MemoryExceeded                 503     2
    ├── UpstreamFault                      502     2   another server did not give what was asked
    ├── WorkerCrashed                      400     2   the input ended the process that read it
    ├── StorageFault                       500     2   the disk failed
    │   └── StorageFull                    507     2
    └── CorruptStore                       500     2

Every class carries what a person needs to mend it: `message` (what), `where` (which file, record or
option) and `hint` (how). `problem()` is the one shape of all error bodies (RFC 9457).
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "BadInput",
    "BilbaokgError",
    "Conflict",
    "CorruptStore",
    "DeadlineExceeded",
    "DutyRefused",
    "Forbidden",
    "GateRefused",
    "Gone",
    "Invalid",
    "MemoryExceeded",
    "NotAcceptable",
    "NotFound",
    "Overloaded",
    "PreconditionFailed",
    "RemovalRefused",
    "StorageFault",
    "StorageFull",
    "StoreBusy",
    "SyntaxFault",
    "TooLarge",
    "TooManyRequests",
    "Unauthorized",
    "UnsupportedFormat",
    "UpstreamFault",
    "WorkerCrashed",
    "from_problem",
]


class BilbaokgError(Exception):
    """What went wrong, where, and how to mend it.

    `extra` holds further members of the problem document (line, column, retry_after, ...).
    """

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "The request could not be done"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 2

    def __init__(
        self, message: str, *, where: str | None = None, hint: str | None = None, **extra: Any
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint
        self.extra = {name: value for name, value in extra.items() if value is not None}

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message

    def problem(self) -> dict[str, Any]:
        """The `application/problem+json` members of this error (RFC 9457, section 3.1)."""
        body: dict[str, Any] = {
            "type": f"urn:bilbaokg:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.message,
        }
        if self.where:
            body["where"] = self.where
        if self.hint:
            body["hint"] = self.hint
        return body | self.extra


class BadInput(BilbaokgError):
    """The input cannot be used as it is."""

    code, title, status = "bad-input", "The input cannot be used", 400


class SyntaxFault(BadInput):
    """A file or a request body does not follow its grammar; `extra` has line, column, excerpt."""

    code, title = "syntax", "Syntax error"

    def __str__(self) -> str:
        place = [str(self.extra[k]) for k in ("line", "column") if k in self.extra]
        where = ":".join([self.where or "input", *place])
        excerpt = self.extra.get("excerpt")
        return f"{where}: {self.message}" + (f"\n    {excerpt}" if excerpt else "")


class TooLarge(BadInput):
    """The input is over a size limit."""

    code, title, status = "too-large", "The input is too large", 413


class UnsupportedFormat(BadInput):
    """No importer, exporter or parser knows this format."""

    code, title, status = "unsupported-format", "Unsupported format", 415


class Invalid(BadInput):
    """Well formed, yet not acceptable here."""

    code, title, status = "invalid", "The content is not acceptable", 422


class NotAcceptable(BilbaokgError):
    """No representation fits the Accept header (RFC 9110, section 15.5.7)."""

    code, title, status = "not-acceptable", "No acceptable representation", 406


class Unauthorized(BilbaokgError):
    """No valid credentials were sent."""

    code, title, status = "unauthorized", "Credentials needed", 401


class Forbidden(BilbaokgError):
    """The actor may not do this."""

    code, title, status = "forbidden", "Not allowed", 403


class NotFound(BilbaokgError):
    """There is no such thing."""

    code, title, status = "not-found", "Not found", 404


class Gone(BilbaokgError):
    """It was deleted and left a tombstone."""

    code, title, status = "gone", "Gone", 410


class PreconditionFailed(BilbaokgError):
    """What the client saw is not what is there (RFC 9110, section 15.5.13)."""

    code, title, status = "precondition", "Changed in the meantime", 412


class Conflict(BilbaokgError):
    """The state of the catalogue does not allow it."""

    code, title, status = "conflict", "Conflict with the present state", 409


class StoreBusy(Conflict):
    """Another process holds the data directory."""

    code, title = "store-busy", "The data directory is in use"


class GateRefused(Conflict):
    """Findings stop the release; `extra["report"]` lists them."""

    code, title, exit_code = "gate", "The release is refused", 1


class DutyRefused(Conflict):
    """Sources of public datasets ask for care; `extra["duties"]` lists them."""

    code, title, exit_code = "duties", "The release is refused", 1


class RemovalRefused(Conflict):
    """Portals would delete too much, or see other identifiers; `extra["removals"]` lists it."""

    code, title, exit_code = "removals", "The release would remove what is published", 1


class TooManyRequests(BilbaokgError):
    """One client asked more than its share; `extra["retry_after"]` is in seconds."""

    code, title, status = "too-many-requests", "Too many requests", 429


class Overloaded(BilbaokgError):
    """No capacity at present."""

    code, title, status = "overloaded", "Try again later", 503


class DeadlineExceeded(Overloaded):
    """The work took longer than it may and was stopped."""

    code, title = "deadline", "Stopped at the deadline"


class MemoryExceeded(Overloaded):
    """The work needed more memory than it may have and was stopped."""

    code, title = "memory", "Stopped at the memory limit"


class UpstreamFault(BilbaokgError):
    """Another server did not give what was asked of it."""

    code, title, status = "upstream", "Another server failed", 502


class WorkerCrashed(BilbaokgError):
    """The input ended the process that worked on it."""

    code, title, status = "worker-crashed", "The input could not be processed", 400


class StorageFault(BilbaokgError):
    """The disk or the store's files failed."""

    code, title = "storage", "Storage failure"


class StorageFull(StorageFault):
    """No space is left."""

    code, title, status = "storage-full", "The disk is full", 507


class CorruptStore(BilbaokgError):
    """A file does not hold what was written to it."""

    code, title = "corrupt", "A file is damaged"


def from_problem(body: dict[str, Any]) -> BilbaokgError:
    """The error that a problem document describes, as raised on the other side of a socket."""
    members = dict(body)
    code = str(members.pop("type", "")).rsplit(":", 1)[-1]
    kind = next((c for c in _descendants(BilbaokgError) if c.code == code), BilbaokgError)
    for derived in ("title", "status"):
        members.pop(derived, None)
    return kind(members.pop("detail", "unknown error"), **members)


def _descendants(cls: type[BilbaokgError]) -> list[type[BilbaokgError]]:
    return [d for sub in cls.__subclasses__() for d in (sub, *_descendants(sub))]
