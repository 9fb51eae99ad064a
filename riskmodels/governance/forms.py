"""The form of a decision: what `riskmodels review open` writes and a committee's secretary fills in.

A form is YAML with help in its comments. A key without a value is not filled in yet. What came back is read by
`riskmodels.governance.filled_forms`.
"""

from __future__ import annotations

import datetime as dt
import json
import textwrap
from collections.abc import Mapping
from typing import Any

from riskmodels.assessment.audit.words import question_of, titled, why
from riskmodels.cards.words import measure_words
from riskmodels.governance.decision import (
    CROSSED,
    FLAGGED,
    LONGEST,
    LONGEST_OTHERWISE,
    STAGES,
    STAGES_IN_USE,
    is_to_answer,
    verdicts_to_answer,
)
from riskmodels.governance.filled_forms import EXAMPLE_CONDITION, EXAMPLE_CONFLICT, EXAMPLE_DISSENT, EXAMPLE_OWNER

WIDTH = 100
STAGES_IN_WORDS = {
    "explore": "look at the data, score nobody",
    "link": "join data of several services, score nobody",
    "pilot": "score people, on a small scale and for a short time",
    "live": "score people",
}
FLAGGED_IN_WORDS = "FLAGGED GAP"


# ---------------------------------------------------------------- an empty form


def blank_form(
    card: Mapping[str, Any],
    *,
    name: str,
    model_sha256: str,
    card_sha256: str,
    today: dt.date,
    stage: str | None = None,
    workspace: str = "",
) -> bytes:
    """An empty form for the decision on one model and card, as YAML. The same arguments give the same bytes.

    Parameters
    ----------
    name : how the model is called on the command line, as in ``early_reading_support/1``
    stage : what the committee is asked for; left to be filled in unless given
    workspace : as the commands that are shown have to name it, as in ``" --workspace w"``; empty for the usual one

    Raises
    ------
    CardError
        if the card holds no audit.
    """
    lines = [
        *_help(
            f"What the committee advised on {name}, and what was decided. To be filled in by the secretary.\n"
            "Write after each colon. Lines that begin with # are help. Put straight quotes round a text that holds a "
            "colon or a #.\n"
            f"Then look at it:  riskmodels review record {name} FILE --dry-run{workspace}   (FILE is this file)\n"
            f"and record it:    riskmodels review record {name} FILE{workspace}\n"
            "What is recorded cannot be changed or taken back. So name roles, never people, and put no e-mail address, "
            "telephone number or NHS number in it.\n"
            "It is published: reasons, answers, dissent and evidence stand word for word in the public register."
        ),
        "kind: decision",
        "",
        *_help("What the committee had before it. Leave these two lines as they are: they are checked."),
        f"model_sha256: {model_sha256}",
        f"card_sha256: {card_sha256}",
        "",
        *_help("How far it may go:\n" + "\n".join(f"  {one}: {STAGES_IN_WORDS[one]}" for one in STAGES)),
        f"stage: {stage}" if stage else "stage:",
        "",
        *_help(
            "The committee's advice, one of: proceed, proceed with conditions, more information, do not proceed.\n"
            "What it asks for goes under conditions, each with who has to do it and by which day. Take the # away to "
            "fill in the first; copy its three lines for more."
        ),
        "advice:",
        "conditions:",
        f"# - text: {EXAMPLE_CONDITION}",
        f"#   owner: {EXAMPLE_OWNER}",
        "#   due: YYYY-MM-DD",
        "",
        *_help("Who saw it otherwise, and who had an interest in it. One line each, after a dash; empty if nobody."),
        "dissent:",
        f"# - {EXAMPLE_DISSENT}",
        "conflicts_of_interest:",
        f"# - {EXAMPLE_CONFLICT}",
        "",
        *_help(
            "How many members were there; how many of them lay, and how many specialist. A pilot or live use is "
            "advised by 3 at least, one of them lay and one a specialist."
        ),
        "quorum:",
        "  members:",
        "  lay:",
        "  specialist:",
        "",
        *_help("The day of the meeting, as in 2026-11-30, and the reference of its minute."),
        "meeting:",
        "  date:",
        "  minute:",
        "",
        *_help(
            "What the senior responsible owner decided: approve or refuse. The reason is needed where that departs "
            "from the advice."
        ),
        "owner_role:",
        "owner_decision:",
        "reason:",
        "",
        *_help(f"The last day on which an approval holds. {_longest(stage, today)} A refusal needs none."),
        "expires:",
        "",
        *_help("The role that trained the model, and the role that approves it. They are never the same."),
        "trained_by_role:",
        "approved_by_role:",
        "",
        *_answers(card),
    ]
    return ("\n".join(lines) + "\n").encode()


def _longest(stage: str | None, today: dt.date) -> str:
    said = []
    for one in [stage] if stage else ["pilot", "live"]:
        longest = LONGEST.get(one, LONGEST_OTHERWISE)
        said.append(f"{one}: {longest} after the meeting at most ({longest.after(today)} if it is held today)")
    return f"{'; '.join(said)}.".capitalize()


def _answers(card: Mapping[str, Any]) -> list[str]:
    verdicts = verdicts_to_answer(card)
    if not verdicts:
        return [*_help("The audit left nothing to be answered by name."), "answers:"]
    rows: dict[str, Mapping[str, Any]] = {}
    for row in filter(is_to_answer, card["audit"]["contrasts"]):
        rows.setdefault(f"{row['attribute']}: {row['group']}: {row['metric']}", row)
    titles = card["audit"].get("titles") or {}
    lines = _help(
        "What the audit found and cannot settle. An approval answers each by name: write why it is accepted. An answer "
        "holds as long as the approval does. One answer may stand for several: what is written after the name of a "
        "characteristic answers every line below it, and those lines stay empty."
    )
    lines.append("answers:")
    by_attribute: dict[str, list[str]] = {}
    for verdict in verdicts:
        by_attribute.setdefault(str(rows[verdict]["attribute"]), []).append(verdict)
    for attribute, named in by_attribute.items():
        lines += ["", f"  # ---- {_flat(titled(titles, attribute))}: {len(named)} to answer"]
        if CROSSED in attribute:
            both = " and ".join(f'"{one}"' for one in attribute.split(CROSSED))
            lines += _help(f"Answers to {both}, both of them, cover these too.", "  ")
        lines.append(f"  {_key(attribute)}:")
        for verdict in named:
            lines += [*_help(_in_words(rows[verdict]), "  "), f"  {_key(verdict)}:"]
    return lines


def _in_words(row: Mapping[str, Any]) -> str:
    verdict = FLAGGED_IN_WORDS if row["verdict"] == FLAGGED else row["verdict"]
    beside = "everybody else" if row.get("against") == "others" else row.get("reference_label")
    compared = f" beside {beside}" if beside and row.get("against") != "prediction" else ""
    metric = row["metric"]
    asked = question_of(metric)
    asked = measure_words(metric) if asked == metric.replace("_", " ") else asked
    # Of a gap that is flagged there is no verdict to give a reason for.
    reason = f" Why: {why(row)}." if why(row) and row["verdict"] != FLAGGED else ""
    return f"{verdict}: {row.get('label') or row['group']}{compared}, {asked}.{reason}"


def _key(text: str) -> str:
    """A text as a key: in quotes, with escapes for what YAML or a reader would take for something else."""
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _help(text: str, indent: str = "") -> list[str]:
    lines: list[str] = []
    for line in text.split("\n"):
        start = " " * (len(line) - len(line.lstrip()))
        lines += textwrap.wrap(
            _flat(line), WIDTH, initial_indent=f"{indent}# {start}", subsequent_indent=f"{indent}# {start}",
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
    return lines


def _flat(text: str) -> str:
    """A text as part of one line of a comment."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


assert set(STAGES_IN_USE) < set(STAGES_IN_WORDS) == set(STAGES)
