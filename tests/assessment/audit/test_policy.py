import hashlib

import pytest
import yaml

from riskmodels.assessment.audit.policy import POLICIES, load_policy
from riskmodels.errors import StudyError

DEFAULT = (POLICIES / "default.yaml").read_bytes()


def written(tmp_path, **changes):
    path = tmp_path / "committee.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(DEFAULT) | changes))
    return str(path)


def test_the_default_policy_says_what_the_specification_says():
    policy = load_policy()
    assert policy.ratio_band == (0.8, 1.25)
    assert policy.slope_band == (0.8, 1.2)
    assert policy.smallest_gap == 0.05
    assert (policy.floors.show, policy.floors.ratio, policy.floors.verdict, policy.floors.slope_events) == (
        10,
        30,
        100,
        500,
    )
    assert (policy.missing.bounds_above, policy.missing.cap_above) == (0.05, 0.2)
    assert policy.sha256 == hashlib.sha256(DEFAULT).hexdigest()
    assert policy.widened == ()


@pytest.mark.parametrize(
    ("purpose", "metrics"),
    [
        ("assistive", ("recall", "oe_ratio", "calibration_slope")),
        ("punitive", ("fpr", "fdr", "oe_ratio", "calibration_slope")),
        ("mixed", ("recall", "fpr", "fdr", "oe_ratio", "calibration_slope")),
    ],
)
def test_the_purpose_decides_what_carries_a_verdict(purpose, metrics):
    policy = load_policy()
    assert policy.primary(purpose, "need") == metrics
    assert set(policy.primary(purpose, "service")) == {*metrics, "selection_rate"}


def test_a_tighter_policy_is_no_widening(tmp_path):
    policy = load_policy(written(tmp_path, ratio_band=[0.9, 1.1], smallest_gap=0.02))
    assert policy.widened == ()
    assert policy.sha256 != load_policy().sha256


def test_a_wider_policy_is_recorded(tmp_path):
    verdict_metrics = {"assistive": ["precision"], "punitive": ["fpr", "fdr"], "mixed": ["recall", "fpr", "fdr"]}
    policy = load_policy(written(tmp_path, ratio_band=[0.5, 1.25], every_purpose=[], verdict_metrics=verdict_metrics))
    assert policy.widened == ("every_purpose", "ratio_band", "verdict_metrics.assistive")


FLOORS = yaml.safe_load(DEFAULT)["floors"]
MISSING = yaml.safe_load(DEFAULT)["missing"]


@pytest.mark.parametrize(
    ("changes", "widened"),
    [
        ({"most_groups": 2}, ("most_groups",)),
        ({"most_groups": 90}, ()),
        ({"replicates": 200}, ("replicates",)),
        ({"replicates": 4000}, ()),
        ({"power": 0.5}, ("power",)),
        ({"secondary": []}, ("secondary",)),
        ({"floors": FLOORS | {"show": 100_000}}, ("floors.show",)),
        ({"floors": FLOORS | {"show": 1}}, ("floors.show",)),
        ({"missing": MISSING | {"words": [*MISSING["words"], "female"]}}, ("missing.words",)),
        ({"missing": MISSING | {"words": MISSING["words"][1:]}}, ("missing.words",)),
        ({"missing": MISSING | {"words": [word.upper() for word in MISSING["words"]]}}, ()),
    ],
)
def test_what_could_hide_a_group_is_recorded(tmp_path, changes, widened):
    assert load_policy(written(tmp_path, **changes)).widened == widened


def test_what_is_judged_need_not_be_looked_at_besides(tmp_path):
    judged = {purpose: ["recall", "fpr", "fdr", "for", "precision"] for purpose in ("assistive", "punitive", "mixed")}
    policy = load_policy(written(tmp_path, verdict_metrics=judged, secondary=["selection_rate"]))
    assert policy.widened == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ratio_band": [0.8, 0.9]}, "ratio_band"),
        ({"floors": {"show": 10, "ratio": 30, "verdict": 100}}, "floors.slope_events"),
        ({"colour": "green"}, "colour"),
        ({"sha256": "0"}, "nothing else"),
        ({"verdict_metrics": {"assistive": ["recal"]}}, "verdict_metrics.assistive"),
    ],
)
def test_a_broken_policy_is_one_line(tmp_path, changes, said):
    with pytest.raises(StudyError, match=said) as error:
        load_policy(written(tmp_path, **changes))
    assert "\n" not in str(error.value)


def test_an_unknown_policy_names_those_there_are():
    with pytest.raises(StudyError, match="one of: default"):
        load_policy("lenient")
