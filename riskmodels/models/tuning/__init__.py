"""Settings searched for before any test date is looked at. Optuna's only home.

- ``spaces.py``          between which values each family's settings are searched: add a family here
- ``folds.py``           which rows teach and which judge
- ``judge.py``           settings of one family fitted on every fold, and what they lose
- ``boosting_folds.py``  boosted trees on many folds with one binning
- ``sampler.py``         what Optuna proposes next
- ``journal.py``         finished trials on a disk, so that a search can be taken up again
- ``search.py``          the trials of one family, until the budget is spent
- ``results.py``         which settings go on, and why
"""

from __future__ import annotations

import time
from pathlib import Path

from riskmodels.data.dataset import Dataset
from riskmodels.data.splits import Splits
from riskmodels.models.tuning.folds import Folds, plan_folds
from riskmodels.models.tuning.journal import key_of, opened
from riskmodels.models.tuning.judge import Judge
from riskmodels.models.tuning.results import Trial, TunedFamily, TuningResult, untried, with_settings
from riskmodels.models.tuning.sampler import Sampler, quiet
from riskmodels.models.tuning.search import Clock, Progress, Search
from riskmodels.models.tuning.spaces import own_settings, space_of
from riskmodels.study import StudyFile

__all__ = ["TuningResult", "tune"]


def tune(
    data: Dataset,
    splits: Splits,
    study: StudyFile,
    *,
    store: Path | None = None,
    progress: Progress = lambda message: None,
    clock: Clock = time.monotonic,
) -> TuningResult:
    """Search the settings of the families in ``models.tuning``, on the fit rows of the first origin.

    Settings are judged by ``models.choose_by``: the mean over folds of the Brier score, or the log loss, of
    1 / (1 + exp(-score)) on the rows that judge the fold. These risks are not calibrated. A calibrator would need rows
    of its own, and mends what is wrong with all risks alike, not which settings tell people apart.

    The study's own settings are the first trial. They go on unless the best of the others beats them by more than
    chance: the paired difference has a 95% interval over whole clusters, all of it above 0. As the best of many it
    flatters itself a little even so; the families are then compared on calibration rows, which it has not seen.

    With a budget of trials the result depends on the study, the rows and the seed alone, whether or not the search was
    stopped on the way. Minutes are shared evenly among the families, and trials of an earlier run count.

    Parameters
    ----------
    store : folder for the journals of finished trials; without it, a search that was stopped begins anew
    progress : told of the first trial and the last, and about every five seconds in between
    clock : seconds that pass, for the budget in minutes

    Raises
    ------
    DataError, StudyError, UsageError
        if a family cannot be fitted on a fold with the study's own settings, or lacks its package.
    """
    plan = study.models.tuning
    if plan is None:
        return TuningResult(study)
    progress("preparing the folds that settings are tuned in")
    folds = plan_folds(data, splits, study, plan.folds)
    tuned, families, logged = study, [], {}
    for family in plan.families:
        found, trials = _tune_family(family, folds, study, store, progress, clock)
        families.append(found)
        logged[str(family)] = [trial.to_log(study.models.choose_by) for trial in trials]
        if not found.kept:
            tuned = with_settings(tuned, family, found.best)
    return TuningResult(tuned, tuple(families), logged)


def _tune_family(
    family: str, folds: Folds, study: StudyFile, store: Path | None, progress: Progress, clock: Clock
) -> tuple[TunedFamily, list[Trial]]:
    own = own_settings(family, study.models.families[family])
    if not folds.folds:
        progress(f"{family} is not tuned: {folds.reason}")
        return untried(family, own, folds), []
    space = space_of(family, own, folds.fewest_taught)
    with quiet(), opened(store, family, key_of(family, folds, study, space), space, progress) as journal:
        # From here on, so that the wait for another process is not counted.
        search, judge = Search(family, study, progress, clock), Judge(family, folds, study)
        search.run(judge, Sampler(family, space, study.seed), journal)
        return search.settled(judge), search.trials
