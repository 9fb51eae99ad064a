"""Mechanical checks of a card: a draft may fail them, an approved card may not.

``CHECKS`` is the table. To add a check: a function that takes a `Checked` and gives ``(passed, words)``, the words
saying what to do; its row; and a test with its fault planted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from riskmodels.cards.card import ModelCard
from riskmodels.cards.checks import agrees, answers, counts, figures, language, numbers, pages, record, repeated, whole
from riskmodels.cards.checks.checked import Card, Check, Checked, Stage

__all__ = ["CHECKS", "NOT_CHECKED", "Check", "Checked", "check_card", "check_whole", "failing"]

WARNING: tuple[Stage, ...] = ()
CHECKS: dict[str, Check] = {
    "schema": Check("The file has the shape of its schema", whole.schema),
    "complete": Check("All that an approval needs is answered", answers.complete),
    "further_answers": Check("No further question is open", answers.further_answers, WARNING),
    "tripod": Check("The items of TRIPOD+AI are answered", answers.tripod, ("live",)),
    "no_placeholders": Check("No placeholder stands for an answer", answers.no_placeholders),
    "sources": Check("Facts and tables have a source, gaps an owner", answers.has_sources),
    "agreements": Check("The agreements on sharing data hold", answers.agreements_last),
    "short": Check("Page one is short", language.short),
    "reads_easily": Check("Page one reads easily", language.reads_easily),
    "short_sentences": Check("The sentences of page one are short", language.short_sentences),
    "answers_read_easily": Check("The answers read easily", language.answers_read_easily, WARNING),
    "acronyms": Check("Short forms are explained", language.acronyms, WARNING),
    "page_one_whole": Check("Page one has all its blocks", repeated.page_one_whole),
    "advice_agrees": Check("The advice is what the evidence allows", agrees.advice_agrees),
    "audit_agrees": Check("The audit is what its comparisons come to", agrees.audit_agrees),
    "tables_agree": Check("The tables are the results", repeated.tables_agree),
    "figures_agree": Check("The pictures say what the sections do", repeated.figures_agree),
    "annex_whole": Check("The annex lists what it should", repeated.annex_whole),
    "figures_are_whole": Check("Figures have a text, a table, a unit and n", figures.figures_are_whole),
    "intervals": Check("Pictures of estimates have intervals", figures.figures_have_intervals),
    "prose_agrees": Check("Page one's numbers are the card's", numbers.prose_agrees),
    "disclosure": Check("No count is too small to be shown", counts.disclosure),
    "edition": Check("The edition names what it was made from", whole.names_its_source),
    "numbers": Check("Every number of every rendering is the card's", numbers.renderings_agree, of_page=True),
    "record": Check("The public record says what the card says", record.record_agrees, of_page=True),
    "rendered_counts": Check("No rendering shows a count too small", counts.rendered_counts, of_page=True),
    "versions": Check("Nothing hidden is found by subtracting cards", counts.versions, of_page=True),
    "structure": Check("The page is built for every reader", pages.structure, of_page=True),
    "links": Check("Links lead somewhere", pages.links_lead_somewhere, of_page=True),
    "no_network": Check("The page needs no network and no script", pages.needs_no_network, of_page=True),
    "text_contrast": Check("Text stands out", figures.text_contrast, of_page=True),
    "mark_contrast": Check("Marks of pictures stand out", figures.mark_contrast, of_page=True),
    "same_bytes": Check("The same card gives the same bytes", whole.same_bytes, of_page=True),
    "pdf": Check("The PDF is built for every reader", whole.pdf_is_whole, of_page=True, of_pdf=True),
}
NOT_CHECKED = (
    "Not checked here: axe-core's rules of WCAG 2.2 need a browser, and valid HTML a validator. The PDF is checked "
    "with --format pdf. No check can tell whether what people say is true."
)


def check_card(card: ModelCard | Card) -> list[dict[str, Any]]:
    """The checks of the card itself, in order, without making its pages: rows as `check_whole`."""
    checked = Checked(card.to_dict() if isinstance(card, ModelCard) else card)
    return [_row(name, check, checked) for name, check in CHECKS.items() if not check.of_page]


def check_whole(checked: Checked) -> list[dict[str, Any]]:
    """Every check, in order, that of the PDF if it is asked for: rows of {check, what, result, passed, words, blocks}.

    ``result`` is "pass", "FAIL" or "warning", which counts as passed; ``blocks`` are the stages that it holds up.
    """
    return [_row(name, check, checked) for name, check in CHECKS.items() if checked.pdf or not check.of_pdf]


def failing(rows: Sequence[dict[str, Any]], stage: str | None = None) -> list[str]:
    """Names of the checks that failed; with ``stage``, of those that hold it up."""
    return [row["check"] for row in rows if not row["passed"] and (stage is None or stage in row["blocks"])]


def _row(name: str, check: Check, checked: Checked) -> dict[str, Any]:
    try:
        passed, words = check.run(checked)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as problem:
        # A card that somebody changed may lack what a check looks for: what cannot be looked at does not pass.
        passed, words = False, f"it cannot be looked at ({type(problem).__name__}: {problem}); build the card again"
    result = "pass" if passed else "FAIL" if check.blocks else "warning"
    return {
        "check": name, "what": check.what, "result": result, "passed": result != "FAIL", "words": words,
        "blocks": list(check.blocks),
    }  # fmt: skip
