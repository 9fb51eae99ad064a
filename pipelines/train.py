"""Train a study: `mlflow run . -e train` is `riskmodels run`."""

from __future__ import annotations

import sys

from riskmodels.__main__ import main

if __name__ == "__main__":
    main(["run", *sys.argv[1:]])
