"""What is saved is read back and held to what was fitted, before anybody relies on it."""

from __future__ import annotations

import numpy as np
import polars as pl

from riskmodels.errors import ModelFileError
from riskmodels.models.risk_model import RiskModel

ROWS = 500


def refuse_unfaithful(model: RiskModel, frame: pl.DataFrame) -> None:
    """Read a model's saved form back and compare it with the model itself on some rows.

    Risks must be the same to the bit. Where the saved form answers by the fast kernel of trees, the kernel is held to
    LightGBM's own scores and contributions too; that compiles it, so that the first batch need not.

    Parameters
    ----------
    frame : a column for each feature; at most 500 rows from all over it are looked at

    Raises
    ------
    ModelFileError
        if the saved form gives other numbers.
    """
    some = frame[np.unique(np.linspace(0, frame.height - 1, ROWS).astype(np.int64)).tolist()]
    saved = RiskModel.from_files(model.to_files())
    if not np.array_equal(saved.predict_risk(some), model.predict_risk(some)):
        raise ModelFileError("the model gives other risks once it is saved and read back; please report this")
    check = getattr(saved.fitted, "verify_fast", None)
    difference = None if check is None else check(saved.encoder.encode(some))
    if difference is not None:
        raise ModelFileError(f"the fast kernel is not the model: {difference}; please report this")
