import copy
import json

import numpy as np
import pytest
import yaml

from riskmodels.assessment.audit import audit_predictions
from riskmodels.assessment.audit.exact import counts_file, from_json, to_json, verify
from riskmodels.assessment.audit.policy import POLICIES, load_policy
from riskmodels.assessment.audit.without_risk import audit_without_risk
from riskmodels.cli.audit_lines import print_verification
from riskmodels.errors import DataError
from riskmodels.storage import canonical_json, sha256
from riskmodels.study import PROTECTED_BY_LAW

EXCUSED = dict.fromkeys(PROTECTED_BY_LAW, "Not in this test.")


def rows(n=6000, seed=1):
    rng = np.random.default_rng(seed)
    race = rng.choice(["a", "b", "c", None], n, p=[0.5, 0.3, 0.15, 0.05])
    sex = rng.choice(["f", "m"], n)
    risk = rng.beta(2, 5, n)
    outcome = (rng.random(n) < risk).astype(float)
    outcome[rng.random(n) < 0.05] = np.nan
    selected = rng.random(n) < np.where(race == "b", 0.5, 1.0) * risk
    return outcome, risk, selected, {"race": race, "sex": sex}


def audit(n=6000, clusters=None, **more):
    outcome, risk, selected, groups = rows(n)
    asked = {"purpose": "assistive", "seed": 3, "excused": EXCUSED, "intersections": [("race", "sex")]} | more
    return audit_predictions(outcome, risk, selected, groups, clusters=clusters, **asked)


@pytest.fixture(scope="module")
def found():
    return audit()


@pytest.fixture
def stated(found):
    return copy.deepcopy(to_json(found))


def sealed(value):
    """As somebody would write it who changed the content and knows how its SHA-256 is made."""
    return canonical_json(value | {"sha256": sha256(canonical_json(value["content"]))})


@pytest.mark.parametrize("purpose", ["assistive", "punitive", "mixed"])
@pytest.mark.parametrize("clusters", [None, np.arange(6000) // 3], ids=["rows", "clusters"])
def test_every_verdict_is_worked_out_anew(purpose, clusters):
    audited = audit(purpose=purpose, clusters=clusters, measures="service", level="household")
    verification = verify(counts_file(audited))
    assert verification.differences == ()
    assert verification.agrees
    assert verification.verdict == audited.verdict


def test_the_numbers_are_the_same_to_the_last_digit(found):
    read = from_json(json.loads(counts_file(found))).counted.counted()
    kept = found.exact.basis.counted
    for name in ("counts", "expected", "slopes", "moments", "sums", "pair_counts", "pair_moments"):
        assert np.array_equal(getattr(read, name), getattr(kept, name), equal_nan=True), name
    for name in ("multiplicity", "start", "column", "value"):
        assert getattr(read.patterns, name).tolist() == getattr(kept.patterns, name).tolist()


def test_it_is_not_part_of_what_an_audit_shows(found):
    assert "exact" not in found.to_dict()
    assert "exact" not in repr(found)
    canonical_json(found.to_dict())


def test_it_holds_no_row(found):
    _, risk, _, _ = rows()
    assert all(attribute.codes.size == 0 and attribute.numbers is None for attribute in found.exact.basis.attributes)
    text = counts_file(found).decode()
    assert sum(repr(float(value)) in text for value in risk[:300]) == 0


def test_a_list_of_nobody_proves_nothing_here_too():
    outcome, risk, selected, groups = rows()
    audited = audit_predictions(
        outcome, risk, np.zeros_like(selected), groups, purpose="assistive", seed=1, excused=EXCUSED
    )
    assert verify(counts_file(audited)).agrees


def test_an_audit_without_risks_is_verified_without_calibration():
    outcome, _, selected, groups = rows()
    audited = audit_without_risk(
        outcome, selected, groups, policy=load_policy(), excused=EXCUSED, purpose="assistive", seed=1
    )
    verification = verify(counts_file(audited))
    assert verification.differences == ()
    assert verification.verdict == audited.verdict == "FAIL"


# ---------------------------------------------------------------- what is not the truth


def test_another_verdict_is_found(stated):
    assert stated["content"]["stated"]["verdict"] == "FAIL"
    stated["content"]["stated"]["verdict"] = "PASS"
    verification = verify(sealed(stated))
    assert not verification.agrees
    assert verification.verdict == "FAIL"
    assert verification.differences == ("the verdict is PASS, the counts say FAIL",)


def test_another_contrast_is_found(stated):
    contrast = next(row for row in stated["content"]["stated"]["contrasts"] if row["verdict"] == "FAIL")
    contrast["verdict"], contrast["ratio"] = "PASS", 0.99
    differences = verify(sealed(stated)).differences
    name = f"race, b, recall, {contrast['against']}"
    assert len(differences) == 2
    assert differences[0].startswith(f"{name}: ratio is 0.99, the counts say 0.")
    assert differences[1] == f"{name}: verdict is PASS, the counts say FAIL"


def test_a_contrast_left_out_is_found(stated):
    stated["content"]["stated"]["contrasts"].pop()
    count = len(stated["content"]["stated"]["contrasts"])
    assert verify(sealed(stated)).differences[0] == f"the file states {count} contrasts, the counts give {count + 1}"


def test_a_milder_policy_under_the_shipped_name_is_found(stated):
    stated["content"]["policy"]["ratio_band"] = [0.5, 2.0]
    said = "the policy is not the shipped one, default 2, whose SHA-256 it bears"
    assert said in verify(sealed(stated)).differences


def of_ones_own(tmp_path, **changes):
    path = tmp_path / "committee.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load((POLICIES / "default.yaml").read_bytes()) | changes))
    return load_policy(str(path))


def test_a_policy_of_ones_own_is_said_with_what_it_is_more_lenient_in(tmp_path, capsys):
    policy = of_ones_own(tmp_path, name="committee", ratio_band=[0.5, 2.0])
    verification = verify(counts_file(audit(policy=policy)))
    assert verification.agrees
    assert (verification.own_policy, verification.widened) == ("committee 2", ("ratio_band",))
    print_verification(verification)
    said = capsys.readouterr().out
    assert "By a policy of its own (committee 2), more lenient than the default in: ratio_band." in said


def test_the_shipped_policy_goes_without_saying(found, capsys):
    verification = verify(counts_file(found))
    assert (verification.own_policy, verification.widened) == (None, ())
    print_verification(verification)
    assert "of its own" not in capsys.readouterr().out


def test_a_milder_policy_that_says_it_is_none_is_found(stated):
    """Whoever bends the policy also gives it a SHA-256 of its own, and states that it is nowhere more lenient."""
    stated["content"]["policy"] |= {"sha256": "0" * 64, "ratio_band": [0.5, 2.0], "smallest_gap": 0.5, "widened": []}
    verification = verify(sealed(stated))
    assert not verification.agrees
    assert verification.widened == ("ratio_band", "smallest_gap")
    assert verification.differences[0] == (
        "the policy is stated as more lenient than the default in nothing, its content is so in ratio_band, "
        "smallest_gap"
    )


@pytest.mark.parametrize("changes", [{}, {"every_purpose": []}])
def test_calibration_that_could_not_be_asked_for_makes_no_policy_lenient(tmp_path, changes):
    outcome, _, selected, groups = rows()
    policy = of_ones_own(tmp_path, name="committee", **changes)
    audited = audit_without_risk(outcome, selected, groups, policy=policy, excused=EXCUSED, purpose="assistive", seed=1)
    verification = verify(counts_file(audited))
    assert verification.agrees
    assert verification.widened == policy.widened == tuple(changes)


def test_another_seed_draws_otherwise(stated):
    stated["content"]["seed"] += 1
    assert any("critical values" in line for line in verify(sealed(stated)).differences)


def test_a_count_moved_between_groups_changes_what_is_found(stated):
    numbers = stated["content"]["counted"]
    a, b = numbers["counts"][0], numbers["counts"][1]
    a[3], b[3] = a[3] - 40, b[3] + 40
    with pytest.raises(DataError, match="do not fit its counts"):
        verify(sealed(stated))


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (b"", "not readable as JSON"),
        (b"[1, 2]", "its schema is not"),
        (b'{"schema": "other", "sha256": "", "content": {}}', "its schema is not"),
        (b'{"schema": NaN}', "not readable as JSON"),
        (b"\xff\xfe", "not readable as JSON"),
        (b'{"schema": "riskmodels audit counts 1", "sha256": "", "content": 1e400}', "it was changed"),
    ],
)
def test_another_file_is_refused(file, said):
    with pytest.raises(DataError, match=said):
        verify(file)


def test_a_file_cut_short_is_refused(found):
    with pytest.raises(DataError, match="cut short"):
        verify(counts_file(found)[:-200])


def test_a_file_changed_by_hand_is_refused(found):
    changed = counts_file(found).replace(b'"verdict": "FAIL"', b'"verdict": "PASS"', 1)
    with pytest.raises(DataError, match="it was changed"):
        verify(changed)


def _replaced(path, value):
    def change(content):
        *parents, last = path
        for key in parents:
            content = content[key]
        content[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_replaced(("purpose",), "kind"), "purpose"),
        (_replaced(("counted", "counts", 0, 0), -1), "counted.counts.0.0"),
        (_replaced(("counted", "counts", 0, 0), 7), "do not add up"),
        (_replaced(("counted", "units"), 10**9), "fewer people than units"),
        (_replaced(("counted", "expected"), [1.0]), "as many numbers"),
        (_replaced(("counted", "sizes"), [3, 3]), "not those that were counted"),
        (_replaced(("counted", "pattern_column", 0), 10**6), "patterns do not fit"),
        (_replaced(("counted", "multiplicity", 0), 10**6), "patterns do not fit"),
        (_replaced(("counted", "moments", 0), 0.0), "sums of squares"),
        (_replaced(("counted", "moments", 0), 1e300), "sums of squares"),
        (_replaced(("counted", "moments", -1), 1e300), "sums of squares"),
        (_replaced(("counted", "moments", -2), 1e9), "sums of squares"),
        (_replaced(("counted", "pair_moments", 0, 0), 1e300), "sums of squares"),
        (_replaced(("counted", "expected", 0), 1e6), "expected outcomes"),
        (_replaced(("attributes", 0, "labels"), ["a"]), "no label"),
        (_replaced(("attributes", 0, "reference"), 9), "no label"),
        (_replaced(("not_audited", 0), {}), "reason is missing"),
        (_replaced(("more",), 1), "more"),
    ],
)
def test_content_that_does_not_fit_is_refused_in_one_line(change, said, stated):
    change(stated["content"])
    with pytest.raises(DataError, match=said) as refused:
        verify(sealed(stated))
    assert "\n" not in str(refused.value)


def test_nothing_audited_leaves_no_counts():
    outcome, risk, selected, _ = rows(100)
    with pytest.raises(DataError, match="no counts to keep"):
        counts_file(audit_predictions(outcome, risk, selected, {}, purpose="assistive", seed=1))
