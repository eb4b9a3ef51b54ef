"""A server that answers as CKAN's API guide says: the actions that a harvest asks for."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sites import Answer, Site

__all__ = ["Ckan", "package"]

JSON = {"Content-Type": "application/json;charset=utf-8"}


def package(number: int, **fields: Any) -> dict[str, Any]:
    """A package as `package_show` gives it."""
    id = f"{number:08x}-0000-4000-8000-000000000000"
    return {
        "id": id, "name": f"set-{number}", "title": f"Conjunto {number}", "notes": "Qué es.",
        "type": "dataset", "state": "active", "private": False, "url": None, "version": "",
        "author": None, "author_email": None, "maintainer": "Datos", "isopen": True,
        "maintainer_email": "datos@portal.example",
        "license_id": "cc-by", "license_title": "Creative Commons Attribution",
        "license_url": "http://www.opendefinition.org/licenses/cc-by",
        "metadata_created": "2020-01-02T03:04:05.678901",
        "metadata_modified": "2021-01-02T03:04:05.678901",
        "tags": [{"display_name": "ruido", "name": "ruido", "state": "active"}],
        "groups": [{"name": "ambiente", "title": "Medio ambiente", "id": "g1"}],
        "organization": {"id": "o1", "name": "city", "title": "La ciudad", "type": "organization"},
        "extras": [{"key": "frequency", "value": "http://publications.europa.eu/resource/"
                    "authority/frequency/DAILY"}, {"key": "desk", "value": "3"}],
        "resources": [{
            "id": f"r{number}", "package_id": id, "name": "CSV", "format": "CSV",
            "mimetype": "text/csv", "url": f"https://portal.example/{number}.csv",
            "url_type": "upload", "size": 120, "hash": "d41d8cd98f00b204e9800998ecf8427e",
            "created": "2020-01-02T03:04:05.678901", "last_modified": "2021-01-02T03:04:05",
        }],
        **fields,
    }  # fmt: skip


class Ckan:
    """A portal of some packages. `rows_max`: the most that a page of a search may have."""

    def __init__(self, site: Site, packages: list[dict[str, Any]], rows_max: int = 1000) -> None:
        self.site, self.packages, self.rows_max = site, packages, rows_max
        self.url = site.url("/")
        site.pages["/"] = (200, {"Content-Type": "text/html"}, b"<!DOCTYPE html><p>CKAN")
        site.default = self.answer

    def answer(self, handler: Any) -> Answer:
        address = urlsplit(handler.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        name = address.path.rpartition("/api/3/action/")[2]
        action = getattr(self, f"_{name}", None)
        if action is None or "/api/3/action/" not in address.path:
            return 404, {"Content-Type": "text/html"}, b"<!DOCTYPE html><p>404"
        return self.say(action(asked))

    def say(self, result: Any) -> Answer:
        body = {"help": self.site.url("/api/3/action/help_show"), "success": True, "result": result}
        return 200, JSON, json.dumps(body).encode()

    def _status_show(self, asked: dict[str, str]) -> Any:
        return {"ckan_version": "2.10.4", "site_url": "https://portal.example/",
                "site_title": "El portal", "site_description": "Datos.", "locale_default": "es",
                "error_emails_to": None, "extensions": ["dcat"]}  # fmt: skip

    def _package_search(self, asked: dict[str, str]) -> Any:
        found = sorted(self.packages, key=lambda package: str(package.get("id")))
        if since := re.fullmatch(r"metadata_modified:\[(\S+) TO \*\]", asked.get("fq", "")):
            found = [p for p in found if f"{p['metadata_modified']}Z" >= since[1]]
        start = int(asked.get("start", 0))
        rows = min(int(asked.get("rows", 10)), self.rows_max)
        return {"count": len(found), "sort": asked.get("sort", ""), "facets": {},
                "results": found[start : start + rows], "search_facets": {}}  # fmt: skip

    def _package_list(self, asked: dict[str, str]) -> Any:
        names = sorted(package["name"] for package in self.packages)
        return names[: int(asked["limit"])] if "limit" in asked else names

    def _package_show(self, asked: dict[str, str]) -> Any:
        return next(p for p in self.packages if asked["id"] in (p["id"], p["name"]))
