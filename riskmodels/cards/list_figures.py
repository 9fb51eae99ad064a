"""The figures of the list and of who is on it, as numbers: people of 100, the way to the list, and whether it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from riskmodels.cards.card import Figure, Table
from riskmodels.cards.cells import whole_100
from riskmodels.cards.shown import HIDDEN
from riskmodels.cards.words import capital, day, listing, of_100

if TYPE_CHECKING:
    from riskmodels.cards.figures import Results

# How a kind is drawn (`riskmodels.reports.people_charts`): the first full, what is not known asked, the rest crossed.
DRAWN = ("Full", "Crossed", "With a question mark")
SOURCE = "run: performance"


def people_per_100(results: Results) -> Figure | str:
    """Of 100 on the list: how many needed help, how many did not, how many are not known."""
    language, at_capacity = results.language, results.performance["at_capacity"]
    if not at_capacity["of_100"]:
        return HIDDEN
    words = {
        "right": capital(language.needed),
        "wrong": capital(language.not_needed),
        "not_known": "Not known",
        "wrong_or_not_known": f"{capital(language.not_needed)}, or not known",
    }
    rows = tuple((words[part], count) for part, count in at_capacity["of_100"].items())
    unknown = at_capacity["of_100"].get("not_known")
    not_known = f", and {unknown} are not known" if unknown else ""
    low, high = at_capacity.get("precision_bounds") or (None, None)
    estimate = at_capacity.get("precision") or {}
    if at_capacity.get("leads_with_bounds"):
        note = _between(low, high, f"{language.needed}, whatever became of those not known")
    else:
        note = _between(estimate.get("low"), estimate.get("high"), f"{language.needed} (95% interval)")
    return Figure(
        id="people_per_100" if results.study.level == "person" else "units_per_100",
        title=f"Of 100 {language.many} on the list, {rows[0][1]} {language.needed}{not_known}",
        reading=_how_to_read(results, rows, f"of 100 {language.many} on the list"),
        alt=_alt(results, rows, f"of 100 {language.many} on the list"),
        table=Table(
            caption=f"Of 100 {language.many} on the list",
            columns=("What became of them", "Of 100"), rows=rows, source=SOURCE, note=note,
        ),
        unit=f"{language.many} of 100",
        n=at_capacity.get("selected"),
        narrow=True,
    )  # fmt: skip


def missed_per_100(results: Results) -> Figure | str:
    """Of 100 who needed help: how many the list finds, how many it misses; its two ends where much is not known."""
    language, at_capacity = results.language, results.performance["at_capacity"]
    who = f"{language.many} {language.that} {language.needed}"
    estimate = at_capacity.get("recall") or {}
    low, high = at_capacity.get("recall_bounds") or (None, None)
    if at_capacity.get("leads_with_bounds"):
        if low is None or high is None:
            return HIDDEN
        found, most = _count(low), _count(high)
        parts = [("Found by the list", found), ("Not known: found or missed", most - found), ("Missed", 100 - most)]
        said, note = f"between {of_100(low)} and {of_100(high)}", None
    elif estimate.get("value") is None:
        return HIDDEN
    else:
        found, said = _count(estimate["value"]), of_100(estimate["value"])
        parts = [("Found by the list", found), ("Missed", 100 - found)]
        note = _between(estimate.get("low"), estimate.get("high"), "are found (95% interval)")
    rows = tuple(part for part in parts if part[1] or part[0] == "Found by the list")
    return Figure(
        id="missed_per_100" if results.study.level == "person" else "missed_units_per_100",
        title=f"Of 100 {who}, the list finds {said}",
        reading=_how_to_read(results, rows, f"of 100 {who}"),
        alt=_alt(results, rows, f"of 100 {who}"),
        table=Table(
            caption=f"Of 100 {who}", columns=("Whether the list finds them", "Of 100"), rows=rows, source=SOURCE,
            note=note,
        ),
        unit=f"of 100 {who}",
        n=estimate.get("n") or results.performance.get("events"),
        narrow=True,
    )  # fmt: skip


def _count(share: float) -> int:
    return int(100 * share + 0.5)


def _between(low: float | None, high: float | None, what: str) -> str | None:
    return None if low is None or high is None else f"Between {of_100(low)} and {of_100(high)} of 100 {what}."


def _marks(results: Results) -> str:
    return "figures" if results.study.level == "person" else "squares"


def _alt(results: Results, rows: Sequence[tuple[str, int]], of_whom: str) -> str:
    said = listing([f"{count}: {kind.lower()}" for kind, count in rows])
    return f"One hundred {_marks(results)}, one for each {of_whom}. {capital(said)}."


def _how_to_read(results: Results, rows: Sequence[tuple[str, int]], of_whom: str) -> str:
    asked = [place > 0 and "not known" in kind.lower() for place, (kind, _) in enumerate(rows)]
    marks = [DRAWN[0], *(DRAWN[2] if unsure else DRAWN[1] for unsure in asked[1:])]
    kinds = ". ".join(f"{mark}: {kind[:1].lower()}{kind[1:]}" for mark, (kind, _) in zip(marks, rows, strict=True))
    return f"Each of the {_marks(results)} stands for one {of_whom}. {kinds}."


# ---------------------------------------------------------------- the way to the list


def attrition(results: Results) -> Figure | str:
    """From everybody in the data to the list, on the latest test date."""
    many, dates = results.language.many, results.test_dates
    rows = [
        row
        for row in results.attrition
        if dates and str(row["as_of_date"]) == dates[-1] and row["remaining"] is not None
    ]
    if not rows:
        return "no test date has a count that may be shown"
    flow = [(capital(row["step"]), row["remaining"]) for row in rows]
    places = results.performance["at_capacity"]["places_each"].get(dates[-1])
    if places:
        flow.append(("On the list (places)", places))
    end = f"to a list of {places:,}" if places else f"to {flow[-1][1]:,} who are ranked"
    return Figure(
        id="attrition",
        title=f"From {flow[0][1]:,} {many} in the data {end}, {day(dates[-1])}",
        reading=f"Each bar is how many {many} are left after a step, from top to bottom.",
        alt=f"Bars that get shorter: {listing([f'{words}, {count:,}' for words, count in flow])}.",
        table=Table(
            caption=f"How many {many} are left after each step, {day(dates[-1])}",
            columns=("Step", capital(many)),
            rows=tuple(flow),
            source="run: cohort attrition",
            note="Counted, not estimated, so there is no interval.",
        ),
        unit=many,
        n=flow[0][1],
        narrow=True,
    )


def unknown_by_fifth(results: Results) -> Figure | str:
    """How often the outcome is not known, from the lowest risks to the highest."""
    many = results.language.many
    fifths = [row for row in results.performance["unknown_by_fifth"] if row.get("share") is not None]
    if not fifths:
        return "too few unknown outcomes to show"
    if not any(row["share"] for row in fifths):
        return "every outcome is known"
    names = {1: "Lowest risk", 5: "Highest risk"}
    rows = tuple((names.get(row["fifth"], f"{row['fifth']} of 5"), row["n"], whole_100(row["share"])) for row in fifths)
    first, last = (of_100(row["share"]) for row in (fifths[0], fifths[-1]))
    ends = (fifths[0]["fifth"], fifths[-1]["fifth"]) == (1, 5)
    return Figure(
        id="unknown_by_fifth",
        title=(
            f"The outcome is not known for {first} of 100 at the lowest risks, and {last} of 100 at the highest"
            if ends
            else "How often the outcome is not known, by risk"
        ),
        reading=(
            f"All {many} are put in order of risk and cut into five equal groups. A frame is a group; its hatched "
            "part is those whose outcome is not known."
        ),
        alt=(
            f"Bars for equal groups of {many}, by risk. {rows[0][0]}: the outcome is not known for {first} of 100. "
            f"{rows[-1][0]}: for {last} of 100."
        ),
        table=Table(
            caption="Outcome not known, by fifth of risk",
            columns=("Fifth of risk", capital(many), "Not known, of 100"),
            rows=rows,
            source=SOURCE,
            note="Counted, not estimated, so there is no interval.",
        ),
        unit=f"of 100 {many} ranked",
        n=results.performance.get("n"),
        narrow=True,
    )


# ---------------------------------------------------------------- whether it holds


def stability(results: Results) -> Figure | str:
    """How much of the list stays when everything is built again from another draw of the same records."""
    found = (results.performance.get("deep") or {}).get("stability")
    if not found:
        return "not run (run --deep)"
    many, overlap = results.language.many, found["overlap"]
    rows = (
        (f"Places that go to the same {many}", *(whole_100(overlap[end]) for end in ("mean", "low", "high"))),
        ("The same, if places were drawn by lot", whole_100(found["chance"]), None, None),
        ("Places whose holder is on nearly every list", whole_100(found["firm"]), None, None),
    )
    return Figure(
        id="stability",
        title=f"Built again from another draw, {of_100(overlap['mean'])} of 100 places go to the same {many}",
        reading=(
            "A frame is 100 places on the list. The longer the first bar, the less the list hangs on which records "
            "happened to be there. The line below it shows where nine draws of ten lie."
        ),
        alt=(
            f"Three bars of 100 places. To the same {many}: {of_100(overlap['mean'])}, in nine draws of ten between "
            f"{of_100(overlap['low'])} and {of_100(overlap['high'])}. By lot: {of_100(found['chance'])}. On nearly "
            f"every list: {of_100(found['firm'])}."
        ),
        table=Table(
            caption=f"How the list holds over {found['refits']} draws",
            columns=("What", "Of 100 places", "nine draws of ten: at least", "at most"),
            rows=rows,
            source="run --deep: stability",
            note="On nearly every list: on 9 of 10.",
        ),
        unit="of 100 places on the list",
        n=found["places"],
        narrow=True,
    )
