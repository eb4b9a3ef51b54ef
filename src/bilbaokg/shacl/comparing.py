"""Two engines on the same data: what only one of them finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from bilbaokg.model import Difference
from bilbaokg.shacl.finding import Finding
from bilbaokg.shacl.shapes import SEVERITY_NAMES, Shapes, local_name
from bilbaokg.terms import plain

__all__ = ["differences"]

_Kind = tuple[str, str, str, str]


def differences(found: Mapping[str, Iterable[Finding]], shapes: Shapes) -> tuple[Difference, ...]:
    """Compare the multisets of (focus, path, component, severity) of two engines, by name."""
    (first, ours), (second, theirs) = found.items()
    one, other = _counted(ours, shapes), _counted(theirs, shapes)
    return (*_more(first, one, other), *_more(second, other, one))


def _counted(findings: Iterable[Finding], shapes: Shapes) -> Counter[_Kind]:
    return Counter(
        (
            plain(finding.focus),
            shapes.path_text(finding.path) if finding.path else "",
            local_name(plain(finding.component)),
            SEVERITY_NAMES.get(finding.severity, "violation"),
        )
        for finding in findings
    )


def _more(engine: str, found: Counter[_Kind], other: Counter[_Kind]) -> Iterator[Difference]:
    for (focus, path, component, severity), count in sorted((found - other).items()):
        yield Difference(engine, focus, path or None, component, severity, count)
