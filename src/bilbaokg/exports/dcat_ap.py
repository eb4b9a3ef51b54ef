"""The target `dcat-ap`: what DCAT-AP 3.0.1 says of each class, and a few properties more.

The tables follow the profile's specification (SEMIC, DCAT-AP 3.0.1, chapters 5 to 9). "Extras" are
what harvesters read beside it: names and codes of terms, DCAT's own properties of a resource, and
the shortcuts that `derived` makes of the roles in force. Other targets begin with these tables.
"""

from __future__ import annotations

from typing import Final

from bilbaokg.exports.derived import CUSTODIAN, says, skips
from bilbaokg.exports.feed import Feed, Kind, kind
from bilbaokg.terms import (
    ADMS,
    DCAT,
    DCATAP,
    DCT,
    FOAF,
    LOCN,
    ODRL,
    ORG,
    OWL,
    PROV,
    RDF,
    RDFS,
    SKOS,
    SPDX,
    VCARD,
    Namespace,
)

__all__ = ["CARRIED", "DCAT_AP"]

_ELI: Final = Namespace("http://data.europa.eu/eli/ontology#")
_TIME: Final = Namespace("http://www.w3.org/2006/time#")
_SCHEMA: Final = Namespace("http://schema.org/")  # the form that DCAT-AP 1 and 2 used for dates

Carries = dict[str, str | None]


def _plain(*iris: str) -> Carries:
    """Properties whose values are literals or links that are not followed."""
    return dict.fromkeys(iris)


# What tells a term of a table to a reader; an extra on every kind that has a table.
_NAMES: Final[Carries] = {
    **_plain(SKOS.prefLabel, RDFS.label, DCT.title, DCT.identifier, SKOS.notation, RDF.value),
    SKOS.inScheme: "ConceptScheme",
}
_TEXT: Final[Carries] = _plain(DCT.title, DCT.description)
_DATES: Final[Carries] = _plain(DCT.issued, DCT.modified)
# What datasets, series and services share; the second group are extras, dcat:Resource in DCAT 3.
_RESOURCE: Final[Carries] = {
    **_TEXT,
    **_DATES,
    **_plain(DCT.identifier, DCAT.keyword),
    ADMS.identifier: "Identifier",
    DCAT.contactPoint: "Contact",
    DCAT.landingPage: "Document",
    DCAT.theme: "Concept",
    DCATAP.applicableLegislation: "LegalResource",
    DCATAP.hvdCategory: "Concept",
    DCT.accessRights: "RightsStatement",
    DCT.conformsTo: "Standard",
    DCT.creator: "Agent",
    DCT.language: "LinguisticSystem",
    DCT.publisher: "Agent",
    DCT.spatial: "Location",
    DCT.temporal: "PeriodOfTime",
    DCT.type: "Concept",
    FOAF.page: "Document",
    PROV.qualifiedAttribution: "Attribution",
    # extras
    DCT.license: "LicenseDocument",
    DCT.rights: "RightsStatement",
    DCT.rightsHolder: "Agent",
    CUSTODIAN: "Agent",
    ODRL.hasPolicy: "Policy",
}

_ROOTS: Final[dict[str, Kind]] = {
    "Catalog": kind(
        [DCAT.Catalog],
        {
            **_TEXT,
            **_DATES,
            **_plain(DCT.hasPart, DCT.isPartOf),
            DCATAP.applicableLegislation: "LegalResource",
            DCAT.themeTaxonomy: "ConceptScheme",
            DCT.creator: "Agent",
            DCT.language: "LinguisticSystem",
            DCT.license: "LicenseDocument",
            DCT.publisher: "Agent",
            DCT.rights: "RightsStatement",
            DCT.spatial: "Location",
            DCT.temporal: "PeriodOfTime",
            FOAF.homepage: "Document",
            # extras
            **_plain(DCT.identifier),
            DCAT.contactPoint: "Contact",
        },
    ),
    "Record": kind(
        [DCAT.CatalogRecord],
        {
            **_TEXT,
            **_DATES,
            **_plain(FOAF.primaryTopic, DCT.identifier),
            ADMS.status: "Concept",
            DCT.conformsTo: "Standard",
            DCT.language: "LinguisticSystem",
            DCT.source: "Record",
        },
    ),
    "Dataset": kind(
        [DCAT.Dataset],
        {
            **_RESOURCE,
            **_plain(
                ADMS.versionNotes,
                DCAT.hasVersion,
                DCAT.isVersionOf,
                DCAT.prev,
                DCAT.spatialResolutionInMeters,
                DCAT.temporalResolution,
                DCAT.version,
                DCT.hasVersion,
                DCT.isReferencedBy,
                DCT.isVersionOf,
                DCT.relation,
                DCT.source,
                OWL.versionInfo,
            ),
            ADMS.sample: "Distribution",
            DCAT.distribution: "Distribution",
            DCAT.inSeries: "Series",
            DCAT.qualifiedRelation: "Relationship",
            DCT.accrualPeriodicity: "Frequency",
            DCT.provenance: "ProvenanceStatement",
            PROV.wasGeneratedBy: "Activity",
        },
    ),
    "Series": kind(
        [DCAT.DatasetSeries],
        {
            **_RESOURCE,
            **_plain(DCAT.first, DCAT.last),
            DCT.accrualPeriodicity: "Frequency",
        },
    ),
    "Service": kind(
        [DCAT.DataService],
        {
            **_RESOURCE,
            **_plain(DCAT.endpointURL, DCAT.servesDataset),
            DCAT.endpointDescription: "Document",
            DCT["format"]: "MediaType",
        },
    ),
    "Distribution": kind(
        [DCAT.Distribution],
        {
            **_TEXT,
            **_DATES,
            **_plain(
                DCAT.accessURL,
                DCAT.byteSize,
                DCAT.downloadURL,
                DCAT.spatialResolutionInMeters,
                DCAT.temporalResolution,
                DCT.identifier,
            ),
            ADMS.status: "Concept",
            DCAT.accessService: "Service",
            DCAT.compressFormat: "MediaType",
            DCAT.mediaType: "MediaType",
            DCAT.packageFormat: "MediaType",
            DCATAP.applicableLegislation: "LegalResource",
            DCATAP.availability: "Concept",
            DCT.conformsTo: "Standard",
            DCT["format"]: "MediaTypeOrExtent",
            DCT.language: "LinguisticSystem",
            DCT.license: "LicenseDocument",
            DCT.rights: "RightsStatement",
            DCT.type: "Concept",
            FOAF.page: "Document",
            ODRL.hasPolicy: "Policy",
            SPDX.checksum: "Checksum",
        },
    ),
}

_AGENTS: Final = (
    FOAF.Agent,
    FOAF.Group,
    FOAF.Organization,
    ORG.FormalOrganization,
    ORG.Organization,
    ORG.OrganizationalUnit,
    PROV.Agent,
    PROV.SoftwareAgent,
)
_MEDIA: Final = (DCT.MediaType, DCT.MediaTypeOrExtent, DCT.FileFormat, SKOS.Concept)

_PARTS: Final[dict[str, Kind]] = {
    "Activity": kind(
        [PROV.Activity],
        {
            **_TEXT,
            **_plain(RDFS.label, PROV.startedAtTime, PROV.endedAtTime),
            DCT.type: "Concept",
        },
    ),
    "Address": kind(
        [VCARD.Address],
        _plain(
            VCARD["street-address"],
            VCARD["postal-code"],
            VCARD.locality,
            VCARD.region,
            VCARD["country-name"],
        ),
    ),
    "Agent": kind(
        _AGENTS,
        {
            **_plain(FOAF.name, FOAF.homepage, FOAF.mbox, DCT.identifier),
            DCT.type: "Concept",
        },
    ),
    "Attribution": kind([PROV.Attribution], {PROV.agent: "Agent", DCAT.hadRole: "Role"}),
    "Checksum": kind(
        [SPDX.Checksum], {**_plain(SPDX.checksumValue), SPDX.algorithm: "ChecksumAlgorithm"}
    ),
    "ChecksumAlgorithm": kind([SPDX.ChecksumAlgorithm], _NAMES),
    "Concept": kind([SKOS.Concept], _NAMES),
    "ConceptScheme": kind(
        [SKOS.ConceptScheme],
        _plain(DCT.title, DCT.description, SKOS.prefLabel, RDFS.label),
    ),
    "Contact": kind(
        [VCARD.Kind, VCARD.Organization, VCARD.Group, VCARD.Individual],
        {
            **_plain(VCARD.fn, VCARD["organization-name"], VCARD.hasURL, VCARD.hasUID),
            VCARD.hasAddress: "Address",
            VCARD.hasEmail: "Value",
            VCARD.hasTelephone: "Value",
        },
    ),
    "Document": kind(
        [FOAF.Document],
        {**_TEXT, **_plain(RDFS.label, FOAF.topic), DCT["format"]: "MediaTypeOrExtent"},
    ),
    "Frequency": kind([DCT.Frequency, SKOS.Concept], _NAMES),
    "Identifier": kind(
        [ADMS.Identifier],
        {**_plain(SKOS.notation, ADMS.schemaAgency, DCT.issued), DCT.creator: "Agent"},
    ),
    "Instant": kind(
        [_TIME.Instant],
        _plain(
            _TIME.inXSDDate,
            _TIME.inXSDDateTime,
            _TIME.inXSDDateTimeStamp,
            _TIME.inXSDgYear,
            _TIME.inXSDgYearMonth,
        ),
    ),
    "LegalResource": kind(
        [_ELI.LegalResource],
        {**_NAMES, **_plain(_ELI.title, _ELI.id_local, DCT.description)},
    ),
    "LicenseDocument": kind(
        [DCT.LicenseDocument, SKOS.Concept],
        {**_NAMES, DCT.type: "Concept", FOAF.page: "Document"},
    ),
    "LinguisticSystem": kind([DCT.LinguisticSystem, SKOS.Concept], _NAMES),
    "Location": kind(
        [DCT.Location, SKOS.Concept],
        {
            **_NAMES,
            **_plain(DCAT.bbox, DCAT.centroid, LOCN.geometry, LOCN.geographicName),
        },
    ),
    "MediaType": kind(_MEDIA, _NAMES),
    "MediaTypeOrExtent": kind(
        [DCT.MediaTypeOrExtent, *(cls for cls in _MEDIA if cls != DCT.MediaTypeOrExtent)], _NAMES
    ),
    "PeriodOfTime": kind(
        [DCT.PeriodOfTime],
        {
            **_plain(DCAT.startDate, DCAT.endDate, _SCHEMA.startDate, _SCHEMA.endDate),
            _TIME.hasBeginning: "Instant",
            _TIME.hasEnd: "Instant",
        },
    ),
    "Policy": kind(
        [ODRL.Policy, ODRL.Set, ODRL.Offer, ODRL.Agreement],
        {
            **_NAMES,
            **_plain(ODRL.uid, ODRL.profile, DCT.description),
            ODRL.obligation: "Rule",
            ODRL.permission: "Rule",
            ODRL.prohibition: "Rule",
        },
    ),
    "ProvenanceStatement": kind([DCT.ProvenanceStatement], {**_NAMES, **_plain(DCT.description)}),
    "Relationship": kind([DCAT.Relationship], {**_plain(DCT.relation), DCAT.hadRole: "Role"}),
    "RightsStatement": kind(
        [DCT.RightsStatement, SKOS.Concept], {**_NAMES, **_plain(DCT.description)}
    ),
    "Role": kind([DCAT.Role, SKOS.Concept], _NAMES),
    "Rule": kind(
        [ODRL.Rule, ODRL.Permission, ODRL.Prohibition, ODRL.Duty],
        _plain(ODRL.action, ODRL.target),
    ),
    "Standard": kind(
        [DCT.Standard, SKOS.Concept],
        {**_NAMES, **_plain(DCT.description, OWL.versionInfo, RDFS.seeAlso)},
    ),
    "Value": kind([VCARD.Kind], _plain(VCARD.hasValue)),
}

CARRIED: Final[dict[str, Kind]] = {**_ROOTS, **_PARTS}
"""What is carried of each kind of node."""

DCAT_AP: Final = Feed(
    name="dcat-ap",
    profile="dcat-ap/3.0.1",
    kinds=CARRIED,
    says=says,
    skips=skips,
)
