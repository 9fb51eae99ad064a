"""Where every model stands, as lines of the terminal: at most 120 columns wide, whatever people wrote."""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

WIDTH = 120
EXAMPLE = "*"
SHORT = {"INSUFFICIENT EVIDENCE": "insufficient"}  # in a column; the whole word stands in --json and --html
LONGEST = 12
BROKEN = "RECORD BROKEN"  # as `riskmodels.governance.standing` has it
LEAST = 40  # columns that a sentence gets, however long the names are
Row = Mapping[str, Any]


def standing_lines(found: Row, *, drafts: bool = False) -> list[str]:
    """What is in use, what waits for whom, then every version. ``found``: `riskmodels.commands.ModelsReport`."""
    return [
        *_titled(f"In use on {_day(found['today'])}", _in_use(found["in_use"])),
        *_titled("\nWhat waits for somebody", _actions(found) if found["in_use"] else ()),
        *(line for study in found["in_use"] for line in _versions(study, found["versions"])),
        *_drafts(found["drafts"], drafts),
    ]


def champion_lines(rows: Sequence[Row], on: dt.date) -> list[str]:
    """Who was champion of each study on a day. ``rows``: `riskmodels.governance.history.champion_on`."""
    lines = [f"Champions on {_day(on.isoformat())}"]
    for row in rows:
        lines += _wrapped(f"{row['study']}: {row['words']}", 2)
        if row["version"] is not None:
            lines += _wrapped(f"{_moved(row)} on {row['since']}", 6)
    return lines


def history_lines(rows: Sequence[Row]) -> list[str]:
    """Every champion that there was. ``rows``: `riskmodels.governance.history.reign_rows`."""
    lines: list[str] = []
    for study in dict.fromkeys(row["study"] for row in rows):
        lines += [*([""] if lines else []), study]
        for row in rows:
            if row["study"] == study:
                lines += _reign(row)
    return lines or ["No model was ever made champion here; `riskmodels promote MODEL --by ROLE` makes one."]


# ---------------------------------------------------------------- in use, and what waits


def _in_use(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        if row["version"] is None:
            what = "cannot be told" if row["state"] == BROKEN else "nothing"
            yield from _wrapped(f"{row['study']}: {what}. {_sentence(row['words'])}", 2)
            continue
        example = ", EXAMPLE ONLY" if row["example"] else ""
        until = f", approved until {row['until']} ({days(row['days_left'])})" if row["until"] else ""
        shut = "" if row["holds"] else " MAY NOT SCORE TODAY"
        said = f"version {row['version']}{shut}, {row['stage']}{example}{until}; {used(row)}"
        yield from _wrapped(f"{row['study']}: {said}", 2)
        yield from _wrapped(f"{_moved(row)} on {row['since']}", 6)


def _actions(found: Row) -> Iterator[str]:
    rows = [(_when(row), _name(row), f"{row['who']}: {row['what']}") for row in found["actions"]]
    if not rows:
        yield f"  Nothing is late, and nothing ends within {found['soon_days']} days."
        return
    first, second = (max(len(row[place]) for row in rows) for place in (0, 1))
    start = 2 + first + 2 + second + 2
    for when, name, words in rows:
        lines = textwrap.wrap(" ".join(words.split()), max(WIDTH - start, LEAST), break_on_hyphens=False)
        yield f"  {when.ljust(first)}  {name.ljust(second)}  {lines[0]}"
        yield from (" " * start + line for line in lines[1:])


def _when(row: Row) -> str:
    if row["days_left"] is None:
        return "SHUT" if row["stops"] else ""
    return f"SHUT, {days(row['days_left'])}" if row["stops"] else days(row["days_left"])


def _name(row: Row) -> str:
    return row["study"] if row["version"] is None else f"{row['study']}/{row['version']}"


def _moved(row: Row) -> str:
    how = "brought back" if row["rollback"] else "promoted"
    why = f": {row['reason']}" if row["reason"] else ""
    return f"{how} by the {row['by_role']} (record {row['record']}){why}"


def days(left: int | None) -> str:
    """``3 days left``, ``last day``, ``3 days ago``; nothing where there is no day."""
    if left is None:
        return ""
    if left == 0:
        return "last day"
    many = "1 day" if abs(left) == 1 else f"{abs(left)} days"
    return f"{many} left" if left > 0 else f"{many} ago"


def used(row: Row) -> str:
    if not row["batches"]:
        return "no list made"
    return f"{row['batches']} {'list' if row['batches'] == 1 else 'lists'}, the last on {row['last_used']}"


# ---------------------------------------------------------------- every version


def _versions(study: Row, versions: Sequence[Row]) -> Iterator[str]:
    rows = [_version(row) for row in versions if row["study"] == study["study"]]
    if not rows:
        return
    title = "" if study["title"] == study["study"] else f": {study['title']}"
    yield from ["", *_wrapped(f"{study['study']}{title}", 0)]
    names = list(rows[0])
    widths = [max(len(name), *(len(row[name]) for row in rows)) for name in names]
    for line in [names, *([row[name] for name in names] for row in rows)]:
        yield ("  " + "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True))).rstrip()
    yield from _notes([row for row in versions if row["study"] == study["study"]])


def _notes(rows: Sequence[Row]) -> Iterator[str]:
    if any(row["example"] for row in rows):
        yield f"  {EXAMPLE} an EXAMPLE decision, not a real one"
    if any(row["used_outside"] for row in rows):
        yield "  ! lists were made when no approval allowed it"


def _version(row: Row) -> dict[str, str]:
    """As many columns as there is room for; the others are in --json and --html."""
    is_ = next((name for name in ("champion", "previous", "candidate") if name in row["aliases"]), "")
    late = f", {row['conditions_overdue']} late" if row["conditions_overdue"] else ""
    outside = "!" if row["used_outside"] else ""
    return {
        "v": str(row["version"]),
        "is": is_,
        "state": row["state"],
        "stage": f"{row['stage'] or ''}{EXAMPLE if row['example'] else ''}",
        "until": row["until"] or "",
        "days": "" if row["days_left"] is None or row["days_left"] < 0 else str(row["days_left"]),
        "open": "" if row["conditions_open"] is None else f"{row['conditions_open']}{late}",
        "audit": SHORT.get(row["verdict"], row["verdict"].lower()[:LONGEST]),
        "used": f"{row['last_used']} x{row['batches']}{outside}" if row["batches"] else "never",
        "trained": row["registered_on"],
    }


def _drafts(rows: Sequence[Row], listed: bool) -> Iterator[str]:
    if rows and listed:
        yield from ["", "Drafts: runs that are not registered", *(f"  {row['folder']}" for row in rows)]
    elif rows:
        many = "1 run is" if len(rows) == 1 else f"{len(rows)} runs are"
        yield from ["", f"{many} not registered (drafts); list them with --drafts."]


# ---------------------------------------------------------------- history


def _reign(row: Row) -> Iterator[str]:
    until = f"to {row['until']}" if row["until"] else "and still is"
    many = "1 day" if row["days"] == 1 else f"{row['days']} days"
    example = ", EXAMPLE ONLY" if row["example"] else ""
    yield from _wrapped(
        f"version {row['version']}, {row['stage']}{example}: from {row['from']} {until} ({many}); {used(row)}", 2
    )
    yield from _wrapped(_moved(row), 6)
    if row["ended_by"] is not None:
        by = f" by the {row['ended_by_role']} (record {row['ended_record']})"
        yield from _wrapped(f"ended{by}: {row['ended_words']}", 6)


# ---------------------------------------------------------------- text


def _titled(title: str, lines: Iterable[str]) -> list[str]:
    found = list(lines)
    return [title, *found] if found else []


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()), WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 4)
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _day(iso: str) -> str:
    day = dt.date.fromisoformat(iso)
    return f"{day.day} {day:%B %Y}"
