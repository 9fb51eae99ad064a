"""Any metric of one's own by group, through fairlearn's MetricFrame."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from riskmodels.assessment.audit.coding import as_series, as_text
from riskmodels.assessment.audit.policy import Policy, load_policy
from riskmodels.assessment.suppression import PROFILES, Profile, complementary, published_count, would_show
from riskmodels.data.group_names import NOT_RECORDED

if TYPE_CHECKING:
    from fairlearn.metrics import MetricFrame

Metric = Callable[..., float]
Row = dict[str, Any]

NO_NUMBER = "the metric gives no number here"


def metric_frame(metric: Metric | Mapping[str, Metric], outcome: Any, predicted: Any, groups: Any) -> MetricFrame:
    """Disaggregate any metric by group, with fairlearn's MetricFrame: exact, and its owner's alone.

    A metric says what it says: fairlearn's own rates are 0, not missing, in a group that has nobody to count.

    Parameters
    ----------
    metric : function (outcome, predicted) -> number, or several by name
    outcome, predicted : (n,) on rows whose outcome is known
    groups : (n,) values of any kind; missing ones form the group "Not recorded"

    Raises
    ------
    DataError
        if a column cannot be read.

    Examples
    --------
    What a missed case costs, and a false alarm, per person:

    >>> def cost(outcome, predicted):
    ...     return float((5 * (outcome > predicted) + (predicted > outcome)).mean())
    >>> outcome, listed = [1, 1, 0, 0, 1, 0], [1, 0, 0, 1, 0, 0]
    >>> frame = metric_frame(cost, outcome, listed, ["a", "a", "a", "b", "b", None])
    >>> frame.by_group.round(2).to_dict()
    {'Not recorded': 0.0, 'a': 1.67, 'b': 3.0}
    """
    from fairlearn.metrics import MetricFrame

    return MetricFrame(
        metrics=metric if callable(metric) else dict(metric),
        y_true=as_series(outcome, "outcome").to_numpy(),
        y_pred=as_series(predicted, "predicted").to_numpy(),
        sensitive_features=as_text(groups, "groups").fill_null(NOT_RECORDED).to_list(),
    )


def metric_rows(
    metric: Metric | Mapping[str, Metric],
    outcome: Any,
    predicted: Any,
    groups: Any,
    *,
    policy: Policy | None = None,
    profile: Profile | str = "sro-10",
) -> tuple[Row, ...]:
    """`metric_frame` as it may be shown: a row for each group and metric, small groups named without a number.

    Groups of fewer than ``policy.floors.show`` people, and those that would give them away by subtraction, have no
    number. What the metric itself counts is not known here: where it stands on a few of a large group's people, leave
    it out yourself.

    Returns
    -------
    rows {group, metric, value, n, reason}: the value to 0.01, ``n`` rounded as the profile says

    Examples
    --------
    >>> def listed_of(outcome, predicted):
    ...     return float(predicted.mean())
    >>> listed, groups = [1, 0] * 30 + [1] * 3, ["a"] * 40 + ["b"] * 20 + [None] * 3
    >>> for row in metric_rows(listed_of, listed, listed, groups):
    ...     print(row["group"], row["value"], row["n"], row["reason"])
    Not recorded None None not shown (fewer than 10 people)
    a 0.5 40 None
    b 0.5 20 None
    """
    profile = PROFILES[profile] if isinstance(profile, str) else profile
    floor = max((policy or load_policy()).floors.show, profile.below)
    frame = metric_frame({"metric": metric} if callable(metric) else metric, outcome, predicted, groups)
    sizes = as_text(groups, "groups").fill_null(NOT_RECORDED).value_counts(name="n")
    counts = dict(zip(sizes.to_series(0), sizes["n"], strict=True))
    names = sorted(counts)
    hidden = complementary([counts[name] for name in names], replace(profile, below=floor))
    rows: list[Row] = []
    for name, is_hidden in zip(names, hidden, strict=True):
        few = counts[name] < floor
        why = None if not is_hidden else f"not shown (fewer than {floor} people)" if few else would_show(profile)
        for title, value in frame.by_group.loc[name].items():
            number = float(value)
            reason = why or (None if math.isfinite(number) else NO_NUMBER)
            rows.append(
                {
                    "group": name, "metric": str(title), "value": None if reason else round(number, 2),
                    "n": None if why else published_count(counts[name], profile), "reason": reason,
                }
            )  # fmt: skip
    return tuple(rows)
