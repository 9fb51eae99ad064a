"""From the results of a run and a study's answers to its model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.assessment.suppression import PROFILES
from riskmodels.cards.annex import build_annex, indexed, six_digits
from riskmodels.cards.audit_findings import gaps, harms, less_written_down
from riskmodels.cards.audit_section import as_the_card_says_it, build_audit
from riskmodels.cards.card import (
    Digests,
    Edition,
    Facts,
    ModelCard,
    ModelIdentity,
    Organisation,
    PerformanceSection,
    Table,
)
from riskmodels.cards.closer import Looked, closer_parts, published_detail
from riskmodels.cards.data_section import build_data
from riskmodels.cards.data_tables import data_tables, linkage_in_short, linkage_words, publish_known
from riskmodels.cards.evidence import Evidence, fit_events, oe_by_date
from riskmodels.cards.figures import Results, build_figures
from riskmodels.cards.marks import marked
from riskmodels.cards.mitigation_tables import published_mitigation
from riskmodels.cards.questions import Asked, answer_questions
from riskmodels.cards.recommendation import recommend
from riskmodels.cards.results import performance_tables, performance_words
from riskmodels.cards.sections import answer_fact, answered, build_explanation, build_how_it_works
from riskmodels.cards.shown import Shown, counted, people_of_100, published_audit, published_performance
from riskmodels.cards.summary import build_summary
from riskmodels.cards.words import feature_words, label, language_of
from riskmodels.study import BASELINES, Study

Row = Mapping[str, Any]
NOBODY: Mapping[str, int] = {}


def build_card(
    study: Study,
    *,
    performance: Any,
    detail: Any = None,
    deep: Any = None,
    tuning: Row | None = None,
    audit: Any,
    mitigation: Any = None,
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
    profile: Row | None = None,
    attrition_differences: Sequence[Row] = (),
    register_gaps: Sequence[Row] = (),
    objected: Mapping[str, int] = NOBODY,
    links: Sequence[Row] = (),
    examples: Mapping[str, int] | None = None,
) -> ModelCard:
    """The card. The same results and answers give the same bytes.

    Parameters
    ----------
    performance, detail, deep, audit, mitigation, explanation : results of `riskmodels.assessment`, or what their
        ``to_dict()`` gives; ``deep`` and ``mitigation`` are None where they were not run
    tuning : `riskmodels.models.tuning.TuningResult.to_dict()`; None where nothing was tuned
    model : {sha256, family, recipe: mapping, parameters: mapping}
    digests : {study, answers, data, policy}
    cohort_attrition : rows {as_of_date, step, dropped, remaining}
    outcome_status : rows {as_of_date, known, immature, unobserved, events} and a count for each of the outcome's exits
    quality : one row a source, as `riskmodels.data.tables.Tables.quality` holds them
    splits : rows {origin, stands_on, fit, calibrate, test, how} and, where known, fit_events
    checks : rows {check, result, evidence} and, where known, words and accepted
    suppressed : what was hidden before it came here, rows {where, what, why}
    baseline_column : feature that the single best column sorts by; needed when the chosen family is another
    profile : `riskmodels.data.profile.Profile.to_dict()`
    attrition_differences : rows of `riskmodels.data.attrition.attrition_differences`
    register_gaps : rows {source, key, words}
    objected : how many people's rows were left out, by what they objected to
    links : rows {source, linked, not_linked, ambiguous, below_confidence}
    examples : {given, agree}, of the made-up examples of the study
    """
    file, language = study.file, language_of(study.file)
    safe = Shown(PROFILES[file.disclosure], [{key: str(value) for key, value in line.items()} for line in suppressed])
    raw, explained = _plain(performance), _plain(explanation)
    test_dates = tuple(str(row["as_of_date"]) for row in raw.get("per_date") or ())
    shown = published_performance(raw, safe)
    at_capacity = _capacity(study, raw, shown["at_capacity"], safe, cohort_attrition, test_dates)
    shown["at_capacity"] = at_capacity
    shown |= published_detail(
        _plain(detail or {}), _plain(deep) if deep else None, tuning, shown.get("families") or (), safe
    )
    judged = as_the_card_says_it(published_audit(_plain(audit), safe), study, language)
    if mitigation is not None:
        judged["mitigation"] = published_mitigation(_plain(mitigation), judged, safe)
    column = feature_words(file, baseline_column or _column_of(model, explained))
    family = str(model["family"])

    status = counted(outcome_status, "data.outcome_status", safe, tuple(file.outcome.exits))
    attrition = counted(cohort_attrition, "data.attrition", safe)
    explained["n"] = safe.count(explained.get("n"))
    results = {"performance": shown, "audit": judged, "explanation": explained}
    found = harms(study, judged)
    # As shown: what the card's own table calls no clear difference is not said to be better on its first page.
    others_better = family in BASELINES and any(
        ((row.get("difference") or {}).get("low") or 0.0) > file.floors.gain_over_baselines
        for row in shown.get("families") or ()
    )
    recommendation = recommend(
        Evidence(
            family=family,
            baseline=str((shown.get("comparison") or {}).get("baseline") or "single_best_column"),
            # Unrounded: a gain of a thousandth is a gain, and the card shows fewer digits.
            gain_low=((raw.get("comparison") or {}).get("difference") or {}).get("low"),
            gain_floor=file.floors.gain_over_baselines,
            auc_low=_overall(shown, "auc").get("low"),
            auc_high=_overall(shown, "auc").get("high"),
            oe_ratio=_overall(shown, "oe_ratio").get("value"),
            oe_floors=file.floors.oe_ratio,
            oe_by_date=oe_by_date(shown),
            decays=((shown.get("over_time") or {}).get("decay") or {}).get("decays"),
            test_events=raw.get("events"),
            fit_events=fit_events(splits, outcome_status),
            verdict=judged["verdict"],
            failed=tuple({"who": one.who, "metric": one.metric} for one in found),
            provisional=bool(judged.get("provisional")),
            unknown_share=_unknown_share(raw),
            concerns={row["check"]: row.get("accepted") for row in checks if row["result"] == "concern"},
            column=column,
            area_alone=family in BASELINES and _used(model, explained) == {file.models.place},
            level=file.level,
            others_better=others_better,
        )
    )
    known = publish_known(
        file,
        language,
        safe,
        profile=profile,
        differences=attrition_differences,
        gaps=register_gaps,
        objected=objected,
        links=links,
        examples=examples,
    )
    summary = build_summary(
        study,
        language,
        recommendation,
        results,
        column=column,
        harms=found,
        gaps=gaps(study, judged),
        others_better=others_better,
        unlinked=linkage_in_short(known),
        unwritten=less_written_down(judged, checks),
    )
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
            recipe=six_digits(model.get("recipe") or {}),
        ),
        "digests": Digests(**digests),
        "summary": summary,
        "ask": _ask(study),
        "purpose": answered(study, "purpose"),
        "people_process": answered(study, "people_process"),
        "data": build_data(
            study,
            language,
            quality=counted(quality, "data.quality", safe),
            attrition=attrition,
            status=status,
            fifths=shown["unknown_by_fifth"],
            concerns=linkage_words(known),
            tables=data_tables(known),
        ),
        "how_it_works": build_how_it_works(study, language, family, test_dates, column, _used(model, explained)),
        "performance": PerformanceSection(
            words=performance_words(study, shown, language),
            tables=performance_tables(shown, language, column),
            closer=closer_parts(Looked(study, language, shown, column)),
            **_open(shown),
        ),
        "audit": build_audit(study, judged, language),
        "explanation": build_explanation(explained, language),
        "risks": answered(study, "risks", {"accepted": _accepted(study, checks)}),
        "law": answered(study, "law"),
        "monitoring": answered(study, "monitoring"),
        "questions": answer_questions(Asked(study, language, summary, results, test_dates)),
        "figures": figures,
        "not_computed": dict(sorted({**(shown.get("not_computed") or {}), **not_drawn}.items())),
    }
    card = ModelCard(**sections, annex=build_annex(study.answers, model, splits, checks, safe))
    return indexed(marked(card, safe.profile))


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
    return {key: value for key, value in shown.items() if key not in ("words", "tables", "closer")}


def _overall(shown: Row, name: str) -> Row:
    found: Row = (shown.get("overall") or {}).get(name) or {}
    return found


def _unknown_share(raw: Row) -> float:
    at = raw.get("at_capacity") or {}
    share = at["unknown"] / at["selected"] if at.get("selected") else 0.0
    # Bounds also lead when outcomes are unknown outside the list, since then we cannot say whom it misses.
    return max(share, (raw.get("unknown") or 0) / raw["n"] if raw.get("n") and at.get("leads_with_bounds") else 0.0)


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
        share = shown.share(at["unknown"], at["selected"])
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


def _used(model: Row, explanation: Row) -> set[str]:
    """The feature columns that the chosen model's scores depend on."""
    drivers = {str(row["feature"]) for row in explanation.get("drivers") or () if row.get("share")}
    column = _column_of(model, explanation)
    return drivers | ({column} if column else set())


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
