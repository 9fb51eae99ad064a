"""Section 15 of the card: parameters, splits, checks, what is not shown, and the indexes of published standards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from riskmodels.assessment.suppression import rules_in_words
from riskmodels.cards.blank import answer_in
from riskmodels.cards.card import Annex, Cell, Confirmable, Fact, ModelCard, Table
from riskmodels.cards.indexes import NOT_YET, atrs_index, ico_index, tripod_index
from riskmodels.cards.records.atrs import statuses
from riskmodels.cards.shown import Shown
from riskmodels.cards.words import capital, day, label, listing
from riskmodels.study import Answer, Answers

MOST_PARAMETERS = 200
Row = Mapping[str, Any]


def build_annex(answers: Answers, model: Row, splits: Sequence[Row], checks: Sequence[Row], shown: Shown) -> Annex:
    """The annex without its indexes, which look through the whole card: `indexed` fills them in."""
    parts = {
        "parameters": _parameters(model),
        "splits": _splits(splits),
        "checks": Table(
            caption="Checks of the data and the design",
            columns=("Check", "Result", "Evidence", "Accepted because"),
            rows=tuple(
                (
                    row.get("words") or label(row["check"]),
                    row["result"],
                    row.get("evidence") or "",
                    row.get("accepted") or "",
                )
                for row in checks
            ),
            source="run: leak checks",
        ),
        "suppressed": Table(
            caption="What is not shown",
            columns=("Where", "What", "Why"),
            rows=tuple((line["where"], line["what"], line["why"]) for line in shown.log),
            source="run: disclosure control",
            note=rules_in_words(shown.profile),
        ),
    }
    return Annex(
        **parts,
        tripod=NOT_YET,
        atrs=NOT_YET,
        tripod_answers={item: Fact(**_said(answer, f"tripod.{item}")) for item, answer in answers.tripod.items()},
        atrs_answers={
            item: Confirmable(**_said(answer, f"atrs.{item}"), confirms=answer.confirms)
            for item, answer in answers.atrs.items()
        },
    )


def indexed(card: ModelCard) -> ModelCard:
    """The card with its indexes, made from all else that it holds: TRIPOD+AI, the ATRS, the kinds of explanation."""
    tree = card.to_dict()
    annex = {"tripod": tripod_index(tree), "atrs": atrs_index(tree, statuses(tree))}
    return card.model_copy(
        update={
            "annex": card.annex.model_copy(update=annex),
            "explanation": card.explanation.model_copy(update={"kinds": ico_index(tree)}),
        }
    )


def _said(answer: Answer, key: str) -> dict[str, Any]:
    return {"value": answer_in(answer.text), "source": f"answers.yaml: {key}", "owner": answer.owner}


def _parameters(model: Row) -> Table:
    rows: list[tuple[Cell, ...]] = [("Family", str(model["family"]))]
    for name in ("recipe", "parameters"):
        rows += [
            (f"{capital(name)}: {path}" if path else capital(name), text) for path, text in _flat(model.get(name) or {})
        ]
    note = None
    if len(rows) > MOST_PARAMETERS:
        note = f"The first {MOST_PARAMETERS} of {len(rows)}; the saved model holds them all."
    return Table(
        caption="Parameters",
        columns=("Parameter", "Value"),
        rows=tuple(rows[:MOST_PARAMETERS]),
        source="run: saved model",
        note=note,
    )


def _flat(value: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        return [line for key, inner in value.items() for line in _flat(inner, f"{path}.{key}" if path else str(key))]
    if isinstance(value, (list, tuple)) and any(isinstance(inner, (Mapping, list, tuple)) for inner in value):
        return [
            line
            for position, inner in enumerate(value, 1)
            for line in _flat(inner, f"{path}.{position}" if path else str(position))
        ]
    if isinstance(value, (list, tuple)):
        return [(path, listing([_text(inner) for inner in value]) or "none")]
    return [(path, _text(value))]


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "none"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    # Six digits, and never a power of ten.
    return f"{Decimal(f'{value:.6g}'):f}" if isinstance(value, float) else str(value)


def six_digits(value: Any) -> Any:
    """Plain values with floats at six significant digits."""
    if isinstance(value, Mapping):
        return {str(key): six_digits(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [six_digits(inner) for inner in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _splits(splits: Sequence[Row]) -> Table:
    rows = []
    for split in splits:
        test = day(split["test"]) if split.get("test") else "none: the model that would be used"
        rows.append(
            (
                day(split["stands_on"]),
                _days(split.get("fit")),
                _days(split.get("calibrate")),
                test,
                str(split.get("how") or ""),
            )
        )
    return Table(
        caption="What taught, what calibrated, what tested",
        columns=("Stands on", "Learned from", "Calibrated on", "Tested on", "Calibration rows are"),
        rows=tuple(rows),
        source="run: splits",
    )


def _days(days: Any) -> str:
    found = [day(one) for one in days or ()]
    return listing(found) if len(found) <= 4 else f"{found[0]} to {found[-1]} ({len(found)} dates)"
