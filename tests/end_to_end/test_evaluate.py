"""``riskmodels evaluate``: the published values through its own JSON, and every bad input in one line."""

from __future__ import annotations

import csv
import json
import re
import shlex
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.main import get_command

from riskmodels import __main__
from riskmodels.cli import app
from tests.conftest import ROOT
from tests.reports.test_page import Page

REFERENCE = Path(__file__).parents[1] / "reference"
FILE = REFERENCE / "df_binary.csv"
PUBLISHED = json.loads((REFERENCE / "statistics.json").read_text(encoding="utf-8"))["values"]
DATA = pl.read_csv(FILE)
Rows = Sequence[Sequence[Any]]


def evaluate(path: Path, *options: object) -> dict[str, Any]:
    """What the command writes as JSON."""
    target = path.parent / "found.json" if path.parent != REFERENCE else Path(str(options[-1]))
    more = ["--json", target] if path.parent != REFERENCE else []
    assert __main__.run([str(each) for each in ("evaluate", path, *options, *more)]) == 0
    found: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return evaluate(
        FILE, "--outcome", "cancer", "--risk", "cancerpredmarker", "--capacity", 50, "--capacity", 100, "--threshold",
        0.25, "--at", 0.5, "--at", 0.33, "--json", tmp_path_factory.mktemp("evaluate") / "found.json",
    )  # fmt: skip


def published(what: str) -> Any:
    """The value of the row about the file whose description starts with these words, and its tolerance."""
    here = [row for row in PUBLISHED if row["on"] == "A" and row["what"].startswith(what)]
    (row,) = [row for row in here if row["what"] == what] or here
    tolerance = {"abs": row["abs_tol"], "rel": 1e-6} if "abs_tol" in row else {"rel": 1e-6, "abs": 1e-12}
    return pytest.approx(np.array(row["value"]), **tolerance)


READ: dict[str, Callable[[dict[str, Any]], Any]] = {
    "calibration in the large": lambda it: [it["calibration_in_the_large"][part] for part in ("value", "se")],
    "calibration slope": lambda it: [it["calibration_slope"][part] for part in ("value", "se", "low", "high")],
    "Brier": lambda it: it["brier"],
    "val.prob Eavg": lambda it: [it[f"{name}_lowess"] for name in ("eavg", "e90", "emax")],
    "Spiegelhalter z": lambda it: [it["spiegelhalter"][part] for part in ("z", "p")],
    "AUC, DeLong": lambda it: [it["auc"]["value"], it["auc"]["se"] ** 2, it["auc"]["low"], it["auc"]["high"]],
    "loess (span": lambda it: [it[name] for name in ("ici", "e50", "e90", "emax")],
    "top 50": lambda it: [*_top(it, 0), it["at_capacity"][0]["recall"]],
    "top 100": lambda it: _top(it, 1),
    "restricted cubic": lambda it: [
        [row["observed"], row["low"], row["high"]] for row in it["spline_curve"] if row["risk"] in (0.10, 0.25, 0.50)
    ],
}


def _top(it: dict[str, Any], number: int) -> list[float]:
    row = it["at_capacity"][number]
    return [row["hits"], row["precision"]["low"], row["precision"]["high"]]


@pytest.mark.parametrize("what", READ)
def test_published_values(found: dict[str, Any], what: str) -> None:
    assert np.array(READ[what](found)) == published(what)


def test_published_net_benefit(found: dict[str, Any]) -> None:
    """The fourth published value is of another model, on age, which is no column of risks here."""
    (row,) = found["net_benefit"]
    expected = published("net benefit at 0.25").expected[:3]
    assert [row["model"], row["all"], row["none"]] == pytest.approx(expected, rel=1e-6, abs=1e-12)
    assert row["interventions_avoided"] == pytest.approx(published("interventions avoided").expected[0], rel=1e-6)


def test_counts_and_shape(found: dict[str, Any]) -> None:
    assert (found["n"], found["events"], found["unknown"]) == (750, 105, 0)
    assert [row["risk"] for row in found["spline_curve"]] == [0.05, 0.1, 0.25, 0.5, 0.75, 0.33]
    assert found["not_computed"] == {}
    assert found["notes"] == []
    assert found["about"] == {"file": "df_binary.csv", "outcome": "cancer", "risk": "cancerpredmarker"}


@pytest.mark.parametrize("form", ["true and false", "0 and 1", "boolean parquet", "percentages", "percent signs"])
def test_the_same_file_in_other_words_has_the_same_figures(tmp_path: Path, found: dict[str, Any], form: str) -> None:
    outcome, risk = pl.col("cancer"), pl.col("cancerpredmarker")
    columns = {
        "true and false": [outcome.cast(pl.String).str.to_lowercase()],
        "0 and 1": [outcome.cast(pl.Int8)],
        "boolean parquet": [],
        "percentages": [risk * 100],
        "percent signs": [pl.format("{}%", risk * 100).alias("cancerpredmarker")],
    }
    frame = DATA.with_columns(columns[form])
    path = tmp_path / ("predictions.parquet" if form.endswith("parquet") else "predictions.csv")
    frame.write_parquet(path) if form.endswith("parquet") else frame.write_csv(path)
    again = evaluate(path, "--outcome", "cancer", "--risk", "cancerpredmarker", "--capacity", 50)
    for name in ("auc", "brier", "calibration_slope", "ici", "eavg_lowess", "spiegelhalter"):
        assert again[name] == pytest.approx(found[name], rel=1e-9), name
    assert ["percentages" in note for note in again["notes"]] == [True] * form.startswith("percent")


def test_a_shuffled_file_has_the_same_bytes(tmp_path: Path) -> None:
    """Equal risks at the last place are put in order by id and seed, not by where they stand in the file."""
    frame = pl.DataFrame(
        {
            "who": [f"p{number % 400}" for number in range(800)],
            "day": ["2023-01-01"] * 400 + ["2024-01-01"] * 400,
            "y": np.random.default_rng(0).choice(["0", "1", ""], 800, p=[0.7, 0.2, 0.1]),
            "p": np.random.default_rng(1).integers(1, 20, 800) / 20,
        }
    )
    found = []
    for seed in range(3):
        path = tmp_path / "predictions.csv"
        frame.sample(fraction=1, shuffle=True, seed=seed).write_csv(path)
        evaluate(
            path, "--outcome", "y", "--risk", "p", "--entity", "who", "--as-of", "day", "--capacity", 30, "--html",
            tmp_path / "page.html",
        )  # fmt: skip
        found.append(((tmp_path / "found.json").read_bytes(), (tmp_path / "page.html").read_bytes()))
    assert found[0] == found[1] == found[2]
    first = json.loads(found[0][0])
    assert first["ties"] == "ordered"
    assert first["entities"] == 400
    assert [one["at_capacity"][0]["selected"] for one in first["per_date"]] == [30, 30]


# ---------------------------------------------------------------- bad input

BASE = [[f"p{number}", "2024-01-01", int(number % 3 == 0), (number % 97 + 1) / 99] for number in range(120)]


def file_of(tmp_path: Path, rows: Rows, header: Sequence[str] = ("who", "day", "y", "p")) -> Path:
    path = tmp_path / "predictions.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def with_column(place: int, change: Callable[[int, Any], Any]) -> list[list[Any]]:
    return [[*row[:place], change(number, row[place]), *row[place + 1 :]] for number, row in enumerate(map(list, BASE))]


OPTIONS = ("--outcome", "y", "--risk", "p")
ODD: dict[str, tuple[Rows, dict[str, str]]] = {
    "one class": (with_column(2, lambda _, __: 0), {"auc": "no known row has an event"}),
    "three events": (with_column(2, lambda number, _: int(number < 3)), {"auc.low": "events 3, non-events 117"}),
    "constant risk": (with_column(3, lambda _, __: 0.3), {"calibration_slope": "the same for everybody"}),
    "one row": (BASE[:1], {"auc": "every known row has an event"}),
    "all unknown": (with_column(2, lambda _, __: ""), {"brier": "no row has a known outcome"}),
    "risks of 0 and 1": (with_column(3, lambda _, risk: round(risk)), {"calibration_slope": "0 or 1"}),
    "separated": (with_column(2, lambda number, _: int(BASE[number][3] > 0.5)), {"calibration_slope": "separates"}),
}


@pytest.mark.parametrize("name", ODD)
def test_what_cannot_be_computed_is_null_and_has_its_reason(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, reasons = ODD[name]
    page = tmp_path / "page.html"
    found = evaluate(
        file_of(tmp_path, rows), *OPTIONS, "--capacity", 10, "--threshold", 0.2, "--at", 0.4, "--html", page
    )
    for path, words in reasons.items():
        assert words in found["not_computed"][path]
        here: Any = found
        for part in path.split("."):
            here = here[part]
        assert (here["value"] if isinstance(here, dict) else here) is None
    assert "not computed" in capsys.readouterr().out.lower()
    assert "What could not be computed" in Page(page.read_bytes()).text


REFUSED: dict[str, tuple[int, Rows, Sequence[object], str]] = {
    "risk above 1": (4, with_column(3, lambda number, risk: risk + 1.5 * (number == 8)), (), "1 row is outside 0 to 1"),
    "risk below 0": (4, with_column(3, lambda number, risk: risk - 2 * (number == 8)), (), "1 row is outside 0 to 1"),
    "no risk": (4, with_column(3, lambda number, risk: "NaN" if number in (3, 4) else risk), (), "2 rows have no risk"),
    "two words": (4, with_column(2, lambda _, y: "ill" if y else "well"), (), "120 rows hold something other than 0"),
    "codes 1 and 2": (4, with_column(2, lambda _, y: y + 1), (), "rows hold something other than 0 and 1"),
    "no rows": (4, [], (), "has a header, but no rows"),
    "repeated": (4, [*BASE, BASE[0]], ("--entity", "who", "--as-of", "day"), "1 row is of the same entity"),
    "no such column": (4, BASE, ("--entity", "whom"), "did you mean 'who'"),
    "weights": (2, BASE, ("--weights", "day"), "--weights is not handled"),
    "no place": (2, BASE, ("--capacity", 0), "--capacity is a number of places"),
    "threshold of 1": (2, BASE, ("--threshold", 1), "--threshold is a risk above 0 and below 1"),
    "threshold of 20": (2, BASE, ("--threshold", 20), "--threshold is a risk above 0 and below 1"),
    "threshold of nan": (2, BASE, ("--threshold", "nan"), "--threshold is a risk"),
    "at 0": (2, BASE, ("--at", 0), "--at is a risk above 0 and below 1"),
    "seed": (2, BASE, ("--seed", -1), "--seed is a whole number"),
    "one column twice": (2, BASE, ("--entity", "p"), "--risk and --entity both name"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_refused_in_one_line(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, rows, options, words = REFUSED[name]
    target = tmp_path / "found.json"
    path = file_of(tmp_path, rows)
    arguments = ("evaluate", path, *OPTIONS, *options, "--json", target)
    assert __main__.run([str(each) for each in arguments]) == code
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("riskmodels: ")
    assert words in line
    assert not any(value in line for value in ("ill", "well", "p119", "1.5"))
    assert not target.exists()


@pytest.mark.parametrize(("output", "code"), [("predictions.csv", 2), ("folder", 7), ("nowhere/../predictions.csv", 2)])
@pytest.mark.parametrize("option", ["--json", "--html"])
def test_an_output_that_cannot_be_written_is_refused_before_the_work(
    tmp_path: Path, output: str, code: int, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    path = file_of(tmp_path, BASE)
    before = path.read_bytes()
    assert __main__.run(["evaluate", str(path), *OPTIONS, option, str(tmp_path / output)]) == code
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert path.read_bytes() == before


def test_both_outputs_cannot_be_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, target = file_of(tmp_path, BASE), str(tmp_path / "out")
    assert __main__.run(["evaluate", str(path), *OPTIONS, "--json", target, "--html", target]) == 2
    assert "--html would overwrite --json" in capsys.readouterr().err


def test_percentages_are_said_on_the_error_stream(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(file_of(tmp_path, with_column(3, lambda _, risk: 100 * risk)), *OPTIONS)
    said = capsys.readouterr()
    assert "taken for percentages" in said.err
    assert "taken for percentages" not in said.out


def test_files_are_the_owner_s_alone(tmp_path: Path) -> None:
    evaluate(file_of(tmp_path, BASE), *OPTIONS)
    assert stat.S_IMODE((tmp_path / "found.json").stat().st_mode) == 0o600


def test_the_table_is_rounded_and_readable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(
        FILE, "--outcome", "cancer", "--risk", "cancerpredmarker", "--capacity", 50, "--threshold", 0.25, "--json",
        tmp_path / "found.json",
    )  # fmt: skip
    said = capsys.readouterr().out
    for line in ("AUC                         0.861   0.822 to 0.899", "50      50            50     33    0.660"):
        assert line in said
    assert "86 of" in said
    assert max(map(len, said.splitlines())) < 125


# ---------------------------------------------------------------- docs/evaluate.md


def test_the_example_on_the_page_runs_and_says_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "evaluate.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"```console\n(.*?)```", page, flags=re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", page, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    name, *arguments = shlex.split(command.replace("\\\n", " ").replace("tests/reference", str(REFERENCE)))
    assert name == "riskmodels"
    assert __main__.run(arguments) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line for line in shown.splitlines() if line not in said] == []
    assert (tmp_path / "evaluation.html").is_file()
    found = json.loads((tmp_path / "evaluation.json").read_text(encoding="utf-8"))
    for key in (*found, "entities", "per_date"):
        assert f"`{key}`" in page, key
    for option in get_command(app).commands["evaluate"].params:  # type: ignore[attr-defined]
        if not option.hidden and option.param_type_name == "option" and option.name not in ("json", "html"):
            assert f"| `{option.opts[0]}` |" in page, option.name
