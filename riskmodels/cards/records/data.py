"""Drafts of the fields about the data that the tool was made with and is used with: 2.4.3 and 2.4.4.

A draft takes what the card holds and adds nothing but what holds for every list of this package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from riskmodels.cards.records.taken import FOR_THE_AUDIT, SAYS_NOTHING, Taken, each, paragraphs, sentence
from riskmodels.cards.records.technical import NOT_IN_A_SCORE
from riskmodels.cards.words import listing
from riskmodels.reports.cells import cell_text, day_text

Row = Mapping[str, Any]
MOST_MISSING = 5  # how many of the columns with gaps are named


# ---------------------------------------------------------------- 2.4.3 the data it was made with


def _description(taken: Taken) -> str | None:
    return paragraphs(
        *(f"{row['Source']}: {row['What it is']}. Owner: {sentence(str(row['Owner']))}" for row in taken.sources)
    )


def _modality(taken: Taken) -> str | None:
    return "Tables: rows with dates, numbers and categories." if taken.rows("data.columns") else None


def _quantities(taken: Taken) -> str | None:
    held = [
        f"{row['Source']}: {cell_text(row['Rows'])} rows, {cell_text(row['Different ids'])} different ids."
        for row in taken.rows("data.quality")
    ]
    dates = [
        f"As of {row['As of']}: the outcome is known of {cell_text(row['Known'])}, and came about for "
        f"{cell_text(row['Of these, came about'])}."
        for row in taken.rows("data.outcome_status")
    ]
    fields = f"Fields that were tried: {len(taken.all_fields)}. Fields that the scores depend on: {len(taken.fields)}."
    return paragraphs(*held, taken.dated(paragraphs(*dates)), fields) if held else None


def _sensitive(taken: Taken) -> str | None:
    return paragraphs(_special(taken.sources), _checked(taken), _stand_ins(taken)) if taken.sources else None


def _special(sources: Sequence[Row]) -> str:
    special = each(sources, "Special categories (Article 9)")
    offences = [str(row["Source"]) for row in sources if row.get("Criminal offences (Article 10)") is True]
    said = [f"Special categories in {listing(names)}: {words}" for words, names in special]
    said += [f"Criminal offences in {listing(offences)}."] if offences else []
    return " ".join(said) or "The register names no special categories and no criminal offences."


def _checked(taken: Taken) -> str | None:
    declared = {
        str(row["Characteristic"]): cell_text(row["Reason"]) for row in taken.rows("audit.tables.also_features")
    }
    used = [
        f"{name} (used: {sentence(why).rstrip('.')})" for name, why in declared.items() if _among(name, taken.fields)
    ]
    rest = [name for name in declared if not _among(name, taken.fields)]
    unused = [name for name in rest if _among(name, taken.all_fields)]
    unclear = [name for name in rest if name not in unused]
    looked = dict.fromkeys(str(row["Group"]).partition(":")[0] for row in taken.rows("audit.tables.groups"))
    return paragraphs(
        f"Groups that are compared: {listing([name.lower() for name in looked])}." if looked else None,
        f"Protected characteristics that the model uses: {'; '.join(used)}." if used else None,
        f"Protected characteristics that were offered to the model, and not used: {listing(unused)}."
        if unused
        else None,
        # Their fields have names of their own, among those that 2.4.2.4 lists.
        f"Protected characteristics that were offered to the model, under other names: {listing(unclear)}."
        if unclear
        else None,
    )


def _among(name: str, fields: Sequence[str]) -> bool:
    return name.casefold() in {field.casefold() for field in fields}


def _stand_ins(taken: Taken) -> str | None:
    answer = taken.at("questions.10.answer")
    return f"Stand-ins: {answer}" if answer else None


def _completeness(taken: Taken) -> str | None:
    gaps = [
        f"{row['Column']} of {row['Source']} ({row['Missing, of 100 rows']} rows)"
        for row in sorted(taken.rows("data.missing"), key=lambda row: -_parts(row["Missing, of 100 rows"]))
    ]
    left = taken.rows("data.attrition")
    flow = f"On {left[-1]['As of']}, {cell_text(left[-1]['Remaining'])} {taken.many} are counted." if left else None
    quality = taken.at("questions.11.answer")
    return paragraphs(
        f"Missing most often: {listing(gaps[:MOST_MISSING])}." if gaps else None,
        taken.dated(flow),
        f"How good the data are: {quality}" if quality else None,
    )


def _parts(text: Any) -> int:
    first = str(text).split()[0] if str(text) else ""
    return int(first) if first.isdigit() else 0


def _cleaning(taken: Taken) -> str | None:
    ways: dict[str, list[str]] = {}
    for row in taken.rows("how_it_works.features"):
        ways.setdefault(str(row["If missing"]), []).append(str(row["Field"]))
    checks = taken.rows("annex.checks")
    passed = sum(row["Result"] == "pass" for row in checks)
    others = [str(row["Check"]) for row in checks if row["Result"] not in ("pass", "unknown")]
    tested = f"Checks of the data and the design: {passed} of {len(checks)} passed." if checks else None
    return paragraphs(
        *(f"If missing, {way}: {listing(fields)}." for way, fields in ways.items()),
        tested,
        f"Concerns: {'; '.join(others)}." if others else None,
    )


def _collection(taken: Taken) -> str | None:
    collected = each(taken.sources, "Collected for")
    how = each(taken.sources, "How")
    shared = taken.at("questions.7.answer")
    lines = [f"Collected for ({listing(names)}): {words}" for words, names in collected]
    lines += [f"How ({listing(names)}): {words}" for words, names in how]
    return paragraphs(*lines, f"Shared for this? {shared}" if shared else None)


def _kept(taken: Taken) -> str | None:
    kept = [f"Kept ({listing(names)}): {words}" for words, names in each(taken.sources, "Kept for")]
    sees = taken.fact("monitoring.who_sees")
    return paragraphs(f"Who sees scores: {sees}" if sees else None, *kept)


def _agreements(taken: Taken) -> str | None:
    return _agreed(taken.sources)


def _agreed(sources: Sequence[Row]) -> str | None:
    lines = []
    for words, names in each(sources, "Agreement"):
        ends = {row["Agreement expires"] for row in sources if row["Source"] in names} - set(SAYS_NOTHING)
        until = f" It ends on {listing([day_text(str(end)) for end in sorted(ends, key=str)])}." if ends else ""
        lines.append(f"{listing(names)}: {words}{until}")
    said = [name for _, names in each(sources, "Agreement") for name in names]
    without = [str(row["Source"]) for row in sources if row["Source"] not in said]
    return paragraphs(*lines, f"No agreement is stated for {listing(without)}." if without else None)


# ---------------------------------------------------------------- 2.4.4 the data it is used with


def _sources_in_use(taken: Taken) -> str | None:
    if not taken.in_use:
        return None
    read = [
        f"Read anew for each list: {row['Source']} ({row['What it is']})."
        if row["Source"] in taken.used_sources
        else f"Offered to the model: {row['Source']} ({row['What it is']}); {NOT_IN_A_SCORE}."
        for row in taken.in_use
    ]
    return paragraphs(*read, "Written: the list, and a record of each batch with counts and versions.")


def _sensitive_in_use(taken: Taken) -> str | None:
    if not taken.in_use:
        return None
    kept_apart = [str(row["Source"]) for row in taken.sources if row["Used for"] == FOR_THE_AUDIT]
    apart = f"Kept apart, and used only to check that the list is fair: {listing(kept_apart)}." if kept_apart else None
    return paragraphs(_special(taken.in_use), apart)


def _processing(taken: Taken) -> str | None:
    if not taken.all_fields:
        return None
    return (
        "The fields are made in the same way as when the model learned, from what was known before the day "
        "of the list. "
        "Rows that do not fit are set aside and counted, not guessed."
    )


def _access_in_use(taken: Taken) -> str | None:
    return taken.facts("monitoring.who_sees", "monitoring.retention")


def _agreements_in_use(taken: Taken) -> str | None:
    return _agreed(taken.in_use)


DATA: dict[str, Callable[[Taken], str | None]] = {
    "2.4.3.1": _description,
    "2.4.3.2": _modality,
    "2.4.3.3": _quantities,
    "2.4.3.4": _sensitive,
    "2.4.3.5": _completeness,
    "2.4.3.6": _cleaning,
    "2.4.3.7": _collection,
    "2.4.3.8": _kept,
    "2.4.3.9": _agreements,
    "2.4.4.1": _sources_in_use,
    "2.4.4.2": _sensitive_in_use,
    "2.4.4.3": _processing,
    "2.4.4.4": _access_in_use,
    "2.4.4.5": _agreements_in_use,
}
