"""Make a reviewed model the champion: `mlflow run . -e promote` is `riskmodels promote`."""

from __future__ import annotations

import sys

from riskmodels.__main__ import main

if __name__ == "__main__":
    main(["promote", *sys.argv[1:]])
