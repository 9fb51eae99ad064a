"""What the issue names as bad input, and odd wishes, through the command: one line, an exit code, nothing changed."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from riskmodels.workspace import Workspace
from tests.conftest import TODAY as EXAMPLE_TODAY
from tests.end_to_end.served import NAME, SCORED_ON, TODAY, Called, Served, call, list_of, refused

FEW = "north=3,south=2,east=1"
Score = Callable[..., Called]


@pytest.fixture
def nobody(tmp_path: Path) -> Path:
    """A file of objections in which nobody objects: a file of features cannot bring the study's own."""
    (tmp_path / "objected.csv").write_text("entity_id\n")
    return tmp_path / "objected.csv"


@pytest.fixture
def score(county: Served, tmp_path: Path, nobody: Path) -> Score:
    """The command on a cohort: a file, or a frame that is first written."""

    def score_(
        cohort: pl.DataFrame | Path | str, *more: object, output: Path = tmp_path / "list.csv", **odd: Any
    ) -> Called:
        if isinstance(cohort, pl.DataFrame):
            cohort.write_parquet(tmp_path / "cohort.parquet")
            cohort = tmp_path / "cohort.parquet"
        given = {"--as-of": SCORED_ON, "--capacity": FEW, "--exclude": nobody, "--output": output}
        given |= {str(more[n]): more[n + 1] for n in range(0, len(more), 2)}
        options = [word for name, value in given.items() if value is not None for word in (name, value)]
        flags = odd.pop("flags", ())
        return call(
            odd.pop("workspace", county.workspace), "score", odd.pop("model", NAME), cohort, *options, *flags, **odd
        )

    return score_


@pytest.fixture
def good(county: Served) -> pl.DataFrame:
    return county.matrix(40)


# ---------------------------------------------------------------- the cohort


def latin(frame: pl.DataFrame, path: Path) -> Path:
    path = path.with_suffix(".csv")
    path.write_bytes(frame.with_columns(ward=pl.lit("Zürich")).write_csv().encode("latin-1"))
    return path


def utf16(frame: pl.DataFrame, path: Path) -> Path:
    path = path.with_suffix(".csv")
    path.write_bytes(frame.write_csv().encode("utf-16"))
    return path


def other_parts(change: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[[pl.DataFrame, Path], Path]:
    def made(frame: pl.DataFrame, path: Path) -> Path:
        (path.parent / "parts").mkdir()
        frame.head(20).write_parquet(path.parent / "parts" / "1.parquet")
        change(frame.tail(20)).write_parquet(path.parent / "parts" / "2.parquet")
        return path.parent / "parts"

    return made


def as_it_is(change: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[[pl.DataFrame, Path], Path]:
    def made(frame: pl.DataFrame, path: Path) -> Path:
        change(frame).write_parquet(path)
        return path

    return made


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (as_it_is(lambda frame: frame.drop("weight")), "no column 'weight'"),
        (as_it_is(lambda frame: frame.drop("excluded")), "no column 'excluded'"),
        (as_it_is(lambda frame: frame.drop("household")), "no column 'household'"),
        (as_it_is(lambda frame: frame.clear()), "no rows"),
        (as_it_is(lambda frame: frame.with_columns(sex=pl.lit("f"))), "protected column 'sex'"),
        (as_it_is(lambda frame: frame.with_columns(as_of_date=pl.lit(dt.date(2024, 10, 1)))), "--as-of says"),
        (as_it_is(lambda frame: frame.with_columns(days_absent=pl.lit(dt.date(2024, 1, 1)))), "column 'days_absent'"),
        (other_parts(lambda frame: frame.drop("ward")), "2.parquet: has no column 'ward'"),
        (other_parts(lambda frame: frame.with_columns(pl.col("weight").cast(pl.String))), "2.parquet, column 'weight'"),
        (other_parts(lambda frame: frame.with_columns(remark=pl.lit(1))), "2.parquet: has other columns than"),
        (latin, "not UTF-8"),
        (utf16, "not UTF-8"),
    ],
)  # fmt: skip
def test_a_cohort_that_does_not_fit(
    score: Score, good: pl.DataFrame, tmp_path: Path, made: Callable[[pl.DataFrame, Path], Path], words: str
) -> None:
    (tmp_path / "list.csv").write_text("last month")
    path = made(good, tmp_path / "in.parquet")
    refused(score(path), 2 if "--as-of" in words else 4, words)
    assert (tmp_path / "list.csv").read_text() == "last month"
    assert sorted(one.name for one in tmp_path.iterdir() if one.name.startswith(("list", ".list"))) == ["list.csv"]


def test_the_cohort_of_another_study(score: Score, good: pl.DataFrame) -> None:
    called = score(good, "--capacity", 5, model="early_reading_support", today=EXAMPLE_TODAY)
    refused(called, 4, "no column 'reading_now'")


def test_a_cohort_older_than_the_training(score: Score, good: pl.DataFrame, county: Served) -> None:
    day = county.report.run.dataset.features.frame["as_of_date"].min()
    refused(score(good, "--as-of", day), 4, f"the cohort is of {day}")
    refused(score(county.data, "--as-of", day), 4, f"the cohort is of {day}")


def test_whole_numbers_where_decimals_were_trained_give_the_same(
    score: Score, good: pl.DataFrame, tmp_path: Path
) -> None:
    names = [name for name, kind in good.schema.items() if kind.is_float()]
    good = good.with_columns(pl.col(names).round(0))
    for name, frame in (("decimal", good), ("whole", good.with_columns(pl.col(names).cast(pl.Int64)))):
        assert score(frame, output=tmp_path / f"{name}.parquet").code == 0
    one, two = (list_of(tmp_path / f"{name}.parquet").drop("batch_id") for name in ("decimal", "whole"))
    assert one.equals(two)


def test_ids_of_64_bits_keep_every_digit(score: Score, good: pl.DataFrame, tmp_path: Path) -> None:
    ids = [2**63 - 1 - n for n in range(good.height)]
    for suffix in (".parquet", ".csv", ".xlsx"):
        frame = good.with_columns(pl.Series("entity_id", ids, dtype=pl.Int64))
        assert score(frame, output=tmp_path / f"list{suffix}").code == 0
        assert set(list_of(tmp_path / f"list{suffix}")["entity_id"]) == {str(one) for one in ids}


def test_an_agreement_that_ended(county: Served, tmp_path: Path, score: Score, good: pl.DataFrame) -> None:
    """The register is approved with the model, so it is time that runs out, not the file that is edited."""
    later = dt.date(2041, 1, 1)
    assert later > dt.date(2040, 3, 31)  # the shipped register's agreement_expires
    called = score(good, today=later)
    assert called.code in (4, 6)
    refused(called, called.code, "expired" if called.code == 6 else "agreement ended")


# ---------------------------------------------------------------- the wishes


@pytest.mark.parametrize(
    ("option", "value", "code", "words"),
    [
        ("--role", "safeguarding_laed", 2, "the register names help_team, safeguarding_lead"),
        ("--capacity", "30", 2, "TEAM=PLACES"),
        ("--capacity", "north=26", 2, "more than the study's 25"),
        ("--capacity", "west=1", 2, "no team is called 'west'"),
        ("--capacity", "north=0", 2, "whole numbers from 1"),
        ("--capacity", "north=-1", 2, "whole numbers from 1"),
        ("--capacity", "north=1,north=2", 2, "stands there twice"),
        ("--capacity", "", 2, "--capacity"),
        ("--format", "docx", 2, "--format"),
        ("--explain", "some", 2, "--explain is selected, all or none"),
        ("--threads", "-1", 2, "--threads"),
        ("--threads", "two", 2, "--threads"),
        ("--engine", "dask", 2, "--engine"),
        ("--engine", "duckdb", 2, "local or spark"),
        ("--as-of", "1 July", 2, "--as-of"),
        ("--as-of", "2031-01-01", 2, "in the future"),
        ("--as-of", None, 2, "--as-of"),
        ("--groups", "nowhere.csv", 4, "nowhere.csv"),
        ("--exclude", "nowhere.csv", 4, "nowhere.csv"),
        ("--exclude", None, 2, "--exclude"),
        ("--memory-limit", "1GB", 2, "--memory-limit"),
    ],
)  # fmt: skip
def test_a_wish_that_cannot_be_met(
    score: Score, good: pl.DataFrame, tmp_path: Path, option: str, value: str | None, code: int, words: str
) -> None:
    refused(score(good, option, value), code, words)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cohort.parquet", "objected.csv"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "groups.csv"),
        ("id,sex\n1,f\n", "no column entity_id"),
        ("entity_id\n1\n", "no column of groups"),
        ("entity_id,sex\nKanari-P1,f\nKanari-P1,m\n", "stands more than once"),
        ("entity_id,sex\nsomebody,f\n", "the file of groups knows nobody"),
        ("entity_id,code\n" + "".join(f"{n},{n}\n" for n in range(50)), "50 different groups"),
    ],
)
def test_groups_that_will_not_do(score: Score, good: pl.DataFrame, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "groups.csv").write_text(text)
    called = score(good, "--groups", tmp_path / "groups.csv")
    refused(called, 4, words)
    assert "Kanari-P1" not in called.err
    assert not list(tmp_path.glob("*list*"))


def test_an_ending_that_says_another_format(score: Score, good: pl.DataFrame, tmp_path: Path) -> None:
    """--format decides what is written; an ending that Excel or Python would read wrongly is refused."""
    refused(score(good, "--format", "xlsx", output=tmp_path / "list.csv"), 2, "--format")
    refused(score(good, output=tmp_path / "list"), 2, "--format")
    assert score(good, "--format", "csv", output=tmp_path / "list").code == 0
    assert list_of(tmp_path / "list.rejects.csv").height == 0


def test_resume_with_nothing_to_resume(score: Score, good: pl.DataFrame, tmp_path: Path) -> None:
    assert score(good, output=tmp_path / "one.csv").code == 0
    assert score(good, output=tmp_path / "two.csv", flags=["--resume"]).code == 0
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".xlsx"])
def test_any_number_of_threads_gives_the_same_bytes(
    score: Score, good: pl.DataFrame, tmp_path: Path, suffix: str
) -> None:
    found = set()
    for threads in (0, 1, 2):
        output = tmp_path / str(threads) / f"list{suffix}"
        assert score(good, "--threads", threads, "--explain", "all", output=output).code == 0
        found.add(tuple(path.read_bytes() for path in sorted(output.parent.iterdir()) if path.is_file()))
    assert len(found) == 1


# ---------------------------------------------------------------- where it is written


def test_the_output_is_never_what_is_read(score: Score, county: Served, good: pl.DataFrame, tmp_path: Path) -> None:
    """The cohort, the objections, the groups and the sources are there before and after."""
    good.write_parquet(tmp_path / "cohort.parquet")
    good.select("entity_id", sex=pl.lit("f")).write_csv(tmp_path / "groups.csv")
    (tmp_path / "parts").mkdir()
    good.write_parquet(tmp_path / "parts" / "a.parquet")
    (tmp_path / "list.rejects.csv").write_text("entity_id\n")
    data = Path(shutil.copytree(county.data, tmp_path / "data"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    groups = ("--groups", tmp_path / "groups.csv")
    for cohort, output, more in (
        (tmp_path / "cohort.parquet", tmp_path / "cohort.parquet", ()),
        (tmp_path / "parts", tmp_path / "parts" / "a.parquet", ()),
        (tmp_path / "parts", tmp_path / "parts" / "new.parquet", ()),
        (f"{tmp_path}/parts/*.parquet", tmp_path / "parts" / "a.parquet", ()),
        (data, data / "people.parquet", ()),
        (tmp_path / "cohort.parquet", tmp_path / "objected.csv", ()),
        (tmp_path / "cohort.parquet", tmp_path / "groups.csv", groups),
        (tmp_path / "cohort.parquet", tmp_path / "list.csv", ("--exclude", tmp_path / "list.rejects.csv")),
        (tmp_path / "cohort.parquet", tmp_path / "x" / ".." / "cohort.parquet", ()),
    ):
        refused(score(cohort, *more, output=output), 2, "--output")
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_workspace_is_no_place_for_a_list(score: Score, county: Served, good: pl.DataFrame) -> None:
    root = county.workspace.root
    for place in (
        root / "batches" / NAME / "list.csv",
        root / "mlflow.db",
        root / "models.json",
        root / "batches" / "ledger.jsonl",
    ):
        before = place.read_bytes() if place.exists() else None
        called = score(good, "--format", "csv", output=place)
        refused(called, 2, "--output")
        assert (place.read_bytes() if place.exists() else None) == before


@pytest.mark.parametrize(
    "name", ["the list of June.csv", "Liste für Zürich.csv", "список 一.csv", "it's 100% “new”.csv"]
)
def test_names_with_spaces_and_letters_of_all_kinds(
    score: Score, good: pl.DataFrame, tmp_path: Path, name: str
) -> None:
    output = tmp_path / "a folder" / name
    called = score(good, output=output)
    assert called.code == 0
    assert list_of(output).height == called.counts["scored"]
    assert str(output) in called.out
    assert len(list(output.parent.iterdir())) >= 5


@pytest.fixture
def bound(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Mount a folder on itself, as a disk of its own, for whoever may."""
    done: list[Path] = []

    def mount(folder: Path, *, read_only: bool = False) -> None:
        for options in (["--bind", str(folder)], ["-o", "remount,bind,ro"] if read_only else None):
            if options is None:
                continue
            if subprocess.run(["mount", *options, str(folder)], capture_output=True, check=False).returncode:
                pytest.skip("mounting a folder needs more rights than this user has")
            if folder not in done:
                done.append(folder)

    yield mount
    for folder in reversed(done):
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def own(county: Served, tmp_path: Path) -> Workspace:
    """A copy of the workspace, to spoil."""
    return Workspace(Path(shutil.copytree(county.workspace.root, tmp_path / "work")))


def test_a_workspace_that_cannot_be_written(
    score: Score, own: Workspace, good: pl.DataFrame, tmp_path: Path, bound: Callable[..., None]
) -> None:
    """There is no list without its record; and that is said at once."""
    bound(own.root, read_only=True)
    called = score(good, workspace=own)
    refused(called, 7, "cannot be written")
    assert "reading the cohort" not in called.err
    assert not list(tmp_path.glob("*list*"))
    assert score(good, workspace=own, flags=["--dry-run"]).code == 0


def test_an_output_that_cannot_be_written(
    score: Score, good: pl.DataFrame, tmp_path: Path, bound: Callable[..., None]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "list.csv").write_text("last month")
    bound(tmp_path / "out", read_only=True)
    refused(score(good, output=tmp_path / "out" / "list.csv"), 7, "cannot be written")
    assert (tmp_path / "out" / "list.csv").read_text() == "last month"


def test_output_and_workspace_in_two_mounts_of_one_disk(
    score: Score, own: Workspace, good: pl.DataFrame, tmp_path: Path, bound: Callable[..., None]
) -> None:
    """As the volumes of a container are: the same device, but no rename from one to the other."""
    (tmp_path / "out").mkdir()
    bound(tmp_path / "out")
    called = score(good, workspace=own, output=tmp_path / "out" / "list.csv")
    assert called.code == 0, called
    frame = list_of(tmp_path / "out" / "list.csv")
    assert (own.batch(NAME, frame["batch_id"][0]) / "people.parquet").exists()
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]


def test_a_day_of_today_that_is_before_the_cohort(score: Score, good: pl.DataFrame) -> None:
    refused(score(good, today=TODAY - dt.timedelta(days=30)), 2, "in the future")
