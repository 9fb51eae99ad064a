"""Section 8, "What would it take?": each experiment against a gap with its price, or that none was run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from riskmodels.assessment.audit.remedies.mitigation_words import in_words, name_of, short_name_of
from riskmodels.assessment.audit.remedies.published_mitigation import publish_mitigation
from riskmodels.assessment.audit.remedies.trials import COULD, RATES
from riskmodels.cards.card import Cell, CloserPart, Table
from riskmodels.cards.cells import plain, with_range
from riskmodels.cards.shown import Shown
from riskmodels.cards.words import Language, capital, family_words, feature_words, listing
from riskmodels.study import StudyFile

Row = Mapping[str, Any]
HEADING = "What would it take?"
BEST = "Nothing else reaches as many with as small a gap"
NOT_RUN = "What it would take to narrow a gap: not run. The analyst can find out with run --mitigate."


def published_mitigation(raw: Row, audit: Row, shown: Shown) -> Row:
    """The experiments as they may stand in a card.

    Parameters
    ----------
    raw : `Mitigation.to_dict()`
    audit : the published audit of the same run
    """
    published, log = publish_mitigation(raw, audit, shown.profile)
    for line in log:
        shown.note(*(str(line[key]) for key in ("where", "what", "why")))
    return published


def mitigation_part(
    study: StudyFile, published: Row | None, language: Language, title: Callable[[str], str]
) -> CloserPart:
    """The experiments as a part of section 8.

    Parameters
    ----------
    published : from `riskmodels.assessment.audit.remedies.published_mitigation`; None where it was not run
    title : attribute -> its name in the words of the study
    """
    if published is None:
        return CloserPart(id="mitigation", heading=HEADING, words=(NOT_RUN,), tables={})
    titles = {row["attribute"]: title(row["attribute"]) for row in published["points"]}
    laws = {name: spec.law for name, spec in study.protected.items()}
    said = in_words(published, titles, noun=language.many, who=language.that, laws=laws)
    first, tried = said[: len(published["first"])], said[len(published["first"]) :]
    if not published["points"]:
        tried = ("Nothing could be tried: no characteristic has two groups that can be judged.",)
    return CloserPart(
        id="mitigation",
        heading=HEADING,
        words=(*first, *_about(published, language), *tried),
        tables=mitigation_tables(study, published, language, title),
        figures=("mitigation",),
    )


def _about(published: Row, language: Language) -> tuple[str, ...]:
    """What was fitted again, and what is compared."""
    if not published["points"]:
        return ()
    words = [f"Each line below was tried on the same test dates and the same {language.many}."]
    if published["refitted"] != published["family"]:
        words.append(
            f"Today's list is made by {family_words(published['family'], None)}, which has nothing to teach anew. So "
            f"{family_words(published['refitted'], None)} was taught instead. It stands among the lines as it is, too: "
            "what it changes by itself is no merit of a remedy."
        )
    return tuple(words)


def mitigation_tables(
    study: StudyFile, published: Row, language: Language, title: Callable[[str], str]
) -> dict[str, Table]:
    """What was tried for each characteristic, and what could not be."""
    found = {"mitigation": _tried(study, published, language, title)}
    if published["left_out"]:
        found["not_tried"] = Table(
            caption="What could not be tried",
            columns=("Characteristic", "What", "Why"),
            rows=tuple(
                (
                    title(row["attribute"]),
                    "anything" if row["name"] is None else capital(name_of({"name": row["name"], "share": 1.0})),
                    capital(row["reason"]),
                )
                for row in published["left_out"]
            ),
            source="run --mitigate",
        )
    return {name: table for name, table in found.items() if table.rows}


def _tried(study: StudyFile, published: Row, language: Language, title: Callable[[str], str]) -> Table:
    recall = RATES[published["purpose"]][0] == "recall"
    whom = f"Missed, of 100 who {language.needed}" if recall else f"On the list, of 100 who {language.not_needed}"
    if language.that != "who":
        whom = whom.replace(" who ", f" {language.that} ")
    return Table(
        caption="What was tried, and its price",
        columns=(
            "Characteristic, and the two groups furthest apart",
            "What was tried",
            "Kind",
            f"{whom}: more in the first group than in the other",
            f"Of 100 places, to {language.many} {language.that} {language.needed}",
            "The same: more than today",
            f"{capital(language.many)} reached in all: more than today",
            "Of 100 pairs, put right",
            "Nearer to each other than today, beyond chance",
            BEST,
        ),
        rows=tuple(_line(study, row, title) for row in published["points"]),
        source="run --mitigate",
        note=(
            "Below 0, the other group fares worse. Ranges: 95% intervals; changes from today are of the same people. "
            "They do not allow for how many things were tried. All figures are of "
            f"{language.many} whose outcome is known. The last column looks at lists with as many places as today; "
            "what could be done is set against what could be done only."
            + (_mixed() if published["purpose"] == "mixed" else "")
        ),
    )


def _mixed() -> str:
    return " Gaps are of those who are missed; who is wrongly listed stands in the audit."


def _line(study: StudyFile, row: Row, title: Callable[[str], str]) -> tuple[Cell, ...]:
    what = capital(name_of(row))
    if row["features"]:
        what += f" ({listing([feature_words(study, name) or name for name in row['features']])})"
    return (
        f"{title(row['attribute'])}: {row['worse_label']}, {row['better_label']}",
        what,
        row["kind"],
        with_range(row["gap"], per_100=False) if row["gap"].get("value") is None else _points(row["gap"]),
        with_range(row["precision"], per_100=True),
        _change(row["precision_change"], _points),
        _change(row["more_reached"], _whole),
        with_range(row["auc"], per_100=True),
        _yes_or_no(row["narrower"]),
        _yes_or_no(row["frontier"]),
    )


def _change(estimate: Row | None, say: Callable[[Row], Cell]) -> Cell:
    if estimate is None:
        return ""
    return "not shown" if estimate.get("value") is None else say(estimate)


def _points(estimate: Row) -> Cell:
    """Points of 100, to a tenth."""
    return _with_ends(estimate, lambda value: plain(round(100 * value, 1)))


def _whole(estimate: Row) -> Cell:
    return _with_ends(estimate, lambda value: f"{round(value) + 0:,}")


def _with_ends(estimate: Row, say: Callable[[float], str]) -> Cell:
    said = say(estimate["value"])
    if estimate.get("low") is None or estimate.get("high") is None:
        return said
    return f"{said} ({say(estimate['low'])} to {say(estimate['high'])})"


def _yes_or_no(answer: bool | None) -> Cell:
    return "" if answer is None else "yes" if answer else "no"


# ---------------------------------------------------------------- the figure's numbers

FRONTIER_COLUMNS = (
    "Characteristic", "What was tried", "In short", "Kind", "Largest gap, of 100", "Of 100 places, reached", BEST,
    "Smaller gap than today, beyond chance",
)  # fmt: skip


def frontier_rows(published: Row, title: Callable[[str], str]) -> tuple[tuple[Cell, ...], ...]:
    """What the picture of the frontier is made of: every trial of which both figures are shown."""
    return tuple(
        (
            title(row["attribute"]), capital(name_of(row)), short_name_of(row), row["kind"],
            round(100 * row["largest_gap"], 1) + 0.0, round(100 * row["precision"]["value"], 1) + 0.0,
            _yes_or_no(row["frontier"]), _yes_or_no(row["narrower"]),
        )
        for row in published["points"]
        if row["largest_gap"] is not None and row["precision"].get("value") is not None
    )  # fmt: skip


def frontier_in_words(rows: Sequence[Sequence[Cell]]) -> str:
    """The picture said: where today's list stands, and which mark of those that could be done has the least gap."""
    said = []
    for title in dict.fromkeys(str(row[0]) for row in rows):
        own = [row for row in rows if row[0] == title and row[3] == COULD]
        today = next((row for row in own if row[2] == "today"), None)
        if today is None:
            continue
        best = min((row for row in own if row[6]), key=lambda row: float(row[4] or 0.0), default=today)
        line = f"{title}: today a gap of {today[4]:g} of 100, with {today[5]:g} of 100 places reaching those in need"
        if best is not today:
            line += (
                f"; the smallest of what could be done, {best[4]:g}, with {best[5]:g} of 100 ({str(best[1]).lower()})"
            )
            line += "" if best[7] == "yes" else ", which may be chance"
        said.append(f"{line}.")
    return " ".join(said)
