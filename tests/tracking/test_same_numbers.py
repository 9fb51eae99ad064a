"""One saved model, asked in four ways, says the same to the last bit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import polars as pl
import pytest

from riskmodels import RiskClassifier, RiskModel, commands, storage, tracking
from riskmodels.errors import DataError
from riskmodels.models.calibration import CALIBRATORS
from riskmodels.models.families import MODELS
from riskmodels.models.risk_model import read_model_folder
from riskmodels.workspace import Workspace
from tests.conftest import AS_OF, TODAY, Demo
from tests.models.planted import make_world


@dataclass(frozen=True)
class Ways:
    """A saved model as each way loads it."""

    saved: RiskModel
    through_mlflow: Any
    classifier: RiskClassifier

    def risks(self, frame: pl.DataFrame | pd.DataFrame) -> dict[str, np.ndarray]:
        return {
            "Python": self.saved.predict_risk(frame),
            "MLflow": self.through_mlflow.predict(frame)["risk"].to_numpy(),
            "scikit-learn": self.classifier.predict_proba(frame[self.classifier.feature_names_in_.tolist()])[:, 1],
        }


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Log a model as a run does, and load it in every way."""
    workspace = Workspace(tmp_path_factory.mktemp("logged") / "work")

    def logged(model: RiskModel, name: str) -> Ways:
        folder = workspace.root / "runs" / name
        storage.write_folder(folder / "riskmodel", model.to_files())
        inputs = tuple((spec.name, "double" if spec.kind == "number" else "string") for spec in model.reasons)
        tags = {"model.sha256": model.model_sha256, "card.sha256": name}
        record = tracking.RunRecord(name, folder, {}, {}, {}, tags, inputs)
        tracking.log_training(workspace, workspace.tracking_uri, record)
        return ways(workspace, name, folder / "riskmodel")

    return logged


def ways(workspace: Workspace, study: str, folder: Path) -> Ways:
    saved = RiskModel.from_files(read_model_folder(folder))
    mlflow.set_tracking_uri(workspace.tracking_uri)
    through_mlflow = mlflow.pyfunc.load_model(f"models:/{study}@candidate")
    return Ways(saved, through_mlflow, RiskClassifier.from_risk_model(saved))


@pytest.fixture(scope="module", params=MODELS)
def family(request: pytest.FixtureRequest, log: Any) -> Ways:
    model = make_world().model(request.param)
    found: Ways = log(model, request.param)
    assert found.saved == model
    return found


@pytest.fixture(scope="module")
def later() -> pl.DataFrame:
    return make_world(rows=300, seed=99).frame.drop("as_of_date")


# ---------------------------------------------------------------- every family


def variants(frame: pl.DataFrame) -> dict[str, pl.DataFrame | pd.DataFrame]:
    """The same people in other clothes. Absences are whole numbers, or nothing; some people's are always there."""
    whole = frame.with_columns(pl.col("absences", "reading").cast(pl.Int64))
    return {
        "pandas": frame.to_pandas(),
        "Polars, whole numbers with gaps": whole,
        "pandas, nullable whole numbers": whole.to_pandas().astype({"absences": "Int64", "reading": "Int64"}),
        "pandas, categories": frame.to_pandas().astype({"school": "category", "class_type": "category"}),
        "further columns, another order": frame.with_columns(pl.lit("p").alias("note")).select(
            "note", *frame.columns[::-1]
        ),
    }


def test_every_family_says_the_same_in_every_way(family: Ways, later: pl.DataFrame) -> None:
    expected = family.saved.predict_risk(later)
    for clothes, frame in variants(later).items():
        for way, risk in family.risks(frame).items():
            np.testing.assert_array_equal(risk, expected, err_msg=f"{way}: {clothes}")


def test_whole_numbers_without_gaps_are_taken(family: Ways, later: pl.DataFrame) -> None:
    """As pandas reads a CSV file: int64 where decimals were learned, which a signature of MLflow's would refuse."""
    full = later.with_columns(pl.col("absences", "reading", "income").fill_null(3.0))
    whole = full.with_columns(pl.col("absences", "reading", "income").cast(pl.Int64))
    assert whole.to_pandas()["reading"].dtype == np.int64
    expected = family.saved.predict_risk(full)
    for frame in (whole, whole.to_pandas()):
        for way, risk in family.risks(frame).items():
            np.testing.assert_array_equal(risk, expected, err_msg=way)


@pytest.mark.parametrize("calibrator", [kind for kind in CALIBRATORS if kind != "sigmoid"])
def test_every_calibrator_says_the_same_in_every_way(log: Any, later: pl.DataFrame, calibrator: str) -> None:
    found = log(make_world().model("logistic", calibrator), calibrator)
    expected = found.saved.predict_risk(later)
    for way, risk in found.risks(later).items():
        np.testing.assert_array_equal(risk, expected, err_msg=way)


@pytest.mark.parametrize("kind", ["pandas", "Polars"])
def test_a_frame_that_does_not_fit_is_refused_in_one_line(family: Ways, later: pl.DataFrame, kind: str) -> None:
    wrong = {
        "'income' is not there; give every column": later.drop("income"),
        "'income' is not there (and 1 more)": later.drop("school", "income"),
        "'reading' is text where numbers are needed": later.with_columns(pl.lit("a secret").alias("reading")),
        "'income' is infinite in row 1": later.with_columns(pl.lit(np.inf).alias("income")),
    }
    for words, frame in wrong.items():
        given = frame.to_pandas() if kind == "pandas" else frame
        for ask in (family.saved.predict_risk, family.through_mlflow.predict):
            with pytest.raises(DataError) as refusal:
                ask(given)
            assert words in str(refusal.value)
            assert "\n" not in str(refusal.value)
            assert "secret" not in str(refusal.value)


def test_nobody_gives_nobody(family: Ways, later: pl.DataFrame) -> None:
    assert family.through_mlflow.predict(later[:0])["risk"].shape == (0,)


@pytest.mark.parametrize("kind", ["application/json", "text/csv"])
def test_mlflow_serves_the_same(log: Any, later: pl.DataFrame, kind: str) -> None:
    """As `mlflow models serve` answers a request; to the digits that JSON has, which are all of them."""
    from mlflow.pyfunc.scoring_server import invocations

    found = log(make_world().model("lightgbm"), "served")
    frame = later.to_pandas()
    split = json.dumps({"dataframe_split": json.loads(frame.to_json(orient="split", index=False, double_precision=15))})
    body = split if kind == "application/json" else frame.to_csv(index=False)
    answer = invocations(body, kind, found.through_mlflow, found.through_mlflow.metadata.get_input_schema())
    assert answer.status == 200
    risk = [row["risk"] for row in json.loads(answer.response)["predictions"]]
    np.testing.assert_array_equal(risk, found.saved.predict_risk(later))


def test_mlflow_is_told_what_goes_in_and_what_comes_out(family: Ways) -> None:
    told = family.through_mlflow.metadata
    assert told.signature.inputs is None
    assert [(column.name, column.type.name) for column in told.signature.outputs.inputs] == [("risk", "double")]
    assert told.metadata["inputs"] == [
        {"name": "reading", "type": "double"},
        {"name": "absences", "type": "double"},
        {"name": "income", "type": "double"},
        {"name": "class_type", "type": "string"},
        {"name": "school", "type": "string"},
    ]


# ---------------------------------------------------------------- what `riskmodels score` writes


@pytest.fixture(scope="module")
def cohort(demo: Demo) -> pl.DataFrame:
    """500 pupils of the newest date: their ids and the model's features."""
    frame = demo.report.run.run.dataset.features.frame
    return frame.filter(pl.col("as_of_date") == frame["as_of_date"].max()).drop("as_of_date").head(500)


def written(workspace: Workspace, cohort: pl.DataFrame, output: Path, **more: Any) -> np.ndarray:
    """The risks in the file that a batch writes, in the order of the cohort."""
    path = output.with_name("cohort.parquet")
    cohort.write_parquet(path)
    commands.score("early_reading_support", path, output, workspace, TODAY, as_of=AS_OF, capacity=20, **more)
    if output.suffix == ".csv":
        scored = pl.read_csv(output, schema_overrides={"entity_id": pl.String, "risk": pl.Float64})
    else:
        scored = pl.read_parquet(output)
    together = cohort.join(scored[["entity_id", "risk"]], on="entity_id", how="left", maintain_order="left")
    assert scored.height == together["risk"].count() == cohort.height
    return together["risk"].to_numpy()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_batch_of_the_demo_says_the_same(
    demo: Demo, workspace: Workspace, cohort: pl.DataFrame, tmp_path: Path, suffix: str
) -> None:
    folder = workspace.root / demo.report.run.folder.relative_to(demo.workspace.root) / "riskmodel"
    expected = written(workspace, cohort, tmp_path / f"list{suffix}")
    assert np.ptp(expected) > 0
    for frame in (cohort, cohort.to_pandas()):
        for way, risk in ways(demo.workspace, "early_reading_support", folder).risks(frame).items():
            np.testing.assert_array_equal(risk, expected, err_msg=way)


@pytest.mark.parametrize("name", MODELS)
def test_a_batch_of_every_family_says_the_same(
    demo: Demo,
    workspace: Workspace,
    cohort: pl.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    log: Any,
    name: str,
) -> None:
    """The demo's approval with another family's model put in its place: the gate is tested elsewhere."""
    model = fitted_on(demo, name)
    approve(model, monkeypatch)
    expected = written(workspace, cohort, tmp_path / "list.parquet", explain="none")
    assert np.ptp(expected) > 0 or name == "base_rate"
    for way, risk in log(model, f"demo_{name}").risks(cohort).items():
        np.testing.assert_array_equal(risk, expected, err_msg=way)


def fitted_on(demo: Demo, family: str) -> RiskModel:
    data = demo.report.run.run.dataset
    known = data.outcomes.frame["outcome"].is_not_null()
    named = {"column": data.features.names[0]} if family in ("place_only", "current_practice") else {}
    small = {"settings": {"rounds": 50}} if family == "explainable_boosting" else {}
    classifier = RiskClassifier(family, threads=1, **named, **small)
    rows = data.features.frame.filter(known)[data.features.names]
    classifier.fit(rows, data.outcomes.frame.filter(known)["outcome"])
    return classifier.to_risk_model("early_reading_support")


def approve(model: RiskModel, monkeypatch: pytest.MonkeyPatch) -> None:
    from riskmodels.governance import gate

    opened = gate.open_for_scoring

    class Instead:
        def __init__(self, approved: Any) -> None:
            self.approved, self.model, self.model_sha256 = approved, model, model.model_sha256

        def __getattr__(self, name: str) -> Any:
            return getattr(self.approved, name)

    monkeypatch.setattr(gate, "open_for_scoring", lambda *given, **named: Instead(opened(*given, **named)))
