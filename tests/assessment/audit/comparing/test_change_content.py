"""What a comparison takes from another audit's file: whatever else may stand there is refused in one line."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.audit import audit_predictions
from riskmodels.assessment.audit.comparing.changes import changed
from riskmodels.assessment.audit.comparing.changes_content import audit_content, printable, read_audit
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.assessment.audit.publishing.disclosure import publish
from riskmodels.errors import DataError, RiskModelsError
from riskmodels.storage import canonical_json
from riskmodels.study import Protected


@pytest.fixture(scope="module")
def exact():
    rng = np.random.default_rng(1)
    race = rng.choice(["white", "Asian"], 3000, p=(0.7, 0.3)).astype(object)
    race[:12] = "Other"
    risk = rng.uniform(0.1, 0.6, 3000)
    found = audit_predictions(
        rng.random(3000) < risk, risk, risk > 0.4, {"race": race}, purpose="assistive", seed=1,
        protected={"race": Protected(column="x.race", law="race", reference="white")},
        policy=load_policy().model_copy(update={"replicates": 200}),
    )  # fmt: skip
    return found.to_dict()


@pytest.fixture(scope="module")
def published(exact):
    return json.loads(canonical_json(publish(exact)[0]))


def with_part(audit, path, value):
    """A copy of the audit with one part of another value; ``...`` takes it away."""
    copied = copy.deepcopy(audit)
    *way, last = path
    part = copied
    for step in way:
        part = part[step]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return copied


ANSWERED = ("contrasts", 0)  # recall of Asian beside white, with an interval
RECALL = ("rows", 0, "metrics", "recall")
TAMPERED = [
    (("rows",), "x"),
    (("rows",), None),
    (("rows",), {}),
    (("rows",), 3),
    (("rows", 0), None),
    (("rows", 0, "metrics"), []),
    (("rows", 0, "label"), ...),
    (("rows", 0, "label"), 7),
    (("rows", 0, "label"), ""),
    (("rows", 0, "group"), ["Asian"]),
    (("rows", 0, "shown"), "yes"),
    (RECALL, 0.5),
    ((*RECALL, "value"), ...),
    ((*RECALL, "value"), "x"),
    ((*RECALL, "value"), -0.5),
    ((*RECALL, "value"), 1.5),
    ((*RECALL, "value"), 10**400),
    ((*RECALL, "low"), "x"),
    ((*RECALL, "low"), 1.0),
    ((*RECALL, "high"), float("nan")),
    ((*RECALL, "n"), 2.5),
    ((*RECALL, "reason"), 1),
    (("contrasts",), None),
    (("contrasts",), {"a": 1}),
    (("contrasts",), [[]]),
    ((*ANSWERED, "label"), ...),
    ((*ANSWERED, "reference_label"), None),
    ((*ANSWERED, "ratio"), -1),
    ((*ANSWERED, "ratio"), "0.9"),
    ((*ANSWERED, "ratio"), True),
    ((*ANSWERED, "ratio"), 1e-320),
    ((*ANSWERED, "ratio"), 10**400),
    ((*ANSWERED, "ratio"), 1e300),
    ((*ANSWERED, "low"), "x"),
    ((*ANSWERED, "low"), 1e-320),
    ((*ANSWERED, "low"), -0.1),
    ((*ANSWERED, "low"), 100.0),
    ((*ANSWERED, "high"), float("inf")),
    ((*ANSWERED, "high"), ...),
    ((*ANSWERED, "family"), "first"),
    ((*ANSWERED, "against"), "nobody"),
    ((*ANSWERED, "metric"), {}),
    ((*ANSWERED, "verdict"), 1),
    (("titles",), []),
    (("titles",), {"race": None}),
    (("titles",), ...),
    (("widened",), 3),
    (("widened",), [1]),
    (("critical_values",), []),
    (("critical_values",), {}),
    (("critical_values", "treatment"), 0),
    (("critical_values", "treatment"), "x"),
    (("critical_values", "treatment"), None),
    (("critical_values", "treatment"), 1e-320),
    (("critical_values", "another"), 2.0),
    (("provisional",), "no"),
    (("purpose",), "any"),
    (("purpose",), ["assistive"]),
    (("outcome_measures",), None),
    (("level",), ...),
    (("policy_name",), 1),
    (("policy_sha256",), ""),
]


@pytest.mark.parametrize(("path", "value"), TAMPERED)
def test_what_was_tampered_with_is_refused_in_one_line(published, path, value):
    with pytest.raises(DataError) as refused:
        read_audit(with_part(published, path, value), "last.json")
    said = str(refused.value)
    assert said.startswith("last.json: is not an audit of this version (")
    assert said.endswith("; give what `riskmodels audit --json` wrote, or a run's audit.json")
    assert path[0] in said
    assert said.isprintable()
    assert len(said) < 400


@pytest.mark.parametrize("raw", [None, [], "x", 3, {}, [{"rows": []}], {"rows": "x"}, {1: 2}])
def test_what_is_no_audit_is_refused(raw):
    with pytest.raises(DataError, match=r"^last\.json: is not an audit of this version \("):
        read_audit(raw, "last.json")


@pytest.mark.parametrize("part", ["rows", "contrasts"])
def test_what_stands_there_twice_is_refused(published, part):
    twice = published | {part: [*published[part], published[part][0]]}
    with pytest.raises(DataError, match=f"two of its {part} are of the same name"):
        read_audit(twice, "last.json")


def test_what_a_file_holds_is_not_in_the_error(published):
    """Nor is a key that would steer a terminal."""
    wrong = with_part(published, ("titles", "a\x1b[31m\nb" * 99), {"id": "person 123"})
    with pytest.raises(DataError) as refused:
        read_audit(wrong, "last.json")
    assert "person 123" not in str(refused.value)
    assert str(refused.value).isprintable()


JUNK = st.sampled_from(
    [None, True, 0, -1, 1e-320, 1e-13, 1e-12, 1e12, 1e308, -1e308, 10**400, "", "x", "\ud800", [], {}, [None], {"a": 1}]
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_stands_anywhere_is_refused_or_compared(published, data):
    """A walk to any part of the file, and any value there: never another error than ours, nor a number that is none."""
    way, part = [], published
    while isinstance(part, (dict, list)) and part and (not way or data.draw(st.integers(0, 5))):
        keys = sorted(part) if isinstance(part, dict) else list(range(len(part)))
        way.append(data.draw(st.sampled_from(keys)))
        part = part[way[-1]]
    wrong = with_part(published, way, data.draw(JUNK))
    try:
        found = changed(read_audit(wrong, "last.json"), published)
    except RiskModelsError:
        return
    canonical_json(found.to_dict())


@pytest.mark.parametrize("ends", [(1e-12, 1e-12, 1e12), (1e12, 1e-12, 1e12), (1.0, 0.0, 1e12)])
def test_the_widest_that_is_taken_gives_numbers(published, ends):
    """At the least critical value: se = log(1e24) / 0.4 = 138 on each side, and exp(55 + 1.96 * 195) is finite."""
    one = published | {"critical_values": {"treatment": 0.2, "meaning": 0.2}}
    for name, end in zip(("ratio", "low", "high"), ends, strict=True):
        one = with_part(one, (*ANSWERED, name), end)
    for pair in ((one, published), (published, one), (one, one)):
        found = changed(read_audit(pair[0], "last.json"), pair[1])
        canonical_json(found.to_dict())


# ---------------------------------------------------------------- names


def test_names_are_printable_and_still_find_each_other(published):
    text = json.dumps(published).replace("Asian", "As\\u001b[31mian\\u202e\\n\\ud800")
    found = changed(read_audit(json.loads(text), "last.json"), published)
    labels = {row["label"] for row in found.only_before}
    assert labels == {"As[31mian"}
    hidden = json.dumps(published).replace("Asian", "As\\u200b\\u0000ian")
    again = changed(read_audit(json.loads(hidden), "last.json"), published)
    assert again.only_before == again.only_after == ()
    assert all(line.isprintable() for line in (*found.in_words, *again.in_words))


def test_printable():
    assert printable("Asian × né\u00e9") == "Asian × né\u00e9"
    assert printable("a\x00b\x1bc\u200bd\ue000e\u2028f\ud800g\th") == "abcdefgh"
    assert printable(3) == 3


# ---------------------------------------------------------------- exact and published


def test_a_published_audit_gives_what_it_gave(published):
    found = changed(read_audit(published, "last.json"), published)
    assert found == changed(published, published)
    own = {(row["group"], "recall"): row["metrics"]["recall"] for row in published["rows"]}
    assert {(row["group"], row["metric"]): row["first"] for row in found.groups if row["metric"] == "recall"} == own


def test_an_exact_audit_is_refused(exact, published):
    """It would hand its small numbers on: of the twelve Other people, how many are on the list."""
    few, shown = (next(row for row in a["rows"] if row["group"] == "Other") for a in (exact, published))
    assert few["n"] == 12
    assert few["metrics"]["selection_rate"]["value"] is not None
    assert shown["metrics"]["selection_rate"]["value"] is None
    audit_content(exact, "last.json")
    with pytest.raises(DataError, match=r"^last\.json: is an exact audit.*audit\.json"):
        read_audit(json.loads(canonical_json(exact)), "last.json")


@pytest.mark.parametrize(
    "said", [None, "sro-10", [], {}, {"below": "10", "rounded_to": 5}, {"below": 10}, {"below": True, "rounded_to": 5}]
)
def test_an_audit_that_does_not_say_how_it_was_published_is_refused(published, said):
    with pytest.raises(DataError, match=r"^last\.json: does not say how its small numbers were hidden"):
        read_audit(published | {"disclosure": said}, "last.json")


@pytest.mark.parametrize("rules", [(0, 1), (9, 5), (10, 4)])
def test_an_audit_that_hides_less_is_refused(published, rules):
    said = {"profile": "sro-10", "below": rules[0], "rounded_to": rules[1]}
    with pytest.raises(
        DataError, match=r"^last\.json: hides fewer small numbers than sro-10; .*--small-numbers sro-10"
    ):
        read_audit(published | {"disclosure": said}, "last.json")
    assert read_audit(published | {"disclosure": said}, "last.json", "places")["rows"]
