"""Between which values a figure lies, whatever became of those whose outcome is unknown.

The bounds are sharp: at each end stands an assignment of outcomes that gives that very value. They hold for the cohort
at hand whatever the reason an outcome is missing, and carry no sampling error. Source: Horowitz & Manski 2000.
Precision and recall of the list: `riskmodels.assessment.decisions`.
"""

from __future__ import annotations

import numpy as np

from riskmodels.assessment.intervals import Floats
from riskmodels.assessment.ranked_rows import Mask

Bounds = list[float | None]


def oe_bounds(outcome: Floats, known: Mask, risk: Floats) -> Bounds:
    """O/E with every unknown outcome no event, and with every one an event; the risks of everybody are expected.

    Parameters, here and below
    --------------------------
    outcome : shape (n,), 0/1 where known
    known : shape (n,), boolean
    risk : shape (n,), probabilities
    """
    expected = float(risk.sum())
    if expected == 0:
        return [None, None]
    events = float(outcome[known].sum())
    return [events / expected, (events + int((~known).sum())) / expected]


def brier_bounds(outcome: Floats, known: Mask, risk: Floats) -> Bounds:
    """Brier score with each unknown outcome on the nearer side of its risk, and on the farther side."""
    if risk.size == 0:
        return [None, None]
    seen = float(((risk - outcome)[known] ** 2).sum())
    nearer = np.minimum(risk, 1 - risk)[~known]
    return [(seen + float((end**2).sum())) / risk.size for end in (nearer, 1 - nearer)]


def auc_bounds(outcome: Floats, known: Mask, risk: Floats) -> Bounds:
    """The least and the greatest AUC that outcomes for the unknown rows could give.

    With m events among n rows AUC = (sum of the events' midranks - m(m + 1)/2) / (m (n - m)), and midranks do not
    depend on outcomes. So for a given number of events among the unknown, AUC is greatest where they are the unknown
    rows of highest risk and least where they are those of lowest; and every number of them is tried. O(n log n).
    [None, None] where no assignment has both events and non-events.
    """
    n, unknown = risk.size, ~known
    order = np.argsort(risk, kind="stable")
    ordered = risk[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))[:n])
    sizes = np.diff(starts, append=n)
    ranks = np.empty(n)
    ranks[order] = np.repeat(starts + (sizes + 1) / 2, sizes)
    of_unknown = ranks[order][unknown[order]]  # rising
    events = known & (outcome == 1)
    m = int(events.sum()) + np.arange(of_unknown.size + 1)
    possible = (m > 0) & (m < n)
    if not possible.any():
        return [None, None]
    ends: Bounds = []
    for added, best in ((of_unknown, np.min), (of_unknown[::-1], np.max)):
        summed = float(ranks[events].sum()) + np.concatenate(([0.0], np.cumsum(added)))
        with np.errstate(divide="ignore", invalid="ignore"):
            aucs = (summed - m * (m + 1) / 2) / (m * (n - m))
        ends.append(float(best(aucs[possible])))
    return ends
