"""Messages for shapes that bring none: one sentence a component, in Spanish, Basque and English."""

from __future__ import annotations

from typing import Final

from bilbaokg.shacl.graph import Graph
from bilbaokg.shacl.shapes import local_name
from bilbaokg.terms import PREFIXES, SH, plain, ref

__all__ = ["EMPTY", "compact", "default"]

_COMPONENT: Final = "ConstraintComponent"

# {p} is the property, {x} the value of the shape's parameter.
_SENTENCES: Final[dict[str, tuple[str, str, str]]] = {
    "MinCount": (
        "Faltan valores de {p}: hacen falta al menos {x}.",
        "{p}: balioak falta dira, gutxienez {x} behar dira.",
        "Values of {p} are missing: at least {x} needed.",
    ),
    "MaxCount": (
        "Sobran valores de {p}: se admiten como máximo {x}.",
        "{p}: balio gehiegi, gehienez {x} onartzen dira.",
        "Too many values of {p}: at most {x} allowed.",
    ),
    "Class": (
        "El valor de {p} no es de la clase {x}.",
        "{p}: balioa ez da {x} klasekoa.",
        "The value of {p} is not of class {x}.",
    ),
    "Datatype": (
        "El valor de {p} no es un {x} bien escrito.",
        "{p}: balioa ez da ondo idatzitako {x} bat.",
        "The value of {p} is not a well-formed {x}.",
    ),
    "NodeKind": (
        "El valor de {p} debe ser de tipo {x}.",
        "{p}: balioak {x} motakoa izan behar du.",
        "The value of {p} must be of kind {x}.",
    ),
    "Pattern": (
        "El valor de {p} no sigue el patrón {x}.",
        "{p}: balioak ez du {x} eredua betetzen.",
        "The value of {p} does not match the pattern {x}.",
    ),
    "MinLength": (
        "El valor de {p} tiene menos de {x} caracteres.",
        "{p}: balioak {x} karaktere baino gutxiago ditu.",
        "The value of {p} has fewer than {x} characters.",
    ),
    "MaxLength": (
        "El valor de {p} tiene más de {x} caracteres.",
        "{p}: balioak {x} karaktere baino gehiago ditu.",
        "The value of {p} has more than {x} characters.",
    ),
    "MinInclusive": (
        "El valor de {p} debe ser {x} o mayor.",
        "{p}: balioak {x} edo handiagoa izan behar du.",
        "The value of {p} must be {x} or more.",
    ),
    "MaxInclusive": (
        "El valor de {p} debe ser {x} o menor.",
        "{p}: balioak {x} edo txikiagoa izan behar du.",
        "The value of {p} must be {x} or less.",
    ),
    "MinExclusive": (
        "El valor de {p} debe ser mayor que {x}.",
        "{p}: balioak {x} baino handiagoa izan behar du.",
        "The value of {p} must be more than {x}.",
    ),
    "MaxExclusive": (
        "El valor de {p} debe ser menor que {x}.",
        "{p}: balioak {x} baino txikiagoa izan behar du.",
        "The value of {p} must be less than {x}.",
    ),
    "LanguageIn": (
        "El texto de {p} no está en una de las lenguas admitidas.",
        "{p}: testua ez dago onartutako hizkuntza batean.",
        "The text of {p} is not in one of the allowed languages.",
    ),
    "UniqueLang": (
        "{p} tiene dos textos en la misma lengua.",
        "{p}: bi testu daude hizkuntza berean.",
        "{p} has two texts in the same language.",
    ),
    "In": (
        "El valor de {p} no está en la lista de valores admitidos.",
        "{p}: balioa ez dago onartutako zerrendan.",
        "The value of {p} is not in the list of allowed values.",
    ),
    "HasValue": (
        "Falta el valor {x} en {p}.",
        "{p}: {x} balioa falta da.",
        "The value {x} of {p} is missing.",
    ),
    "Equals": (
        "Los valores de {p} y {x} deben ser los mismos.",
        "{p} eta {x}: balioek berdinak izan behar dute.",
        "The values of {p} and {x} must be the same.",
    ),
    "Disjoint": (
        "{p} y {x} no pueden compartir valores.",
        "{p} eta {x}: ezin dute baliorik partekatu.",
        "{p} and {x} must not share values.",
    ),
    "LessThan": (
        "El valor de {p} debe ser menor que el de {x}.",
        "{p}: balioak {x}-ren balioa baino txikiagoa izan behar du.",
        "The value of {p} must be less than that of {x}.",
    ),
    "LessThanOrEquals": (
        "El valor de {p} no puede ser mayor que el de {x}.",
        "{p}: balioa ezin da {x}-ren balioa baino handiagoa izan.",
        "The value of {p} must not be more than that of {x}.",
    ),
    "Closed": (
        "La propiedad {p} no está admitida aquí.",
        "{p} propietatea ez da hemen onartzen.",
        "The property {p} is not allowed here.",
    ),
}
_OTHER: Final = (
    "El valor de {p} no cumple la regla {c}.",
    "{p}: balioak ez du {c} araua betetzen.",
    "The value of {p} does not meet the rule {c}.",
)
_NODE: Final = {"es": "este recurso", "eu": "baliabide hau", "en": "this resource"}

# What an empty validation says: message, then hint.
EMPTY: Final = {
    "es": (
        "No hay nada que validar: no se encontró ningún dcat:Dataset (no dcat:Dataset found).",
        "Compruebe que los recursos llevan rdf:type: dcat:Dataset, dcat:DatasetSeries, "
        "dcat:DataService o dcat:Catalog.",
    ),
    "eu": (
        "Ez dago zer balioztatu: ez da dcat:Dataset bat ere aurkitu (no dcat:Dataset found).",
        "Egiaztatu baliabideek rdf:type dutela: dcat:Dataset, dcat:DatasetSeries, "
        "dcat:DataService edo dcat:Catalog.",
    ),
    "en": (
        "There is nothing to validate: no dcat:Dataset found.",
        "Check that the resources have an rdf:type: dcat:Dataset, dcat:DatasetSeries, "
        "dcat:DataService or dcat:Catalog.",
    ),
}


def compact(term: str) -> str:
    """A term as people read it: `dct:title` for an IRI with a known prefix, the plain text else."""
    text = plain(term)
    for prefix, namespace in (*PREFIXES.items(), ("sh", SH)):
        rest = text.removeprefix(namespace)
        if rest != text and rest and "/" not in rest and "#" not in rest:
            return f"{prefix}:{rest}"
    return text


def default(graph: Graph, shape: str, component: str, path: str | None, language: str) -> str:
    """The sentence for a component; `path` is its text."""
    name = local_name(plain(component)).removesuffix(_COMPONENT)
    column = ("es", "eu", "en").index(language) if language in _NODE else 0
    sentence = _SENTENCES.get(name, _OTHER)[column]
    parameter = graph.one(shape, ref(SH[name[:1].lower() + name[1:]]))
    return sentence.format(
        p=compact(f"<{path}>") if path else _NODE.get(language, _NODE["es"]),
        x=compact(parameter) if parameter else "",
        c=name or plain(component),
    )
