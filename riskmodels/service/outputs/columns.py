"""What each column of the list is: one table, from which the data dictionary and docs/scoring-columns.md are made."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from riskmodels.models.reasons import CLOSE_CALL_MEANS
from riskmodels.service.outputs.formulas import HOW_TO_UNDO, neutralise
from riskmodels.service.shapes import SCORED_SCHEMA
from riskmodels.study import StudyFile

if TYPE_CHECKING:
    from riskmodels.models.risk_model import RiskModel

KINDS = {
    pl.String: "text", pl.Date: "date", pl.Float64: "decimal number", pl.Int32: "whole number",
    pl.Boolean: "true or false",
}  # fmt: skip
NEVER = "never"
UNEXPLAINED = "nobody asked for this person's reasons (--explain)"


@dataclass(frozen=True)
class ListColumn:
    """``values``: what may stand there; ``empty``: when nothing does."""

    meaning: str
    values: str
    empty: str = NEVER


# To add a column: one row here, one in `SCORED_SCHEMA`.
LIST_COLUMNS = {
    "entity_id": ListColumn(
        "Whose row it is: the id of the cohort, as text, so that leading noughts and long numbers stay.",
        "an id; each stands once",
    ),
    "as_of_date": ListColumn(
        "The day on which the person is seen. What became known later is not used.", "a day, the same in every row"
    ),
    "risk": ListColumn(
        "The probability of the outcome that the study asks about: of 100 people with a risk of 0.3, about 30 should "
        "have it. It is about people with such records, and not a fact about this one.",
        "0 to 1; Excel shows it as a percentage",
    ),
    "risk_low": ListColumn(
        "The lower end of what the risk may be, as unsure as the model's test leaves it.",
        "0 to risk",
        "the model gives no range (only some ways of calibrating do)",
    ),
    "risk_high": ListColumn(
        "The upper end of it.", "risk to 1", "the model gives no range (only some ways of calibrating do)"
    ),
    "band": ListColumn("The risk in a word, as the study names it.", "a word of the study's bands"),
    "rank": ListColumn(
        "The place by risk, 1 being the highest; equal risks go by the model's score, of which the risk is made, and "
        "equal scores by a draw that the ids and the study's seed fix.",
        "1 to the number of people scored; each stands once",
    ),
    "selected": ListColumn(
        "Whether the rank is within all the places: the list of the model alone, as it was tested and audited.",
        "true, false",
    ),
    "listed": ListColumn(
        "Whether the person is on the list to act on: after the service's rules, one place for each household where "
        "the study says so, and the places of each team.",
        "true, false",
    ),
    "not_listed_because": ListColumn(
        "Why the person is not on the list.", "the words of a rule of the service, or of the places", "listed is true"
    ),
    "team": ListColumn(
        "The team or area whose places the person is ranked for.",
        "a name",
        "the study has no teams, or the person's is not known",
    ),
    "reason_1": ListColumn(
        "What in the records raised the number most, in words. It is not a cause, and not something to blame anybody "
        "for.",
        "a sentence",
        f"{UNEXPLAINED}, or nothing raised it",
    ),
    "reason_2": ListColumn("What raised it second most.", "a sentence", f"{UNEXPLAINED}, or nothing else raised it"),
    "reason_3": ListColumn(
        f"What raised it third most. {CLOSE_CALL_MEANS}", "a sentence", f"{UNEXPLAINED}, or nothing else raised it"
    ),
    "lowers_1": ListColumn("What lowered it most.", "a sentence", f"{UNEXPLAINED}, or nothing lowered it"),
    "caveats": ListColumn(
        "Why to trust this number less: records of a source that could not be seen, key facts missing or old, or a "
        "person unlike those the model learned from. "
        "Which facts are old is known where the list is made from the study's sources, not from a file of features.",
        "sentences parted by semicolons",
        f"{UNEXPLAINED}, or there is nothing to say",
    ),
    "model_version": ListColumn(
        "The model's version in the registry.", 'a number as text or "not registered", the same in every row'
    ),
    "model_sha256": ListColumn("The digest of the model's files.", "64 letters and digits, the same in every row"),
    "batch_id": ListColumn(
        "The batch: the same model, cohort and settings give the same one.",
        "16 letters and digits, the same in every row",
    ),
}
ANY_TEXT = "(any text in CSV)"


def dictionary(
    study: StudyFile, model: RiskModel, role: str | None = None, rules: Sequence[str] | None = None
) -> bytes:
    """The data dictionary of a list as a CSV file: column, type, meaning, values, may be empty when.

    Parameters
    ----------
    study : its bands, rules and teams are named
    model : whether its risks have a range
    role : whose list it is; some reasons may be withheld from it
    rules : what that role is told of each service rule; its ``because`` unless given
    """
    own = _own_words(study, model, role, [rule.because for rule in study.service_rules] if rules is None else rules)
    lines = []
    for name, column in LIST_COLUMNS.items():
        meaning, values, empty = own.get(name, (None, None, None))
        line = (meaning or column.meaning, values or column.values, empty or column.empty)
        lines.append((name, KINDS[SCORED_SCHEMA[name]], *line))
    lines.append((ANY_TEXT, "text", HOW_TO_UNDO, "", ""))
    columns = ["column", "type", "meaning", "values", "may be empty when"]
    frame = pl.DataFrame(lines, schema=dict.fromkeys(columns, pl.String), orient="row")
    buffer = io.BytesIO()
    neutralise(frame).write_csv(buffer)
    return buffer.getvalue()


Words = tuple[str | None, str | None, str | None]


def _own_words(study: StudyFile, model: RiskModel, role: str | None, rules: Sequence[str]) -> dict[str, Words]:
    """What the table says more exactly of this study, model and role: (meaning, values, may be empty when)."""
    from riskmodels.models.risk_curves import risk_interval

    bands = ", ".join(f"{name} (from {start:g})" for name, start in study.bands.items())
    teams = study.capacity.places if isinstance(study.capacity.places, dict) else {}
    own: dict[str, Words] = {
        "risk": (f"{LIST_COLUMNS['risk'].meaning} The question: {study.question}", None, None),
        "band": (None, bands, None),
    }
    if rules:
        own["not_listed_because"] = (None, "; ".join(dict.fromkeys([*rules, "or words about the places"])), None)
    if teams:
        own["team"] = (None, ", ".join(teams), "the person's team is not known")
    if risk_interval(model.calibrator, np.zeros(1)) is None:
        always = "always: this model gives no range"
        own["risk_low"] = own["risk_high"] = (None, None, always)
    if role is not None:
        for name in ("reason_1", "reason_2", "reason_3", "lowers_1"):
            said = f"{LIST_COLUMNS[name].meaning} Made for the role {role}: "
            own[name] = (said + 'a reason it may not see reads "a factor your team may not see".', None, None)
    return own


def columns_page() -> str:
    """docs/scoring-columns.md."""
    lines = [
        f"| `{name}` | {KINDS[SCORED_SCHEMA[name]]} | {column.meaning} | {column.values} | {column.empty} |"
        for name, column in LIST_COLUMNS.items()
    ]
    return PAGE.format(rows="\n".join(lines), undo=textwrap.fill(HOW_TO_UNDO, 120))


PAGE = """# The columns of a scored list

`riskmodels score` writes one row for each person scored, best first, with these columns in this order. The same table,
with the words of the study at hand, is written beside each list as its data dictionary. This page is made from the
table in `riskmodels/service/outputs/columns.py`, and a test holds the two together.

| column | type | meaning | values | may be empty when |
|---|---|---|---|---|
{rows}

## The three formats

**Parquet** is for Power BI and for programs: text is plain UTF-8 text, never a category; dates are dates without a
time; numbers keep every digit.

**CSV** is UTF-8 text with a header. Dates are written as 2026-01-31, truth as `true` and `false`, and an empty field is
a value that is not there.
{undo}

**xlsx** is for Excel and holds at most 1,048,575 people. Ids are text, dates are dates, risks are numbers that are
shown as percentages and keep 15 digits, as many as Excel has. No cell is a formula or a link: a text that begins like a
formula is marked as text, and reads as it was.
"""
