"""Writes packages with CKAN's own DCAT serialiser; runs in an environment that has CKAN, not us.

Usage: ckan_writes.py SITE PACKAGES FOLDER    reads a JSON list of packages; writes packages.nt and
the pages of a catalogue of two packages each, page-1.ttl and so on.

There is no database: what the serialiser looks up in it, an organization and the newest dataset,
comes from the packages.
"""

import json
import sys
from pathlib import Path

from ckan.plugins import toolkit
from ckanext.dcat.processors import RDFSerializer
from ckanext.dcat.profiles import base, euro_dcat_ap_base

PROFILES = ["euro_dcat_ap_3"]
site, path, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
packages = json.loads(path.read_text(encoding="utf-8"))
organizations = {p["organization"]["id"]: p["organization"] for p in packages}
toolkit.config["ckan.site_url"] = site
found = {"count": len(packages), "results": packages[:1]}
euro_dcat_ap_base.toolkit.get_action = lambda name: (
    lambda context, wanted: organizations[wanted["id"]]
)
base.get_action = lambda name: lambda context, wanted: found

serializer = RDFSerializer(profiles=PROFILES)
for package in packages:
    serializer.graph_from_dataset(package)
(folder / "packages.nt").write_text(serializer.g.serialize(format="nt"), encoding="utf-8")

pages = [packages[start : start + 2] for start in range(0, len(packages), 2)]
for number, members in enumerate(pages, 1):
    address = f"{site}/catalog.ttl?page="
    paging = {
        "count": len(packages),
        "items_per_page": 2,
        "current": f"{address}{number}",
        "first": f"{address}1",
        "last": f"{address}{len(pages)}",
    }
    if number < len(pages):
        paging["next"] = f"{address}{number + 1}"
    text = RDFSerializer(profiles=PROFILES).serialize_catalog(
        {"title": "Portal"}, members, _format="ttl", pagination_info=paging
    )
    text = text.decode() if isinstance(text, bytes) else text
    (folder / f"page-{number}.ttl").write_text(text, encoding="utf-8")
