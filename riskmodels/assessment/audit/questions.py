"""Which comparisons an audit makes: who is compared with whom, in what, and what each of them may decide."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from riskmodels.assessment.audit.coding import Attribute
from riskmodels.assessment.audit.contrasts import Comparison
from riskmodels.assessment.audit.counting.people import people_in
from riskmodels.assessment.audit.metrics import PROPORTIONS, parts
from riskmodels.assessment.audit.policy import Policy
from riskmodels.assessment.audit.tables import Basis


def comparisons(evidence: Basis, metrics: Sequence[str], policy: Policy) -> list[Comparison]:
    """Primary: each group against its reference, and against its own prediction. Second: against everybody else.

    Exploratory, beside the secondary metrics and the intersections: the two groups of an attribute furthest apart.
    """
    asked: list[Comparison] = []
    rates = [metric for metric in metrics if metric in PROPORTIONS]
    secondary = [metric for metric in policy.secondary if metric not in metrics]
    start = 0
    for attribute in evidence.attributes:
        reference = start + attribute.reference
        for index in range(start, start + len(attribute.groups)):
            if index != reference:
                asked += [Comparison(index, reference, metric, "primary", "reference") for metric in rates]
                asked += [Comparison(index, reference, metric, "exploratory", "reference") for metric in secondary]
            asked += [Comparison(index, None, m, "primary", "prediction") for m in metrics if m not in PROPORTIONS]
            # Between two groups, everybody else is the other one: nothing new to ask.
            if len(attribute.groups) > 2:
                asked += [Comparison(index, None, metric, "second", "others") for metric in rates]
        asked += _furthest_apart(evidence, start, attribute, rates, policy)
        start += len(attribute.groups)
    for index in range(start, len(evidence.strata)):
        asked += [Comparison(index, None, metric, "exploratory", "others") for metric in rates]
    return asked


def _furthest_apart(
    evidence: Basis, start: int, attribute: Attribute, rates: Sequence[str], policy: Policy
) -> list[Comparison]:
    """For each rate the lowest of the groups with enough people for a verdict, beside the highest; nothing where one of
    them is the reference.

    Beside a reference between them both may PASS, and their ratio be as far out of the band as the band is wide.
    """
    own = slice(start, start + len(attribute.groups))
    asked = []
    for metric in rates:
        top, bottom = parts(evidence.found.counts[own], metric)
        people = people_in(evidence.found.presence[own], PROPORTIONS[metric].bottom)
        judged = np.flatnonzero((people >= policy.floors.verdict) & ~np.array(attribute.unknown))
        if len(judged) < 3:
            continue
        by_rate = judged[np.argsort((top[judged] + 0.5) / (bottom[judged] + 1.0), kind="stable")]
        lowest, highest = int(by_rate[0]), int(by_rate[-1])
        if attribute.reference not in (lowest, highest):
            pairs = math.comb(len(judged), 2)
            asked.append(Comparison(start + lowest, start + highest, metric, "exploratory", "group", pairs))
    return asked
