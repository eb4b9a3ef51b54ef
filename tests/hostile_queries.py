"""Queries that no honest client sends, by name: those that must be refused, and those that may run.

`far.example` stands for an address that must never be asked; a test puts a real one in its place.
"""

from __future__ import annotations

__all__ = ["DIALLING", "HEAVY", "HEAVY_UPDATES", "REFUSED", "REFUSED_UPDATES"]

FAR = "http://far.example/"
PAIRS = " ".join(f"?a{n} ?b{n} ?c{n} ." for n in range(12))
CLIQUE = "(!<x:p>|^!<x:p>)"
MANY = " ".join(str(n) for n in range(3000))


def chain(first: str, each: str, count: int, last: str) -> str:
    """BIND upon BIND: `each` makes ?x1 of ?x0, ?x2 of ?x1, ..."""
    steps = (each.replace("?in", f"?x{n}").replace("?out", f"?x{n + 1}") for n in range(count))
    return f"SELECT {last} {{ BIND({first} AS ?x0) {' '.join(steps)} }}"


def nested(before: str, inside: str, after: str, count: int) -> str:
    return before * count + inside + after * count


# What crashes or hangs parser and planner, and what is no query: a 4xx at once.
REFUSED = {
    "nested parentheses": "ASK { FILTER(" + nested("(", "1", ")", 3000) + ") }",
    "nested groups": "ASK " + nested("{", "", "}", 9000),
    "nested brackets": "ASK { ?s ?p " + nested("[ ?p ", "1", "]", 5000) + " }",
    "nested collections": "ASK { ?s ?p " + nested("(", "1", ")", 5000) + " }",
    "nested optionals": "ASK { " + nested("OPTIONAL { ", "", " }", 5000) + " }",
    "nested exists": "ASK { " + nested("FILTER EXISTS { ", "", " }", 5000) + " }",
    "nested not exists": "ASK { " + nested("FILTER NOT EXISTS { ?s ?p ?o ", "", " }", 300) + " }",
    "nested minus": "ASK { " + nested("?s ?p ?o MINUS { ", "", " }", 300) + " }",
    "nested graphs": "ASK { " + nested("GRAPH ?g { ", "", " }", 5000) + " }",
    "nested functions": "ASK { FILTER(" + nested("STR(", "1", ")", 5000) + ") }",
    "nested conditions": "ASK { FILTER(" + nested("IF(true, ", "1", ", 1)", 5000) + ") }",
    "nested coalesce": "ASK { FILTER(" + nested("COALESCE(", "1", ")", 5000) + ") }",
    "nested paths": "ASK { ?s " + nested("(", "<x:p>", ")*", 5000) + " ?o }",
    "nested lateral": "ASK { " + nested("LATERAL { ", "", " }", 5000) + " }",
    "sub-selects": "ASK " + nested("{ SELECT * ", "{}", "}", 10000),
    "triple terms": "ASK { " + nested("<<( ?a ?b ", "1", ")>>", 20000) + " ?p ?o }",
    "reified triples": "ASK { " + nested("<< ?a ?b ", "1", ">>", 20000) + " ?p ?o }",
    "annotations": "ASK { ?s ?p ?o " + nested("{| ?p ?o ", "", "|}", 5000) + " }",
    "brackets that do not end": "ASK " + "{" * 100_000,
    "brackets that only end": "ASK " + "}" * 100_000,
    "chain of or": "ASK { FILTER(" + "||".join(["?a"] * 9000) + ") }",
    "chain of and": "ASK { FILTER(" + "&&".join(["?a"] * 9000) + ") }",
    "chain of union": "ASK { " + " UNION ".join(["{}"] * 7000) + " }",
    "chain of not": "ASK { FILTER(" + "!" * 10000 + "?a) }",
    "chain of plus": "ASK { FILTER(" + "1+" * 10000 + "1) }",
    "chain of minus": "ASK { FILTER(" + "- " * 10000 + "1) }",
    "chain of inverse": "ASK { ?s " + "^" * 10000 + "<x:p> ?o }",
    "chain of filters": "ASK { " + "FILTER(true) " * 10000 + " }",
    "chain of binds": "ASK { " + "BIND(1 AS ?x) " * 10000 + " }",
    "a thousand patterns": "ASK {" + "".join(f"?s{n} ?p{n} ?s{n + 1} ." for n in range(1000)) + "}",
    "a thousand path steps": "ASK { ?s " + "/".join(["<x:p>"] * 1000) + " ?o }",
    "a thousand path choices": "ASK { ?s " + "|".join(["<x:p>"] * 1000) + " ?o }",
    "a thousand negated choices": "ASK { ?s !(" + "|".join(["<x:p>"] * 1000) + ") ?o }",
    "a long collection": "ASK { ?s ?p (" + "1 " * 1000 + ") }",
    "a huge template": "CONSTRUCT { ?s ?p " + ", ".join(["?o"] * 5000) + " } WHERE { ?s ?p ?o }",
    "describing thousands": "DESCRIBE " + " ".join(f"<x:{n}>" for n in range(20_000)),
    "no quote": "ASK { ?s ?p '" + "a" * 100_000 + " }",
    "backslashes": 'ASK { ?s ?p "' + "\\" * 100_000 + " }",
    "NUL": "ASK { \0 }",
    "NUL in a keyword": "AS\0K {}",
    "byte order mark twice": "\ufeff\ufeffASK {}",
    "another direction": "\u202eASK {}",
    "full width": "\uff21\uff33\uff2b {}",
    "update": "DELETE WHERE { ?s ?p ?o }",
    "query and update": "ASK {} ; DROP ALL",
    "two queries": "ASK {} ASK {}",
    "escape that is none": "ASK { <x:\\u00zz> ?p ?o }",
    "surrogate": "ASK { ?s ?p '\\uD800' }",
    "over Unicode": "ASK { ?s ?p '\\U00110000' }",
    "prefix of itself": "PREFIX a: a:b ASK { a:x ?p ?o }",
    "base that is none": "BASE <not an IRI> ASK { <x> ?p ?o }",
    "number of a megabyte": "ASK { FILTER(" + "9" * 900_000 + " > 1 LIMIT) }",
    "long language": 'ASK { ?s ?p "x"@' + "a" * 100_000 + " }",
    "escaped variable": "SELECT ?\\u0078 { ?s ?p ?o }",
    "escaped braces": "ASK \\u007B \\u007D",
    "only a comment": "# ASK {}",
    "nothing": "",
    "spaces": " " * 900_000,
}  # fmt: skip

# Each would ask another machine, were it let: a 4xx, or an answer without that.
DIALLING = {
    "service": f"ASK {{ SERVICE <{FAR}> {{ ?s ?p ?o }} }}",
    "service, silent": f"ASK {{ SERVICE SILENT <{FAR}> {{ ?s ?p ?o }} }}",
    "service, mixed case": f"ASK {{ sErViCe <{FAR}> {{ ?s ?p ?o }} }}",
    "service of a variable": f"ASK {{ VALUES ?x {{ <{FAR}> }} SERVICE ?x {{ ?s ?p ?o }} }}",
    "service after a comment": f"ASK {{ # x\nSERVICE <{FAR}> {{ ?s ?p ?o }} }}",
    "service after a CR": f"ASK {{ # x\rSERVICE <{FAR}> {{ ?s ?p ?o }} }}",
    "text, line separator": f"ASK {{ # x\u2028SERVICE <{FAR}> {{ ?s ?p ?o }}\n }}",
    "text, form feed": f"ASK {{ # x\fSERVICE <{FAR}> {{ ?s ?p ?o }}\n }}",
    "service in escapes": f"ASK {{ \\u0053ERVICE <{FAR}> {{ ?s ?p ?o }} }}",
    "service in long escapes": f"ASK {{ \\U00000053ERVICE <{FAR}> {{ ?s ?p ?o }} }}",
    "text, escaped quote": f"ASK {{ ?s ?p '\\u0027 . SERVICE <{FAR}> {{}} #' }}",
    "text, escaped newline": f"ASK {{ # \\u000ASERVICE <{FAR}> {{ ?s ?p ?o }}\n }}",
    "service behind an escaped end": f"ASK {{ ?s ?p <x:\\u003E . SERVICE <{FAR}> {{}} #> }}",
    "service of an escaped IRI": "ASK { SERVICE <http:\\u002F\\u002Ffar.example/> { ?s ?p ?o } }",
    "service between quotes": f"ASK {{ ?a ?b 'x' . SERVICE <{FAR}> {{ ?s ?p '''x''' }} }}",
    "service in a sub-select": f"ASK {{ {{ SELECT * {{ SERVICE <{FAR}> {{ ?s ?p ?o }} }} }} }}",
    "service in exists": f"ASK {{ FILTER EXISTS {{ SERVICE <{FAR}> {{ ?s ?p ?o }} }} }}",
    "service in minus": f"ASK {{ ?s ?p ?o MINUS {{ SERVICE <{FAR}> {{ ?s ?p ?o }} }} }}",
    "service in lateral": f"ASK {{ ?s ?p ?o LATERAL {{ SERVICE <{FAR}> {{ ?s ?p ?o }} }} }}",
    "service in graph": f"ASK {{ GRAPH ?g {{ SERVICE <{FAR}> {{ ?s ?p ?o }} }} }}",
    "service in having": f"SELECT (COUNT(*) AS ?n) {{}} HAVING EXISTS {{ SERVICE <{FAR}> {{}} }}",
    "service by base": f"BASE <{FAR}> ASK {{ SERVICE <x> {{ ?s ?p ?o }} }}",
    "service by prefix": f"PREFIX f: <{FAR}> ASK {{ SERVICE f:x {{ ?s ?p ?o }} }}",
    "service in a construct": f"CONSTRUCT WHERE {{ SERVICE <{FAR}> {{ ?s ?p ?o }} }}",
    "service in a describe": f"DESCRIBE ?s {{ SERVICE <{FAR}> {{ ?s ?p ?o }} }}",
    "load": f"LOAD <{FAR}>",
    "load, silent": f"LOAD SILENT <{FAR}> INTO GRAPH <x:g>",
    "load after a query": f"ASK {{}} ; LOAD <{FAR}>",
    "load in escapes": f"\\u004COAD <{FAR}>",
    "from": f"ASK FROM <{FAR}> {{ ?s ?p ?o }}",
    "from named": f"ASK FROM NAMED <{FAR}> {{ GRAPH ?g {{ ?s ?p ?o }} }}",
    "graph": f"SELECT * {{ GRAPH <{FAR}> {{ ?s ?p ?o }} }}",
    "describe": f"DESCRIBE <{FAR}>",
    "function": f"SELECT (<{FAR}>(1) AS ?x) {{}}",
    "base": f"BASE <{FAR}> SELECT * {{ <x> ?p ?o }}",
    "datatype": f"SELECT ('x'^^<{FAR}> AS ?x) {{}}",
}  # fmt: skip

# What is costly or odd, and yet a query: a right answer, or an end at the deadline.
HEAVY = {
    "product": f"SELECT (COUNT(*) AS ?n) {{ {PAIRS} }}",
    "product, ordered": f"SELECT * {{ {PAIRS} }} ORDER BY ?a1",
    "product, distinct": f"SELECT DISTINCT * {{ {PAIRS} }}",
    "product, grouped": f"SELECT ?a0 (COUNT(*) AS ?n) {{ {PAIRS} }} GROUP BY ?a0",
    "product, joined to text": f"SELECT (GROUP_CONCAT(STR(?a0)) AS ?t) {{ {PAIRS} }}",
    "product, averaged": f"SELECT (AVG(STRLEN(STR(?c3))) AS ?n) {{ {PAIRS} }}",
    "product, sampled": f"SELECT (SAMPLE(?c3) AS ?n) {{ {PAIRS} }}",
    "product, far away": f"SELECT * {{ {PAIRS} }} OFFSET 999999999999",
    "product that has none": f"ASK {{ {PAIRS} FILTER(?a0 = <x:none>) }}",
    "product as graph": f"CONSTRUCT {{ ?a0 ?b1 ?c2 }} WHERE {{ {PAIRS} }}",
    "product of values": f"SELECT (COUNT(*) AS ?n) {{ VALUES ?a {{ {MANY} }} VALUES ?b {{ {MANY} }}"
    f" VALUES ?c {{ {MANY} }} }}",
    "product of sub-selects": "SELECT (COUNT(*) AS ?n) {"
    + " ".join(f"{{ SELECT ?a{n} {{ ?a{n} ?b ?c }} }}" for n in range(12)) + "}",
    "product of optionals": "SELECT (COUNT(*) AS ?n) {"
    + " ".join(f"OPTIONAL {{ ?a{n} ?b{n} ?c{n} }}" for n in range(12)) + "}",
    "product of unions": "SELECT (COUNT(*) AS ?n) {"
    + " ".join(f"{{ ?a{n} ?b ?c }} UNION {{ ?c ?b ?a{n} }}" for n in range(12)) + "}",
    "product of graphs": "SELECT (COUNT(*) AS ?n) {"
    + " ".join(f"GRAPH ?g{n} {{ ?a{n} ?b{n} ?c{n} }}" for n in range(12)) + "}",
    "product without what is far": f"SELECT (COUNT(*) AS ?n) {{ {PAIRS} MINUS {{ ?x ?y ?z }} }}",
    "product, and exists": f"ASK {{ {PAIRS} FILTER NOT EXISTS {{ ?a0 ?b1 ?c2 }}"
    " FILTER(?a0 = <x:none>) }",
    "path over a clique": f"SELECT (COUNT(*) AS ?n) {{ ?a {CLIQUE}* ?b . ?b {CLIQUE}* ?c }}",
    "paths over cliques": f"SELECT * {{ ?a {CLIQUE}* ?b . ?b {CLIQUE}* ?c . ?c {CLIQUE}* ?d }}",
    "path in a path": f"SELECT (COUNT(*) AS ?n) {{ ?a ((({CLIQUE}+)*)+)* ?b }}",
    "path of nothing": "SELECT (COUNT(*) AS ?n) { ?a <x:p>* ?b . ?c <x:p>* ?d . ?e <x:p>* ?f }",
    "path of choices": "SELECT (COUNT(*) AS ?n) {"
    " ?a (!<x:p>?/^!<x:p>?/!<x:p>?)* ?b . ?b !<x:q>* ?c }",
    "optional in optional": "SELECT (COUNT(*) AS ?n) { "
    + nested("?a ?b ?c OPTIONAL { ", "?x ?y ?z", " }", 20) + " }",
    "exists in exists": "ASK { ?s ?p ?o "
    + nested("FILTER NOT EXISTS { ?a ?b ?c ", "FILTER(false)", " }", 20) + " }",
    "lateral": "SELECT (COUNT(*) AS ?n) { "
    + " ".join(f"?a{n} ?b{n} ?c{n} LATERAL {{ ?x{n} ?y{n} ?z{n} }}" for n in range(6)) + " }",
    "doubling": chain('"aaaaaaaaaaaaaaaa"', "BIND(CONCAT(?in,?in) AS ?out)", 30, "?x30"),
    "doubling, unseen": chain('"aaaa"', "BIND(CONCAT(?in,?in) AS ?out)", 40, "(STR(?x40) AS ?n)"),
    "doubling by replacing": chain('"aaaaaaaa"', 'BIND(REPLACE(?in,"a","aa") AS ?out)', 30, "?x30"),
    "doubling by encoding": chain('"%"', "BIND(ENCODE_FOR_URI(?in) AS ?out)", 90, "?x90"),
    "doubling numbers": chain("3", "BIND(?in * ?in AS ?out)", 90, "?x90"),
    "doubling decimals": chain("3.5", "BIND(?in * ?in AS ?out)", 90, "?x90"),
    "replacing with groups": 'SELECT (REPLACE("' + "a" * 5000
    + '", "(a*)*b?", "$1$1$1$1$1") AS ?x) {}',
    "joined texts": f'SELECT (GROUP_CONCAT(?a; SEPARATOR="{"x" * 10_000}") AS ?t) {{'
    f" VALUES ?a {{ {MANY} }} VALUES ?b {{ {MANY} }} }}",
    "evil regex": 'ASK { FILTER(REGEX("' + "a" * 40 + '!", "^(a+)+$")) }',
    "regex of repetitions": 'ASK { FILTER(REGEX("aaaa", "((a{1,99}){1,99}){1,99}")) }',
    "regex of a megabyte": 'ASK { FILTER(REGEX("a", "' + "a?" * 200_000 + '")) }',
    "regex of brackets": 'ASK { FILTER(REGEX("a", "' + "(" * 100_000 + '")) }',
    "regex of Unicode": 'ASK { FILTER(REGEX("a", "' + "\\\\p{L}{1,500}" * 50 + '")) }',
    "regex of many": 'SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i'
    ' FILTER(REGEX(CONCAT(STR(?a),STR(?d),STR(?g)), "(.*)(.*)(.*)(.*)x")) }',
    "long list": "SELECT * { ?s ?p ?o FILTER(?o IN (" + ",".join(map(str, range(60000))) + ")) }",
    "long list of none": "SELECT * { ?s ?p ?o FILTER(?o NOT IN ("
    + ",".join(f"'{n}'" for n in range(60000)) + ")) }",
    "long values": "SELECT (COUNT(*) AS ?n) { VALUES ?x { " + "1 " * 200_000 + "} }",
    "wide values": "SELECT * { VALUES (" + " ".join(f"?v{n}" for n in range(500)) + ") { "
    + ("(" + "1 " * 500 + ") ") * 500 + "} }",
    "wide projection": "SELECT " + " ".join(f"?v{n}" for n in range(20_000)) + " { ?v1 ?v2 ?v3 }",
    "many aggregates": "SELECT " + " ".join(f"(COUNT(?s) AS ?n{n})" for n in range(300))
    + " { ?s ?p ?o . ?a ?b ?c }",
    "many keys": "SELECT * { ?s ?p ?o } ORDER BY " + " ".join(["?s"] * 5000),
    "long literal": 'SELECT ("' + "a" * 900_000 + '" AS ?x) {}',
    "long number": "SELECT (" + "9" * 300_000 + " AS ?x) {}",
    "long exponent": "SELECT (1e999999999 AS ?x) (-1e-999999999 AS ?y) {}",
    "long IRI": "ASK { <x:" + "a" * 900_000 + "> ?p ?o }",
    "long variable": "SELECT ?" + "a" * 400_000 + " { }",
    "long comment": "ASK {} #" + "a" * 900_000,
    "many prefixes": "".join(f"PREFIX p{n}: <x:{n}> " for n in range(20_000)) + "ASK {}",
    "many bases": "".join(f"BASE <http://x.example/{n}/> " for n in range(20_000)) + "ASK {}",
    "base upon base": "BASE <http://x.example/> " + "BASE <a/> " * 20_000 + "SELECT (<x> AS ?i) {}",
    "many graphs": "SELECT (COUNT(*) AS ?n) " + " ".join(f"FROM <x:{n}>" for n in range(20_000))
    + " { ?s ?p ?o }",
    "describe everything": f"DESCRIBE * {{ {PAIRS} }}",
    "describe many": "DESCRIBE " + " ".join(f"<x:{n}>" for n in range(1000)),
    "construct many": "CONSTRUCT { " + " ".join(f"?s <x:{n}> ?o ." for n in range(90)) + " } WHERE"
    " { ?s ?p ?o . ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }",
    "blank nodes without end": "CONSTRUCT { [] <x:p> [ <x:q> [] ] } WHERE { ?a ?b ?c . ?d ?e ?f ."
    " ?g ?h ?i . ?j ?k ?l }",
    "hashes": chain('"a"', "BIND(SHA512(?in) AS ?out)", 90, "?x90"),
    "dates far away": "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> SELECT"
    ' ("999999999999-01-01T00:00:00Z"^^xsd:dateTime - "-999999999-01-01T00:00:00Z"^^xsd:dateTime'
    ' AS ?d) (YEAR("-9999999999-01-01"^^xsd:date) AS ?y) {}',
    "divided by nothing": "SELECT (1/0 AS ?x) (1.0/0 AS ?y) (1e0/0 AS ?z) {}",
    "substring far away": "SELECT"
    ' (SUBSTR("abc", -9223372036854775808, 9223372036854775807) AS ?x) {}',
    "limit of nothing": "SELECT * { ?s ?p ?o } LIMIT 0 OFFSET 18446744073709551615",
    "byte order mark": "\ufeffASK {}",
    "only CR": "ASK\r{\r# x\r?s ?p ?o\r}",
    "escaped keyword in a text": "ASK { ?s ?p '\\u0053ERVICE' }",
}  # fmt: skip

# Updates that must be refused: they would ask another machine, or are none.
REFUSED_UPDATES = {
    "load": f"LOAD <{FAR}>",
    "load, silent": f"LOAD SILENT <{FAR}> INTO GRAPH <x:g>",
    "load, mixed case": f"lOaD <{FAR}>",
    "load after another": f"CLEAR ALL ; LOAD <{FAR}>",
    "load after a comment": f"# x\rLOAD <{FAR}>",
    "load after a prefix": f"PREFIX f: <{FAR}> LOAD f:x",
    "load after a base": f"BASE <{FAR}> LOAD <x>",
    "load of a file": "LOAD <file:///etc/passwd>",
    "load in escapes": f"\\u004COAD <{FAR}>",
    "service": f"INSERT {{ ?s ?p ?o }} WHERE {{ SERVICE <{FAR}> {{ ?s ?p ?o }} }}",
    "service, silent": f"DELETE {{ ?s ?p ?o }} WHERE {{ SERVICE SILENT <{FAR}> {{ ?s ?p ?o }} }}",
    "service in a sub-select": f"INSERT {{ ?s ?p 1 }} WHERE {{ {{ SELECT * {{ SERVICE <{FAR}>"
    " { ?s ?p ?o } } } }",
    "service in exists": f"DELETE {{ ?s ?p ?o }} WHERE {{ ?s ?p ?o FILTER EXISTS {{ SERVICE <{FAR}>"
    " { ?s ?p ?o } } }",
    "service after data": "INSERT DATA { <x:s> <x:p> 1 } ;"
    f" INSERT {{ ?s ?p 1 }} WHERE {{ SERVICE <{FAR}> {{ ?s ?p ?o }} }}",
    "query": "SELECT * { ?s ?p ?o }",
    "nested groups": "DELETE { ?s ?p ?o } WHERE " + nested("{", "", "}", 9000),
    "nested collections": "INSERT DATA { <x:s> <x:p> " + nested("(", "1", ")", 5000) + " }",
    "nested brackets": "INSERT DATA { <x:s> <x:p> " + nested("[ <x:p> ", "1", "]", 5000) + " }",
    "triple terms": "INSERT DATA { <x:s> <x:p> "
    + nested("<<( <x:a> <x:b> ", "1", ")>>", 20000) + " }",
    "a thousand patterns": "DELETE WHERE {"
    + "".join(f"?s{n} ?p{n} ?s{n + 1} ." for n in range(1000)) + "}",
    "string that does not end": "INSERT DATA { <x:s> <x:p> '" + "a" * 100_000 + " }",
    "NUL": "INSERT DATA { <x:s> <x:p> 1 } \0",
    "variable in data": "INSERT DATA { ?s <x:p> 1 }",
    "blank node deleted": "DELETE DATA { _:b <x:p> 1 }",
}  # fmt: skip

# Updates that take for ever or too much room: they end at the deadline or a limit, and do nothing.
HEAVY_UPDATES = {
    "product": f"INSERT {{ ?a0 <x:p> ?c9 }} WHERE {{ {PAIRS} }}",
    "product, deleted": f"DELETE {{ ?a0 ?b1 ?c2 }} WHERE {{ {PAIRS} }}",
    "product as blank nodes": f"INSERT {{ [] <x:p> [ <x:q> ?c9 ] }} WHERE {{ {PAIRS} }}",
    "doubling": "INSERT { <x:s> <x:p> ?x40 } WHERE { BIND('aaaaaaaa' AS ?x0) "
    + " ".join(f"BIND(CONCAT(?x{n},?x{n}) AS ?x{n + 1})" for n in range(40)) + "}",
}  # fmt: skip
