"""The first wall before SPARQL: what it refuses, what it lets pass, and no way round it."""

from __future__ import annotations

import contextlib

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilbaokg import queries
from bilbaokg.errors import BadInput, BilbaokgError, Forbidden, SyntaxFault
from bilbaokg.store import guard

# The engine refuses this port with a message of its own: a sign that it would have dialled.
FAR = "http://127.0.0.1:9/"
TRIPLES = " ".join(f"?s{n} ?p{n} ?o{n} ." for n in range(guard.MAX_PATTERNS))


def dials(text: str) -> bool:
    """Whether the engine itself would ask another endpoint."""
    store = ox.Store()
    store.add(ox.Quad(ox.NamedNode("x:s"), ox.NamedNode("x:p"), ox.Literal("1")))
    try:
        result = store.query(text)
        if not isinstance(result, ox.QueryBoolean):
            list(result)
    except OSError as error:
        return "port 9" in str(error)
    except (SyntaxError, ValueError):
        return False
    return False


OURS = [*queries.available("pages"), *queries.available("examples")]


@pytest.mark.parametrize("query", OURS, ids=lambda query: query.name)
def test_our_own_queries_pass(query: queries.Query) -> None:
    guard.check(query.text)


@pytest.mark.parametrize(
    "text",
    [
        "ASK {}",
        "# SERVICE\nASK { ?s ?p 'SERVICE' }",
        'SELECT * { ?service <http://x.example/SERVICE> """a " SERVICE \'x\' """ }',
        "PREFIX d: <http://www.w3.org/ns/dcat#> SELECT * { ?s a d:DataService ; d:service ?o }",
        "SELECT * { ?s ?p ?o FILTER(?o < 5 && ?o > 3) }",
        "SELECT * { ?s ?p ?o FILTER(?o<5&&?o>3) }",
        "SELECT * { ?s ?p ?o FILTER(?o IN (<urn:a#b>, <urn:c#d>)) }",
        f"SELECT * {{ {TRIPLES} }}",
        "SELECT * { VALUES ?x { " + "1 " * 5000 + "} }",
        "SELECT * { VALUES (?x ?y) { " + "(1 2) " * 5000 + "} }",
        "SELECT * { ?s ?p ?o FILTER(?o IN (" + ",".join(["1"] * 5000) + ")) }",
        "SELECT * { ?s " + "/".join(["<x:p>"] * 100) + " ?o }",
        "SELECT * { ?s (" + "|".join(["<x:p>"] * 100) + ")* ?o }",
        "SELECT " + " ".join(f"?v{n}" for n in range(500)) + " { }",
        "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o } ORDER BY ?s ?p ?o LIMIT 5",
        "SELECT * { ?s ?p [ ?q (1 2 ?x) ] }",
        "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s ?p ?o } GROUP BY ?p HAVING (COUNT(*) > 2)",
        "DESCRIBE <http://x.example/>",
        "DESCRIBE " + "<x:s> " * 1000 + "{ ?s ?p ?o }",
        "DESCRIBE ?s { VALUES ?s { " + "<x:s> " * 5000 + "} }",
        "SELECT * { ?s ?p 'it\\'s' , \"q\\\"\" , '''x'y''z''' , 1.5e3 , true , @en }",
        "SELECT * { ?s ex:a\\'b\\#c ex:%20.x }",
        "",
    ],
)
def test_honest_queries_pass(text: str) -> None:
    guard.check(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("ASK { FILTER(" + "(" * 200 + "1" + ")" * 200 + ") }", "nesting"),
        ("ASK " + "{" * 201 + "}" * 201, "nesting"),
        ("ASK { ?s ?p " + "[ ?p " * 200 + "1" + "]" * 200 + " }", "nesting"),
        ("ASK { ?s ?p " + "<<( ?a ?b " * 300 + "1" + ")>>" * 300 + " }", "nesting|patterns"),
        ("ASK { " + "{ SELECT * " * 300 + "{}" + "}" * 300 + " }", "nesting"),
        ("ASK { FILTER(" + "||".join(["?a"] * 2000) + ") }", "operators"),
        ("ASK { FILTER(" + "!" * 2000 + "?a) }", "operators"),
        ("ASK { FILTER(" + "1+" * 2000 + "1) }", "operators"),
        ("ASK { FILTER(" + "- " * 2000 + "1) }", "operators"),
        ("ASK { " + " UNION ".join(["{}"] * 2000) + " }", "operators"),
        ("ASK { " + "OPTIONAL {} " * 2000 + " }", "operators"),
        (f"ASK {{ {TRIPLES} ?one ?too ?many }}", "patterns"),
        ("ASK { ?s " + ";".join(["?p ?o"] * 101) + " }", "patterns"),
        ("ASK { ?s ?p " + ",".join(["?o"] * 101) + " }", "patterns"),
        ("ASK { ?s ?p (" + "1 " * 51 + ") }", "patterns"),
        ("ASK { ?s ?p " + "( 1 " * 60 + ") " * 60 + " }", "patterns"),
        ("ASK { " + "{ ?s ?p ?o } " * 101 + " }", "patterns"),
        ("ASK { " + "[ ?p ?o ] ?q ?r . " * 60 + " }", "patterns"),
        ("CONSTRUCT { ?s ?p " + ",".join(["?o"] * 101) + " } WHERE {}", "patterns"),
        ("DESCRIBE " + " ".join(["<x:s>"] * 1001), "described resources"),
        ("DESCRIBE " + "?s " * 1001 + "FROM <x:g> { ?s ?p ?o }", "described resources"),
        ("ASK { ?s " + "/".join(["<x:p>"] * 200) + " ?o }", "steps"),
        ("ASK { ?s (" + "|".join(["<x:p>"] * 200) + ") ?o }", "steps"),
        ("ASK { ?s " + "^" * 250 + "<x:p> ?o }", "steps"),
    ],
)
def test_what_crashes_or_hangs_is_refused(text: str, what: str) -> None:
    with pytest.raises(BadInput, match=f"more than .* ({what})") as caught:
        guard.check(text)
    assert caught.value.status == 400
    assert caught.value.extra["line"] == 1
    assert caught.value.extra["column"] > 1


@pytest.mark.parametrize(
    "text",
    [
        f"ASK {{ SERVICE <{FAR}> {{ ?s ?p ?o }} }}",
        f"ASK {{ service silent <{FAR}> {{ ?s ?p ?o }} }}",
        f"ASK {{ SERVICESILENT<{FAR}>{{ ?s ?p ?o }} }}",
        f"PREFIX : <{FAR}> ASK {{ SERVICE:x {{ ?s ?p ?o }} }}",
        f"ASK {{ BIND(<{FAR}> AS ?x) SERVICE?x{{ ?s ?p ?o }} }}",
        f"ASK {{ ?s ?p trueSERVICE <{FAR}> {{ ?s ?p ?o }} }}",
        f"ASK {{ ?s ?p 1SERVICE <{FAR}> {{ ?s ?p ?o }} }}",
        f"ASK {{ # comment\r SERVICE <{FAR}> {{ ?s ?p ?o }} }}",
        f"ASK {{ ?a ?b 'x' . SERVICE <{FAR}> {{ ?s ?p '''x''' }} }}",
        f"ASK {{ BIND(<{FAR}> AS ?x) ?s ?p ?a FILTER(?a <?b)SERVICE?x#>\n{{ ?s ?p ?o }} }}",
        f"ASK {{ ?s ?p ?a FILTER(?a <'>') SERVICE <{FAR}> {{ ?s ?p ?o }} #'\n }}",
        f"ASK {{ ?s ?p ?a FILTER(?a<'>'||1<2) SERVICE <{FAR}> {{ ?s ?p ?o }} #'\n }}",
        f'ASK {{ ?s ?p "" . SERVICE <{FAR}> {{ ?s ?p "x" }} }}',
        f"SELECT * {{ {{ SELECT * {{ SERVICE <{FAR}> {{ ?s ?p ?o }} }} }} }}",
        f"ASK {{ FILTER EXISTS {{ SERVICE <{FAR}> {{ ?s ?p ?o }} }} }}",
    ],
)
def test_federation_is_refused_however_it_is_written(text: str) -> None:
    with pytest.raises((Forbidden, SyntaxFault)) as caught:
        guard.check(text)
    assert caught.value.extra["line"] >= 1


def test_federation_is_403_and_says_where() -> None:
    with pytest.raises(Forbidden, match="SERVICE") as caught:
        guard.check("ASK {\n  SERVICE <x:y> {} }")
    assert (caught.value.extra["line"], caught.value.extra["column"]) == (2, 3)


PIECES = st.sampled_from(
    [
        "SERVICE",
        "service",
        " SILENT ",
        f"<{FAR}>",
        "?x",
        "{?s ?p ?o}",
        "{",
        "}",
        "(",
        ")",
        "<",
        ">",
        "'",
        '"',
        "'''",
        '"""',
        "#",
        "\n",
        " ",
        "FILTER",
        "FILTER(?s <",
        "?a",
        "&&",
        "||",
        "=",
        "1",
        ".",
        ";",
        ",",
        "<?b",
        "<'>",
        "<x:y>",
        "\\",
        "\\'",
        "\\u0022",
        "BIND(",
        " AS ?x)",
        "a:b",
        ":b",
        "_:b",
        "true",
        "[]",
        "^",
        "/",
        "|",
        "!",
        "@en",
        "^^",
        "VALUES ?x {",
        "UNION",
        "-",
        "+",
        "*",
        "é",
    ]
)


@settings(max_examples=1500, deadline=None)
@given(st.lists(PIECES, max_size=14), st.lists(PIECES, max_size=6))
def test_what_passes_never_dials(before: list[str], after: list[str]) -> None:
    inside = "".join(before) + f"SERVICE <{FAR}> {{?s ?p ?o}}" + "".join(after)
    text = f"PREFIX : <{FAR}> PREFIX a: <{FAR}> SELECT * {{ ?s ?p ?o . {inside} }}"
    try:
        guard.check(text)
    except BilbaokgError:
        return
    assert not dials(text)


@settings(max_examples=1500, deadline=None)
@given(st.lists(PIECES, max_size=20))
def test_guard_never_fails_otherwise(pieces: list[str]) -> None:
    with contextlib.suppress(BadInput, Forbidden):
        guard.check("".join(pieces))


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("ASK {\n ?s ?p 'open }", "string does not end", 2, 8),
        ('ASK { ?s ?p """open" }', "string does not end", 1, 13),
        ("ASK { \u0000 }", "unexpected character", 1, 7),
        ("ASK { ?s ?p \\ }", "unexpected character", 1, 13),
    ],
)
def test_what_is_no_token_is_named(text: str, message: str, line: int, column: int) -> None:
    with pytest.raises(SyntaxFault, match=message) as caught:
        guard.check(text)
    assert (caught.value.extra["line"], caught.value.extra["column"]) == (line, column)


@pytest.mark.parametrize(
    ("text", "dataset"),
    [
        ("SELECT * FROM <x:g> { ?s ?p ?o }", True),
        ("SELECT * from named <x:g> { ?s ?p ?o }", True),
        ("SELECT * { ?s ?p 'FROM' # FROM <x:g>\n }", False),
        ("SELECT * { ?from <x:from> ?o }", False),
    ],
)
def test_guard_knows_whether_a_dataset_is_named(text: str, dataset: bool) -> None:
    assert guard.check(text).dataset is dataset


def test_a_megabyte_of_text_is_read_in_time() -> None:
    guard.check("SELECT * { VALUES ?x { " + "'ab' " * 190_000 + "} }")
    with pytest.raises(SyntaxFault):
        guard.check("ASK { '" + "\\" * 900_000)
    with pytest.raises(SyntaxFault):
        guard.check("ASK { " + '"""' + '""a' * 300_000)


# -- texts that are told by counting alone --------------------------------------------------------

FRAGMENTS = (
    "SELECT * {", "ASK {", "}", "{", "?s ?p ?o .", "?s a <x:c> ; <x:p> 1, 2 .",
    "FILTER(?o > 1 + 2)", "FILTER(?o <?s && ?s> ?o)", "(1 2 3) <x:p> (?a ?b)",
    "?s <x:a>/<x:b>|^<x:c>* ?o .", "[] <x:p> [] .", "OPTIONAL {", "UNION", "BIND('from' AS ?x)",
    "VALUES ?v { 1 2 3 }", "GRAPH ?g {", "# a comment\n", "FROM <x:g>", "SERVICE <x:s> {",
    "ser\\u0076ice", "\"it is (\"", "<x:y'z>", "LIMIT 5",
)  # fmt: skip


@settings(max_examples=500)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=60).map(" ".join))
def test_what_counting_lets_pass_the_walk_lets_pass_too(text: str) -> None:
    try:
        parsed = ox.Store().query(text) is not None
    except (SyntaxError, ValueError, OSError):
        parsed = False
    if parsed and guard.is_slight(text):
        assert not guard.check(text).dataset


@pytest.mark.parametrize(
    "text",
    [
        "ASK { SERVICE <x:y> {} }", "ASK { SeRvIcE <x:y> {} }", "ASK FROM <x:g> {}",
        "ASK { <x:\\u0073> ?p ?o }", "ASK {" + "{" * 201 + "}" * 201 + "}",
        "ASK { " + "?a?b?c." * 101 + "}", "ASK { ?s " + "^" * 101 + "<x:p> ?o }",
        "ASK { (" + "1 " * 60 + ") ?p ?o }", "ASK { FILTER(?a <b(c> ?d) }", "ASK {}" + " " * 1000,
    ],
)  # fmt: skip
def test_what_could_pass_a_limit_is_looked_at_closely(text: str) -> None:
    assert not guard.is_slight(text)


def test_small_queries_are_told_by_counting() -> None:
    assert guard.is_slight(
        "PREFIX d: <http://www.w3.org/ns/dcat#> SELECT * { ?s a d:Dataset } LIMIT 20"
    )
    assert guard.is_slight("SELECT (COUNT(*) AS ?n) { ?s ?p ?o FILTER(?o > 5) }")
