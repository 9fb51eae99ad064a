"""A made-up study and results in the shapes that the card takes. The council is fictional; the numbers are made up."""

from __future__ import annotations

import copy
import datetime as dt
import functools
from pathlib import Path
from typing import Any

import numpy as np

from riskmodels.assessment.audit import Audit, audit_predictions
from riskmodels.cards.build import build_card
from riskmodels.cards.card import ModelCard
from riskmodels.study import Answers, Register, Study, parse_study_file

STUDY: dict[str, Any] = {
    "schema": 1,
    "study": "spring_reading",
    "title": "Spring reading",
    "question": "Which pupils should be offered extra reading help next year?",
    "seed": 11,
    "purpose": "assistive",
    "level": "person",
    "clock": "calendar",
    "sources": {
        "pupils": {"file": "pupils.parquet", "entity": "pupil_id"},
        "records": {
            "file": "records.parquet",
            "entity": "pupil_id",
            "event_date": "happened_on",
            "known_date": "known_on",
            "kind": "kind",
        },
        "equality": {"file": "equality.parquet", "entity": "pupil_id", "use": "audit"},
    },
    "facts": {
        "on_roll": {"in": "records", "kind": "enrolment"},
        "reading_test": {"in": "records", "kind": "reading_test"},
        "low_reading": {"in": "records", "kind": "reading_test", "where": {"percentile": {"at_most": 25}}},
    },
    "cohort": {
        "as_of_dates": ["1986-06-30", "1987-06-30", "1988-06-30"],
        "steps": [{"step": "on roll this school year", "keep": {"any": "on_roll", "last": "12 months"}}],
    },
    "outcome": {
        "name": "low_reading",
        "words": "reads in the lowest quarter next spring",
        "measures": "need",
        "happens": {"any": "low_reading"},
        "known": {"any": "reading_test"},
        "horizon": "11 months",
        "lag": "1 month",
    },
    "features": [
        {
            "name": "reading_now",
            "take": "latest",
            "of": "reading_test.percentile",
            "last": "12 months",
            "words": "reading score this spring",
        },
        {"name": "years_on_roll", "take": "count", "of": "on_roll", "words": "years in these schools"},
        {"name": "age", "take": "age", "of": "pupils.born_on", "words": "age"},
    ],
    "split": {
        "test": {"dates": ["1988-06-30"]},
        "calibrate": "grouped",
        "why_grouped": "There are few years to learn from.",
    },
    "models": {"candidates": {"single_best_column": {}, "points": {}, "logistic": {}, "lightgbm": {}}},
    "capacity": {"places": 500},
    "protected": {
        "gender": {"column": "equality.gender", "law": "sex", "reference": "male"},
        "ethnicity": {
            "column": "equality.ethnicity",
            "law": "race",
            "reference": "white",
            "labels": {"afam": "African American", "amindian": "American Indian", "asian": "Asian"},
        },
    },
    "not_audited": {"age": "One school year.", "disability": "Not in the extract."},
    "accepted": {"outcome_unknown": "Pupils who move are not tested; the card gives bounds."},
}

ENTRY = {
    "words": "records of schools",
    "owner": "Schools Data Manager",
    "collected_for": "running schools",
    "how": "entered by schools",
    "about": "person",
    "lawful_basis": "public task",
    "agreement": "schools agreement 4",
    "agreement_expires": "1990-08-31",
    "permitted_purposes": ["help with reading"],
    "people_were_told": "a letter in autumn",
    "retention": "six years",
    "extracted_on": "1989-07-01",
    "columns": {"pupil_id": "a number for one pupil"},
}

ANSWERS: dict[str, Any] = {
    "organisation": "Northby Council (fictional)",
    "fictional": True,
    "owner_role": "Head of Schools",
    "contact": "reading@northby.example",
    "ask": {
        "owner": "Head of Schools",
        "text": "May the reading team use this list for a year, as a pilot? Please say on what terms.",
    },
    "purpose": {
        "intended_use": {"owner": "Head of Schools", "text": "To choose whom to offer help."},
        "never_used_for": {"owner": "Head of Schools", "text": "It is never used to judge a school."},
    },
    "people_process": {
        "when_flagged": {"owner": "Reading Manager", "text": "A teacher looks at the name and decides."}
    },
    "risks": {"harms_if_missed": {"owner": "Reading Manager", "text": "A child may wait a year for help."}},
    "law": {"lawful_basis": {"owner": "Information Officer", "text": None}},
    "monitoring": {"review": {"owner": "Analytics Manager", "text": "Each summer."}},
    "cannot_see": {
        "owner": "Reading Manager",
        "text": "It cannot see what happens at home. It says who may fall behind, not why.",
    },
    "questions": {
        1: {"owner": "Head of Schools", "text": "To offer help. Never to refuse it."},
        19: {"owner": "Head of Finance"},
    },
}


def study(file: dict[str, Any] | None = None, answers: dict[str, Any] | None = None) -> Study:
    raw = {**copy.deepcopy(STUDY), **(file or {})}
    register = Register.model_validate(
        {"purpose": "help with reading", "sources": dict.fromkeys(raw["sources"], ENTRY)}
    )
    said = Answers.model_validate({**copy.deepcopy(ANSWERS), **(answers or {})})
    files = (("answers.yaml", b"answers"), ("register.yaml", b"register"), ("study.yaml", b"study"))
    return Study(Path("spring_reading"), parse_study_file(raw), register, said, files)


def estimate(value: float, half: float = 0.02, n: int = 2480) -> dict[str, Any]:
    return {"value": value, "low": value - half, "high": value + half, "n": n}


def performance(
    family: str = "lightgbm", unknown: int = 20, gain: tuple[float, float, float] = (0.012, 0.006, 0.018)
) -> dict[str, Any]:
    """3,104 ranked, 500 places. ``unknown``: how many of the 500 have no known outcome."""
    known = 500 - unknown
    hits = round(0.64 * known)
    values = {"base_rate": 0.5, "single_best_column": 0.85, "points": 0.82, "logistic": 0.86, "lightgbm": 0.88}
    families = [
        {
            "model": name,
            "baseline": name in ("base_rate", "single_best_column", "points"),
            "brier_score": estimate(0.19 - 0.1 * (auc - 0.5), 0.004),
            "auc": estimate(auc, 0.014),
            "precision_at_k": estimate(0.25 + (auc - 0.5), 0.04, known),
            "difference": None
            if name == "single_best_column"
            else {"value": gain[0], "low": gain[1], "high": gain[2], "n": 2480},
        }
        for name, auc in values.items()
    ]
    bins = [
        {
            "low": low / 10,
            "high": low / 10 + 0.1,
            "n": n,
            "mean_risk": low / 10 + 0.05,
            "observed": estimate(min(0.97, low / 10 + 0.06), 0.05, n),
        }
        for low, n in zip(range(10), (612, 455, 371, 303, 214, 166, 133, 101, 74, 51), strict=True)
    ]
    spline = [
        {
            "risk": r / 40,
            "observed": min(0.97, r / 40 + 0.01),
            "low": max(0.0, r / 40 - 0.03),
            "high": min(1.0, r / 40 + 0.05),
        }
        for r in range(1, 40)
    ]
    precision = {**estimate(0.64, 0.043, known)}
    fifths = (8, 9, 11, 14, 20) if unknown < 50 else (70, 95, 120, 160, 280)
    return {
        "model": family,
        "n": 3104,
        "known": 2480,
        "unknown": 624,
        "events": 634,
        "overall": {
            "auc": estimate(values.get(family, 0.85), 0.014),
            "average_precision": estimate(0.71, 0.03),
            "brier_score": estimate(0.1234567, 0.006),
            "scaled_brier": estimate(0.34, 0.03),
            "calibration_in_the_large": estimate(0.04, 0.1),
            "calibration_slope": estimate(1.03, 0.08),
            "oe_ratio": estimate(1.04, 0.06),
            "base_rate": estimate(0.2556, 0.017),
        },
        "per_date": [
            {
                "as_of_date": "1988-06-30",
                "n": 3104,
                "known": 2480,
                "unknown": 624,
                "events": 634,
                "selected": 500,
                "auc": estimate(0.88, 0.014),
                "oe_ratio": estimate(1.04, 0.06),
                "precision_at_k": precision,
            },
        ],
        "at_capacity": {
            "places": 500,
            "selected": 500,
            "known": known,
            "unknown": unknown,
            "hits": hits,
            "precision": precision,
            "recall": estimate(0.505, 0.039, 634),
            "precision_bounds": [hits / 500, (hits + unknown) / 500],
            "recall_bounds": [0.3071, 0.6544],
            "selection_rate": 500 / 3104,
            "leads_with_bounds": unknown > 50,
        },
        "net_benefit": [
            {
                "threshold": t,
                "model": estimate(0.16 - 0.2 * t, 0.012),
                "all": 0.2556 - (1 - 0.2556) * t / (1 - t),
                "none": 0.0,
                "interventions_avoided": 0.2,
            }
            for t in (0.2, 0.3, 0.5)
        ],
        "calibration_curve": {"spline": spline, "bins": bins},
        "unknown_by_fifth": [{"fifth": i, "n": 621, "unknown": u, "share": u / 621} for i, u in enumerate(fifths, 1)],
        "families": families,
        "comparison": {
            "chosen": family,
            "baseline": "single_best_column",
            "criterion": "brier_score",
            "difference": {"value": gain[0], "low": gain[1], "high": gain[2], "n": 2480},
            "auc_difference": estimate(0.03, 0.01),
        },
        "not_computed": {},
    }


@functools.cache
def exact_audit(missed: bool = False, purpose: str = "assistive", measures: str = "need") -> Audit:
    """A real audit of 3,104 made-up pupils: two genders, and ethnic groups of 1,900, 1,150, 29, 8 and 17 pupils.

    ``missed``: girls who need help get a lower risk than boys who do, so the list misses them; few results are unknown.
    """
    sizes = {"white": 1900, "afam": 1150, "asian": 29, "amindian": 8, None: 17}
    ethnicity = [name for name, size in sizes.items() for _ in range(size)]
    rng = np.random.default_rng(5)
    n = len(ethnicity)
    gender = rng.choice(["female", "male"], n)
    need = rng.normal(size=n)
    seen = need - (0.6 if missed else 0.0) * (gender == "female")
    risk = 1 / (1 + np.exp(-(1.8 * seen - 1.9)))
    outcome = (rng.random(n) < 1 / (1 + np.exp(-(1.8 * need - 1.9)))).astype(float)
    outcome[rng.random(n) < (0.03 if missed else 0.2)] = np.nan
    selected = np.argsort(np.argsort(-risk)) < 500
    file = study().file
    return audit_predictions(
        outcome,
        risk,
        selected,
        {"gender": gender, "ethnicity": ethnicity},
        purpose=purpose,
        seed=3,
        measures=measures,
        protected=file.protected,
        excused=file.not_audited,
        laws=("age", "disability", "sex", "race"),
    )


def audit(**changes: Any) -> dict[str, Any]:
    return exact_audit(**changes).to_dict()


def arguments(**changes: Any) -> dict[str, Any]:
    """All that `build_card` takes beside the study."""
    given: dict[str, Any] = {
        "performance": performance(),
        "audit": audit(),
        "explanation": {
            "drivers": [
                {
                    "feature": "reading_now",
                    "words": "reading score this spring",
                    "mean_abs": 1.2,
                    "share": 0.83,
                    "direction": "higher lowers the risk",
                },
                {
                    "feature": "years_on_roll",
                    "words": "years in these schools",
                    "mean_abs": 0.2,
                    "share": 0.17,
                    "direction": "mixed",
                },
            ],
            "method": "Exact path-dependent TreeSHAP over all trees.",
            "n": 3104,
        },
        "model": {
            "sha256": "ab" * 32,
            "family": "lightgbm",
            "recipe": {"calibrator": "sigmoid", "calibrate": "grouped"},
            "parameters": {"trees": 120, "learning_rate": 0.05},
        },
        "digests": {"study": "1" * 64, "answers": "2" * 64, "data": "3" * 64, "policy": "4" * 64},
        "cohort_attrition": [
            {"as_of_date": dt.date(year, 6, 30), "step": step, "dropped": dropped, "remaining": remaining}
            for year, flow in ((1986, (8300, 3)), (1987, (8300, 1200)), (1988, (8300, 5196)))
            for step, dropped, remaining in (
                ("in the extract", 0, flow[0]),
                ("on roll this school year", flow[1], flow[0] - flow[1]),
            )
        ],
        "outcome_status": [
            {"as_of_date": dt.date(1986, 6, 30), "known": 5012, "immature": 0, "unobserved": 1203, "events": 1255},
            {"as_of_date": dt.date(1987, 6, 30), "known": 4120, "immature": 0, "unobserved": 1303, "events": 1031},
            {"as_of_date": dt.date(1988, 6, 30), "known": 2480, "immature": 0, "unobserved": 624, "events": 634},
        ],
        "quality": [
            {"source": "pupils", "rows": 8300, "entities": 8300, "undated": 0, "missing": {"born_on": 0.012}},
            {
                "source": "records",
                "rows": 40212,
                "entities": 8300,
                "undated": 4,
                "first_date": "1985-09-01",
                "last_date": "1989-04-15",
                "recording_lag_days_95": 30,
                "known_date_recorded": True,
                "missing": {"percentile": 0.061},
            },
        ],
        "splits": [
            {
                "origin": 0,
                "stands_on": dt.date(1988, 6, 30),
                "fit": [dt.date(1986, 6, 30), dt.date(1987, 6, 30)],
                "calibrate": [dt.date(1986, 6, 30), dt.date(1987, 6, 30)],
                "test": dt.date(1988, 6, 30),
                "how": "grouped",
            },
            {
                "origin": 1,
                "stands_on": dt.date(1989, 7, 1),
                "fit": [dt.date(1986, 6, 30)],
                "calibrate": [dt.date(1986, 6, 30)],
                "test": None,
                "how": "grouped",
            },
        ],
        "checks": [
            {
                "check": "same_rows_twice",
                "words": "No row both teaches and tests",
                "result": "pass",
                "evidence": "0 rows shared",
                "accepted": None,
            },
            {
                "check": "outcome_unknown",
                "words": "The outcome is known for nearly everybody",
                "result": "concern",
                "evidence": "the outcome is unknown for 20% of the test rows",
                "accepted": "Pupils who move are not tested.",
            },
        ],
    }
    return {**given, **changes}


def card(made: Study | None = None, **changes: Any) -> ModelCard:
    return build_card(made or study(), **arguments(**changes))
