"""The way in of scoring: a cohort in parts, every row of it accounted for.

- ``columns.py``     which columns a cohort file must bring, told from its schema
- ``rows.py``        one part's rows: who can be scored, and who cannot and why
- ``parquet.py``     a Parquet file, a stretch of rows at a time
- ``spool.py``       a CSV file as a Parquet file of texts
- ``parts.py``       a cohort in files: `open_matrix`
- ``routes.py``      of whom a safeguarding route is true
- ``sources.py``     a cohort made from the study's own sources: `open_sources`
- ``notes.py``       what the sources cannot say of a list made today
- ``objections.py``  who objected
"""

from __future__ import annotations

from riskmodels.service.cohort.objections import read_objectors
from riskmodels.service.cohort.parts import MatrixParts, open_matrix
from riskmodels.service.cohort.rows import REASONS, check_rows
from riskmodels.service.cohort.sources import SourceParts, is_sources, open_sources

__all__ = [
    "REASONS",
    "MatrixParts",
    "SourceParts",
    "check_rows",
    "is_sources",
    "open_matrix",
    "open_sources",
    "read_objectors",
]
