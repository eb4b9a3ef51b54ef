"""Every page of the site in every state: the table that the tests of the browser walk.

A line says which route it shows, at which address of the demo catalogue, in which state and with
which status. A new route needs a line here.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple
from urllib.parse import quote, urlencode

from starlette.applications import Starlette
from starlette.routing import Route

from bilbaokg.server.auth import action_of

__all__ = ["AWAY", "BARE", "DEMO", "NO_PAGES", "Shown", "page_routes"]

State = Literal["normal", "empty", "error", "gone"]


class Shown(NamedTuple):
    """A page in a state; route and path stand without their language.

    signed: whether the reader sends a token with the scope `read`.
    """

    route: str
    path: str
    state: State = "normal"
    status: int = 200
    signed: bool = False


def _sparql(query: str, **more: str) -> str:
    return f"/sparql?{urlencode({'run': '1', 'query': query, **more})}"


_BASE: Final = "https://bilbaokg.example/id"
_FILE_TYPES: Final = "http://publications.europa.eu/resource/authority/file-type"
_SECTORS: Final = "http://datos.gob.es/kos/sector-publico/sector"
_BUS: Final = quote(f"{_BASE}/table/bus-mart-gtfs", safe="")
_ZIP: Final = quote(f"{_BASE}/distribution/bilbobus-gtfs-zip", safe="")
_DAYS: Final = (
    "SELECT ?day (COUNT(*) AS ?n) { ?d <http://purl.org/dc/terms/modified> ?day } GROUP BY ?day"
)
_GRAPH: Final = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o } LIMIT 20"

DEMO: Final = {
    "home": Shown("/", "/"),
    "search": Shown("/search", "/search"),
    "found": Shown("/search", "/search?q=aire"),
    "unfound": Shown("/search", "/search?q=contaminasion+xyz", "empty"),
    "mention": Shown("/iri", f"/iri?iri={_FILE_TYPES}"),
    "iri-unknown": Shown("/iri", "/iri?iri=https://nowhere.example/x", "error", 404),
    "datasets": Shown("/datasets", "/datasets"),
    "matches": Shown("/datasets", "/datasets?q=district"),
    "rows": Shown("/datasets", "/datasets?view=table&sort=title"),
    "filtered": Shown("/datasets", "/datasets?q=bus&gap=steward&area=x", "empty"),
    "nothing": Shown("/datasets", "/datasets?q=zzzz", "empty"),
    "past-list": Shown("/datasets", "/datasets?q=bus&as_of=r1"),
    "before": Shown("/datasets", "/datasets?as_of=2001-01-01", "error", 404),
    "no-day": Shown("/datasets", "/datasets?as_of=never", "error", 400),
    "glossary": Shown("/concept", "/concept"),
    "glossary-list": Shown("/concept", "/concept?q=air"),
    "glossary-tree": Shown("/concept", f"/concept?tree={_SECTORS}"),
    "glossary-none": Shown("/concept", "/concept?q=zzzz", "empty"),
    "kind-unit": Shown("/{kind}", "/unit"),
    "kind-none": Shown("/{kind}", "/unit?q=zzzz", "empty"),
    "kind-without-records": Shown("/{kind}", "/policy", "empty"),
    "kind-unknown": Shown("/{kind}", "/nada", "error", 404),
    "dataset": Shown("/{kind}/{slug}", "/dataset/bilbobus-gtfs"),
    "dataset-traffic": Shown("/{kind}/{slug}", "/dataset/intensidad-trafico"),
    "past": Shown("/{kind}/{slug}", "/dataset/intensidad-trafico?as_of=r1"),
    "series": Shown("/{kind}/{slug}", "/series/poblacion-barrios"),
    "service": Shown("/{kind}/{slug}", "/service/aire-api"),
    "distribution": Shown("/{kind}/{slug}", "/distribution/bilbobus-gtfs-zip"),
    "catalogue": Shown("/{kind}/{slug}", "/catalog/bilbao"),
    "council": Shown("/{kind}/{slug}", "/agent/ayuntamiento-bilbao"),
    "unit": Shown("/{kind}/{slug}", "/unit/movilidad-sostenibilidad"),
    "concept": Shown("/{kind}/{slug}", "/concept/00b351badfbd7820"),
    "term": Shown("/{kind}/{slug}", "/concept/contaminante"),
    "scheme": Shown("/{kind}/{slug}", "/scheme/312ee0a5cca71ce9"),
    "table": Shown("/{kind}/{slug}", "/table/bus-mart-gtfs"),
    "column": Shown("/{kind}/{slug}", "/column/aire-clean-estaciones-barrio"),
    "job": Shown("/{kind}/{slug}", "/job/aire-ingesta"),
    "run": Shown("/{kind}/{slug}", "/run/aire-ingesta-2026-11-19"),
    "shared": Shown("/{kind}/{slug}", "/shared/02b8819d93eeda8e"),
    "principle": Shown("/{kind}/{slug}", "/principle/responsable"),
    "missing": Shown("/{kind}/{slug}", "/dataset/nada", "error", 404),
    "tombstone": Shown("/{kind}/{slug}", "/dataset/bilbobus-paradas", "gone", 410),
    "history": Shown("/{kind}/{slug}/history", "/dataset/intensidad-trafico/history"),
    "history-of-the-gone": Shown("/{kind}/{slug}/history", "/dataset/bilbobus-paradas/history"),
    "history-unknown": Shown("/{kind}/{slug}/history", "/dataset/nada/history", "error", 404),
    "principles": Shown("/principle", "/principle"),
    "principles-none": Shown("/principle", "/principle?q=zzzz", "empty"),
    "roles": Shown("/roles", "/roles"),
    "lineage-start": Shown("/lineage", "/lineage?q=bus"),
    "lineage-none": Shown("/lineage", "/lineage?q=zzzz", "empty"),
    "lineage": Shown("/lineage", f"/lineage?iri={_BUS}&downstream=all"),
    "lineage-alone": Shown("/lineage", f"/lineage?iri={_BASE}/dataset/agenda-cultural", "empty"),
    "lineage-unknown": Shown("/lineage", "/lineage?iri=urn:x", "error", 404),
    "question-agree": Shown("/lineage/{question}", f"/lineage/agree?iri={_BUS}"),
    "question-agree-which": Shown("/lineage/{question}", "/lineage/agree?iri=bus"),
    "question-agree-first": Shown("/lineage/{question}", "/lineage/agree", "empty"),
    "question-spoiled": Shown("/lineage/{question}", "/lineage/spoiled", "empty"),
    "question-walk": Shown("/lineage/{question}", f"/lineage/upstream?iri={_BUS}&hops=2"),
    "question-path": Shown("/lineage/{question}", f"/lineage/path?iri={_ZIP}&to={_BUS}"),
    "question-changed": Shown("/lineage/{question}", "/lineage/changed"),
    "question-duties": Shown("/lineage/{question}", "/lineage/duties"),
    "question-coverage": Shown("/lineage/{question}", "/lineage/coverage"),
    "question-ends": Shown("/lineage/{question}", "/lineage/ends?direction=downstream"),
    "question-circles": Shown("/lineage/{question}", "/lineage/circles", "empty"),
    "question-field": Shown(
        "/lineage/{question}", f"/lineage/upstream?iri={_BUS}&exactly=true", "error", 400
    ),
    "question-iri": Shown("/lineage/{question}", "/lineage/agree?iri=urn:x", "error", 404),
    "question-unknown": Shown("/lineage/{question}", "/lineage/nada", "error", 404),
    "dashboards": Shown("/dashboards", "/dashboards"),
    "dashboard": Shown("/dashboards/{slug}", "/dashboards/movilidad-sostenibilidad"),
    "dashboard-past": Shown("/dashboards/{slug}", "/dashboards/movilidad-sostenibilidad?as_of=r1"),
    "dashboard-unknown": Shown("/dashboards/{slug}", "/dashboards/nada", "error", 404),
    "monthly": Shown("/dashboards/{slug}/report", "/dashboards/movilidad-sostenibilidad/report"),
    "monthly-past": Shown(
        "/dashboards/{slug}/report", "/dashboards/movilidad-sostenibilidad/report?as_of=r1"
    ),
    "monthly-before": Shown(
        "/dashboards/{slug}/report",
        "/dashboards/movilidad-sostenibilidad/report?month=2001-01",
        "error",
        404,
    ),
    "monthly-invalid": Shown(
        "/dashboards/{slug}/report",
        "/dashboards/movilidad-sostenibilidad/report?month=enero",
        "error",
        400,
    ),
    "validation": Shown("/validation", "/validation"),
    "findings": Shown(
        "/validation/findings", "/validation/findings?severity=warning&sort=resource"
    ),
    "findings-none": Shown("/validation/findings", "/validation/findings?q=zzzz", "empty"),
    "validation-none": Shown("/validation", "/validation?severity=info", "empty"),
    "releases": Shown("/releases", "/releases"),
    "release": Shown("/releases/{id}", "/releases/r2"),
    "release-first": Shown("/releases/{id}", "/releases/r1"),
    "release-unknown": Shown("/releases/{id}", "/releases/r9", "error", 404),
    "rehearsal": Shown("/rehearsal/{target}", "/rehearsal/dcat-ap", signed=True),
    "rehearsal-unsigned": Shown("/rehearsal/{target}", "/rehearsal/dcat-ap", "error", 401),
    "rehearsal-unknown": Shown("/rehearsal/{target}", "/rehearsal/nada", "error", 404, signed=True),
    "query": Shown("/sparql", "/sparql"),
    "query-saved": Shown("/sparql", "/sparql?saved=datasets-changed-since&run=1"),
    "answer": Shown("/sparql", _sparql("SELECT * { ?s ?p ?o } LIMIT 20")),
    "answer-bars": Shown("/sparql", "/sparql?saved=datasets-by-theme&run=1&view=bars"),
    "answer-timeline": Shown("/sparql", "/sparql?saved=datasets-newest&run=1&view=timeline"),
    "answer-time": Shown("/sparql", _sparql(_DAYS, view="time")),
    "answer-graph": Shown("/sparql", _sparql(_GRAPH)),
    "answer-none": Shown("/sparql", _sparql("SELECT * { <a:b> <a:b> <a:b> }"), "empty"),
    "query-fault": Shown("/sparql", _sparql("SELEC"), "error", 400),
    "query-field": Shown(
        "/sparql", "/sparql?saved=datasets-changed-since&run=1&p.since=nunca", "error", 400
    ),
    "query-forbidden": Shown(
        "/sparql", _sparql("SELECT * { SERVICE <http://a.example/> {} }"), "error", 403
    ),
    "query-unknown": Shown("/sparql", "/sparql?saved=nada&run=1", "error", 404),
    "components": Shown("/components", "/components"),
    "help": Shown("/help", "/help"),
    "accessibility": Shown("/accessibility", "/accessibility"),
    "legal": Shown("/legal", "/legal"),
    "tour": Shown("/tour", "/tour"),
}

# Before the first release every page says how to make one.
BARE: Final = {
    "bare-home": Shown("/", "/", "empty"),
    "bare-datasets": Shown("/datasets", "/datasets", "empty"),
}

# What comes from another portal, which told its title or that it is gone there; {portal} is where.
_NOISE: Final = "https://data.example/id/dataset/noise"
AWAY: Final = {
    "away-dataset": Shown("/{kind}/{slug}", "/dataset/noise"),
    "away-lineage": Shown("/lineage", f"/lineage?iri={_NOISE}"),
    "away-question": Shown("/lineage/{question}", f"/lineage/upstream?iri={_NOISE}"),
    "away-mention": Shown("/iri", "/iri?iri={portal}/air"),
    "away-gone": Shown("/iri", "/iri?iri={portal}/gone"),
}

# Routes below a language that answer with no page of their own.
NO_PAGES: Final = {
    "": "leads to the home page",
    "/rehearsal": "leads to the rehearsal of the main target",
    "/datasets.csv": "a table",
    "/lineage.csv": "a table",
    "/validation.csv": "a table",
    "/validation.json": "a report",
    "/sparql/words.json": "what the editor completes",
}


def page_routes(app: Starlette, lang: str) -> set[str]:
    """The addresses that an application has below a language, without it."""
    prefix = f"/{lang}"
    routes = (route for route in app.router.routes if isinstance(route, Route))
    return {
        route.path.removeprefix(prefix)
        for route in routes
        if (route.path == prefix or route.path.startswith(f"{prefix}/")) and action_of(route)
    }
