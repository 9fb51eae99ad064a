"""The fairness audit: who is treated worse, how sure can we be, and what could not be judged.

`audit_groups` audits the list of a study; `audit_predictions` audits any predictions. The story is: code the groups,
count once, bootstrap the counts, contrast each group with its reference, give a verdict, say it in words. What is made
here is exact and owner-only: `riskmodels.assessment.audit.disclosure.publish` makes it fit to be shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from riskmodels.assessment.audit.coding import (
    Attribute,
    as_series,
    as_text,
    cluster_codes,
    code_groups,
    flags,
    not_audited,
    outcome_status,
)
from riskmodels.assessment.audit.contrasts import measure
from riskmodels.assessment.audit.policy import Policy, load_policy
from riskmodels.assessment.audit.result import Audit
from riskmodels.assessment.audit.tables import (
    Evidence,
    Row,
    comparisons,
    composition_rows,
    gather,
    group_rows,
    missing_rows,
    proxy_rows,
)
from riskmodels.assessment.audit.verdicts import contrast_rows, overall_verdict, tally
from riskmodels.assessment.audit.words import NOUNS, in_words
from riskmodels.assessment.intervals import checked_risk
from riskmodels.data.group_names import NOT_RECORDED
from riskmodels.errors import DataError, StudyError
from riskmodels.models.ranking import Ranking
from riskmodels.study import PROTECTED_BY_LAW, Protected, StudyFile

if TYPE_CHECKING:
    from fairlearn.metrics import MetricFrame

# ---------------------------------------------------------------- the two ways in


def audit_groups(
    ranking: Ranking, groups: pl.DataFrame, study: StudyFile, *, seed: int, policy: Policy | None = None
) -> Audit:
    """Audit the list that a study's service would get.

    Parameters
    ----------
    ranking : the canonical ranking, all test dates
    groups : entity_id, as_of_date and one column for each of ``study.protected``; null means not recorded

    Raises
    ------
    DataError
        if ``groups`` has a key twice.
    StudyError
        if the policy does not exist or a reference is not one of the groups.
    """
    keys = ["entity_id", "as_of_date"]
    if groups.select(pl.struct(keys).is_duplicated().any()).item():
        raise DataError("groups: an entity_id stands twice on the same as_of_date; keep one row for each")
    names = [name for name in study.protected if name in groups.columns]
    # Prefixed: a protected characteristic may have the name of one of the ranking's own columns.
    attached = ranking.frame.join(
        groups.select(*keys, *(pl.col(name).alias(f"group:{name}") for name in names)),
        on=keys, how="left", maintain_order="left",
    )  # fmt: skip
    frame = ranking.frame
    return audit_predictions(
        frame["outcome"],
        frame["risk"],
        frame["selected"],
        {name: attached[f"group:{name}"] for name in names},
        purpose=study.purpose,
        seed=seed,
        measures=study.outcome.measures,
        level=study.level,
        clusters=frame["cluster_id"],
        protected=study.protected,
        intersections=study.fairness.intersections,
        excused=study.not_audited,
        policy=policy or load_policy(study.fairness.policy),
    )


def audit_predictions(
    outcome: Any,
    risk: Any,
    selected: Any,
    groups: Mapping[str, Any],
    *,
    purpose: str,
    seed: int,
    measures: str = "need",
    level: str = "person",
    clusters: Any = None,
    protected: Mapping[str, Protected] | None = None,
    intersections: Sequence[tuple[str, str]] = (),
    excused: Mapping[str, str] | None = None,
    laws: tuple[str, ...] = PROTECTED_BY_LAW,
    policy: Policy | None = None,
) -> Audit:
    """Audit any predictions.

    Parameters
    ----------
    outcome : (n,) 0, 1, or missing where it is not known
    risk : (n,) predicted probability
    selected : (n,) true for those on the list
    groups : attribute -> (n,) values of any kind, missing where not recorded
    purpose : ``assistive``, ``punitive`` or ``mixed``: decides which metrics carry a verdict
    measures : what the outcome measures, ``need`` or ``service``
    clusters : (n,) ids of rows that belong together (a person on several dates, a household)
    protected : attribute -> its law, reference, labels and bands; an attribute without one is "of no law"
    excused : characteristic protected by law -> why it is not audited
    laws : the characteristics that must be audited or excused

    Raises
    ------
    DataError
        if the columns do not match, a risk is missing, or an outcome is not 0 or 1.
    StudyError
        if a reference is not one of the groups.
    """
    if purpose not in ("assistive", "punitive", "mixed"):
        raise StudyError(f"purpose: is assistive, punitive or mixed, got {purpose!r}")
    policy = policy or load_policy()
    status, chosen = outcome_status(outcome), flags(selected)
    n = len(status)
    if n == 0:
        raise DataError("predictions: there are no rows to audit")
    probability = checked_risk(as_series(risk, "risk").to_numpy(), n)
    columns = {name: as_text(values, f"groups.{name}") for name, values in groups.items()}
    for name, length in {"selected": len(chosen), **{name: len(values) for name, values in columns.items()}}.items():
        if length != n:
            raise DataError(f"{name}: {length} values for {n} outcomes; there must be one for each")
    together = cluster_codes(clusters, n)

    attributes, refused = _code_all(columns, protected or {}, policy)
    audited = {attribute.law for attribute in attributes} - {law for law, _ in refused.values()}
    unaudited = not_audited(laws, audited, excused or {}, refused)
    metrics, noun, provisional = policy.primary(purpose, measures), NOUNS[level], measures == "service"
    tables, units = _NO_TABLES, n
    widths: dict[str, float] = {}
    if attributes:
        evidence = gather(attributes, intersections, status, chosen, probability, together, policy, seed)
        tables, widths = _tables(evidence, metrics, purpose, policy, noun)
        units = evidence.found.units
    judged = tally(tables["contrasts"])
    titles = {attribute.name: attribute.words for attribute in attributes}
    return Audit(
        n=n,
        known=int((status < 2).sum()),
        units=units,
        purpose=purpose,
        outcome_measures=measures,
        level=level,
        provisional=provisional,
        policy_name=f"{policy.name} {policy.version}",
        policy_sha256=policy.sha256,
        widened=policy.widened,
        critical_values=widths,
        verdict=overall_verdict(judged, any(not row["accepted"] for row in unaudited)),
        judged=judged,
        not_audited=unaudited,
        titles=titles,
        in_words=in_words(
            tables["rows"], tables["contrasts"], titles, purpose=purpose, measures=measures, noun=noun, judged=judged,
            provisional=provisional,
        ),
        rows=tables["rows"], contrasts=tables["contrasts"], missing=tables["missing"], proxies=tables["proxies"],
        composition=tables["composition"],
    )  # fmt: skip


# ---------------------------------------------------------------- the steps


_NO_TABLES: dict[str, tuple[Row, ...]] = dict.fromkeys(("rows", "contrasts", "missing", "proxies", "composition"), ())


def _tables(
    evidence: Evidence, metrics: Sequence[str], purpose: str, policy: Policy, noun: str
) -> tuple[dict[str, tuple[Row, ...]], dict[str, float]]:
    missing = missing_rows(evidence, metrics, policy)
    capped = {row["attribute"] for row in missing if row["share"] > policy.missing.cap_above}
    asked = comparisons(evidence, metrics, policy)
    measured = [measure(comparison, evidence.found, evidence.slopes) for comparison in asked]
    contrasts, widths = contrast_rows(asked, measured, evidence.strata, evidence.found, capped, purpose, policy, noun)
    tables = {
        "rows": group_rows(evidence, policy, noun),
        "contrasts": contrasts,
        "missing": missing,
        "proxies": proxy_rows(evidence, policy),
        "composition": composition_rows(evidence),
    }
    return tables, widths


def _code_all(
    columns: Mapping[str, pl.Series], protected: Mapping[str, Protected], policy: Policy
) -> tuple[list[Attribute], dict[str, tuple[str, str]]]:
    """Every attribute coded, and those that cannot be audited: attribute -> (law, reason)."""
    attributes, refused = [], {}
    for name, values in columns.items():
        spec = protected.get(name, Protected(column=f"groups.{name}", law="none"))
        coded = code_groups(name, values, spec, policy)
        if isinstance(coded, str):
            refused[name] = (spec.law, coded)
            continue
        attributes.append(coded)
        if sum(not unknown for unknown in coded.unknown) < 2:
            refused[name] = (spec.law, "Everybody whose group is known is in one group; there is nothing to compare.")
    return attributes, refused


# ---------------------------------------------------------------- any metric of one's own


def metric_frame(
    metric: Callable[..., float] | dict[str, Callable[..., float]], outcome: Any, predicted: Any, groups: Any
) -> MetricFrame:
    """Disaggregate any metric by group, with fairlearn's MetricFrame.

    Parameters
    ----------
    metric : function (outcome, predicted) -> number, or several by name
    outcome, predicted : (n,) on rows whose outcome is known
    groups : (n,) values of any kind; missing ones form the group "Not recorded"
    """
    from fairlearn.metrics import MetricFrame

    return MetricFrame(
        metrics=metric,
        y_true=as_series(outcome, "outcome").to_numpy(),
        y_pred=as_series(predicted, "predicted").to_numpy(),
        sensitive_features=as_text(groups, "groups").fill_null(NOT_RECORDED).to_list(),
    )
