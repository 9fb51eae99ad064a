"""Approvals and champions of each study over time: as numbers, and the picture of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from riskmodels.reports.cells import day_text
from riskmodels.reports.drawing import BAND, BLUE, EDGE, INK, Content, draw, svg
from riskmodels.reports.profile_tables import content
from riskmodels.reports.sheets import LINE, NEXT, NORMAL, SMALL, at_left, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = Mapping[str, Any]
Figure = dict[str, Any]
APPROVED, CHAMPION = "approved", "champion"
STILL = "it still is"
WITHDRAWN = "a withdrawal"
ENDINGS = {None: "its last day", "decision": "another decision", "withdrawal": WITHDRAWN}
CROSS: dict[str, Any] = {
    "linestyle": "", "marker": "X", "color": INK, "markersize": 9, "markeredgecolor": "white", "zorder": 6,
}  # fmt: skip
MOST_VERSIONS = 12
LONGEST_DAYS = 3 * 366  # of the past that is drawn
KEY, HALF, THIN = 0.72, 0.12, 0.055  # inches: above the lines; half the height of an approval, and of a reign
MOST_TICKS = 4
FEWEST_DAYS = 30  # of the whole time, so that a day does not look like a year
SHORT_DAYS = 75  # up to which the axis tells days, not months
ROOM = 0.03  # of the whole time, at both ends


def figures_of(found: Row) -> list[Figure]:
    """A figure for each study in which anything was ever approved, and not all of it is long over."""
    made = [_figure(study, found) for study in found["in_use"]]
    return [figure for figure in made if figure is not None]


def id_of(study: str) -> str:
    return f"timeline-{study}"


def _figure(study: Row, found: Row) -> Figure | None:
    today = dt.date.fromisoformat(found["today"])
    lines = [*_approvals(study, found), *_reigns(study, found)]
    recent = [line for line in lines if line[3] == STILL or (today - _date(line[3], today)).days <= LONGEST_DAYS]
    versions = sorted({line[0] for line in recent})
    shown = versions[-MOST_VERSIONS:]
    rows = sorted((line for line in recent if line[0] in shown), key=lambda line: (-line[0], line[1], line[2]))
    if not rows:
        return None
    left_out = len({line[0] for line in lines}) - len(shown)
    note = f"The newest {len(shown)} versions; {left_out} older are in the tables below. " if left_out else ""
    return {
        "id": id_of(study["study"]),
        "title": study["title"],
        "alt": _alt(study, rows, found["today"]),
        "unit": "days",
        "n": None,
        "reading": f"{note}A line for each version, the newest first. The light bar: while it was approved. The dark "
        "one: while it was the champion, and could make lists.",
        "table": content(
            f"Approvals and champions: {study['title']}",
            ["Version", "It was", "From", "Until", "For", "Ended by"],
            rows,
            "the review record",
        ),
        "today": found["today"],
        "curve": None,
    }


def _approvals(study: Row, found: Row) -> list[list[Any]]:
    return [
        [row["version"], APPROVED, row["from"], row["until"], _for(row), ENDINGS[row["ended_by"]]]
        for row in found["approvals"]
        if row["study"] == study["study"]
    ]


def _reigns(study: Row, found: Row) -> list[list[Any]]:
    return [
        [row["version"], CHAMPION, row["from"], row["until"] or STILL, _for(row), _ended(row)]
        for row in found["history"]
        if row["study"] == study["study"]
    ]


def _for(row: Row) -> str:
    return f"{row['stage']}, an example" if row["example"] else str(row["stage"])


def _ended(row: Row) -> str:
    return "" if row["ended_by"] is None else "a withdrawal" if row["ended_by"] == "withdrawal" else "a promotion"


def _alt(study: Row, rows: Sequence[Sequence[Any]], today: str) -> str:
    versions = len({row[0] for row in rows})
    said = [f"Bars over time for {'1 version' if versions == 1 else f'{versions} versions'}, up to {day_text(today)}."]
    if study["version"] is None:
        said.append("No version is champion now.")
    else:
        until = f", and is approved until {day_text(study['until'])}" if study["until"] else ""
        said.append(f"Version {study['version']} is champion since {day_text(study['since'])}{until}.")
    return " ".join(said)


# ---------------------------------------------------------------- the picture


def draw_timelines(figures: Iterable[Content]) -> dict[str, bytes]:
    """SVG by figure id."""
    return draw(figures, lambda figure: timeline)


def timeline(figure: Content) -> bytes:
    """For each version a light bar while it was approved, and a thin dark one while it was champion.

    Rows of the table: version; "approved" or "champion"; from; until; for what; and what follows is not drawn.
    """
    today = _date(figure["today"])
    rows = [list(row) for row in figure["table"]["rows"]]
    versions = list(dict.fromkeys(row[0] for row in rows))
    is_withdrawn = any(row[1] == APPROVED and row[5] == WITHDRAWN for row in rows)
    top = KEY + (NEXT if is_withdrawn else 0.0)
    places = {version: top + LINE * (place + 1) - 0.14 for place, version in enumerate(versions)}
    picture, plot = sheet(top + LINE * len(versions) + 0.08)
    _calendar(plot, rows, today)
    _key(plot, is_withdrawn)
    for version, y in places.items():
        at_left(plot, y - 0.22, f"Version {version}", fontsize=NORMAL)
    for version, what, since, until, stage, ended in rows:
        start, end = _date(since).toordinal(), _date(until, today).toordinal() + 1  # a last day is a whole day
        if what == CHAMPION:
            plot.barh(places[version], end - start, left=start, height=2 * THIN, color=BLUE, zorder=3)
            continue
        plot.barh(
            places[version], end - start, left=start, height=2 * HALF, facecolor=BAND, edgecolor=EDGE,
            linewidth=0.7, zorder=2, hatch="////" if "example" in stage else "",
        )  # fmt: skip
        plot.plot([end, end], [places[version] - HALF, places[version] + HALF], color=INK, linewidth=2, zorder=4)
        if ended == WITHDRAWN:
            plot.plot([end], [places[version]], **CROSS)
    at = today.toordinal() + 0.5
    for y in places.values():  # beside the bars only: a line from top to bottom would strike through names
        plot.plot([at, at], [y - HALF - 0.03, y + HALF + 0.03], color=INK, linewidth=1.2, linestyle=(0, (2, 2)),
                  zorder=5)  # fmt: skip
    return svg(picture)


def _calendar(plot: Axes, rows: Sequence[Sequence[Any]], today: dt.date) -> None:
    earliest = max(min(_date(row[2]) for row in rows), today - dt.timedelta(days=LONGEST_DAYS))
    first, last = earliest.toordinal(), max(max(_date(row[3], today) for row in rows), today).toordinal() + 1
    last = max(last, first + FEWEST_DAYS)
    is_short = last - first <= SHORT_DAYS
    room = (2 if is_short else 1) * ROOM * (last - first)  # the days at the ends are long to write
    plot.set_xlim(first - room, last + room)
    ticks = _ticks(dt.date.fromordinal(first), dt.date.fromordinal(last))
    names = [f"{f'{tick.day} ' if is_short else ''}{tick:%b}\n{tick.year}" for tick in ticks]
    plot.set_xticks([tick.toordinal() for tick in ticks], names)
    plot.tick_params(axis="x", labelsize=NORMAL)


def _ticks(first: dt.date, last: dt.date) -> list[dt.date]:
    """First days of months, at most so many, and evenly apart; where the time is short its two ends and its middle."""
    if (last - first).days <= SHORT_DAYS:
        return [first, first + (last - first) / 2, last]
    months = [12 * day.year + day.month - 1 for day in (first, last)]
    starts = [dt.date(number // 12, number % 12 + 1, 1) for number in range(months[0], months[1] + 1)]
    within = [start for start in starts if first <= start <= last]
    every = -(-len(within) // MOST_TICKS)
    return within[::every]


def _key(plot: Axes, is_withdrawn: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Patch(facecolor=BAND, edgecolor=EDGE, linewidth=0.7, label="approved (hatched: an example), to its end"),
        Line2D([], [], color=BLUE, linewidth=5, label="champion"),
        Line2D([], [], color=INK, linewidth=1.2, linestyle=(0, (2, 2)), label="today"),
    ]
    if is_withdrawn:
        handles.append(Line2D([], [], **CROSS, label="withdrawn"))
    plot.legend(handles=handles, loc="upper left", bbox_to_anchor=(-0.02, 1.0), borderaxespad=0.0, fontsize=SMALL,
                handlelength=1.8, labelspacing=0.25)  # fmt: skip


def _date(text: str, today: dt.date | None = None) -> dt.date:
    return today if text == STILL and today is not None else dt.date.fromisoformat(text)
