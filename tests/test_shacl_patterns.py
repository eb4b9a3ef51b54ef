"""Regular expressions of sh:pattern: XPath's dialect, read by Python's engine."""

from __future__ import annotations

import re
from functools import cache

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilbaokg import assets
from bilbaokg.shacl.patterns import compile_pattern, is_linear
from bilbaokg.shacl.reading import read_file
from bilbaokg.terms import SH, literal, plain, ref, split_line

# Pattern, flags, texts that match, texts that do not. The dialect of XPath, section by section.
CASES = [
    # 5.6.1: matching anywhere, anchors, the dot.
    ("bra", "", ["abracadabra"], ["brda"]),
    ("", "", ["", "a"], []),
    ("^a.*a$", "", ["aa", "abra"], ["bra", "aa\n"]),
    ("^a$", "", ["a"], ["a\n", "\na"]),
    ("^a$", "m", ["a\n", "b\na", "b\na\nc"], ["ab"]),
    ("^$", "m", ["", "\n\na", "a\n\nb"], ["a", "a\nb"]),
    ("^*a$+", "", ["a", "ba"], ["ab"]),
    ("^?a", "m", ["ba"], ["b"]),
    ("a.b", "", ["a b", "a\u2028b", "a😀b"], ["a\nb", "a\rb", "ab"]),
    ("a.b", "s", ["a\nb", "a\rb"], ["ab"]),
    ("a.b", "sm", ["a\nb"], []),
    # Flags.
    ("hello world", "x", ["helloworld"], ["hello world"]),
    (" a {2} [ b] ", "x", ["aa ", "aab"], ["a b"]),
    (r"a\ b", "x", ["a b"], ["ab"]),
    ("a.b", "q", ["xa.bx"], ["acb"]),
    ("[A", "qi", ["[a"], ["a"]),
    ("^a b$", "qxms", ["^a b$"], ["a b", "ab"]),
    ("ñandú", "i", ["ÑANDÚ"], ["nandu"]),
    ("[a-c]", "i", ["B"], ["d"]),
    ("[^a]", "i", ["b"], ["a", "A"]),
    (r"\p{Lu}", "i", ["A"], ["a"]),
    (r"[x\p{Lu}]", "i", ["A", "X", "x"], ["a"]),
    (r"^[^x\p{Lu}]$", "i", ["a", "\n"], ["A", "X", "x"]),
    (r"^[^\p{Lu}]+$", "i", ["ab"], ["aB"]),
    # Escapes of XML Schema.
    (r"^\d+$", "", ["12", "٣४"], ["½", "1a"]),
    (r"^\D$", "", ["a"], ["٣"]),
    (r"^\s+$", "", [" \t\r\n"], ["\xa0", "\u2003", "\x0b", "\x0c"]),
    (r"^\S+$", "", ["a\xa0", "\x0b"], ["a b"]),
    (r"^\w+$", "", ["aÑ1٣", "a_b"], ["+", "-", "a b", ".", "\x07"]),
    (r"^\W+$", "", ["-. ", "+"], ["a", "_"]),
    (r"^\i\c*$", "", ["a:b-1.·", "_", ":"], ["1a", "-", "a b"]),
    (r"^[\i-[:]][\c-[:]]*$", "", ["a-1"], ["a:b", ":a"]),
    (r"^\I\C$", "", ["1 "], ["a ", "1a"]),
    (r"^\p{L}\p{Nd}\P{L}$", "", ["é4_"], ["44_", "é4é"]),
    (r"^[\p{Ll}\p{Nd}.]+$", "", ["é4."], ["É"]),
    (r"^\p{IsBasicLatin}\P{IsGreek}\p{IsGreekandCoptic}$", "", ["aaα"], ["éaα", "aαα"]),
    (r"^\p{IsCyrillic}\p{IsLatin-1Supplement}$", "", ["яé"], ["яa"]),
    (r"^\n\r\t\\\|\.\-\^\?\*\+\{\}\(\)\[\]\$$", "", ["\n\r\t\\|.-^?*+{}()[]$"], [""]),
    # Classes.
    ("^[a-z-[aeiou]]+$", "", ["xyz"], ["xaz", "-"]),
    ("^[a-z-[a-m-[c]]]+$", "", ["cnz"], ["a", "b"]),
    ("^[^a-c-[x]]$", "", ["d", "y"], ["a", "x"]),
    ("^[a-z-[i]]$", "i", ["A"], ["I", "i"]),
    (r"^[\w-[\d]]+$", "", ["ab"], ["a1"]),
    ("^[a-]+$", "", ["a-"], ["b"]),
    ("^[-a]+$", "", ["a-"], ["b"]),
    ("^[a-c-e]+$", "", ["b-e"], ["d"]),
    ("^[+-]$", "", ["+", "-"], [","]),
    (r"^[\]\[\\^-]+$", "", ["]\\[^-"], ["a"]),
    ("^[.$^|*+?(){}]+$", "", [".$^|*+?(){}"], ["a"]),
    (r"^[\n-\r]$", "", ["\x0b"], ["\t"]),
    (r"^[^\s\S]?$", "", [""], ["a"]),
    # Groups, repeats and back-references.
    ("^(?:ab|c)+$", "", ["abc"], ["a"]),
    ("^(a|)b$", "", ["b", "ab"], ["a"]),
    ("a{2}?b{1,}c{0,1}", "", ["aab", "aabc"], ["ab"]),
    (r"^('|\").*\1$", "", ["'a'", '"a"'], ["'a\""]),
    (r"^(a)(b)\12$", "", ["aba2"], ["abb2"]),
    (r"^(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)(l)\12$", "", ["abcdefghijkll"], ["abcdefghijkla2"]),
    (r"^(?:(a)|b)\1$", "", ["aa", "b"], ["ba"]),
]
# What Python has and XPath has not; shapes use it, and pySHACL takes it.
PYTHON_CASES = [
    (r"^https?:\/\/", "", ["http://a"], ["ftp://a"]),
    (r"\bcity\b", "", ["a city."], ["capacity"]),
    (r"^(?=.*\d)(?!x).{2,}$", "", ["a1"], ["ab", "x1"]),
    (r"(?<=a)b(?<!ab)|(?P<q>c)(?P=q)", "", ["cc"], ["ab", "c"]),
    (r"(?i)^MUNICIPIO$", "", ["Municipio"], ["municipio\n"]),
    (r"^(?i:a)b$", "", ["Ab"], ["AB"]),
    (r"^[\u00C0-\u00ff\x41]+\u0042$", "", ["éAB"], ["aB"]),
    (r"\A[^]a]\Z", "", ["b"], ["]", "a"]),
    (r"^[[]$", "", ["["], ["a"]),
    (r"^[[:alpha:]]$", "", ["a]"], ["b]", "a"]),
    (r"^a{,2}}$", "", ["aa}"], ["aaa}"]),
    (r"^{a]$", "", ["{a]"], ["a"]),
    (r"^\_\é\@$", "", ["_é@"], ["a"]),
    (r"^[\@\/]$", "", ["@", "/"], ["\\"]),
    (r"^\x41\101?$", "", ["A", "AA"], ["B"]),
    (r"^[\101]$", "", ["A"], ["1"]),
]


@pytest.mark.parametrize(("pattern", "flags", "matching", "others"), CASES)
def test_pattern_of_xpath(pattern: str, flags: str, matching: list[str], others: list[str]) -> None:
    matches = compile_pattern(pattern, flags)
    assert [text for text in matching if not matches(text)] == []
    assert [text for text in others if matches(text)] == []


@pytest.mark.parametrize(("pattern", "flags", "matching", "others"), PYTHON_CASES)
def test_pattern_of_python(
    pattern: str, flags: str, matching: list[str], others: list[str]
) -> None:
    matches = compile_pattern(pattern, flags)
    assert [text for text in matching if not matches(text)] == []
    assert [text for text in others if matches(text)] == []


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(a", "missing ), unterminated subpattern at position 0"),
        (r"\p{Lu}(a", "missing ), unterminated subpattern"),
        ("a)", "unbalanced parenthesis at position 1"),
        ("[a", "the pattern ends too early, at position 2"),
        ("a\\", "the pattern ends too early, at position 2"),
        ("*a", "nothing to repeat at position 0"),
        ("[z-a]", "a range that runs backwards, at position 1"),
        (r"[a-\d]", r"\d cannot stand in a class, at position 3"),
        (r"[\y]", r"\y cannot stand in a class, at position 1"),
        (r"\y", r"bad escape \y at position 0"),
        (r"\p{Foo}", "unknown category or block 'Foo'"),
        (r"\p{IsFoo}", "unknown category or block 'IsFoo'"),
        (r"\pL", r"\p without {name} at position 0"),
        ("[a-[b]c]", "a subtraction does not end its class, at position 6"),
        (r"(a)\2", "invalid group reference 2 at position 4"),
        ("a{99999999999}", "the repetition number is too large"),
        ("(" * 5000 + ")" * 5000, "brackets are nested too deeply"),
        ("[a-" * 5000, "brackets are nested too deeply"),
    ],
)
def test_pattern_of_neither_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}$"):
        compile_pattern(pattern)


@pytest.mark.parametrize("flags", ["g", "I", "i m", "ig"])
def test_unknown_flag_is_refused(flags: str) -> None:
    with pytest.raises(ValueError, match="unknown flags"):
        compile_pattern("a", flags)


def test_function_is_made_once() -> None:
    assert compile_pattern("^once$", "i") is compile_pattern("^once$", "i")


# -- agreement with other engines ----------------------------------------------------------------


@cache
def shipped_patterns() -> list[str]:
    files = sorted(assets.folder("shapes").rglob("*.ttl"))
    lines = [line for file in files for line in read_file(file)[0]]
    found = (split_line(line) for line in lines)
    return sorted({plain(s.object) for s in found if s.predicate == ref(SH.pattern)})


@settings(deadline=None)
@given(st.data())
def test_shipped_patterns_match_what_python_matches(data: st.DataObject) -> None:
    pattern = data.draw(st.sampled_from(shipped_patterns()))
    # The two read $ and the dot differently where lines end.
    text = re.sub(r"[\r\n]", "", data.draw(st.from_regex(pattern) | st.text()))
    assert compile_pattern(pattern)(text) == bool(re.search(pattern, text))


# What XPath, Oxigraph and Python read alike.
LETTERS = "abABé1.-_ \n"
CLASSES = ["[ab]", "[^a]", "[a-c1]", r"[\d-]", r"[^\d_]", "[a-]", r"[\p{Ll}b]"]
ESCAPES = [r"\.", r"\-", r"\d", r"\D", r"\n", r"\p{L}", r"\P{L}", r"\p{Lu}", r"\p{Nd}"]
ATOMS = st.sampled_from([*"abABé1-_ .^$", *CLASSES, *ESCAPES])
REPEATS = st.sampled_from(["", "", "", "?", "*", "+", "??", "*?", "+?", "{2}", "{1,2}", "{0,}"])
PATTERNS = st.recursive(
    st.builds("{}{}".format, ATOMS, REPEATS),
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("{}|{}".format, inner, inner),
        st.builds("({}){}".format, inner, REPEATS),
        st.builds("(?:{}){}".format, inner, REPEATS),
    ),
    max_leaves=6,
)
STORE = ox.Store()


def matches_in_oxigraph(text: str, pattern: str, flags: str) -> bool | None:
    """What REGEX answers; None for an error."""
    arguments = ", ".join(map(literal, (text, pattern, flags)))
    (found,) = STORE.query(f"SELECT (REGEX({arguments}) AS ?found) {{}}")
    return None if found["found"] is None else found["found"].value == "true"


@settings(deadline=None)
@given(st.text(LETTERS, max_size=6), PATTERNS, st.sampled_from(["", "s", "m", "sm", "i", "is"]))
def test_patterns_match_what_oxigraph_matches(text: str, pattern: str, flags: str) -> None:
    if "m" in flags:
        # Oxigraph's ^ also matches after a last line feed.
        text = text.rstrip("\n")
    if "i" in flags:
        # Its flag i makes letters of a category those of all cases.
        pattern = re.sub(r"\\([pP])\{..?\}", r"\\\1{Nd}", pattern)
    expected = matches_in_oxigraph(text, pattern, flags)
    assert expected is not None
    assert compile_pattern(pattern, flags)(text) == expected


LITERALS = r"aAé.*[(\$^ 1" + "\n"


@settings(deadline=None)
@given(st.text(LITERALS, max_size=6), st.text(LITERALS, max_size=3), st.sampled_from(["q", "qi"]))
def test_literal_patterns_match_what_oxigraph_matches(text: str, other: str, flags: str) -> None:
    for pattern in (other, text[1:4]):
        expected = matches_in_oxigraph(text, pattern, flags)
        assert compile_pattern(pattern, flags)(text) == expected


# ---- patterns that surely end


@pytest.mark.parametrize(
    "pattern",
    [
        "^https://sws.geonames.org",
        "^http.*://www.iana.org/assignments/media-types/",
        "^https?://[^/]+",
        r"^[a-z(+*]+\.csv",
        "^a+?b",
        "open data",
    ],
)
def test_simple_patterns_are_known_to_be_linear(pattern: str) -> None:
    assert is_linear(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "^(a+)+$",
        "a*b",
        "^a*a*b",
        "^x|a*b",
        r"^(a)\1*",
        r"^\\+a*",
        "^a{2,9}b*",
        "^a?a?a?aaa",
        "(?i)^a",
    ],
)
def test_nothing_is_vouched_for_that_could_take_more(pattern: str) -> None:
    assert not is_linear(pattern)


def test_flags_count_too() -> None:
    assert not is_linear("^a*b", "m")
    assert is_linear("(a+)+", "q")
