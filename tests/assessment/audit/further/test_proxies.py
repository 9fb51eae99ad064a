import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from riskmodels.assessment.audit.further import proxies
from riskmodels.assessment.audit.further.proxies import feature_proxies, study_proxies
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.data.features import Features, FeatureSpec
from riskmodels.errors import DataError
from riskmodels.models.ranking import Ranking
from riskmodels.models.telling_apart import tell_apart
from riskmodels.study import Protected, load_study
from tests.conftest import STUDY


def made(n=6000, seed=1, effect=2.0):
    """Two groups: ``deprivation`` is ``effect`` standard deviations higher in one, ``noise`` is the same in both."""
    rng = np.random.default_rng(seed)
    race = rng.choice(["a", "b"], n)
    frame = pl.DataFrame({"deprivation": rng.normal(effect * (race == "b")), "noise": rng.normal(size=n)})
    return frame, race


def by_group(rows):
    return {row["group"]: row for row in rows}


# ---------------------------------------------------------------- how well


@pytest.mark.parametrize("effect", [0.5, 1.0, 2.0])
def test_the_area_is_that_of_the_best_score(effect):
    """With one normal feature of equal spread no score orders better than the feature itself."""
    frame, race = made(effect=effect)
    rows = by_group(feature_proxies(frame, {"race": race}, seed=1))
    best = roc_auc_score(race == "b", frame["deprivation"])
    for group in "ab":
        assert rows[group]["auc_features"] == pytest.approx(best, abs=0.02)
        assert rows[group]["flagged"] == (best > 0.75)
        assert rows[group]["reason"] is None


def test_features_that_say_nothing_come_out_at_a_half():
    """Also in a group of one in fifty, where scores of different fits ranked together would come out below a half."""
    rng = np.random.default_rng(3)
    areas = []
    for seed in range(8):
        frame = pl.DataFrame(rng.normal(size=(3000, 5)))
        rows = feature_proxies(frame, {"race": np.where(rng.random(3000) < 0.03, "few", "many")}, seed=seed)
        areas += [row["auc_features"] for row in rows if row["group"] == "few"]
        assert not any(row["flagged"] or row["carried_by"] for row in rows)
    assert np.mean(areas) == pytest.approx(0.5, abs=0.03)


def test_people_are_not_learned_by_heart():
    """The same person's rows, and a household's, are never on both sides."""
    household = np.repeat(np.arange(300), 4)
    areas = {"apart": [], "by heart": [], "one row each": []}
    for seed in range(6):
        rng = np.random.default_rng(seed)
        race = rng.choice(["a", "b"], 300)[household]
        frame = pl.DataFrame({"address": rng.normal(size=300)[household]})  # tells the household, nothing of its race
        for how, given in {
            "apart": {"clusters": household}, "by heart": {}, "one row each": {"people": household}
        }.items():  # fmt: skip
            areas[how].append(feature_proxies(frame, {"race": race}, seed=seed, **given)[0]["auc_features"])
    assert np.mean(areas["apart"]) == pytest.approx(0.5, abs=0.05)
    assert np.mean(areas["one row each"]) == pytest.approx(0.5, abs=0.05)
    assert np.mean(areas["by heart"]) > 0.65


def test_trees_are_tried_on_the_people_left_out_alone():
    frame, race = made(900)
    features, specs = proxies._as_features(frame)
    matrix = proxies._matrix(features, specs, np.arange(900))
    folds = np.arange(900) % 3
    members = np.stack([race == "b", race == "a"], axis=1)
    told = list(tell_apart(matrix, members, folds, seed=1))
    assert [(part.group, folds[part.rows[0]]) for part in told] == [
        (group, fold) for fold in range(3) for group in (0, 1)
    ]
    for part in told:
        assert set(folds[part.rows]) == {folds[part.rows[0]]}
        assert len(part.rows) == 300
        assert part.scores().shape == (300,)
    # One group is the other one turned round.
    np.testing.assert_allclose(told[0].scores(), -told[1].scores(), atol=1e-6)


# ---------------------------------------------------------------- what carries it


def test_what_carries_it_is_named_strongest_first():
    rng = np.random.default_rng(1)
    race = rng.choice(["a", "b"], 6000)
    strong, weak = rng.normal(1.5 * (race == "b")), rng.normal(0.7 * (race == "b"))
    frame = pl.DataFrame({"noise": rng.normal(size=6000), "weak": weak, "strong": strong})
    row = by_group(feature_proxies(frame, {"race": race}, seed=1))["b"]
    assert [part["feature"] for part in row["carried_by"]][:2] == ["strong", "weak"]
    assert sum(part["share"] for part in row["carried_by"]) == pytest.approx(1.0, abs=0.03)
    assert row["carried_by"][0]["share"] > 2 * row["carried_by"][1]["share"]


def test_columns_of_one_feature_are_one():
    """Two windows of the same count hide each other when only one of them is shuffled."""
    rng = np.random.default_rng(1)
    race = rng.choice(["a", "b"], 6000)
    visits = rng.poisson(1 + 3 * (race == "b")).astype(float)
    frame = pl.DataFrame({"visits_30": visits, "visits_90": 2 * visits, "other": rng.normal(race == "b")})
    apart = by_group(feature_proxies(frame, {"race": race}, seed=1))["b"]["carried_by"]
    line = {"visits_30": "visits", "visits_90": "visits"}
    together = by_group(feature_proxies(frame, {"race": race}, seed=1, belongs_to=line))["b"]["carried_by"]
    assert {part["feature"] for part in together} == {"visits", "other"}
    assert together[0]["feature"] == "visits"
    assert together[0]["share"] >= max(part["share"] for part in apart)


def test_a_feature_that_is_the_attribute_is_left_out_of_it_and_of_it_alone():
    rng = np.random.default_rng(1)
    sex, race = rng.choice(["f", "m"], 2000), rng.choice(["a", "b"], 2000)
    frame = pl.DataFrame({"sex": sex, "noise": rng.normal(size=2000)})
    rows = feature_proxies(frame, {"sex": sex, "race": race}, seed=1, is_the_group={"sex": ["sex"]})
    found = {(row["attribute"], row["group"]): row for row in rows}
    assert found["sex", "f"]["left_out"] == ["sex"]
    assert found["sex", "f"]["auc_features"] == pytest.approx(0.5, abs=0.05)
    assert found["race", "a"]["left_out"] == []
    # Were it left in, it would tell all.
    assert by_group(feature_proxies(frame, {"sex": sex}, seed=1))["f"]["auc_features"] == pytest.approx(1.0)
    alone = feature_proxies(frame.select("sex"), {"sex": sex}, seed=1, is_the_group={"sex": ["sex"]})
    assert {row["reason"] for row in alone} == {"no feature is left to tell it by"}
    assert all(row["auc_features"] is None and row["left_out"] == ["sex"] for row in alone)


# ---------------------------------------------------------------- few people, many people


def test_groups_that_are_too_few_are_answered_with_a_reason():
    frame, race = made(1000)
    race = race.astype(object)
    race[:49] = "few"
    race[49:99] = None
    rows = by_group(feature_proxies(frame, {"race": race}, seed=1))
    assert rows["few"]["auc_features"] is None
    assert rows["few"]["reason"] == "fewer than 50 people in it, or outside it"
    assert not rows["few"]["flagged"]
    # People whose group is not recorded are a group like the others.
    assert rows["Not recorded"]["auc_features"] is not None


def test_too_few_clusters():
    frame, race = made(1000)
    rows = feature_proxies(frame, {"race": race}, seed=1, clusters=np.arange(1000) % 2)
    assert all(row["auc_features"] is None and row["reason"].startswith("too few clusters") for row in rows)


def test_many_people_are_sampled_one_row_each():
    people = np.repeat(np.arange(30_000), 2)
    rows = proxies._one_row_each(people, 60_000, np.random.default_rng(1))
    assert len(rows) == 20_000 == len(set(people[rows]))
    assert (np.diff(rows) > 0).all()
    # Either row of a person is as likely to be taken.
    assert (rows % 2).mean() == pytest.approx(0.5, abs=0.02)
    assert len(proxies._one_row_each(None, 500, np.random.default_rng(1))) == 500


def test_the_same_seed_gives_the_same_rows():
    frame, race = made(2000)
    assert feature_proxies(frame, {"race": race}, seed=4) == feature_proxies(frame, {"race": race}, seed=4)


def test_an_attribute_that_cannot_be_audited_has_no_rows():
    frame, race = made(500)
    assert feature_proxies(frame, {"race": [None] * 500}, seed=1) == ()
    assert {row["attribute"] for row in feature_proxies(frame, {"x": [None] * 500, "race": race}, seed=1)} == {"race"}


# ---------------------------------------------------------------- any table


def test_kinds_of_tables_do_not_matter():
    rng = np.random.default_rng(1)
    frame, race = made(2000)
    town = np.where(rng.random(2000) < 0.7, np.where(race == "a", "north", "south"), "mid")
    frame = frame.with_columns(town=pl.Series(town), flag=pl.Series(race == "a") & pl.Series(rng.random(2000) < 0.5))
    frame = frame.with_columns(
        noise=pl.when(pl.int_range(2000) % 7 == 0).then(None).otherwise("noise"),
        town=pl.when(pl.int_range(2000) % 11 == 0).then(None).otherwise("town"),
    )
    one = feature_proxies(frame, {"race": race}, seed=1)
    assert one[0]["auc_features"] > 0.9
    pandas = frame.to_pandas()
    pandas["town"] = pandas["town"].astype("category")
    for other in (pandas, frame.to_arrow(), frame.with_columns(pl.col("town").cast(pl.Categorical))):
        assert feature_proxies(other, {"race": race}, seed=1) == one


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ([1, 2, 3], "features: is not a table"),
        (pl.DataFrame({"born": [dt.date(2000, 1, 1)] * 3}), "features.born: is neither numbers nor text"),
        (pl.DataFrame({"x": [1, 2]}), "groups.race: 3 values for 2 rows of features"),
        (pd.DataFrame({"x": [object(), object(), object()]}), "features.x: is not a column"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(features, said):
    with pytest.raises(DataError) as refused:
        feature_proxies(features, {"race": ["a", "b", "a"]}, seed=1)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


# ---------------------------------------------------------------- by way of a study


@pytest.fixture(scope="module")
def question():
    return load_study(STUDY).file


def test_a_study_is_asked_by_its_own_words(question):
    """Two dates, in another order in each table; what is the attribute by ``also_feature`` is left out."""
    rng = np.random.default_rng(1)
    n, days = 600, [dt.date(1988, 6, 30), dt.date(1989, 6, 30)]
    ids = [f"p{number}" for number in range(n)]
    keys = pl.DataFrame({"entity_id": ids * 2, "as_of_date": [day for day in days for _ in ids]})
    lunch = rng.choice(["entitled", "not entitled"], n)
    spec = FeatureSpec("school_type", "attribute", "schools.type", "ever", "schools", "category", "keep", "kind")
    features = keys.with_columns(school_type=pl.Series([*np.where(lunch == "entitled", "inner city", "rural")] * 2))
    groups = keys.with_columns(free_lunch=pl.Series([*lunch] * 2))
    ranking = Ranking("points", keys.with_columns(cluster_id=pl.col("entity_id")), {})
    rows = study_proxies(
        ranking, Features(features.reverse(), (spec,)), groups.sample(fraction=1.0, shuffle=True, seed=2), question
    )
    assert [(row["attribute"], row["label"]) for row in rows] == [
        ("free_lunch", "entitled"), ("free_lunch", "not entitled"),
    ]  # fmt: skip
    assert all(row["auc_features"] == pytest.approx(1.0) and row["flagged"] for row in rows)
    assert rows[0]["carried_by"] == [{"feature": "school_type", "share": 1.0}]
    also = question.model_copy(
        update={"protected": question.protected | {
            "free_lunch": Protected(column="equality.type", law="none", also_feature="It is.")
        }}
    )  # fmt: skip
    line = next(line for line in question.features if line.name == "school_type")
    assert also.features_that_are("free_lunch") == (("school_type",) if line.of.endswith(".type") else ())


def test_age_is_left_out_of_age():
    heart = load_study(STUDY.parent / "heart_health_checks").file
    assert heart.features_that_are("sex") == ("sex",)
    assert heart.features_that_are("age") == ("age",)


def test_a_stricter_policy_flags_more():
    frame, race = made(effect=0.7)
    strict = load_policy().model_copy(update={"proxy_auc": 0.6})
    assert not any(row["flagged"] for row in feature_proxies(frame, {"race": race}, seed=1)[:1])
    assert all(row["flagged"] for row in feature_proxies(frame, {"race": race}, seed=1, policy=strict))
