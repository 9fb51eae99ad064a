"""Record a committee's decision: `mlflow run . -e review` is `riskmodels review record`."""

from __future__ import annotations

import sys

from riskmodels.__main__ import main

if __name__ == "__main__":
    main(["review", "record", *sys.argv[1:]])
