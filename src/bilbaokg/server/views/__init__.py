"""What each page shows, as frozen dataclasses: the contract between `pages.py` and the templates.

`SomePage` is drawn by `web/templates/some.html`, which uses every field and no other. Addresses are
ready to print: they carry the path prefix and were checked to be safe links.
"""

from __future__ import annotations

from bilbaokg.server.views.findings import (
    Finding,
    FindingGroup,
    FindingKind,
    HeldBack,
    ValidationPage,
)
from bilbaokg.server.views.lists import (
    DatasetsPage,
    EmptyPage,
    FacetGroup,
    Hints,
    HomePage,
    KindPage,
    Listed,
    SearchGroup,
    SearchPage,
)
from bilbaokg.server.views.querying import (
    SavedQuery,
    SparqlPage,
)
from bilbaokg.server.views.records import (
    Assertion,
    DatasetPage,
    Distribution,
    LineageStep,
    MentionPage,
    ResourcePage,
    Responsible,
    TombstonePage,
)
from bilbaokg.server.views.releases import (
    Carried,
    ChangeGroup,
    Cut,
    Fate,
    RehearsalPage,
    ReleasePage,
    ReleaseRow,
    ReleasesPage,
)
from bilbaokg.server.views.values import (
    Action,
    Card,
    Choice,
    Group,
    Node,
    Pager,
    Passage,
    Tile,
    Value,
)

__all__ = [
    "Action",
    "Assertion",
    "Card",
    "Carried",
    "ChangeGroup",
    "Choice",
    "Cut",
    "DatasetPage",
    "DatasetsPage",
    "Distribution",
    "EmptyPage",
    "FacetGroup",
    "Fate",
    "Finding",
    "FindingGroup",
    "FindingKind",
    "Group",
    "HeldBack",
    "Hints",
    "HomePage",
    "KindPage",
    "LineageStep",
    "Listed",
    "MentionPage",
    "Node",
    "Pager",
    "Passage",
    "RehearsalPage",
    "ReleasePage",
    "ReleaseRow",
    "ReleasesPage",
    "ResourcePage",
    "Responsible",
    "SavedQuery",
    "SearchGroup",
    "SearchPage",
    "SparqlPage",
    "Tile",
    "TombstonePage",
    "ValidationPage",
    "Value",
]
