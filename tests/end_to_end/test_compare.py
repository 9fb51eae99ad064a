"""``riskmodels compare`` on the reading study: its run against others made from it by a known change."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from riskmodels import __main__, commands, storage
from riskmodels.errors import UsageError
from riskmodels.governance import registry
from riskmodels.models.ranking import rank
from riskmodels.study import Capacity
from riskmodels.workspace import Workspace
from tests.conftest import ROOT, Demo

STUDY = "early_reading_support"
PAGE = ROOT / "docs" / "compare.md"
Change = Callable[[Path], None]


def add_run(workspace: Workspace, name: str, change: Change) -> int:
    """A copy of the first run, changed, and registered as a version of its own; its number."""
    first = registry.resolve(workspace, f"{STUDY}/1")
    assert first.entry is not None
    folder = first.folder.with_name(name)
    shutil.copytree(first.folder, folder)
    change(folder)
    entry = first.entry.model_dump(mode="json", exclude={"version"})
    entry |= {"folder": folder.relative_to(workspace.root).as_posix(), "card_sha256": storage.sha256(name.encode())}
    return registry.register(workspace, STUDY, entry)


def rewrite(change: Callable[[pl.DataFrame], pl.DataFrame]) -> Change:
    """Change a run's ranking."""

    def put(folder: Path) -> None:
        path = folder / "ranking.parquet"
        storage.write_whole(path, storage.table_bytes(change(pl.read_parquet(path)), ".parquet"))

    return put


def rank_by(model: str, noise: float = 0.0, places: int = 500) -> Change:
    """Rank by another family of the run's predictions, with noise on its log-odds, for so many places."""

    def put(folder: Path) -> None:
        rows = pl.read_parquet(folder / "predictions.parquet").filter(pl.col("model") == model)
        odds = np.log(rows["risk"].to_numpy() / (1 - rows["risk"].to_numpy()))
        odds += np.random.default_rng(5).normal(0, noise, odds.size)
        ranked = rank(rows.with_columns(pl.Series("risk", 1 / (1 + np.exp(-odds)))), model, Capacity(places=places), 1)
        storage.write_whole(folder / "ranking.parquet", storage.table_bytes(ranked.frame, ".parquet"))
        edit_study(f"places: {places}", "places: 500")(folder)

    return put


def edit_study(new: str, old: str) -> Change:
    def put(folder: Path) -> None:
        path = folder / "study" / "study.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return put


@pytest.fixture(scope="module")
def runs(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Version 2 ranks by another family with much noise; version 3 by another still, for fewer places."""
    root = tmp_path_factory.mktemp("compare") / "work"
    shutil.copytree(demo.workspace.root, root)
    workspace = Workspace(root)
    assert add_run(workspace, "noisy", rank_by("logistic", noise=0.8)) == 2
    assert add_run(workspace, "shorter", rank_by("lightgbm", places=450)) == 3
    return workspace


def compared(workspace: Workspace, *references: str, **how: Any) -> dict[str, Any]:
    return commands.compare(references, workspace, **how).found


def by_measure(found: dict[str, Any]) -> dict[str, Any]:
    return {row["measure"]: row for row in found["comparisons"][0]["differences"]}


# ---------------------------------------------------------------- what is found


def test_a_noisier_run_is_worse_and_its_list_is_another(runs: Workspace) -> None:
    found = compared(runs, f"{STUDY}/1", f"{STUDY}/2")
    rows, (one,) = by_measure(found), found["comparisons"]
    assert rows["auc"]["verdict"] == rows["brier_score"]["verdict"] == "worse"
    frames = [pl.read_parquet(registry.resolve(runs, f"{STUDY}/{v}").folder / "ranking.parquet") for v in (1, 2)]
    listed = [set(frame.filter("selected")["entity_id"].to_list()) for frame in frames]
    share = len(listed[0] & listed[1]) / 500
    assert one["overlap"]["pooled"]["of_first"] == pytest.approx(share, abs=0.011)  # made of counts rounded to 5
    assert f"Of 100 on the list of version 1, {round(100 * one['overlap']['pooled']['of_first'])}" in " ".join(
        one["words"]
    )
    assert one["warnings"] == []
    assert one["counts"]["known_in_one_only"] == one["counts"]["rows_only_first"] == 0


def test_the_run_s_own_figures_are_its_card_s(runs: Workspace) -> None:
    rows = by_measure(compared(runs, f"{STUDY}/1", f"{STUDY}/2"))
    card = json.loads(registry.resolve(runs, f"{STUDY}/1").card_path.read_bytes())["performance"]
    for name in ("auc", "brier_score", "log_loss", "oe_ratio", "calibration_slope", "average_precision"):
        assert rows[name]["first"]["value"] == pytest.approx(card["overall"][name]["value"], abs=6e-4), name
    for name in ("precision", "recall"):
        assert rows[f"{name}_at_k"]["first"]["value"] == pytest.approx(card["at_capacity"][name]["value"], abs=6e-4)


def test_the_same_run_twice(runs: Workspace) -> None:
    found = compared(runs, f"{STUDY}/1", f"{STUDY}/1")
    assert {row["difference"]["value"] for row in by_measure(found).values()} == {0.0}
    assert found["comparisons"][0]["overlap"]["pooled"]["of_first"] == 1.0
    assert found["lists"]["of_100"] == [[{"value": 1.0}] * 2] * 2
    assert found["comparisons"][0]["warnings"] == ["Both names mean the same run."]
    assert [run["name"] for run in found["runs"]] == [f"{STUDY}/1", f"{STUDY}/1 (2)"]
    assert "of 100 on the one, 100 are on the other" in " ".join(found["comparisons"][0]["words"])


def test_three_runs_and_settings_that_differ(runs: Workspace) -> None:
    found = compared(runs, f"{STUDY}/1", f"{STUDY}/2", f"{STUDY}/3")
    assert [one["second"] for one in found["comparisons"]] == [f"{STUDY}/2", f"{STUDY}/3"]
    assert [len(row) for row in found["lists"]["of_100"]] == [3, 3, 3]
    last = found["comparisons"][1]
    assert {"key": "capacity.places", "first": "500", "second": "450"} in last["changed"]
    assert last["warnings"] == [
        "The lists differ in length: 500 and 450 places (version 1 and version 3). "
        "A longer list finds more, whoever is on it."
    ]


def test_same_runs_same_bytes(runs: Workspace, tmp_path: Path) -> None:
    for name in ("a", "b"):
        compared(runs, f"{STUDY}/1", f"{STUDY}/2", json=tmp_path / f"{name}.json", html=tmp_path / f"{name}.html")
    for end in ("json", "html"):
        assert (tmp_path / f"a.{end}").read_bytes() == (tmp_path / f"b.{end}").read_bytes()
    assert json.loads((tmp_path / "a.json").read_bytes()) == compared(runs, f"{STUDY}/1", f"{STUDY}/2")


def test_nobody_is_named_and_no_handful_is_counted(runs: Workspace, tmp_path: Path) -> None:
    compared(runs, f"{STUDY}/1", f"{STUDY}/2", f"{STUDY}/3", json=tmp_path / "c.json", html=tmp_path / "c.html")
    ids = pl.read_parquet(registry.resolve(runs, STUDY).folder / "ranking.parquet")["entity_id"]
    for name in ("c.json", "c.html"):
        text = (tmp_path / name).read_text()
        assert not set(re.findall(r"P\d{6}", text)) & set(ids.to_list())
        assert str(runs.root) not in text
    for one in json.loads((tmp_path / "c.json").read_bytes())["comparisons"]:
        assert all(row["moved"] is None or row["moved"] == 0 or row["moved"] >= 10 for row in one["differences"])


# ---------------------------------------------------------------- which runs


@pytest.mark.parametrize(("references", "second"), [((), 3), ((STUDY,), 3), ((f"{STUDY}/2",), 2)])
def test_with_the_champion(runs: Workspace, references: tuple[str, ...], second: int) -> None:
    """Version 1 is the demo's champion. Without a run, or with a bare study, the candidate is compared: version 3."""
    found = compared(runs, *references, alias="champion")
    assert [run["name"] for run in found["runs"]] == [f"{STUDY}/1", f"{STUDY}/{second}"]
    assert "is compared with the champion on 30 June 1988" in found["comparisons"][0]["words"][0]


def test_a_folder_is_a_run_too(runs: Workspace) -> None:
    folder = registry.resolve(runs, f"{STUDY}/2").folder
    assert [run["version"] for run in compared(runs, str(folder), f"{STUDY}/1")["runs"]] == [2, 1]


def test_a_run_that_was_never_registered_goes_by_its_folder(runs: Workspace, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(registry.resolve(runs, f"{STUDY}/1").folder, tmp_path / "mine"))
    found = compared(Workspace(tmp_path / "elsewhere"), str(folder), str(folder))
    assert [run["name"] for run in found["runs"]] == ["mine", "mine (2)"]
    assert found["runs"][0]["version"] is None


def test_a_changed_copy_of_a_run_has_a_name_of_its_own(runs: Workspace, tmp_path: Path) -> None:
    """The registry knows a copy by its model and card; what was ranked is not the same."""
    folder = Path(shutil.copytree(registry.resolve(runs, f"{STUDY}/1").folder, tmp_path / "mine"))
    rank_by("logistic", noise=0.8)(folder)
    found = compared(runs, f"{STUDY}/1", str(folder))
    assert [run["short"] for run in found["runs"]] == ["version 1", "version 1 (2)"]
    assert found["comparisons"][0]["warnings"] == []
    assert by_measure(found)["auc"]["verdict"] == "worse"


# ---------------------------------------------------------------- the command


def run(*arguments: object) -> int:
    return __main__.run([str(argument) for argument in arguments])


def test_words_come_first_and_then_a_table(runs: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code = run(
        "compare", f"{STUDY}/1", f"{STUDY}/2", f"{STUDY}/3", "--workspace", runs.root, "--html", tmp_path / "c.html"
    )
    said = capsys.readouterr().out
    assert code == 0
    assert said.startswith(f"{STUDY}/2 against {STUDY}/1\n\n- Version 2 is compared with version 1")
    assert said.index("No clear change in") < said.index("measure ")
    assert re.search(r"^ordering \(AUC\) +0\.\d+ +0\.\d+ +-0\.\d+ +-0\.\d+ +-0\.\d+ +worse$", said, flags=re.MULTILINE)
    assert "Take care: The lists differ in length" in said
    assert "Of 100 on one list (line), how many are on another (column)" in said
    assert f"Page:  {tmp_path / 'c.html'}" in said


# ---------------------------------------------------------------- bad input


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str], runs: Workspace) -> Callable[..., str]:
    def compare(code: int, *arguments: object, workspace: Path | None = None) -> str:
        assert run("compare", *arguments, "--workspace", workspace or runs.root) == code
        captured = capsys.readouterr()
        lines = [line for line in captured.err.strip().splitlines() if not line.startswith("[")]
        assert len(lines) == 1, captured.err
        assert lines[0].startswith("riskmodels: ")
        assert captured.out == ""
        return lines[0]

    return compare


def test_too_few_runs_unknown_runs_and_aliases(refused: Callable[..., str], tmp_path: Path) -> None:
    assert "name two runs or more" in refused(2, f"{STUDY}/1")
    assert "name two runs or more" in refused(2)
    assert "has no version 9; it has 1 to 3" in refused(2, f"{STUDY}/1", f"{STUDY}/9")
    assert "no such study" in refused(2, f"{STUDY}/1", "other_study/1")
    assert f"{STUDY} has no previous now" in refused(6, STUDY, "--with", "previous")
    assert "nothing is registered" in refused(2, "--with", "champion", workspace=tmp_path)
    assert "is a folder; name a file" in refused(7, f"{STUDY}/1", f"{STUDY}/2", "--html", tmp_path)
    same = tmp_path / "same"
    assert "name the same file" in refused(2, f"{STUDY}/1", f"{STUDY}/2", "--html", same, "--json", same)


def remove(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def cut_short(folder: Path) -> None:
    path = folder / "ranking.parquet"
    path.write_bytes(path.read_bytes()[:1000])


LATER = pl.col("as_of_date").dt.offset_by("1y")
OTHER_OUTCOME = pl.when(pl.col("outcome").is_not_null()).then(1 - pl.col("outcome")).cast(pl.Int8)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (remove("ranking.parquet"), 4, "ranking.parquet: no such file; compare needs a run's whole folder"),
        (cut_short, 4, "ranking.parquet: cannot be read as parquet; it may be damaged"),
        (remove("card/card.json"), 5, "card.json: no such file"),
        (remove("study/study.yaml"), 3, "study.yaml: no such file"),
        (lambda folder: (folder / "card" / "card.json").write_text("{}"), 5, "card.json"),
        (rewrite(lambda frame: frame.drop("selected")), 4, "no column 'selected'"),
        (rewrite(lambda frame: frame.with_columns(risk=2.0)), 4, "risks that are no probability"),
        (rewrite(lambda frame: frame.with_columns(as_of_date=LATER)), 4, "no test date in common"),
        (rewrite(lambda frame: frame.with_columns(entity_id="x" + pl.col("entity_id"))), 4, "nobody in common"),
        (rewrite(lambda frame: frame.with_columns(outcome=OTHER_OUTCOME)), 4, "have another outcome in the one than"),
    ],
)
def test_a_run_that_cannot_be_compared(
    refused: Callable[..., str], demo: Demo, tmp_path: Path, change: Change, code: int, words: str
) -> None:
    (run_folder,) = demo.workspace.runs(STUDY).iterdir()
    folder = Path(shutil.copytree(run_folder, tmp_path / "other"))
    change(folder)
    assert words in refused(code, f"{STUDY}/1", folder, "--json", tmp_path / "c.json")
    assert not (tmp_path / "c.json").exists()


def test_another_question_is_refused_and_the_same_one_of_another_study_is_not(
    demo: Demo, tmp_path: Path, refused: Callable[..., str], runs: Workspace
) -> None:
    (run_folder,) = demo.workspace.runs(STUDY).iterdir()
    folder = Path(shutil.copytree(run_folder, tmp_path / "other"))
    edit_study("study: other_reading\n", f"study: {STUDY}\n")(folder)
    assert compared(runs, f"{STUDY}/1", str(folder))["runs"][1]["study"] == "other_reading"
    edit_study("  horizon: 10 months", "  horizon: 11 months")(folder)
    assert "different studies that predict different outcomes" in refused(2, f"{STUDY}/1", folder)


def test_another_horizon_of_the_same_study_is_said(demo: Demo, tmp_path: Path, runs: Workspace) -> None:
    (run_folder,) = demo.workspace.runs(STUDY).iterdir()
    folder = Path(shutil.copytree(run_folder, tmp_path / "other"))
    edit_study("  horizon: 10 months", "  horizon: 11 months")(folder)
    half = rewrite(lambda frame: frame.with_columns(
        outcome=pl.when(pl.col("rank") % 2 == 0).then("outcome"),
        outcome_status=pl.when((pl.col("rank") % 2 == 0) & pl.col("outcome").is_not_null())
        .then(pl.lit("known")).otherwise(pl.lit("unobserved")),
    ))  # fmt: skip
    half(folder)
    said = compared(runs, f"{STUDY}/1", str(folder))["comparisons"][0]["warnings"]
    assert said[0].startswith("They look ahead differently far: 11 months and 10 months")
    assert said[1].startswith("They do not know the outcome of all the same rows")


def test_from_python_the_same_line(runs: Workspace) -> None:
    with pytest.raises(UsageError, match="name two runs or more"):
        commands.compare([f"{STUDY}/1"], runs)


# ---------------------------------------------------------------- the page of documentation


def test_the_commands_on_the_page_run(
    runs: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    lines = [line.partition("#")[0].split() for line in block.strip().splitlines()]
    assert len(lines) >= 4
    (tmp_path / "work").symlink_to(runs.root)
    monkeypatch.chdir(tmp_path)
    for name, *arguments in lines:
        assert name == "riskmodels"
        assert run(*arguments) == 0, capsys.readouterr().err
    assert (tmp_path / "compare.html").is_file()
    assert (tmp_path / "compare.json").is_file()


def test_the_keys_on_the_page_are_those_of_the_json(runs: Workspace) -> None:
    found = compared(runs, f"{STUDY}/1", f"{STUDY}/2")
    section = PAGE.read_text().partition("## The JSON")[2].partition("\n## ")[0]
    said = set(re.findall(r"^\| `([a-z_]+)`", section, flags=re.MULTILINE))
    assert said == set(found) | set(found["comparisons"][0])


def test_the_measures_on_the_page_are_those_that_are_compared(runs: Workspace) -> None:
    section = PAGE.read_text().partition("## What is compared")[2].partition("\n## ")[0]
    said = set(re.findall(r"^\| `([a-z_]+)`", section, flags=re.MULTILINE))
    measures = {re.sub(r"_at_0\..*", "", name) for name in by_measure(compared(runs, f"{STUDY}/1", f"{STUDY}/2"))}
    assert said == measures
