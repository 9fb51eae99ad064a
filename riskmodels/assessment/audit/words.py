"""The audit in sentences: natural frequencies first, the verdict after them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NOUNS = {"person": "people", "household": "households", "place": "places"}
_WITH = {"need": "who needed help", "service": "who had the outcome"}


def in_words(
    rows: Sequence[Mapping[str, Any]],
    contrasts: Sequence[Mapping[str, Any]],
    titles: Mapping[str, str],
    *,
    purpose: str,
    measures: str,
    noun: str,
    judged: Mapping[str, int],
    provisional: bool,
) -> tuple[str, ...]:
    """One sentence for the whole, one for each primary contrast, and one for the groups too small for any verdict.

    Parameters
    ----------
    rows, contrasts : as in the audit, exact or published: what is not shown there is not said here
    titles : attribute -> its name in words
    noun : what is counted, in the plural
    """
    by_group = {(row["attribute"], row["group"]): row for row in rows}
    need = _WITH["need" if measures == "need" and purpose == "assistive" else "service"]
    need = need if noun == "people" else need.replace("who", "that")
    sentences = [judged_in_words(judged)]
    if provisional:
        sentences.append(
            "All verdicts are provisional: the outcome is a service's contact or decision, so equal rates may mean "
            "equal attention rather than equal need."
        )
    primary = [contrast for contrast in contrasts if contrast["family"] == "primary"]
    hopeless = _too_few(primary)
    for contrast in primary:
        if contrast["label"] in hopeless.get(contrast["attribute"], ()):
            continue
        title = titles.get(contrast["attribute"], contrast["attribute"])
        group = by_group.get((contrast["attribute"], contrast["group"]))
        reference = by_group.get((contrast["attribute"], contrast["reference"]))
        said = _sentence(contrast, group, reference, need, noun)
        sentences.append(f"{title[:1].upper()}{title[1:]}: {said} {_ending(contrast)}")
    for attribute, labels in hopeless.items():
        title = titles.get(attribute, attribute)
        sentences.append(f"{title[:1].upper()}{title[1:]}: too few {noun} to judge anything for {_listed(labels)}.")
    return tuple(sentences)


def _too_few(contrasts: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """For each attribute the groups too small for any verdict: they get one sentence together."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for contrast in contrasts:
        reasons.setdefault((contrast["attribute"], contrast["label"]), []).append(contrast["reason"] or "")
    hopeless: dict[str, tuple[str, ...]] = {}
    for (attribute, label), given in reasons.items():
        if all(reason.startswith("too few to judge") for reason in given):
            hopeless[attribute] = (*hopeless.get(attribute, ()), label)
    return hopeless


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def judged_in_words(judged: Mapping[str, int]) -> str:
    return (
        f"Judged {judged['passed'] + judged['failed']} of {judged['comparisons']}: harm found in {judged['failed']}, "
        f"cannot judge {judged['insufficient']}."
    )


def per_hundred(rate: float) -> str:
    """A rate as a count out of 100: ``about 40``, ``fewer than 1``, ``none``."""
    count = round(100 * rate)
    if count == 0:
        return "none" if rate == 0 else "fewer than 1"
    return f"about {count}"


def _sentence(
    contrast: Mapping[str, Any],
    group: Mapping[str, Any] | None,
    reference: Mapping[str, Any] | None,
    need: str,
    noun: str,
) -> str:
    who, other = _people(contrast["label"], noun), _people(contrast["reference_label"], noun)
    metric = contrast["metric"]
    if metric == "oe_ratio":
        return _expected(group, who)
    if metric == "calibration_slope":
        return _spread(group, who)
    asked, verb, shown = {
        "recall": (need, "the list misses", "fnr"),
        "fpr": ("whom the outcome did not happen to", "the list wrongly picks", "fpr"),
        "fdr": ("on the list", "it wrongly picked", "fdr"),
        "selection_rate": ("in all", "the list picks", "selection_rate"),
    }.get(metric, ("in all", f"{metric} counts", metric))
    if noun != "people":
        asked = asked.replace("whom the", "that the")
    here, there = _value(group, shown), _value(reference, shown)
    if here is None:
        return f"for {who} {asked}, how many {verb} is not shown."
    if there is None:
        return f"of 100 {who} {asked}, {verb} {per_hundred(here)}; for {other}, it is not shown."
    return f"of 100 {who} {asked}, {verb} {per_hundred(here)}; of 100 {other}, {per_hundred(there)}."


def _people(label: str, noun: str) -> str:
    if label in ("Not recorded", "everybody else"):
        return f"{noun} whose group is not recorded" if label == "Not recorded" else f"other {noun}"
    return f"{label} {noun}"


def _value(row: Mapping[str, Any] | None, metric: str) -> float | None:
    if row is None or not row.get("shown"):
        return None
    value = row["metrics"].get(metric, {}).get("value")
    return None if value is None else float(value)


def _expected(group: Mapping[str, Any] | None, who: str) -> str:
    ratio = _value(group, "oe_ratio")
    if ratio is None:
        return f"for {who}, predicted and observed outcomes are not shown."
    return f"for every 100 {who} predicted to have the outcome, {per_hundred(ratio)} had it."


def _spread(group: Mapping[str, Any] | None, who: str) -> str:
    slope = _value(group, "calibration_slope")
    if slope is None:
        return f"for {who}, whether high risks are too high and low ones too low is not shown."
    if 0.95 <= slope <= 1.05:
        return f"among {who}, risks are spread about right (slope {slope:.2f})."
    how = (
        "high risks are too high and low ones too low" if slope < 1 else "high risks are too low and low ones too high"
    )
    return f"among {who}, {how} (slope {slope:.2f})."


def _ending(contrast: Mapping[str, Any]) -> str:
    verdict = contrast["verdict"]
    if verdict == "FAIL" and contrast.get("worse_off"):
        return f"FAIL: {contrast['worse_off']} worse off."
    reason, detectable = contrast.get("reason"), contrast.get("minimum_detectable")
    said = f"{verdict}: {reason}." if reason and verdict != "PASS" else f"{verdict}."
    if verdict == "INSUFFICIENT EVIDENCE" and detectable is not None:
        what = "slope" if contrast["metric"] == "calibration_slope" else "ratio"
        said += f" This data would have shown a {what} of {detectable:.2f}, or one further from 1."
    return said
