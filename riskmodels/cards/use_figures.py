"""The figure of other list sizes, as numbers. Drawn by `riskmodels.reports.use_charts`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from riskmodels.cards.card import Figure, Table
from riskmodels.cards.cells import whole_100
from riskmodels.cards.use_tables import FEWEST_SIZES, SIZES_LEFT_OUT, size_words, sizes_shown
from riskmodels.cards.words import Language, of_100

if TYPE_CHECKING:
    from riskmodels.cards.figures import Results

AS_IT_IS = "the list as it is"


def capacity_sweep(results: Results) -> Figure | str:
    """How right a list is and how many it finds, by its size; the study's own is marked."""
    language, use = results.language, results.performance.get("use") or {}
    sizes = sizes_shown(use)
    if len(sizes) < FEWEST_SIZES:
        return "too few sizes of the list can be shown"
    first, last = sizes[0], sizes[-1]
    said = [
        f"With {row['relative']:.2g} times the places, {of_100(row['precision']['value'])} of 100 on the list "
        f"{language.needed}; it holds {of_100(row['recall']['value'])} of 100 {language.that} {language.needed}."
        for row in (first, last)
    ]
    ends = ("at least", "at most")
    return Figure(
        id="capacity_sweep",
        title=_title(sizes, language),
        reading=(
            "From left to right the list gets longer. One line is how many on it are rightly there, the other how many "
            "of those in need it finds. The dotted upright line is the list as it is."
        ),
        alt=f"Two lines with bands, for lists from short to long. {' '.join(said)} A mark shows {AS_IT_IS}.",
        table=Table(
            caption="Lists of other sizes",
            columns=(
                "Size of the list",
                "Times the places there are",
                f"Of 100 on the list, {language.needed}",
                *ends,
                f"Of 100 {language.that} {language.needed}, on the list",
                *ends,
                "Which",
            ),
            rows=tuple(_line(row) for row in sizes),
            source="run: performance",
            note=f"At least and at most: 95% interval. All test dates together. {SIZES_LEFT_OUT}",
        ),
        unit=f"of 100, among {language.many} whose outcome is known",
        n=results.performance.get("known"),
        narrow=True,
    )


def _title(sizes: Sequence[Mapping[str, Any]], language: Language) -> str:
    """The list as it is beside one of twice the places, or the longest that is told in places."""
    own = next((row for row in sizes if row["own"]), None)
    longer = [row for row in sizes if (row.get("times") or 0) > 1]
    if own is None or not longer:
        return "If the list were longer or shorter"
    other = next((row for row in longer if row["times"] == 2), longer[-1])
    found, right = ([of_100(row[name]["value"]) for row in (other, own)] for name in ("recall", "precision"))
    size = size_words(other)
    return (
        f"With {size[:1].lower()}{size[1:]}, the list finds {found[0]} of 100 rather than {found[1]}, and {right[0]} "
        f"of 100 on it {language.needed} rather than {right[1]}"
    )


def _line(row: Mapping[str, Any]) -> tuple[Any, ...]:
    rates = (whole_100(row[name].get(end)) for name in ("precision", "recall") for end in ("value", "low", "high"))
    return size_words(row), round(row["relative"], 2), *rates, AS_IT_IS if row["own"] else ""
