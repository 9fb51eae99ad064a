from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from riskmodels.errors import StudyError
from riskmodels.study import load_study
from riskmodels.study.wording import OF_A_FEATURE, refuse_blaming

ROOT = Path(__file__).parents[2]
NOTHING = {"words": "days absent", "high": None, "low": None, "value": None, "none": None, "each": None}


def study_of(rule: str = "already has help", route: str = "a child is at risk", bands=("lower", "high"), **words):
    line = SimpleNamespace(**{**NOTHING, **words})
    return SimpleNamespace(
        features=[SimpleNamespace(**NOTHING), line],
        service_rules=[SimpleNamespace(because=rule)],
        routes=[SimpleNamespace(because=route)],
        bands=dict.fromkeys(bands, 0.0),
    )


@pytest.mark.parametrize(
    "words",
    [
        "absent because of illness", "absence caused by illness", "what causes absence", "absence due to illness",
        "debt owing to illness", "absence leads to low scores", "led to exclusion", "absence resulting in a fine",
        "late as a result of moving", "driven by debt", "failed to attend", "Failure to attend", "refuses help",
        "refused a visit", "school refuser", "neglected by parents", "neglect", "bad parenting", "poor parent",
        "a problem family", "Troubled families", "dysfunctional", "a chaotic home", "broken home", "hard to reach",
        "hard-to-reach", "non-compliant", "noncompliance", "non-engagement", "did not engage", "won't engage",
        "disengaged", "unwilling", "lazy", "truancy", "an addict", "drug abuser", "a repeat offender",
        "frequent flyer", "parents are to blame", "hard  to\n reach",
        "absence that results in exclusion", "absences result in a fine", "moved as a consequence of debt",
        "debt stemming from illness", "a fall triggered by drink", "the cause of absence", "main causes of debt",
        "absence attributed to illness", "caus\u00aded by illness", "moved on account of debt",
        "didn\u2019t engage", "won\u2019t comply", "wouldn't engage", "could not engage", "cannot fully engage",
        "never engages", "lack of engagement", "lack of parental engagement", "poor compliance",
        "abusive father", "abusive mothers", "an abusive parent", "criminal family", "a difficult child",
        "failed appointments", "parental failure", "DNA'd",
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", OF_A_FEATURE)
def test_blaming_and_causal_words_are_refused_by_their_key(words, key):
    with pytest.raises(StudyError) as refusal:
        refuse_blaming(study_of(**{key: words}))
    said = str(refusal.value)
    assert re.match(rf"study\.yaml: features\[1\]\.{key}: ['\"].+['\"] (blames people|names a cause, .+); say .+", said)
    assert "\n" not in said


@pytest.mark.parametrize(
    "words",
    [
        "test results in the last year", "rent due to the council", "payments due to a landlord", "due to start school",
        "causes of death recorded", "heart failure", "refuse collections missed",
        "a plan under the category of neglect",
        "missed 3 appointments", "did not take up the offer", "leads in the class", "resistant to two antibiotics",
        "alcoholic liver disease", "poor reading score", "family problems recorded", "absent from school",
        "reading has fallen", "many school days missed", "earlier offences",
        "results in maths", "exam results in science", "low results in the spring tests", "result in each subject",
        "the cause of death", "underlying cause of death on record", "domestic abuse recorded",
        "criminal exploitation noted", "criminal records checked", "difficulty with reading", "school engagement score",
        "as a pupil", "a DNA test", "fire alarms triggered", "not engaged in education or work",
    ],
)  # fmt: skip
def test_words_that_only_look_like_it_are_not(words):
    refuse_blaming(study_of(words=words, high=words, low=words, value=words))


def test_a_rule_says_why_but_does_not_blame():
    refuse_blaming(study_of(rule="because they moved away", route="due to what the school told us"))
    with pytest.raises(StudyError, match=r"^study\.yaml: service_rules\[0\]\.because: 'hard to reach' blames people"):
        refuse_blaming(study_of(rule="hard to reach"))
    with pytest.raises(StudyError, match=r"^study\.yaml: routes\[0\]\.because: 'neglects' blames people"):
        refuse_blaming(study_of(route="the mother neglects the child"))


def test_values_are_read_in_their_place():
    each = {"kind": ("neglect", "emotional abuse")}
    refuse_blaming(study_of(words="a plan under the category of {each}", each=each))
    with pytest.raises(StudyError, match=r"features\[1\]\.high: 'neglect' blames people"):
        refuse_blaming(study_of(words="a plan under the category of {each}", high="{each}", each=each))


@pytest.mark.parametrize("name", ["feckless", "problem family", "caused by parents"])
def test_the_names_of_bands_are_read_beside_a_name_too(name):
    with pytest.raises(StudyError, match=rf"^study\.yaml: bands\.{name}: "):
        refuse_blaming(study_of(bands=("lower", name)))


@pytest.mark.parametrize("folder", sorted((ROOT / "experiments").iterdir()), ids=lambda folder: folder.name)
def test_shipped_studies_neither_blame_nor_explain(folder):
    refuse_blaming(load_study(folder).file)


def test_a_study_that_blames_is_not_read(study):
    path = study / "study.yaml"
    text = path.read_text()
    assert text.count("low: a low reading score this spring}") == 1
    path.write_text(text.replace("low: a low reading score this spring}", "low: failed to learn}"))
    with pytest.raises(StudyError, match=r"study\.yaml: features\[0\]\.low: 'failed to' blames people; say what"):
        load_study(study)
