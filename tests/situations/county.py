"""A study of the made-up county, small enough to run whole in seconds: what a situation needs is set, nothing else."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from riskmodels.data.synthetic import make_county, write_county
from riskmodels.pipeline import StudyRun, run_study
from riskmodels.study import Study, load_study

SHIPPED = Path(__file__).parents[2] / "experiments" / "county_early_help"

STUDY: dict[str, Any] = {
    "schema": 1,
    "study": "county_situation",
    "title": "Early help for families",
    "question": "Which children may need a social worker within six months, so that help can be offered now?",
    "seed": 1,
    "purpose": "assistive",
    "level": "person",
    "clock": "calendar",
    "sources": {
        "people": {"file": "people.parquet", "entity": "child_id"},
        "events": {
            "file": "events.parquet", "entity": "child_id", "event_date": "happened_on", "known_date": "known_on",
            "kind": "kind",
        },
        "equality": {"file": "equality.parquet", "entity": "child_id", "known_date": "known_on", "use": "audit"},
    },
    "facts": {
        "absence": {"in": "events", "kind": "school_absence"},
        "exclusion": {"in": "events", "kind": "exclusion"},
        "police_contact": {"in": "events", "kind": "police_contact"},
        "arrears": {"in": "events", "kind": "housing_arrears"},
        "emergency_visit": {"in": "events", "kind": "ae_attendance"},
        "early_help": {"in": "events", "kind": "early_help"},
        "review": {"in": "events", "kind": "review"},
        "start": {"in": "events", "kind": "social_care_start"},
        "moved_away": {"in": "events", "kind": "moved_away"},
        "school_or_council": {"in": "events", "kind": ["school_absence", "exclusion", "early_help", "review"]},
    },
    "cohort": {
        "as_of_dates": {"first": "2020-10-01", "last": "2025-10-01", "every": "6 months"},
        "steps": [
            {"step": "aged 5 to 16", "keep": {"age": "people.born_on", "at_least": 5, "below": 17}},
            {"step": "not known to have moved away", "drop": {"any": "moved_away"}},
            # The table of people holds families that have yet to come: nothing can be written down of them.
            {"step": "known to school or council in the last 24 months",
             "keep": {"any": "school_or_council", "last": "24 months"}},
            {"step": "no social worker in the last 12 months", "drop": {"any": "start", "last": "12 months"}},
        ],
        "cluster": "people.household_id",
    },
    "outcome": {
        "name": "start",
        "words": "starts with a social worker within six months",
        "measures": "need",
        "happens": {"any": "start"},
        "known": {"followed_until": "people.followed_until"},
        "exits": {"moved_away": {"any": "moved_away"}},
        "horizon": "6 months",
        "lag": "2 months",
    },
    "features": [
        {"name": "review", "take": ["latest", "mean"], "of": "review.value", "last": "24 months", "missing": "keep",
         "words": "concern score at reviews"},
        {"name": "days_absent", "take": "sum", "of": "absence.value", "last": "12 months", "missing": "zero",
         "words": "school days missed"},
        {"name": "exclusions", "take": "count", "of": "exclusion", "last": "18 months", "words": "school exclusions"},
        {"name": "police_contacts", "take": "count", "of": "police_contact", "last": "24 months",
         "words": "police contacts"},
        {"name": "arrears_notes", "take": "count", "of": "arrears", "last": "24 months",
         "words": "times rent was owed"},
        {"name": "emergency_visits", "take": "count", "of": "emergency_visit", "last": "24 months",
         "words": "emergency visits"},
        {"name": "early_help", "take": "count", "of": "early_help", "last": "24 months",
         "words": "contacts with early help"},
        {"name": "age", "take": "age", "of": "people.born_on", "missing": "keep", "words": "age"},
        {"name": "ward", "take": "attribute", "of": "people.ward", "missing": "category", "words": "ward"},
    ],
    "split": {"test": {"last": 3}, "calibrate": "later"},
    "models": {
        "candidates": {
            "logistic": {"c": 0.1},
            "lightgbm": {"trees": 80, "leaves": 7, "learning_rate": 0.07, "min_rows_in_leaf": 100},
        },
        "calibrator": "sigmoid",
        "choose_by": "brier_score",
        "place": "ward",
    },
    "capacity": {"share": 0.1},
    "bands": {"lower": 0.0, "raised": 0.1, "high": 0.2},
    "thresholds": [0.1, 0.2],
    "protected": {
        "sex": {"column": "equality.sex", "law": "sex", "reference": "female"},
        "ethnicity": {
            "column": "equality.ethnicity", "law": "race", "words": "ethnic group", "reference": "White British",
        },
    },
    "not_audited": {
        "age": "Not asked here.",
        "disability": "Not asked here.",
        "gender reassignment": "Not recorded for children.",
        "marriage and civil partnership": "Does not apply to children.",
        "pregnancy and maternity": "Not in the extract.",
        "religion or belief": "Not in the extract.",
        "sexual orientation": "Not recorded for children.",
    },
}  # fmt: skip


@dataclass(frozen=True)
class County:
    """A county and the study of it.

    ``knobs``: of `riskmodels.data.synthetic.make_county`. ``sections``: parts of ``study.yaml`` in place of its own.
    """

    people: int
    knobs: dict[str, Any] = field(default_factory=dict)
    sections: dict[str, Any] = field(default_factory=dict)


def run(county: County, folder: Path, seed: int, **sections: Any) -> StudyRun:
    """Make the county, write its study, and run it whole."""
    made = make_county(county.people, seed, **county.knobs)
    write_county(folder / "data", made, entity="child_id")
    return run_study(write_study(folder / "study", **{"seed": seed} | county.sections | sections), folder / "data")


def write_study(folder: Path, **sections: Any) -> Study:
    """A study folder with these sections; the register and the answers are the shipped study's."""
    folder.mkdir(parents=True, exist_ok=True)
    # JSON is YAML.
    (folder / "study.yaml").write_text(json.dumps({**STUDY, **sections}), encoding="utf-8")
    for name in ("register.yaml", "answers.yaml"):
        shutil.copy(SHIPPED / name, folder / name)
    return load_study(folder)
