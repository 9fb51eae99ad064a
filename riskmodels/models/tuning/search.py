"""The trials of one family, one after the other, until the budget is spent."""

from __future__ import annotations

from collections.abc import Callable

from riskmodels.models.tuning.journal import Journal
from riskmodels.models.tuning.judge import Judge, Judged
from riskmodels.models.tuning.results import NO_GAIN, Trial, TunedFamily, best_of, settle
from riskmodels.models.tuning.sampler import Sampler
from riskmodels.models.tuning.spaces import Settings
from riskmodels.study import StudyFile

Progress = Callable[[str], None]
Clock = Callable[[], float]

MOST_TRIALS = 10_000
SECONDS_BETWEEN_WORDS = 5.0


class Search:
    """``trials`` so far, the first ``resumed`` of them by an earlier run."""

    def __init__(self, family: str, study: StudyFile, progress: Progress, clock: Clock) -> None:
        plan = study.models.tuning
        assert plan is not None
        self.trials: list[Trial] = []
        self.resumed = 0
        self._family, self._progress, self._clock = family, progress, clock
        self._most = plan.trials
        self._seconds = None if plan.minutes is None else 60.0 * plan.minutes / len(plan.families)
        self._since = self._said_at = clock()
        # Of the study's own settings and of the best so far: those of every trial would fill the memory.
        self._judged: dict[int, Judged] = {}

    @property
    def ended_by(self) -> str | None:
        """What ends the search now, if anything does. The study's own settings are always tried."""
        if len(self.trials) >= (self._most or MOST_TRIALS):
            return "trials"
        return "minutes" if self.trials and self._seconds is not None and self._spent >= self._seconds else None

    @property
    def _spent(self) -> float:
        return sum(trial.seconds for trial in self.trials)

    def run(self, judge: Judge, sampler: Sampler, journal: Journal) -> None:
        """Take up what the journal has, then try what the sampler proposes."""
        for trial in journal.done:
            if not self.ended_by:
                sampler.take(trial)
                self.trials.append(trial)
        self.resumed = len(self.trials)
        if self.resumed:
            self._progress(f"tuning {self._family}: {self.resumed} trials were done by an earlier run")
        while not self.ended_by:
            proposed = sampler.propose() if self.trials else judge.own
            settings = sampler.settled(proposed) if self.trials else judge.own
            trial = self._tried(judge, proposed, settings)
            sampler.take(trial)
            journal.keep(trial)
            self._say()

    def _tried(self, judge: Judge, proposed: Settings, settings: Settings) -> Trial:
        number = len(self.trials)
        same = next((trial for trial in self.trials if trial.settings == settings), None)
        if same is not None:
            losses, aucs = same.losses, same.aucs
        else:
            self._judged[number] = judge.judge(settings)
            losses, aucs = self._judged[number].losses, self._judged[number].aucs
        now = self._clock()
        trial = Trial(number, proposed, settings, losses, aucs, now - self._since)
        self._since = now
        self.trials.append(trial)
        wanted = {0, best_of(self.trials).number}
        self._judged = {one: judged for one, judged in self._judged.items() if one in wanted}
        return trial

    def settled(self, judge: Judge) -> TunedFamily:
        """Which settings go on."""
        own, best = self.trials[0], best_of(self.trials)
        gain = NO_GAIN
        if best is not own:
            # Those that were read are fitted again: a journal holds nothing of single rows.
            pair = (self._judged.get(trial.number) or judge.judge(trial.settings) for trial in (own, best))
            gain = judge.gain(*pair)
        return settle(self._family, judge.folds, self.trials, gain, self.resumed, str(self.ended_by))

    def _say(self) -> None:
        made, now = self.trials[self.resumed :], self._clock()
        if len(made) > 1 and now - self._said_at < SECONDS_BETWEEN_WORDS and not self.ended_by:
            return
        self._said_at = now
        of = f" of {self._most}" if self._most else ""
        if self._seconds is not None:
            of += f", {self._spent / 60:.1f} of {self._seconds / 60:.1f} minutes"
        best, pace = best_of(self.trials).loss, sum(trial.seconds for trial in made) / len(made)
        self._progress(
            f"tuning {self._family}: trial {len(self.trials)}{of}, best {best:.4f} so far, {pace:.1f} s a trial"
        )
