import math

import numpy as np
import pytest
from scipy.stats import t

from riskmodels.assessment.audit import audit_predictions
from riskmodels.assessment.audit.comparing.change_disclosure import publish_list_changes
from riskmodels.assessment.audit.comparing.list_changes import changed_lists
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.assessment.audit.publishing.disclosure import publish
from riskmodels.errors import DataError, StudyError
from riskmodels.storage import canonical_json
from riskmodels.study import Protected

QUICK = load_policy().model_copy(update={"replicates": 300})
REFERENCE = {"race": Protected(column="x.race", law="race", reference="a")}


def people(seed, households=1000, size=3, moved=0.1, helped=0.0, mixed=False):
    """Households alike in race and in what the lists do with them; the second list moves some of them.

    ``helped``: the chance that somebody of group b whom the first list misses is found by the second. ``mixed``:
    whether people of both groups live together.
    """
    rng = np.random.default_rng(seed)
    house = np.repeat(np.arange(households), size)
    race = np.where(rng.random(households) < 0.7, "a", "b")[house]
    if mixed:
        race = np.where(rng.random(len(house)) < 0.6, "a", "b")
    outcome = (rng.random(len(house)) < 0.4).astype(int)
    found = 1 / (1 + np.exp(-np.repeat(rng.normal(0, 1.5, households), size)))
    first = rng.random(len(house)) < np.where(outcome == 1, found, 0.5 * found)
    second = first ^ np.repeat(rng.random(households) < moved, size)
    second |= (race == "b") & (outcome == 1) & (rng.random(len(house)) < helped)
    return outcome, first, second, race, house


def compared(outcome, first, second, race, house=None, purpose="assistive", **more):
    more = {"policy": QUICK, "protected": REFERENCE} | more
    return changed_lists(outcome, first, second, {"race": race}, purpose=purpose, clusters=house, **more)


def by_metric(rows, group="b"):
    return {row["metric"]: row for row in rows if row["group"] == group}


# ---------------------------------------------------------------- the numbers


def test_the_change_of_a_ratio_by_hand():
    """Recall of a: 60 of 100, then 60; of b: 30 of 100, then 45. The ratio is 0.50, then 0.75.

    On the log scale the rates of b are 30.5 / 101 and 45.5 / 101: the change is log(45.5 / 30.5) = 0.400. Of b, 20
    people came on and 5 went off. The influence of b's people is 1/45.5 - 1/30.5 apart in what both count, and so on:
    summed below over the 100 people, one by one.
    """
    outcome = [1] * 200
    race = ["a"] * 100 + ["b"] * 100
    first = [1] * 60 + [0] * 40 + [1] * 30 + [0] * 70
    second = [1] * 60 + [0] * 40 + [1] * 25 + [0] * 5 + [1] * 20 + [0] * 50
    row = by_metric(compared(outcome, first, second, race).rows)["recall"]
    assert row["before"] == {"ratio": pytest.approx(0.5)}
    assert row["after"] == {"ratio": pytest.approx(0.75)}
    assert row["change"] == pytest.approx(45.5 / 30.5)
    both, gone, come, neither = 25, 5, 20, 50
    before, after = {"on": 0.7 / 30.5, "off": -0.3 / 30.5}, {"on": 0.55 / 45.5, "off": -0.45 / 45.5}
    variance = (
        both * (after["on"] - before["on"]) ** 2 + gone * (after["off"] - before["on"]) ** 2
        + come * (after["on"] - before["off"]) ** 2 + neither * (after["off"] - before["off"]) ** 2
    ) * 200 / 199  # fmt: skip
    assert math.log(row["high"] / row["low"]) == pytest.approx(2 * 1.959964 * math.sqrt(variance), rel=1e-5)
    assert row["moved"] == 25
    assert (row["verdict"], row["towards"]) == ("beyond chance", "equal")
    own = by_metric(compared(outcome, first, second, race).groups)["recall"]
    assert own["difference"]["value"] == pytest.approx(0.15)
    # McNemar's: sqrt(20 + 5 - 15^2 / 100) / 100, times 200 / 199 for the sample.
    half = 1.959964 * math.sqrt((25 - 2.25) * 200 / 199) / 100
    assert own["difference"]["high"] - own["difference"]["low"] == pytest.approx(2 * half, rel=1e-5)
    assert own["verdict"] == "higher"


@pytest.mark.parametrize(
    ("purpose", "clustered", "mixed"),
    [("assistive", True, False), ("assistive", True, True), ("punitive", True, False), ("mixed", False, False)],
)
def test_errors_are_those_of_a_plain_paired_bootstrap(purpose, clustered, mixed):
    """Households are drawn whole, and both lists are counted anew on those drawn."""
    outcome, first, second, race, house = people(1, households=700, moved=0.3, mixed=mixed)
    units = house if clustered else np.arange(len(house))
    found = compared(outcome, first, second, race, house if clustered else None, purpose)
    rng = np.random.default_rng(2)
    rows_of = np.split(np.argsort(units, kind="stable"), np.cumsum(np.bincount(units))[:-1])
    drawn = {metric: [] for metric in by_metric(found.rows)}
    for _ in range(700):
        rows = np.concatenate([rows_of[unit] for unit in rng.integers(0, len(rows_of), len(rows_of))])
        for metric, values in drawn.items():
            logs = []
            for listed in (first, second):
                for group in "ba":
                    on, event = listed[rows] & (race[rows] == group), outcome[rows] == 1
                    bottom = {
                        "recall": (race[rows] == group) & event,
                        "fpr": (race[rows] == group) & ~event,
                        "fdr": on,
                    }[metric]
                    top = on & (event if metric == "recall" else ~event)
                    logs.append(math.log(top.sum() / bottom.sum()))
            values.append((logs[2] - logs[3]) - (logs[0] - logs[1]))
    for metric, row in by_metric(found.rows).items():
        either = (race == "b") & {"recall": outcome == 1, "fpr": outcome == 0, "fdr": first | second}[metric]
        critical = t.ppf(0.975, len(set(house[either])) - 1) if clustered else 1.959964
        se = math.log(row["high"] / row["low"]) / 2 / critical
        # The standard error of the bootstrap's own is one in sqrt(2 * 700) = 2.7 per cent.
        assert se == pytest.approx(np.std(drawn[metric], ddof=1), rel=0.1), metric
        assert math.log(row["change"]) == pytest.approx(np.mean(drawn[metric]), abs=se / 5)


def test_households_count_and_pairing_helps():
    outcome, first, second, race, house = people(3)
    width = {}
    for name, clusters in (("households", house), ("people", None)):
        row = by_metric(compared(outcome, first, second, race, clusters).rows)["recall"]
        width[name] = math.log(row["high"] / row["low"])
    assert width["households"] > 1.1 * width["people"]
    ends = []
    for listed in (first, second):
        found = audit_predictions(
            outcome, np.full(len(race), 0.4), listed, {"race": race}, purpose="assistive", seed=1, clusters=house,
            protected=REFERENCE, policy=QUICK,
        )  # fmt: skip
        row = next(row for row in found.contrasts if row["metric"] == "recall" and row["against"] == "reference")
        ends.append(math.log(row["high"] / row["low"]) * 1.96 / found.critical_values["treatment"])
    assert width["households"] < 0.7 * math.hypot(*ends)


def test_everybody_twice_tells_no_more():
    """With each row and its copy as a cluster, the interval is that of the rows alone, but for Student's t on one less
    than the people of the group whose outcome it is.
    """
    outcome, first, second, race, _ = people(3, households=100, moved=0.4)
    alone = by_metric(compared(outcome, first, second, race).groups)["recall"]["difference"]
    twice = [np.repeat(column, 2) for column in (outcome, first, second, race, np.arange(len(race)))]
    both = by_metric(compared(*twice).groups)["recall"]["difference"]
    assert both["value"] == pytest.approx(alone["value"])
    assert (both["high"] - both["low"]) / (alone["high"] - alone["low"]) == pytest.approx(
        t.ppf(0.975, ((race == "b") & (outcome == 1)).sum() - 1) / 1.959964, rel=1e-6
    )


def test_a_few_people_on_many_dates_are_a_few():
    """Six people on twenty dates, and 500 others: both lists pick whom they will, so that nothing has changed. 120 rows
    are no 30 people: of 200 such pairs 20 were said to differ, where 10 should be.
    """
    clusters = np.repeat(np.arange(506), 20)
    race = np.where(clusters < 6, "b", "a")
    rng = np.random.default_rng(1)
    first, second = (np.repeat(rng.random(506) < 0.5, 20) for _ in range(2))
    found = compared(np.ones(len(race), dtype=int), first, second, race, clusters)
    own, row = by_metric(found.groups)["recall"], by_metric(found.rows)["recall"]
    assert own["difference"] == {"value": None, "reason": "fewer than 30 people who had the outcome"}
    assert (row["verdict"], row["reason"]) == ("cannot be told", "fewer than 30 people who had the outcome")
    # Seen in b: the six, each once.
    assert own["moved"] == (first != second)[: 6 * 20 : 20].sum()


def test_students_t_goes_by_the_smaller_group():
    """40 people of b on twenty dates, 500 of a: the interval is 2.02 standard errors to either side, and not 1.96."""
    rng = np.random.default_rng(3)
    clusters = np.repeat(np.arange(540), 20)
    race = np.where(clusters < 40, "b", "a")
    first, second = (np.repeat(rng.random(540) < 0.5, 20) for _ in range(2))
    found = compared(np.ones(len(race), dtype=int), first, second, race, clusters)
    own, row = by_metric(found.groups)["recall"]["difference"], by_metric(found.rows)["recall"]
    # Of the forty, each 1/40 of the rate: their differences less the mean, squared and summed, over 40^2.
    apart = second[: 40 * 20 : 20].astype(float) - first[: 40 * 20 : 20]
    se = math.sqrt(((apart - apart.mean()) ** 2).sum() / 40**2 * 540 / 539)
    assert own["high"] - own["low"] == pytest.approx(2 * t.ppf(0.975, 39) * se, rel=1e-6)
    se = math.log(row["high"] / row["low"]) / 2 / t.ppf(0.975, 39)
    assert row["p"] == pytest.approx(2 * t.sf(abs(math.log(row["change"])) / se, 39), rel=1e-6)


def test_intervals_hold_as_often_as_they_say():
    """No change in truth: the second list moves people of both groups alike. 600 such pairs gave 96 in 100."""
    held = [
        row["low"] <= 1 <= row["high"]
        for seed in range(100)
        for row in [by_metric(compared(*people([seed, 7], households=300, moved=0.2)).rows)["recall"]]
    ]
    # A list that flips people draws every rate towards one half, and so both groups' alike.
    assert sum(held) >= 88


def test_unknown_outcomes_and_unknown_groups_are_kept_apart():
    outcome, first, second, race, house = people(4)
    blank = np.where(np.arange(len(race)) % 5 == 0, None, race.astype(object))
    some = outcome.astype(float)
    some[::7] = np.nan
    found = compared(some, first, second, blank, house)
    assert {row["group"] for row in found.groups} == {"a", "b", "Not recorded"}
    own = by_metric(found.groups)["recall"]
    known = (some == 1) & (blank == "b")
    assert own["first"]["value"] == pytest.approx(first[known].mean())
    assert own["second"]["value"] == pytest.approx(second[known].mean())
    assert own["moved"] == len(set(house[known & (first != second)]))


# ---------------------------------------------------------------- what cannot be told


def test_the_same_list_twice_is_the_same():
    outcome, first, _, race, house = people(5)
    found = compared(outcome, first, first, race, house)
    assert {row["verdict"] for row in found.rows} == {"the same"}
    assert all(row["change"] == 1.0 and row["p"] is None and row["low"] is None for row in found.rows)
    assert {row["verdict"] for row in found.groups} == {"the same"}


def test_a_handful_of_moves_tell_nothing():
    outcome, first, _, race, _ = people(5)
    second = first.copy()
    second[np.flatnonzero((race == "b") & (outcome == 1))[:9]] ^= True
    row = by_metric(compared(outcome, first, second, race).rows)["recall"]
    assert (row["verdict"], row["reason"]) == ("cannot be told", "fewer than 10 people are treated differently")
    assert by_metric(compared(outcome, first, second, race).groups)["recall"]["verdict"] == "no clear change"


def test_few_people_and_nobody_found():
    outcome, first, second, race, _ = people(6)
    few = np.where(np.arange(len(race)) < 40, "few", race)
    row = by_metric(compared(outcome, first, second, few).rows, "few")["recall"]
    assert (row["verdict"], row["reason"]) == ("cannot be told", "fewer than 30 people who had the outcome")
    nobody = first & (race != "b")
    row = by_metric(compared(outcome, nobody, second, race).rows)["recall"]
    assert row["verdict"] == "cannot be told"
    assert row["before"] == {"ratio": 0.0}
    assert row["reason"] == "nobody of one of the groups is counted on one of the lists"


def test_one_cluster_has_no_interval():
    outcome, first, second, race, _ = people(6)
    found = compared(outcome, first, second, race, np.zeros(len(race)))
    assert {row["reason"] for row in found.rows} == {"no interval: all rows belong to one cluster"}
    assert all("low" not in row["difference"] for row in found.groups)


def test_an_attribute_that_cannot_be_audited_is_left_out():
    outcome, first, second, race, _ = people(6)
    found = changed_lists(outcome, first, second, {"race": race, "faith": [None] * len(race)}, purpose="assistive")
    assert {row["attribute"] for row in found.rows} == {"race"}


def test_bad_input():
    outcome, first, second, race, _ = people(6)
    with pytest.raises(DataError, match="second: 5 values for 3000 outcomes"):
        compared(outcome, first, second[:5], race)
    with pytest.raises(DataError, match="selected: every row must say true or false"):
        compared(outcome, first, np.where(second, 2, 0), race)
    with pytest.raises(StudyError, match=r"protected\.race\.reference"):
        compared(outcome, first, second, race, protected={"race": Protected(column="x.y", law="race", reference="z")})


# ---------------------------------------------------------------- what is shown


def shown(outcome, first, second, race, house=None):
    exact = compared(outcome, first, second, race, house).to_dict()
    audits = [
        publish(
            audit_predictions(
                outcome, np.full(len(race), 0.4), listed, {"race": race}, purpose="assistive", seed=1, clusters=house,
                protected=REFERENCE, policy=QUICK,
            ).to_dict()
        )[0]
        for listed in (first, second)
    ]  # fmt: skip
    return exact, publish_list_changes(exact, *audits), audits


def test_what_is_shown_is_made_of_what_the_audits_show():
    exact, public, audits = shown(*people(8, helped=0.3))
    row = by_metric(public["rows"])["recall"]
    values = [{line["group"]: line["metrics"]["recall"]["value"] for line in audit["rows"]} for audit in audits]
    rates = [{line["group"]: line["tp"] / (line["tp"] + line["fn"]) for line in audit["rows"]} for audit in audits]
    ratios = [each["b"] / each["a"] for each in rates]
    assert row["change"] == pytest.approx(ratios[1] / ratios[0], abs=0.005)
    assert row["verdict"] == by_metric(exact["rows"])["recall"]["verdict"] == "beyond chance"
    assert row["p"] == 0.001
    widths = [math.log(each["high"] / each["low"]) for each in (row, by_metric(exact["rows"])["recall"])]
    assert widths[0] == pytest.approx(widths[1], rel=0.25)
    assert by_metric(public["groups"])["recall"]["second"]["value"] == values[1]["b"]
    # Nowhere stands how many people the lists treat differently.
    assert b"moved" not in canonical_json(public)
    missed = [round(100 * (1 - each["b"])) for each in values]
    said = (
        f"of 100 people who needed help, missing are about {missed[0]} on the first list, and about {missed[1]} on the"
    )
    assert any(said in sentence for sentence in public["in_words"])


def test_a_handful_treated_differently_is_not_shown():
    outcome, first, _, race, _ = people(8)
    second = first.copy()
    second[np.flatnonzero((race == "b") & (outcome == 1))[:4]] ^= True
    second[np.flatnonzero((race == "a") & (outcome == 1))[:50]] ^= True
    _, public, _ = shown(outcome, first, second, race)
    row, own = by_metric(public["rows"])["recall"], by_metric(public["groups"])["recall"]
    assert row["change"] is None
    assert row["low"] is None
    assert row["p"] is None
    assert row["reason"] == "not shown (fewer than 10 people are treated differently)"
    assert own["difference"] == {"value": None, "reason": row["reason"]}
    assert by_metric(public["groups"], "a")["recall"]["verdict"] != "not shown"


@pytest.mark.parametrize(("count", "told"), [(0, True), (1, False), (9, False), (10, True)])
def test_a_change_is_shown_where_nobody_or_enough_people_make_it(count, told):
    """Of one person as of nine it would say who they are; ten are as many as may be shown."""
    outcome, first, _, race, _ = people(8)
    second = first.copy()
    second[np.flatnonzero((race == "b") & (outcome == 1))[:count]] ^= True
    _, public, _ = shown(outcome, first, second, race)
    own, row = by_metric(public["groups"])["recall"], by_metric(public["rows"])["recall"]
    assert (own["difference"]["value"] is not None, row["change"] is not None) == (told, told)
    if not told:
        hidden = "not shown (fewer than 10 people are treated differently)"
        assert own["difference"]["reason"] == row["reason"] == hidden
        assert own["verdict"] == "not shown"


def test_what_either_audit_hides_is_hidden():
    outcome, first, second, race, _ = people(8)
    race = race.astype(object)
    race[:8] = "few"
    _, public, audits = shown(outcome, first, second, race)
    hidden = {row["group"] for audit in audits for row in audit["rows"] if not row["shown"]}
    assert "few" in hidden
    for row in public["groups"]:
        if row["group"] in hidden:
            assert row["first"]["value"] is row["second"]["value"] is row["difference"]["value"] is None
    for row in public["rows"]:
        if {row["group"], row["reference"]} & hidden:
            assert row["change"] is row["low"] is row["p"] is None
            assert row["verdict"] == "cannot be told"


@pytest.mark.parametrize("side", [0, 1])
def test_a_rate_that_one_audit_hides_is_hidden_whatever_the_other_shows(side):
    outcome, first, second, race, _ = people(8)
    exact, _, audits = shown(outcome, first, second, race)
    for row in audits[side]["rows"]:
        if row["group"] == "b":
            row["metrics"]["recall"] = {"value": None, "reason": "not shown (to protect a small number)"}
    public = publish_list_changes(exact, *audits)
    own, row = by_metric(public["groups"])["recall"], by_metric(public["rows"])["recall"]
    assert own["difference"] == {"value": None, "reason": "not shown (to protect a small number)"}
    assert (own["verdict"], row["verdict"]) == ("not shown", "cannot be told")
    assert row["change"] is row["low"] is row["p"] is None
    assert by_metric(public["groups"], "a")["recall"]["difference"]["value"] is not None
