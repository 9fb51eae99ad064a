"""How far lists agree, by hand, by a plain oracle and by a library."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from riskmodels.assessment.list_overlap import (
    BEFORE,
    FAR_BELOW,
    NEW,
    NOT_RANKED,
    STANDING,
    compare_lists,
    rank_correlation,
    shared_list,
)
from riskmodels.assessment.paired_rows import pair, ranked_run
from tests.assessment.compared_runs import county, made

BANDS = {"lower": 0.0, "raised": 0.3, "high": 0.6}
# Two places. The first lists a and b; the second a and d, and never ranked b.
FIRST = {("a", 0): (0.9, 1), ("b", 0): (0.7, 0), ("c", 0): (0.5, None), ("d", 0): (0.2, 1)}
SECOND = {("a", 0): (0.5, 1), ("d", 0): (0.4, 1), ("c", 0): (0.3, None), ("e", 0): (0.1, 0)}


def compared(first, second, bands=BANDS, places=2):
    return compare_lists(pair(made("A", first, places), made("B", second, places)), bands)


def test_two_short_lists_by_hand():
    found = compared(FIRST, SECOND)
    pooled = found.pooled
    assert (pooled.both, pooled.only_first, pooled.only_second) == (1, 1, 1)
    assert (pooled.of_first, pooled.of_second, pooled.jaccard) == (0.5, 0.5, 1 / 3)
    assert pooled.by_chance == 0.5  # two of the four whom the second ranked
    # a, c and d were ranked by both: 1 3 4 and 1 3 2, so 1 2 3 and 1 3 2: 1 - 6(0 + 1 + 1)/(3 * 8) = 0.5.
    assert pooled.rank_correlation.value == pytest.approx(0.5)
    assert (found.only_first.listed, found.only_first.hits, found.only_first.precision.value) == (1, 0, 0.0)
    assert (found.only_second.listed, found.only_second.hits, found.only_second.precision.value) == (1, 1, 1.0)
    assert (found.hits_difference, found.hits_bounds) == (1, (1, 1))


def test_who_differs_by_hand():
    rows = {(row["by"], row["group"]): row for row in compared(FIRST, SECOND).who_differs}
    # b was not ranked by the second; d is the fourth of the first, whose places are 2: within twice.
    within = list(STANDING)[1]
    assert rows["standing_on_the_other", NOT_RANKED] == {
        "by": "standing_on_the_other", "group": NOT_RANKED, "both": None, "only_first": 1, "only_second": 0,
    }  # fmt: skip
    assert rows["standing_on_the_other", within]["only_second"] == 1
    assert {key: row["both"] for key, row in rows.items() if key[0] == "risk_band_first"} == {
        ("risk_band_first", "lower"): 0, ("risk_band_first", "high"): 1,
    }  # fmt: skip
    assert rows["risk_band_second", "raised"]["only_second"] == 1
    assert rows["risk_band_second", NOT_RANKED]["only_first"] == 1
    assert not any(by == "ranked_before" for by, _ in rows)  # there is but one date


def test_unknown_outcomes_make_bounds():
    # The first lists a (known) and c (unknown) where the second lists b and d, both unknown to both.
    first = {("a", 0): (0.9, 1), ("c", 0): (0.8, None), ("b", 0): (0.2, None), ("d", 0): (0.1, None)}
    second = {("a", 0): (0.1, 1), ("c", 0): (0.2, None), ("b", 0): (0.8, None), ("d", 0): (0.9, None)}
    found = compared(first, second)
    assert (found.only_first.known, found.only_second.known) == (1, 0)
    assert found.only_second.precision.reason == "nobody on this list only has a known outcome"
    # Known: one fewer. c may be a hit of the first (one fewer still), b and d of the second (up to one more).
    assert (found.hits_difference, found.hits_bounds) == (-1, (-2, 1))


def test_against_a_plain_oracle_on_two_dates():
    frames = county(noise=0.3), county(noise=0.9)
    runs = [ranked_run(name, frame) for name, frame in zip("AB", frames, strict=True)]
    found = compare_lists(pair(*runs), BANDS)
    lists = [{row[:2] for row in frame.filter("selected").select("entity_id", "as_of_date").rows()} for frame in frames]
    outcome = dict(zip(frames[0].select("entity_id", "as_of_date").rows(), frames[0]["outcome"].to_list(), strict=True))
    assert found.pooled.both == len(lists[0] & lists[1])
    assert found.pooled.jaccard == len(lists[0] & lists[1]) / len(lists[0] | lists[1])
    assert sum(shared.both for shared in found.per_date) == found.pooled.both
    assert [shared.by_chance for shared in (found.pooled, *found.per_date)] == pytest.approx([60 / 400] * 3)
    for side, only in ((found.only_first, lists[0] - lists[1]), (found.only_second, lists[1] - lists[0])):
        known = [outcome[key] for key in only if outcome[key] is not None]
        assert (side.listed, side.known, side.hits) == (len(only), len(known), sum(known))
        assert side.precision.value == pytest.approx(np.mean(known))
        assert side.precision.low < side.precision.value < side.precision.high
    assert shared_list(*runs) == (found.pooled.both, found.pooled.only_first, found.pooled.only_second)
    # Every grouping counts everybody on either list once.
    for by in dict.fromkeys(row["by"] for row in found.who_differs):
        rows = [row for row in found.who_differs if row["by"] == by]
        assert sum(row["only_first"] for row in rows) == found.pooled.only_first, by
        assert sum(row["only_second"] for row in rows) == found.pooled.only_second, by
    again = {row["group"]: row for row in found.who_differs if row["by"] == "ranked_before"}
    assert set(again) == {NEW, BEFORE}
    # Everybody stands on both dates, so who is new is who was listed on the first of them.
    assert again[NEW]["both"] == found.per_date[0].both


def test_rank_correlation_is_the_library_s_and_the_mean_over_dates():
    first, second = county(noise=0.3), county(noise=0.9)
    found = compare_lists(pair(ranked_run("A", first), ranked_run("B", second)), BANDS)
    expected = []
    for day in first["as_of_date"].unique().sort():
        ranks = [frame.filter(frame["as_of_date"] == day).sort("entity_id")["rank"] for frame in (first, second)]
        expected.append(stats.spearmanr(*ranks).statistic)
    assert [shared.rank_correlation.value for shared in found.per_date] == pytest.approx(expected)
    assert found.pooled.rank_correlation.value == pytest.approx(np.mean(expected))


def test_standing_goes_by_the_other_list_s_places():
    """The second turns the order of 12 round: with 2 places, its list stands last of all on the first."""
    first = {(f"p{number:02d}", 0): (0.9 - number / 20, 0) for number in range(12)}
    turned = {key: (1 - risk, outcome) for key, (risk, outcome) in first.items()}
    rows = {row["group"]: row for row in compared(first, turned).who_differs if row["by"] == "standing_on_the_other"}
    assert list(rows) == [FAR_BELOW]
    assert (rows[FAR_BELOW]["only_first"], rows[FAR_BELOW]["only_second"]) == (2, 2)
    # One place up: the third of 8 is just below a cut of 8 / 1.25 rounded down ...
    near = dict(first)
    near["p08", 0] = (0.91, 0)
    found = compared(first, near, places=8)
    standing = [row for row in found.who_differs if row["by"] == "standing_on_the_other"]
    assert [(row["group"], row["only_first"], row["only_second"]) for row in standing] == [(next(iter(STANDING)), 1, 1)]


def test_the_same_list_and_no_bands():
    found = compared(FIRST, FIRST, bands={})
    assert (found.pooled.of_first, found.pooled.jaccard) == (1.0, 1.0)
    assert found.only_first.precision.reason == "nobody is on this list only"
    assert found.who_differs == ()
    assert found.pooled.rank_correlation.value == 1.0


def test_few_ranked_by_both_have_no_correlation():
    found = rank_correlation(*(made("A", {("a", 0): (0.5, 0), ("b", 0): (0.4, 0)}).frame["rank"],) * 2)
    assert found.value is None
    assert "fewer than 3" in found.reason


def test_no_common_date_share_nothing():
    assert shared_list(made("A", {("a", 0): (0.5, 0)}), made("B", {("a", 1): (0.5, 0)})) is None
