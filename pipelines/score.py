"""Score a cohort with an approved model: `mlflow run . -e score` is `riskmodels score`."""

from __future__ import annotations

import sys

from riskmodels.__main__ import main

if __name__ == "__main__":
    main(["score", *sys.argv[1:]])
