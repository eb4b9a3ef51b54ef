"""The readers of CKAN and of tables: whatever a portal says, they give statements or refuse."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pyoxigraph as ox
from ckan_portal import package
from hypothesis import given, settings
from hypothesis import strategies as st

from bilbaokg.errors import BadInput
from bilbaokg.importers import ckan, table
from bilbaokg.importers.translation import Translation

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["https://a.example/x y", "http://[", "2020-13-45", "[1", "es", '["x"]'])
)  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
FIELDS = sorted(
    {*package(1), "uri", "theme", "language", "spatial", "spatial_uri", "temporal_start",
     "title_translated", "contact_email", "publisher_uri", "provenance", "alternate_identifier"}
)  # fmt: skip
RESOURCE = st.fixed_dictionaries({}, optional=dict.fromkeys(package(1)["resources"][0], JSON))


def check(translation: Translation) -> None:
    """What was read is RDF, and every dataset that it lists is described."""
    lines = "".join(f"{line}\n" for line in translation.lines).encode(errors="replace")
    subjects = {str(quad.subject) for quad in ox.parse(lines, format=ox.RdfFormat.N_TRIPLES)}
    assert set(translation.listed) <= subjects


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.lists(RESOURCE | JSON, max_size=2))
def test_any_package_becomes_rdf_or_is_refused(fields: dict[str, Any], resources: Any) -> None:
    listed = [package(1) | {"resources": resources} | fields]
    answer = {"success": True, "result": {"count": 1, "results": listed}}
    read = ckan.read(json.dumps(answer).encode(), {"site": "https://p.example", "language": "es"})
    check(read)
    assert len(read.listed) + len(read.refused) + len(read.passed) == 1


@settings(max_examples=300)
@given(JSON)
def test_any_answer_is_read_or_refused(result: Any) -> None:
    with contextlib.suppress(BadInput):
        check(ckan.read(json.dumps({"success": True, "result": result}).encode(), {"site": "x:"}))


@settings(max_examples=300)
@given(st.lists(st.lists(st.text(max_size=12), min_size=1, max_size=4), max_size=4), st.binary())
def test_any_table_becomes_rdf_or_is_refused(rows: list[list[str]], tail: bytes) -> None:
    text = "id,title,url,modified\n" + "".join(",".join(row) + "\n" for row in rows)
    content = text.encode(errors="replace") + tail
    with contextlib.suppress(BadInput):
        check(table.read(content, {"place": "https://p.example/list.csv"}))
