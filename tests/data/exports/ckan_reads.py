"""Reads pages with CKAN's own harvesting parser; runs in an environment that has CKAN, not us.

Usage: ckan_reads.py PROFILE PAGE...    prints {"datasets": [...], "next": [...]} as JSON.
"""

import json
import sys
from pathlib import Path

from ckanext.dcat.processors import RDFParser

datasets, following = [], []
for path in sys.argv[2:]:
    parser = RDFParser(profiles=[sys.argv[1]])
    parser.parse(Path(path).read_text(encoding="utf-8"), "xml")
    datasets += list(parser.datasets())
    following.append(parser.next_page())
json.dump({"datasets": datasets, "next": following}, sys.stdout)
