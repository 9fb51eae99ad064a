"""A form of a decision that came back: what was filled in, and all that is wrong with it, in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from riskmodels.cards.blank import is_answer
from riskmodels.governance.decision import STAGES_IN_USE, Decision, covers
from riskmodels.study.problems import path_of, said_of

# What the form shows as examples, in comments: whoever takes the mark away has still to write their own.
EXAMPLE_CONDITION = "What has to be done"
EXAMPLE_OWNER = "The role that has to do it"
EXAMPLE_DISSENT = "One member would wait for another year of data"
EXAMPLE_CONFLICT = "One member works for the service. They spoke but did not vote"
EXAMPLES = (EXAMPLE_CONDITION, EXAMPLE_OWNER, EXAMPLE_DISSENT, EXAMPLE_CONFLICT)

ADVICE = ("proceed", "proceed with conditions", "more information", "do not proceed")
CHOSEN = ("stage", "advice", "owner_decision")
LISTS = ("conditions", "dissent", "conflicts_of_interest")
NONE = ("none", "no", "nobody", "no one", "nil")
NO_TEXTS = ("kind", *CHOSEN, "status", "date", "due", "expires")
NOT_YET = "not filled in yet: "
SHAPES = ("model_type", "model_attributes_type", "dict_type", "tuple_type")
SHAPE_OF = {
    "conditions": "write each as '- text: WHAT', with owner: and due: on lines of their own below it",
    "quorum": "has lines of its own below it: members:, lay:, specialist:",
    "meeting": "has lines of its own below it: date:, minute:",
    "answers": "write after each name why it is accepted, as the form has them",
    "dissent": "write one line each, after a dash",
    "conflicts_of_interest": "write one line each, after a dash",
}


def filled(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What was filled in, without the keys that were left empty.

    An answer that is a text holds as long as the approval. Empty answers that must not be empty stay: `wrong_with`
    names them.
    """
    raw = {str(key): _spelled(str(key), value) for key, value in raw.items()}
    found = {key: _without_blanks(value) for key, value in raw.items() if value is not None and key != "answers"}
    answers = raw.get("answers")
    if isinstance(answers, Mapping):
        blank = _unanswered(answers) if raw.get("owner_decision") != "refuse" else []
        ends = raw.get("expires")
        if ends is None and raw.get("owner_decision") == "refuse" and isinstance(raw.get("meeting"), Mapping):
            ends = raw["meeting"].get("date")  # what answers for no approval was never in force
        # Without an end nothing can be dated; that the end is missing, or is no day, is what is said then.
        dated = _is_day(ends)
        said = {key: one for key, one in answers.items() if one is not None and (dated or not _is_text(one))}
        found["answers"] = {key: _dated(one, ends) for key, one in said.items()} | dict.fromkeys(blank)
    elif answers is not None:
        found["answers"] = answers
    return found


def wrong_with(found: Mapping[str, Any]) -> list[str]:
    """All that is wrong with a form, each with its path and in the words of people who write forms; empty if nothing.

    What is not filled in yet comes first, in one. Where a key is unknown that is said instead: it often explains one
    that is missing.

    Parameters
    ----------
    found : as `filled` gives it
    """
    given = found.get("answers")
    answers: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    blank = [key for key, answer in answers.items() if answer is None]
    told = {**found, "answers": {key: one for key, one in answers.items() if one is not None}} if blank else dict(found)
    problems: Sequence[Any] = ()
    try:
        Decision.model_validate(told)
    except ValidationError as error:
        problems = error.errors()
    words = list(_placeholders(told, ""))
    if any(problem["type"] == "extra_forbidden" for problem in problems):
        return [*_in_words(problems), *words]
    paths = [path_of(problem["loc"]) for problem in problems if problem["type"] == "missing"]
    paths += [*_missing_together(found), *_together(blank, list(answers))]
    if not paths:
        return [*_in_words(problems), *words]
    single = len(paths) == 1 and not blank
    # Of one alone its own rule says more; of what must hold together nothing is known while one of them is missing.
    alone = [problem for problem in problems if single and not problem["loc"]]
    missing = _in_words(alone) or [f"{paths[0]}: is missing" if single else NOT_YET + ", ".join(paths)]
    return [*missing, *_in_words([problem for problem in problems if problem["loc"]]), *words]


def _missing_together(found: Mapping[str, Any]) -> Iterator[str]:
    """The keys that are needed because of what other keys say."""
    approves = found.get("owner_decision") != "refuse"
    if approves and "expires" not in found:
        yield "expires"
    conditions = found.get("conditions")
    if found.get("advice") == "proceed with conditions" and not conditions:
        yield "conditions"
    if approves and found.get("stage") in STAGES_IN_USE and isinstance(conditions, list):
        for number, one in enumerate(conditions):
            if isinstance(one, Mapping) and one.get("status") != "met" and "due" not in one:
                yield f"conditions[{number}].due"
    if _departs(found.get("advice"), found.get("owner_decision")) and "reason" not in found:
        yield "reason"


def _in_words(problems: Sequence[Any]) -> list[str]:
    found = [_said_of(problem) for problem in problems if problem["type"] != "missing"]
    return list(dict.fromkeys(found))


def _said_of(problem: Any) -> str:
    kind, path = problem["type"], path_of(problem["loc"])
    if kind == "extra_forbidden":
        return said_of(problem, Decision)
    words = said_of(problem, Decision).removeprefix(f"{path}: ")
    if kind == "literal_error":
        words = f"write {problem['ctx']['expected'].replace(chr(39), '')}"
    elif kind.startswith("int_"):
        words = "write a whole number in figures, as in 9"
    elif kind == "greater_than_equal":
        words = f"is {problem['ctx']['ge']} at least"
    elif kind == "string_too_short":
        words = "is empty; write it, or take the line out"
    elif kind == "string_type" and isinstance(problem["input"], Mapping):
        words = "holds a colon; put straight quotes round the text"
    elif kind == "string_type":
        words = 'write one text; put straight quotes round it, as in "12"'
    elif kind in SHAPES:
        words = next((said for start, said in SHAPE_OF.items() if path.startswith(start)), "is not as the form has it")
    return f"{path}: {words}" if path else words


def _placeholders(value: Any, path: str) -> Iterator[str]:
    """What stands where a text should and says nothing: "tbc", or the form's own example."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in NO_TEXTS and not str(key).endswith("sha256"):
                yield from _placeholders(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(value):
            yield from _placeholders(inner, f"{path}[{number}]")
    elif isinstance(value, str) and value.strip() and (not is_answer(value) or value.strip(" .") in EXAMPLES):
        # An answer that is one text is kept with the day until which it holds, which nobody wrote.
        shown = path.removesuffix(".reason") if path.startswith("answers.") else path
        yield f"{shown}: is only a placeholder; write what is meant, or leave it empty"


def _departs(advice: Any, decision: Any) -> bool:
    if advice not in ADVICE or decision not in ("approve", "refuse"):
        return False
    return bool(advice.startswith("proceed") != (decision == "approve"))


def _without_blanks(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_blanks(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_blanks(inner) for inner in value if inner is not None]
    return value


def _spelled(key: str, value: Any) -> Any:
    """What is chosen from a few words, in small letters; "none" where a list may be empty, as none."""
    if key in CHOSEN and isinstance(value, str):
        return " ".join(value.casefold().split()).rstrip(".")
    if key in LISTS:
        if isinstance(value, list):
            return [one for one in value if not _is_none(one)]
        return None if _is_none(value) else value
    return value


def _is_none(value: Any) -> bool:
    return isinstance(value, str) and value.casefold().strip(" .") in NONE


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, dt.date) or bool(dt.date.fromisoformat(str(value).strip()))
    except ValueError:
        return False


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
