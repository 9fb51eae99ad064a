"""From the results of a run and a study's answers to its model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.assessment.suppression import PROFILES
from riskmodels.cards.card import (
    Annex,
    AuditSection,
    Cell,
    Digests,
    Edition,
    Fact,
    Facts,
    ModelCard,
    ModelIdentity,
    Organisation,
    PerformanceSection,
    Table,
)
from riskmodels.cards.figures import Results, build_figures
from riskmodels.cards.indexes import atrs_index, tripod_index
from riskmodels.cards.questions import Asked, answer_questions
from riskmodels.cards.recommendation import CALIBRATION_METRICS, Evidence, fit_events, recommend
from riskmodels.cards.results import audit_tables, audit_words, performance_tables, performance_words
from riskmodels.cards.sections import answer_fact, answered, build_data, build_explanation, build_how_it_works
from riskmodels.cards.shown import Shown, counted, people_of_100, published_audit, published_performance
from riskmodels.cards.summary import build_summary
from riskmodels.cards.words import attribute_words, capital, day, feature_words, label, language_of, listing
from riskmodels.study import Study

MOST_PARAMETERS = 200
Row = Mapping[str, Any]


def build_card(
    study: Study,
    *,
    performance: Any,
    audit: Any,
    explanation: Any,
    model: Row,
    digests: Mapping[str, str],
    cohort_attrition: Sequence[Row] = (),
    outcome_status: Sequence[Row] = (),
    quality: Sequence[Row] = (),
    splits: Sequence[Row] = (),
    checks: Sequence[Row] = (),
    suppressed: Sequence[Row] = (),
    baseline_column: str | None = None,
) -> ModelCard:
    """The card. The same results and answers give the same bytes.

    Parameters
    ----------
    performance, audit, explanation : results of `riskmodels.assessment`, or what their ``to_dict()`` gives
    model : {sha256, family, recipe: mapping, parameters: mapping}
    digests : {study, answers, data, policy}
    cohort_attrition : rows {as_of_date, step, dropped, remaining}
    outcome_status : rows {as_of_date, known, immature, unobserved, events}
    quality : one row a source, as `riskmodels.data.tables.Tables.quality` holds them
    splits : rows {origin, stands_on, fit, calibrate, test, how} and, where known, fit_events
    checks : rows {check, result, evidence} and, where known, words and accepted
    suppressed : what was hidden before it came here, rows {where, what, why}
    baseline_column : feature that the single best column sorts by; needed when the chosen family is another
    """
    file, language = study.file, language_of(study.file)
    safe = Shown(PROFILES[file.disclosure], [{key: str(value) for key, value in line.items()} for line in suppressed])
    raw, explained = _plain(performance), _plain(explanation)
    test_dates = tuple(str(row["as_of_date"]) for row in raw.get("per_date") or ())
    shown = published_performance(raw, safe)
    at_capacity = _capacity(study, raw, shown["at_capacity"], safe, cohort_attrition, test_dates)
    shown["at_capacity"] = at_capacity
    judged = published_audit(_plain(audit), safe)
    judged["tally"] = judged["judged"] | {"not_audited": len(judged.get("not_audited") or ())}
    column = feature_words(file, baseline_column or _column_of(model, explained))
    family = str(model["family"])

    status = counted(outcome_status, "data.outcome_status", safe)
    attrition = counted(cohort_attrition, "data.attrition", safe)
    explained["n"] = safe.count(explained.get("n"))
    results = {"performance": shown, "audit": judged, "explanation": explained}
    named = _failed(study, judged)
    recommendation = recommend(
        Evidence(
            family=family,
            baseline=str((shown.get("comparison") or {}).get("baseline") or "single_best_column"),
            gain_low=((shown.get("comparison") or {}).get("difference") or {}).get("low"),
            gain_floor=file.floors.gain_over_baselines,
            auc_low=_overall(shown, "auc").get("low"),
            auc_high=_overall(shown, "auc").get("high"),
            oe_ratio=_overall(shown, "oe_ratio").get("value"),
            oe_floors=file.floors.oe_ratio,
            last_oe=_last_oe(shown),
            test_events=raw.get("events"),
            fit_events=fit_events(splits, outcome_status),
            verdict=judged["verdict"],
            failed=tuple({"who": row["who"], "metric": row["metric"]} for row in named),
            provisional=bool(judged.get("provisional")),
            unknown_share=_unknown_share(raw),
            concerns={row["check"]: row.get("accepted") for row in checks if row["result"] == "concern"},
            column=column,
            level=file.level,
        )
    )
    summary = build_summary(study, language, recommendation, results, column=column, named=named)
    figures, not_drawn = build_figures(Results(file, language, shown, judged, explained, tuple(attrition), test_dates))
    sections = {
        "study": file.study,
        "title": file.title,
        "question": file.question,
        "organisation": _organisation(study),
        "edition_profile": Edition(edition="committee", disclosure=file.disclosure),
        "model": ModelIdentity(
            version=model["sha256"][:12],
            sha256=model["sha256"],
            family=family,
            recipe=_rounded(model.get("recipe") or {}),
        ),
        "digests": Digests(**digests),
        "summary": summary,
        "ask": _ask(study),
        "purpose": answered(study, "purpose"),
        "people_process": answered(study, "people_process"),
        "data": build_data(
            study, language, counted(quality, "data.quality", safe), attrition, status, shown["unknown_by_fifth"]
        ),
        "how_it_works": build_how_it_works(study, language, family, test_dates, column),
        "performance": PerformanceSection(
            words=performance_words(study, shown, language),
            tables=performance_tables(shown, language, column),
            **_open(shown),
        ),
        "audit": AuditSection(
            words=audit_words(judged, study), tables=audit_tables(study, judged, language), **_open(judged)
        ),
        "explanation": build_explanation(explained, language),
        "risks": answered(study, "risks", {"accepted": _accepted(study, checks)}),
        "law": answered(study, "law"),
        "monitoring": answered(study, "monitoring"),
        "questions": answer_questions(Asked(study, language, summary, results, test_dates)),
        "figures": figures,
        "not_computed": dict(sorted({**(shown.get("not_computed") or {}), **not_drawn}.items())),
    }
    return ModelCard(**sections, annex=_annex(sections, model, splits, checks, safe))


# ---------------------------------------------------------------- results, as the card takes them


def _plain(result: Any) -> dict[str, Any]:
    """A result as plain values: what it gives as ``to_dict()``, its estimates included."""

    def plain(value: Any) -> Any:
        if hasattr(value, "to_dict"):
            value = value.to_dict()
        if isinstance(value, Mapping):
            return {str(key): plain(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(inner) for inner in value]
        return value if value is None or isinstance(value, (str, int, float, bool)) else _scalar(value)

    found: dict[str, Any] = plain(result)
    return found


def _scalar(value: Any) -> Any:
    """NumPy numbers as Python's; dates as ISO text; bytes are no part of a card."""
    if hasattr(value, "item"):
        return value.item()
    return value.isoformat() if hasattr(value, "isoformat") else None


def _open(shown: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in shown.items() if key not in ("words", "tables")}


def _overall(shown: Row, name: str) -> Row:
    found: Row = (shown.get("overall") or {}).get(name) or {}
    return found


def _unknown_share(raw: Row) -> float:
    at = raw.get("at_capacity") or {}
    share = at["unknown"] / at["selected"] if at.get("selected") else 0.0
    # Bounds also lead when outcomes are unknown outside the list, since then we cannot say whom it misses.
    return max(share, (raw.get("unknown") or 0) / raw["n"] if raw.get("n") and at.get("leads_with_bounds") else 0.0)


def _last_oe(shown: Row) -> tuple[float, float] | None:
    dates = shown.get("per_date") or []
    last = (dates[-1].get("oe_ratio") or {}) if len(dates) > 1 else {}
    return (last["low"], last["high"]) if last.get("low") is not None and last.get("high") is not None else None


def _capacity(
    study: Study, raw: Row, published: Row, shown: Shown, attrition: Sequence[Row], test_dates: Sequence[str]
) -> dict[str, Any]:
    """At capacity, with the places of each list and the share of it whose outcome is not known."""
    at = raw.get("at_capacity") or {}
    ranked: dict[str, int] = {}
    for row in attrition:  # the last step of each date is the cohort
        ranked[str(row["as_of_date"])] = row["remaining"]
    places = {date: study.file.capacity.of(ranked[date]) for date in test_dates if date in ranked}
    if study.file.capacity.share is not None:
        places = {date: shown.count(count) or 0 for date, count in places.items()}
    share = None
    if published.get("unknown") is not None and at.get("selected"):
        share = round(at["unknown"] / at["selected"], 3)
    latest = places.get(test_dates[-1]) if test_dates else None
    return {
        **published,
        "places": latest or at.get("places"),
        "places_each": places,
        "unknown_share": share,
        "of_100": people_of_100(at, shown),
    }


def _column_of(model: Row, explanation: Row) -> str | None:
    """The one column that the chosen model sorts by."""
    if model["family"] != "single_best_column":
        return None
    for place in (model.get("parameters") or {}, model.get("recipe") or {}):
        for key in ("column", "feature"):
            if isinstance(place.get(key), str):
                return str(place[key])
    drivers = explanation.get("drivers") or []
    return str(drivers[0]["feature"]) if drivers else None


def _failed(study: Study, audit: Row) -> list[dict[str, Any]]:
    """Primary contrasts that failed, with where their groups stand in ``audit.rows``."""
    position = {(row["attribute"], row["group"]): index for index, row in enumerate(audit["rows"])}
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in audit["contrasts"]:
        if row["family"] != "primary" or row["verdict"] != "FAIL":
            continue
        group, reference = (position.get((row["attribute"], row[key])) for key in ("group", "reference"))
        name = audit["rows"][group]["label"] if group is not None else row["group"]
        # The same group and measure may fail against its reference and against the rest: said once.
        found.setdefault(
            (row["attribute"], row["group"], row["metric"]),
            {
                "who": f"{attribute_words(study.file, row['attribute'])}, {name}",
                "reference_label": "the others" if reference is None else audit["rows"][reference]["label"],
                "metric": row["metric"],
                "row": -1 if group is None else group,
                "reference_row": -1 if reference is None else reference,
            },
        )
    # Who is missed or wrongly listed comes before whose risks are off.
    return sorted(found.values(), key=lambda row: row["metric"] in CALIBRATION_METRICS)


# ---------------------------------------------------------------- what people say


def _organisation(study: Study) -> Organisation:
    answers = study.answers
    return Organisation(
        name=answers.organisation, fictional=answers.fictional, owner=answers.owner_role, contact=answers.contact
    )


def _ask(study: Study) -> Facts:
    return Facts(
        facts={
            "what_we_ask_you_to_decide": answer_fact(study.answers.ask, "answers.yaml: ask"),
            "what_changed_since_last_time": Fact(
                value="This card was not compared with an earlier one.", source="run", owner=study.answers.owner_role
            ),
            "what_this_cannot_see": answer_fact(study.answers.cannot_see, "answers.yaml: cannot_see"),
        }
    )


def _accepted(study: Study, checks: Sequence[Row]) -> Table:
    evidence = {row["check"]: row.get("evidence") or "" for row in checks}
    rows = tuple(
        (label(check), evidence.get(check, ""), " ".join(reason.split()))
        for check, reason in study.file.accepted.items()
    )
    return Table(
        caption="Concerns that were accepted",
        columns=("Check", "What was found", "Why it was accepted"),
        rows=rows,
        source="study.yaml: accepted",
    )


# ---------------------------------------------------------------- annex


def _annex(
    sections: Mapping[str, Any], model: Row, splits: Sequence[Row], checks: Sequence[Row], shown: Shown
) -> Annex:
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
            note="Counts below 10 are hidden, other counts are rounded to 5. Hidden cells may take others with them.",
        ),
    }
    tree = {
        name: part.model_dump(by_alias=True) if hasattr(part, "model_dump") else part for name, part in sections.items()
    }
    tree["annex"] = {name: table.model_dump() for name, table in parts.items()}
    return Annex(**parts, tripod=tripod_index(tree), atrs=atrs_index(tree))


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
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _rounded(value: Any) -> Any:
    """Plain values with floats at six significant digits."""
    if isinstance(value, Mapping):
        return {str(key): _rounded(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(inner) for inner in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _splits(splits: Sequence[Row]) -> Table:
    rows = []
    for split in splits:
        test = day(split["test"]) if split.get("test") else "none: the model in service"
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
