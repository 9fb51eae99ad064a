"""Gaps as lines of ``answers.yaml`` that wait for a text, ready to paste."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from riskmodels.cards.missing import ANSWERS, HOLDS_UP, Gap
from riskmodels.storage import write_yaml

HEAD = (
    "# To be filled in answers.yaml. Where a section is there already, paste its lines into it; where a key is there\n"
    "# already, write the text there. Take a line out rather than leave a text that says nothing.\n"
)
NOTHING = "# Nothing is missing in answers.yaml.\n"


def skeleton(gaps: Iterable[Gap]) -> str:
    """YAML with each gap of ``answers.yaml`` under its section: what it is, its owner, and an empty text.

    A draft that a person may confirm has its digits in a comment, since it is to be read first. Gaps of another file
    are comments.
    """
    sections: dict[str, list[str]] = {}
    elsewhere = []
    for gap in gaps:
        if gap.file != ANSWERS:
            elsewhere.append(f"# {gap.file}: {_flat(gap.key)} (owner: {_flat(gap.owner)}): {_comment(gap)}\n")
            continue
        section, _, key = gap.key.partition(".")
        sections.setdefault(section, []).extend(_lines(gap, section, key))
    made = "".join("\n".join(lines if name == "contact" else [f"{name}:", *lines]) + "\n" for name, lines in
                   sections.items())  # fmt: skip
    return (HEAD + made if made else NOTHING) + "".join(elsewhere)


def _lines(gap: Gap, section: str, key: str) -> list[str]:
    if section == "contact":
        return [f"contact: null  # {_comment(gap)}; owner: {_flat(gap.owner)}"]
    answer: dict[str, Any] = {"owner": gap.owner, "text": None}
    if not key:
        return [f"  # {_comment(gap)}", *_yaml(answer)]
    first, *rest = _yaml({int(key) if section == "questions" else key.strip("'"): answer})
    lines = [f"{first}  # {_comment(gap)}", *rest]
    if gap.digits:
        lines.append(
            f"    # if you have read the draft and it is right, in place of the text: confirms: '{gap.digits}'"
        )
    return lines


def _yaml(value: dict[Any, Any]) -> list[str]:
    return [f"  {line}" for line in write_yaml(value).decode().splitlines()]


def _comment(gap: Gap) -> str:
    also = f"; also {', '.join(gap.also)}" if gap.also else ""
    return _flat(f"{gap.what} ({gap.state}; holds up {HOLDS_UP[gap.tier]}{also})")


def _flat(text: str) -> str:
    """A text as one line of a comment."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
