"""What a card says twice: its pictures, its tables and its first page are made of the same numbers as its sections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from riskmodels.assessment.suppression import PROFILES
from riskmodels.cards.checks.checked import Card, Checked, Verdict, some, texts_of
from riskmodels.cards.checks.numbers import numerals
from riskmodels.cards.editions import NOT_FIGURES, PUBLIC, STANDS_IN
from riskmodels.cards.figures import FIGURES
from riskmodels.cards.results import performance_tables, performance_words
from riskmodels.cards.summary import HANDFUL
from riskmodels.cards.words import Language, capital, listing
from riskmodels.data.leakage import HARD

Row = Mapping[str, Any]
# Only where it stands in names of ways, groups or columns does the language of a study matter.
NO_LANGUAGE = Language("one", "many", "one who", "needed", "not needed", "need", "outcome")
A_STUDY: Any = SimpleNamespace(file=SimpleNamespace(clock="calendar"))  # of another clock one sentence more is said
# Table of section 7 -> its first column that is free of the study's own words, and the first after those.
NUMBERS_IN = {"list": (1, 3), "families": (1, 4), "per_date": (0, 7), "measures": (1, 3), "families_measures": (1, 4)}
PEOPLE, MISSED = ("people_per_100", "units_per_100"), ("missed_per_100", "missed_units_per_100")
# Page one's blocks, in order; those of the run first.
RUN_BLOCKS, SAID_BLOCKS = ("what", "right", "missed", "simple", "worse"), ("cannot_see", "ask")
TO_COUNT = ("right", "missed")  # say how many, or why not
REPEATED = {4: ("right", "missed"), 5: ("simple",), 6: ("worse",)}  # question -> blocks that its answer begins with
HIDDEN = re.compile(r"\bnot shown\b", re.I)


# ---------------------------------------------------------------- tables


def tables_agree(checked: Checked) -> Verdict:
    """Each number of a table of section 7 is the one that stands in the section's results."""
    performance = checked.card["performance"]
    public = checked.card["edition_profile"]["edition"] == PUBLIC
    made = performance_tables(performance, NO_LANGUAGE, None)
    wrong = []
    for name, (first, end) in NUMBERS_IN.items():
        table = performance["tables"].get(name)
        if table is None or (public and f"performance.tables.{name}" in STANDS_IN):
            if not public:
                wrong.append(f"performance.tables.{name} (it is not there)")
            continue
        rows = [tuple(row[first:end]) for row in made[name].rows]
        told = [tuple(row[first:end]) for row in table["rows"]]
        if len(rows) != len(told):
            wrong.append(f"performance.tables.{name} ({len(told)} lines of {len(rows)})")
        pairs = enumerate(zip(rows, told, strict=False))
        wrong += [f"performance.tables.{name}.rows.{place}" for place, (was, said) in pairs if not _same(was, said)]
    if not public and _counted(performance_words(A_STUDY, performance, NO_LANGUAGE)) != _counted(performance["words"]):
        wrong.append("performance.words")
    return not wrong, (
        f"tables that do not agree with the results: {some(wrong)}; build the card again"
        if wrong
        else "the tables of section 7 are its results"
    )


def _counted(words: Sequence[str]) -> list[str]:
    return [one for text in words for one in numerals(text)]


def _same(made: tuple[Any, ...], said: tuple[Any, ...]) -> bool:
    """A profile may put its mark in the place of the words that say that no number is shown."""
    pairs = zip(made, said, strict=True)
    return all(one == other or (len(str(other)) == 1 and _is_hidden(one)) for one, other in pairs)


def _is_hidden(cell: object) -> bool:
    return isinstance(cell, str) and HIDDEN.search(cell) is not None


# ---------------------------------------------------------------- figures


def figures_agree(checked: Checked) -> Verdict:
    """Every picture is there or says why not, and those of people of 100 say what the section does."""
    card = checked.card
    drawn = {figure["id"]: figure for figure in card["figures"]}
    # Places are drawn as squares, under names of their own.
    known = {name.replace("missed_units", "missed").replace("units", "people") for name in drawn}
    out = NOT_FIGURES if card["edition_profile"]["edition"] == PUBLIC else set()
    wrong = [
        f"{name} (neither drawn nor said why not)"
        for name in FIGURES
        if name.replace("units", "people") not in known
        and f"figures.{name}" not in card["not_computed"]
        and name not in out
    ]
    for name, figure in drawn.items():
        if name in PEOPLE + MISSED:
            wrong += [f"{name} ({what})" for what in _of_100(card, figure, name in PEOPLE)]
    return not wrong, (
        f"pictures that do not agree with the card: {some(list(dict.fromkeys(wrong)))}; build the card again"
        if wrong
        else "every picture says what its table and its section say"
    )


def _of_100(card: Card, figure: Row, listed: bool) -> Iterator[str]:
    """The table and the alternative text of a picture of people of 100."""
    at, rows = card["performance"]["at_capacity"], figure["table"]["rows"]
    counts = [row[1] for row in rows]
    if listed and counts != list(at["of_100"].values()):
        yield "its table"
    if not listed:
        recall, bounds = at.get("recall") or {}, at.get("recall_bounds") or (None, None)
        low, high = bounds if at.get("leads_with_bounds") else (recall.get("value"), recall.get("value"))
        if low is None or high is None or counts[0] != _count(low) or sum(counts) != 100:
            yield "its table"
    said = capital(listing([f"{row[1]}: {str(row[0]).lower()}" for row in rows]))
    if not figure["alt"].endswith(f"{said}."):
        yield "its alternative text"
    # Its two ends, where much is not known: found for sure, and found at the most.
    known = {"100", *map(str, counts), str(sum(counts[:2]))}
    if not set(numerals(figure["title"])) <= known | set(numerals(figure["unit"])):
        yield "its title"


def _count(share: float) -> int:
    return int(100 * share + 0.5)


# ---------------------------------------------------------------- page one, and the annex


def page_one_whole(checked: Checked) -> Verdict:
    """Every block stands on page one, written by whom it should be, and no answer says other than it."""
    card, wrong = checked.card, []
    blocks = {block["id"]: block for block in card["summary"]["blocks"]}
    for name in RUN_BLOCKS + SAID_BLOCKS:
        by = ("run",) if name in RUN_BLOCKS else ("answers", "none")
        if name not in blocks:
            wrong.append(f"{name} (it is not there)")
        elif blocks[name]["source"] not in by:
            wrong.append(f"{name} (its source is {blocks[name]['source']})")
        elif name in TO_COUNT and not numerals(blocks[name]["text"]) and HANDFUL not in blocks[name]["text"]:
            wrong.append(f"{name} (it says no number)")
    run = " ".join(block["text"] for block in blocks.values() if block["source"] == "run")
    said = set(numerals(run))
    wrong += [number["path"] for number in card["summary"]["numbers"] if not set(numerals(number["text"])) <= said]
    for question in card["questions"]:
        parts = [blocks[name]["text"] for name in REPEATED.get(question["number"], ()) if name in blocks]
        if question["source"].startswith("run") and not (question["answer"] or "").startswith(" ".join(parts)):
            wrong.append(f"questions.{question['number']} (not as page one says it)")
    numbers = [question["number"] for question in card["questions"]]
    wrong += ["questions (each of the twenty once)"] if numbers != list(range(1, len(numbers) + 1)) else []
    return not wrong, (
        f"page one is not whole: {some(wrong)}; build the card again" if wrong else "page one has all its blocks"
    )


def annex_whole(checked: Checked) -> Verdict:
    """The checks of the data are listed, and what is not shown is logged wherever the card says so."""
    card, wrong = checked.card, []
    if len(card["annex"]["checks"]["rows"]) < len(HARD):
        wrong.append("annex.checks (checks of the data are missing)")
    if not card["annex"]["suppressed"]["rows"] and PROFILES[card["edition_profile"]["disclosure"]].below:
        parts = {name: card[name] for name in ("performance", "audit", "data")}
        hidden = next((path for path, text in texts_of(parts) if HIDDEN.search(text)), None)
        wrong += [f"annex.suppressed (empty, though {hidden} is not shown)"] if hidden else []
    return not wrong, (
        f"the annex is not whole: {some(wrong)}; build the card again" if wrong else "the annex lists what it should"
    )
