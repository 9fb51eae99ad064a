"""Two editions of one card: the committee's, which is the truth, and the public's, made from it and nothing else.

What the public edition keeps is listed here, so that whatever is added to a card stays out of it until somebody puts it
on a list. It leaves out what would help to find a person among few (groups within groups, tables by many groups), what
would help to get on or off a list (settings, the seed), who has access inside the organisation, and what is for
specialists. Where something is left out a sentence says so, and the list of what is not shown names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.cards.audit_tables import GROUP_METRICS
from riskmodels.cards.words import listing

Row = Mapping[str, Any]
PUBLIC = "public"

PERFORMANCE = {
    "words", "tables", "closer", "model", "n", "known", "unknown", "events", "overall", "per_date", "at_capacity",
    "net_benefit", "calibration_curve", "unknown_by_fifth", "families", "comparison", "not_computed",
}  # fmt: skip
AUDIT = {
    "words", "tables", "closer", "verdict", "provisional", "judged", "tally", "rows", "contrasts", "not_audited", "n",
    "known", "units", "purpose", "outcome_measures", "level", "policy_name", "policy_sha256", "widened",
    "critical_values", "missing", "composition", "titles", "in_words", "disclosure",
}  # fmt: skip
OF_A_GROUP = ("attribute", "group", "label", "n", "unknown", "positives", "shown")
CLOSER = {"use", "after_rules", "over_time", "unknown", "to_be_answered", "too_few", "after_exclusions"}
TABLES = {
    "performance": {"list", "families", "per_date"},
    "audit": {"verdicts", "others", "risks", "composition", "not_audited", "also_features", "groups", "missing"},
}
DATA_TABLES = {"links", "breaks", "examples", "objections", "gaps"}
NOT_FIGURES = {"mitigation"}
NOT_COLUMNS = {"Seen by"}

FEW, SETTINGS, SPECIAL, ACCESS = (
    "it tells of small groups, and a number about few people soon points at one of them",
    "with exact settings, somebody could work out how to get on a list, or off it",
    "it is for specialists",
    "it says who has access inside the organisation",
)
# Why a part is left out, where it is not that it is for specialists.
WHY = {
    "slices": FEW, "places": FEW, "pooled": FEW, "proxies": FEW, "attrition_differences": FEW, "missing_by_group": FEW,
    "linkage": FEW, "sweep": FEW, "curves": FEW,
}  # fmt: skip
# Tables that every card has: one row stands in their place. Others are left away.
STANDS_IN = {"performance.tables.measures": SPECIAL, "audit.tables.look_here": FEW}
SEED = "Not in the public edition: with it, the order of equal risks could be foreseen."
# What the list of hidden numbers says of parts that are left out anyway: the beginning of each such line.
LOGGED = (
    "sweep, ", "curves, ", "pooled", "proxies", "mitigation, ", "profile: feature_missing", "profile: attrition_diff",
    "profile: linkage", "data.linkage", "performance.slices", "performance.selection", "performance.deep",
    "performance.enough_data", "performance.calibration_effect",
)  # fmt: skip


def public_edition(card: Row, committee_sha256: str) -> dict[str, Any]:
    """The public edition, as plain JSON values of the same schema. No number in it is other than the committee's.

    Parameters
    ----------
    card : the committee's card as plain JSON values; a public one passes unchanged
    committee_sha256 : digest of the committee's ``card.json``, which the public edition names
    """
    if card["edition_profile"]["edition"] == PUBLIC:
        return dict(card)
    contrasts, moved = _contrasts(card)
    out: list[tuple[str, str, str]] = []
    made = {
        **card,
        "edition_profile": {**card["edition_profile"], "edition": PUBLIC, "of": committee_sha256},
        "model": {**card["model"], "recipe": {}},
        "summary": _summary(card["summary"], moved),
        "data": _data(card["data"], out),
        "how_it_works": _how(card["how_it_works"], out),
        "performance": _performance(card, out),
        "audit": _audit(card, contrasts, out),
        "figures": [figure for figure in card["figures"] if figure["id"] not in NOT_FIGURES],
    }
    out += [("model.recipe", "settings", SETTINGS)]
    out += [
        (f"figures.{figure['id']}", "the figure", SPECIAL) for figure in card["figures"] if figure["id"] in NOT_FIGURES
    ]
    return {**made, "annex": _annex(card["annex"], out)}


# ---------------------------------------------------------------- what stands in the place of something


def _stand_in(table: Row, why: str) -> dict[str, Any]:
    """The table with one row that says that it is left out, and why."""
    words = f"Left out of the public edition: {why}."
    row = [words, *[""] * (len(table["columns"]) - 1)]
    return {**table, "rows": [row], "note": None}


def _why(name: str) -> str:
    return WHY.get(name, SPECIAL)


def _numbers_left_out(section: str, whole: Row, kept: Row) -> list[tuple[str, str, str]]:
    return [
        (f"{section}.{name}", "numbers that no table shows", _why(name))
        for name, value in whole.items()
        if name not in kept and value
    ]


def _without(table: Row, names: set[str]) -> dict[str, Any]:
    """The table without these columns."""
    kept = [place for place, name in enumerate(table["columns"]) if name not in names]
    return {
        **table,
        "columns": [table["columns"][place] for place in kept],
        "rows": [[row[place] for place in kept] for row in table["rows"]],
    }


def _tables(section: str, tables: Row, out: list[tuple[str, str, str]]) -> dict[str, Any]:
    kept = {}
    for name, table in tables.items():
        where = f"{section}.tables.{name}"
        if name in TABLES[section]:
            kept[name] = table
            continue
        why = STANDS_IN.get(where, SPECIAL)
        out.append((where, "the table", why))
        if where in STANDS_IN and table["rows"]:
            kept[name] = _stand_in(table, why)
        elif where in STANDS_IN:
            kept[name] = table
    return kept


def _closer(section: str, parts: Sequence[Row], out: list[tuple[str, str, str]]) -> tuple[list[Row], list[str]]:
    """The parts that stay, and a sentence on the others."""
    kept = [part for part in parts if part["id"] in CLOSER]
    others = [part for part in parts if part["id"] not in CLOSER]
    out += [(f"{section}.closer.{part['id']}", "the part", _why(part["id"])) for part in others]
    if not others:
        return kept, []
    named = listing([f'"{part["heading"]}"' for part in others])
    return kept, [
        f"This is the public edition. The committee's edition also has these parts, for specialists: {named}."
    ]


# ---------------------------------------------------------------- the sections


def _summary(summary: Row, moved: Mapping[int, int]) -> dict[str, Any]:
    """Page one as it is; where a number has moved with its list, its path says so."""
    numbers = []
    for number in summary["numbers"]:
        parts = number["path"].split(".")
        if parts[:2] == ["audit", "contrasts"]:
            parts[2] = str(moved[int(parts[2])])
        numbers.append({**number, "path": ".".join(parts)})
    return {**summary, "numbers": numbers}


def _data(data: Row, out: list[tuple[str, str, str]]) -> dict[str, Any]:
    left = [name for name in data["tables"] if name not in DATA_TABLES]
    out += [(f"data.tables.{name}", "the table", _why(name)) for name in left]
    out += [("data.register", "who sees each source", ACCESS)]
    words = [
        *data["words"],
        "Who inside the organisation sees each source is left out of this public edition, and so are tables that set "
        "many groups side by side. The committee has them.",
    ]
    return {
        **data,
        "words": words,
        "register": _without(data["register"], NOT_COLUMNS),
        "tables": {name: table for name, table in data["tables"].items() if name in DATA_TABLES},
    }


def _how(how: Row, out: list[tuple[str, str, str]]) -> dict[str, Any]:
    facts = dict(how["facts"])
    if "seed" in facts:
        facts["seed"] = {**facts["seed"], "value": SEED}
        out.append(("how_it_works.facts.seed", "the seed", SETTINGS))
    return {**how, "facts": facts, "features": _without(how["features"], NOT_COLUMNS)}


def _performance(card: Row, out: list[tuple[str, str, str]]) -> dict[str, Any]:
    performance, named = card["performance"], _named(card, "performance")
    kept = {name: value for name, value in performance.items() if name in PERFORMANCE | named}
    out += _numbers_left_out("performance", performance, kept)
    closer, words = _closer("performance", performance.get("closer") or (), out)
    return {
        **kept,
        "words": [*performance["words"], *words],
        "tables": _tables("performance", performance["tables"], out),
        "closer": closer,
    }


def _audit(card: Row, contrasts: Sequence[Row], out: list[tuple[str, str, str]]) -> dict[str, Any]:
    audit, named = card["audit"], _named(card, "audit")
    kept = {name: value for name, value in audit.items() if name in AUDIT | named}
    out += _numbers_left_out("audit", audit, kept)
    closer, words = _closer("audit", audit.get("closer") or (), out)
    if len(contrasts) < len(audit["contrasts"]):
        out.append(("audit.contrasts", "groups within groups, and comparisons that only say where to look", FEW))
        words.append("Comparisons of groups within groups, and those that only say where to look, are left out here.")
    out.append(("audit.rows", "counts and rates of groups that no table shows", FEW))
    return {
        **kept,
        "words": [*audit["words"], *words],
        "tables": _tables("audit", audit["tables"], out),
        "closer": closer,
        "rows": [_group(row, card, place) for place, row in enumerate(audit["rows"])],
        "contrasts": list(contrasts),
    }


def _group(row: Row, card: Row, place: int) -> dict[str, Any]:
    """What the tables of groups show of one, and what page one says of it."""
    start = f"audit.rows.{place}.metrics."
    said = {number["path"].removeprefix(start).split(".")[0] for number in _numbers(card, start)}
    kept = {name: row[name] for name in OF_A_GROUP if name in row}
    return {
        **kept,
        "metrics": {name: row["metrics"][name] for name in row["metrics"] if name in said | set(GROUP_METRICS)},
    }


def _contrasts(card: Row) -> tuple[list[Row], dict[int, int]]:
    """The comparisons that verdicts are made of and whatever page one names, and where each has moved to."""
    rows = card["audit"]["contrasts"]
    named = {int(number["path"].split(".")[2]) for number in _numbers(card, "audit.contrasts.")}
    kept = [place for place, row in enumerate(rows) if place in named or row.get("family") != "exploratory"]
    return [rows[place] for place in kept], {before: now for now, before in enumerate(kept)}


def _annex(annex: Row, out: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    suppressed = annex["suppressed"]
    rows = [row for row in suppressed["rows"] if not str(row[0]).startswith(LOGGED) and "×" not in str(row[0])]
    left_out = [*out, ("annex.parameters", "the table", SETTINGS)]
    rows += [[where, what, f"left out of the public edition: {why}"] for where, what, why in left_out]
    return {
        **annex,
        "parameters": _stand_in(annex["parameters"], SETTINGS),
        "suppressed": {**suppressed, "rows": rows},
    }


# ---------------------------------------------------------------- what page one names


def _numbers(card: Row, start: str) -> list[Row]:
    return [number for number in card["summary"]["numbers"] if number["path"].startswith(start)]


def _named(card: Row, section: str) -> set[str]:
    """Keys of a section that a number of page one stands under."""
    return {number["path"].split(".")[1] for number in _numbers(card, f"{section}.")}
