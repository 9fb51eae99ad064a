"""What ``riskmodels audit`` refuses: in one line, before any work, with nothing half-written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from riskmodels import __main__
from tests.end_to_end.test_audit import OPTIONS, predictions, run, written

BASE = predictions(400).with_columns(
    on=pl.lit(1),  # everybody
    none=pl.lit(0),
    note=pl.format("what {} said", pl.int_range(pl.len()) % 45),
    rare=pl.when(pl.int_range(pl.len()) < 30)
    .then(pl.format("said {}", pl.int_range(pl.len())))
    .otherwise(pl.lit("no")),
    long=pl.when(pl.int_range(pl.len()) < 5).then(pl.lit("very long words " * 10)).otherwise(pl.lit("no")),
)
GROUPS = ("--groups", "sex")
TOP = ("--capacity", 50)
REFUSED: dict[str, tuple[int, Sequence[object], str]] = {
    "no list": (2, GROUPS, "one of --capacity, --threshold and --selected; none"),
    "two lists": (2, (*GROUPS, *TOP, "--threshold", 0.2), "not --capacity and --threshold together"),
    "two lists, one in the file": (2, (*GROUPS, *TOP, "--selected", "on"), "not --capacity and --selected together"),
    "no places": (2, (*GROUPS, "--capacity", 0), "--capacity is a number of places"),
    "places for all": (4, (*GROUPS, "--capacity", 400), "400 places, and the list has 400 rows"),
    "more places": (4, (*GROUPS, "--capacity", 5000), "5,000 places, and the list has 400 rows"),
    "threshold of 20": (2, (*GROUPS, "--threshold", 20), "--threshold is a risk above 0 and below 1"),
    "threshold of nan": (2, (*GROUPS, "--threshold", "nan"), "--threshold is a risk above 0 and below 1"),
    "nobody selected": (4, (*GROUPS, "--selected", "none"), "nobody is on the list"),
    "everybody selected": (4, (*GROUPS, "--selected", "on"), "everybody is on the list"),
    "nobody above": (4, (*GROUPS, "--threshold", 0.9999), "nobody is on the list"),
    "everybody above": (4, (*GROUPS, "--threshold", 0.0001), "everybody is on the list"),
    "ties without ids": (4, (*GROUPS, *TOP, "--risk", "none"), "equal risks meet at the last place"),
    "no groups": (2, ("--groups", "", *TOP), "--groups names the columns"),
    "an empty group": (2, ("--groups", "sex,,race", *TOP), "a comma without a column"),
    "no such column": (4, ("--groups", "sex,racee", *TOP), "did you mean 'race'"),
    "group is outcome": (2, ("--groups", "y", *TOP), "--outcome and --groups both name"),
    "group is risk": (2, ("--groups", "p", *TOP), "--risk and --groups both name"),
    "group is a feature": (2, (*GROUPS, *TOP, "--features", "visits,sex"), "always gives itself away"),
    "unknown reference": (2, (*GROUPS, *TOP, "--reference", "sex=W"), "is no group of that column (known: F, M, X)"),
    "unknown band": (2, ("--groups", "age", "--bands", "age=25", *TOP, "--reference", "age=25"), "is no group"),
    "reference elsewhere": (2, (*GROUPS, *TOP, "--reference", "race=A"), "'race' is not one of --groups"),
    "reference twice": (2, (*GROUPS, *TOP, "--reference", "sex=F", "--reference", "sex=M"), "'sex' is given twice"),
    "reference without": (2, (*GROUPS, *TOP, "--reference", "sex"), "--reference: reads NAME=VALUE"),
    "numbers without bands": (2, ("--groups", "age", *TOP), "give bands, such as --bands age=25,45"),
    "fractions without bands": (2, ("--groups", "p", "--risk", "none", "--selected", "on"), "give bands, such as"),
    "bands of words": (2, (*GROUPS, *TOP, "--bands", "sex=1,2"), "holds no numbers to make bands of"),
    "bands that fall": (2, ("--groups", "age", *TOP, "--bands", "age=45,25"), "cut points rise"),
    "bands of nothing": (2, ("--groups", "age", *TOP, "--bands", "age=young"), "give the numbers to cut at"),
    "free text": (4, ("--groups", "rare", *TOP), "looks like free text or ids (most of its values stand in one row"),
    "long text": (4, ("--groups", "long", *TOP), "looks like free text or ids (some values are very long)"),
    "unknown law": (2, (*GROUPS, *TOP, "--law", "sex=sexes"), "the law protects no 'sexes'; did you mean 'sex'"),
    "unknown excuse": (2, (*GROUPS, *TOP, "--not-audited", "rase=x"), "no 'rase'; did you mean 'race'"),
    "excuse without reason": (2, (*GROUPS, *TOP, "--not-audited", "race="), "--not-audited: reads NAME=VALUE"),
    "purpose": (2, (*GROUPS, *TOP, "--purpose", "nice"), "--purpose is assistive, punitive or mixed, got 'nice'"),
    "measures": (2, (*GROUPS, *TOP, "--measures", "wants"), "--measures is need or service"),
    "level": (2, (*GROUPS, *TOP, "--level", "ward"), "--level is person, household or place"),
    "small numbers": (
        2, (*GROUPS, *TOP, "--small-numbers", "all"), "--small-numbers is sro-10, dfe-cin, nhs-round5 or places",
    ),
    "places of people": (2, (*GROUPS, *TOP, "--small-numbers", "places"), "say --level place"),
    "seed": (2, (*GROUPS, *TOP, "--seed", -1), "--seed is a whole number"),
    "no policy": (2, (*GROUPS, *TOP, "--policy", "nowhere.yaml"), "--policy: nowhere.yaml: no such file"),
    "no other audit": (4, (*GROUPS, *TOP, "--against", "nowhere.json"), "nowhere.json: no such file"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_refused_in_one_line(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, options, words = REFUSED[name]
    target = tmp_path / "found.json"
    given = {"--outcome": "y", "--risk": "p", "--purpose": "assistive", "--json": target}
    more = [each for option, value in given.items() if option not in options for each in (option, value)]
    assert run(written(tmp_path, BASE), *more, *options) == code
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("[")]
    assert len(lines) == 1
    assert lines[0].startswith("riskmodels: ")
    assert words in lines[0]
    assert "said 1" not in lines[0]
    assert not target.exists()


@pytest.mark.parametrize("missing", ["--outcome", "--groups", "--purpose"])
def test_what_is_needed_is_named(tmp_path: Path, missing: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = {"--outcome": "y", "--risk": "p", "--groups": "sex", "--purpose": "assistive", "--capacity": "50"}
    given.pop(missing)
    assert run(written(tmp_path, BASE), *(each for item in given.items() for each in item)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"audit needs {missing}" in line


def test_a_list_by_risk_needs_risks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(written(tmp_path, BASE), "--outcome", "y", "--purpose", "mixed", *GROUPS, *TOP) == 2
    assert "--risk is needed with --capacity" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["just words", "name: mine\n", "[1, 2]", "a: b: c"])
def test_a_policy_that_is_none_is_refused(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(text)
    assert run(written(tmp_path, BASE), *OPTIONS, *GROUPS, *TOP, "--policy", policy) == 3
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("[")]
    assert len(lines) == 1
    assert "policy.yaml" in lines[0]


@pytest.mark.parametrize("text", ["no json", "{}", "[]", '{"rows": []}'])
def test_another_audit_that_is_none_is_refused(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.json"
    other.write_text(text)
    assert run(written(tmp_path, BASE), *OPTIONS, *GROUPS, *TOP, "--against", other) == 4
    (line,) = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("[")]
    assert "other.json" in line


@pytest.mark.parametrize("text", ["no json", "{}", "[]"])
def test_counts_that_are_none_are_refused(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    counts = tmp_path / "counts.json"
    counts.write_text(text)
    assert __main__.run(["audit", "--verify", str(counts)]) in (4, 5)
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_verify_needs_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(written(tmp_path, BASE), "--verify", tmp_path / "counts.json") == 2
    assert "--verify needs no predictions" in capsys.readouterr().err
    assert __main__.run(["audit", "--verify", str(tmp_path / "counts.json")]) == 4
    assert "no such file" in capsys.readouterr().err


@pytest.mark.parametrize(("output", "code"), [("predictions.csv", 2), ("folder", 7), ("nowhere/../predictions.csv", 2)])
@pytest.mark.parametrize("option", ["--json", "--html", "--counts"])
def test_an_output_that_cannot_be_written_is_refused_before_the_work(
    tmp_path: Path, output: str, code: int, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    path = written(tmp_path, BASE)
    before = path.read_bytes()
    assert run(path, *OPTIONS, *GROUPS, *TOP, option, tmp_path / output) == code
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert path.read_bytes() == before


@pytest.mark.parametrize(("one", "other"), [("--json", "--html"), ("--json", "--counts"), ("--against", "--json")])
def test_outputs_cannot_overwrite_each_other_or_what_is_read(
    tmp_path: Path, one: str, other: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out"
    assert run(written(tmp_path, BASE), *OPTIONS, *GROUPS, *TOP, one, target, other, target) == 2
    assert f"{other} would overwrite {one}" in capsys.readouterr().err
