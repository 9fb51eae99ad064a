"""Drafts of the fields about the tool and its model: 2.4.1 and 2.4.2.

A draft takes what the card holds and adds nothing but what holds for every list of this package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from riskmodels.cards.records.taken import FOR_THE_MODEL, Taken, paragraphs
from riskmodels.cards.words import listing, of_100
from riskmodels.reports.cells import cell_text

Row = Mapping[str, Any]
VERDICTS = {
    "PASS": "No comparison that decides it lies outside the limits.",
    "FAIL": "It found harm to at least one group. Each finding must be put right, or answered by name.",
    "INSUFFICIENT EVIDENCE": "The data cannot tell whether a group is treated worse. That is not a pass.",
    "NOT AUDITED": "A protected group was not checked, and nobody has said why. That is not a pass.",
}
AS_USED = "On the list that the service would use"  # how the card begins to say what fails there
NOT_IN_A_SCORE = "no field that its scores depend on comes from it"


# ---------------------------------------------------------------- 2.4.1 the tool


def _architecture(taken: Taken) -> str | None:
    if not taken.in_use:
        return None
    made = (
        f"Dated extracts are read: {listing([str(row['Source']) for row in taken.in_use])}. "
        "Fields are made from what was known before the day of the list. "
        f"The model gives each of the {taken.many} a risk. "
        "All are ranked by risk, and the list is the top of that ranking. "
        f"Each {taken.one} on the list comes with reasons in plain words."
    )
    return paragraphs(made, taken.labelled(("Who decides", "people_process.who_decides")))


def _input(taken: Taken) -> str | None:
    columns: dict[str, list[str]] = {}
    for row in taken.rows("data.columns"):
        columns.setdefault(str(row["Source"]), []).append(str(row["Column"]))
    lines = [
        f"{row['Source']}: {row['What it is']}. Columns: {listing(columns.get(str(row['Source']), []))}."
        for row in taken.in_use
    ]
    return paragraphs("Tables with a row for each dated event, or for each of those listed.", *lines) if lines else None


def _output(taken: Taken) -> str | None:
    return (
        f"A table with a row for each of the {taken.many}: a risk between 0 and 1, a band, a rank, whether they are on "
        "the list and if not why not, reasons in plain words, and cautions. It names the version of the model."
    )


def _maintenance(taken: Taken) -> str | None:
    return taken.facts("monitoring.review", "monitoring.stop_rules", "monitoring.retirement")


def _models(taken: Taken) -> str | None:
    return taken.dated(f"One: {taken.at('title')}. {_chosen(taken) or ''}".strip()) if taken.at("title") else None


# ---------------------------------------------------------------- 2.4.2 the model


def _name(taken: Taken) -> str | None:
    return taken.at("study")


def _version(taken: Taken) -> str | None:
    return taken.at("model.version")


def _task(taken: Taken) -> str | None:
    if taken.outcome is None:
        return None
    return f"To put {taken.many} in order by how likely it is that the {taken.one} {taken.outcome}."


def _model_input(taken: Taken) -> str | None:
    fields, unused = taken.fields, [one for one in taken.all_fields if one not in taken.fields]
    if not taken.all_fields:
        return None
    used = f"Its scores depend on: {listing(fields)}." if fields else "Its scores depend on no field."
    return paragraphs(used, f"Tried and not used: {listing(unused)}." if unused else None)


def _model_output(taken: Taken) -> str | None:
    ahead = taken.fact("how_it_works.looks_ahead")
    if taken.outcome is None or ahead is None:
        return None
    return (
        f"One risk between 0 and 1 for each of the {taken.many}: how likely it is that the {taken.one} "
        f"{taken.outcome}. It looks {ahead} ahead."
    )


def _chosen(taken: Taken) -> str | None:
    words = taken.at("how_it_works.words") or ()
    return next((text for text in words if text.startswith("The way chosen is ")), None)


def _model_architecture(taken: Taken) -> str | None:
    drivers = [f"{row['Field']} ({row['Parts of 100']} parts)" for row in taken.rows("explanation.drivers")]
    weigh = f"What weighs in a score: {listing(drivers)}." if drivers else None
    return paragraphs(taken.dated(_chosen(taken)), weigh) if _chosen(taken) else None


def _performance(taken: Taken) -> str | None:
    worse = taken.block("worse")
    found = paragraphs(
        taken.block("right"),
        taken.block("missed"),
        taken.block("simple"),
        f"Between groups: {worse}" if worse else None,
        _compared(taken),
        _measures(taken),
    )
    # The advice and the verdict come first, so that who agrees to the figures agrees to what they mean.
    return paragraphs(taken.advice, verdict_of(taken), taken.dated(found))


def verdict_of(taken: Taken) -> str | None:
    """What the fairness audit found on the whole, in the card's word and in plain ones."""
    verdict = taken.at("audit.verdict")
    return f"Verdict of the fairness audit: {verdict}. {VERDICTS[verdict]}" if verdict else None


def _compared(taken: Taken) -> str | None:
    tally = taken.at("audit.tally") or {}
    said = []
    if tally.get("comparisons"):
        said.append(
            f"Of {tally['comparisons']:,} comparisons of groups, {tally['passed']:,} passed and {tally['failed']:,} "
            "failed."
        )
    if tally.get("failed_against_others"):
        said.append(f"Of comparisons of a group with everybody else, {tally['failed_against_others']:,} failed.")
    said += [str(text) for text in taken.at("audit.words") or () if str(text).startswith(AS_USED)]
    said += [f"For {tally['cannot_tell']:,} the data cannot tell."] if tally.get("cannot_tell") else []
    said += [f"In {tally['real_but_small']:,} the gap is real but small."] if tally.get("real_but_small") else []
    if taken.at("audit.provisional"):
        said.append("No verdict is final, since the outcome is contact with a service and not need itself.")
    return " ".join(said) or None


def _measures(taken: Taken) -> str | None:
    """How well it ranks, how right its risks are on the whole, and its mean squared error, each with its interval."""
    auc, ratio, brier = (taken.at(f"performance.overall.{name}") or {} for name in ("auc", "oe_ratio", "brier_score"))
    said = []
    if _whole(auc):
        low, high = of_100(auc["low"]), of_100(auc["high"])
        said.append(
            f"Of 100 pairs, one with the outcome and one without, the right one is put first in {of_100(auc['value'])} "
            f"({low} to {high}); a coin would do so in 50."
        )
    if _whole(ratio):
        said.append(f"Outcomes for each one foreseen: {_with_interval(ratio)}.")
    if _whole(brier):
        said.append(f"Brier score, where lower is better: {_with_interval(brier)}.")
    return f"For specialists, with 95% intervals: {' '.join(said)}" if said else None


def _whole(estimate: Row) -> bool:
    return all(isinstance(estimate.get(name), (int, float)) for name in ("value", "low", "high"))


def _with_interval(estimate: Row) -> str:
    """As the card holds it: rounded once more, it would be another number."""
    value, low, high = (cell_text(float(estimate[name])) for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _purposes(taken: Taken) -> str | None:
    used = [f"{row['Source']}: {_use_of(row, taken)}." for row in taken.sources]
    splits = [
        f"Learned from {row['Learned from']}; calibrated on {row['Calibrated on']}; "
        + (
            "this is the model in service."
            if str(row["Tested on"]).startswith("none")
            else f"tested on {row['Tested on']}."
        )
        for row in taken.rows("annex.splits")
    ]
    return paragraphs(*used, taken.dated(paragraphs(*splits)))


def _use_of(source: Row, taken: Taken) -> str:
    if source["Used for"] != FOR_THE_MODEL:
        return str(source["Used for"])
    if source["Source"] in taken.used_sources:
        return "used by the model, whose scores depend on it"
    return f"offered to the model; {NOT_IN_A_SCORE}"


TECHNICAL: dict[str, Callable[[Taken], str | None]] = {
    "2.4.1.1": _architecture,
    "2.4.1.2": _input,
    "2.4.1.3": _output,
    "2.4.1.4": _maintenance,
    "2.4.1.5": _models,
    "2.4.2.1": _name,
    "2.4.2.2": _version,
    "2.4.2.3": _task,
    "2.4.2.4": _model_input,
    "2.4.2.5": _model_output,
    "2.4.2.6": _model_architecture,
    "2.4.2.7": _performance,
    "2.4.2.8": _purposes,
}
