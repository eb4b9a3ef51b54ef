"""Reads a feed as udata's DCAT harvester does; in an environment that has udata and mongomock.

Usage: udata_reads.py ADDRESS    prints {"pages": [...], "datasets": [...]} as JSON.

Pages are followed by udata's own table of paging vocabularies, and each dataset is made by its
`dataset_from_rdf`; nothing is saved.
"""

import json
import sys
import urllib.request

import mongoengine
import mongomock
import rdflib
from rdflib.namespace import DCAT, RDF
from udata.app import create_app, standalone
from udata.core.dataset.rdf import dataset_from_rdf
from udata.harvest.backends.dcat import KNOWN_PAGINATION
from udata.rdf import url_from_rdf
from udata.settings import Testing

app = standalone(create_app("udata.settings.Defaults", override=Testing))
mongoengine.disconnect_all()
mongoengine.connect("udata", mongo_client_class=mongomock.MongoClient)


def following(graph):
    for cls, term in KNOWN_PAGINATION:
        if (None, RDF.type, cls) in graph:
            node = graph.resource(graph.value(predicate=RDF.type, object=cls))
            return url_from_rdf(node, term)
    return None


def made(graph, node):
    dataset = dataset_from_rdf(graph, node=node, dryrun=True)
    return {
        "uri": str(node),
        "title": dataset.title,
        "description": dataset.description,
        "license": dataset.license.id if dataset.license else None,
        "tags": dataset.tags,
        "resources": [
            {"url": r.url, "format": r.format, "mime": r.mime} for r in dataset.resources
        ],
    }


pages, datasets = [], []
with app.app_context():
    address = sys.argv[1]
    while address:
        pages.append(address)
        graph = rdflib.Graph()
        with urllib.request.urlopen(address) as answer:  # noqa: S310  the server of the test
            graph.parse(data=answer.read(), format="xml")
        datasets += [made(graph, node) for node in set(graph.subjects(RDF.type, DCAT.Dataset))]
        address = following(graph)
json.dump({"pages": pages, "datasets": datasets}, sys.stdout)
