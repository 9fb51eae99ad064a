"""A card under each profile: its performance, figures, tables and pages show nobody who should be hidden."""

import base64
import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from riskmodels.assessment.audit.publishing.published_numbers import effect_of
from riskmodels.assessment.intervals import wilson
from riskmodels.assessment.suppression import PROFILES, Profile
from riskmodels.cards.card import ModelCard
from riskmodels.cards.editions import public_edition
from riskmodels.cards.marks import marked
from riskmodels.cards.reading_back import read_html, read_markdown
from riskmodels.cards.rendered_counts import small_counts
from riskmodels.cards.renderings import Beside, render
from riskmodels.cards.shown import COUNTS, MAY_BE_NONE, Shown, published_audit, published_performance
from riskmodels.reports.charts import draw_figures
from tests.cards import example_card as example
from tests.cards.test_shown import small_performance

pytestmark = pytest.mark.slow

EVERY = sorted(PROFILES)
OF_PEOPLE = [name for name in EVERY if PROFILES[name].below]
BESIDE = Beside({"state": "DRAFT", "words": "DRAFT. Nobody has decided.", "until": None, "example": False})


def made(name: str) -> dict[str, Any]:
    """The example under a profile; hands full of people stand in its every part."""
    return example.card(
        example.study({"disclosure": name, "level": "place" if name == "places" else "person"})
    ).to_dict()


@pytest.fixture(scope="module")
def cards() -> dict[str, dict[str, Any]]:
    return {name: made(name) for name in EVERY}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from leaves(inner, f"{path}.{position}")
    else:
        yield path, value


def wrong_counts(tree: Any, profile: Profile) -> list[str]:
    """Counts that are small or not rounded; that of some there is none tells nothing."""
    found = []
    for path, value in leaves(tree):
        key = path.split(".")[-1]
        if key in COUNTS and isinstance(value, int) and not (value == 0 and key in MAY_BE_NONE):
            found += [path] if value < profile.below or value % profile.base else []
    return found


# ---------------------------------------------------------------- results, figures, tables


@pytest.mark.parametrize("name", EVERY)
def test_no_count_of_performance_or_audit_is_small_or_unrounded(name: str) -> None:
    profile = PROFILES[name]
    for raw in (example.performance(), small_performance()):
        assert wrong_counts(raw, profile) or not profile.below
        safe = published_performance(raw, Shown(profile))
        assert not wrong_counts(safe, profile)
    # Shares of the last one lie at the very limit, where a rounded number of people can make the difference.
    safe = published_performance(example.performance(), Shown(profile))
    assert published_performance(safe, Shown(profile)) == safe
    exact = example.audit()
    assert wrong_counts(exact["rows"], profile) or not profile.below
    assert not wrong_counts(published_audit(exact, Shown(profile)), profile)


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_no_share_stands_on_a_handful(name: str) -> None:
    """Six of eight, and six of 33: hidden where six are few."""
    at = published_performance(small_performance(), Shown(PROFILES[name]))["at_capacity"]
    few = PROFILES[name].below > 6
    assert (at["precision"]["value"] is None) == few
    assert at["recall"]["value"] is None  # two of the eight were missed
    assert (at["hits"] is None) == few


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_figures_and_tables_hold_published_counts_only(name: str, cards: dict[str, Any]) -> None:
    profile, card = PROFILES[name], cards[name]
    for figure in card["figures"]:
        assert figure["n"] is None or (figure["n"] >= profile.below and figure["n"] % profile.base == 0), figure["id"]
    tables = [figure["table"] for figure in card["figures"] if figure["id"] in ("attrition", "unknown_by_fifth")]
    tables += [card["data"][part] for part in ("quality", "attrition", "outcome_status")]
    tables += [card["audit"]["tables"]["groups"], card["performance"]["tables"]["per_date"]]
    counts = [
        cell
        for table in tables
        for row in table["rows"]
        for column, cell in zip(table["columns"][1:], row[1:], strict=True)
        if isinstance(cell, int) and "of 100" not in column
    ]
    assert len(counts) > 30
    assert all(cell == 0 or (cell >= profile.below and cell % profile.base == 0) for cell in counts)


def test_a_hidden_cell_has_the_mark_of_its_profile_and_a_note_says_what_it_means(cards: dict[str, Any]) -> None:
    table = cards["dfe-cin"]["audit"]["tables"]["groups"]
    assert "c" in [cell for row in table["rows"] for cell in row]
    assert "c: not shown, since it is fewer than 6 people" in table["note"]
    # The list of what is hidden keeps its words; other profiles have no mark.
    assert all(row[2].startswith("not shown") for row in cards["dfe-cin"]["annex"]["suppressed"]["rows"])
    assert "c" not in [cell for row in cards["sro-10"]["audit"]["tables"]["groups"]["rows"] for cell in row]
    card = ModelCard.model_validate(cards["sro-10"])
    assert marked(card, PROFILES["sro-10"]) is card


# ---------------------------------------------------------------- pages


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_no_page_counts_a_handful_and_a_planted_one_is_found(name: str, cards: dict[str, Any]) -> None:
    card = cards[name]
    for edition in (card, public_edition(card, "d" * 64)):
        for file, content in render(edition, ["html", "md"], BESIDE).items():
            written = read_html(content).written if file.endswith("html") else read_markdown(content)
            assert len(written.tables) > 10
            assert small_counts(written, card) == [], file
    few = PROFILES[name].below - 1
    planted = copy.deepcopy(card)
    planted["data"]["outcome_status"]["rows"][0][1] = few
    planted["audit"]["tables"]["groups"]["rows"][0][1] = f"{few}, 30 and not shown"
    planted["performance"]["words"] = [f"Of the rest, {few} pupils left the borough."]
    fine = copy.deepcopy(card)
    fine["data"]["outcome_status"]["rows"][0][1] = few + 1
    fine["performance"]["words"] = [f"Of 100 pupils on the list, {few} pupils are not known."]
    for way in ("html", "md"):
        read = (lambda content: read_html(content).written) if way == "html" else read_markdown
        (content,) = render(planted, [way], BESIDE).values()
        found = small_counts(read(content), card)
        assert len(found) == 3
        assert not any(re.search(rf"\b{few}\b", one) for one in found if one.startswith("table"))
        (content,) = render(fine, [way], BESIDE).values()
        assert small_counts(read(content), card) == []


def test_pages_of_places_may_count_a_few() -> None:
    card = made("places")
    card["data"]["outcome_status"]["rows"][0][1] = 3
    (content,) = render(card, ["md"], BESIDE).values()
    assert small_counts(read_markdown(content), card) == []


# ---------------------------------------------------------------- pictures


def moved(estimate: dict[str, Any], top: int, n: int) -> None:
    """Another share with the same design effect, in place."""
    low, high = wilson(top / n, n / effect_of(estimate))
    estimate |= {"value": top / n, "low": low, "high": high, "n": n}


def rounds_alike() -> dict[str, Any]:
    """The example's results with other people behind every published number: counts that round alike, shares of them,
    and in hidden groups other people with the outcome.
    """
    performance = example.performance()
    at, date = performance["at_capacity"], performance["per_date"][0]
    people = {"n": 3103, "known": 2480, "unknown": 623, "events": 636}
    performance |= people
    at |= {"known": 481, "unknown": 19, "hits": 306, "selection_rate": 500 / 3103}
    for estimate in (at["precision"], date["precision_at_k"]):
        moved(estimate, 306, 481)
    moved(at["recall"], 321, 636)
    at |= {"precision_bounds": [306 / 500, 325 / 500], "recall_bounds": [306 / 999, 325 / 499]}
    date |= people
    for row, unknown in zip(performance["unknown_by_fifth"], (9, 10, 12, 15, 21), strict=True):
        row |= {"n": 620, "unknown": unknown, "share": unknown / 620}
    for one in performance["calibration_curve"]["bins"]:
        one["n"] += 1 if one["n"] % 5 in (0, 1, 3) else -1
        moved(one["observed"], round(one["observed"]["value"] * one["observed"]["n"]), one["n"])
    audit = copy.deepcopy(example.audit())
    small = next(row for row in audit["rows"] if row["group"] == "amindian")
    small |= {"tn": small["tn"] - 1, "fn": small["fn"] + 1, "positives": small["positives"] + 1}
    other = next(row for row in audit["rows"] if row["group"] == "asian")
    other |= {"tn": other["tn"] + 1, "fn": other["fn"] - 1, "positives": other["positives"] - 1}
    attrition = copy.deepcopy(example.arguments()["cohort_attrition"])
    for row in attrition:
        row["remaining"] += 1 if row["remaining"] % 5 in (0, 1, 3) else -1
    return {"performance": performance, "audit": audit, "cohort_attrition": attrition}


def test_pictures_and_pages_depend_on_published_numbers_and_on_nothing_else() -> None:
    """Exact results that are published alike give the same bytes, picture by picture: no point of one tells more."""
    made_of = example.study({"disclosure": "nhs-round5"})
    first, second = example.card(made_of).to_dict(), example.card(made_of, **rounds_alike()).to_dict()
    for name in ("calibration_curve", "unknown_by_fifth", "at_capacity"):
        assert example.performance()[name] != rounds_alike()["performance"][name]
    drawn = [draw_figures(card["figures"]) for card in (first, second)]
    assert len(drawn[0]) >= 7
    assert drawn[0] == drawn[1]
    assert render(first, ["html", "md"], BESIDE) == render(second, ["html", "md"], BESIDE)
    # Under a profile whose rates are the exact ones, the pages tell the two apart.
    exact = [example.card(**changes).to_dict() for changes in ({}, rounds_alike())]
    assert render(exact[0], ["md"], BESIDE) != render(exact[1], ["md"], BESIDE)


def test_a_picture_is_drawn_from_its_table_alone_and_the_page_holds_that_picture(cards: dict[str, Any]) -> None:
    card = cards["sro-10"]
    bare = [
        {key: figure[key] for key in ("id", "title", "alt", "table", "curve", "unit", "n", "narrow")}
        for figure in card["figures"]
    ]
    drawn = draw_figures(bare)
    page = render(card, ["html"], BESIDE)["card.html"].decode()
    held = [
        base64.b64decode(text).decode() for text in re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", page)
    ]
    assert {svg.decode() for svg in drawn.values()} <= set(held)
    # Were a count in the table another one, the picture would be too.
    moved = copy.deepcopy(bare)
    figure = next(one for one in moved if one["id"] == "attrition")
    figure["table"]["rows"][-1][1] -= 5
    assert draw_figures(moved)["attrition"] != drawn["attrition"]


# ---------------------------------------------------------------- the log


def hidden_in(raw: Any, safe: Any, path: str) -> list[str]:
    """Where a number was and is not."""
    if isinstance(raw, dict):
        return [one for key, inner in raw.items() for one in hidden_in(inner, (safe or {}).get(key), f"{path}.{key}")]
    if isinstance(raw, list):
        pairs = zip(raw, safe or [None] * len(raw), strict=len(raw) == len(safe or raw))
        return [one for place, pair in enumerate(pairs) for one in hidden_in(*pair, f"{path}[{place}]")]
    is_number = isinstance(raw, (int, float)) and not isinstance(raw, bool)
    return [path] if is_number and safe is None else []


def unlogged(raw: Any, safe: Any, log: list[dict[str, str]]) -> list[str]:
    logged: list[str] = []
    for line in log:
        where = re.split(r", |:", line["where"])[0]
        both = [where.replace(".bounds", f".{name}_bounds") for name in ("precision", "recall")]
        logged += both if where.endswith(".bounds") else [where]
    # Rows of a list of dates are logged together.
    hidden = {path: re.sub(r"per_date\[\d+\]\.", "per_date.", path) for path in hidden_in(raw, safe, "performance")}
    return [
        path
        for path, short in hidden.items()
        if not path.startswith(tuple(logged)) and not short.startswith(tuple(logged))
    ]


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_everything_that_is_hidden_of_performance_is_logged(name: str) -> None:
    raw = small_performance()
    raw["calibration_curve"]["bins"] = []  # bins are joined, not hidden
    shown = Shown(PROFILES[name])
    safe = published_performance(raw, shown)
    assert hidden_in(raw, safe, "performance")
    assert unlogged(raw, safe, shown.log) == []
    assert unlogged(raw, safe, [line for line in shown.log if "recall" not in line["where"]])


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_every_group_step_and_comparison_that_is_hidden_is_logged(name: str, cards: dict[str, Any]) -> None:
    card, exact = cards[name], example.audit()
    logged = {row[0] for row in card["annex"]["suppressed"]["rows"]}
    groups = {(row["attribute"], row["group"]): row for row in card["audit"]["rows"]}
    hidden = 0
    for row in exact["rows"]:
        shown = groups[row["attribute"], row["group"]]
        names = ("n", "positives", "selected", "tp", "fn", "fp", "tn")
        if any(shown[key] is None for key in names):
            hidden += 1
            assert f"rows, {row['attribute']}: {row['group']}" in logged
    for before, after in zip(exact["contrasts"], card["audit"]["contrasts"], strict=True):
        if before["low"] is not None and after["low"] is after["high"] is None:
            hidden += 1
            where = f"contrasts, {before['attribute']}: {before['group']}: {before['metric']} v {before['reference']}"
            assert where in logged
    assert hidden > 1
