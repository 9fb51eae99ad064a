"""What people say: whether all is answered, whole, and lasting, and where each statement comes from."""

from __future__ import annotations

import datetime as dt
import re

from riskmodels.cards.blank import is_answer
from riskmodels.cards.checks.checked import Card, Checked, Verdict, facts_of, some, tables_of, texts_of
from riskmodels.cards.data_section import REGISTER
from riskmodels.cards.indexes import UNANSWERED
from riskmodels.cards.missing import missing

SECTIONS = ("ask", "purpose", "people_process", "risks", "law", "monitoring")  # that people answer
PLACEHOLDER = re.compile(
    r"\b(?:TODO|TBA|TBC|TBD|FIXME|XXX+|lorem ipsum|more information needed|to be (?:confirmed|completed|decided))\b|"
    r"\[[.…]+\]",
    re.I,
)
EXPIRES, NO_END = "Agreement expires", ("None stated", None)
COLUMNS = {"Source", "Used for", *REGISTER.values()}


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
    """Words that only promise an answer, in any text; and in its place, a dash, a blank or the like."""
    card = checked.card
    found = [path for path, text in texts_of(card) if PLACEHOLDER.search(text)]
    said = [(path, fact["value"]) for path, fact in facts_of(card)]
    said += [(f"questions.{question['number']}", question["answer"]) for question in card["questions"]]
    found += [path for path, value in said if value is not None and not is_answer(value) and path not in found]
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
    """No agreement on sharing data is over on the day that the page is made; each end is a day that can be held to it.

    An agreement may have no end, and a public file needs none: the words count those.
    """
    register, today = checked.card["data"]["register"], checked.beside.today
    unknown = [name for name in register["columns"] if name not in COLUMNS]
    if unknown:
        return False, f"the register has a column that no card has: {some(unknown)}; build the card again"
    if today is None or EXPIRES not in register["columns"]:
        return True, "no day was given to hold the agreements to" if today is None else "no agreement has an end"
    position = register["columns"].index(EXPIRES)
    ends = {str(row[0]): row[position] for row in register["rows"]}
    days = {name: _day(end) for name, end in ends.items()}
    open_ended = [name for name, end in ends.items() if end in NO_END]
    unread = [name for name, day in days.items() if day is None and name not in open_ended]
    over = [name for name, day in days.items() if day is not None and day < today]
    if unread:
        return False, f"the end of the agreement for {some(unread)} is no date; write it as 2030-03-31 in register.yaml"
    if over:
        return False, f"the agreement for {some(over)} is over; renew it, or leave these data out"
    without = f"; no end is stated for {some(open_ended)}" if open_ended else ""
    return True, f"every agreement that has an end holds on {today.isoformat()}{without}"


def _day(cell: object) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(cell))
    except ValueError:
        return None
