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
    AbsentPage,
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
from bilbaokg.server.views.revisions import (
    Difference,
    Edition,
    HistoryPage,
    PartChange,
    Side,
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
    "AbsentPage",
    "Action",
    "Assertion",
    "Card",
    "Carried",
    "ChangeGroup",
    "Choice",
    "Cut",
    "DatasetPage",
    "DatasetsPage",
    "Difference",
    "Distribution",
    "Edition",
    "EmptyPage",
    "FacetGroup",
    "Fate",
    "Finding",
    "FindingGroup",
    "FindingKind",
    "Group",
    "HeldBack",
    "Hints",
    "HistoryPage",
    "HomePage",
    "KindPage",
    "LineageStep",
    "Listed",
    "MentionPage",
    "Node",
    "Pager",
    "PartChange",
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
    "Side",
    "SparqlPage",
    "Tile",
    "TombstonePage",
    "ValidationPage",
    "Value",
]
