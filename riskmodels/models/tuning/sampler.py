"""What to try next: Optuna's tree-structured Parzen estimator, made to propose the same whoever asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from riskmodels import storage
from riskmodels.data.splits import seeded_hash
from riskmodels.models.tuning.results import Trial
from riskmodels.models.tuning.spaces import Range, Settings

if TYPE_CHECKING:
    import optuna

CHECK = "check"


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna says nothing, and afterwards as much as it did before."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


class Sampler:
    """Proposes settings after the trials that it was given (TPE: Bergstra et al. 2011; the first ten are random).

    Each proposal has a seed of its own, so it is the same whether the trials before it were made a moment ago or read
    from a journal.
    """

    def __init__(self, family: str, space: Mapping[str, Range], seed: int) -> None:
        import optuna

        self.space = space
        self._family, self._seed, self._taken = family, seed, 0
        self._memory = optuna.create_study(direction="minimize")

    def take(self, trial: Trial) -> None:
        self._memory.add_trial(frozen(trial, self.space))
        self._taken += 1

    def propose(self) -> Settings:
        import optuna

        seed = seeded_hash([f"{self._family} {self._taken}"], self._seed, use=b"tuning")[0]
        self._memory.sampler = optuna.samplers.TPESampler(seed=int(seed) % 2**32, constant_liar=False)
        # What was only asked for teaches nothing; it is taken when it is done, as those are that were read.
        proposed: Settings = self._memory.ask(_distributions(self.space)).params
        return proposed

    def settled(self, proposed: Settings) -> Settings:
        """The proposal as it is tried."""
        return {name: found.settled(proposed[name]) for name, found in self.space.items()}


def frozen(trial: Trial, space: Mapping[str, Range]) -> optuna.trial.FrozenTrial:
    """A trial as Optuna keeps it. Its attributes hold the whole trial as we do, and a digest to tell damage by."""
    import optuna

    whole = {**asdict(trial), "losses": list(trial.losses), "aucs": list(trial.aucs)}
    check = storage.sha256(storage.canonical_json(whole))[:16]
    return optuna.trial.create_trial(
        params=dict(trial.proposed),
        distributions=_distributions(space),
        value=trial.loss,
        user_attrs={**whole, CHECK: check},
    )


def thawed(found: optuna.trial.FrozenTrial, number: int, space: Mapping[str, Range]) -> Trial:
    """The trial that was kept.

    Raises
    ------
    KeyError, TypeError, ValueError
        if anything in it is not as it was written.
    """
    whole = {name: value for name, value in found.user_attrs.items() if name != CHECK}
    trial = Trial(**{**whole, "losses": tuple(whole["losses"]), "aucs": tuple(whole["aucs"])})
    again = frozen(trial, space)
    same = ("state", "value", "params", "distributions", "user_attrs")
    if trial.number != number or any(getattr(found, part) != getattr(again, part) for part in same):
        raise ValueError("a trial is not as it was written")
    return trial


def _distributions(space: Mapping[str, Range]) -> dict[str, optuna.distributions.BaseDistribution]:
    from optuna.distributions import FloatDistribution, IntDistribution

    return {
        name: IntDistribution(int(found.low), int(found.high), log=True)
        if found.whole
        else FloatDistribution(found.low, found.high, log=True)
        for name, found in space.items()
    }
