"""Each layer knows only those below it, and each heavy library has one home."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


def contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
    return found


def lint(monkeypatch: pytest.MonkeyPatch, config: Path) -> int:
    from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

    monkeypatch.chdir(ROOT)
    assert EXIT_STATUS_SUCCESS == 0
    return int(lint_imports(config_filename=str(config), no_cache=True, no_logo=True))


def test_imports_keep_to_their_layers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(monkeypatch, ROOT / "pyproject.toml") == 0, capsys.readouterr().out


def test_a_forbidden_import_would_be_seen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same contract with two layers the wrong way round is broken: the test above can fail."""
    layers = next(contract for contract in contracts() if contract["type"] == "layers")
    upside_down = "\n".join(f"    {layer}" for layer in reversed(layers["layers"]))
    (tmp_path / "importlinter.ini").write_text(
        "[importlinter]\nroot_package = riskmodels\n\n[importlinter:contract:one]\nname = upside down\ntype = layers\n"
        f"containers = riskmodels\nlayers =\n{upside_down}\n"
    )
    assert lint(monkeypatch, tmp_path / "importlinter.ini") == 1
    assert "BROKEN" in capsys.readouterr().out


def test_every_heavy_library_has_a_home() -> None:
    homes = {
        module: contract["allowed_importers"]
        for contract in contracts()
        if contract["type"] == "protected"
        for module in contract["protected_modules"]
    }
    assert homes == {
        "mlflow": ["riskmodels.tracking"],
        "fairlearn": ["riskmodels.assessment.audit"],
        "shap": ["riskmodels.assessment.explanation"],
        "lightgbm": ["riskmodels.models"],
        "numba": ["riskmodels.models.fast_trees"],
        "llvmlite": ["riskmodels.models.fast_trees"],
        "xlsxwriter": ["riskmodels.service.outputs", "riskmodels.reports.workbook"],
        "openpyxl": ["riskmodels.service.outputs", "riskmodels.reports.workbook"],
        "optuna": ["riskmodels.models.tuning"],
        "interpret": ["riskmodels.models.explainable_boosting"],
        "pyspark": ["riskmodels.data.engines"],
        "weasyprint": ["riskmodels.reports.pdf"],
        "pypdf": ["riskmodels.reports.pdf_checks"],
        "duckdb": ["riskmodels.data.engines", "riskmodels.data.database_files"],
        "adbc_driver_postgresql": ["riskmodels.data.database_servers"],
        "adbc_driver_manager": ["riskmodels.data.database_servers"],
        "arrow_odbc": ["riskmodels.data.database_servers"],
    }
