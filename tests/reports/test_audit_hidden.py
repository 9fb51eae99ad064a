from __future__ import annotations

from riskmodels.reports.audit_hidden import hidden_lines

FOUND = {"titles": {"race": "ethnic group", "sex": "sex"}}
FEW, OTHER = "not shown (fewer than 10 people)", "not shown (to protect a small number)"


def test_a_line_for_each_characteristic_in_words() -> None:
    where = [
        ("rows, race: Traveller", FEW),
        *((f"contrasts, race: Traveller: {metric} v white", OTHER) for metric in ("recall", "fpr")),
        *((f"sweep, race: {label}", FEW) for label in ("a", "b", "c", "d", "e")),
        ("after_exclusions: contrasts, race: Traveller: recall v white", OTHER),
        ("after_exclusions: excluded, race: a", FEW),
        ("contrasts, sex × race: woman × a: recall v everybody else", OTHER),
    ]
    hidden = [{"where": place, "what": "tp, fn, fp, tn", "why": why} for place, why in where]
    assert hidden_lines(FOUND, hidden) == [
        [
            "Ethnic group",
            "counts and rates of Traveller; comparisons of Traveller; rates with other numbers of places of 5 groups; "
            "comparisons after the service's rules of Traveller; the share that is taken out of a",
            "fewer than 10 people; to protect a small number",
        ],
        ["Sex × ethnic group", "comparisons of woman × a", "to protect a small number"],
    ]


def test_what_is_not_understood_is_still_counted() -> None:
    assert hidden_lines(FOUND, [{"where": "somewhere", "what": "x", "why": "y"}]) == [["Others", "other numbers", "y"]]
