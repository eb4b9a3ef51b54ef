"""CKAN's API as DCAT: packages become datasets, with the IRIs of CKAN's own DCAT feeds.

The answers are those of `status_show`, `package_search`, `package_list` and `package_show` (API
guide of CKAN, version 3). Fields are read at the top of a package and in its `extras`. Texts may be
one text, in the portal's language, or one for each language (`title_translated`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bilbaokg.errors import BadInput, SyntaxFault
from bilbaokg.importers.filetypes import file_type, media_type
from bilbaokg.importers.translation import Node, Translation
from bilbaokg.terms import (
    ADMS,
    DCAT,
    DCT,
    FOAF,
    LOCN,
    RDFS,
    SKOS,
    SPDX,
    VCARD,
    XSD,
    is_iri,
    literal,
    ref,
)

__all__ = ["read"]

Package = Mapping[str, Any]

# What extensions keep as packages that are no datasets.
_OTHER_TYPES: Final = frozenset({"harvest", "showcase", "page", "application", "app"})
_LINKS: Final = {
    "url": DCAT.landingPage,
    "frequency": DCT.accrualPeriodicity,
    "access_rights": DCT.accessRights,
    "dcat_type": DCT.type,
}
_LISTS: Final = {
    "language": DCT.language,
    "theme": DCAT.theme,
    "conforms_to": DCT.conformsTo,
    "documentation": FOAF.page,
    "related_resource": DCT.relation,
    "has_version": DCAT.hasVersion,
    "is_version_of": DCT.isVersionOf,
    "source": DCT.source,
    "sample": ADMS.sample,
    "applicable_legislation": "http://data.europa.eu/r5r/applicableLegislation",
    "hvd_category": "http://data.europa.eu/r5r/hvdCategory",
}
# Fields whose place is told below, and CKAN's own housekeeping.
_PLACED: Final = frozenset(
    (
        "title", "notes", "description", "version", "version_notes", "tag_string", "uri", "guid",
        "identifier", "issued", "modified", "temporal_start", "temporal_end", "spatial",
        "spatial_uri", "spatial_text", "contact_uri", "contact_name", "contact_email",
        "publisher_uri", "publisher_name", "publisher_email", "publisher_url", "publisher_type",
        "alternate_identifier", "provenance",
    )
)  # fmt: skip
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]+)*")
_ALGORITHMS: Final = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}


def read(content: bytes, options: dict[str, Any]) -> Translation:
    """An answer of the API. options: site (its address, without a slash at its end), language;
    only, skip: names of packages to take alone (None: all), and to leave.

    Raises SyntaxFault for what is no JSON, BadInput for what CKAN would not answer.
    """
    try:
        answer = json.loads(content)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise SyntaxFault(f"it is no JSON: {error}") from None
    except (RecursionError, ValueError) as error:
        raise BadInput(f"its JSON cannot be read: {type(error).__name__}") from None
    if not isinstance(answer, dict) or "success" not in answer:
        raise BadInput("it is no answer of CKAN's API", hint="success and result are not there")
    if answer["success"] is not True:
        raise BadInput(f"CKAN says: {_complaint(answer.get('error'))}")
    return _Reading(options).result(answer.get("result"))


def _complaint(error: object) -> str:
    words = error.get("message") or error.get("__type") if isinstance(error, dict) else error
    return str(words)[:200] if words else "success is false"


class _Reading:
    """One answer."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.site: str = options["site"]
        self.language: str | None = options.get("language")
        only = options.get("only")
        self.only = None if only is None else frozenset(only)
        self.skip = frozenset(options.get("skip") or ())
        self.out = Translation()

    def result(self, result: object) -> Translation:
        if isinstance(result, list):
            self.out.names = [name for name in result if isinstance(name, str)]
            self.out.total = self.out.count = len(result)
        elif isinstance(result, dict) and isinstance(result.get("results"), list):
            count = result.get("count")
            self.out.total = count if isinstance(count, int) else None
            self.out.count = len(result["results"])
            for number, package in enumerate(result["results"], 1):
                self._package(package, f"result {number}")
        elif isinstance(result, dict) and "resources" in result:
            self.out.count = 1
            self._package(result, "result")
        elif isinstance(result, dict) and "ckan_version" in result:
            self._status(result)
        else:
            raise BadInput("it is no answer of CKAN's API that lists datasets")
        return self.out

    def _status(self, status: Package) -> None:
        """What the portal says of itself; its catalogue."""
        site = status.get("site_url")
        self.site = site.rstrip("/") if isinstance(site, str) and is_iri(site) else self.site
        language = status.get("locale_default")
        if self.language is None and isinstance(language, str) and _LANGUAGE.fullmatch(language):
            self.language = language.replace("_", "-")
        self.out.facts = {"site": self.site, "language": self.language or ""}
        catalogue = self.out.node(self.site, DCAT.Catalog)
        self._texts(catalogue, DCT.title, status, "site_title")
        self._texts(catalogue, DCT.description, status, "site_description")
        catalogue.link(FOAF.homepage, self.site)

    def _package(self, package: object, place: str) -> None:
        if not isinstance(package, dict):
            self.out.refused.append(("?", "it is no package", place))
            return
        id = package.get("id") or package.get("name")
        name = str(package.get("name") or id or "?")
        if name in self.skip or (self.only is not None and name not in self.only):
            return
        self.out.taken.append(name)
        changed = package.get("metadata_modified")
        if isinstance(changed, str) and _MOMENT.fullmatch(changed):
            self.out.facts["newest"] = max(changed, self.out.facts.get("newest", ""))
        if not isinstance(id, str) or not id.strip():
            self.out.refused.append((name, "it has no id", place))
            return
        if str(package.get("type")) in _OTHER_TYPES or package.get("private") is True:
            self.out.passed.append(name)
            return
        fields = {**_extras(package), **{k: v for k, v in package.items() if v not in (None, "")}}
        iri = _own_iri(fields) or f"{self.site}/dataset/{id}"
        if not is_iri(iri):
            self.out.refused.append((name, f"{iri!r} is no IRI", place))
            return
        self._dataset(iri, package, fields)

    # ---- a dataset

    def _dataset(self, iri: str, package: Package, fields: Package) -> None:
        dataset = self.out.node(iri, DCAT.Dataset)
        self.out.listed.append(dataset.term)
        self.out.node(self.site).say(DCAT.dataset, dataset.term)
        self._texts(dataset, DCT.title, fields, "title") or dataset.text(
            DCT.title, fields.get("name"), self.language
        )
        self._texts(dataset, DCT.description, fields, "notes")
        dataset.text(
            DCT.identifier, fields.get("identifier") or fields.get("guid") or package.get("id")
        )
        dataset.text(DCAT.version, fields.get("version"))
        self._texts(dataset, ADMS.versionNotes, fields, "version_notes")
        for name, predicate in _LINKS.items():
            dataset.link(predicate, fields.get(name))
        for name, predicate in _LISTS.items():
            for value in _values(fields.get(name)):
                dataset.either(predicate, value)
        dataset.date(DCT.issued, fields.get("issued") or fields.get("metadata_created"))
        dataset.date(DCT.modified, fields.get("modified") or fields.get("metadata_modified"))
        for tag in _dicts(package.get("tags")):
            dataset.text(DCAT.keyword, tag.get("display_name") or tag.get("name"), self.language)
        self._themes(dataset, package)
        self._contact(dataset, fields)
        self._publisher(dataset, fields)
        self._period(dataset, fields)
        self._place(dataset, fields)
        for value in _values(fields.get("alternate_identifier")):
            other = self.out.node(None, ADMS.Identifier)
            other.text(SKOS.notation, value)
            dataset.say(ADMS.identifier, other.term)
        if fields.get("provenance"):
            told = self.out.node(None, DCT.ProvenanceStatement)
            self._texts(told, RDFS.label, fields, "provenance")
            dataset.say(DCT.provenance, told.term)
        for resource in _dicts(package.get("resources")):
            self._distribution(dataset, package, resource)
        unplaced = _extras(package).keys() - _PLACED - _LINKS.keys() - _LISTS.keys()
        self.out.unplaced.update(sorted(unplaced))

    def _texts(self, node: Node, predicate: str, fields: Package, name: str) -> bool:
        """A text, or one for each language."""
        for value in (fields.get(f"{name}_translated"), fields.get(name)):
            if isinstance(value, dict):
                said = [
                    node.text(predicate, text, language.replace("_", "-"))
                    for language, text in value.items()
                    if _LANGUAGE.fullmatch(str(language))
                ]
                if any(said):
                    return True
            elif node.text(predicate, value, self.language):
                return True
        return False

    def _themes(self, dataset: Node, package: Package) -> None:
        """Groups are how CKAN sorts by subject."""
        for group in _dicts(package.get("groups")):
            iri = f"{self.site}/group/{group.get('name')}"
            if group.get("name") and is_iri(iri):
                theme = self.out.node(iri, SKOS.Concept)
                self._texts(theme, SKOS.prefLabel, {"title": _called(group)}, "title")
                dataset.say(DCAT.theme, theme.term)

    def _contact(self, dataset: Node, fields: Package) -> None:
        iri = fields.get("contact_uri")
        name = next(_first(fields, "contact_name", "maintainer", "author"), None)
        email = next(_first(fields, "contact_email", "maintainer_email", "author_email"), None)
        if not (name or email or iri):
            return
        contact = self.out.node(iri if isinstance(iri, str) and is_iri(iri) else None, VCARD.Kind)
        contact.text(VCARD.fn, name)
        if isinstance(email, str):
            contact.link(
                VCARD.hasEmail, email if email.startswith("mailto:") else f"mailto:{email}"
            )
        dataset.say(DCAT.contactPoint, contact.term)

    def _publisher(self, dataset: Node, fields: Package) -> None:
        organization = fields.get("organization")
        known = organization if isinstance(organization, dict) else {}
        iri = fields.get("publisher_uri") or (
            f"{self.site}/organization/{known['id']}" if known.get("id") else None
        )
        name = fields.get("publisher_name") or _called(known)
        if not (iri or name):
            return
        publisher = self.out.node(iri if isinstance(iri, str) and is_iri(iri) else None, FOAF.Agent)
        publisher.text(FOAF.name, name, self.language)
        if isinstance(email := fields.get("publisher_email"), str):
            publisher.link(FOAF.mbox, f"mailto:{email.removeprefix('mailto:')}")
        publisher.link(FOAF.homepage, fields.get("publisher_url"))
        publisher.link(DCT.type, fields.get("publisher_type"))
        dataset.say(DCT.publisher, publisher.term)

    def _period(self, dataset: Node, fields: Package) -> None:
        start, end = fields.get("temporal_start"), fields.get("temporal_end")
        if start or end:
            period = self.out.node(None, DCT.PeriodOfTime)
            period.date(DCAT.startDate, start)
            period.date(DCAT.endDate, end)
            dataset.say(DCT.temporal, period.term)

    def _place(self, dataset: Node, fields: Package) -> None:
        iri, text, shape = (fields.get(f"spatial{name}") for name in ("_uri", "_text", ""))
        if not (iri or text or shape):
            return
        is_link = isinstance(iri, str) and is_iri(iri)
        place = self.out.node(iri if is_link else None, DCT.Location)
        place.text(SKOS.prefLabel, text, self.language)
        if shape:
            written = shape if isinstance(shape, str) else json.dumps(shape)
            geojson = "https://www.iana.org/assignments/media-types/application/vnd.geo+json"
            place.say(LOCN.geometry, literal(written, datatype=geojson))
        dataset.say(DCT.spatial, place.term)

    # ---- a distribution

    def _distribution(self, dataset: Node, package: Package, resource: Package) -> None:
        iri = _own_iri(resource)
        if not iri and package.get("id") and resource.get("id"):
            iri = f"{self.site}/dataset/{package['id']}/resource/{resource['id']}"
        file = self.out.node(iri if iri and is_iri(iri) else None, DCAT.Distribution)
        dataset.say(DCAT.distribution, file.term)
        self._texts(file, DCT.title, resource, "name")
        self._texts(file, DCT.description, resource, "description")
        address = resource.get("access_url") or resource.get("url")
        file.link(DCAT.accessURL, address)
        download = resource.get("download_url")
        if download or resource.get("url_type") == "upload":
            file.link(DCAT.downloadURL, download or resource.get("url"))
        self._format(file, resource)
        file.date(DCT.issued, resource.get("issued") or resource.get("created"))
        file.date(DCT.modified, resource.get("modified") or resource.get("last_modified"))
        self._licence(file, package, resource)
        file.either(DCT.rights, resource.get("rights"))
        file.link(ADMS.status, resource.get("status"))
        if str(size := resource.get("size") or "").isdecimal():
            file.say(DCAT.byteSize, literal(str(size), datatype=XSD.nonNegativeInteger))
        self._checksum(file, resource)

    def _format(self, file: Node, resource: Package) -> None:
        format, mime = resource.get("format"), resource.get("mimetype")
        if known := file_type(format):
            file.say(DCT.format, ref(known))
        elif isinstance(format, str) and format.strip() and not file.link(DCT.format, format):
            kind = self.out.node(None, DCT.MediaTypeOrExtent)
            kind.text(RDFS.label, format)
            file.say(DCT.format, kind.term)
        if known := media_type(mime):
            file.say(DCAT.mediaType, ref(known))

    def _licence(self, file: Node, package: Package, resource: Package) -> None:
        """A file's own licence, else that of its package."""
        if file.link(DCT.license, resource.get("license") or package.get("license_url")):
            return
        title = package.get("license_title")
        if title and package.get("license_id") != "notspecified":
            licence = self.out.node(None, DCT.LicenseDocument)
            licence.text(DCT.title, title, self.language)
            file.say(DCT.license, licence.term)

    def _checksum(self, file: Node, resource: Package) -> None:
        value = str(resource.get("hash") or "").rpartition(":")[2].strip().lower()
        algorithm = _ALGORITHMS.get(len(value))
        if algorithm and re.fullmatch("[0-9a-f]+", value):
            checksum = self.out.node(None, SPDX.Checksum)
            checksum.say(SPDX.algorithm, ref(SPDX[f"checksumAlgorithm_{algorithm}"]))
            checksum.say(SPDX.checksumValue, literal(value, datatype=XSD.hexBinary))
            file.say(SPDX.checksum, checksum.term)


def _extras(package: Package) -> dict[str, Any]:
    """The extras of a package by key."""
    return {
        extra["key"]: extra.get("value")
        for extra in _dicts(package.get("extras"))
        if isinstance(extra.get("key"), str) and extra.get("value") not in (None, "")
    }


def _own_iri(fields: Package) -> str | None:
    iri = fields.get("uri")
    return iri.strip() if isinstance(iri, str) and is_iri(iri.strip()) else None


def _dicts(value: object) -> Iterator[dict[str, Any]]:
    return (
        (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())
    )


def _values(value: object) -> list[Any]:
    """A list; extras keep one as the text of a JSON array."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return [value]
    return value if isinstance(value, list) else [] if value is None else [value]


def _called(entity: Package) -> Any:
    return entity.get("title") or entity.get("display_name") or entity.get("name")


def _first(fields: Package, *names: str) -> Iterator[Any]:
    return (fields[name] for name in names if fields.get(name))
