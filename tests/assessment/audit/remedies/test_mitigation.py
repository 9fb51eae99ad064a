"""What would it take? On a made-up service that records one group's outcomes half as often as they happen."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels import storage
from riskmodels.assessment.audit import audit_groups
from riskmodels.assessment.audit.publishing.disclosure import publish
from riskmodels.assessment.audit.remedies.experiments import reweighing
from riskmodels.assessment.audit.remedies.mitigation import try_mitigations
from riskmodels.assessment.audit.remedies.mitigation_words import FIRST, NAMES, UNLAWFUL
from riskmodels.assessment.audit.remedies.published_mitigation import publish_mitigation
from riskmodels.assessment.audit.remedies.stand_ins import telling_features
from riskmodels.assessment.audit.remedies.trials import COULD, SIMULATION, rate_of
from riskmodels.assessment.suppression import PROFILES
from riskmodels.data.cohort import Cohort
from riskmodels.data.dataset import Dataset
from riskmodels.data.features import Features, FeatureSpec
from riskmodels.data.outcomes import Outcomes
from riskmodels.errors import ModelFileError
from riskmodels.models.matrix import fit_encoder
from riskmodels.models.ranking import rank
from riskmodels.models.risk_model import MANIFEST, RiskModel
from riskmodels.models.training import backtest, fit_risk_model
from riskmodels.study import StudyFile
from tests.data.small_study import study_file
from tests.models.made_dataset import DATES, EXTRACTED_ON, the_splits

pytestmark = pytest.mark.slow

PEOPLE = 900
PLACES = 150


def a_study(**sections: Any) -> StudyFile:
    return study_file(
        **{
            "cohort": {"as_of_dates": list(DATES), "steps": []},
            "split": {"test": {"last": 2}, "calibrate": "later"},
            "capacity": {"places": PLACES},
            "features": [{"name": name, "take": "count", "of": "visit", "words": name} for name in ("calls", "area")],
            "models": {"candidates": {"logistic": {"c": 1.0}}},
            "protected": {
                "race": {"column": "people.race", "law": "race", "reference": "a", "words": "ethnic group"},
                "sex": {"column": "people.sex", "law": "sex"},
                "faith": {"column": "people.faith", "law": "religion or belief"},
            },
        }
        | sections
    )


def a_service(recorded: float = 0.5, seed: int = 4) -> tuple[Dataset, pl.DataFrame]:
    """Two ethnic groups in equal need. Of group b's outcomes only a share was on record when a model was fitted.

    ``area`` tells the group; ``calls`` tells the need. Sex has nothing to do with either; a faith is of a handful.
    """
    rng = np.random.default_rng(seed)
    n = PEOPLE * len(DATES)
    need, race = np.tile(rng.normal(0, 1, PEOPLE), len(DATES)), np.tile(rng.random(PEOPLE) < 0.4, len(DATES))
    happened = rng.random(n) < 1 / (1 + np.exp(-(1.5 * need - 0.9)))
    seen = happened & (~race | (rng.random(n) < recorded))
    keys = {
        "entity_id": [f"p{person:04d}" for person in range(PEOPLE)] * len(DATES),
        "as_of_date": [day for day in DATES for _ in range(PEOPLE)],
    }
    values = {"calls": need + rng.normal(0, 0.5, n), "area": race + rng.normal(0, 0.5, n)}
    rows = pl.DataFrame(keys).with_columns(pl.col("entity_id").alias("cluster_id"))

    def outcomes(which: np.ndarray) -> Outcomes:
        told = pl.Series("outcome", which.astype(np.int8), dtype=pl.Int8)
        return Outcomes(pl.DataFrame(keys).with_columns(told, pl.lit("known").alias("outcome_status")), EXTRACTED_ON)

    specs = tuple(FeatureSpec(name, "latest", "s.value", "ever", "s", "number", "keep", words=name) for name in values)
    data = Dataset(
        Cohort(rows, pl.DataFrame(), pl.DataFrame()),
        Features(pl.DataFrame(keys | values), specs),
        outcomes(happened),
        dict.fromkeys(DATES, outcomes(seen)),
    )
    person = np.arange(n) % PEOPLE
    groups = pl.DataFrame(keys).with_columns(
        pl.Series("race", np.where(race, "b", "a").tolist()),
        pl.Series("sex", np.where(person % 2 == 0, "female", "male").tolist()),
        pl.Series("faith", np.where(person < 5, "few", "most").tolist()),
    )
    return data, groups


@dataclasses.dataclass(frozen=True)
class World:
    study: StudyFile
    data: Dataset
    groups: pl.DataFrame
    found: Any
    model: RiskModel
    audit: Any

    def points(self, attribute: str = "race") -> dict[str, dict[str, Any]]:
        rows = [row for row in self.found.points if row["attribute"] == attribute]
        return {f"{row['name']} {row['share']:g}" if row["name"] == "places" else row["name"]: row for row in rows}


def only_race(**sections: Any) -> StudyFile:
    return a_study(protected={"race": {"column": "people.race", "law": "race", "reference": "a"}}, **sections)


def a_world(study: StudyFile, family: str = "logistic") -> World:
    data, groups = a_service()
    splits = the_splits(study)
    predictions = backtest(data, splits, study)
    ranking = rank(predictions.frame, family, study.capacity, study.seed)
    found = try_mitigations(data, splits, ranking, predictions, groups, study)
    model = fit_risk_model(data, splits, family, study)
    return World(study, data, groups, found, model, audit_groups(ranking, groups, study, seed=1))


@pytest.fixture(scope="module")
def world() -> World:
    return a_world(a_study())


# ---------------------------------------------------------------- what is found


def test_reweighing_narrows_the_gap_that_uneven_records_made(world: World) -> None:
    points = world.points()
    today, reweighed = points["today"], points["reweighed"]
    assert (today["worse"], today["better"]) == ("b", "a")
    assert today["gap"]["low"] > 0.05
    assert reweighed["narrower"]
    # Not closed: a share that goes unrecorded bites hardest where risks are high, and a weight is one for all risks.
    assert 0 < reweighed["gap"]["value"] < 0.7 * today["gap"]["value"]
    assert reweighed["gap_change"]["high"] < 0
    # Its price is reported with its uncertainty; here need is equal, so it costs nobody anything.
    assert reweighed["places"] == today["places"] == 2 * PLACES
    assert reweighed["precision_change"]["low"] < reweighed["precision_change"]["high"]
    assert reweighed["more_reached"]["value"] > 0
    assert not today["frontier"]


def test_a_score_without_the_stand_in_narrows_it_too(world: World) -> None:
    row = world.points()["without_stand_ins"]
    assert row["features"] == ["area"]
    assert row["narrower"]


def test_other_sizes_of_the_list_are_the_same_ranking(world: World) -> None:
    points = world.points()
    assert [points[f"places {share:g}"]["places"] for share in (0.5, 1.5, 2)] == [150, 450, 600]
    assert len({points[name]["auc"]["value"] for name in ("today", "places 0.5", "places 2")}) == 1
    assert points["places 0.5"]["reached"] < points["today"]["reached"] < points["places 2"]["reached"]


def test_simulations_are_called_so_and_equal_cuts_close_the_gap(world: World) -> None:
    points = world.points()
    kinds = {name: row["kind"] for name, row in points.items()}
    simulated = {"reduction", "thresholds", "equal_cuts"}
    assert {name for name, kind in kinds.items() if kind == SIMULATION} == simulated
    for name in simulated:
        assert points[name]["places"] == pytest.approx(2 * PLACES)
        assert points[name]["auc"]["value"] is None
    assert abs(points["equal_cuts"]["gap"]["value"]) < 0.02
    assert points["thresholds"]["narrower"]


def test_the_group_counts_of_every_point_add_up_to_the_list(world: World) -> None:
    for row in world.found.points:
        assert sum(group["tp"] for group in row["groups"]) == pytest.approx(row["reached"])
        assert sum(group["tp"] + group["fp"] for group in row["groups"]) == pytest.approx(row["places"])


def test_where_nothing_is_unequal_nothing_is_said_to_help(world: World) -> None:
    assert not any(row["narrower"] for row in world.points("sex").values() if row["kind"] == COULD)
    said = [line for line in world.found.in_words if line.startswith("Sex")]
    assert len(said) == 1
    assert said[0].endswith("This could be chance, so no remedy can be judged.")


def test_groups_that_cannot_be_judged_are_left_out_with_the_reason(world: World) -> None:
    left_out = {(row["attribute"], row["name"]): row["reason"] for row in world.found.left_out}
    assert left_out["faith", None] == "fewer than two of its groups have 100 known rows that had the outcome"
    assert "no feature tells the group apart" in left_out["sex", "without_stand_ins"]


def test_the_words_begin_with_what_comes_first_and_end_with_the_law(world: World) -> None:
    words = world.found.in_words
    assert words[: len(FIRST)] == FIRST
    assert words[-1] == UNLAWFUL
    price = next(line for line in words if NAMES["reweighed"] in line)
    assert price.startswith("Ethnic group: one score, taught on reweighed records. Of 100 places, ")
    assert "Of 100 people who needed help in the group b, about" in price
    assert "would be missed; today, about" in price


def test_the_same_seed_gives_the_same_numbers(world: World) -> None:
    again = [row for row in a_world(only_race()).found.points if row["attribute"] == "race"]
    first = [row for row in world.found.points if row["attribute"] == "race"]
    assert storage.canonical_json(again) == storage.canonical_json(first)


def test_a_simple_sort_is_taught_as_another_family_and_that_is_said() -> None:
    found = a_world(only_race(), "single_best_column").found
    assert (found.family, found.refitted) == ("single_best_column", "logistic")
    assert {row["family"] for row in found.points if row["name"] == "other_family"} == {"logistic"}


def test_a_family_that_the_study_does_not_try_is_taught_all_the_same() -> None:
    found = a_world(only_race(models={"candidates": {}}), "points").found
    assert found.refitted == "logistic"
    assert {"reweighed", "other_family"} <= {row["name"] for row in found.points}


def test_a_list_by_lot_can_be_looked_at_too() -> None:
    """Everybody has the same risk, so chance alone decides who is on today's list."""
    found = a_world(only_race(), "base_rate").found
    assert {row["name"] for row in found.left_out if row["attribute"] == "race"} == {"thresholds"}
    assert {row["family"] for row in found.points if row["name"] == "today"} == {"base_rate"}


def test_a_punitive_purpose_looks_at_false_alarms() -> None:
    found = a_world(only_race(purpose="punitive")).found
    assert found.metric == "fpr"
    assert any("wrongly picks" in line for line in found.in_words)
    assert {row["metric"] for row in found.points} == {"fpr"}


# ---------------------------------------------------------------- weights and stand-ins


def test_weights_by_hand():
    """Group 0 has outcomes 1, 1, 0; group 1 has 0. P(g) P(y) / P(g, y): 3/4 * 1/2 / (1/2) = 3/4 and so on."""
    weights = reweighing(np.array([0, 0, 0, 1]), np.array([1, 1, 0, 0]))
    np.testing.assert_allclose(weights, [0.75, 0.75, 1.5, 0.5])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1)), min_size=1, max_size=60))
def test_weighted_outcomes_do_not_depend_on_the_group(rows):
    groups, outcome = (np.array(part) for part in zip(*rows, strict=True))
    weights = reweighing(groups, outcome)
    overall = outcome.mean()
    for group in np.unique(groups):
        own = groups == group
        if len(set(outcome[own])) == 2:
            assert np.average(outcome[own], weights=weights[own]) == pytest.approx(overall)


def test_stand_ins_are_those_that_tell_most(world: World) -> None:
    matrix = fit_encoder(world.data.features).encode(world.data.features.frame)
    member = (world.groups["race"] == "b").to_numpy()
    assert telling_features(matrix, member) == ("area",)
    assert telling_features(matrix, np.zeros(len(member), dtype=bool)) == ()
    assert telling_features(matrix, ~member) == ("area",)


# ---------------------------------------------------------------- fit to be shown


def test_what_is_published_is_rounded_and_says_the_same_thing_everywhere(world: World) -> None:
    audit, _ = publish(world.audit.to_dict())
    published, _ = publish_mitigation(world.found.to_dict(), audit)
    assert json.loads(json.dumps(published)) == published
    for row in published["points"]:
        for group in row["groups"]:
            counts = [group[name] for name in ("tp", "fn", "fp", "tn") if group[name] is not None]
            assert all(count % 5 == 0 and count >= 10 for count in counts)
        assert row["reached"] is None or row["reached"] % 5 == 0
        if row["gap"]["value"] is not None:
            rates = {group["group"]: rate_of(group, row["metric"]) for group in row["groups"]}
            assert row["gap"]["value"] == pytest.approx(rates[row["better"]] - rates[row["worse"]], abs=6e-3)
    today = next(row for row in published["points"] if row["name"] == "today" and row["attribute"] == "race")
    recall = {row["group"]: row["metrics"]["recall"]["value"] for row in audit["rows"] if row["attribute"] == "race"}
    assert {group["group"]: round(rate_of(group, "recall") or 0, 2) for group in today["groups"]} == recall


def test_a_group_that_the_audit_hides_is_hidden_here(world: World) -> None:
    audit, _ = publish(world.audit.to_dict())
    for row in audit["rows"]:
        if (row["attribute"], row["group"]) == ("race", "b"):
            row["metrics"]["recall"] = {"value": None, "reason": "not shown"}
    published, log = publish_mitigation(world.found.to_dict(), audit)
    for row in published["points"]:
        if row["attribute"] == "race":
            hidden = next(group for group in row["groups"] if group["group"] == "b")
            assert {hidden[name] for name in ("tp", "fn", "fp", "tn")} == {None}
            assert row["gap"]["value"] is row["gap_change" if row["gap_change"] else "gap"]["value"] is None
            assert row["largest_gap"] is None
            assert row["frontier"] is None
            assert row["narrower"] is None
            assert row["ratio"]["value"] is None
    assert any("race" in line["where"] for line in log)
    assert "Ethnic group: how the groups fare is not shown." in published["in_words"]


def test_small_counts_of_a_trial_are_hidden_whatever_the_audit_shows(world: World) -> None:
    raw = world.found.to_dict()
    for row in raw["points"]:
        if row["attribute"] == "race" and row["name"] == "reweighed":
            row["groups"][1] |= {"tp": 7.0}
    audit, _ = publish(world.audit.to_dict())
    published, _ = publish_mitigation(raw, audit)
    row = next(row for row in published["points"] if (row["attribute"], row["name"]) == ("race", "reweighed"))
    assert row["groups"][1]["tp"] is None
    assert row["gap"]["value"] is row["largest_gap"] is row["frontier"] is None


def test_of_places_nothing_is_hidden(world: World) -> None:
    audit, _ = publish(world.audit.to_dict(), "places")
    published, log = publish_mitigation(world.found.to_dict(), audit, PROFILES["places"])
    assert not [line for line in log if "race" in line["where"]]
    assert all(row["gap"]["value"] is not None for row in published["points"])


# ---------------------------------------------------------------- nothing of it can score anybody


def walk(value: Any, where: str = "mitigation") -> Iterator[tuple[str, Any]]:
    """Every object that can be reached, with the way to it."""
    yield where, value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from walk(getattr(value, field.name), f"{where}.{field.name}")
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from walk(key, f"{where} key")
            yield from walk(inner, f"{where}[{key!r}]")
    elif isinstance(value, (list, tuple, set, frozenset)):
        for position, inner in enumerate(value):
            yield from walk(inner, f"{where}[{position}]")
    elif hasattr(value, "__dict__"):
        yield from walk(vars(value), f"{where}.__dict__")


def test_what_is_found_holds_numbers_and_words_and_nothing_that_predicts(world: World) -> None:
    plain = (str, int, float, bool, type(None), dict, list, tuple)
    for where, value in walk(world.found):
        assert value is world.found or type(value) in plain, where
        assert not any(hasattr(value, name) for name in ("predict", "fit", "score", "to_files")), where


def test_no_single_person_can_be_found_in_it(world: World) -> None:
    """Selections are arrays of people; none leaves."""
    assert all(not isinstance(value, (list, tuple)) or len(value) < PEOPLE // 4 for _, value in walk(world.found))


def test_the_model_that_scores_knows_no_group(world: World) -> None:
    content = b"".join(world.model.to_files().values())
    for name in ("race", "sex", "faith", "female"):
        assert f'"{name}"'.encode() not in content
    frame = world.data.features.frame
    told = frame.with_columns(world.groups["race"], world.groups["sex"])
    np.testing.assert_array_equal(world.model.predict_risk(told), world.model.predict_risk(frame))


def resealed(files: dict[str, bytes], **changed: bytes) -> dict[str, bytes]:
    """The files with some put in place of others, and a manifest that vouches for them."""
    made = {name: content for name, content in files.items() if name != MANIFEST} | changed
    manifest = json.loads(files[MANIFEST])
    manifest["files"] = {name: storage.sha256(made[name]) for name in sorted(made)}
    return made | {MANIFEST: storage.canonical_json(manifest)}


@pytest.mark.parametrize("family", ["thresholds", "equal_cuts", "reduction", "randomised", "reweighed"])
def test_an_experiment_is_no_family_that_can_be_loaded(world: World, family: str) -> None:
    files = world.model.to_files()
    model, manifest = json.loads(files["model.json"]), json.loads(files[MANIFEST])
    model["family"] = manifest["family"] = family
    made = resealed(files | {MANIFEST: storage.canonical_json(manifest)}, **{"model.json": json.dumps(model).encode()})
    with pytest.raises(ModelFileError):
        RiskModel.from_files(made)


@pytest.mark.parametrize("name", ["thresholds.json", "groups.json", "postprocessor.pkl", "interpolation.json"])
def test_a_file_of_thresholds_by_group_does_not_belong_in_a_model(world: World, name: str) -> None:
    made = resealed(world.model.to_files(), **{name: json.dumps({"a": 0.4, "b": 0.3}).encode()})
    with pytest.raises(ModelFileError, match="does not belong"):
        RiskModel.from_files(made)


@pytest.mark.parametrize("file", ["model.json", "calibrator.json"])
def test_thresholds_by_group_slipped_into_a_file_are_refused_or_change_nobody(world: World, file: str) -> None:
    files = world.model.to_files()
    raw = json.loads(files[file]) | {"thresholds": {"a": 0.4, "b": 0.3}, "random_state": 1}
    frame = world.data.features.frame.with_columns(world.groups["race"])
    try:
        loaded = RiskModel.from_files(resealed(files, **{file: json.dumps(raw).encode()}))
    except ModelFileError:
        return
    np.testing.assert_array_equal(loaded.predict_risk(frame), world.model.predict_risk(frame))
    assert b"thresholds" not in b"".join(loaded.to_files().values())
