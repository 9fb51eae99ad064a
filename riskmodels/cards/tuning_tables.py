"""What the card says of settings that were searched for: a few sentences, and a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.cards.card import Cell, Table
from riskmodels.cards.cells import plain, with_range
from riskmodels.cards.words import Language, capital, day, family_words, label, listing, measure_words

Row = Mapping[str, Any]

SETTINGS = {
    "c": "Freedom of the weights (c)",
    "learning_rate": "Size of each step (learning rate)",
    "trees": "Trees",
    "leaves": "Most leaves of a tree",
    "min_rows_in_leaf": "Fewest rows in a leaf",
    "rounds": "Most rounds",
    "bins": "Steps of each field's shape",
}


def tuning_words(tuning: Row | None, language: Language) -> list[str]:
    """Where and how settings were searched for, and what came of it. Nothing where there was nothing to search.

    Parameters
    ----------
    tuning : `riskmodels.models.tuning.TuningResult.to_dict()`
    """
    if tuning is None:
        return []
    families: Sequence[Row] = tuning["families"]
    tried = [row for row in families if row["trials"]]
    words = []
    if tried:
        # All families of a run are tuned in the same folds.
        words.append(_where(tried[0], language))
        if tried[0]["how"] == "time" and len(tried[0]["folds"]) < tuning["folds"]:
            words.append("Earlier dates could not judge: they left too few cases to learn from.")
    words += [_outcome(row) for row in families]
    if tried and not tuning["repeatable"]:
        words.append("The time for this search was limited in minutes, so another run may find other settings.")
    return words


def _where(row: Row, language: Language) -> str:
    before = "Settings were tried out before any test date was looked at, on rows that the model learns from."
    if row["how"] == "time":
        judged = listing([day(name) for name in row["folds"]])
        return f"{before} They were learned on earlier dates, and judged on {judged}."
    return (
        f"{before} They were judged on other {language.many} of the same dates, not on later ones, as {row['why']}. So "
        "whether they hold over time is not known."
    )


def _outcome(row: Row) -> str:
    family = capital(family_words(row["family"], None))
    if not row["trials"]:
        return f"{family}: no settings could be tried out, as {row['reason']}. The study's own are used."
    count = f"{row['trials']:,} {'setting was' if row['trials'] == 1 else 'settings were'} tried"
    used = "The study's own are used" if row["kept"] else "The best are used"
    return f"{family}: {count}. {used}: {row['reason']}."


def tuning_table(tuning: Row | None) -> Table | None:
    """Each setting that was searched for: the study's own, the best in the folds, and which is used."""
    if tuning is None or not tuning["families"]:
        return None
    measure = measure_words(tuning["criterion"])
    rows: list[tuple[Cell, ...]] = []
    gains = []
    for row in tuning["families"]:
        family, tried = capital(family_words(row["family"], None)), bool(row["trials"])
        used = "own" if row["kept"] else "best"
        for name, own in row["own"].items():
            best = f"{row['best'][name]:.6g}" if tried else "not tried"
            rows.append((family, SETTINGS.get(name, label(name)), f"{own:.6g}", best, f"{row[used][name]:.6g}"))
        if tried:
            losses = (row["own_loss"], row["best_loss"], row[f"{used}_loss"])
            rows.append((family, f"{measure} in the folds", *(plain(loss) for loss in losses)))
        if row["gain"]["value"] is not None:
            gains.append(f"{family}: {with_range(row['gain'])}.")
    note = None
    if any(row["trials"] for row in tuning["families"]):
        note = f"{measure}: lower is better. It is of risks that are not calibrated yet."
    if gains:
        note = f"{note} How far the best is below the study's own, with its 95% interval. {' '.join(gains)}"
    return Table(
        caption="What was tuned",
        columns=("Family", "Setting", "The study's own", "Best in the folds", "Used"),
        rows=tuple(rows),
        source="run: tuning",
        note=note,
    )
