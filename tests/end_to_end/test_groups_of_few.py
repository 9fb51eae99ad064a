"""What few people have in a column of groups may be a name: `audit` names no such group, whatever is asked of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from riskmodels import __main__

NAMES = ("Maria Weber", "Jo Weber", "Kim Weber")
OPTIONS = (
    "--outcome", "y", "--risk", "p", "--capacity", "60", "--groups", "ethnicity", "--purpose", "assistive",
    "--measures", "need", "--not-audited", "all=Not in this test.",
)  # fmt: skip


@pytest.fixture
def vendor(tmp_path: Path) -> Path:
    """300 people: of each of three names so many rows that its column does not look like free text."""
    rows = range(300)
    ethnicity = [NAMES[n] if n < 3 else NAMES[0] if n < 11 else "one" if n % 2 else "two" for n in rows]
    frame = pl.DataFrame({"y": [int(n % 4 == 0) for n in rows], "p": [(n % 70) / 80 for n in rows],
                          "who": [f"p{n}" for n in rows], "ethnicity": ethnicity})  # fmt: skip
    frame.write_csv(tmp_path / "vendor.csv")
    return tmp_path / "vendor.csv"


def audit(path: Path, *more: str) -> tuple[int, str]:
    target = path.with_suffix(".json")
    code = __main__.run(["audit", str(path), *OPTIONS, "--json", str(target), *more])
    return code, target.read_text() if target.exists() else ""


def groups_in(said: str) -> set[str]:
    found: dict[str, Any] = json.loads(said)
    return {row["group"] for row in found["contrasts"]}


def test_they_are_one_group(vendor: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = audit(vendor)
    assert code in (10, 11)
    assert "Other small groups" in said
    assert not any(name in said + "".join(capsys.readouterr()) for name in NAMES)


def test_ten_people_are_enough_for_a_name(vendor: Path) -> None:
    frame = pl.read_csv(vendor)
    ten = pl.Series(["Traveller"] * 10 + frame["ethnicity"].to_list()[10:])
    frame.with_columns(ten.alias("ethnicity")).write_csv(vendor)
    assert "Traveller" in audit(vendor)[1]
    # Of one person on ten rows it is not.
    same = pl.Series(["p0"] * 10 + frame["who"].to_list()[10:])
    frame.with_columns(ten.alias("ethnicity"), same.alias("who")).write_csv(vendor)
    assert "Traveller" not in audit(vendor, "--entity", "who")[1]


def test_a_group_that_is_asked_for_by_name_keeps_it(vendor: Path) -> None:
    """Whoever types the name knows it."""
    said = audit(vendor, "--reference", f"ethnicity={NAMES[0]}")[1]
    assert NAMES[0] in said
    assert NAMES[1] not in said


def test_an_unknown_reference_is_told_of_no_name(vendor: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for asked in ("three", "Maria Webber"):
        assert audit(vendor, "--reference", f"ethnicity={asked}")[0] == 2
        (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("riskmodels")]
        assert not any(name in line for name in NAMES)
    assert "(known: one, two)" in line


def test_of_places_every_group_is_named(vendor: Path) -> None:
    assert NAMES[1] in audit(vendor, "--level", "place", "--small-numbers", "places")[1]
