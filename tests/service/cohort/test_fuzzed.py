"""Files that went wrong are refused in one line, or every row of them is accounted for; nobody is shown."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from riskmodels.errors import RiskModelsError
from riskmodels.service.cohort import open_matrix
from tests.data.small_study import study_file
from tests.service.cohort.conftest import AS_OF, GOOD, PROTECTED, SPECS
from tests.service.cohort.fuzzed import CANARY, CANARY_NUMBER, KINDS, Fuzzed, fuzzed_cohorts, plant

OBJECTORS = frozenset([f"{CANARY}p3", "somebody else"])
# What is still a good file must be read, and not refused out of caution.
READ = {
    "as it was", "columns in another order", "a further column", "infinity", "NaN", "huge numbers", "ids twice", "BOM",
    "CRLF", "CR", "no last line end", "all in quotes", "parts", "parts and a mark", "an empty part", "blank lines",
    "types of other programs", "ids as whole numbers", "one row",
}  # fmt: skip


def outcome(fuzzed: Fuzzed, work: Path) -> str:
    """``refused`` in one line, or ``read`` with every row in one place."""
    study = study_file(**PROTECTED)
    try:
        parts = open_matrix(fuzzed.path, SPECS, study, AS_OF, OBJECTORS, work)
        read = [parts.read(number) for number in range(parts.count)]
    except RiskModelsError as error:
        said = str(error)
        assert said, fuzzed
        assert "\n" not in said, (fuzzed, said)
        assert CANARY[:-1].lower() not in said.lower(), (fuzzed, said)
        assert str(CANARY_NUMBER)[:6] not in said, (fuzzed, said)
        return "refused"
    numbers = [n for part in read for n in part.frame["row_number"].to_list() + part.rejects["row_number"].to_list()]
    assert sorted(numbers) == list(range(1, parts.rows_in + 1)), fuzzed
    assert all(part.frame.height + part.rejects.height == part.rows_in for part in read), fuzzed
    assert fuzzed.rows is None or fuzzed.rows == parts.rows_in, (fuzzed, parts.rows_in)
    for part in read:
        assert part.frame["entity_id"].null_count() == 0
        assert not part.frame["entity_id"].is_in(list(OBJECTORS)).any()
        for name in ("visits", "score"):
            assert part.frame[name].drop_nulls().is_finite().all(), fuzzed
    return "read"


def check(seeds: range, tmp_path: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for fuzzed in fuzzed_cohorts(plant(GOOD), tmp_path, seeds):
        what = outcome(fuzzed, tmp_path / "work")
        found[what] += 1
        if fuzzed.kind in READ:
            assert what == "read", fuzzed
    return found


def test_a_few_files_that_went_wrong(tmp_path: Path) -> None:
    check(range(25), tmp_path)


@pytest.mark.slow
def test_many_files_that_went_wrong(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    count = 2_000 if request.config.getoption("--full") else 200
    assert count > len(KINDS)  # so that each kind has its turn
    found = check(range(count), tmp_path)
    assert found["read"] > count / 10
    assert found["refused"] > count / 10


def test_the_same_seed_makes_the_same_file(tmp_path: Path) -> None:
    once, again = (list(fuzzed_cohorts(plant(GOOD), tmp_path / name, range(40))) for name in ("a", "b"))
    for one, other in zip(once, again, strict=True):
        assert (one.kind, one.rows) == (other.kind, other.rows)
        if one.path.is_file() and one.kind != "zipped":  # a zip says when it was made
            assert one.path.read_bytes() == other.path.read_bytes(), one.kind
