"""What a search for settings came to: its trials, which settings go on, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from riskmodels.models.logit import significant
from riskmodels.models.tuning.folds import Folds
from riskmodels.models.tuning.spaces import Settings, replaced
from riskmodels.study import StudyFile

NO_GAIN: Mapping[str, float | None] = MappingProxyType({"value": None, "low": None, "high": None})


@dataclass(frozen=True)
class Trial:
    """One setting, tried in every fold.

    Attributes
    ----------
    proposed, settings : what the sampler said, and the same rounded to what is worth saying
    losses, aucs : one of each for every fold
    seconds : since the trial before was done
    """

    number: int
    proposed: Settings
    settings: Settings
    losses: tuple[float, ...]
    aucs: tuple[float, ...]
    seconds: float

    @property
    def loss(self) -> float:
        """What is made small: the mean over folds of the mean loss of the rows that judge."""
        return math.fsum(self.losses) / len(self.losses)

    def to_log(self, criterion: str) -> dict[str, Any]:
        """As it is logged: number, params, and metrics, with one of each for every fold, to six digits."""
        metrics = {criterion: self.loss, "auc": math.fsum(self.aucs) / len(self.aucs)}
        for fold, (loss, auc) in enumerate(zip(self.losses, self.aucs, strict=True), 1):
            metrics |= {f"{criterion}_fold_{fold}": loss, f"auc_fold_{fold}": auc}
        rounded = {name: significant(value, 6) for name, value in metrics.items()}
        return {"number": self.number, "params": dict(self.settings), "metrics": rounded}


def best_of(trials: Sequence[Trial]) -> Trial:
    """The lowest loss; the earlier of equals."""
    return min(trials, key=lambda trial: (trial.loss, trial.number))


@dataclass(frozen=True)
class TunedFamily:
    """What the search of one family came to.

    Attributes
    ----------
    how, why : "time" or "grouped" folds, and why not by time
    folds : the dates, or the groups, that judged
    trials, resumed : how many settings were tried, and how many of these an earlier run had done
    ended_by : "trials" or "minutes"; "no folds" where nothing could be tried
    own, best : the study's own settings, and those with the lowest loss in the folds: of those that are tuned
    own_loss, best_loss : their losses; None where nothing could be tried
    gain : value, low and high of own_loss - best_loss, 95% over whole clusters; None where it cannot be told
    kept : whether the study's own settings go on, and ``reason``: why
    """

    family: str
    how: str
    why: str
    folds: tuple[str, ...]
    trials: int
    resumed: int
    ended_by: str
    own: Settings
    best: Settings
    own_loss: float | None
    best_loss: float | None
    gain: Mapping[str, float | None]
    kept: bool
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values, losses to six digits. How many trials were resumed is left out: it changes nothing found."""
        plain = {part.name: getattr(self, part.name) for part in fields(self) if part.name != "resumed"}
        return plain | {
            "folds": list(self.folds),
            "own": dict(self.own),
            "best": dict(self.best),
            "own_loss": _six(self.own_loss),
            "best_loss": _six(self.best_loss),
            "gain": {name: _six(value) for name, value in self.gain.items()},
        }


def _six(value: float | None) -> float | None:
    return None if value is None else significant(value, 6)


def untried(family: str, own: Settings, folds: Folds) -> TunedFamily:
    """Where no fold had enough outcomes, the study's own settings go on."""
    return TunedFamily(
        family, folds.how, folds.reason, (), 0, 0, "no folds", own, own, None, None, NO_GAIN, True, folds.reason
    )


def settle(
    family: str, folds: Folds, trials: Sequence[Trial], gain: Mapping[str, float | None], resumed: int, ended_by: str
) -> TunedFamily:
    """Which settings go on. ``gain`` is that of the best trial over the first, the study's own."""
    own, best = trials[0], best_of(trials)
    kept, reason = True, "no other settings did better in the folds"
    if len(trials) == 1:
        reason = "only the study's own settings were tried"
    elif best is not own:
        kept = gain["low"] is None or gain["low"] <= 0
        reason = "they did better in the folds than the study's own, by more than chance"
        if kept:
            reason = "the best of the others did better in the folds, but not by more than chance"
    return TunedFamily(
        family,
        folds.how,
        folds.reason,
        tuple(fold.name for fold in folds.folds),
        len(trials),
        resumed,
        ended_by,
        own.settings,
        best.settings,
        own.loss,
        best.loss,
        gain,
        kept,
        reason,
    )


@dataclass(frozen=True)
class TuningResult:
    """The study with the settings that go on, what was found of each family, and each trial as it is logged.

    ``trials``: family -> rows {number, params, metrics}. Where the study asks for no tuning, ``study`` is as it was and
    the rest is empty.
    """

    study: StudyFile
    families: tuple[TunedFamily, ...] = ()
    trials: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any] | None:
        """What the card says of it; None where nothing was to be tuned. The same trials give the same, and no clock.

        ``repeatable``: whether another run would try the same settings, which a budget of minutes does not promise.
        """
        plan = self.study.models.tuning
        if plan is None:
            return None
        return {
            "criterion": self.study.models.choose_by,
            "budget": {"trials": plan.trials, "minutes": plan.minutes},
            "repeatable": plan.minutes is None,
            "folds": plan.folds,
            "families": [family.to_dict() for family in self.families],
        }


def with_settings(study: StudyFile, family: str, settings: Settings) -> StudyFile:
    """The study with these settings of one family; what is not tuned, such as splines, stays as it was."""
    tuned = replaced(study.models.families[family], settings)
    candidates = study.models.candidates.model_copy(update={family: tuned})
    return study.model_copy(update={"models": study.models.model_copy(update={"candidates": candidates})})
