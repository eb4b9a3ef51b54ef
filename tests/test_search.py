"""Search over a release: what words find, in which order, how it is shown, and hostile input."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import BASE, lines
from hypothesis import HealthCheck, example, given
from hypothesis import settings as tuned
from hypothesis import strategies as st

from bilbaokg import index
from bilbaokg.index import Index, corrected, find, marked, popular, suggest
from bilbaokg.index.excerpts import Marked
from bilbaokg.index.words import Words
from bilbaokg.merging import text_of
from bilbaokg.model import Record


def record(id: str, turtle: str) -> Record:
    return Record(id, f"{BASE}/id/{id}", text_of(lines(turtle)), "", 1, "public")


RECORDS = [
    record(
        "concept/air",
        f"""
<{BASE}/id/concept/air> a skos:Concept ; skos:prefLabel "Contaminación"@es, "Kutsadura"@eu ;
  skos:altLabel "calidad del aire"@es ; skos:hiddenLabel "smog"@en ;
  skos:inScheme <{BASE}/id/scheme/glossary> .
""",
    ),
    record(
        "dataset/stations",
        f"""
:stations a dcat:Dataset ; dct:title "Estaciones"@es, "Geltokiak"@eu ;
  dct:description "Dónde se mide."@es ; dct:identifier "st-17" ;
  dct:subject <{BASE}/id/concept/air> .
""",
    ),
    record(
        "dataset/bikes",
        """
:bikes a dcat:Dataset ; dct:title "Bicicletas"@es ; dct:modified "2026-01-02" ;
  dct:description "Préstamo. Del ruido no dice nada, & <b>menos</b> \\u0002aún."@es ;
  dcat:theme <http://publications.europa.eu/resource/authority/data-theme/TRAN> .
""",
    ),
    record(
        "dataset/noise",
        """
:noise a dcat:Dataset ; dct:title "Ruido"@es, "Zarata"@eu ; dcat:keyword "sonómetro"@es ;
  dct:description "Kutsadura akustikoa, neurgailuz neurgailu."@eu .
""",
    ),
    record(
        "dataset/meters",
        """
:meters a dcat:Dataset ; dct:title "Aparatos"@es ; dcat:keyword "ruido"@es, "medida"@es .
""",
    ),
    record(
        "dataset/levels",
        f"""
:levels a dcat:Dataset ; dct:title "Niveles"@es ;
  dcat:distribution <{BASE}/id/distribution/levels-csv> .
<{BASE}/id/distribution/levels-csv> a dcat:Distribution ; dct:title "Tabla de ruido"@es .
""",
    ),
    record(
        "table/readings",
        f"""
<{BASE}/id/table/readings> a csvw:Table ; csvw:name "raw.readings" ; dct:title "Lecturas"@es ;
  dct:isPartOf <{BASE}/id/dataset/levels> ; csvw:column <{BASE}/id/column/readings-laeq> .
<{BASE}/id/column/readings-laeq> a csvw:Column ; csvw:name "laeq_db" ;
  dct:title "Nivel equivalente"@es ; dct:subject <{BASE}/id/concept/air> .
""",
    ),
    record(
        "unit/health",
        f"""
<{BASE}/id/unit/health> a org:OrganizationalUnit ; skos:prefLabel "Salud"@es .
""",
    ),
    record(
        "dataset/old",
        """
:old a as:Tombstone ; dct:title "Ruido viejo"@es .
""",
    ),
    record(
        "rest/1",
        """
x:foreign dct:title "Ruido ajeno"@es .
""",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Index:
    path = tmp_path_factory.mktemp("search") / "index.db"
    index.build(path, sorted(RECORDS, key=lambda r: r.id), BASE)
    return Index(path)


def names(built: Index, q: str, kind: str | None = "dataset") -> list[str]:
    rows = find(built, q, kind=kind).page("es", "relevance").rows
    return [row.id.partition("/")[2] for row in rows]


def shown(built: Index, q: str, name: str, lang: str = "es") -> Marked:
    found = find(built, q, kind=None)
    rows = found.page(lang, "relevance").rows
    assert found.words
    held = marked(built, rows, found.words, lang)
    return next(held[row.num] for row in rows if row.id.endswith(f"/{name}"))


def told(pieces: tuple[index.Piece, ...]) -> str:
    return "".join(f"[{piece.text}]" if piece.hit else piece.text for piece in pieces)


# ---- what is found


def test_title_counts_above_keyword_above_description_above_parts(built: Index) -> None:
    assert names(built, "ruido") == ["noise", "meters", "bikes", "levels"]


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("aire", ["stations", "levels"]),
        ("smog", ["stations", "levels", "noise"]),
        ("kutsad", ["stations", "noise", "levels"]),
        ("st-17", ["stations"]),
        ("laeq", ["levels"]),
        ("lecturas", ["levels"]),
        ("transporte", ["bikes"]),
        ("garraioa", ["bikes"]),
        ("SONOMETRO", ["noise"]),
        ("sono\u0301metro", ["noise"]),
        ("mide estaciones", ["stations"]),
        ("mide nada", []),
    ],
)
def test_dataset_is_found_by(built: Index, q: str, expected: list[str]) -> None:
    """Synonyms of its terms and of its columns', codes, columns, tables, names of its theme."""
    assert sorted(names(built, q)) == sorted(expected)


def test_what_the_glossary_calls_the_same_is_looked_for_too(built: Index) -> None:
    found = find(built, "calidad del aire")
    assert found.words
    assert [p.text for p in found.words.synonyms] == [
        "Contaminación",
        "Kutsadura",
        "smog",
    ]
    assert "noise" in names(built, "calidad del aire")
    assert names(built, '"calidad del aire"') == ["stations", "levels"]


def test_every_kind_is_found_and_columns_by_themselves(built: Index) -> None:
    assert find(built, "laeq", kind=None).kinds() == {"dataset": 1, "table": 1, "column": 1}
    assert names(built, "laeq", "column") == ["readings-laeq"]
    column = find(built, "laeq", kind="column").page("es").rows[0]
    assert column.facets["part"] == [f"{BASE}/id/table/readings"]
    assert names(built, "salud", None) == ["health"]
    assert "column" in find(built, "smog", kind=None).kinds()


def test_tombstones_and_what_belongs_to_no_record_are_not_found(built: Index) -> None:
    assert names(built, "viejo", None) == []
    assert names(built, "ajeno", None) == []


def test_words_may_be_left_unfinished_but_not_a_single_letter(built: Index) -> None:
    assert names(built, "bicicl") == ["bikes"]
    assert names(built, "c") == []


def test_quotes_keep_words_together(built: Index) -> None:
    assert names(built, '"no dice nada"') == ["bikes"]
    assert names(built, '"nada dice"') == []
    assert names(built, "nada dice") == ["bikes"]
    assert names(built, "«no dice»") == ["bikes"]
    assert names(built, '"bicicl"') == []


def test_words_that_thousands_hold_are_listed_by_title_then_date(tmp_path: Path) -> None:
    def one(n: int) -> Record:
        title = "Plazas" if n % 1000 == 7 else "Calles"
        said = f'dct:title "{title}"@es ; dct:modified "{1000 + n}" ; dcat:keyword "plazas"@es'
        return record(f"dataset/d{n:04}", f":d{n:04} a dcat:Dataset ; {said} .")

    index.build(tmp_path / "i.db", map(one, range(3100)), BASE)
    rows = find(Index(tmp_path / "i.db"), "plazas").page("es", "relevance", size=5).rows
    assert [row.id[-4:] for row in rows] == ["3007", "2007", "1007", "0007", "3099"]


def test_all_rows_come_in_pieces_in_the_order_of_the_pages(built: Index) -> None:
    found = find(built, "ruido")
    pieces = list(found.rows("es", "relevance", size=3))
    assert [len(piece) for piece in pieces] == [3, 1]
    assert [row for piece in pieces for row in piece] == found.page("es", "relevance").rows


# ---- what is typed


@pytest.mark.parametrize(
    ("q", "expression"),
    [
        ("AND", '"AND"*'),
        ("ruido NOT agua", '"ruido"* AND "NOT"* AND "agua"*'),
        ("NEAR(ruido agua, 2)", '"NEAR"* AND "ruido"* AND "agua"* AND "2"'),
        ("title:ruido", '"title"* AND "ruido"*'),
        ("{title keywords} : x", '"title"* AND "keywords"* AND "x"'),
        ('"', ""),
        ('"ruido', '"ruido"*'),
        ('ruido" agua', '"ruido"* AND "agua"*'),
        ("^ruido* + (-agua)", '"ruido"* AND "agua"*'),
        ("rui\x00do", '"rui"* AND "do"*'),
        ("\u202eruido", '"ruido"*'),
        ("ruido ruido", '"ruido"*'),
        ("🚲", ""),
        ("\udcff", ""),
        ("'; DROP TABLE entries; --", '"DROP"* AND "TABLE"* AND "entries"*'),
    ],
)
def test_nothing_typed_is_an_operator(built: Index, q: str, expression: str) -> None:
    assert Words.of(q).expression == expression
    find(built, q).page("es", "relevance")


def test_long_input_is_cut(built: Index) -> None:
    assert len(Words.of("a b c d e " * 2000).phrases) <= 16
    assert names(built, "ruido " + "x" * 10_000) == []


@tuned(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(q=st.text(max_size=60), lang=st.sampled_from(["es", "eu", "en", "fr"]))
@example(q='"*" OR "a" ^ {', lang="es")
@example(q="\U0001e900", lang="es")
def test_no_input_fails(built: Index, q: str, lang: str) -> None:
    for kind in (None, "dataset", "nonsense"):
        found = find(built, q, {"theme": [q]}, kind)
        found = find(built, q, kind=kind)
        rows = found.page(lang, "relevance").rows
        found.facets()
        if found.words:
            marked(built, rows, found.words, lang)
            corrected(built, found.words)
    suggest(built, q, lang)


# ---- how it is shown


def test_hits_are_marked_in_the_title_and_where_else_they_tell_most(built: Index) -> None:
    held = shown(built, "bicicleta ruido", "bikes")
    assert told(held.title) == "[Bicicletas]"
    assert held.excerpt
    assert held.excerpt.field.name == "DESCRIPTION"
    assert "Del [ruido] no dice nada, & <b>menos</b>  aún." in told(held.excerpt.pieces)


def test_excerpt_says_in_which_text_and_language_the_hit_is(built: Index) -> None:
    held = shown(built, "kutsadura", "noise")
    assert held.excerpt
    assert (held.excerpt.lang, told(held.excerpt.pieces)[:11]) == ("eu", "[Kutsadura]")
    synonym = shown(built, "smog", "stations").excerpt
    assert synonym
    assert (synonym.field.name, told(synonym.pieces)) == ("SUBJECTS", "[Contaminación]")


@pytest.mark.parametrize("lang", ["es", "eu"])
def test_excerpt_in_the_readers_language_goes_before_others(built: Index, lang: str) -> None:
    excerpt = shown(built, "kutsadura", "stations", lang).excerpt
    assert excerpt
    assert excerpt.lang == lang


# ---- help


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("sonometor", "sonómetro"),
        ("biciletas", "bicicletas"),
        ("ruido biciletas", "ruido bicicletas"),
        ("ruido", None),
        ("xyzxyzxyz", None),
        ("12345", None),
    ],
)
def test_misspelt_words_are_replaced_by_words_of_the_release(
    built: Index, q: str, expected: str | None
) -> None:
    assert corrected(built, Words.of(q)) == expected


def test_suggestions_are_keywords_and_names_in_the_readers_language_first(built: Index) -> None:
    assert [s.text for s in suggest(built, "cal", "es")] == ["calidad del aire"]
    assert suggest(built, "kuts", "es")[0].iri == f"{BASE}/id/concept/air"
    assert suggest(built, "", "es") == []
    assert [s.text for s in suggest(built, "SONÓ", "eu")] == ["sonómetro"]


def test_popular_terms_are_those_in_use(built: Index) -> None:
    texts = [term.text for term in popular(built, "es", 10)]
    assert "calidad del aire" in texts
    assert "Salud" not in texts


# ---- facets


def test_quality_is_the_band_of_the_points_that_are_known(built: Index) -> None:
    assert find(built).facets(("quality",)) == {"quality": [("bad", 5)]}


def test_status_and_owner_are_facets(tmp_path: Path) -> None:
    owned = record(
        "dataset/owned",
        f"""
:owned a dcat:Dataset ; dct:title "x"@es ; dct:creator x:maker ;
  dcat:distribution <{BASE}/id/distribution/o> ; prov:qualifiedAttribution :owned-1 .
:owned-1 a prov:Attribution ; prov:agent x:parks ; dcat:hadRole bkg:owner .
<{BASE}/id/distribution/o> a dcat:Distribution ; adms:status x:completed .
""",
    )
    index.build(tmp_path / "i.db", [owned], BASE)
    facets = find(Index(tmp_path / "i.db")).facets(("owner", "area", "status"))
    x = "https://other.example/"
    assert facets == {
        "owner": [(f"{x}parks", 1)], "area": [(f"{x}parks", 1)], "status": [(f"{x}completed", 1)],
    }  # fmt: skip
