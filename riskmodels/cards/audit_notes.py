"""What section 8 says of a limit of the policy, and of groups too small to be shown one by one.

Both are made of the published audit alone, so they tell a reader nothing that subtraction would not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.assessment.audit.words import is_small
from riskmodels.cards.words import Language, attribute_words, capital, listing, of_100
from riskmodels.study import Study

Row = Mapping[str, Any]
LIMIT = re.compile(r"at most (\d+) in 100")
ON_THE_LIST = "selection_rate"
# share -> the count that it is made of
SHARES = {"in_cohort": "n", "on_list": "selected", "in_need": "positives"}
LEAST_HIDDEN = 2  # of one group alone, the number would be the one that is not shown


# ---------------------------------------------------------------- the limit below which no gap fails


def limit_words(audit: Row, contrasts: Sequence[Row], language: Language) -> str:
    """What the limit is that a real gap lies within, who set it, and whether a gap in who is listed can reach it.

    Nothing where none of these contrasts lies within it.
    """
    small = [row for row in contrasts if is_small(row)]
    found = [int(match[1]) for row in small if (match := LIMIT.search(row["reason"]))]
    if not found:
        return ""
    limit = max(found)
    said = (
        f"By the fairness policy, which was set before the run, a gap of {limit} in 100 or less is not called harm. To "
        "lie within that limit is not a pass."
    )
    listed = _listed_of_100(audit)
    if any(row["metric"] == ON_THE_LIST for row in small) and listed is not None and listed <= limit:
        said += (
            f" Of 100 {language.many}, only {listed} are listed at all. So hardly any gap in who is listed could be "
            "wider than that limit, even if a small group had no place."
        )
    return said


def _listed_of_100(audit: Row) -> int | None:
    """How many of 100 are on the list, from a characteristic of which every group is shown; None if there is none."""
    for attribute in dict.fromkeys(row["attribute"] for row in audit["rows"]):
        rows = [row for row in audit["rows"] if row["attribute"] == attribute]
        rates = [(row.get("n"), (row["metrics"].get(ON_THE_LIST) or {}).get("value")) for row in rows]
        if all(n and rate is not None for n, rate in rates):
            said = of_100(sum(n * rate for n, rate in rates) / sum(n for n, _ in rates))
            return int(said) if said.isdigit() else None
    return None


# ---------------------------------------------------------------- groups that are not shown, together


def together_words(audit: Row, study: Study, language: Language) -> list[str]:
    """Of groups that are not shown one by one: their share of the ranked, of the places and of those with the outcome.

    What the groups that are shown leave over. Said only where each of the three is a count that could be shown itself.
    """
    rules = audit.get("disclosure") or {}
    said = []
    for attribute in dict.fromkeys(row["attribute"] for row in audit.get("composition") or []):
        rows = [row for row in audit["composition"] if row["attribute"] == attribute]
        hidden = [row for row in rows if row.get("on_list") is None or row.get("in_need") is None]
        if len(hidden) < LEAST_HIDDEN or len(hidden) == len(rows):
            continue
        kept = {row["group"] for row in rows} - {row["group"] for row in hidden}
        least = rules.get("below", 0) + rules.get("rounded_to", 0)
        left = [_left_over(audit, attribute, kept, share, least) for share in SHARES]
        if None in left:
            continue
        ranked, listed, need = left
        names = listing([str(row["label"]) for row in hidden])
        title = capital(attribute_words(study.file, attribute))
        said.append(
            f"{title}, {names}: not shown one by one, to protect small numbers. Together they are about {ranked} of "
            f"100 {language.many} ranked, and about {need} of 100 of those {language.that} {language.needed}. They "
            f"have about {listed} of 100 places."
        )
    return said


def _left_over(audit: Row, attribute: str, kept: set[str], share: str, least: int) -> str | None:
    """What the groups that are shown leave of 100; None where that is too few people, or cannot be told."""
    rows = [row for row in audit["composition"] if row["attribute"] == attribute and row["group"] in kept]
    counted = [row for row in audit["rows"] if row["attribute"] == attribute and row["group"] in kept]
    shares, counts = [row.get(share) for row in rows], [row.get(SHARES[share]) for row in counted]
    if None in shares or None in counts or not sum(shares):
        return None
    left = 1 - sum(shares)
    if left <= 0 or left * sum(counts) / sum(shares) < least:
        return None
    said = of_100(left)
    return said if said.isdigit() else None
