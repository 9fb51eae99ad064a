"""docs/python.md: what it says can be done from Python, is done here."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riskmodels import RiskModel
from tests.conftest import ROOT, Demo

PAGE = ROOT / "docs" / "python.md"


@pytest.fixture
def where_the_demo_was_run(demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "demo").symlink_to(demo.workspace.root)
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    monkeypatch.chdir(tmp_path)
    # The page names an address to MLflow, which keeps it: no other test shall meet it.
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.mark.usefixtures("where_the_demo_was_run")
def test_the_blocks_run_one_after_the_other(demo: Demo) -> None:
    import mlflow

    found: dict[str, Any] = {}
    said = io.StringIO()
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    try:
        with contextlib.redirect_stdout(said):
            for block in blocks:
                exec(compile(block, str(PAGE), "exec"), found)
    finally:
        mlflow.set_tracking_uri(None)
    model = demo.report.run.run.model
    assert len(blocks) == 6
    assert model.model_sha256[:12] in said.getvalue()
    np.testing.assert_array_equal(found["risk"], model.predict_risk(found["pupils"]))
    np.testing.assert_allclose(found["score"], model.score(found["pupils"]), atol=1e-6)
    assert np.abs(found["observed"] - found["told"]).max() < 0.1
    assert 0 < found["known"].sum() < len(found["known"])
    assert RiskModel.from_files(found["files"]) == found["own"][-1].to_risk_model("my_question")


def test_the_page_says_what_these_numbers_are_not() -> None:
    assert "**These are numbers, not an approved list.**" in PAGE.read_text()
