"""What a deep run found, as tables and sentences: a list that holds or shifts, more data, less data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.cards.card import Cell, Table
from riskmodels.cards.cells import count_cell, decimals, with_range
from riskmodels.cards.words import Language, capital, digits_of, family_words, listing, measure_words, of_100

Row = Mapping[str, Any]
NOT_RUN = (
    "How stable the list is, whether more data would help and what each source adds: not run. The analyst can find out "
    "with run --deep."
)
ENDS = ("value", "low", "high")
CLEAR_STEP = 0.005  # of the AUC: less, from half of the cases to all, is a curve that has levelled off


def deep_words(deep: Row | None, language: Language, column: str | None) -> tuple[str, ...]:
    """What it means for those who use the list, or that it was not looked at."""
    if deep is None:
        return (NOT_RUN,)
    words = [*_stability_words(deep, language, column), *_learning_words(deep), *source_words(deep)]
    return (*words, *_grouped_words(deep, language))


def _stability_words(deep: Row, language: Language, column: str | None) -> list[str]:
    found = deep.get("stability")
    if not found:
        return [f"How stable the list is cannot be said: {deep['not_computed'].get('stability', 'not computed')}."]
    many = language.many
    overlap, firm = of_100(found["overlap"]["mean"]), of_100(found["firm"])
    words = [
        f"We drew {many} from the records at random {found['refits']} times, some more than once, and built everything "
        f"again from each draw. Of 100 places on the list, {overlap} went to the same {many} on average. Had places "
        f"been drawn by lot, {of_100(found['chance'])} would. Of 100 on the list, {firm} were on nearly every other "
        f"list too{'.' if firm == '100' else ': the rest are there partly by luck.'}"
    ]
    if found["reasons"] is not None:
        words.append(
            f"The first reason given for a {language.one} on the list was among the first three again in "
            f"{of_100(found['reasons'])} of 100 cases."
        )
    if found["chosen_anew"]:
        words += _chosen_words(found, column)
    return words


def _chosen_words(found: Row, column: str | None) -> list[str]:
    """Whether the same way of choosing would have been used."""
    drawn = {family_words(row["model"], column): round(row["share"] * found["refits"]) for row in found["families"]}
    if len(drawn) < 2:
        return [f"Each of these times {name} was chosen." for name in drawn]
    told = listing([f"{name} in {count}" for name, count in sorted(drawn.items(), key=lambda item: -item[1])])
    return [f"Which way of choosing is used hangs on the draw too: of {found['refits']} times, it was {told}."]


def _learning_words(deep: Row) -> list[str]:
    """Whether the last doubling of the people helped: by more than chance, by next to nothing, or it cannot be told."""
    gain = deep.get("doubling") or {}
    if gain.get("low") is None or gain.get("high") is None:
        return []
    if gain["low"] > 0:
        return ["With all to learn from, the ranking is better than with half, beyond chance: more data may help."]
    if gain["high"] < CLEAR_STEP:
        return ["With half to learn from, the ranking is about as good, so more data of this kind would help little."]
    return [
        "Whether more data would help cannot be told: with half to learn from, the ranking is as good within chance."
    ]


def source_words(deep: Row) -> list[str]:
    """Whether sources could be left out, in one sentence; none where that was not looked at."""
    rows = deep["sources"]
    alone = [row for row in rows if " and " not in row["source"]]
    if not alone:
        return []
    idle = [row["source"] for row in alone if not row["missed"]]
    together = [row for row in rows if " and " in row["source"]]
    asked = "Could less data be used?"
    if not idle:
        return [f"{asked} Not without loss: the risks are worse, beyond chance, when any one source is left out."]
    names, one_of = (f"{'source' if len(idle) == 1 else 'sources'} {listing(idle, word)}" for word in ("and", "or"))
    if together and not together[0]["missed"]:
        return [f"{asked} Without the {names}, all left out together, the risks are no worse beyond chance."]
    if len(idle) == 1:
        return [f"{asked} Without the {names} the risks are no worse beyond chance."]
    if together:
        return [
            f"{asked} Without any one of the {one_of} the risks are no worse beyond chance. Without all of them they "
            "are: in part they say the same."
        ]
    return [
        f"{asked} Without any one source the risks are no worse beyond chance. They may say the same, or the test may "
        "be too small to tell."
    ]


def _grouped_words(deep: Row, language: Language) -> list[str]:
    cost = (deep["grouped"] or {}).get("auc_cost") or {}
    if cost.get("value") is None or cost.get("low") is None:
        return []
    whom = f"{language.many} from whose own past it had not learned"
    if cost["low"] > 0:
        lost = f"{round(100 * cost['value'], 1):g}"
        return [f"For {whom}, the ranking is worse: of 100 pairs, {lost} fewer are put right."]
    most = max(100 * cost["high"], 0.0)
    return [
        f"For {whom}, the ranking may be as good or a little worse: we cannot tell which. At worst it puts {most:.1f} "
        "fewer of 100 pairs right."
    ]


# ---------------------------------------------------------------- tables


def deep_tables(deep: Row | None, language: Language, column: str | None) -> dict[str, Table]:
    """Tables by name; none where nothing was run."""
    if deep is None:
        return {}
    made = {
        "stability": _stability_table(deep, language, column),
        "learning": _learning_table(deep["learning"], language),
        "sources": _sources_table(deep, language),
    }
    return {name: table for name, table in made.items() if table is not None}


def _stability_table(deep: Row, language: Language, column: str | None) -> Table | None:
    found = deep.get("stability")
    if not found:
        return None
    overlap, shift = found["overlap"], found["risk_shift"]
    rows: list[tuple[Cell, ...]] = [
        (f"Places that go to the same {language.many}, of 100", _with_ends(overlap, of_100)),
        ("The same if places were drawn by lot, of 100", of_100(found["chance"])),
        ("On nearly every list (9 of 10), of 100 on this one", of_100(found["firm"])),
        ("Mean change of a risk, up or down, in points of 100: all", f"{100 * shift['all']:.1f}"),
        ("The same: on the list", f"{100 * shift['listed']:.1f}"),
    ]
    if found["auc"]:
        rows.append(("Of 100 pairs, put right first", _with_ends(found["auc"], of_100)))
    if found["reasons"] is not None:
        rows.append(("First reason is among the first three again, of 100", of_100(found["reasons"])))
    if found["chosen_anew"]:
        rows += [
            (f"Chosen: {family_words(row['model'], column)}, of 100", of_100(row["share"])) for row in found["families"]
        ]
    note = (
        f"{found['refits']} draws (a bootstrap). In each, some {language.many} stand more than once and others not at "
        "all; those who belong together stay together. Everything was done again each "
        "time, but for a search of settings."
    )
    if not found["chosen_anew"]:
        note += " The way of choosing was held fast."
    return Table(
        caption="How stable the list is",
        columns=("What", "On average (nine draws of ten lie between)"),
        rows=tuple(rows),
        source="run --deep: stability",
        note=note,
    )


def _with_ends(spread: Row, say: Any) -> str:
    return f"{say(spread['mean'])} ({say(spread['low'])} to {say(spread['high'])})"


def _learning_table(points: Sequence[Row], language: Language) -> Table | None:
    if not points:
        return None
    return Table(
        caption="Would more data help?",
        columns=(
            f"{capital(language.many)} learned from, of 100",
            "Cases among them",
            "Of 100 pairs, put right",
            "Brier score (for specialists)",
        ),
        rows=tuple(
            (
                of_100(row["share"]),
                count_cell(row.get("events")),
                "not computed" if row["auc"] is None else f"{100 * row['auc']:.1f}",
                decimals({"value": row["brier_score"]}, digits_of("brier_score")),
            )
            for row in points
        ),
        source="run --deep: learning curve",
        note=f"On the latest test date. Each line but the last is an average over three draws of {language.many}.",
    )


def _sources_table(deep: Row, language: Language) -> Table | None:
    grouped = deep["grouped"]
    # Fields are no people: as a text, their number is not taken for a count that disclosure control must round.
    rows = [(_left_out(row["source"].split(" and ")), str(row["features"]), row) for row in deep["sources"]]
    if grouped:
        rows.append((f"The own past of the {language.many} that it ranks", "none", grouped))
    if not rows:
        return None
    return Table(
        caption="Could less data be used?",
        columns=(
            "What was left out",
            "Fields left out",
            f"{capital(measure_words(deep['criterion']))}: worse by (for specialists)",
            "Pairs put right, of 100: fewer by",
            f"Of 100 on its list, {language.needed}",
        ),
        rows=tuple(
            (
                name,
                fields,
                with_range(row["cost"]),
                _per_100(row["auc_cost"]),
                with_range(row["precision_at_k"], per_100=True),
            )
            for name, fields, row in rows
        ),
        source="run --deep: sources, grouped sensitivity",
        note="95% intervals. A range that includes 0: no difference beyond chance.",
    )


def _left_out(sources: Sequence[str]) -> str:
    return f"{'Source' if len(sources) == 1 else 'Sources'} {listing(sources)}"


def _per_100(estimate: Row) -> Cell:
    return decimals({**estimate, **{end: 100 * estimate[end] for end in ENDS if estimate.get(end) is not None}}, 1)
