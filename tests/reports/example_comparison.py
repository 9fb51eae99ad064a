"""A made-up comparison of three runs, published, as ``compare --json`` writes it."""

from __future__ import annotations

from functools import cache
from typing import Any

from riskmodels.assessment.comparison_disclosure import publish_comparison, publish_shared
from riskmodels.assessment.paired_rows import ranked_run
from riskmodels.assessment.run_comparison import compare_groups, compare_runs, list_matrix
from riskmodels.assessment.suppression import PROFILES
from riskmodels.reports.comparison_words import words_of
from tests.assessment.compared_runs import county

SPEECH = {"many": "pupils", "that": "who", "needed": "needed help"}


def group(label: str, *recall: float) -> dict[str, Any]:
    metrics = {"recall": dict(zip(("value", "low", "high"), recall, strict=True))}
    return {"attribute": "sex", "group": label, "label": label, "metrics": metrics}


@cache
def _made(noises: tuple[float, ...]) -> tuple[dict[str, Any], ...]:
    runs = [ranked_run(f"reading/{number}", county(noise=noise)) for number, noise in enumerate(noises, 1)]
    shorts = {run.name: f"version {number}" for number, run in enumerate(runs, 1)}
    comparisons, hidden = [], []
    for other in runs[1:]:
        exact = compare_runs(
            runs[0], other, thresholds=(0.2, 0.5), bands={"lower": 0.0, "raised": 0.3, "high": 0.6}, seed=3
        )
        shown, log = publish_comparison(exact.to_dict())
        shown["groups"] = list(
            compare_groups(
                [group("girls", 0.5, 0.45, 0.55), group("boys", 0.5, 0.45, 0.55)],
                [group("girls", 0.8, 0.75, 0.85), group("boys", 0.5, 0.45, 0.55)],
            )
        )
        shown["changed"] = [{"key": "capacity.places", "first": "60", "second": "50"}]
        shown["warnings"] = ["The lists differ in length."]
        shown["words"] = words_of(shown, shorts, SPEECH)
        comparisons.append(shown)
        hidden += [{"comparison": other.name, **line} for line in log]
    lists = [[publish_shared(cell, PROFILES["sro-10"]) for cell in row] for row in list_matrix(runs)]
    described = [
        {
            "name": run.name, "short": shorts[run.name], "study": "reading", "version": number, "family": "points",
            "family_words": "a points tally", "audit_verdict": "PASS", "recommendation": "use",
            **{f"{name}_sha256": f"{number}" * 64 for name in ("model", "card", "study", "data")},
        }
        for number, run in enumerate(runs, 1)
    ]  # fmt: skip
    return (
        {
            "schema_version": 1, "study": "reading", "title": "Reading help", "runs": described,
            "comparisons": comparisons, "lists": {"runs": [run.name for run in runs], "of_100": lists},
            "disclosure": {"profile": "sro-10", "below": 10, "hidden": hidden},
        },
    )  # fmt: skip


def comparison(*noises: float) -> dict[str, Any]:
    """Runs with so much noise in their risks; the less, the better."""
    import copy

    return copy.deepcopy(_made(noises or (0.9, 0.2))[0])
