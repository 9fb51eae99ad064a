"""The list that the service would use, in the card: every number beside the model's own list's, and no handful."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest

from riskmodels.assessment.list_after_rules import FATES as CODES
from riskmodels.assessment.suppression import SMALL_OR_TELLING
from riskmodels.cards.after_rules_published import published_after_rules, tells
from riskmodels.cards.after_rules_tables import FATES, NOT_SIDE_BY_SIDE, after_rules_tables, after_rules_words
from riskmodels.cards.closer import PARTS, Looked
from riskmodels.cards.shown import Shown
from riskmodels.cards.words import language_of
from riskmodels.study import Study
from riskmodels.study.use import ServiceRule
from tests.cards import example_card as example


def estimate(hits: int, n: int) -> dict[str, Any]:
    return {"value": hits / n, "low": hits / n / 2, "high": (1 + hits / n) / 2, "n": n}


def a_list(hits: int, known: int, selected: int, events: int = 200) -> dict[str, Any]:
    return {
        "selected": selected, "known": known, "unknown": selected - known, "hits": hits,
        "precision": estimate(hits, known), "recall": estimate(hits, events),
        "precision_bounds": [hits / selected, (hits + selected - known) / selected],
        "recall_bounds": [hits / (events + 40), (hits + 20) / (events + 20)],
    }  # fmt: skip


def counts(n: int, known: int, hits: int) -> dict[str, int]:
    return {"n": n, "known": known, "unknown": n - known, "hits": hits}


def found(**changes: Any) -> dict[str, Any]:
    """300 places on lists of 3,000; 60 on the model's list are already known, 40 of whom had the outcome."""
    raw: dict[str, Any] = {
        "unit": "person",
        "ranked": 3003,
        "places": 300,
        "fates": [
            {"fate": "listed", "n": 300},
            {"fate": "excluded", "n": 180, "rule": "has help", "kind": "already_known", "owner": "o"},
            {"fate": "excluded", "n": 60, "rule": "moved", "kind": "moved", "owner": "o"},
            {"fate": "not_reached", "n": 2463},
        ],
        "model_list": a_list(100, 260, 300),
        "service_list": a_list(90, 255, 300),
        "apart": counts(120, 105, 70),
        "already_known": counts(60, 55, 40),
        "new": {
            "ranked": counts(2823, 2500, 150),
            "apart": counts(60, 50, 30),
            "model_list": {**a_list(60, 205, 240, 150), "yield": estimate(60, 260), "yield_bounds": [0.2, 0.3]},
            "service_list": {**a_list(90, 255, 300, 150), "yield": estimate(90, 255), "yield_bounds": [0.3, 0.45]},
        },
        "teams": [],
    }  # fmt: skip
    return raw | changes


def team(name: str, places: int, selected: int, known: int, hits: int) -> dict[str, Any]:
    return {
        "team": name, "places": places, "selected": selected, "known": known, "unknown": selected - known, "hits": hits,
        "precision": estimate(hits, known), "precision_bounds": [0.0, 1.0],
    }  # fmt: skip


def published(**changes: Any) -> dict[str, Any]:
    return published_after_rules(found(**changes), Shown())


def performance(leads: bool = False, **changes: Any) -> dict[str, Any]:
    return {"at_capacity": {"leads_with_bounds": leads}, "after_rules": published(**changes)}


def study(**sections: Any) -> Study:
    """The example with a rule of its own."""
    made = example.study()
    rule = {"exclude": {"any": next(iter(made.file.facts))}, "because": "has help", "owner": "o"}
    changed = {"service_rules": (ServiceRule.model_validate(rule),)} | sections
    return replace(made, file=made.file.model_copy(update=changed))


LANGUAGE = language_of(example.study().file)


def test_the_two_lists_stand_side_by_side() -> None:
    tables = after_rules_tables(performance(), LANGUAGE)
    assert list(tables) == ["fates", "service_list"]
    listed = tables["service_list"]
    # 100 of 260, and 90 of 255 known; of 200 with the outcome 100 and 90; 60 of 260 and 90 of 255 were new.
    assert [row[1:] for row in listed.rows] == [
        ("39 (19 to 69)", "35 (18 to 68)"),
        ("50 (25 to 75)", "45 (23 to 73)"),
        ("23 (12 to 62)", "35 (18 to 68)"),
        ("29 (15 to 65)", "35 (18 to 68)"),
        ("40 (20 to 70)", "60 (30 to 80)"),
    ]
    bounded = after_rules_tables(performance(leads=True), LANGUAGE)["service_list"]
    assert len(bounded.rows) == len(listed.rows) + 2
    assert bounded.rows[1][1:] == ("between 33 and 47", "between 30 and 45")


def test_what_became_of_everybody_adds_up_as_rounded() -> None:
    rows = after_rules_tables(performance(), LANGUAGE)["fates"].rows
    assert rows == (
        ("Ranked", 3005), ("On the list", 300), ("Left off: has help", 180), ("Left off: moved", 60),
        ("Not reached: the places were taken", 2465),
    )  # fmt: skip


def test_in_words() -> None:
    said = after_rules_words(performance(), LANGUAGE, study())
    assert said[0] == (
        "The model ranks everybody. The service then leaves off those whom its rules name. The next in rank move up."
    )
    assert said[1] == (
        "Of 100 on the list that the service would use, 35 needed help, and 35 of these were not yet known to the "
        "service."
    )
    assert said[2].startswith("Of 100 on the model's own list, 39 needed help, and 23 of these ")
    assert said[3:] == (NOT_SIDE_BY_SIDE,)
    nobody = performance(already_known={"reason": "no rule says who"}, new=None)
    told = after_rules_words(nobody, LANGUAGE, study())
    assert told[1] == "Of 100 on the list that the service would use, 35 needed help."
    assert told[3].endswith("cannot be told: no rule says who.")
    assert len(after_rules_tables(nobody, LANGUAGE)["service_list"].rows) == 2
    both = study(list_unit="household")
    assert "and gives a household one place." in after_rules_words(performance(), LANGUAGE, both)[0]


@pytest.mark.parametrize("left_out", [{}, {"after_rules": None}])
def test_a_study_without_rules_has_no_such_part(left_out: dict[str, Any]) -> None:
    assert after_rules_tables(left_out, LANGUAGE) == {}
    assert after_rules_words(left_out, LANGUAGE, example.study()) == ()
    part = next(part for part in PARTS if part.__name__ == "_after_rules")
    assert not part(Looked(example.study(), LANGUAGE, left_out, None)).words


def test_teams_stand_line_by_line() -> None:
    teams = [team("north", 100, 100, 90, 40), team("south", 100, 80, 70, 30), team("west", 100, 90, 85, 20)]
    rows = after_rules_tables(performance(teams=teams), LANGUAGE)["teams"].rows
    assert [row[:3] for row in rows] == [("north", 100, "all"), ("south", 100, 80), ("west", 100, 90)]
    assert rows[0][3] == "44 (22 to 72)"


# ---------------------------------------------------------------- what must not be shown


def test_one_small_team_takes_another_with_it() -> None:
    """Teams add up to the list: of one hidden alone, the rest would tell."""
    teams = [team("north", 100, 100, 90, 40), team("south", 100, 60, 55, 25), team("west", 10, 8, 8, 3)]
    rows = after_rules_tables(performance(teams=teams), LANGUAGE)["teams"].rows
    assert [row[2:] for row in rows] == [("all", "44 (22 to 72)"), (60, "not shown"), ("fewer", "not shown")]


@pytest.mark.parametrize(
    ("unknown", "hidden"),
    [
        ((10, 20, 15), []),
        ((0, 20, 0), []),  # that none is unknown tells nothing of anybody
        # 97 known of 100: 40 / 97 = .412 is no share of any other number from 95 to 100, so it would tell the three.
        ((3, 20, 15), ["north", "west"]),
        ((3, 0, 9), ["north", "west"]),
        ((3, 0, 0), ["north", "west"]),
    ],
)
def test_a_teams_precision_would_count_its_few_unknown(unknown: tuple[int, int, int], hidden: list[str]) -> None:
    """Of one hidden team alone the rest would tell: the smallest of the others goes with it."""
    places = {"north": 100, "south": 90, "west": 80}
    teams = [
        team(name, count, count, count - few, 40) for (name, count), few in zip(places.items(), unknown, strict=True)
    ]
    rows = published(teams=teams)["teams"]
    assert [row["team"] for row in rows if row["precision"]["value"] is None] == hidden
    assert [row["selected"] for row in rows] == [100, 90, 80]


def test_a_small_count_of_a_rule_is_hidden_and_the_rounding_of_the_others_hides_it() -> None:
    fates = copy.deepcopy(found()["fates"])
    fates[2]["n"] = 3
    rows = dict(after_rules_tables(performance(fates=fates), LANGUAGE)["fates"].rows)  # type: ignore[arg-type]
    assert rows["Left off: moved"] == SMALL_OR_TELLING
    assert rows["Left off: has help"] == 180


@pytest.mark.parametrize(
    ("changes", "hidden"),
    [
        ({}, []),
        ({"apart": counts(12, 12, 9)}, ["service_list.precision", "service_list.recall", "new.service_list.precision",
          "new.service_list.recall", "new.service_list.yield"]),
        ({"apart": counts(0, 0, 0)}, []),
        ({"already_known": counts(30, 30, 4)}, ["new.model_list.precision", "new.model_list.recall",
          "new.model_list.yield"]),
    ],
)  # fmt: skip
def test_two_figures_that_differ_by_a_handful_are_not_both_shown(changes: dict[str, Any], hidden: list[str]) -> None:
    shown = Shown()
    safe = published_after_rules(found(**changes), shown)
    names = [
        f"{name}.{figure}" for name in ("model_list", "service_list") for figure in ("precision", "recall")
        if safe[name][figure]["value"] is None
    ] + [
        f"new.{name}.{figure}" for name in ("model_list", "service_list") for figure in ("precision", "recall", "yield")
        if safe["new"][name][figure]["value"] is None
    ]  # fmt: skip
    assert names == hidden
    assert bool(shown.log) is bool(hidden)


def test_few_events_of_people_already_known_hide_both_recalls_among_the_others() -> None:
    new = copy.deepcopy(found()["new"])
    new["ranked"]["hits"] = 196  # of 200 with the outcome 4 are already known
    safe = published(new=new)["new"]
    assert [safe[name]["recall"]["value"] for name in ("model_list", "service_list")] == [None, None]
    assert safe["service_list"]["precision"]["value"] is not None


def test_few_unknown_outcomes_hide_the_bounds_that_would_count_them() -> None:
    raw = found(service_list=a_list(90, 297, 300))
    assert published_after_rules(raw, Shown())["service_list"]["precision_bounds"] == [None, None]
    assert published()["service_list"]["precision_bounds"] != [None, None]


def test_counts_by_which_lists_differ_stay_out_and_twice_is_once() -> None:
    safe = published()
    assert "apart" not in json.dumps(safe)
    assert "hits" not in json.dumps(safe)
    assert safe["already_known"] == {}
    assert published_after_rules(safe, Shown()) == safe
    assert tells(counts(5, 0, 0), Shown())


def test_every_fate_has_words() -> None:
    assert set(FATES) == set(CODES)
