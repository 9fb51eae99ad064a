"""Make the county's tables, one for each agency. All is made up, and the same bytes come out each time.

`riskmodels.data.synthetic` says how the county works. Planted here, so that the study has something to find:

- agencies write down less about children of other White groups: 45% of the facts are missing, the outcomes are not;
- for 4% of children the records of the police are not matched, and likewise those of housing and of health.

::

    python experiments/county_early_help/prepare.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from riskmodels import storage
from riskmodels.data.synthetic import make_county, write_county
from riskmodels.errors import RiskModelsError

PEOPLE = 10_000
SEED = 20260630
UNDER_RECORDED = {"White other": 0.45}
UNLINKED = 0.04
# Whose records must be matched to the council's index of children, and what they write down.
AGENCIES = {"police": "police_contact", "housing": "housing_arrears", "health": "ae_attendance"}


def prepare(folder: Path) -> None:
    """Write people, events (of schools and council), police, housing, health and equality into ``folder``.

    Raises
    ------
    OutsideError
        if the folder cannot be written.
    """
    county = make_county(PEOPLE, SEED, under_recorded=UNDER_RECORDED, unlinked=UNLINKED)
    write_county(Path(folder), county, entity="child_id")
    events = county.events.rename({"entity_id": "child_id"})
    for agency, kind in AGENCIES.items():
        _write(Path(folder), agency, events.filter(pl.col("kind") == kind))
    _write(Path(folder), "events", events.filter(~pl.col("kind").is_in(AGENCIES.values())))


def _write(folder: Path, name: str, table: pl.DataFrame) -> None:
    storage.write_whole(folder / f"{name}.parquet", storage.table_bytes(table, ".parquet"))


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python prepare.py FOLDER", file=sys.stderr)
        return 2
    try:
        prepare(Path(arguments[0]))
    except RiskModelsError as error:
        print(error, file=sys.stderr)
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
