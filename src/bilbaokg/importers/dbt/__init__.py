"""dbt: the artefacts that it leaves in its target folder, read as lineage events and measurements.

Schema versions: manifest 9 to 12 (dbt 1.5 to 1.11), catalog 1, run-results 4 to 6, sources 3. The
names of tables and jobs are those of the OpenLineage integration of dbt, so that a project told by
its files and by events is told once. Without a manifest nothing is read; of the other files, what
cannot be used is told, and the rest counts.
"""

from __future__ import annotations

from bilbaokg.importers.dbt.found import Artefacts, Exposure, Measured, Model, Test
from bilbaokg.importers.dbt.reading import read

__all__ = ["Artefacts", "Exposure", "Measured", "Model", "Test", "read"]
