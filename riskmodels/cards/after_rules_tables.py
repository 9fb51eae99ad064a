"""The list after the service's rules, teams and households beside the model's own: tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodels.assessment.suppression import SMALL_OR_TELLING
from riskmodels.cards.card import Cell, Table
from riskmodels.cards.cells import bounds_cell, count_cell, with_range
from riskmodels.cards.words import Language, capital, listing, of_100
from riskmodels.study import Study

Row = Mapping[str, Any]
NOT_SIDE_BY_SIDE = (
    "The simple rules were judged before the service's rules, as the model's own list was. So set their figures beside "
    "that list, and not beside the list that the service would use."
)
FATES = {
    "listed": "On the list",
    "excluded": "Left off",
    "household_closed": "Left off: a rule about somebody in the household leaves all of it alone",
    "no_team": "Of no team that has places",
    "household": "Not listed: the household has its place",
    "not_reached": "Not reached: the places were taken",
}


def after_rules_tables(performance: Row, language: Language) -> dict[str, Table]:
    """Tables of ``performance["after_rules"]``; none where the study has no rules, teams or households.

    Parameters
    ----------
    performance : as published, with ``after_rules`` as
        `riskmodels.cards.after_rules_published.published_after_rules` gives it
    """
    found = performance.get("after_rules")
    if not found:
        return {}
    made = {
        "fates": _fates_table(found, language),
        "service_list": _lists_table(found, performance["at_capacity"].get("leads_with_bounds"), language),
        "teams": _teams_table(found["teams"], language),
    }
    return {name: table for name, table in made.items() if table.rows}


def after_rules_words(performance: Row, language: Language, study: Study) -> tuple[str, ...]:
    """Sentences on the same: what the service does with the ranking, how good its list is, and for whom it is new."""
    found = performance.get("after_rules")
    if not found:
        return ()
    said = [_what_is_done(study)]
    lists = (("service_list", "the list that the service would use"), ("model_list", "the model's own list"))
    for name, words in lists:
        value = found[name]["precision"].get("value")
        if value is not None:
            new = None if found["new"] is None else found["new"][name]["yield"].get("value")
            known = "" if new is None else f", and {of_100(new)} of these were not yet known to the service"
            said.append(f"Of 100 on {words}, {of_100(value)} {language.needed}{known}.")
    if found["new"] is None:
        said.append(f"How many of them are new to the service cannot be told: {found['already_known']['reason']}.")
    if len(said) > 1:
        said.append(NOT_SIDE_BY_SIDE)
    return tuple(said)


def _what_is_done(study: Study) -> str:
    file = study.file
    steps = ["leaves off those whom its rules name"] if file.service_rules else []
    steps += ["gives each team its own places"] if file.capacity.by else []
    steps += ["gives a household one place"] if file.list_unit == "household" else []
    return f"The model ranks everybody. The service then {listing(steps)}. The next in rank move up."


# ---------------------------------------------------------------- tables


def _fates_table(found: Row, language: Language) -> Table:
    rows: list[tuple[Cell, ...]] = [("Ranked", count_cell(found["ranked"]))]
    for row in found["fates"]:
        words = FATES[row["fate"]]
        rows.append((f"{words}: {row['rule']}" if row.get("rule") else words, count_cell(row["n"])))
    return Table(
        caption="What became of all who were ranked",
        columns=("What became of them", capital(language.many)),
        rows=tuple(rows),
        source="study.yaml: service_rules, capacity, list_unit; run: performance",
        note="All test dates together. Each is counted once, under the first that is true of them, as a rule stands "
        "before the next in the study.",
    )


def _lists_table(found: Row, leads_with_bounds: bool | None, language: Language) -> Table:
    ours, theirs = found["model_list"], found["service_list"]
    that_needed = f"{language.that} {language.needed}"
    lines: list[tuple[Cell, ...]] = []
    for name, words in (
        ("precision", f"Of 100 on the list, {language.needed}"),
        ("recall", f"Of 100 {language.many} {that_needed}, on the list"),
    ):
        lines.append((words, *(with_range(row[name], per_100=True) for row in (ours, theirs))))
        if leads_with_bounds:
            lines.append(
                (f"{words}: the two extremes", *(bounds_cell(row[f"{name}_bounds"]) for row in (ours, theirs)))
            )
    if found["new"] is not None:
        ours, theirs = found["new"]["model_list"], found["new"]["service_list"]
        for name, words in (
            ("yield", f"Of 100 on the list, {language.needed} and were not already known"),
            ("precision", f"Of 100 on the list who were not already known, {language.needed}"),
            ("recall", f"Of 100 {language.many} not already known {that_needed}, on the list"),
        ):
            lines.append((words, *(with_range(row[name], per_100=True) for row in (ours, theirs))))
    return Table(
        caption="The model's own list, and the list that the service would use",
        columns=("Measure", "The model's own list", "The service's list"),
        rows=tuple(lines),
        source="run: performance",
        note="All test dates together. In brackets: 95% intervals. Figures are for those whose outcome is known.",
    )


def _teams_table(rows: list[Row], language: Language) -> Table:
    lines: list[tuple[Cell, ...]] = []
    for row in rows:
        unseen = row["precision"].get("reason") == SMALL_OR_TELLING
        listed = "all" if row["full"] else ("fewer" if row["selected"] is None else row["selected"])
        lines.append(
            (row["team"], row["places"], listed, "not shown" if unseen else with_range(row["precision"], per_100=True))
        )
    note = "All test dates together. In brackets: 95% intervals. Figures are for those whose outcome is known."
    if any("not shown" in line for line in lines):
        note += " Not shown: a small number, or one that would give it away."
    return Table(
        caption="The service's list, team by team",
        columns=("Team", "Places", "Given out", f"Of 100 on the list, {language.needed}"),
        rows=tuple(lines),
        source="run: performance",
        note=note,
    )
