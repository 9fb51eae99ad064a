"""Batch scoring: a cohort of any size, in parts, on one machine.

`score_batch` is the way in; everything happens in a work folder beside the output (`working_beside`), from which the
finished files take their places together (`publish`).

- ``run.py``         the story: score, find copies, rank, fill the places, explain
- ``work.py``        the work folder: its plan, its lock, going on after a stop
- ``publishing.py``  how finished files take their places
- ``workers.py``     who scores and explains the parts: the threads of this process, or whoever is employed
- ``scoring.py``     one part becomes one shard
- ``shards.py``      what a shard looks like on the disk
- ``duplicates.py``  ids that stand more than once anywhere
- ``order.py``       the order of the list
- ``ranked.py``      all shards in that order, a bucket at a time
- ``listing.py``     who gets a place
- ``explaining.py``  the reasons of those who are listed
- ``slices.py``      the scored file, slice by slice
- ``ahead.py``       work that is done while its last result is still being used
- ``memory.py``      give memory back as soon as it is free
- ``pace.py``        rows a second, and the time that is left
"""

from __future__ import annotations

from riskmodels.service.batch.publishing import publish
from riskmodels.service.batch.run import ScoredBatch, batch_id, plan_of, score_batch
from riskmodels.service.batch.work import folder_beside, working_beside
from riskmodels.service.batch.workers import Employ, Workers

__all__ = [
    "Employ",
    "ScoredBatch",
    "Workers",
    "batch_id",
    "folder_beside",
    "plan_of",
    "publish",
    "score_batch",
    "working_beside",
]
