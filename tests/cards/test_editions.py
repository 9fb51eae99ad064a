"""The public edition: less than the committee's, never other than it, and open about what it leaves out."""

import copy
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from riskmodels.cards.card import ModelCard
from riskmodels.cards.editions import FEW, SEED, public_edition
from riskmodels.cards.renderings import RENDERINGS, Beside, render
from riskmodels.cards.words import at
from riskmodels.reports.outline import outline
from riskmodels.storage import canonical_json
from tests.cards import example_card as example

DIGEST = "d" * 64
BESIDE = Beside({"state": "DRAFT", "words": "DRAFT. Nobody has decided.", "until": None, "example": False})


@pytest.fixture(scope="module")
def committee() -> dict[str, Any]:
    return with_parts(example.card().to_dict())


def with_parts(card: dict[str, Any]) -> dict[str, Any]:
    """A card with a crossed group, a part for specialists, and raw numbers behind it."""
    card = copy.deepcopy(card)
    crossed = {**card["audit"]["contrasts"][0], "attribute": "gender × ethnicity", "family": "exploratory"}
    card["audit"]["contrasts"].insert(0, crossed)
    part = {"heading": "Is it as good for all?", "words": ["By ward."], "items": [], "tables": {}, "figures": []}
    card["performance"]["closer"] += [{"id": "slices", **part}, {"id": "use", **part, "heading": "If it is acted on"}]
    card["performance"]["slices"] = [{"name": "ward", "n": 7775}]
    card["data"]["tables"]["missing_by_group"] = {**card["data"]["quality"], "caption": "What is missing, by group"}
    look = card["audit"]["tables"]["look_here"]
    look["rows"].append(["Gender: female", *[""] * (len(look["columns"]) - 1)])
    card["figures"].append({**card["figures"][0], "id": "mitigation"})
    card["annex"]["suppressed"]["rows"] += [
        ["performance.slices.ward, Ashby", "count", "not shown (fewer than 10 people)"],
        ["contrasts, gender × ethnicity: female & asian: recall v everybody else", "the ratio", "not shown"],
    ]
    return card


@pytest.fixture(scope="module")
def public(committee: dict[str, Any]) -> dict[str, Any]:
    return public_edition(committee, DIGEST)


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from numbers(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from numbers(inner)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value


def test_it_is_a_card_of_the_same_schema_that_names_the_committees(committee: dict[str, Any]) -> None:
    before = canonical_json(committee)
    public = public_edition(committee, DIGEST)
    card = ModelCard.from_bytes(canonical_json(public))
    assert (card.edition_profile.edition, card.edition_profile.of) == ("public", DIGEST)
    assert card.edition_profile.disclosure == committee["edition_profile"]["disclosure"]
    assert canonical_json(committee) == before  # and the committee's is as it was
    assert public_edition(public, "e" * 64) == public


def test_page_one_is_the_same_and_each_of_its_numbers_is_found_at_its_path(
    committee: dict[str, Any], public: dict[str, Any]
) -> None:
    assert public["summary"] == committee["summary"]
    for number in committee["summary"]["numbers"]:
        assert at(public, number["path"]) == at(committee, number["path"]) is not None


def test_it_holds_no_number_that_the_committees_does_not(committee: dict[str, Any], public: dict[str, Any]) -> None:
    assert not Counter(numbers(public)) - Counter(numbers(committee))
    planted = copy.deepcopy(public)
    planted["performance"]["n"] += 5
    assert Counter(numbers(planted)) - Counter(numbers(committee))


def test_what_it_keeps_is_as_it_was(committee: dict[str, Any], public: dict[str, Any]) -> None:
    for section in ("ask", "purpose", "people_process", "risks", "law", "monitoring", "questions", "explanation"):
        assert public[section] == committee[section]
    for name in ("overall", "at_capacity", "per_date", "net_benefit", "calibration_curve", "families"):
        assert public["performance"][name] == committee["performance"][name]
    for name in ("verdicts", "risks", "composition", "groups", "not_audited"):
        assert public["audit"]["tables"][name] == committee["audit"]["tables"][name]
    assert all(row in committee["audit"]["contrasts"] for row in public["audit"]["contrasts"])
    assert public["annex"]["atrs"] == committee["annex"]["atrs"]
    assert public["data"]["attrition"] == committee["data"]["attrition"]


def test_what_would_help_to_find_a_person_or_to_game_the_list_is_gone(
    committee: dict[str, Any], public: dict[str, Any]
) -> None:
    assert any("×" in row["attribute"] for row in committee["audit"]["contrasts"])
    assert all(row["family"] != "exploratory" and "×" not in row["attribute"] for row in public["audit"]["contrasts"])
    assert "×" not in str(public["annex"]["suppressed"])
    assert [part["id"] for part in public["performance"]["closer"]] == ["use"]
    assert not {"slices", "sweep", "curves", "pooled", "proxies"} & {*public["performance"], *public["audit"]}
    assert "mitigation" not in [figure["id"] for figure in public["figures"]]
    assert "missing_by_group" not in public["data"]["tables"]
    assert "Ashby" not in str(public)
    assert public["model"]["recipe"] == {}
    assert len(public["annex"]["parameters"]["rows"]) == 1
    assert public["how_it_works"]["facts"]["seed"]["value"] == SEED
    for table in (public["data"]["register"], public["how_it_works"]["features"]):
        assert "Seen by" not in table["columns"]
        assert all(len(row) == len(table["columns"]) for row in table["rows"])
    for row in public["audit"]["rows"]:
        assert not {"tp", "fp", "fn", "tn", "selected", "expected"} & set(row)
        assert "fnr" not in row["metrics"]


def test_a_part_that_is_added_to_a_card_stays_out_until_it_is_put_on_the_list(committee: dict[str, Any]) -> None:
    planted = copy.deepcopy(committee)
    planted["performance"]["by_street"] = [{"street": "Mill Lane", "n": 15}]
    planted["audit"]["by_street"] = [{"street": "Mill Lane", "n": 15}]
    planted["data"]["tables"]["by_street"] = {**planted["data"]["quality"], "caption": "By street, Mill Lane"}
    public = public_edition(planted, DIGEST)
    assert "Mill Lane" not in str(public)
    logged = {row[0] for row in public["annex"]["suppressed"]["rows"]}
    assert {"performance.by_street", "audit.by_street", "data.tables.by_street"} <= logged


def left_out(committee: dict[str, Any], public: dict[str, Any]) -> set[str]:
    """Each part that one holds and the other does not."""
    gone = {f"{section}.{name}" for section in ("performance", "audit") for name, value in committee[section].items()
            if value and name not in public[section]}  # fmt: skip
    for section in ("performance", "audit"):
        kept = {part["id"] for part in public[section]["closer"]}
        gone |= {f"{section}.closer.{part['id']}" for part in committee[section]["closer"] if part["id"] not in kept}
        tables = public[section]["tables"]
        gone |= {f"{section}.tables.{name}" for name, table in committee[section]["tables"].items()
                 if table != tables.get(name)}  # fmt: skip
    gone |= {f"data.tables.{name}" for name in committee["data"]["tables"] if name not in public["data"]["tables"]}
    drawn = {figure["id"] for figure in public["figures"]}
    gone |= {f"figures.{figure['id']}" for figure in committee["figures"] if figure["id"] not in drawn}
    return gone | {"annex.parameters", "model.recipe", "how_it_works.facts.seed", "audit.contrasts", "audit.rows"}


def test_everything_it_takes_away_is_logged_with_a_reason(committee: dict[str, Any], public: dict[str, Any]) -> None:
    gone = left_out(committee, public)
    assert len(gone) > 10
    log = {row[0]: row[2] for row in public["annex"]["suppressed"]["rows"]}
    assert gone <= set(log)
    assert all(log[where].startswith("left out of the public edition: ") for where in gone)
    # What is hidden in both stays logged.
    kept = [row for row in committee["annex"]["suppressed"]["rows"] if row[0].startswith("rows, ")]
    assert kept
    assert all(row in public["annex"]["suppressed"]["rows"] for row in kept)


def test_it_says_in_words_what_is_left_out(committee: dict[str, Any], public: dict[str, Any]) -> None:
    said = " ".join(public["performance"]["words"])
    assert '"Is it as good for all?"' in said
    assert '"If it is acted on"' not in said
    assert "groups within groups" in " ".join(public["audit"]["words"])
    assert "Who inside the organisation sees each source" in " ".join(public["data"]["words"])
    assert "exact settings" in str(public["annex"]["parameters"]["rows"][0][0])
    assert FEW in str(public["audit"]["tables"]["look_here"]["rows"])
    assert "public edition" not in str(committee)


def test_a_number_of_page_one_is_kept_with_the_part_it_stands_in(committee: dict[str, Any]) -> None:
    card = copy.deepcopy(committee)
    place = next(i for i, row in enumerate(card["audit"]["contrasts"]) if row["family"] == "second")
    card["audit"]["contrasts"][place] |= {"family": "exploratory", "gap": 0.25}
    paths = {
        "performance.slices.0.n": 7775,
        f"audit.contrasts.{place}.gap": 0.25,
        "audit.rows.0.metrics.fnr.value": at(card, "audit.rows.0.metrics.fnr.value"),
    }
    card["summary"]["numbers"] = [{"text": "1", "path": path, "kind": "count"} for path in paths]
    public = public_edition(card, DIGEST)
    assert [at(public, number["path"]) for number in public["summary"]["numbers"]] == list(paths.values())
    assert public["summary"]["numbers"][1]["path"] != f"audit.contrasts.{place}.gap"  # earlier ones are gone


def test_every_rendering_takes_it(public: dict[str, Any]) -> None:
    sections = outline(public)
    assert [section.number for section in sections] == list(range(1, 17))
    quick = [name for name in RENDERINGS if name != "pdf"]
    files = render(public, quick, BESIDE)
    assert len(files) >= len(quick)
    assert all("public" in name for name in files)
    for name in ("card-public.html", "card-public.md"):
        assert "eft out of the public edition" in files[name].decode()
