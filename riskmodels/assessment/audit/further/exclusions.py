"""The audit once more on the list that the service really uses: after its own rules, teams and households."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from riskmodels.assessment.audit.coding import Attribute, flags
from riskmodels.assessment.audit.counting.counts import (
    CELLS,
    FN,
    FP,
    SELECTED_UNKNOWN,
    TN,
    TP,
    UNSELECTED_UNKNOWN,
    cells_of,
)
from riskmodels.assessment.audit.metrics import PROPORTIONS, parts
from riskmodels.assessment.audit.verdicts import FAIL, overall_verdict, tally
from riskmodels.assessment.audit.words import per_hundred, question_of, titled
from riskmodels.errors import DataError

Row = dict[str, Any]


def checked_exclusions(
    excluded: Any, selected_after: Any, selected: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Who is excluded and who is on the list that the service uses, each (n,) bool; None where nothing is changed.

    Parameters
    ----------
    selected : (n,) bool, the list as it was

    Raises
    ------
    DataError
        if there is not one of each for each row, the list is missing, or somebody excluded is on it.
    """
    if excluded is None:
        return None
    rows, out = len(selected), flags(excluded, "excluded")
    if len(out) != rows:
        raise DataError(f"excluded: {len(out)} values for {rows} outcomes; there must be one for each")
    if selected_after is None:
        if not out.any():
            return None
        raise DataError("selected_after: is needed with excluded: the list refilled without those who are excluded")
    chosen = flags(selected_after, "selected_after")
    if len(chosen) != rows:
        raise DataError(f"selected_after: {len(chosen)} values for {rows} outcomes; there must be one for each")
    if not out.any() and (chosen == selected).all():
        return None
    both = int((out & chosen).sum())
    if both:
        raise DataError(f"selected_after: {both} rows are excluded and yet on the list; refill it without them")
    return out, chosen


def after_exclusions(
    attributes: Sequence[Attribute],
    status: np.ndarray,
    excluded: np.ndarray,
    chosen: np.ndarray,
    contrasts: Sequence[Row],
    before: Sequence[Row],
    titles: Mapping[str, str],
    noun: str,
) -> Row:
    """Who is excluded, and how each group fares on the list that the service uses.

    People who are excluded stay in the denominators: they may need help all the same. What risks mean does not change
    with the list, so only rates are judged again.

    Parameters
    ----------
    status : (n,) 0, 1, or 2 where the outcome is not known
    excluded, chosen : (n,) bool
    contrasts, before : the comparisons that carry a verdict, on the list the service uses and on the list as it was

    Returns
    -------
    {excluded, verdict, judged, contrasts, in_words, counts}; the counts are the owner's alone
    """
    judged = tally(contrasts)
    found: Row = {
        "excluded": [row for attribute in attributes for row in _shares(attribute, excluded)],
        "verdict": overall_verdict(judged, unaccepted=False),
        "judged": judged,
        "contrasts": list(contrasts),
        "counts": [row for attribute in attributes for row in _counts(attribute, cells_of(status, chosen))],
    }
    return found | {"in_words": exclusions_in_words(found, before, titles, noun)}


def _shares(attribute: Attribute, excluded: np.ndarray) -> list[Row]:
    """Each group's share of people who are excluded."""
    size = len(attribute.groups)
    n, out = np.bincount(attribute.codes, minlength=size), np.bincount(attribute.codes[excluded], minlength=size)
    return [
        {"attribute": attribute.name, "group": group, "label": label, "rate": float(out[place] / n[place]),
         "excluded": int(out[place]), "n": int(n[place])}
        for place, (group, label) in enumerate(zip(attribute.groups, attribute.labels, strict=True))
    ]  # fmt: skip


def _counts(attribute: Attribute, cells: np.ndarray) -> list[Row]:
    """Each group's counts on the list the service uses, and the rates made of them, as rows by group hold them."""
    table = np.bincount(attribute.codes * CELLS + cells, minlength=len(attribute.groups) * CELLS).reshape(-1, CELLS)
    rows = []
    for group, label, own in zip(attribute.groups, attribute.labels, table, strict=True):
        metrics: Row = {}
        for metric in PROPORTIONS:
            top, bottom = (int(part) for part in parts(own, metric))
            metrics[metric] = {"value": top / bottom} if bottom else {"value": None, "reason": "nobody to count"}
        rows.append(
            {
                "attribute": attribute.name, "group": group, "label": label, "n": int(own.sum()),
                "positives": int(own[[FN, TP]].sum()), "selected": int(own[[FP, TP, SELECTED_UNKNOWN]].sum()),
                "tp": int(own[TP]), "fp": int(own[FP]), "fn": int(own[FN]), "tn": int(own[TN]),
                "unknown": int(own[[UNSELECTED_UNKNOWN, SELECTED_UNKNOWN]].sum()),
                "unknown_selected": int(own[SELECTED_UNKNOWN]), "expected": 0.0, "metrics": metrics, "shown": True,
            }
        )  # fmt: skip
    return rows


def exclusions_in_words(
    found: Mapping[str, Any], before: Sequence[Mapping[str, Any]], titles: Mapping[str, str], noun: str
) -> list[str]:
    """How the list that the service uses is judged, whom its rules leave out most and least, and which verdicts change.

    Parameters
    ----------
    found : exact or published: a rate that is not shown there is not said here
    before : contrasts on the list as it was
    """
    said = [judged_again_in_words(found["judged"], before)]
    for attribute in dict.fromkeys(row["attribute"] for row in found["excluded"]):
        shown = [row for row in found["excluded"] if row["attribute"] == attribute and row["rate"] is not None]
        if len(shown) > 1:
            most, least = max(shown, key=lambda row: row["rate"]), min(shown, key=lambda row: row["rate"])
            title, often, seldom = titled(titles, attribute), per_hundred(most["rate"]), per_hundred(least["rate"])
            if often == seldom:
                said.append(f"{title}: of 100 {noun}, {often} are taken out, in every group alike.")
            else:
                said.append(
                    f"{title}, {most['label']}: of 100 {noun}, {often} are taken out, the most of any group; "
                    f"the least, {seldom}, in the group {least['label']}."
                )
    was = {_question(row): row["verdict"] for row in before}
    for row in found["contrasts"]:
        old = was.get(_question(row), row["verdict"])
        if old != row["verdict"]:
            against = "everybody else" if row["against"] == "others" else row["reference_label"]
            said.append(
                f"{titled(titles, row['attribute'])}: {row['label']} beside {against}, {question_of(row['metric'])}: "
                f"{row['verdict']}, where it was {old}."
            )
    return said


def judged_again_in_words(judged: Mapping[str, int], before: Sequence[Mapping[str, Any]]) -> str:
    """How many comparisons were judged again, and that a FAIL of what was not stands.

    Parameters
    ----------
    before : contrasts on the list as it was
    """
    said = (
        "On the list as the service would use it, only rates are judged again, not what the risks mean. "
        f"Comparisons: {judged['comparisons']}. Passed {judged['passed']}, failed {judged['failed']}, "
        f"cannot be judged {judged['insufficient']}."
    )
    if others := judged.get("failed_against_others"):
        said += f" Against everybody else, failed {others}."
    if any(row["verdict"] == FAIL for row in before):
        said += " What failed above and cannot be judged here still fails."
    return said


def _question(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("attribute", "group", "metric", "against", "family"))
