"""Two lists of the same people side by side, and the audit that a run leaves behind."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from riskmodels.__main__ import run
from tests.conftest import Demo


def test_two_models_are_compared_on_the_same_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second model finds every woman who needs help, the first misses half of them; men fare alike."""
    rng = np.random.default_rng(5)
    n = 6000
    woman = rng.random(n) < 0.5
    need = rng.random(n) < 0.2
    after = np.clip(0.2 + 0.5 * need + rng.normal(0, 0.3, n), 0.01, 0.99)
    before = np.where(woman & need & (rng.random(n) < 0.5), 0.02, after)
    rows = pl.DataFrame(
        {"id": [f"p{i}" for i in range(n)], "need": need.astype(int), "sex": np.where(woman, "woman", "man"),
         "champion": before, "candidate": after}
    )  # fmt: skip
    path = tmp_path / "predictions.csv"
    rows.sample(fraction=1.0, shuffle=True, seed=1).write_csv(path)
    options = [
        "audit", str(path), "--outcome", "need", "--risk", "candidate", "--groups", "sex", "--purpose", "assistive",
        "--capacity", "1200", "--not-audited", "all=not held", "--against-risk", "champion",
    ]  # fmt: skip
    written = ["--json", str(tmp_path / "a.json"), "--html", str(tmp_path / "a.html")]
    assert run([*options, "--entity", "id", *written]) in (0, 10, 11)
    said = capsys.readouterr().out
    assert "This list beside the one by champion\n- The first list goes by 'champion'" in said
    changes = json.loads((tmp_path / "a.json").read_text())["changes"]
    (row,) = [row for row in changes["rows"] if row["metric"] == "recall" and row["against"] == "reference"]
    assert row["verdict"] == "beyond chance"
    assert abs(math.log(row["before"]["ratio"])) > 0.3 > abs(math.log(row["after"]["ratio"]))
    assert "champion" in changes["notes"][0]
    assert "champion" in (tmp_path / "a.html").read_text()
    assert run(options) == 2
    assert "needs --entity" in capsys.readouterr().err
    assert run([*options, "--entity", "id", "--against-selected", "sex"]) == 2
    twice = rows.vstack(rows.head(1))
    twice.write_csv(path)
    assert run([*options, "--entity", "id"]) == 4
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert "id of its own" in error


def test_a_run_keeps_the_audit_as_a_page_and_its_exact_counts(demo: Demo, capsys: pytest.CaptureFixture[str]) -> None:
    from riskmodels.assessment.audit.exact import verify

    folder = demo.report.run.folder
    page = (folder / "audit" / "audit.html").read_text()
    published = json.loads((folder / "audit" / "audit.json").read_text())
    assert published["verdict"] in page
    counts = folder / "audit_counts.json"
    assert counts.stat().st_mode & 0o077 == 0
    assert verify(counts.read_bytes()).agrees
    assert run(["audit", "--verify", str(counts)]) == 0
    assert published["verdict"] in capsys.readouterr().out


def test_two_lists_on_several_dates_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same people on two dates: an id and its date together are a row."""
    rng = np.random.default_rng(8)
    n = 1500
    risk = rng.beta(2, 4, 2 * n)
    rows = pl.DataFrame(
        {"id": [f"p{i}" for i in range(n)] * 2, "day": ["2023-01-01"] * n + ["2024-01-01"] * n,
         "need": (rng.random(2 * n) < risk).astype(int), "sex": rng.choice(["woman", "man"], n).tolist() * 2,
         "candidate": risk, "champion": np.clip(risk + rng.normal(0, 0.2, 2 * n), 0.01, 0.99)}
    )  # fmt: skip
    path = tmp_path / "predictions.csv"
    rows.write_csv(path)
    options = [
        "audit", str(path), "--outcome", "need", "--risk", "candidate", "--groups", "sex", "--purpose", "assistive",
        "--capacity", "300", "--not-audited", "all=not held", "--against-risk", "champion", "--entity", "id",
    ]  # fmt: skip
    assert run([*options, "--as-of", "day"]) in (0, 10, 11)
    said = capsys.readouterr().out
    assert "3,000 predictions of about 1,500 people." in said
    assert "This list beside the one by champion" in said
    assert run(options) == 4  # without dates each id stands twice
