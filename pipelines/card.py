"""Write a model's card: `mlflow run . -e card` is `riskmodels card`."""

from __future__ import annotations

import sys

from riskmodels.__main__ import main

if __name__ == "__main__":
    main(["card", *sys.argv[1:]])
