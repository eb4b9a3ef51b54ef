"""Reads a feed of changes as feed readers do, page by page; in an environment with feedparser.

Usage: atom_reads.py ADDRESS    prints {"pages": n, "faults": [...], "entries": [{...}, ...]}.

feedparser is the reader inside many aggregators; it says where the XML is odd.
"""

import json
import sys

import feedparser

address, pages, faults, entries = sys.argv[1], 0, [], []
while address:
    pages += 1
    found = feedparser.parse(address)
    if found.status != 200 or found.bozo or found.version != "atom10":
        faults.append(f"page {pages}: {found.version} {found.get('bozo_exception')}")
    entries += [
        {
            "id": read.id,
            "title": read.title,
            "dated": bool(read.updated_parsed and read.published_parsed),
            "content": read.content[0].type,
            "kinds": [tag.term for tag in read.tags],
            "links": [link.type for link in read.links],
        }
        for read in found.entries
    ]
    address = next((e.href for e in found.feed.links if e.rel == "next"), None)
json.dump({"pages": pages, "faults": faults, "entries": entries}, sys.stdout)
