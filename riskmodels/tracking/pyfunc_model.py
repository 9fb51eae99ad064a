"""How MLflow loads a saved model: by this code, from text and JSON. Nothing is unpickled.

It gives risks, not an approved list: the list comes from `riskmodels score`, which asks the gate.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd

from riskmodels.models.risk_model import RiskModel, read_model_folder


class CalibratedRisk(mlflow.pyfunc.PythonModel):
    """``predict`` takes a frame with the model's features, pandas or Polars, and returns one with the column ``risk``.

    The columns are checked by the model and not by a signature of MLflow's (`riskmodels.tracking`): a column that is
    not there, or is of another type, is a DataError of one line that quotes no row.
    """

    def load_context(self, context: Any) -> None:
        self.model = RiskModel.from_files(read_model_folder(Path(context.artifacts["riskmodel"])))

    # MLflow reads this hint, and warns of one that names Polars.
    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        return pd.DataFrame({"risk": self.model.predict_risk(model_input)})


mlflow.models.set_model(CalibratedRisk())
