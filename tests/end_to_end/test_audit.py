"""``riskmodels audit`` on any file of predictions: verdicts and exit codes, what is shown, and every bad input."""

from __future__ import annotations

import json
import re
import shlex
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.main import get_command

from riskmodels import __main__
from riskmodels.cli import app
from riskmodels.storage import canonical_json, sha256
from riskmodels.study import PROTECTED_BY_LAW
from tests.conftest import ROOT
from tests.reports.test_page import Page

# Two-year outcomes of COMPAS scores, as published in Larson and others 2016: (race, reoffended, medium or high risk).
COMPAS = {
    ("African-American", 0, 0): 990, ("African-American", 0, 1): 805,
    ("African-American", 1, 0): 532, ("African-American", 1, 1): 1369,
    ("Caucasian", 0, 0): 1139, ("Caucasian", 0, 1): 349,
    ("Caucasian", 1, 0): 461, ("Caucasian", 1, 1): 505,
}  # fmt: skip
PUBLISHED = {
    "African-American": {"fpr": 0.4485, "fnr": 0.2799, "precision": 0.63},
    "Caucasian": {"fpr": 0.2345, "fnr": 0.4772, "precision": 0.59},
}
EXCUSED = ("--not-audited", "all=Not in this test.")
OPTIONS = ("--outcome", "y", "--risk", "p", "--purpose", "assistive", "--measures", "need", *EXCUSED)


def run(path: Path, *options: object) -> int:
    return __main__.run([str(each) for each in ("audit", path, *options)])


def audit(path: Path, *options: object) -> dict[str, Any]:
    """What the command writes as JSON."""
    target = path.parent / "found.json"
    assert run(path, *options, "--json", target) in (0, 10, 11, 12)
    found: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    return found


def written(folder: Path, frame: pl.DataFrame, name: str = "predictions.csv") -> Path:
    path = folder / name
    frame.write_parquet(path) if path.suffix == ".parquet" else frame.write_csv(path)
    return path


def predictions(n: int = 4000, *, fair: bool = True, days: int = 1, seed: int = 5) -> pl.DataFrame:
    """Risks that come true, or for women are half of what they should be; a few of race D and one of sex X."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["F", "M"], n)
    race = rng.choice(["A", "B"], n)
    race[:7], sex[7] = "D", "X"
    chance = rng.beta(2, 4, n * days)
    risk = np.clip(np.where(fair | (np.tile(sex, days) == "M"), chance, chance / 2), 0.001, 0.999)
    return pl.DataFrame(
        {
            "who": [f"p{number:05d}" for number in range(n)] * days,
            "day": [f"202{day}-01-01" for day in range(days) for _ in range(n)],
            "y": (rng.random(n * days) < chance).astype(int), "p": risk, "sex": np.tile(sex, days),
            "race": np.tile(race, days), "age": np.tile(rng.integers(18, 90, n), days),
            "visits": rng.poisson(2, n * days), "left": rng.random(n * days) < 0.1,
            "home": [f"h{number // 2}" for number in range(n)] * days,
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def compas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [key for key, count in COMPAS.items() for _ in range(count)]
    frame = pl.DataFrame(rows, schema=["race", "reoffended", "high"], orient="row")
    return written(tmp_path_factory.mktemp("compas"), frame, "compas.csv")


# ---------------------------------------------------------------- a published example


def test_compas_picks_black_people_wrongly_nearly_twice_as_often(
    compas: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """False positive rates differ by race (0.448 / 0.235 = 1.91); false discovery rates do not (0.37 / 0.41)."""
    found = audit(
        compas, "--outcome", "reoffended", "--selected", "high", "--groups", "race", "--purpose", "punitive",
        "--measures", "service", "--reference", "race=Caucasian",
    )  # fmt: skip
    for row in found["rows"]:
        for metric, value in PUBLISHED[row["group"]].items():
            assert row["metrics"][metric]["value"] == pytest.approx(value, abs=0.006), (row["group"], metric)
    verdicts = {
        row["metric"]: (row["verdict"], row["ratio"], row["worse_off"])
        for row in found["contrasts"]
        if row["family"] == "primary"
    }
    assert verdicts["fpr"] == ("FAIL", pytest.approx(0.4485 / 0.2345, abs=0.01), "African-American")
    assert verdicts["fdr"][0] == "PASS"
    assert found["verdict"] == "FAIL"
    assert found["provisional"]
    said = capsys.readouterr().out
    assert "race            African-American  Caucasian      wrongly picked (FPR)          1.91" in said
    assert "Every verdict is provisional" in said


# ---------------------------------------------------------------- verdicts and exit codes


@pytest.mark.parametrize(
    ("frame", "options", "code"),
    [
        (predictions(20_000).filter(pl.col("sex") != "X"), (), 0),
        (predictions(fair=False), (), 10),
        (predictions(800), (), 11),
        (predictions(20_000).filter(pl.col("sex") != "X"), ("--not-audited", "race=Held elsewhere."), 12),
    ],
    ids=["PASS", "FAIL", "INSUFFICIENT EVIDENCE", "NOT AUDITED"],
)
def test_every_verdict_has_its_exit_code(
    tmp_path: Path, frame: pl.DataFrame, options: Sequence[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    excused = options or EXCUSED
    path = written(tmp_path, frame)
    given = ("--outcome", "y", "--risk", "p", "--groups", "sex", "--purpose", "assistive", "--measures", "need")
    target = tmp_path / "found.json"
    places = frame.height // 2
    assert run(path, *given, "--capacity", places, "--entity", "who", *excused, "--json", target) == code
    found = json.loads(target.read_text())
    words = {0: "PASS", 10: "FAIL", 11: "INSUFFICIENT EVIDENCE", 12: "NOT AUDITED"}[code]
    first, _, _, judged = capsys.readouterr().out.splitlines()[:4]
    assert first == found["verdict"] == words
    assert re.match(r"Judged \d+ of \d+: harm found in \d+, cannot judge \d+\.", judged)


def test_the_json_has_what_it_promises(tmp_path: Path) -> None:
    found = audit(written(tmp_path, predictions()), *OPTIONS, "--capacity", 500, "--groups", "sex,race")
    assert {
        "n", "policy_sha256", "verdict", "judged", "rows", "contrasts", "not_audited", "missing", "proxies",
        "about", "notes", "hidden", "disclosure", "sweep", "curves", "pooled", "after_exclusions", "in_words",
    } <= set(found)  # fmt: skip
    (row,) = [row for row in found["rows"] if row["group"] == "M"]
    assert {"attribute", "group", "n", "positives", "selected", "tp", "fp", "fn", "tn", "unknown", "shown"} <= set(row)
    assert {"recall", "fnr", "fpr", "fdr", "for", "precision", "selection_rate", "base_rate", "oe_ratio"} <= set(
        row["metrics"]
    )
    assert found["about"] == {
        "file": "predictions.csv", "outcome": "y", "risk": "p", "groups": ["sex", "race"], "capacity": 500,
        "seed": 0, "laws": {"sex": "sex", "race": "race"},
    }  # fmt: skip
    assert {row["attribute"] for row in found["not_audited"]} == set(PROTECTED_BY_LAW) - {"sex", "race"}
    assert all(row["accepted"] for row in found["not_audited"])


def test_a_group_that_is_not_shown_carries_no_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Seven people of race D: neither the JSON nor the terminal has a number of theirs."""
    found = audit(written(tmp_path, predictions()), *OPTIONS, "--capacity", 500, "--groups", "race")
    (row,) = [row for row in found["rows"] if row["group"] == "D"]
    assert not row["shown"]
    assert [row[name] for name in ("n", "positives", "selected", "tp", "fp", "fn", "tn", "unknown")] == [None] * 8
    assert all(metric["value"] is None and metric["reason"] for metric in row["metrics"].values())
    for contrast in found["contrasts"]:
        if contrast["group"] == "D":
            assert contrast["ratio"] is None
    said = capsys.readouterr().out
    assert "Race: too few people to judge anything for D" in said
    assert "Counts below 10, and what would give them away, are not shown." in said
    assert found["n"] % 5 == 0


# ---------------------------------------------------------------- the list


def test_equal_risks_at_the_last_place_are_drawn_by_id_and_not_by_row(tmp_path: Path) -> None:
    """Everybody has one risk, and women stand first in the file: they are not all of the list."""
    n = 4000
    frame = pl.DataFrame(
        {"who": [f"p{i}" for i in range(n)], "y": [0, 1] * (n // 2), "p": [0.5] * n, "sex": ["F"] * 2000 + ["M"] * 2000}
    )
    options = (*OPTIONS, "--capacity", 400, "--groups", "sex", "--entity", "who")
    found = audit(written(tmp_path, frame), *options)
    rates = [row["metrics"]["selection_rate"]["value"] for row in found["rows"]]
    assert rates == pytest.approx([0.1, 0.1], abs=0.02)
    again = audit(written(tmp_path, frame.sample(fraction=1, shuffle=True, seed=1)), *options)
    assert again == found
    other = audit(written(tmp_path, frame), *options, "--seed", 1)
    assert [row["tp"] for row in other["rows"]] != [row["tp"] for row in found["rows"]]


def test_a_shuffled_file_in_other_types_has_the_same_audit(tmp_path: Path) -> None:
    """Text, categories, booleans: the same groups, the same bytes, but for the name of the file."""
    frame = predictions(3000, days=2)
    options = (
        *OPTIONS, "--capacity", 200, "--groups", "sex,race,age", "--bands", "age=40,60", "--intersections",
        "--entity", "who", "--as-of", "day", "--household", "home", "--features", "visits",
    )  # fmt: skip
    first = audit(written(tmp_path, frame), *options)
    other = frame.sample(fraction=1, shuffle=True, seed=2).with_columns(
        pl.col("sex").cast(pl.Categorical), pl.col("y").cast(pl.Boolean), pl.col("age").cast(pl.Float64)
    )
    again = audit(written(tmp_path, other, "predictions.parquet"), *options)
    for found in (first, again):
        found["about"].pop("file")
    assert again == first
    assert first["units"] == 1500


def test_each_date_has_its_own_list(tmp_path: Path) -> None:
    frame = predictions(1000, days=3).filter(pl.col("race") != "D")  # too few people to be shown
    found = audit(
        written(tmp_path, frame), *OPTIONS, "--capacity", 100, "--groups", "race", "--entity", "who", "--as-of", "day"
    )
    best = frame.sort("p", descending=True).group_by("day", maintain_order=True).head(100)
    for race in ("A", "B"):
        (row,) = [row for row in found["rows"] if row["group"] == race]
        assert row["selected"] == pytest.approx(best.filter(pl.col("race") == race).height, abs=2.5)  # rounded to 5


def test_a_threshold_and_a_list_of_one_s_own_agree(tmp_path: Path) -> None:
    frame = predictions().with_columns((pl.col("p") >= 0.4).alias("on"))
    path = written(tmp_path, frame)
    one = audit(path, *OPTIONS, "--groups", "sex", "--threshold", 0.4)
    other = audit(path, *OPTIONS, "--groups", "sex", "--selected", "on")
    for found in (one, other):
        found.pop("about")
    assert one == other


def test_without_risks_calibration_is_not_audited(compas: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("--outcome", "reoffended", "--selected", "high", "--groups", "race", "--purpose", "assistive")
    laws = [each for law in PROTECTED_BY_LAW for each in ("--not-audited", f"{law}=Not here.")]
    found = audit(compas, *given, *laws)
    assert [row["attribute"] for row in found["not_audited"] if not row["accepted"]] == ["calibration"]
    assert "calibration (not accepted): Whether risks mean the same" in capsys.readouterr().out
    excused = audit(compas, *given, *laws, "--not-audited", "calibration=The vendor gives no risks.")
    assert all(row["accepted"] for row in excused["not_audited"])
    for row in found["rows"]:
        assert row["metrics"]["auc"] == {"value": None, "reason": "no risks were given"}
        assert row["expected"] is None


def test_the_list_is_filled_again_without_those_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half of the women with the highest risks are left out: then too few of them are found."""
    frame = predictions(8000).with_columns(left=(pl.col("sex") == "F") & (pl.col("who").str.slice(-1) < "5"))
    options = (*OPTIONS, "--capacity", 2000, "--groups", "sex", "--reference", "sex=M")
    found = audit(written(tmp_path, frame.filter(pl.col("sex") != "X")), *options, "--excluded", "left")
    after = found["after_exclusions"]
    verdicts = [
        next(
            row["verdict"] for row in rows if (row["group"], row["metric"], row["family"]) == ("F", "recall", "primary")
        )
        for rows in (found["contrasts"], after["contrasts"])
    ]
    assert verdicts[0] != "FAIL"
    assert verdicts[1] == "FAIL"
    assert found["verdict"] != "FAIL"
    said = capsys.readouterr().out
    assert "The list without those whom the service leaves out" in said


# ---------------------------------------------------------------- groups


def test_what_a_column_was_taken_for_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = predictions().rename({"sex": "Gender", "race": "Ethnic_Group"}).with_columns(pl.lit("x").alias("home"))
    frame = frame.with_columns(pl.when(pl.col("who") < "p01000").then(pl.lit("y")).otherwise("home").alias("home"))
    found = audit(
        written(tmp_path, frame), *OPTIONS, "--capacity", 500, "--groups", "Gender,Ethnic_Group,home,visits", "--law",
        "visits=disability",
    )  # fmt: skip
    assert found["about"]["laws"] == {
        "Gender": "sex", "Ethnic_Group": "race", "home": "none", "visits": "disability"
    }  # fmt: skip
    assert not {"sex", "race", "disability"} & {row["attribute"] for row in found["not_audited"]}
    said = capsys.readouterr()
    assert "'Gender' for sex, 'Ethnic_Group' for race, 'visits' for disability" in said.err
    assert "Taken for none of the nine characteristics that the law protects: 'home'" in said.err
    assert "Taken for" not in said.out


NOT_AUDITED = {
    "all missing": (pl.lit(None, dtype=pl.String), "It is not recorded for anybody."),
    "only unknown": (pl.lit("Prefer not to say"), "It is not recorded for anybody."),
    "5,000 groups": (pl.int_range(pl.len()).mod(2000).cast(pl.String) + "x", "different values, more than the 60"),
    "one group": (pl.lit("A"), "there is nothing to compare"),
}


@pytest.mark.parametrize("name", NOT_AUDITED)
def test_a_column_that_cannot_be_audited_is_said_with_its_reason(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    column, words = NOT_AUDITED[name]
    laws = [each for law in PROTECTED_BY_LAW if law != "race" for each in ("--not-audited", f"{law}=Not here.")]
    options = ("--outcome", "y", "--risk", "p", "--purpose", "assistive", "--capacity", 500, "--groups", "race")
    frame = predictions().with_columns(column.alias("race"))
    found = audit(written(tmp_path, frame), *options, *laws)
    assert found["verdict"] == "NOT AUDITED"
    (row,) = [row for row in found["not_audited"] if not row["accepted"]]
    assert row["attribute"] == "race"
    assert words in row["reason"]
    assert "race (not accepted)" in capsys.readouterr().out


INSUFFICIENT = {
    "a group without positives": pl.when(pl.col("race") == "B").then(0).otherwise("y"),
    "all unknown": pl.lit(None, dtype=pl.Int64),
    "partly unknown": pl.when(pl.col("who") < "p00200").then("y"),
}


@pytest.mark.parametrize("name", INSUFFICIENT)
def test_what_cannot_be_judged_is_no_pass(tmp_path: Path, name: str) -> None:
    frame = predictions().with_columns(INSUFFICIENT[name].alias("y"))
    found = audit(written(tmp_path, frame), *OPTIONS, "--capacity", 500, "--groups", "race")
    of_b = [row for row in found["contrasts"] if (row["group"], row["metric"]) == ("B", "recall")]
    assert of_b
    assert {row["verdict"] for row in of_b} == {"INSUFFICIENT EVIDENCE"}
    assert all(row["reason"] for row in of_b)


def test_groups_not_recorded_have_bounds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = predictions().with_columns(pl.when(pl.col("who") >= "p00400").then("sex").alias("sex"))
    found = audit(written(tmp_path, frame), *OPTIONS, "--capacity", 1000, "--groups", "sex")
    assert found["missing"][0]["share"] == pytest.approx(0.1, abs=0.01)
    assert "Not recorded" in {row["label"] for row in found["rows"]}
    assert "The group is not recorded" in capsys.readouterr().out


def test_numbers_in_bands_and_words_beside_them(tmp_path: Path) -> None:
    frame = predictions().with_columns(
        pl.when(pl.col("who") < "p00100").then(pl.lit("Prefer not to say")).otherwise(pl.col("age").cast(pl.String))
        .alias("age")
    )  # fmt: skip
    options = (*OPTIONS, "--capacity", 500, "--groups", "age", "--bands", "age=25,45,65")
    found = audit(written(tmp_path, frame), *options, "--reference", "age=45-64")
    labels = [row["label"] for row in found["rows"]]
    assert labels == ["under 25", "25-44", "45-64", "65 and over", "Prefer not to say"]
    assert {row["reference"] for row in found["contrasts"] if row["against"] == "reference"} == {"45-64"}


def test_features_that_give_a_group_away_are_flagged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    frame = predictions(1500).with_columns(
        pl.Series("town", np.where(rng.random(1500) < 0.95, predictions(1500)["sex"], "M"))
    )
    found = audit(written(tmp_path, frame), *OPTIONS, "--capacity", 300, "--groups", "sex", "--features", "visits,town")
    (row,) = [row for row in found["proxies"] if row["group"] == "M"]
    assert row["flagged"]
    assert row["auc_features"] > 0.9
    assert row["carried_by"][0]["feature"] == "town"
    assert "Proxies" in capsys.readouterr().out


# ---------------------------------------------------------------- outputs


def test_a_page_is_written(tmp_path: Path) -> None:
    page = tmp_path / "audit.html"
    options = (*OPTIONS, "--capacity", 500, "--groups", "sex,race", "--intersections")
    audit(written(tmp_path, predictions(fair=False)), *options, "--html", page)
    text = Page(page.read_bytes()).text
    assert "FAIL" in text
    assert "predictions.csv" in text


def test_two_audits_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = (*OPTIONS, "--capacity", 5000, "--groups", "sex", "--entity", "who", "--reference", "sex=M")
    last_year = tmp_path / "last_year.json"
    run(written(tmp_path, predictions(8000)), *options, "--json", last_year)
    capsys.readouterr()
    found = audit(written(tmp_path, predictions(8000, fair=False, seed=6)), *options, "--against", last_year)
    (row,) = [
        row for row in found["changes"]["rows"]
        if (row["metric"], row["group"], row["against"]) == ("oe_ratio", "F", "prediction")
    ]  # fmt: skip
    assert row["verdict"] == "beyond chance"
    assert "Since the other audit" in capsys.readouterr().out


def test_every_verdict_is_worked_out_anew_from_the_exact_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = tmp_path / "counts.json"
    options = (*OPTIONS, "--capacity", 500, "--groups", "sex,race", "--entity", "who", "--counts", counts)
    found = audit(written(tmp_path, predictions()), *options)
    assert stat.S_IMODE(counts.stat().st_mode) == 0o600
    capsys.readouterr()
    assert __main__.run(["audit", "--verify", str(counts)]) == 0
    assert found["verdict"] in capsys.readouterr().out


def test_a_file_of_counts_that_says_otherwise_is_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A verdict changed, and the digest made to fit: the counts still say what it was."""
    counts = tmp_path / "counts.json"
    options = (*OPTIONS, "--capacity", 1000, "--groups", "sex", "--counts", counts)
    audit(written(tmp_path, predictions(fair=False)), *options)
    file = json.loads(counts.read_text())
    (row, *_) = [row for row in file["content"]["stated"]["contrasts"] if row["verdict"] == "FAIL"]
    row["verdict"] = "PASS"
    file["sha256"] = sha256(canonical_json(file["content"]))
    counts.write_bytes(canonical_json(file))
    capsys.readouterr()
    assert __main__.run(["audit", "--verify", str(counts)]) == 5
    said = capsys.readouterr().out
    assert "What differs" in said
    assert "verdict is PASS, the counts say FAIL" in said


def test_files_are_the_owner_s_alone(tmp_path: Path) -> None:
    audit(written(tmp_path, predictions(800)), *OPTIONS, "--capacity", 100, "--groups", "sex")
    assert stat.S_IMODE((tmp_path / "found.json").stat().st_mode) == 0o600


def test_progress_and_notes_go_to_the_error_stream(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = predictions(800, days=2).with_columns((100 * pl.col("p")).alias("p"))
    given = ("--outcome", "y", "--risk", "p", "--purpose", "assistive", "--groups", "sex", *EXCUSED)
    run(written(tmp_path, frame), *given, "--threshold", 0.3, "--as-of", "day")
    said = capsys.readouterr()
    for words in (
        "auditing 1,600 rows",
        "taken for percentages",
        "taken for need itself",
        "say --measures service",
        "no ids",
    ):
        assert words in said.err
        assert words not in said.out
    assert max(map(len, said.out.splitlines())) < 140


# ---------------------------------------------------------------- docs/audit.md


def test_the_example_on_the_page_runs_and_says_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    (command,) = re.findall(r"```console\n(.*?)```", page, flags=re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", page, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    name, *arguments = shlex.split(command.replace("\\\n", " "))
    assert name == "riskmodels"
    assert __main__.run(arguments) == 10
    said = capsys.readouterr().out.splitlines()
    assert [line for line in shown.splitlines() if line not in said] == []
    assert (tmp_path / "audit.html").is_file()
    assert __main__.run(["audit", "--verify", "counts.json"]) == 0
    found = json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))
    for key in (*found, "changes"):
        assert f"`{key}`" in page, key
    for option in get_command(app).commands["audit"].params:  # type: ignore[attr-defined]
        if option.param_type_name == "option":
            assert f"`{option.opts[0]}`" in page, option.name
    for code_said, verdict in ((0, "PASS"), (10, "FAIL"), (11, "INSUFFICIENT EVIDENCE"), (12, "NOT AUDITED")):
        (row,) = [line for line in page.splitlines() if line.startswith(f"| {verdict} |")]
        assert row.endswith(f"| {code_said} |")


# ---------------------------------------------------------------- what a new user stumbles over


def test_the_terminal_has_the_advice_and_the_page_the_plain_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(3)
    rows = predictions(3000).with_columns(IMD_decile=pl.Series(rng.integers(1, 11, 3000)))
    path = written(tmp_path, rows)
    page = tmp_path / "page.html"
    options = ("--outcome", "y", "--risk", "p", "--purpose", "assistive", *EXCUSED, "--capacity", 900)
    found = audit(path, *options, "--groups", "sex,IMD_decile", "--html", page)
    said = capsys.readouterr().err
    assert "'IMD_decile' has 10 different numbers" in said
    assert "--bands IMD_decile=4,8 would join neighbours" in said
    assert "each is taken for another person. No --entity was given." in said
    shown = Page(page.read_bytes()).text
    assert "Fairness audit of predictions.csv" in shown
    assert "IMD decile" in shown
    assert "Imd" not in shown
    assert "--" not in " ".join(found["notes"]) + shown
    assert run(path, *options, "--groups", "sex,IMD_decile", "--bands", "IMD_decile=4,8", "--entity", "who") in (
        0,
        10,
        11,
    )
    said = capsys.readouterr().err
    assert "different numbers" not in said
    assert "No --entity" not in said


def test_features_that_give_no_group_away_are_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, predictions(2000))
    audit(path, *OPTIONS, "--groups", "sex", "--capacity", 600, "--features", "visits")
    assert "No group can be told well enough to be flagged (0.75). The nearest: sex" in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_more_lenient_policy_is_named_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shipped = (ROOT / "riskmodels" / "assessment" / "audit" / "policies" / "default.yaml").read_text(encoding="utf-8")
    policy = tmp_path / "ours.yaml"
    policy.write_text(shipped.replace("name: default", "name: ours").replace("smallest_gap: 0.05", "smallest_gap: 0.2"))
    audit(written(tmp_path, predictions(1500)), *OPTIONS, "--groups", "sex", "--capacity", 400, "--policy", policy)
    said = " ".join(capsys.readouterr().out.split())
    assert "Policy: ours 2, MORE LENIENT than the default in smallest_gap." in said[:200]
