"""What is no answer, though something is written: a blank, a dash, "n/a", "to follow"."""

from __future__ import annotations

import re

# The whole of a text, its case and the signs around it left aside. "None" and "no" are answers.
NO_ANSWER = re.compile(
    r"(?:n\W?a|not applicable|tba|tbc|tbd|todo|to do|fixme|x{2,}|wip|work in progress|lorem ipsum\b.*|placeholder|"
    r"(?:more |further )?(?:information|details?) (?:needed|to follow|to come)|(?:to|will) (?:follow|come)|coming soon|"
    r"(?:as|see|same as) (?:above|below|before)|ditto|pending|awaited|"
    r"not (?:yet )?(?:provided|answered|available|known|completed?|decided|done|stated|sure)(?: yet)?|unknown|"
    r"to be (?:confirmed|completed|decided|announced|added|provided|written|agreed)(?: later)?)",
    re.I,
)


def answer_in(text: object) -> str | None:
    """What a person says, its white space made even; None where it says nothing."""
    said = " ".join(str(text).split()) if text is not None else ""
    return said if is_answer(said) else None


def is_answer(value: object) -> bool:
    """Whether a value says anything: a number or a yes does, and so does a text of more than a sign or a placeholder.

    Shapes that are read aloud as nothing, such as a dash or three dots, are none in any script.
    """
    if value is None or not isinstance(value, str):
        return value is not None
    bare = re.sub(r"^[\W_]+|[\W_]+$", "", value)
    return bool(bare) and NO_ANSWER.fullmatch(" ".join(bare.split())) is None
