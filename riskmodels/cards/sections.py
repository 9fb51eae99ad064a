"""The sections of the card that the run and the study file fill: data, how it works, how well, audit, explanation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.cards.card import Cell, DataSection, ExplanationSection, Fact, Facts, HowItWorks, Table
from riskmodels.cards.shown import HIDDEN
from riskmodels.cards.words import (
    FAMILIES,
    MEASURES,
    Language,
    attribute_words,
    capital,
    day,
    label,
    listing,
    meaning_of,
    measure_words,
    of_100,
)
from riskmodels.study import BASELINES, Answer, Study

Row = Mapping[str, Any]

# What a complete card has an answer for; answers.yaml may say more.
EXPECTED = {
    "purpose": ("intended_use", "never_used_for", "alternatives"),
    "people_process": ("when_flagged", "when_not_flagged", "who_decides", "human_check", "putting_mistakes_right"),
    "risks": ("harms_if_wrongly_named", "harms_if_missed", "trade_offs"),
    "law": (
        "lawful_basis", "data_protection_impact_assessment", "equality_impact_assessment", "automated_decisions", "objection",
    ),
    "monitoring": ("review", "stop_rules", "retirement", "retention", "who_sees"),
}  # fmt: skip


# ---------------------------------------------------------------- what people say


def answered(study: Study, section: str, tables: Mapping[str, Table] | None = None) -> Facts:
    """A section of ``answers.yaml``, with a gap for each expected answer that is not there."""
    given: Mapping[str, Answer] = getattr(study.answers, section)
    facts = {key: answer_fact(answer, f"answers.yaml: {section}.{key}") for key, answer in given.items()}
    for key in EXPECTED[section]:
        facts.setdefault(key, Fact(value=None, source=f"answers.yaml: {section}.{key}", owner=study.answers.owner_role))
    return Facts(facts=facts, tables=dict(tables or {}))


def answer_fact(answer: Answer, source: str) -> Fact:
    text = " ".join(answer.text.split()) if answer.text else None
    return Fact(value=text or None, source=source, owner=answer.owner)


# ---------------------------------------------------------------- 5 data


def build_data(
    study: Study, language: Language, quality: Sequence[Row], attrition: Sequence[Row], status: Sequence[Row], fifths: Sequence[Row]
) -> DataSection:
    return DataSection(
        words=_data_words(study, language),
        register=_register(study),
        columns=_columns(study),
        quality=_quality(quality),
        missing=_missing(quality),
        attrition=Table(
            caption=f"Who is counted: {language.many} left after each step",
            columns=("As of", "Step", "Left out", "Remaining"),
            rows=tuple((day(row["as_of_date"]), capital(row["step"]), _n(row["dropped"]), _n(row["remaining"])) for row in attrition),
            source="run: cohort attrition",
            note="Decided from what was known before each date. Nothing that came later changes it.",
        ),
        outcome_status=Table(
            caption="For whom the outcome is known",
            columns=("As of", "Known", "Of these, came about", "Too early to know", "Not recorded"),
            rows=tuple(
                (day(row["as_of_date"]), _n(row["known"]), _n(row.get("events")), _n(row["immature"]), _n(row["unobserved"]))
                for row in status
            ),
            source="run: outcomes",
            note="An outcome that is not known is never counted as one that did not come about.",
        ),
        unknown_by_fifth=Table(
            caption="Outcome not known, by fifth of risk",
            columns=("Fifth of risk (1 is lowest)", capital(language.many), "Not known", "Not known, of 100"),
            rows=tuple((row["fifth"], _n(row["n"]), _n(row["unknown"]), _of_100(row.get("share"))) for row in fifths),
            source="run: performance",
        ),
    )


def _data_words(study: Study, language: Language) -> tuple[str, ...]:
    file = study.file
    words = [
        f"The data come from {len(file.sources)} sources. Each is in the register below, with its owner and what it was collected for.",
        "Equality data are kept in a table of their own. They are used to check the list, never to make it.",
    ]
    features = [name for name, spec in file.protected.items() if spec.also_feature]
    if features:
        names = listing([attribute_words(file, name) for name in features])
        words[1] = f"Equality data are kept in a table of their own. The model also uses {names}; the reason stands in section 8."
    if file.clock == "relative":
        words.append(f"Time is counted in days since each {language.one}'s own start. So nothing here was tested on the future.")
    return tuple(words)


def _register(study: Study) -> Table:
    fields = (
        ("What it is", "words"), ("Owner", "owner"), ("Collected for", "collected_for"), ("How", "how"), ("About", "about"),
        ("Lawful basis", "lawful_basis"), ("Special category condition", "special_category_condition"), ("Agreement", "agreement"),
        ("Agreement expires", "agreement_expires"), ("Permitted purposes", "permitted_purposes"),
        ("What people were told", "people_were_told"), ("Kept for", "retention"), ("Extracted on", "extracted_on"),
    )  # fmt: skip
    rows = []
    for name, entry in study.register.sources.items():
        cells: list[Cell] = [name]
        for _, key in fields:
            value = getattr(entry, key)
            if isinstance(value, tuple):
                value = "; ".join(value) or None
            text = " ".join(str(value).split()) if value else None
            cells.append(text or f"Not provided (owner: {entry.owner})")
        used = study.file.sources[name].use if name in study.file.sources else None
        cells.insert(2, {"model": "the model", "audit": "the audit only"}.get(used or "", "nothing in this study"))
        rows.append(tuple(cells))
    names = [title for title, _ in fields]
    columns = ("Source", names[0], "Used for", *names[1:])
    return Table(caption="Data register", columns=columns, rows=tuple(rows), source="register.yaml")


def _columns(study: Study) -> Table:
    rows = tuple(
        (name, column, " ".join(words.split())) for name, entry in study.register.sources.items() for column, words in entry.columns.items()
    )
    return Table(caption="Columns", columns=("Source", "Column", "What it holds"), rows=rows, source="register.yaml")


def _quality(quality: Sequence[Row]) -> Table:
    rows = []
    for row in quality:
        span = f"{day(row['first_date'])} to {day(row['last_date'])}" if row.get("first_date") else "undated"
        lag = f"{row['recording_lag_days_95']} days" if row.get("recording_lag_days_95") is not None else "–"
        rows.append((row["source"], _n(row.get("rows")), _n(row.get("entities")), span, lag, _n(row.get("undated", 0))))
    return Table(
        caption="What each source holds",
        columns=("Source", "Rows", "Who (different ids)", "From, to", "Recorded within (95 of 100)", "Left out for lack of a date"),
        rows=tuple(rows),
        source="run: data quality",
    )


def _missing(quality: Sequence[Row]) -> Table:
    rows = tuple((row["source"], column, _of_100(share)) for row in quality for column, share in (row.get("missing") or {}).items())
    return Table(caption="What is missing", columns=("Source", "Column", "Missing, of 100 rows"), rows=rows, source="run: data quality")


# ---------------------------------------------------------------- 6 how it works


def build_how_it_works(study: Study, language: Language, family: str, test_dates: Sequence[str], column: str | None) -> HowItWorks:
    file = study.file
    owner = study.answers.owner_role
    name = f"a simple sort by {column}" if family == "single_best_column" and column else FAMILIES.get(family, family)
    words = [
        f"On a given day the model looks at what was known of each {language.one} before that day. It gives each one a risk between 0 and 1: "
        f"how likely it is that the {language.one} {language.outcome}. Everybody is ranked by risk, and the list is the top of that ranking.",
        f"The way chosen is {name}. Several ways were tried, simplest first. A more complex one is taken only if it is better by more than chance.",
        f"It learned from earlier dates only, and was tested on {listing([day(date) for date in test_dates])}."
        if test_dates and file.clock == "calendar"
        else "It was tested on people it had not learned from.",
        "The figures in this card belong to the recipe, judged at each test date. The model in service is the same recipe, fitted "
        "once more on all data whose outcome is known.",
    ]
    if file.split.calibrate == "grouped" and file.split.why_grouped:
        words.append(f"Risks were calibrated on other people of the same dates. {file.split.why_grouped}")
    else:
        words.append("Risks were calibrated on a later slice of time than the model learned from.")
    source = "study.yaml"
    facts = {
        "outcome": Fact(value=file.outcome.words, source=f"{source}: outcome.words", owner=owner),
        "looks_ahead": Fact(value=str(file.outcome.horizon), source=f"{source}: outcome.horizon", owner=owner),
        "recorded_within": Fact(value=str(file.outcome.lag), source=f"{source}: outcome.lag", owner=owner),
        "the_outcome_is": Fact(
            value="a measured need" if file.outcome.measures == "need" else "a contact with a service, or a service's decision",
            source=f"{source}: outcome.measures",
            owner=owner,
        ),
        "places": Fact(value=_capacity(study), source=f"{source}: capacity", owner=owner),
        "seed": Fact(value=file.seed, source=f"{source}: seed", owner=owner),
    }
    missing = {"keep": "kept as missing", "zero": "counted as none", "median": "set to the middle value", "category": "a category of its own"}
    rows = tuple(
        (line.words, listing([take.replace("_", " ") for take in line.take]), listing([str(last) for last in line.last]), missing[line.missing])
        for line in file.features
    )
    features = Table(
        caption="What the model looks at", columns=("Field", "Taken as", "Looks back", "If missing"), rows=rows, source="study.yaml: features"
    )
    return HowItWorks(words=tuple(words), facts=facts, features=features)


def _capacity(study: Study) -> str:
    capacity = study.file.capacity
    if capacity.share is not None:
        return f"{of_100(capacity.share)} of 100 on each list"
    if isinstance(capacity.places, dict):
        return "; ".join(f"{team}: {places:,}" for team, places in capacity.places.items())
    return f"{capacity.places:,} on each list"


# ---------------------------------------------------------------- 7 how well


def performance_tables(performance: Mapping[str, Any], language: Language, column: str | None) -> dict[str, Table]:
    return {
        "list": _list_table(performance.get("at_capacity") or {}, language),
        "families": _families_table(performance, language, column),
        "per_date": _per_date_table(performance.get("per_date") or [], language),
        "measures": Table(
            caption="Measures, for specialists",
            columns=("Measure", "Value", "95% interval", "What it means"),
            rows=tuple(
                (measure_words(name), _value(estimate), _interval(estimate), meaning_of(name))
                for name, estimate in (performance.get("overall") or {}).items()
            ),
            source="run: performance",
        ),
    }


def _list_table(at: Mapping[str, Any], language: Language) -> Table:
    many, known = language.many, " (among those whose outcome is known)"
    bounds = at.get("precision_bounds") or [None, None]
    recall_bounds = at.get("recall_bounds") or [None, None]
    some_unknown = bool(at.get("leads_with_bounds"))
    rows: list[tuple[Cell, ...]] = []
    if some_unknown:
        rows += [
            (f"On the list, and {language.needed}", _bounds(bounds), "Outcome not known for some: these are the two extremes"),
            (f"{capital(language.needed)}, and are on the list", _bounds(recall_bounds), "As above"),
        ]
    precision, recall = at.get("precision") or {}, at.get("recall") or {}
    tail = known if some_unknown else ""
    rows += [
        (f"On the list, and {language.needed}{tail}", _of_100(precision.get("value"), precision), _range(precision)),
        (f"{capital(language.needed)}, and are on the list{tail}", _of_100(recall.get("value"), recall), _range(recall)),
        ("On the list, and the outcome is not known", _of_100(at.get("unknown_share")), ""),
        (f"All {many}: on the list", _of_100(at.get("selection_rate")), ""),
    ]
    return Table(
        caption=f"The list, of 100 {many} each time",
        columns=("Who", "Of 100", "Could be (95% interval)"),
        rows=tuple(rows),
        source="run: performance",
        note=f"{_n(at.get('selected'))} were on the list; the outcome is known for {_n(at.get('known'))} of them and not for {_n(at.get('unknown'))}.",
    )


def _families_table(performance: Mapping[str, Any], language: Language, column: str | None) -> Table:
    chosen = (performance.get("comparison") or {}).get("chosen")
    rows = []
    for row in performance.get("families") or []:
        words = f"a simple sort by {column}" if row["model"] == "single_best_column" and column else FAMILIES.get(row["model"], row["model"])
        words = capital(words) + (" (chosen)" if row["model"] == chosen else "")
        precision, auc = row.get("precision_at_k") or {}, row.get("auc") or {}
        rows.append(
            (
                words, _with_range(precision, per_100=True), _with_range(auc, per_100=True), _with_range(row.get("brier_score") or {}),
                _with_range(row.get("difference") or {}) if row.get("difference") else "–",
            )
        )  # fmt: skip
    criterion = label((performance.get("comparison") or {}).get("criterion") or "brier_score").lower()
    note = f"Ranges are 95% intervals. Gain: how much lower the {criterion} is than that of the best simple rule; above 0 is better."
    if (performance.get("at_capacity") or {}).get("leads_with_bounds"):
        note += " All figures are for those whose outcome is known, who may differ from the rest."
    return Table(
        caption="Against simple rules, on the same people",
        columns=(
            "Way of choosing", f"Of 100 on its list, {language.needed}", "Of 100 pairs, put the right one first (AUC)", "Brier score (lower is better)", "Gain",
        ),
        rows=tuple(rows),
        source="run: performance",
        note=note,
    )  # fmt: skip


def _per_date_table(dates: Sequence[Row], language: Language) -> Table:
    rows = tuple(
        (
            day(row["as_of_date"]), _n(row.get("n")), _n(row.get("known")), _n(row.get("events")), _with_range(row.get("auc") or {}, per_100=True),
            _with_range(row.get("oe_ratio") or {}), _with_range(row.get("precision_at_k") or {}, per_100=True),
        )
        for row in dates
    )  # fmt: skip
    return Table(
        caption="Each test date",
        columns=(
            "As of", capital(language.many), "Outcome known", "Came about", "Of 100 pairs, right one first", "Observed to expected",
            f"Of 100 on the list, {language.needed}",
        ),
        rows=rows,
        source="run: performance",
    )  # fmt: skip


def performance_words(study: Study, performance: Mapping[str, Any], language: Language) -> tuple[str, ...]:
    """Last month, last year, neighbours, in words."""
    words = []
    dates = performance.get("per_date") or []
    if study.file.clock == "relative":
        words.append("Nothing here was tested on the future: the data have no calendar.")
    auc = (performance.get("overall") or {}).get("auc") or {}
    if auc.get("value") is not None:
        words.append(
            f"Take one of the {language.many} who {language.needed}, and one who {language.not_needed}. Of 100 such pairs, the ranking puts "
            f"the right one first in {of_100(auc['value'])}. A coin would do so in 50."
        )
    oe = (performance.get("overall") or {}).get("oe_ratio") or {}
    if oe.get("value") is not None:
        words.append(f"For each 100 cases that the risks add up to, {oe['value'] * 100:.0f} came about.")
    if len(dates) < 2:
        words.append("There is one test date, so there is no last year to compare with.")
    else:
        first, last = dates[0], dates[-1]
        pair = [(row.get("auc") or {}).get("value") for row in (first, last)]
        if None not in pair:
            words.append(
                f"From {day(first['as_of_date'])} to {day(last['as_of_date'])} the pairs put right went from {of_100(pair[0])} to "
                f"{of_100(pair[1])} of 100. {_clear_change(first['auc'], last['auc'])}"
            )
    words.append("No neighbouring area was compared.")
    if "current_practice" not in {row["model"] for row in performance.get("families") or []}:
        words.append("There is no record of today's choices, so the list could not be compared with them.")
    return tuple(words)


def _clear_change(first: Row, last: Row) -> str:
    if any(estimate.get("low") is None for estimate in (first, last)):
        return "We cannot say whether this is chance."
    apart = first["high"] < last["low"] or last["high"] < first["low"]
    return "This is more than chance." if apart else "There is no clear change: this could be chance."


# ---------------------------------------------------------------- 8 audit


def audit_tables(study: Study, audit: Mapping[str, Any], language: Language) -> dict[str, Table]:
    labels = {(row["attribute"], row["group"]): row["label"] for row in audit["rows"]}

    def contrast(row: Row) -> tuple[Cell, ...]:
        name = labels.get((row["attribute"], row["group"]), row["group"])
        against = "everybody else" if row.get("against") == "others" else labels.get((row["attribute"], row["reference"]), row["reference"])
        return (
            capital(attribute_words(study.file, row["attribute"])), name, against, label(measure_words(row["metric"])),
            _ratio(row), row["verdict"], row.get("reason") or _detectable(row),
        )  # fmt: skip

    columns = ("Characteristic", "Group", "Compared with", "What", "Ratio (95% interval)", "Verdict", "Why, or what could have been seen")
    primary = [row for row in audit["contrasts"] if row["family"] == "primary"]
    look_here = [row for row in audit["contrasts"] if row["family"] != "primary" and row["verdict"] not in ("PASS",)]
    metrics = ("recall", "precision", "fpr", "selection_rate", "base_rate", "oe_ratio")
    # A flat table must not read better than it is: groups that are not shown stay in it, in words.
    rows = tuple(
        (
            capital(attribute_words(study.file, row["attribute"])), row["label"], _n(row.get("n")), _n(row.get("positives")),
            *(_with_range(row["metrics"].get(metric) or {}, per_100=metric != "oe_ratio") for metric in metrics),
        )
        for row in audit["rows"]
    )  # fmt: skip
    tables = {
        "verdicts": Table(
            caption="Verdicts",
            columns=columns,
            rows=tuple(contrast(row) for row in primary),
            source="run: audit",
            note="PASS: the whole interval lies within the limits. FAIL: the whole interval lies outside, and the gap matters. "
            "INSUFFICIENT EVIDENCE: the data cannot tell; it is not a pass.",
        ),
        "groups": Table(
            caption="Each group",
            columns=(
                "Characteristic", "Group", capital(language.many), f"Known that they {language.needed}", "Found by the list, of 100 with the outcome",
                "Rightly listed, of 100 on the list", "Listed, of 100 without the outcome", "On the list, of 100", "With the outcome, of 100",
                "Observed to expected",
            ),
            rows=rows,
            source="run: audit",
        ),
        "look_here": Table(
            caption="Look here: differences that cannot fail the list alone, but must be answered",
            columns=columns, rows=tuple(contrast(row) for row in look_here), source="run: audit",
        ),
        "not_audited": Table(
            caption="Not audited",
            columns=("Characteristic", "Reason", "Accepted"),
            rows=tuple((capital(str(row["attribute"])), row.get("reason") or "No reason given", "yes" if row.get("accepted") else "no") for row in audit["not_audited"]),
            source="study.yaml: not_audited",
        ),
        "proxies": Table(
            caption="Proxies: how well a group can be told from the score (0.5: not at all, 1: fully)",
            columns=("Characteristic", "Group", "From the score", "From all fields", "Flagged"),
            rows=tuple(
                (
                    capital(attribute_words(study.file, row["attribute"])), labels.get((row["attribute"], row["group"]), row["group"]),
                    _plain(row.get("auc_score")), _plain(row.get("auc_features")), "yes" if row.get("flagged") else "no",
                )
                for row in audit.get("proxies") or []
            ),
            source="run: audit",
        ),
    }  # fmt: skip
    missing = [row for row in audit.get("missing") or []]
    if missing:
        tables["missing"] = Table(
            caption="Group not recorded",
            columns=("Characteristic", "Not recorded, of 100", "Best and worst case"),
            rows=tuple((capital(attribute_words(study.file, row["attribute"])), _of_100(row.get("share")), _spelled(row.get("bounds"))) for row in missing),
            source="run: audit",
        )
    reasons = [(name, spec.also_feature) for name, spec in study.file.protected.items() if spec.also_feature]
    if reasons:
        tables["also_features"] = Table(
            caption="Protected characteristics that the model uses",
            columns=("Characteristic", "Reason"),
            rows=tuple((capital(attribute_words(study.file, name)), reason) for name, reason in reasons),
            source="study.yaml: protected",
        )
    return tables


def audit_words(audit: Mapping[str, Any], study: Study) -> tuple[str, ...]:
    judged = audit["tally"]
    words = [
        f"Verdict: {audit['verdict']}. Of {judged['comparisons']} comparisons, {judged['passed']} passed, {judged['failed']} failed, and for "
        f"{judged['insufficient']} the data cannot tell."
    ]
    if audit.get("provisional"):
        words.append("Every verdict is provisional: the outcome is contact with a service, or a service's decision, and not need itself.")
    words += [str(line) for line in audit.get("in_words") or []]
    flagged = [row for row in audit.get("proxies") or [] if row.get("flagged")]
    if flagged:
        names = listing(list(dict.fromkeys(attribute_words(study.file, row["attribute"]) for row in flagged)))
        words.append(f"The score gives away {names}: it may act as a stand-in.")
    words.append("No mitigation was tried.")
    return tuple(dict.fromkeys(words))


# ---------------------------------------------------------------- 9 explanation


def build_explanation(explanation: Mapping[str, Any], language: Language) -> ExplanationSection:
    rows = tuple((row["words"], _of_100(row["share"]), row["direction"]) for row in explanation["drivers"])
    kinds = (
        ("Rationale", "Why this score: what drives scores, and three reasons for each person", "sections 6 and 9"),
        ("Responsibility", "Who built it, who decides, whom to ask", "sections 4 and 14"),
        ("Data", "What was used, and where it comes from", "section 5"),
        ("Fairness", "Who is treated worse", "section 8"),
        ("Safety and performance", "How often it is wrong, and what stops it", "sections 7 and 12"),
        ("Impact", "What it may do to people", "section 10"),
    )
    return ExplanationSection(
        words=(
            f"Each {language.one} on the list comes with three reasons in plain words. A reason says what moved the score. It does not say what "
            "causes the outcome, and it blames nobody.",
        ),
        method=explanation["method"],
        drivers=Table(caption="What drives a score", columns=("Field", "Parts of 100", "Direction"), rows=rows, source="run: explanation"),
        kinds=Table(caption="The six kinds of explanation (Information Commissioner's Office)", columns=("Kind", "What it says", "Where"), rows=kinds, source="card"),
    )


# ---------------------------------------------------------------- cells


def _n(count: int | None) -> Cell:
    return HIDDEN if count is None else count


def _of_100(share: float | None, estimate: Row | None = None) -> Cell:
    if share is None:
        return (estimate or {}).get("reason") or "not shown"
    return f"{of_100(share)} of 100"


def _range(estimate: Row) -> Cell:
    if estimate.get("value") is None or estimate.get("low") is None:
        return ""
    return f"{of_100(estimate['low'])} to {of_100(estimate['high'])}"


def _bounds(bounds: Sequence[float | None]) -> Cell:
    low, high = (of_100(value) if value is not None else None for value in bounds)
    if low is None and high is None:
        return HIDDEN
    if high is None:
        return f"{low} or more"
    return f"{high} or fewer" if low is None else f"between {low} and {high}"


def _with_range(estimate: Row, *, per_100: bool = False) -> Cell:
    value, low, high = (estimate.get(key) for key in ("value", "low", "high"))
    if value is None:
        return estimate.get("reason") or "not computed"
    said = (of_100 if per_100 else _plain)(value)
    if low is None or high is None:
        return said
    return f"{said} ({(of_100 if per_100 else _plain)(low)} to {(of_100 if per_100 else _plain)(high)})"


def _plain(value: float | None) -> str:
    """A number without trailing noughts."""
    return "not computed" if value is None else f"{value:.4f}".rstrip("0").rstrip(".")


def _value(estimate: Row) -> Cell:
    return estimate["value"] if estimate.get("value") is not None else estimate.get("reason") or "not computed"


def _interval(estimate: Row) -> Cell:
    return f"{_plain(estimate['low'])} to {_plain(estimate['high'])}" if estimate.get("low") is not None else ""


def _ratio(row: Row) -> Cell:
    if row.get("ratio") is None:
        return "not shown"
    return _with_range({"value": row["ratio"], "low": row.get("low"), "high": row.get("high")})


def _detectable(row: Row) -> str:
    smallest = row.get("minimum_detectable")
    return f"could have seen a ratio of {_plain(smallest)}" if smallest is not None else ""


def _spelled(value: Any) -> str:
    """A small nested value as one line of text."""
    if isinstance(value, Mapping):
        return "; ".join(f"{label(str(key)).lower()}: {_spelled(inner)}" for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return " to ".join(_spelled(inner) for inner in value)
    return _plain(value) if isinstance(value, (int, float)) else str(value if value is not None else "not computed")


SIMPLE_RULES = BASELINES
__all__ = [
    "EXPECTED", "SIMPLE_RULES", "answer_fact", "answered", "audit_tables", "audit_words", "build_data", "build_explanation", "build_how_it_works",
    "performance_tables", "performance_words", "MEASURES",
]  # fmt: skip
