"""The list of datasets that a portal gives as CSV: a line a dataset, as DCAT.

Columns are known by their header, in Spanish, Basque or English, or by a mapping of the operator.
A line that cannot be used is refused by its number; the others come in.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bilbaokg.errors import BadInput
from bilbaokg.importers.filetypes import file_type
from bilbaokg.importers.translation import Node, Translation
from bilbaokg.terms import DCAT, DCT, FOAF, RDFS, SKOS, VCARD, is_iri, ref, slugify

__all__ = ["FIELDS", "read"]

# Field -> headers (as slugs) that mean it.
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "iri": ("iri", "uri"),
    "identifier": ("identifier", "id", "identificador", "identifikatzailea", "codigo"),
    "title": ("title", "titulo", "izenburua", "name", "nombre", "izena"),
    "description": ("description", "descripcion", "deskribapena", "notes"),
    "keyword": ("keyword", "keywords", "tags", "etiquetas", "palabras-clave", "gako-hitzak"),
    "theme": ("theme", "themes", "tema", "temas", "categoria", "category", "gaia"),
    "publisher": ("publisher", "publicador", "organismo", "organization", "argitaratzailea"),
    "contact_name": ("contact", "contacto", "kontaktua"),
    "contact_email": ("contact-email", "email", "correo", "correo-electronico"),
    "issued": ("issued", "created", "fecha-de-publicacion", "fecha-de-creacion"),
    "modified": ("modified", "updated", "fecha-de-actualizacion", "fecha-de-modificacion"),
    "frequency": ("frequency", "frecuencia", "periodicidad", "frecuencia-de-actualizacion"),
    "language": ("language", "idioma", "hizkuntza"),
    "spatial": ("spatial", "cobertura-geografica", "ambito-geografico"),
    "page": ("landing-page", "page", "url", "pagina", "enlace", "link"),
    "access_url": ("access-url", "url-de-acceso"),
    "download_url": ("download-url", "url-de-descarga", "descarga"),
    "format": ("format", "formato", "formatos", "formats", "formatua"),
    "licence": ("licence", "license", "licencia", "lizentzia"),
}
"""What a column may hold. A mapping may add a language: `title@eu`."""

_TEXTS: Final = {"title": DCT.title, "description": DCT.description}
_DELIMITERS: Final = ",;\t|"
_CHARSETS: Final = frozenset({"utf-8", "iso8859-1", "iso8859-15", "cp1252", "utf-16"})
_SEVERAL: Final = re.compile(r"\s*[;|]\s*")
_SPANISH_DAY: Final = re.compile(r"(\d\d?)[/-](\d\d?)[/-](\d{4})")
_LONGEST_CELL: Final = 1 << 20
_FREQUENCY: Final = "http://publications.europa.eu/resource/authority/frequency/"
_FREQUENCIES: Final = {
    "DAILY": ("diaria", "diario", "daily", "egunerokoa"),
    "WEEKLY": ("semanal", "weekly", "astekoa"),
    "MONTHLY": ("mensual", "monthly", "hilekoa"),
    "QUARTERLY": ("trimestral", "quarterly", "hiruhilekoa"),
    "ANNUAL_2": ("semestral", "half-yearly", "seihilekoa"),
    "ANNUAL": ("anual", "annual", "yearly", "urtekoa"),
    "IRREG": ("irregular", "puntual"),
    "UNKNOWN": ("sin-definir", "desconocida", "unknown"),
}


def read(content: bytes, options: dict[str, Any]) -> Translation:
    """A table. options: place (its address), language (of texts), charset (as the server says),
    columns (field, or field@language -> header). Raises BadInput for what is no such table.
    """
    reading = _Reading(options)
    text, note = _decoded(content, options.get("charset"))
    if note:
        reading.out.notes.append(note)
    rows = _rows(text)
    _, headers = next(rows, (0, []))
    reading.head(headers)
    for line, cells in rows:
        reading.row(line, cells)
    return reading.out


def _decoded(content: bytes, charset: str | None) -> tuple[str, str | None]:
    """The text, and what there is to say about its encoding. Raises BadInput."""
    try:
        said = codecs.lookup(charset).name if charset else "utf-8"
    except LookupError:
        said = "utf-8"
    said = said if said in _CHARSETS else "utf-8"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        said = "utf-16"
    for encoding in ("utf-8-sig" if said == "utf-8" else said, "utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeError:
            continue
        if "\0" in text:
            raise BadInput("it holds NUL: it is no text")
        wrong = encoding == "cp1252" and said != "cp1252"
        return text, "its encoding is not told rightly: read as Windows-1252" if wrong else None
    raise BadInput("its encoding is neither UTF-8 nor Windows-1252")


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, with the line on which each ends. Raises BadInput."""
    csv.field_size_limit(_LONGEST_CELL)
    head = text.lstrip().partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=max(_DELIMITERS, key=head.count), strict=True
    )
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise BadInput(f"line {reader.line_num}: {error}") from None


class _Reading:
    """One table."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.place: str = options["place"]
        self.language: str | None = options.get("language")
        self.wanted: Mapping[str, str] = options.get("columns") or {}
        self.out = Translation()
        self.width = 0
        self.columns: dict[str, int] = {}  # field or field@language -> column
        self.lines: dict[str, int] = {}  # IRI -> the line that has it

    def head(self, headers: list[str]) -> None:
        """Find out which column is what. Raises BadInput."""
        self.width = len(headers)
        for field, header in self.wanted.items():
            if header not in headers:
                known = ", ".join(headers[:30])
                raise BadInput(f"it has no column {header!r} for {field}", hint=f"it has: {known}")
            self.columns[field] = headers.index(header)
        slugs = [slugify(header) for header in headers]
        for field, names in FIELDS.items():
            column = next((slugs.index(name) for name in names if name in slugs), None)
            if column is not None and column not in self.columns.values():
                self.columns.setdefault(field, column)
        if not any(field.partition("@")[0] == "title" for field in self.columns):
            raise BadInput(
                f"no column is known as the title: {', '.join(headers[:30]) or 'none'}",
                hint="say with --map which column is what",
            )
        used = set(self.columns.values())
        self.out.unplaced.update(h for n, h in enumerate(headers) if h and n not in used)

    def row(self, line: int, cells: list[str]) -> None:
        """Take in a line, or refuse it."""
        self.out.count += 1
        if len(cells) != self.width:
            words = f"it has {len(cells)} cells, the header {self.width}"
            self.out.refused.append((cells[0][:80], words, f"line {line}"))
            return
        said = {field: cells[column] for field, column in self.columns.items() if cells[column]}
        iri = self._iri(said)
        if iri is None:
            words = "it has neither an IRI, an identifier nor a title"
            self.out.refused.append((cells[0][:80], words, f"line {line}"))
        elif iri in self.lines:
            words = f"it is the same as line {self.lines[iri]}"
            self.out.refused.append((iri, words, f"line {line}"))
        else:
            self.lines[iri] = line
            self._dataset(iri, said)

    def _iri(self, said: Mapping[str, str]) -> str | None:
        """Its own IRI, that of its page, else one below the address of the table."""
        for field in ("iri", "page"):
            if is_iri(said.get(field, "")):
                return said[field]
        titles = (text for field, text in said.items() if field.startswith("title"))
        slug = slugify(said.get("identifier") or next(titles, ""))
        return f"{self.place}#{slug}" if slug else None

    def _dataset(self, iri: str, said: Mapping[str, str]) -> None:
        dataset = self.out.node(iri, DCAT.Dataset)
        self.out.listed.append(dataset.term)
        for field, text in said.items():
            name, _, language = field.partition("@")
            if name in _TEXTS:
                dataset.text(_TEXTS[name], text, language or self.language)
            elif name == "keyword":
                for word in re.split(r"\s*[;|,]\s*", text):
                    dataset.text(DCAT.keyword, word, language or self.language)
        dataset.text(DCT.identifier, said.get("identifier"))
        dataset.link(DCAT.landingPage, said.get("page"))
        for name, predicate in (("issued", DCT.issued), ("modified", DCT.modified)):
            dataset.date(predicate, _SPANISH_DAY.sub(_iso, said.get(name, "")))
        for value in _SEVERAL.split(said.get("theme", "")):
            self._named(dataset, DCAT.theme, value, SKOS.Concept, SKOS.prefLabel)
        self._named(dataset, DCT.publisher, said.get("publisher"), FOAF.Agent, FOAF.name)
        self._named(dataset, DCT.spatial, said.get("spatial"), DCT.Location, SKOS.prefLabel)
        for value in _SEVERAL.split(said.get("language", "")):
            dataset.link(DCT.language, value)
        self._frequency(dataset, said.get("frequency", ""))
        self._contact(dataset, said)
        self._distributions(dataset, iri, said)

    def _named(
        self, dataset: Node, predicate: str, value: str | None, cls: str, called: str
    ) -> None:
        """Something with a name: by its IRI, else one thing for all lines that name it so."""
        if not value or dataset.link(predicate, value):
            return
        slug = slugify(value)
        kind = cls.rpartition("#")[2].rpartition("/")[2].lower()
        named = self.out.node(f"{self.place}#{kind}-{slug}" if slug else None, cls)
        named.text(called, value, self.language)
        dataset.say(predicate, named.term)

    def _frequency(self, dataset: Node, value: str) -> None:
        word = slugify(value)
        code = next((code for code, words in _FREQUENCIES.items() if word in words), None)
        if code:
            dataset.say(DCT.accrualPeriodicity, ref(f"{_FREQUENCY}{code}"))
        elif value:
            self._named(dataset, DCT.accrualPeriodicity, value, DCT.Frequency, RDFS.label)

    def _contact(self, dataset: Node, said: Mapping[str, str]) -> None:
        name, email = said.get("contact_name"), said.get("contact_email")
        if name or email:
            contact = self.out.node(None, VCARD.Kind)
            contact.text(VCARD.fn, name)
            if email:
                contact.link(VCARD.hasEmail, f"mailto:{email.removeprefix('mailto:')}")
            dataset.say(DCAT.contactPoint, contact.term)

    def _distributions(self, dataset: Node, iri: str, said: Mapping[str, str]) -> None:
        """One for each address, with its format where both have as many values."""
        downloads = [x for x in _SEVERAL.split(said.get("download_url", "")) if is_iri(x)]
        addresses = downloads or [x for x in [said.get("access_url", "")] if is_iri(x)]
        formats = [x for x in re.split(r"\s*[;|,]\s*", said.get("format", "")) if x]
        for number, address in enumerate(addresses):
            digest = hashlib.sha256(address.encode()).hexdigest()[:12]
            name = f"{iri}{'-' if '#' in iri else '#'}file-{digest}"
            file = self.out.node(name, DCAT.Distribution)
            dataset.say(DCAT.distribution, file.term)
            file.link(DCAT.accessURL, address)
            if downloads:
                file.link(DCAT.downloadURL, address)
            if len(formats) == len(addresses) and (known := file_type(formats[number])):
                file.say(DCT.format, ref(known))
            licence = said.get("licence")
            self._named(file, DCT.license, licence, DCT.LicenseDocument, DCT.title)


def _iso(match: re.Match[str]) -> str:
    day, month, year = match.groups()
    return f"{year}-{int(month):02}-{int(day):02}"
