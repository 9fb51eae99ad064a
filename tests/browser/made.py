"""Every kind of page there is, as a file: the register of the shipped cards, and what stands in no register."""

from __future__ import annotations

from pathlib import Path

from riskmodels import commands
from riskmodels.commands.sites import site
from riskmodels.reports.change_page import render_change
from riskmodels.reports.comparison_page import render_comparison
from riskmodels.reports.letter_page import Letter, render_letter
from riskmodels.reports.parts import Section, bullets, texts
from riskmodels.reports.review_page import render_review
from tests.cards.change.pairs import all_of, change, estimate, put
from tests.conftest import ROOT, TODAY, Demo
from tests.reports.example_audit import made as audit_page
from tests.reports.example_comparison import comparison
from tests.reports.test_batch_page import made as batch_page
from tests.reports.test_models_page import made as models_page
from tests.reports.test_profile_page import made as profile_page
from tests.reports.test_review_page import account as review_account

LETTER = Letter(
    title="What was used about you",
    organisation="Northby Council",
    day="1 December 2026",
    opening=("You asked what was used about you.",),
    sections=(
        Section(1, "What the list is for", tuple(texts(["It helps to choose whom to offer help. People decide."]))),
        Section(2, "What you can do", tuple(bullets(["Ask us to put it right.", "Object."]))),
    ),
    reference="Reference 2026/14.",
)


def write_pages(demo: Demo, folder: Path) -> dict[str, Path]:
    """By name: the pages of the register, each shipped card in both editions among them, and one of each other kind."""
    register = folder / "register"
    site(ROOT / "model_cards", register, TODAY)
    found = {str(path.relative_to(folder)): path for path in sorted(register.rglob("*.html"))}
    return {**write_kinds(demo, folder), **found}


def write_kinds(demo: Demo, folder: Path) -> dict[str, Path]:
    """By name, one page of each kind: the demo's card, a published file's evaluation, and others of made-up data."""
    evaluation, compared = folder / "evaluation.html", folder / "comparison.html"
    commands.evaluate(
        ROOT / "tests" / "reference" / "df_binary.csv", outcome="cancer", risk="cancerpredmarker",
        capacities=[50, 100], thresholds=[0.1, 0.2], at=[0.15], html=evaluation,
    )  # fmt: skip
    commands.compare(["early_reading_support/1"] * 2, demo.workspace, html=compared)
    better = all_of(put("performance.at_capacity.recall", estimate(0.7, 0.03)), put("model.family", "logistic"))
    others = {
        "card": demo.report.card_html.read_bytes(),
        "three-runs": render_comparison(comparison(0.9, 0.2, 0.5)),
        "profile": profile_page(),
        "audit": audit_page(),
        "change": render_change(change(better).to_dict()),
        "batch": batch_page(),
        "letter": render_letter(LETTER, "html"),
        "review": render_review(review_account(), "Reading help"),
        "models": models_page(folder / "of_models"),
    }
    for name, content in others.items():
        (folder / f"{name}.html").write_bytes(content)
    return {path.name: path for path in sorted(folder.glob("*.html"))}
