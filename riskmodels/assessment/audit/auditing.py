"""The fairness audit: who is treated worse, how sure can we be, and what could not be judged.

`audit_groups` audits the list of a study; `audit_predictions` audits any predictions. The story is: code the groups,
count once, bootstrap the counts, contrast each group with its reference, give a verdict, say it in words; then look at
other list lengths, at curves, at pooled rates, and at the list after the service's own exclusions. What is made here is
exact and owner-only: `riskmodels.assessment.audit.publishing.disclosure.publish` makes it fit to be shown.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Literal

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
from riskmodels.assessment.audit.exact import Exact, kept
from riskmodels.assessment.audit.further.exclusions import checked_exclusions
from riskmodels.assessment.audit.further.sweep import checked_depth
from riskmodels.assessment.audit.policy import Policy, load_policy
from riskmodels.assessment.audit.result import Audit, Row
from riskmodels.assessment.audit.steps import (
    NO_TABLES,
    Asked,
    Rows,
    audit_tables,
    further_tables,
    judged_after,
    with_features,
)
from riskmodels.assessment.audit.verdicts import overall_verdict, tally
from riskmodels.assessment.audit.words import NOUNS, in_words
from riskmodels.assessment.intervals import checked_risk
from riskmodels.errors import DataError, StudyError
from riskmodels.models.ranking import Ranking
from riskmodels.study import PROTECTED_BY_LAW, Protected, StudyFile

# ---------------------------------------------------------------- the two ways in


def audit_groups(
    ranking: Ranking,
    groups: pl.DataFrame,
    study: StudyFile,
    *,
    seed: int,
    policy: Policy | None = None,
    excluded: Any = None,
    selected_after: Any = None,
    feature_proxies: Sequence[Row] = (),
) -> Audit:
    """Audit the list that a study's service would get.

    Parameters
    ----------
    ranking : the canonical ranking, all test dates
    groups : entity_id, as_of_date and one column for each of ``study.protected``; null means not recorded
    excluded, selected_after, feature_proxies : as in `audit_predictions`, in the order of ``ranking.frame``

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
    days = {dt.date.fromisoformat(day): places for day, places in ranking.places.items()}
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
        depth=frame["rank"] / frame["as_of_date"].replace_strict(days),
        excluded=excluded,
        selected_after=selected_after,
        feature_proxies=feature_proxies,
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
    intersections: Sequence[tuple[str, str]] | Literal["all"] = (),
    excused: Mapping[str, str] | None = None,
    laws: tuple[str, ...] = PROTECTED_BY_LAW,
    policy: Policy | None = None,
    depth: Any = None,
    excluded: Any = None,
    selected_after: Any = None,
    feature_proxies: Sequence[Row] = (),
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
    intersections : pairs of attributes to look at together, or ``all`` of them
    excused : characteristic protected by law -> why it is not audited
    laws : the characteristics that must be audited or excused
    depth : (n,) each row's rank over the places of its as-of date: at most 1 for those on the list, nan for those who
        are never listed; for lists of other lengths
    excluded : (n,) true for those whom the service would not contact
    selected_after : (n,) true for those on the list that the service uses, refilled without them
    feature_proxies : rows {attribute, group, auc_features, carried_by, flagged}, to stand beside what the risk tells

    Raises
    ------
    DataError
        if the columns do not match, a risk is missing, an outcome is not 0 or 1, or a depth does not fit the list.
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
    depths, without = checked_depth(depth, chosen), checked_exclusions(excluded, selected_after, chosen)

    attributes, refused = _code_all(columns, protected or {}, policy)
    audited = {attribute.law for attribute in attributes} - {law for law, _ in refused.values()}
    unaudited = not_audited(laws, audited, excused or {}, refused)
    asked = Asked(policy.primary(purpose, measures), purpose, policy, NOUNS[level], seed)
    titles = {attribute.name: attribute.words for attribute in attributes}
    tables, units = dict(NO_TABLES), n
    widths: dict[str, float] = {}
    after: Row | None = None
    exact: Exact | None = None
    if attributes:
        pairs = list(combinations(titles, 2)) if intersections == "all" else intersections
        rows = Rows(tuple(attributes), status, probability, together)
        evidence = rows.gather(chosen, pairs, asked)
        tables, widths = audit_tables(evidence, asked)
        tables |= further_tables(rows, chosen, depths, asked)
        tables["proxies"] = with_features(tables["proxies"], feature_proxies)
        after = None if without is None else judged_after(rows, *without, tables, titles, asked)
        units, exact = evidence.found.units, kept(evidence, asked)
    judged, provisional = tally(tables["contrasts"]), measures == "service"
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
            tables["rows"], tables["contrasts"], titles, purpose=purpose, measures=measures, noun=asked.noun,
            judged=judged, provisional=provisional,
        ),
        **tables,
        after_exclusions=after,
        exact=exact,
    )  # fmt: skip


# ---------------------------------------------------------------- who is in which group


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
