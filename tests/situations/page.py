"""docs/right-answers.md: the twelve situations and the first line that each card gives."""

from __future__ import annotations

from collections.abc import Iterable

from .county import County
from .twelve import ENOUGH, SITUATIONS, Answer, answer

SEEDS = (1, 2, 3)
COMMAND = "python tests/situations --write docs/right-answers.md"

TOP = f"""# Right answers

Published evaluations of tools like this one ended mostly in "not good enough", "no benefit" or "quietly dropped". A
toolkit that always produces a model is part of that. Here are twelve situations in which the right advice is known,
since the county was made up for it, and the first line that the card of each gives. At least {ENOUGH} must be right.

Each is a study of `riskmodels.data.synthetic.make_county`, run whole: read, checked for leaks, trained, tested on the
future, audited, explained, and put on a card. `tests/situations/twelve.py` holds what was set, and what makes a first
line right. This page is written by `{COMMAND}`; a test holds that it agrees.
"""


def right_at(seed: int) -> int:
    """How many of the twelve first lines are right in the counties of this seed."""
    return sum(answer(name, seed).is_right(situation) for name, situation in SITUATIONS.items())


def row(number: int, name: str) -> str:
    situation, found = SITUATIONS[name], answer(name)
    cells = (number, situation.title, made_of(situation.county), situation.right, first_line(found), found.code)
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def made_of(county: County) -> str:
    """What was set of the county, and which parts of the study."""
    knobs = [f"`{name}` {_plain(value)}" for name, value in county.knobs.items()]
    knobs += [f"`{name}` of the study" for name in county.sections]
    return "; ".join([f"{county.people:,} children", *knobs])


def first_line(found: Answer) -> str:
    """What a run says first; of a run that was stopped, what was found."""
    return found.first_line.split(";")[0] if found.card is None else found.first_line


def page(seeds: Iterable[int] = SEEDS) -> str:
    """The whole page, in Markdown."""
    rows = [row(number, name) for number, name in enumerate(SITUATIONS, 1)]
    head = ("", "Situation", "The county", "Right answer", "The first line of the card (seed 1)", "Advice")
    counts = ", ".join(f"{right_at(seed)} of {len(SITUATIONS)} with seed {seed}" for seed in seeds)
    lines = [TOP, f"| {' | '.join(head)} |", "|" + "---|" * len(head), *rows, "", f"Right: {counts}.", ""]
    return "\n".join(lines)


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {share}" for name, share in value.items())
    return {True: "yes"}.get(value, str(value)) if isinstance(value, bool) else str(value)
