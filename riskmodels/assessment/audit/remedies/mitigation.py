"""What would it take? Mitigations as experiments, each with its price in people.

Everything is tried on the test dates of a run: other sizes of the list, a score that does without stand-ins for the
group, a score whose teaching rows are reweighed, and two kinds of simulation of what parity would cost. What is handed
back are numbers. No model, threshold or rule leaves this module, so nothing of it can reach scoring; and what would
treat people by their group, or by lot, is called a simulation throughout.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import polars as pl

from riskmodels.assessment.audit.coding import Attribute, as_text, code_groups
from riskmodels.assessment.audit.policy import Policy, load_policy
from riskmodels.assessment.audit.remedies.experiments import ATTEMPTS, KEYS, Asked, ask, on_list
from riskmodels.assessment.audit.remedies.mitigation_words import FIRST, in_words
from riskmodels.assessment.audit.remedies.trials import RATES, Ground, Row, ground_of, measure_trial, with_frontier
from riskmodels.data.dataset import Dataset
from riskmodels.data.splits import Splits
from riskmodels.errors import DataError
from riskmodels.models.ranking import Ranking
from riskmodels.models.training import Predictions
from riskmodels.study import StudyFile

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Mitigation:
    """What was tried and what it would cost: numbers and words, and nothing that could score anybody.

    ``points``: rows of `trials.measure_trial` with ``frontier``; ``left_out``: rows {attribute, name,
    reason}, where ``name`` is None if nothing could be tried for the attribute; ``family``: the one that ranks today,
    ``refitted``: the one whose refits were tried; ``first``: what to do before any of it.
    """

    purpose: str
    measures: str
    level: str
    metric: str
    family: str
    refitted: str
    points: tuple[Row, ...]
    left_out: tuple[Row, ...]
    titles: dict[str, str]
    first: tuple[str, ...]
    in_words: tuple[str, ...] = ()

    def to_dict(self) -> Row:
        """As plain JSON values, exact: `published_mitigation` makes it fit to be shown."""
        return asdict(self)


def try_mitigations(
    dataset: Dataset,
    splits: Splits,
    ranking: Ranking,
    predictions: Predictions,
    groups: pl.DataFrame,
    study: StudyFile,
    *,
    policy: Policy | None = None,
    progress: Progress = lambda message: None,
) -> Mitigation:
    """Try every mitigation for every protected attribute that has at least two groups that can be judged.

    Parameters
    ----------
    ranking : today's list, all test dates
    predictions : the run's, of which the calibration rows of the ranking's family are used
    groups : entity_id, as_of_date and one column for each of ``study.protected``, of the whole cohort

    Returns
    -------
    the same seed gives the same numbers
    """
    policy = policy or load_policy(study.fairness.policy)
    asked = ask(dataset, splits, ranking, predictions, study, progress)
    points: list[Row] = []
    left_out: list[Row] = []
    titles = {}
    keys = dataset.cohort.rows.select(KEYS)
    by_row = keys.join(groups, on=KEYS, how="left", maintain_order="left")
    for name, spec in study.protected.items():
        whole = code_groups(name, as_text(by_row[name], f"groups.{name}"), spec, policy) if name in groups else None
        if not isinstance(whole, Attribute):
            left_out.append({"attribute": name, "name": None, "reason": whole or "It was not supplied."})
            continue
        titles[name] = whole.words
        here = on_list(whole, asked.place, spec.reference is not None)
        ground = ground_of(asked.rows, here, study.purpose, policy)
        if isinstance(ground, str):
            left_out.append({"attribute": name, "name": None, "reason": ground})
            continue
        progress(f"what would it take: {whole.words}")
        found, not_had = _of_attribute(asked, whole, ground)
        points += found
        left_out += not_had
    made = Mitigation(
        study.purpose, study.outcome.measures, study.level, RATES[study.purpose][0], ranking.model, asked.refitted,
        tuple(points), tuple(left_out), titles, FIRST,
    )  # fmt: skip
    return replace(made, in_words=in_words(made.to_dict()))


# ---------------------------------------------------------------- one attribute


def _of_attribute(asked: Asked, whole: Attribute, ground: Ground) -> tuple[list[Row], list[Row]]:
    """Every trial as a row, and those that could not be made with the reason."""
    rows = [measure_trial(trial, asked.today, ground) for trial in asked.lists]
    left_out = []
    for name, attempt in ATTEMPTS.items():
        try:
            made = attempt(asked, whole, ground)
        except DataError:
            made = "too few events to learn from"
        if isinstance(made, str):
            left_out.append({"attribute": whole.name, "name": name, "reason": made})
        else:
            rows.append(measure_trial(made, asked.today, ground))
    return with_frontier(rows), left_out
