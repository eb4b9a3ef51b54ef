"""Nothing leaves that was not released: random catalogues in every target, format and language."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from export_helpers import BASE, SETTINGS, files, record, released
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bilbaokg import exports, selection
from bilbaokg.errors import Invalid
from bilbaokg.exports import closure
from bilbaokg.exports.closure import Tally, Wall
from bilbaokg.exports.lookup import FORMATS
from bilbaokg.exports.targets import TARGETS
from bilbaokg.model import Record, Release
from bilbaokg.selection import Content
from bilbaokg.terms import DCAT, DCT, FOAF, LANGUAGES, ORG, OWL, PROV, RDF, RDFS, XSD, ref
from bilbaokg.writing import to_bytes

TYPE = ref(RDF.type)
FOREIGN = "https://portal.example/"
# Kind of record -> its class and whether its IRI is ours.
KINDS = {
    "dataset": (DCAT.Dataset, True),
    "series": (DCAT.DatasetSeries, True),
    "service": (DCAT.DataService, True),
    "agent": (ORG.OrganizationalUnit, True),
    "run": (PROV.Activity, True),
    "harvested": (DCAT.Dataset, False),
    "person": (FOAF.Person, True),
}
LINKS = (
    DCT.relation, DCT.source, DCT.isPartOf, DCT.hasPart, DCT.creator, DCT.publisher, DCT.references,
    DCT.replaces, DCAT.servesDataset, DCAT.inSeries, DCAT.landingPage, DCAT.prev, OWL.sameAs,
    PROV.wasDerivedFrom, PROV.wasGeneratedBy, RDFS.seeAlso, FOAF.page, DCAT.contactPoint,
)  # fmt: skip


class Thing:
    """One record of a random catalogue; its words and IRIs stand nowhere else."""

    def __init__(self, number: int, kind: str, *, public: bool) -> None:
        self.kind, self.number = kind, number
        self.public = public and kind != "person"
        type_ = {"harvested": "dataset", "person": "agent"}.get(kind, kind)
        self.id = f"{type_}/x{number:03}x"
        self.iri = f"{BASE}/id/{self.id}" if KINDS[kind][1] else f"{FOREIGN}x{number:03}x"
        self.part = f"{FOREIGN}part-{number:03}x"
        self.word = f"word{number:03}x"
        self.blank = f"{BASE}/.well-known/genid/{number:024x}-0-1"
        self.lines = [
            f"{ref(self.iri)} {TYPE} {ref(KINDS[kind][0])} .",
            f'{ref(self.iri)} {ref(DCT["title"])} "{self.word}"@es .',
            f'{ref(self.iri)} {ref(DCT["title"])} "{self.word}"@en .',
            f"{ref(self.iri)} {ref(DCAT.distribution)} {ref(self.part)} .",
            f"{ref(self.part)} {TYPE} {ref(DCAT.Distribution)} .",
            f"{ref(self.iri)} {ref(DCT.temporal)} {ref(self.blank)} .",
            f"{ref(self.blank)} {TYPE} {ref(DCT.PeriodOfTime)} .",
            f'{ref(self.blank)} {ref(DCAT.startDate)} "1{self.number:03}-01-01" .',
        ]

    @property
    def secrets(self) -> tuple[str, ...]:
        """What tells of it."""
        return (self.iri, self.part, self.word, f"1{self.number:03}-01-01", f"{self.number:024x}")

    def record(self) -> Record:
        made = record(self.id, self.lines, self.iri)
        return Record(
            made.id, made.iri, made.text, made.revision, 1, "public" if self.public else "internal"
        )


@st.composite
def catalogues(draw: st.DrawFn) -> list[Thing]:
    """Public and internal things of all kinds that point to each other in any way."""
    drawn = st.tuples(st.sampled_from(sorted(KINDS)), st.booleans())
    kinds = [("dataset", True), *draw(st.lists(drawn, min_size=1, max_size=7))]
    things = [Thing(n, kind, public=public) for n, (kind, public) in enumerate(kinds, 1)]
    ends = st.integers(0, len(things) - 1)
    forms = st.sampled_from(("iri", "part", "blank", "uri", "text", "fragment"))
    for start, link, form, end in draw(
        st.lists(st.tuples(ends, st.sampled_from(LINKS), forms, ends), max_size=12)
    ):
        subject, to = things[start], things[end]
        if form == "text" and not to.public:
            continue  # a text cannot be cut: it is refused, see below
        said = {
            "iri": ref(to.iri),
            "part": ref(to.part),
            "blank": ref(to.blank),
            "uri": f'"{to.iri}"^^{ref(XSD.anyURI)}',
            "text": f'"see {to.iri}."@es',
            "fragment": ref(f"{to.iri}#column"),
        }[form]
        if form == "fragment" and to.kind == "harvested":
            continue  # what is below a stranger's IRI, nobody described
        subject.lines.append(f"{ref(subject.iri)} {ref(link)} {said} .")
    return things


def chosen(things: Iterable[Thing]) -> Content | None:
    """What the release holds; None where it is refused because a mandatory link dangles."""
    try:
        return selection.select([thing.record() for thing in things], SETTINGS)
    except Invalid as error:
        assert "would point to what it does not hold" in error.message  # noqa: PT017
        return None


def everything(release: Release, cache: Path, ids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Every file that can be asked of a release: (name, content)."""
    for path in sorted(release.path.rglob("*")):
        if path.is_file() and path.name != "records.idx":
            yield path.name, path.read_bytes()
    for name, target in TARGETS.items():
        languages = (None, *LANGUAGES) if name != "full" else (None,)
        for ext in target.formats:
            for language in languages:
                label = f"{name}.{ext}?lang={language}"
                page = exports.representation(
                    release, SETTINGS, name, ext, 1, language, cache=cache
                )
                yield label, page.read_bytes()
                out = io.BytesIO()
                exports.write_whole(release, name, ext, out, language)
                yield f"dump {label}", out.getvalue()
    for id in ids:
        for ext in FORMATS:
            yield f"{id}.{ext}", exports.resource(release, id, ext)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(things=catalogues())
def test_nothing_unpublished_leaves_in_any_export(things: list[Thing]) -> None:
    content = chosen(things)
    if content is None:
        return
    folder = Path(tempfile.mkdtemp())
    try:
        release = released(folder / "r1", list(content.records), withheld=content.withheld)
        secrets = {s.encode() for t in things if not t.public for s in t.secrets}
        said = b""
        for name, text in everything(release, folder / "cache", [r.id for r in content.records]):
            assert not {secret for secret in secrets if secret in text}, name
            said += text if name == "catalogue.nq" else b""
        for dataset in (t for t in things if t.public and t.kind == "dataset"):
            island = exports.island(content.records, dataset.iri, BASE, "es")
            assert not {s for s in secrets if s in json.dumps(island).encode()}
        # The wall is no excuse to leave out what is public.
        for thing in things:
            assert (thing.word.encode() in said) == thing.public
    finally:
        shutil.rmtree(folder)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(things=catalogues(), data=st.data())
def test_whatever_slips_through_the_selection_is_stopped_with_its_path(
    things: list[Thing], data: st.DataObject
) -> None:
    content, hidden = chosen(things), [thing for thing in things if not thing.public]
    if content is None or not hidden:
        return
    leak = data.draw(st.sampled_from(hidden))
    link = data.draw(st.sampled_from(LINKS))
    at = data.draw(st.integers(0, len(content.records) - 1))
    records = list(content.records)
    held = records[at]
    term = data.draw(
        st.sampled_from((ref(leak.iri), ref(leak.part), ref(leak.blank), f'"{leak.iri}"'))
    )
    line = f"{ref(held.iri)} {ref(link)} {term} ."
    records[at] = record(held.id, [*held.text.split("\n")[:-1], line], held.iri)
    with tempfile.TemporaryDirectory() as folder, pytest.raises(Invalid) as refused:
        released(Path(folder) / "r1", records, withheld=content.withheld)
    assert refused.value.where == line.removesuffix(" .")


@pytest.mark.parametrize("name", ["rostock.rdf", "brandenburg.ttl"])
def test_real_catalogue_with_a_part_of_it_internal_is_released_without_that_part(
    name: str, reference: Path, tmp_path: Path
) -> None:
    records = files([reference / "catalogues" / name])
    datasets = [r for r in records if r.id.startswith("dataset/")]
    hidden = {r.id for r in datasets[::7]}
    content = selection.select(
        [replace(r, visibility="internal") if r.id in hidden else r for r in records], SETTINGS
    )
    released(tmp_path / "r1", content.records, withheld=content.withheld)
    secrets = {f"{r.iri}>".encode() for r in datasets if r.id in hidden}
    for path in (tmp_path / "r1").rglob("*.*"):
        text = path.read_bytes() if path.is_file() else b""
        assert not {secret for secret in secrets if secret in text}, path


def test_statements_about_an_internal_dataset_in_a_public_record_stay_inside() -> None:
    dataset, secret = Thing(1, "dataset", public=True), Thing(2, "dataset", public=False)
    dataset.lines.append(f'{ref(secret.iri)} {ref(DCT.description)} "what it is about"@es .')
    content = chosen([dataset, secret])
    assert content is not None
    assert "what it is about" not in "".join(r.text for r in content.records)
    assert content.cut[DCT.description] == 1


def test_a_node_of_which_nothing_public_is_left_is_not_pointed_to() -> None:
    dataset, secret = Thing(1, "dataset", public=True), Thing(2, "run", public=False)
    first, second = (f"{BASE}/.well-known/genid/{'f' * 24}-0-{n}" for n in (1, 2))
    dataset.lines += [
        f"{ref(dataset.iri)} {ref(PROV.qualifiedGeneration)} {ref(first)} .",
        f"{ref(first)} {ref(DCT.relation)} {ref(second)} .",
        f"{ref(second)} {ref(PROV.activity)} {ref(secret.iri)} .",
    ]
    content = chosen([dataset, secret])
    assert content is not None
    assert "genid/ffff" not in "".join(r.text for r in content.records)


def test_text_that_names_an_internal_dataset_is_refused(tmp_path: Path) -> None:
    dataset, secret = Thing(1, "dataset", public=True), Thing(2, "dataset", public=False)
    text = f'"see {secret.iri}, soon"@es'
    dataset.lines.append(f"{ref(dataset.iri)} {ref(DCT.description)} {text} .")
    content = chosen([dataset, secret])
    assert content is not None
    with pytest.raises(Invalid, match="would name what is not released") as refused:
        released(tmp_path / "r1", content.records, withheld=content.withheld)
    assert refused.value.where == f"{ref(dataset.iri)} {ref(DCT.description)} {text}"


# ---- the wall alone

D, SECRET, BLANK = f"{BASE}/id/dataset/d", f"{BASE}/id/dataset/s", f"{BASE}/.well-known/genid/"
NODE = f"{'a' * 24}-0-1"


@pytest.mark.parametrize(
    ("term", "why"),
    [
        (ref(SECRET), "is not released"),
        (ref(f"{SECRET}#part"), "is not released"),
        (ref(f"{FOREIGN}x"), "is not released"),
        (ref(f"{BLANK}{NODE}"), "is not released"),
        (f"_:b{NODE}", "is not released"),
        (f'"{FOREIGN}x"^^{ref(XSD.anyURI)}', "is not released"),
        (f'"({SECRET})"@es', "is not released"),
        (f'"{SECRET}s"@es', None),
        (ref(f"{SECRET}s"), "is not in the release"),
        (ref(f"{BASE}/ns#owner"), None),
        (ref(D), None),
        (ref(f"{FOREIGN}y"), None),
        (ref(f"{BASE}/id/catalog/main"), None),
        ('"https://"', None),
    ],
)
def test_terms_and_the_wall(term: str, why: str | None) -> None:
    withheld = frozenset(map(ref, (SECRET, f"{FOREIGN}x", f"{BLANK}{NODE}")))
    coined = frozenset({ref(f"{BASE}/id/catalog/main")})
    assert Wall(BASE, withheld, [ref(D)], coined).stops(term) == why


def test_path_leads_from_the_head_of_the_record_over_its_nodes() -> None:
    lines = [
        f"{ref(BLANK + NODE)} {ref(PROV.activity)} {ref(SECRET)} .",
        f"{ref(D)} {ref(PROV.qualifiedGeneration)} {ref(BLANK + NODE)} .",
    ]
    text = "".join(f"{line}\n" for line in lines)
    with pytest.raises(Invalid) as refused:
        closure.check_texts(
            [("dataset/d", text)], Wall(BASE, frozenset({ref(SECRET)})), {"dataset/d": D}
        )
    assert refused.value.where == " ; ".join(x.removesuffix(" .") for x in reversed(lines))


def test_graph_that_is_no_record_of_the_release_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.nq"
    path.write_text(f'{ref(D)} {ref(DCT.title)} "x" <{BASE}/graph/record/dataset/s> .\n')
    closure.check_quads(path, Wall(BASE), {"dataset/s"})
    with pytest.raises(Invalid, match="no record of it"):
        closure.check_quads(path, Wall(BASE), {"dataset/d"})


# ---- what was written is what was given

LINES = [
    f"{ref(D)} {TYPE} {ref(DCAT.Dataset)} .",
    f'{ref(D)} {ref(DCT["title"])} "a\\u0001\\b\\f\\\\u0001\\r\\u007F\\uFFFE\U0001f600"@es .',
    f"{ref(D)} {ref(DCT.temporal)} _:b{NODE} .",
    f'_:b{NODE} {ref(DCAT.startDate)} "01.50"^^{ref(XSD.decimal)} .',
]


def tallied(lines: Iterable[str], ext: str) -> Tally:
    tally = Tally(ext)
    assert list(tally.of(lines)) == list(lines)
    return tally


@pytest.mark.parametrize("ext", ["nt", "ttl", "rdf", "jsonld"])
def test_file_says_exactly_what_it_was_given(ext: str) -> None:
    content = to_bytes(LINES, ext)
    closure.same(content, ext, tallied(LINES, ext))
    for given_ in (LINES[:-1], [*LINES, LINES[0]]):
        with pytest.raises(Invalid, match="reads back as 4 statements, not"):
            closure.same(content, ext, tallied(given_, ext))
    other = [LINES[0].replace(D, f"{D}2"), *LINES[1:]]
    with pytest.raises(Invalid, match="other statements than it was given"):
        closure.same(content, ext, tallied(other, ext))


@pytest.mark.parametrize("target", ["dcat-ap", "schema.org", "full"])
@pytest.mark.parametrize("ext", ["nt", "ttl", "rdf", "jsonld"])
def test_writer_that_adds_a_statement_leaves_nothing_behind(
    target: str, ext: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = chosen([Thing(1, "dataset", public=True)])
    assert content is not None
    release = released(tmp_path / "r1", content.records)
    put = type(TARGETS[target]).put

    def leaking(self: Any, lines: Iterable[str], ext: str, out: BinaryIO) -> None:
        put(self, [*lines, f"{ref(D)} {ref(SCHEMA_NAME)} {ref(SECRET)} ."], ext, out)

    asked: list[Callable[[], object]] = [
        lambda: exports.representation(
            release, SETTINGS, target, ext, language=LANGUAGE[target], cache=tmp_path / "cache"
        ),
        lambda: exports.dump(release, target, ext, cache=tmp_path / "cache"),
    ]
    monkeypatch.setattr(type(TARGETS[target]), "put", leaking)
    for ask in asked:
        with pytest.raises(Invalid, match="reads back as"):
            ask()
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


SCHEMA_NAME = "https://schema.org/name"
LANGUAGE = {"dcat-ap": "es", "schema.org": "es", "full": None}
