"""Bad input ends in one line that says what, where and what to do, and an exit code: never a traceback."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from riskmodels import __main__, storage
from riskmodels.workspace import Workspace
from tests.conftest import Demo

Change = Callable[[Path], None]


@pytest.fixture
def data(demo: Demo, tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo.data, tmp_path / "data"))


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must fail with an exit code and one line; give the line."""

    def run(code: int, *arguments: object) -> str:
        assert __main__.run([str(argument) for argument in arguments]) == code
        said = capsys.readouterr().err.strip().splitlines()
        lines = [line for line in said if not line.startswith("[")]  # progress stands in brackets
        assert len(lines) == 1, said
        assert lines[0].startswith("riskmodels: ")
        assert "Traceback" not in lines[0]
        return lines[0]

    return run


def edit(old: str, new: str) -> Change:
    def change(study: Path) -> None:
        text = (study / "study.yaml").read_text()
        assert old in text
        (study / "study.yaml").write_text(text.replace(old, new, 1))

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (edit("  horizon: 11 months", "  horizn: 11 months"), "outcome.horizn: unknown key; did you mean 'horizon'"),
        (edit("purpose: assistive", "porpose: assistive"), "porpose: unknown key; did you mean 'purpose'"),
        (edit("question: Which pupils should be offered extra reading help next year?\n", ""), "question: is missing"),
        (edit("places: 500", "places: many"), "capacity.places"),
        (edit("of: reading_test.percentile, last: 12", "of: readng_test.percentile, last: 12"), "no fact is called"),
        (edit("places: 500", "places: 9000"), "9000 places for a cohort of"),
        (edit("of: pupils.born_on", "of: equality.gender"), "kept for the audit"),
    ],
)  # fmt: skip
def test_wrong_study(refused: Callable[..., str], study: Path, data: Path, change: Change, words: str) -> None:
    change(study)
    assert words in refused(3, "check", study, "--data", data)


def test_protected_column_as_a_feature(refused: Callable[..., str], study: Path, data: Path) -> None:
    """The same column in a table that the model may read is still the protected characteristic."""
    edit("of: pupils.born_on", "of: pupils.gender")(study)
    edit("take: age, of", "take: attribute, of")(study)
    line = refused(3, "check", study, "--data", data)
    assert "protected characteristic 'gender'" in line
    assert "also_feature" in line


def change_records(expression: pl.Expr) -> Change:
    def change(data: Path) -> None:
        frame = pl.read_parquet(data / "records.parquet").with_columns(expression)
        storage.write_whole(data / "records.parquet", storage.table_bytes(frame, ".parquet"))

    return change


def rename(data: Path) -> None:
    frame = pl.read_parquet(data / "records.parquet").rename({"percentile": "percent"})
    storage.write_whole(data / "records.parquet", storage.table_bytes(frame, ".parquet"))


def repeat(data: Path) -> None:
    frame = pl.read_parquet(data / "pupils.parquet")
    storage.write_whole(data / "pupils.parquet", storage.table_bytes(pl.concat([frame, frame.head(2)]), ".parquet"))


def truncate(data: Path) -> None:
    content = (data / "records.parquet").read_bytes()
    (data / "records.parquet").write_bytes(content[: len(content) // 2])


def remove(data: Path) -> None:
    (data / "records.parquet").unlink()


PERCENTILE = pl.col("percentile")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (rename, "records.parquet: has no column 'percentile'"),
        (change_records(pl.lit("high").alias("percentile")), "column 'percentile'"),
        (repeat, "2 ids stand more than once (first repeated: row 11599)"),
        (change_records(pl.lit(None, dtype=pl.Float64).alias("percentile")), "is empty in every row"),
        (change_records(pl.col("happened_on", "known_on").dt.offset_by("20y")), "dated after 1989-07-01"),
        (change_records(pl.lit("spring").alias("happened_on")), "are not dates such as 2024-06-30"),
        (change_records(pl.col("happened_on", "known_on").dt.offset_by("-20y")), "nobody is left on 1986-06-30"),
        (change_records(PERCENTILE.clip(30)), "known outcomes of the fit rows at 1988-06-30 are the same"),
        (truncate, "may be damaged or cut short"),
        (remove, "no such file"),
    ],
    ids=[
        "unknown column", "wrong type", "duplicate ids", "all-null column", "future-dated facts", "not dates",
        "empty cohort", "one-class outcome", "unreadable file", "missing file",
    ],
)  # fmt: skip
def test_refused_data(
    refused: Callable[..., str], study: Path, data: Path, tmp_path: Path, change: Change, words: str
) -> None:
    change(data)
    line = refused(4, "run", study, "--data", data, "--workspace", tmp_path / "work")
    assert words in line
    assert "P0" not in line  # nobody's id
    assert not (tmp_path / "work" / "models.json").exists()


def test_unwritable_workspace(refused: Callable[..., str], study: Path, data: Path, tmp_path: Path) -> None:
    (tmp_path / "work").write_text("a file in the way")
    assert "cannot be written" in refused(7, "run", study, "--data", data, "--workspace", tmp_path / "work")


def test_unknown_model_and_command(refused: Callable[..., str], workspace: Workspace) -> None:
    assert "early_reading_support" in refused(2, "card", "no_such_study", "--workspace", workspace.root)
    assert "No such command" in refused(2, "scoer")
    assert "a date reads like" in refused(
        2, "score", "early_reading_support", workspace.root, "--output", "x.csv", "--as-of", "June"
    )


@pytest.mark.parametrize("what", ["corrupt", "foreign", "pickle"])
def test_corrupt_or_foreign_model(
    refused: Callable[..., str], workspace: Workspace, demo: Demo, tmp_path: Path, what: str
) -> None:
    folder = workspace.root / demo.report.run.folder.relative_to(demo.workspace.root) / "riskmodel"
    if what == "corrupt":
        (folder / "manifest.json").write_text("{")
    elif what == "foreign":
        (folder / "extra.json").write_text("{}")
    else:
        (folder / "model.pkl").write_bytes(b"\x80\x04.")
    line = refused(
        5, "score", "early_reading_support", demo.data, "--as-of", "1989-06-30", "--output", tmp_path / "list.csv",
        "--workspace", workspace.root,
    )  # fmt: skip
    assert "riskmodel" in line or "model" in line
    assert not (tmp_path / "list.csv").exists()


def test_expired_approval(refused: Callable[..., str], workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    line = refused(
        6, "score", "early_reading_support", demo.data, "--as-of", "1989-06-30", "--output", tmp_path / "list.csv",
        "--workspace", workspace.root, "--today", "2027-06-01",
    )  # fmt: skip
    assert "expired on 2027-05-22" in line
    assert "review" in line


def test_an_internal_error_shows_no_data(
    refused: Callable[..., str], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*arguments: object) -> None:
        raise KeyError("P012345 has the postcode ZZ1 1ZZ")

    monkeypatch.setattr("riskmodels.commands.models", crash)
    monkeypatch.delenv("RISKMODELS_TRACEBACK", raising=False)
    line = refused(1, "models", "--workspace", workspace.root)
    assert "this is our bug" in line
    assert "ZZ1" not in line


@pytest.mark.slow
def test_a_run_that_left_something_unaudited_says_so(
    study: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 12 always, with the characteristic by name: the work is done, but nobody excused what was left out."""
    edit("  disability: Not in the extract.\n", "")(study)
    code = __main__.run(["run", str(study), "--data", str(data), "--workspace", str(tmp_path / "work")])
    assert code == 12
    assert "not audited: disability" in capsys.readouterr().err
    assert (tmp_path / "work" / "models.json").exists()
