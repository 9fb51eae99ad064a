"""A made-up profile of a study's data, with a link that fails for one group and another that is a handful of people."""

from __future__ import annotations

from typing import Any

REGISTER = {
    "source": "records", "use": "model", "words": "visits and calls", "owner": "Head of Visits",
    "collected_for": "visiting", "how": "typed in", "about": "person", "spatial_level": None,
    "lawful_basis": "public task", "special_category": ["health"], "criminal_offence": False,
    "special_category_condition": "Article 9(2)(h)", "schedule_1_condition": None, "agreement": "agreement 4",
    "agreement_expires": "2030-01-01", "dpia": {"reference": "DPIA 7", "date": "2025-05-01"},
    "permitted_purposes": ["planning visits"], "asked": None, "people_were_told": "a letter", "seen_by": ["visitors"],
    "retention": "six years", "extracted_on": "2026-01-01",
}  # fmt: skip


def groups(**more: Any) -> list[dict[str, Any]]:
    rows = [("white", 2000, True), ("roma", 400, False), ("asian", 7, False), ("Not recorded", 90, False)]
    return [
        {"attribute": "ethnicity", "group": name, "reference": reference, "n": n, **more} for name, n, reference in rows
    ]


def profile() -> dict[str, Any]:
    """A made-up exact profile: 7 Asian people, whose numbers must stand nowhere, and a link that fails for Roma."""
    left_out = {"white": (300, 2000), "roma": (190, 400), "asian": (3, 7), "Not recorded": (9, 90)}
    dates = (None, "2024-01-01", "2025-01-01")
    linked = {"white": 1900, "roma": 320, "asian": 6, "Not recorded": 70}
    lag = {"source": "records", "known_date_recorded": True, "undated": None}
    quarters = [
        {**lag, "quarter": f"2024 Q{k}", "n": 300 + k, "median": 3 + k, "most": 30 + k, "people": 80} for k in (1, 2, 3)
    ]
    quarters[1] |= {"n": 13, "people": 3, "median": 77, "most": 78}
    months = [f"2024-{k:02d}" for k in range(1, 10) if k != 5]
    return {
        "study": "visits", "title": "Visits", "level": "person", "register": [REGISTER],
        "quality": [{"source": "records", "rows": 1203, "entities": 803, "undated": 3}],
        "attrition": [
            {"as_of_date": "2025-01-01", "step": "in the extract", "dropped": 0, "remaining": 2999},
            {"as_of_date": "2025-01-01", "step": "on roll", "dropped": 502, "remaining": 2497},
        ],
        "attrition_differences": [
            {"as_of_date": "2025-01-01", "step": 1, "words": "on roll", "attribute": "ethnicity", "group": group,
             "dropped": dropped, "kept": kept, "dropped_share": 0.1, "kept_share": 0.1, "standardised_difference": 0.1}
            for group, (dropped, kept) in left_out.items()
        ],
        "outcome_status": [
            {"as_of_date": "2025-01-01", "known": 2311, "immature": 0, "unobserved": 186, "events": 251,
             "moved_away": 41}
        ],
        "outcome_by_group": [{**row, "as_of_date": "2025-01-01", "unobserved": row["n"] // 10} for row in groups()],
        "enough": {"rows": 2311, "events": 251, "people": 240, "columns": 30, "floor": 10},
        "features": [
            {"feature": "score", "words": "score at visits", "source": "records", "take": "latest", "last": "12 months",
             "missing": "keep", "about": "person", "seen_by": ["visitors"]}
        ],
        "feature_missing": [
            {"feature": "score", "as_of_date": day, "n": 2497, "missing": 702} for day in dates
        ],
        "feature_missing_by_group": [
            {"feature": "score", "as_of_date": "2025-01-01", **row,
             "missing": row["n"] // (4 if row["reference"] else 2)}
            for row in groups()
        ],
        "column_missing": [{"source": "records", "column": "score", "n": 1203, "missing": 4}],
        "recording_lag": [
            {**lag, "quarter": None, "n": 913, "median": 4, "most": 31, "people": 80, "undated": 30}, *quarters
        ],
        "facts_by_month": [
            {"source": "records", "kind": kind, "month": month, "facts": 101 + k,
             "people": 4 if month == "2024-03" else 60}
            for k, kind in enumerate(("visit", "call")) for month in months
        ],
        "breaks": [{"date": "2024-06-10", "what": "a new case system", "sources": ["records"]}],
        "linkage": [
            {"source": "police", "how": "matched where people.linked says so", "attribute": None, "group": None,
             "reference": False, "n": 2497, "covered": 2296},
            *({"source": "police", "how": "matched where people.linked says so", **row, "covered": linked[row["group"]]}
              for row in groups()),
        ],
        "linkage_by_date": [{"source": "police", "as_of_date": "2025-01-01", "n": 2497, "covered": 2296}],
    }  # fmt: skip
