"""What disclosure control hid of the data's profile: how much of each table, and in a fold each place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from riskmodels.reports.cells import label
from riskmodels.reports.parts import Part, table, texts
from riskmodels.reports.profile_tables import Row, content

# The profile's own tables, by what the page calls them.
TITLES = {
    "quality": "What each source holds", "attrition": "Left after each step",
    "attrition_differences": "Left out and kept", "outcome_status": "For whom the outcome is known",
    "outcome_by_group": "Outcome not recorded, by group", "feature_missing": "Missing in each field",
    "feature_missing_by_group": "Missing in each field, by group", "column_missing": "Missing in each source",
    "linkage": "Linked, by group", "linkage_by_date": "Linked, on each date",
}  # fmt: skip


def hidden_parts(hidden: Sequence[Row], rules: Row, many: str) -> list[Part]:
    """
    Parameters
    ----------
    hidden : {where, what, why}, as `riskmodels.assessment.profile_disclosure.publish_profile` lists them
    rules : the profile's ``disclosure``
    many : what is counted
    """
    if not rules["below"]:
        return texts([f"Counts are of {many}, not of people, so none is hidden or rounded."])
    below, base = rules["below"], rules["rounded_to"]
    note = (
        f"Counts below {below} are hidden, other counts are rounded to {base}. Hidden cells may take others with them."
    )
    if not hidden:
        return texts([f"Nothing is hidden. {note}"])
    # Where a cell is hidden is said as "profile: table, the rest".
    cells = []
    for row in hidden:
        name, _, rest = row["where"].removeprefix("profile: ").partition(", ")
        cells.append((TITLES.get(name, label(name)), rest, row["what"], row["why"]))
    counts, source = Counter(cell[0] for cell in cells), "run: disclosure control"
    return [
        table(content("How much is not shown", ["Table", "Places"], list(counts.items()), source, note)),
        table(content("Each place that is not shown", ["Table", "Where", "What", "Why"], cells, source), fold=True),
    ]
