"""Runs the gather stage of CKAN's DCAT harvester on a feed; in an environment that has CKAN.

Usage: ckan_gathers.py PROFILE ADDRESS    prints {"ids": [...], "errors": [...], "datasets": [...]}.

The harvester reads, parses and follows pages as in a portal. Its database is not there: what it
would keep is collected, and nothing was harvested before.
"""

import json
import sys
from types import SimpleNamespace

import ckanext.dcat.harvesters.rdf as harvesters
from ckan.common import config
from ckan.lib.munge import munge_title_to_name

kept, errors = [], []


class HarvestObject:
    def __init__(self, guid, job, content):
        self.id, self.content = guid, content

    def save(self):
        kept.append(json.loads(self.content))


class Harvester(harvesters.DCATRDFHarvester):
    def _save_gather_error(self, message, job):
        errors.append(message)

    def _mark_datasets_for_deletion(self, guids, job):
        return []

    def _gen_new_name(self, title):
        return munge_title_to_name(title)


profile, address = sys.argv[1:]
config["ckanext.dcat.rdf.profiles"] = profile
source = SimpleNamespace(id="source", url=address, config=None, owner_org=None)
harvesters.HarvestObject = HarvestObject
harvesters.model = SimpleNamespace(Package=SimpleNamespace(get=lambda _: source))
ids = Harvester().gather_stage(SimpleNamespace(source=source))
json.dump({"ids": ids, "errors": errors, "datasets": kept}, sys.stdout)
