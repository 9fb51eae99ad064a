"""What people say: whether all is answered, whole, and lasting, and where each statement comes from."""

from __future__ import annotations

import datetime as dt
import re

from riskmodels.cards.checks.checked import Card, Checked, Verdict, facts_of, some, tables_of, texts_of
from riskmodels.cards.indexes import UNANSWERED
from riskmodels.cards.missing import missing

SECTIONS = ("ask", "purpose", "people_process", "risks", "law", "monitoring")  # that people answer
PLACEHOLDER = re.compile(
    r"\b(?:TODO|TBC|TBD|FIXME|XXX+|lorem ipsum|more information needed|to be (?:confirmed|completed|decided))\b|"
    r"\[[.…]+\]",
    re.I,
)
EXPIRES = "Agreement expires"


def complete(checked: Checked) -> Verdict:
    """What no approval goes without: the expected answers, and the twenty questions."""
    gaps = _gaps(checked.card, 1)
    return not gaps, (
        f"{len(gaps)} not answered: {some(gaps)}; `riskmodels card missing` lists them by owner"
        if gaps
        else "every question that an approval needs has an answer"
    )


def further_answers(checked: Checked) -> Verdict:
    """What a study asked itself beyond those, and left open: shown as gaps, which is honest."""
    gaps = _gaps(checked.card, 0)
    return not gaps, (
        f"{len(gaps)} further not answered: {some(gaps)}; the card shows them as gaps"
        if gaps
        else "no further question was left open"
    )


def _gaps(card: Card, tier: int) -> list[str]:
    return [f"{gap.file}: {gap.key} ({gap.owner})" for gap in missing(card) if gap.tier == tier]


def tripod(checked: Checked) -> Verdict:
    """A person's reason is part of an answer: facts without one are not enough."""
    rows = checked.card["annex"]["tripod"]["rows"]
    empty = [str(row[0]) for row in rows if row[2] in UNANSWERED]
    return not empty, (
        f"{len(empty)} TRIPOD+AI items not answered: {some(empty, 30)}; answer them in answers.yaml: tripod"
        if empty
        else "every TRIPOD+AI item is answered"
    )


def no_placeholders(checked: Checked) -> Verdict:
    found = [path for path, text in texts_of(checked.card) if PLACEHOLDER.search(text)]
    return not found, (
        f"placeholder text in {some(found)}; say it, or leave it out so that the card names the gap"
        if found
        else "no placeholder text"
    )


def has_sources(checked: Checked) -> Verdict:
    """Every fact and table says where it comes from, and every gap who owns it."""
    lacking = [f"{path} (source)" for path, table in tables_of(checked.card) if not table["source"].strip()]
    for path, fact in facts_of(checked.card):
        lacking += [f"{path} ({name})" for name in ("source", "owner") if not fact[name].strip()]
    lacking += [
        f"questions.{question['number']} (owner)"
        for question in checked.card["questions"]
        if not question["owner"].strip()
    ]
    return not lacking, (
        f"without source or owner: {some(lacking)}; name them" if lacking else "every fact and table has a source"
    )


def agreements_last(checked: Checked) -> Verdict:
    """No agreement on sharing data is over on the day that the page is made."""
    register, today = checked.card["data"]["register"], checked.beside.today
    if today is None or EXPIRES not in register["columns"]:
        return True, "no day was given to hold the agreements to" if today is None else "no agreement has an end"
    position = register["columns"].index(EXPIRES)
    over = [str(row[0]) for row in register["rows"] if (end := _day(row[position])) is not None and end < today]
    return not over, (
        f"the agreement for {some(over)} is over; renew it, or leave these data out"
        if over
        else f"every agreement holds on {today.isoformat()}"
    )


def _day(cell: object) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(cell))
    except ValueError:
        return None
