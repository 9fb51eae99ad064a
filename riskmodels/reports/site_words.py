"""The words of a public register: what each state means, what each file is, and decisions as sentences."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.reports.cells import day_text
from riskmodels.reports.site_shapes import Download, Event, TakenOut

TITLE = "Public register of prediction tools"
LEAD = "What each tool is for, how well it works, who decided about it, and how to object to it."
STATES = {
    "APPROVED": "Somebody who answers for the service decided that the tool may be used as that decision says, until "
    "the day that is shown. An ethics committee gave its advice first. An approval to explore or to link data lets "
    "nobody use a list.",
    "AWAITING REVIEW": "Nobody has decided about this version of the tool. It must not be used.",
    "EXPIRED": "The approval is over. The tool must not be used until it has been reviewed again.",
    "REFUSED": "The one who answers for the service decided that the tool is not to be used.",
    "WITHDRAWN": "The tool was stopped. It must not be used.",
    "RETIRED": "The tool was used, and its use has come to its end.",
    "NEVER PROCEEDED": "The tool was planned or tested, and it was never used.",
    "REPLACED": "A later version took this one's place before anybody decided about it.",
}
EXAMPLE = "The decision is an example, which shows what one looks like. Nobody met, and the tool is not in use."
EDITIONS = {"public": "Card for the public", "committee": "Full card"}
RECORD = "Transparency record (ATRS)"
# By the ending of a file: what it is for the one who opens it.
KINDS = {
    "html": "web page", "json": "data, JSON", "md": "plain text, Markdown", "csv": "table, CSV",
    "xlsx": "spreadsheet, Excel", "pdf": "to print, PDF",
}  # fmt: skip
STAGES = {
    "explore": "to explore the data", "link": "to link the data", "pilot": "for a pilot", "live": "for live use",
}  # fmt: skip
FOR_WHAT = {"never_proceeded": "It never proceeded", "retired": "It was retired", "withdrawn": "It was withdrawn"}


WHOLE = "The tool"  # was taken out, not a version or a notice of it
UNDERSCORE = re.compile("(?<=[a-z0-9])_(?=[a-z0-9])")
SAID_OF_A_CHANGE = 2  # sentences; the version itself says all


def day_words(day: dt.date) -> str:
    return f"{day.day} {day:%B %Y}"


def dated(text: str) -> str:
    """A text with each ISO date in it as "1 July 1989"."""
    return re.sub(r"\b\d{4}-\d{2}-\d{2}\b", lambda found: day_text(found[0]), text)


def size_words(size: int) -> str:
    return f"{max(1, round(size / 1000)):,} KB" if size < 999_500 else f"{size / 1_000_000:.1f} MB"


def download_words(one: Download) -> str:
    """``card-public.json`` -> "Card for the public, data, JSON"."""
    ending = one.path.rpartition(".")[2]
    record = one.path.rpartition("/")[2].startswith("atrs")
    return f"{RECORD if record else EDITIONS[one.edition]}, {KINDS.get(ending, ending.upper())}"


def count_words(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


# ---------------------------------------------------------------- what happened


def decision_event(
    row: Mapping[str, Any], versions: Mapping[str, int], models: Mapping[int, str] | None = None
) -> Event:
    """A record of the review, as `riskmodels.governance.review.sign_off_rows` gives it.

    Parameters
    ----------
    versions : the number of each card that is kept, by its SHA-256
    models : the digest of each version's model; a withdrawal holds for the versions of one model alone
    """
    day = dt.date.fromisoformat(row["recorded_on"])
    number = versions.get(row["card_sha256"])
    which = f"It is about version {number} of the card." if number else "It is about a card that is not kept here."
    example = ["This is an example of a decision, not a real one."] if row["example"] else []
    if row["kind"] == "withdrawal":
        minute = f" (minute {row['minute']})" if row["minute"] else ""
        title, held = stopped_words(row["model_sha256"], models or {})
        said = [*example, f"The {row['owner_role']} stopped its use{minute}: {row['reason']}", held]
        return Event(f"record-{row['record']}", row["record_sha256"], day, title, said)
    items = [
        *(f"Condition: {dated(text)}" for text in row["conditions"]),
        *(f"A different view: {text}" for text in row["dissent"]),
        *(f"Conflict of interest: {text}" for text in row["conflicts_of_interest"]),
    ]
    answers = [UNDERSCORE.sub(" ", dated(text)) for text in row["answers"]]
    said = [
        f"The committee met on {day_text(row['meeting'])} ({row['quorum']}; minute {row['minute']}). "
        f"Its advice: {row['advice']}.",
        _decided(row),
        which,
    ]
    return Event(f"record-{row['record']}", row["record_sha256"], day, _title(row), [*example, *said], items, answers)


def stopped_words(model: str, models: Mapping[int, str]) -> tuple[str, str]:
    """What a withdrawal of ``model`` stopped, as a title and a sentence; ``models`` as in `decision_event`."""
    stopped = [number for number, one in sorted(models.items()) if one == model]
    others = [number for number, one in sorted(models.items()) if one != model]
    if not stopped:
        held = "This holds for every card of this model. None of them is kept here."
        return "The use of another model was stopped", held
    held = f"This holds for every card of this model: {_versions(stopped)}."
    if others:
        verb, kind = ("is", "another model") if len(others) == 1 else ("are", "other models")
        held += f" It does not hold for {_versions(others)}, which {verb} of {kind}."
    newest = max(models) in stopped
    return "Its use was stopped" if newest else "The use of an earlier model was stopped", held


def withdrawn_sentence(row: Mapping[str, Any], models: Mapping[int, str]) -> str:
    """That a model of the tool, which is not today's, was stopped: for the tool's own page."""
    stopped = [number for number, one in sorted(models.items()) if one == row["model_sha256"]]
    which = f"An earlier model of this tool ({_versions(stopped)})" if stopped else "Another model of this tool"
    example = " This is an example of a decision, not a real one." if row["example"] else ""
    return (
        f"{which} was withdrawn on {day_text(row['recorded_on'])} by the {row['owner_role']}: {row['reason']}{example}"
    )


def _versions(numbers: Sequence[int]) -> str:
    """``version 1``, or ``versions 1, 2 and 4``."""
    if len(numbers) == 1:
        return f"version {numbers[0]}"
    return f"versions {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def _title(row: Mapping[str, Any]) -> str:
    stage = STAGES.get(row["stage"], row["stage"])
    said = f"not approved {stage}"
    if row["owner_decision"] == "approve":
        said = f"approved {stage}, until {day_text(row['expires'])}"
    return f"Example: {said}" if row["example"] else said[0].upper() + said[1:]


def _decided(row: Mapping[str, Any]) -> str:
    verb = "approved it" if row["owner_decision"] == "approve" else "did not approve it"
    reason = f" The reason given: {row['reason']}" if row["reason"] else ""
    return f"The {row['owner_role']} {verb} {STAGES.get(row['stage'], row['stage'])}.{reason}"


def notice_event(notice: Mapping[str, Any], seal: str) -> Event:
    """The notice of a tool that is not used, {state, on, by, why, instead}."""
    paragraphs = [f"Decided by the {notice['by']}.", f"Why: {notice['why']}"]
    if notice["instead"]:
        paragraphs.append(f"Instead: {notice['instead']}")
    day = dt.date.fromisoformat(notice["on"])
    return Event("notice", seal, day, FOR_WHAT[notice["state"]], paragraphs)


def removed_words(one: TakenOut) -> str:
    """``Version 1 of Spring reading (spring) was taken out of this register on 1 December 2026.``"""
    what = f"{WHOLE} {one.title}" if one.what == WHOLE else f"{one.what} of {one.title}"
    return f"{what} ({one.name}) was taken out of this register on {day_words(one.on)}."


def expired_event(number: int, status: Mapping[str, Any], seal: str) -> Event:
    """The last day of an approval that is over."""
    day = dt.date.fromisoformat(status["until"])
    words = f"This was the last day on which version {number} of the card was approved."
    return Event(f"expired-{number}", seal, day, "The approval came to its end", [words])


def replaced_event(number: int, day: dt.date, seal: str, words: Sequence[str]) -> Event:
    """The day on which version ``number`` took the place of the one before; ``words`` say what changed."""
    title = f"Version {number} of the card was published"
    return Event(f"replaced-{number}", seal, day, title, words[:SAID_OF_A_CHANGE], more=f"version-{number}")


def status_rest(status: Mapping[str, Any]) -> str:
    """The words of a status without its state, which stands before them as a tag."""
    return str(status["words"]).removeprefix(str(status["state"])).lstrip(". ")


def status_sentence(status: Mapping[str, Any]) -> str:
    """The words of a status where no tag stands before them."""
    state, words = str(status["state"]), str(status["words"])
    return state.capitalize() + words.removeprefix(state) if words.startswith(state) else words
