"""Steps that are not done twice: results kept under the digest of everything they were made from.

A result is one file. Its name holds the digest of its own bytes, and the file its key: what was cut short, edited or
put under another name is noticed and made again. Beside the results stands, for each study, what each step was last
made from, so that ``log`` can say in words why a step was made, and which results are the study's, so that they can be
removed when somebody objects or withdraws. Definitions and digests only: no value of a row.

::

    <folder>/results/<kk>/<key>.<sha256>.parquet    key: of name, ingredients and the code; sha256: of the file
    <folder>/<study>.json                           the last ingredients of each step; its results
"""

from __future__ import annotations

from riskmodels.caching.digests import digest_of_frame
from riskmodels.caching.steps import KEY, NO_CACHE, StepLog, Steps, key_within

__all__ = ["KEY", "NO_CACHE", "StepLog", "Steps", "digest_of_frame", "key_within"]
