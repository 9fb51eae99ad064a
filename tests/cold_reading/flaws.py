"""Flaws planted in copies of a card: each is something that a careful reader should notice, with nothing to help them.

``python tests/cold_reading/flaws.py model_cards FOLDER`` writes each flawed card as a page, under a number that does
not say what is wrong; four of five should be noticed. No reader should see two of one study, which they could compare.
``FLAWS`` is the table: to add one, write it and add its row.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskmodels.cards.renderings import Beside, render

Card = dict[str, Any]
TODAY = dt.date(2026, 11, 30)
UNDECIDED = {
    "state": "AWAITING REVIEW",
    "words": "AWAITING REVIEW. No decision names this card. Do not use the model until one does.",
    "until": None,
    "example": False,
}


@dataclass(frozen=True)
class Flaw:
    """``notice``: what a reader should say. ``check``: the mechanical check that sees it too, None if none can."""

    study: str
    plant: Callable[[Card], None]
    notice: str
    check: str | None


def planted(flaw: Flaw, card: Card) -> Card:
    """A copy of the card with the flaw in it."""
    changed = copy.deepcopy(card)
    flaw.plant(changed)
    return changed


# ---------------------------------------------------------------- the flaws


def _say(card: Card, block: str, text: str) -> None:
    next(one for one in card["summary"]["blocks"] if one["id"] == block)["text"] = text


def hide_the_gaps(card: Card) -> None:
    _say(card, "worse", "No group is treated worse. All checks were passed.")


def ignore_the_unknown(card: Card) -> None:
    known = 100 * card["performance"]["at_capacity"]["precision"]["value"]
    _say(card, "right", f"Of 100 pupils on the list, {known:.0f} needed help, and {100 - known:.0f} did not need help.")
    advice = card["summary"]["recommendation"]
    advice["headline"] = advice["headline"].partition(". ")[0] + "."
    advice["reasons"] = advice["reasons"][:1]


def let_an_agreement_end(card: Card) -> None:
    register = card["data"]["register"]
    ends = register["columns"].index("Agreement expires")
    register["rows"][1][ends] = "2026-03-31"


def learn_from_the_test(card: Card) -> None:
    splits = card["annex"]["splits"]
    learned, tested = splits["columns"].index("Learned from"), splits["columns"].index("Tested on")
    first = splits["rows"][0]
    first[learned], first[tested] = first[tested], first[learned]


def swap_found_and_missed(card: Card) -> None:
    text = next(one["text"] for one in card["summary"]["blocks"] if one["id"] == "missed")
    found, missed = text.split("finds ")[1].split(" ")[0], text.split("misses ")[1].split(".")[0]
    _say(card, "missed", text.replace(f"finds {found} and misses {missed}", f"finds {missed} and misses {found}"))


def use_it_for_what_it_never_is(card: Card) -> None:
    card["people_process"]["facts"]["when_flagged"]["value"] = (
        "The school and the police are told the child's risk. The family is then called. If the parents refuse, a "
        "case is opened."
    )


FLAWS: dict[str, Flaw] = {
    "a gap hidden": Flaw(
        "county_early_help",
        hide_the_gaps,
        "page one says that nobody is treated worse, but section 8 cannot tell for most groups and shows gaps",
        None,
    ),
    "an unknown outcome ignored": Flaw(
        "early_reading_support",
        ignore_the_unknown,
        "page one counts only those whose result is known; most on the list have none",
        "prose_agrees",
    ),
    "an expired agreement": Flaw(
        "county_early_help",
        let_an_agreement_end,
        "an agreement for a source has ended, so its data may not be used",
        "agreements",
    ),
    "tested on the past": Flaw(
        "county_early_help",
        learn_from_the_test,
        "the table of splits learns from the date that it should be tested on",
        None,
    ),
    "found and missed swapped": Flaw(
        "county_early_help",
        swap_found_and_missed,
        "page one says the list finds 79 of 100; the figure and section 7 say 21",
        "page_one_whole",
    ),
    "used for what it never is": Flaw(
        "county_early_help",
        use_it_for_what_it_never_is,
        "section 4 gives scores to schools and the police and opens a case, which section 3 rules out",
        None,
    ),
}


def main(cards: str, folder: str) -> None:
    for number, flaw in enumerate(FLAWS.values(), 1):
        card = json.loads((Path(cards) / flaw.study / "card.json").read_bytes())
        pages = render(planted(flaw, card), ["html", "md"], Beside(UNDECIDED, today=TODAY))
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, content in pages.items():
            (Path(folder) / f"{number}-{name}").write_bytes(content)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
