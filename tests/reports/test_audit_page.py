"""The page of an audit: it says what it shows, costs no words for what is not there, and works without eyes."""

from __future__ import annotations

import base64
import copy
import re
from itertools import pairwise
from typing import Any

import pytest

from riskmodels.reports.audit_charts import DRAWINGS, draw_audit
from riskmodels.reports.audit_figures import ratio_figures
from riskmodels.reports.audit_outline import TERMS, audit_outline
from riskmodels.reports.audit_page import render_audit
from riskmodels.reports.audit_tables import by_group, estimate_in_words, ratio_in_words
from riskmodels.reports.audit_words import METRICS, WHAT_ELSE, frequencies, summary_of, worst_off
from riskmodels.reports.glossary import GLOSSARY
from tests.reports.example_audit import audit, extras, of_purpose
from tests.reports.test_page import EVIL, Page

Row = dict[str, Any]


@pytest.fixture(scope="module")
def found() -> Row:
    """Without all that an audit need not have."""
    return audit(sweep=[], curves=[], pooled=[], after_exclusions=None)


@pytest.fixture(scope="module")
def whole(found: Row) -> Row:
    return {**found, **extras(found)}


@pytest.fixture(scope="module")
def page(whole: Row) -> Page:
    return Page(render_audit(whole))


def titles(given: Row) -> list[str]:
    return [section.title for section in audit_outline(given)[0]]


# ---------------------------------------------------------------- the page


def test_same_bytes_twice(whole: Row) -> None:
    assert render_audit(copy.deepcopy(whole)) == render_audit(whole)


def test_nothing_in_the_audit_is_changed(whole: Row) -> None:
    before = copy.deepcopy(whole)
    render_audit(whole)
    assert whole == before


def test_the_first_screen_says_the_verdict_and_the_largest_difference_in_natural_frequencies(page: Page) -> None:
    first = page.text.partition("Is each group treated alike?")[2].partition("2 Is each group treated alike?")[0]
    for words in (
        "Verdict: FAIL", "A group is treated worse, by more than chance", "harm found in", "Ethnicity: Bangladeshi",
        "in the group Bangladeshi and about", "in the group White British", "This is more than chance",
        "an offer of help", "The outcome is taken to be need itself", "never recorded is missing here",
        "Too few for any verdict: Ethnicity: Gypsy or Irish Traveller", "Take care: Ties were put in an order.",
        "No reason was accepted for",
    ):  # fmt: skip
        assert words in first, words


def test_sections_depend_on_what_there_is(found: Row, whole: Row) -> None:
    extra = {
        "What changed", "Age and other numbers, as curves", "With fewer places, and with more",
        "After the service's own exclusions", "Small groups: pooled estimates",
    }  # fmt: skip
    assert extra <= set(titles(whole))
    assert set(titles(found)) == set(titles(whole)) - extra
    for key in ("sweep", "curves", "pooled", "after_exclusions", "changes"):
        assert set(titles(whole)) - set(titles({**whole, key: None})), key


def test_an_audit_of_nothing_is_a_page(found: Row) -> None:
    keys = ("composition", "proxies", "not_audited", "missing", "contrasts", "rows", "in_words")
    judged = dict.fromkeys(found["judged"], 0)
    empty = {**found, **{key: [] for key in keys}, "titles": {}, "judged": judged, "verdict": "NOT AUDITED"}
    empty["critical_values"] = {}
    page = Page(render_audit(empty))
    assert page.unbalanced == page.open == []
    assert titles(empty) == ["The verdict", "How this was done"]
    assert "nobody has accepted why" in page.text


def test_tags_headings_references_and_language(page: Page) -> None:
    assert page.unbalanced == page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    levels = [level for level, _ in page.headings]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.all("html")[0]["lang"] == "en-GB"
    named = {attributes["aria-labelledby"] for _, attributes in page.elements if "aria-labelledby" in attributes}
    assert named <= set(ids)
    assert {str(link["href"])[1:] for link in page.all("a")} <= set(ids)
    assert len(page.all("caption")) == len(page.all("table"))


def test_nothing_is_fetched_and_nothing_runs(page: Page) -> None:
    assert not {tag for tag, _ in page.elements} & {"script", "link", "iframe", "object", "embed", "form", "svg"}
    for _, attributes in page.elements:
        assert not any(name.startswith("on") or name in ("style", "srcset") for name in attributes)


def test_each_figure_is_a_picture_with_words_and_a_table(page: Page, whole: Row) -> None:
    figures = audit_outline(whole)[1]
    pictures = page.all("img")
    assert len(pictures) == len(figures) == len({figure["id"] for figure in figures})
    assert {figure["drawing"] for figure in figures} == set(DRAWINGS)
    for picture in pictures:
        assert len(str(picture["alt"])) > 60
        assert not re.search(rb"(?:xlink:href|href)=\"(?!#)", base64.b64decode(str(picture["src"]).partition(",")[2]))
    for figure in figures:
        assert figure["table"]["caption"] in page.text


def test_groups_too_few_are_named_with_what_else_can_be_done(page: Page) -> None:
    assert "Ethnicity: too few people to judge anything for Gypsy or Irish Traveller" in page.text
    assert all(" ".join(words.split()) in page.text for words in WHAT_ELSE)


def test_a_hidden_group_has_words_in_place_of_its_numbers(found: Row) -> None:
    row = next(row for row in found["rows"] if row["group"] == "Gypsy or Irish Traveller")
    assert row["positives"] is None
    first, others = next(pair for pair in by_group(found) if pair[0]["caption"] == "Ethnicity")
    cells = [
        cell for shown in (first, others) for line in shown["rows"] if line[0] == row["group"] for cell in line[1:]
    ]
    assert len(cells) > 8
    assert all(str(cell).startswith("not shown") for cell in cells if cell != row["n"])


def test_a_fail_whose_numbers_are_hidden_is_neither_lost_nor_replaced_by_a_smaller_difference(found: Row) -> None:
    given = copy.deepcopy(found)
    for contrast in given["contrasts"]:
        if contrast["verdict"] == "FAIL":
            contrast |= dict.fromkeys(("ratio", "low", "high", "gap", "p", "p_adjusted"))
    text = Page(render_audit(given)).text
    largest = text.partition("The largest difference")[2].partition("What it is for")[0]
    assert largest.startswith(
        " Ethnicity: Bangladeshi. The numbers are not shown, to protect a small one. This is more"
    )
    (figure,) = (one for one in ratio_figures(given) if one["id"] == "ratios-ethnicity")
    (row,) = (row for row in figure["table"]["rows"] if row[:1] + row[3:4] == ["Bangladeshi", "White British"])
    assert row[4:] == [None, None, None, "FAIL", "left of 1"]
    assert "Bangladeshi, found, not shown, compared with White British" in figure["alt"]
    assert b"<svg" in draw_audit([figure])["ratios-ethnicity"]


def test_what_people_wrote_stays_text(found: Row) -> None:
    given = copy.deepcopy(found)
    given["about"] = {"file": EVIL, "outcome": EVIL, "risk": EVIL, "purpose": EVIL, "misses": EVIL}
    given["notes"] = [EVIL]
    for row in (*given["rows"], *given["contrasts"], *given["composition"]):
        row["label"] = EVIL if row["group"] == "female" else row["label"]
    page = Page(render_audit(given))
    assert "script" not in {tag for tag, _ in page.elements}
    assert EVIL in page.text


def test_words_that_are_used_are_explained_and_the_policy_is_named(page: Page, found: Row) -> None:
    explained = page.text.rpartition("Words explained")[2]
    assert all(f"{term} {GLOSSARY[term]}" in explained for term in TERMS)
    assert found["policy_sha256"] in page.text
    assert "Counts of fewer than 10 are not shown" in page.text


@pytest.mark.parametrize("purpose", ["assistive", "punitive", "mixed"])
@pytest.mark.parametrize("measures", ["need", "service"])
def test_every_purpose_makes_a_page_that_speaks_in_words(purpose: str, measures: str) -> None:
    given = of_purpose(purpose, measures)
    page = Page(render_audit(given))
    assert page.unbalanced == page.open == []
    assert ("Every verdict is provisional" in page.text) == (measures == "service")
    assert not re.search(r"\b(None|nan|inf|undefined)\b|\{\w*\}", page.text.replace("None.", ""))
    largest = str(summary_of(given)["blocks"][0]["text"])
    assert largest.startswith("Of 100 people") or "The numbers are not shown, to protect a small one" in largest


def test_households_are_not_called_people(found: Row) -> None:
    first = str(summary_of({**found, "level": "household"})["blocks"][0]["text"])
    assert first.startswith("Of 100 households that needed help, the list misses")


# ---------------------------------------------------------------- what fails, and what is left to people


def test_where_only_risks_fail_nobody_is_said_to_be_treated_worse(found: Row) -> None:
    given = copy.deepcopy(found)
    for contrast in given["contrasts"]:
        contrast["verdict"] = "PASS" if contrast["metric"] == "recall" else contrast["verdict"]
        if contrast["metric"] == "calibration_slope":
            contrast |= {"verdict": "PASS"}
        if contrast["metric"] == "oe_ratio":
            contrast |= {"verdict": "FAIL" if contrast["label"] == "Bangladeshi" else "PASS", "family": "primary"}
    advice = summary_of({**given, "verdict": "FAIL"})["recommendation"]
    assert advice["headline"] == "The risks are wrong for some groups."
    assert "That a group is treated worse was not found." in " ".join(advice["reasons"])
    assert "Risks. Ethnicity: Bangladeshi (risks too low)." in advice["reasons"]
    for contrast in given["contrasts"]:
        if contrast["metric"] == "calibration_slope":
            contrast |= {"verdict": "FAIL", "ratio": 0.6}
    advice = summary_of({**given, "verdict": "FAIL"})["recommendation"]
    assert advice["headline"].startswith("The score is too extreme for everybody")
    assert not any("too far apart" in reason for reason in advice["reasons"])  # said once


def test_what_must_be_answered_stands_on_the_first_screen(page: Page, found: Row) -> None:
    first = page.text.partition("Is each group treated alike?")[2].partition("Is each group treated alike?")[0]
    assert "To be answered by name before a decision" in first
    assert first.index("The largest difference") < first.index("To be answered by name")
    assert "INSUFFICIENT EVIDENCE. Ethnicity" in first


# ---------------------------------------------------------------- natural frequencies


def made(ratio: float, group: float, other: float, metric: str, **more: Any) -> Row:
    """Two groups with these rates, and the comparison of the one with the other."""
    shown = {"recall": "fnr"}.get(metric, metric)
    rows = [
        {"attribute": "sex", "group": name, "label": name, "metrics": {shown: {"value": rate}}}
        for name, rate in (("a", group), ("b", other))
    ]
    contrast = {
        "attribute": "sex", "group": "a", "label": "a", "reference": "b", "reference_label": "b", "metric": metric,
        "against": "reference", "family": "primary", "ratio": ratio, "reason": None, "verdict": "PASS",
        "worse_off": None, **more,
    }  # fmt: skip
    return {
        "rows": rows, "contrasts": [contrast], "purpose": "assistive", "outcome_measures": "need", "level": "person",
        "titles": {"sex": "sex"},
    }  # fmt: skip


MISSES, WRONGLY, PICKS = (
    "people who needed help, the list misses", "people without the outcome, the list wrongly picks",
    "people, the list picks",
)  # fmt: skip


@pytest.mark.parametrize(
    ("ratio", "group", "reference", "metric", "of", "first", "then"),
    [
        # Recall 0.60 v 0.75: missed are 40 and 25 of 100.
        (0.8, 0.40, 0.25, "recall", MISSES, "about 40 in the group a", "25 in the group b"),
        (1.25, 0.25, 0.40, "recall", MISSES, "about 40 in the group b", "25 in the group a"),
        (2, 0.2, 0.1, "fpr", WRONGLY, "about 20 in the group a", "10 in the group b"),
        (0.4, 0.004, 0.1, "selection_rate", PICKS, "fewer than 1 in the group a", "10 in the group b"),
    ],
)  # fmt: skip
def test_the_group_that_is_worse_off_comes_first(
    ratio: float, group: float, reference: float, metric: str, of: str, first: str, then: str
) -> None:
    given = made(ratio, group, reference, metric)
    assert frequencies(given, given["contrasts"][0]) == f"Of 100 {of} {first} and about {then}."


def test_everybody_else_is_what_the_gap_leaves() -> None:
    # Recall 0.6 in the group and, by a gap of -0.15, 0.75 among everybody else.
    given = made(0.8, 0.4, 0.25, "recall", against="others", reference="everybody else", gap=-0.15, verdict="FAIL")
    said = "Of 100 people who needed help, the list misses about 40 in the group a and about 25 among everybody else."
    assert frequencies(given, worst_off(given) or {}) == said


def test_a_rate_that_is_not_shown_is_not_said() -> None:
    given = made(0.8, 0.4, 0.25, "recall")
    given["rows"][1]["metrics"]["fnr"] = {"value": None, "reason": "not shown"}
    assert frequencies(given, given["contrasts"][0]) == ""


def test_a_fail_comes_before_a_larger_difference_that_may_be_chance() -> None:
    given = made(0.3, 0.7, 0.1, "recall", verdict="INSUFFICIENT EVIDENCE")
    failed = {**given["contrasts"][0], "ratio": 0.6, "verdict": "FAIL"}
    given["contrasts"].append(failed)
    assert worst_off(given) is failed
    few = {**failed, "reason": "too few to judge: fewer than 100"}
    assert worst_off({**given, "contrasts": [few]}) is None


# ---------------------------------------------------------------- cells


def test_estimates_in_words() -> None:
    assert estimate_in_words({"value": 0.35, "low": 0.3, "high": 0.41}, rate=True) == "35 of 100 (30 to 41)"
    assert estimate_in_words({"value": 0.98, "low": 0.931, "high": 1.04}, rate=False) == "0.98 (0.93 to 1.04)"
    assert estimate_in_words({"value": 0.004, "low": None, "high": None}, rate=True) == "fewer than 1 of 100"
    assert estimate_in_words({"value": None, "reason": "not shown"}, rate=True) == "not shown"


def test_ratios_in_words() -> None:
    assert ratio_in_words({"ratio": 0.85, "low": 0.71, "high": 1.02}) == "0.85 (0.71 to 1.02)"
    assert ratio_in_words({"ratio": 0.85, "low": 0.71, "high": None}) == "0.85 (0.71 to no limit)"
    assert ratio_in_words({"ratio": 0.85, "low": None, "high": None}) == "0.85"
    assert ratio_in_words({"ratio": None, "low": None, "high": None}) == "not shown"


def test_every_metric_has_a_name_and_two_sides() -> None:
    metrics = {row for found in (of_purpose("mixed", "service"),) for row in found["rows"][0]["metrics"]}
    assert metrics <= set(METRICS)
    assert all(len(words) == 3 for words in METRICS.values())
