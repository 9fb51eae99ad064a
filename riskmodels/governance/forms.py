"""The form of a decision: what `riskmodels review open` writes and a committee's secretary fills in.

A form is YAML with help in its comments. A key without a value is not filled in yet; `still_blank` names all of those.
"""

from __future__ import annotations

import datetime as dt
import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from riskmodels.assessment.audit.words import question_of, titled, why
from riskmodels.cards.words import measure_words
from riskmodels.governance.decision import (
    FLAGGED,
    LONGEST,
    LONGEST_OTHERWISE,
    STAGES,
    STAGES_IN_USE,
    Decision,
    covers,
    is_to_answer,
    verdicts_to_answer,
)
from riskmodels.study.problems import path_of

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
) -> bytes:
    """An empty form for the decision on one model and card, as YAML. The same arguments give the same bytes.

    Parameters
    ----------
    name : how the model is called on the command line, as in ``early_reading_support/1``
    stage : what the committee is asked for; left to be filled in unless given

    Raises
    ------
    CardError
        if the card holds no audit.
    """
    lines = [
        *_help(
            f"What the committee advised on {name}, and what was decided. To be filled in by the secretary.\n"
            "Write after each colon. Lines that begin with # are help. Put quotes around a text with a colon in it.\n"
            f"Then look at it:  riskmodels review record {name} FILE --dry-run   (FILE is this file)\n"
            f"and record it:    riskmodels review record {name} FILE\n"
            "What is recorded cannot be changed or taken back. So name roles, never people, and put no e-mail address, "
            "telephone number or NHS number in it."
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
        "# - text: What has to be done",
        "#   owner: The role that has to do it",
        "#   due: YYYY-MM-DD",
        "",
        *_help("Who saw it otherwise, and who had an interest in it. One line each, after a dash; empty if nobody."),
        "dissent:",
        "# - One member would wait for another year of data",
        "conflicts_of_interest:",
        "# - One member works for the service. They spoke but did not vote",
        "",
        *_help("How many members were there; how many of them lay, and how many specialist."),
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


# ---------------------------------------------------------------- a form that came back


def filled(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What was filled in, without the keys that were left empty.

    An answer that is a text holds as long as the approval. Empty answers that must not be empty stay: `still_blank`
    names them.
    """
    found = {key: _without_blanks(value) for key, value in raw.items() if value is not None and key != "answers"}
    answers = raw.get("answers")
    if isinstance(answers, Mapping):
        blank = _unanswered(answers) if raw.get("owner_decision") != "refuse" else []
        ends = raw.get("expires")
        if ends is None and raw.get("owner_decision") == "refuse" and isinstance(raw.get("meeting"), Mapping):
            ends = raw["meeting"].get("date")  # what answers for no approval was never in force
        # Without an end nothing can be dated; that the end is missing is what is said then.
        said = {key: one for key, one in answers.items() if one is not None and not (ends is None and _is_text(one))}
        found["answers"] = {key: _dated(one, ends) for key, one in said.items()} | dict.fromkeys(blank)
    elif answers is not None:
        found["answers"] = answers
    return found


def still_blank(found: Mapping[str, Any]) -> list[str]:
    """The keys that are not filled in yet, by their paths, in the order of the form.

    None where a key is unknown: that often explains one that is missing, and is said first.

    Parameters
    ----------
    found : as `filled` gives it
    """
    given = found.get("answers")
    answers: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    blank = [key for key, answer in answers.items() if answer is None]
    told = {**found, "answers": {key: one for key, one in answers.items() if one is not None}} if blank else found
    problems: Sequence[Any] = ()
    try:
        Decision.model_validate(told)
    except ValidationError as error:
        problems = error.errors()
    if any(problem["type"] == "extra_forbidden" for problem in problems):
        return []
    paths = [path_of(problem["loc"]) for problem in problems if problem["type"] == "missing"]
    if found.get("owner_decision") != "refuse" and "expires" not in found:
        paths.append("expires")
    if found.get("advice") == "proceed with conditions" and not found.get("conditions"):
        paths.append("conditions")
    if _departs(found.get("advice"), found.get("owner_decision")) and "reason" not in found:
        paths.append("reason")
    return [*paths, *_together(blank, list(answers))]


def _departs(advice: Any, decision: Any) -> bool:
    return isinstance(advice, str) and bool(decision) and advice.startswith("proceed") != (decision == "approve")


def _without_blanks(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_blanks(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_blanks(inner) for inner in value if inner is not None]
    return value


def _is_text(answer: Any) -> bool:
    return isinstance(answer, str)


def _dated(answer: Any, ends: Any) -> Any:
    return {"reason": answer, "expires": ends} if _is_text(answer) else _without_blanks(answer)


def _unanswered(answers: Mapping[Any, Any]) -> list[str]:
    """The names without an answer that no other answer covers; not those that only stand for the lines below them."""
    names = [str(key) for key in answers]
    said = {str(key) for key, answer in answers.items() if answer is not None}
    return [
        name
        for name in names
        if name not in said
        and not covers(said, name)
        and not any(other != name and other.startswith(f"{name}: ") for other in names)
    ]


def _together(blank: Sequence[str], names: Sequence[str]) -> list[str]:
    """Names of answers as paths; those of one characteristic together where none of its lines is answered."""
    found: dict[str, list[str]] = {}
    for name in blank:
        found.setdefault(name.split(": ")[0], []).append(name)
    paths = []
    for attribute, missing in found.items():
        all_of_them = len([name for name in names if name.startswith(f"{attribute}: ")]) == len(missing)
        whole = len(missing) > 1 and all_of_them
        paths += [f"answers.{attribute} (all {len(missing)})"] if whole else [f"answers.{name}" for name in missing]
    return paths


assert set(STAGES_IN_USE) < set(STAGES_IN_WORDS) == set(STAGES)
