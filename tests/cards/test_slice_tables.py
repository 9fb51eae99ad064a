from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from riskmodels.assessment.slices import assess_slices
from riskmodels.cards.shown import HIDDEN, Shown
from riskmodels.cards.slice_tables import ELSEWHERE, MOST_ROWS, published_slices, slice_tables, slice_words
from riskmodels.cards.words import language_of
from tests.assessment.made_up_rows import ranked_rows
from tests.cards import example_card as example

LANGUAGE = language_of(example.study().file)
COUNTS = ("n", "known", "unknown", "events", "selected", "hits")


def raw(tiny: float = 0.0, name: str = "people.home_region", regions: int = 3) -> dict[str, Any]:
    rows = ranked_rows(people=3000, dates=2)
    rng = np.random.default_rng(2)
    label = rng.integers(0, regions, rows.n).astype(str).astype(object)
    label[rng.random(rows.n) < tiny] = "tiny"
    return assess_slices(rows, {name: label.tolist()}).to_dict()


def rows_of(safe: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["label"]: row for row in safe["slices"][0]["rows"]}


def test_counts_are_rounded_and_nothing_small_is_shown() -> None:
    safe = published_slices(raw(tiny=0.004), Shown())
    for row in rows_of(safe).values():
        for name in COUNTS:
            assert (
                row[name] is None or (row[name] >= 10 and row[name] % 5 == 0) or (name == "unknown" and row[name] == 0)
            )
        assert "precision_bounds" not in row
    tiny = rows_of(safe)["tiny"]
    assert all(tiny[name] is None for name in COUNTS)
    assert all(tiny[name]["value"] is None for name in ("auc", "brier_score", "precision", "recall"))
    assert sum(row["hits"] is not None for row in rows_of(safe).values()) >= 2


def test_one_hidden_slice_of_two_hides_the_other() -> None:
    """Otherwise the whole less the one that is shown gives the hidden one away."""
    given = raw(regions=1)
    (row,) = given["slices"][0]["rows"]
    few = copy.deepcopy(row) | {
        "label": "few",
        "n": 30,
        "known": 28,
        "unknown": 2,
        "events": 4,
        "selected": 3,
        "hits": 1,
    }
    few["precision"] |= {"n": 3}
    given["slices"][0]["rows"].append(few)
    shown = Shown()
    found = rows_of(published_slices(given, shown))
    assert found["few"]["events"] is None
    assert found["0"]["events"] is None or found["0"]["events"] % 5 == 0
    assert any("few" in line["where"] for line in shown.log)


def test_table_has_a_row_for_each_slice() -> None:
    safe = published_slices(raw(tiny=0.004), Shown())
    table = slice_tables(safe, LANGUAGE)["slice_people.home_region"]
    assert table.caption == "By home region"
    assert [row[0] for row in table.rows] == ["0", "1", "2", "Tiny"]
    assert table.rows[3][1] == HIDDEN
    foreseen = table.columns.index("Came about, for each 100 foreseen")
    ratio = safe["slices"][0]["rows"][0]["oe_ratio"]["value"]
    assert str(table.rows[0][foreseen]).startswith(f"{100 * ratio:.0f} (")
    assert not {"Brier score", "Calibration slope"} & set(table.columns)
    special = slice_tables(safe, LANGUAGE)["slices_measures"]
    slope = safe["slices"][0]["rows"][0]["calibration_slope"]["value"]
    assert str(special.rows[0][special.columns.index("Calibration slope")]).startswith(f"{slope:.2f} (")
    assert "(" in str(table.rows[0][3])


def test_seen_and_unseen_have_words_of_their_own() -> None:
    rows = ranked_rows(people=2000, dates=2)
    safe = published_slices(assess_slices(rows, {"seen": np.arange(rows.n) % 3 > 0}).to_dict(), Shown())
    table = slice_tables(safe, LANGUAGE)["slice_seen"]
    assert [row[0] for row in table.rows] == ["New to the model", "Learned from before"]
    assert table.caption == "By whether the pupil was new to the model"


def test_of_many_slices_the_largest_are_shown() -> None:
    table = slice_tables(published_slices(raw(regions=60), Shown()), LANGUAGE)["slice_people.home_region"]
    assert len(table.rows) == MOST_ROWS
    assert f"The largest {MOST_ROWS} of 60" in str(table.note)


@pytest.mark.parametrize("differ", [False, True])
def test_words_say_whether_slices_differ(differ: bool) -> None:
    rows = ranked_rows(people=3000, dates=2)
    region = np.random.default_rng(5).integers(0, 4, rows.n)
    if differ:
        noise = np.random.default_rng(4).random(rows.n)
        rows = replace(rows, risk=np.where(region == 2, 0.3 * rows.risk + 0.4 * noise, rows.risk))
    words = slice_words(published_slices(assess_slices(rows, {"region": region}).to_dict(), Shown()), LANGUAGE)
    said = " ".join(words)
    assert words[-1] == ELSEWHERE
    assert ("How well the ranking works differs by region, beyond chance: of 100 pairs, from" in said) == differ
    assert ("We see no difference beyond chance in how well the ranking works by region." in said) != differ
    assert ("In another such part" in said) == differ
    assert ("How far the risks come true differs" in said) == differ
    assert bool(re.search(r"for each 100 cases foreseen, from \d+ \(2\) to \d+ \([013]\) came about", said)) == differ


def test_too_few_to_compare() -> None:
    rows = ranked_rows(people=20, dates=1)
    safe = published_slices(assess_slices(rows, {"region": ["a", "b"] * 10}).to_dict(), Shown())
    assert slice_words(safe, LANGUAGE) == ("There are too few cases to compare by region.", ELSEWHERE)


def test_sources_are_told_together_and_two_slices_by_both() -> None:
    rows = ranked_rows(people=3000, dates=2)
    matched = np.where(np.random.default_rng(5).random(rows.n) < 0.3, "not matched", "matched").tolist()
    given = assess_slices(rows, {"source police": matched, "source benefit_office": matched}).to_dict()
    safe = published_slices(given, Shown())
    assert slice_words(safe, LANGUAGE)[0] == (
        "We see no difference beyond chance in how well the ranking works by whether police or benefit office records "
        "could be matched."
    )
    safe["slices"][0]["spread"]["oe_ratio"]["verdict"] = "more than chance"
    (said,) = [line for line in slice_words(safe, LANGUAGE) if line.startswith("How far")]
    assert re.search(r"foreseen, \d+ \((not )?matched\) and \d+ \((not )?matched\) came about\. Above 100", said)
    table = slice_tables(safe, LANGUAGE)["slice_source police"]
    assert (table.caption, table.columns[0]) == ("By whether police records could be matched", "Who")


def test_shares_of_the_list_have_no_more_digits_than_are_said() -> None:
    """With three digits of both, the whole list less the slices that are shown would be a hidden count."""
    for row in published_slices(raw(tiny=0.004), Shown())["slices"][0]["rows"]:
        for share in (row["precision"].get("value"), row["recall"].get("value")):
            assert share is None or round(100 * share, 6) == round(100 * share)


def test_nothing_sliced_nothing_said() -> None:
    assert slice_words({"slices": []}, LANGUAGE) == ()


def test_published_is_json() -> None:
    json.dumps(published_slices(raw(), Shown()), allow_nan=False)


@pytest.mark.parametrize(("times", "said"), [(2.0, "too high"), (0.5, "too low"), (1.0, None)])
def test_risks_that_are_wrong_for_those_new_to_the_model_are_said_plainly(times: float, said: str | None) -> None:
    rows = ranked_rows(people=3000, dates=2)
    seen = np.random.default_rng(5).random(rows.n) < 0.6
    rows = replace(rows, risk=np.where(seen, rows.risk, np.clip(times * rows.risk, 0.0, 1.0)))
    labels = np.where(seen, "yes", "no").tolist()
    words = slice_words(published_slices(assess_slices(rows, {"seen": labels}).to_dict(), Shown()), LANGUAGE)
    found = [line for line in words if "who are new to the model, the risks were" in line]
    assert len(found) == (said is not None)
    assert all(f"{said}, by more than chance." in line for line in found)
