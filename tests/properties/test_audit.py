"""What the fairness audit must do with any data: agree with fairlearn, add up, and not mind how columns are written."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from fairlearn.metrics import (
    MetricFrame,
    count,
    false_negative_rate,
    false_positive_rate,
    mean_prediction,
    selection_rate,
    true_positive_rate,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_score, roc_curve

from riskmodels.assessment.audit import audit_predictions
from riskmodels.assessment.audit.policy import Floors, load_policy
from riskmodels.assessment.audit.publishing.disclosure import publish
from riskmodels.assessment.suppression import PROFILES
from riskmodels.storage import canonical_json
from riskmodels.study import Protected

QUICK = load_policy().model_copy(update={"replicates": 200})
SHOW_ALL = QUICK.model_copy(update={"floors": Floors(show=1, ratio=1, verdict=100, slope_events=500)})
COUNTS = ("tp", "fp", "fn", "tn", "unknown")


def audited(outcome, selected, groups, risk=None, policy=SHOW_ALL, purpose="mixed", **more):
    risk = np.full(len(outcome), 0.3) if risk is None else risk
    return audit_predictions(outcome, risk, selected, groups, purpose=purpose, seed=1, policy=policy, **more)


@st.composite
def tables(draw, largest=80):
    """Outcomes (some not known), a list, two characteristics (some not recorded), and who lives together."""
    n = draw(st.integers(2, largest))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    outcome = rng.choice(
        [0.0, 1.0, np.nan], n, p=draw(st.sampled_from([(0.5, 0.4, 0.1), (0.9, 0.1, 0.0), (0.2, 0.5, 0.3)]))
    )
    selected = rng.random(n) < draw(st.sampled_from([0.0, 0.1, 0.5, 1.0]))
    groups = {
        "race": rng.choice(np.array(["a", "b", "c", None], dtype=object), n, p=[0.5, 0.3, 0.1, 0.1]),
        "sex": rng.choice(np.array(["f", "m"], dtype=object), n),
    }
    assume(all(len({value for value in column if value is not None}) > 1 for column in groups.values()))
    return outcome, selected, groups, rng.integers(0, max(n // 2, 1), n)


# ---------------------------------------------------------------- the numbers


@settings(max_examples=40, deadline=None)
@given(tables())
def test_every_rate_is_fairlearns(table):
    """On the rows whose outcome is known; the selection rate on all. Where fairlearn says 0 of nobody, we say why."""
    outcome, selected, groups, house = table
    known = ~np.isnan(outcome)
    assume(known.sum() > 0)
    found = audited(outcome, selected, groups, clusters=house)
    y, s = outcome[known].astype(int), selected[known].astype(int)
    rates = {
        "recall": true_positive_rate, "fpr": false_positive_rate, "fnr": false_negative_rate,
        "base_rate": lambda y, s: mean_prediction(y, y),
        "precision": lambda y, s: precision_score(y, s, zero_division=0.0),
        "fdr": lambda y, s: precision_score(1 - y, s, zero_division=0.0),
        "for": lambda y, s: precision_score(y, 1 - s, zero_division=0.0),
    }  # fmt: skip
    for name, column in groups.items():
        told = pd.Series(column).fillna("Not recorded").to_numpy()
        of_known = MetricFrame(metrics=rates, y_true=y, y_pred=s, sensitive_features=told[known].tolist()).by_group
        of_all = MetricFrame(
            metrics={"n": count, "rate": selection_rate}, y_true=selected, y_pred=selected.astype(int),
            sensitive_features=told.tolist(),
        ).by_group  # fmt: skip
        rows = [row for row in found.rows if row["attribute"] == name]
        assert {row["group"] for row in rows} == set(of_all.index)
        for row in rows:
            assert row["n"] == of_all.loc[row["group"], "n"]
            assert row["metrics"]["selection_rate"]["value"] == pytest.approx(of_all.loc[row["group"], "rate"])
            if row["group"] not in of_known.index:
                assert row["unknown"] == row["n"]
                continue
            for metric, theirs in of_known.loc[row["group"]].items():
                own = row["metrics"][metric]
                if own["value"] is None:
                    assert theirs == 0
                    assert own["reason"].startswith("nobody ")
                else:
                    assert own["value"] == pytest.approx(theirs), (row["group"], metric)
                    assert own["low"] <= own["value"] <= own["high"]


@settings(max_examples=40, deadline=None)
@given(tables())
def test_counts_add_up_to_the_whole_in_every_attribute(table):
    outcome, selected, groups, _ = table
    found = audited(outcome, selected, groups)
    known = ~np.isnan(outcome)
    whole = {
        "n": len(outcome), "positives": np.nansum(outcome), "selected": selected.sum(), "unknown": (~known).sum(),
        "unknown_selected": (selected & ~known).sum(), "expected": 0.3 * known.sum(),
        "tp": (selected & (outcome == 1)).sum(), "tn": (~selected & (outcome == 0)).sum(),
    }  # fmt: skip
    for name in groups:
        rows = [row for row in found.rows if row["attribute"] == name]
        for key, total in whole.items():
            assert sum(row[key] for row in rows) == pytest.approx(total), (name, key)
        for row in rows:
            assert sum(row[part] for part in COUNTS) == row["n"]
        shares = [row for row in found.composition if row["attribute"] == name]
        assert sum(row["in_cohort"] for row in shares) == pytest.approx(1.0)


@settings(max_examples=30, deadline=None)
@given(tables())
def test_chouldechovas_identity_holds_in_every_group(table):
    """FPR = p/(1-p) * (1-PPV)/PPV * (1-FNR), wherever all four are there (Chouldechova 2017)."""
    outcome, selected, groups, _ = table
    for row in audited(outcome, selected, groups).rows:
        values = {name: metric["value"] for name, metric in row["metrics"].items()}
        if None in (values["fpr"], values["precision"], values["fnr"]) or values["precision"] == 0:
            continue
        p, ppv = values["base_rate"], values["precision"]
        assert values["fpr"] == pytest.approx(p / (1 - p) * (1 - ppv) / ppv * (1 - values["fnr"]))


def test_a_reference_of_which_nobody_is_found_has_no_lower_bound():
    """One in seven is of no recorded group; of the reference, nobody who needed help was listed."""
    race = np.array(["b", "c", "a", None, "a", "b", "b"], dtype=object)
    found = audited([0, 1, 1, 0, 1, 0, 1], [0, 1, 0, 0, 0, 0, 0], {"race": race})
    bounds = {(row["group"], row["metric"]): row for row in found.missing[0]["bounds"]}
    assert bounds["c", "recall"]["low"] is bounds["c", "recall"]["high"] is None


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(PROFILES)))
def test_published_rates_still_belong_together(seed, profile):
    """Chouldechova's identity holds of rates made of rounded counts too: FPR = p/(1-p) * (1-PPV)/PPV * (1-FNR)."""
    rng = np.random.default_rng(seed)
    race = rng.choice(["a", "b", "c", "d"], 2000, p=[0.6, 0.3, 0.08, 0.02])
    outcome = (rng.random(2000) < 0.4).astype(int)
    selected = rng.random(2000) < 0.2 + 0.4 * outcome
    shown, _ = publish(audited(outcome, selected, {"race": race}, policy=QUICK).to_dict(), profile)
    checked = 0
    for row in shown["rows"]:
        values = {name: metric["value"] for name, metric in row["metrics"].items()}
        if None in (values[name] for name in ("fpr", "precision", "fnr", "base_rate")):
            continue
        p, ppv = values["base_rate"], values["precision"]
        expected = p / (1 - p) * (1 - ppv) / ppv * (1 - values["fnr"])
        # Four rates to two decimals: each half a hundredth off, all one way, makes 0.02 at worst here.
        assert values["fpr"] == pytest.approx(expected, abs=0.025)
        checked += 1
    assert checked >= 2


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 10))
def test_a_list_by_risk_lies_inside_every_groups_roc_hull(seed, tenths):
    """So does a point with equal odds, were there one: it is a mixture of such lists (Hardt, Price, Srebro 2016)."""
    rng = np.random.default_rng(seed)
    n = 600
    race = rng.choice(["a", "b"], n)
    risk = np.round(rng.beta(2, 4, n), 2)  # with ties
    outcome = (rng.random(n) < np.where(race == "b", risk**2, risk)).astype(int)
    assume(all(len(set(outcome[race == group])) == 2 for group in "ab"))
    order = np.lexsort((rng.random(n), -risk))
    selected = np.zeros(n, dtype=bool)
    selected[order[: n * tenths // 11]] = True
    found = audited(outcome, selected, {"race": race}, risk)
    for row in found.rows:
        own = race == row["group"]
        fpr, tpr, _ = roc_curve(outcome[own], risk[own], drop_intermediate=False)
        x, y = row["metrics"]["fpr"]["value"], row["metrics"]["recall"]["value"]
        # The hull above x is the highest line between two points of the curve, one on either side.
        left, right = fpr <= x + 1e-12, fpr >= x - 1e-12
        highest = max(
            ty if abs(tx - sx) < 1e-12 else sy + (ty - sy) * (x - sx) / (tx - sx)
            for sx, sy in zip(fpr[left], tpr[left], strict=True) for tx, ty in zip(fpr[right], tpr[right], strict=True)
        )  # fmt: skip
        # Where ties are broken by chance a group may do better than the mixture; by at most the tied people.
        tied = own & (risk == risk[selected].min())
        slack = (tied & (outcome == 1)).sum() / (own & (outcome == 1)).sum()
        assert y <= highest + slack + 1e-9


# ---------------------------------------------------------------- what does not matter


def world(seed, n=900):
    rng = np.random.default_rng(seed)
    race = rng.choice(["0", "1", "2"], n, p=[0.5, 0.4, 0.1])
    risk = np.clip(rng.beta(2, 5, n), 0.01, 0.99)
    outcome = (rng.random(n) < risk).astype(int)
    selected = rng.random(n) < np.where(outcome == 1, 0.6, 0.1)
    return outcome, selected, race, risk, rng.integers(0, n // 2, n)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_rows_does_not_matter(seed):
    outcome, selected, race, risk, house = world(seed)
    order = np.random.default_rng(seed).permutation(len(race))
    one = audited(outcome, selected, {"race": race}, risk, QUICK, clusters=house).to_dict()
    other = audited(
        outcome[order], selected[order], {"race": race[order]}, risk[order], QUICK, clusters=house[order]
    ).to_dict()  # fmt: skip
    assert {key: one[key] for key in ("verdict", "judged", "in_words", "composition", "missing")} == {
        key: other[key] for key in ("verdict", "judged", "in_words", "composition", "missing")
    }
    for mine, theirs in zip(one["contrasts"], other["contrasts"], strict=True):
        for name in ("ratio", "low", "high", "gap", "p"):
            same = theirs[name]
            assert mine[name] == (None if same is None else pytest.approx(same, rel=1e-4, abs=1e-9))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.permutations(["zeta", "alpha", "Not really"]))
def test_names_of_groups_do_not_matter(seed, names):
    """Names decide the order of rows, and with it which resamples are drawn; nothing that was counted."""
    outcome, selected, race, risk, house = world(seed)
    called = dict(zip(("0", "1", "2"), names, strict=True))
    protected = [{"race": Protected(column="x.y", law="race", reference=name)} for name in ("0", called["0"])]
    one = audited(outcome, selected, {"race": race}, risk, QUICK, clusters=house, protected=protected[0])
    other = audited(
        outcome, selected, {"race": [called[group] for group in race]}, risk, QUICK, clusters=house,
        protected=protected[1],
    )  # fmt: skip
    theirs = {row["group"]: row for row in other.rows}
    for row in one.rows:
        same = theirs[called[row["group"]]]
        assert [row[name] for name in (*COUNTS, "n", "selected")] == [same[name] for name in (*COUNTS, "n", "selected")]
        for metric, own in row["metrics"].items():
            assert own["value"] == (None if own["value"] is None else pytest.approx(same["metrics"][metric]["value"]))
            assert own.get("reason") == same["metrics"][metric].get("reason")
    keyed = {(row["group"], row["reference"], row["metric"], row["against"]): row for row in other.contrasts}
    for row in one.contrasts:
        reference = called.get(row["reference"], row["reference"])
        same = keyed[called[row["group"]], reference, row["metric"], row["against"]]
        assert (row["ratio"] is None) == (same["ratio"] is None)
        if row["ratio"] is not None:
            assert row["ratio"] == pytest.approx(same["ratio"])
            assert row["gap"] == pytest.approx(same["gap"])
        if row["ratio"] is not None and row["smallest_cell"] >= 20:
            # 200 resamples tell a standard error, and what makes intervals simultaneous, to about one in ten.
            on_scale = (lambda end: end) if row["metric"] == "calibration_slope" else np.log
            widths = [on_scale(each["high"]) - on_scale(each["low"]) for each in (row, same)]
            assert widths[0] == pytest.approx(widths[1], rel=0.4)


AS_NUMBERS = {
    "integers": lambda codes: codes.astype(np.int64),
    "small integers": lambda codes: codes.astype(np.uint8),
    "fractions": lambda codes: codes.astype(np.float64),
    "objects": lambda codes: codes.astype(object),
    "pandas Int64": lambda codes: pd.Series(codes, dtype="Int64"),
    "pandas pyarrow": lambda codes: pd.Series(codes, dtype="int64[pyarrow]"),
    "arrow": lambda codes: pa.chunked_array([pa.array(codes)]),
    "polars": lambda codes: pl.Series(codes),
    "category of numbers": lambda codes: pd.Series(codes, dtype="category"),
}
AS_TEXT = {
    "list": lambda text: text.tolist(),
    "numpy objects": lambda text: text.astype(object),
    "pandas objects": lambda text: pd.Series(text, dtype=object),
    "pandas string": lambda text: pd.Series(text, dtype="string"),
    "pandas str": lambda text: pd.Series(text, dtype="str"),
    "pandas pyarrow": lambda text: pd.Series(text, dtype="string[pyarrow]"),
    "pandas category": lambda text: pd.Series(text, dtype="category"),
    "pandas category in its own order": lambda text: pd.Series(
        pd.Categorical(text, categories=["2", "0", "1", "nobody's"], ordered=True)
    ),
    "arrow": lambda text: pa.chunked_array([pa.array(text)]),
    "arrow dictionary": lambda text: pa.chunked_array([pa.array(text).dictionary_encode()]),
    "polars": lambda text: pl.Series(text),
    "polars Categorical": lambda text: pl.Series(text).cast(pl.Categorical),
    "polars Enum": lambda text: pl.Series(text).cast(pl.Enum(["2", "1", "0", "nobody's"])),
    "with blanks around": lambda text: [f" {value} " for value in text],
}
AS_FLAGS = {
    "numpy": lambda flags: flags,
    "list": lambda flags: flags.tolist(),
    "pandas": lambda flags: pd.Series(flags),
    "pandas boolean": lambda flags: pd.Series(flags, dtype="boolean"),
    "pandas pyarrow": lambda flags: pd.Series(flags, dtype="bool[pyarrow]"),
    "arrow": lambda flags: pa.chunked_array([pa.array(flags)]),
    "polars": lambda flags: pl.Series(flags),
}


@pytest.fixture(scope="module")
def plain():
    return world(7)


@pytest.mark.parametrize("how", [*AS_TEXT, *(f"{name} as numbers" for name in AS_NUMBERS)])
def test_how_a_group_is_written_does_not_matter(plain, how):
    outcome, selected, race, risk, house = plain
    name = how.removesuffix(" as numbers")
    column = AS_TEXT[name](race) if how == name else AS_NUMBERS[name](race.astype(np.int64))
    whole = canonical_json(audited(outcome, selected, {"race": race}, risk, QUICK, clusters=house).to_dict())
    found = audited(outcome, selected, {"race": column}, risk, QUICK, clusters=house)
    assert canonical_json(found.to_dict()) == whole


@pytest.mark.parametrize("how", AS_FLAGS)
def test_how_true_and_false_are_written_does_not_matter(plain, how):
    outcome, selected, race, risk, house = plain
    flag = race == "1"
    words = np.where(flag, "true", "false")
    whole = canonical_json(audited(outcome, selected, {"x": words}, risk, QUICK, clusters=house).to_dict())
    write = AS_FLAGS[how]
    found = audited(write(outcome == 1), write(selected), {"x": write(flag)}, risk, QUICK, clusters=house)
    assert canonical_json(found.to_dict()) == whole


@pytest.mark.parametrize("how", ["float", "Int8", "Float64", "int8[pyarrow]", "objects", "polars", "polars float"])
def test_how_an_outcome_is_written_does_not_matter(plain, how):
    """Some are not known: nan, NA, None, null."""
    outcome, selected, race, risk, house = plain
    some = outcome.astype(np.float64)
    some[::6] = np.nan
    values = [None if np.isnan(value) else int(value) for value in some]
    written = {
        "float": some, "objects": values, "polars": pl.Series(values, dtype=pl.Int8),
        "polars float": pl.Series(some),
    }.get(how)  # fmt: skip
    column = pd.Series(values, dtype=how) if written is None else written
    whole = canonical_json(audited(values, selected, {"race": race}, risk, QUICK, clusters=house).to_dict())
    found = audited(column, pd.Series(selected.astype(int)), {"race": race}, pd.Series(risk), QUICK, clusters=house)
    assert canonical_json(found.to_dict()) == whole
