"""Answer the person: where they stand in the batches, and a letter that says so.

No id is ever put into an error, a log or MLflow; whom an answer is about is known by the order of asking.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.commands.sources import Progress, silent
from riskmodels.errors import DataError, ModelFileError, RiskModelsError, UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.assessment.told_and_happened import ToldAndHappened
    from riskmodels.models.risk_model import RiskModel
    from riskmodels.service.people.ledger import KnownBatch
    from riskmodels.service.people.letter import Decided
    from riskmodels.service.people.record import BatchNote
    from riskmodels.service.people.trace import States, Trace
    from riskmodels.study import Study

NOBODY = (
    "no letter can be written: nobody of this id stands in the record of this batch; ask which batches there are with "
    "`riskmodels trace`"
)


@dataclass(frozen=True)
class LetterReport:
    """``hard``: what makes it hard to read, for whoever sends it; None where it reads plainly."""

    content: bytes
    output: Path | None
    form: str
    hard: str | None = None


# ---------------------------------------------------------------- trace


def trace(
    ids: Sequence[str],
    workspace: Workspace,
    today: dt.date,
    *,
    study: str | None = None,
    batch: str | None = None,
    model: str | None = None,
    role: str | None = None,
    progress: Progress = silent,
) -> Trace:
    """The batches that each of these people was in; those of one study, batch or model where one is named.

    Parameters
    ----------
    role : who reads the answer, as in `riskmodels.commands.score`. A rule of the service over a source that the
        register does not show to them is withheld, and so is any rule whose study cannot be read.

    Raises
    ------
    UsageError
        if nobody is asked for, or there is no such batch, study, model or role.
    """
    from riskmodels.service.people.trace import trace_people

    wanted = [one.strip() for one in ids]
    if not wanted or not all(wanted):
        raise UsageError("trace: name somebody by id; an empty id is nobody's")
    chosen = _chosen(workspace, study, batch, model, progress)
    rules = _Rules(workspace, role, progress)
    if role is not None:
        rules.refuse_unknown(chosen)
    return trace_people(chosen, wanted, _states(workspace, today, progress), progress, rules.told)


class _Rules:
    """The reasons of service rules that one role may read; each study is read once, and only where it is needed."""

    def __init__(self, workspace: Workspace, role: str | None, progress: Progress) -> None:
        self.workspace, self.role, self.progress = workspace, role, progress
        self._studies: dict[tuple[Any, ...], Study | None] = {}

    def told(self, line: Mapping[str, Any]) -> Collection[str]:
        from riskmodels.models.reasons import RULE_WITHHELD, rule_words

        study = self._study(line)
        return () if study is None else set(rule_words(self.role, study)) - {RULE_WITHHELD}

    def refuse_unknown(self, batches: Sequence[KnownBatch]) -> None:
        """A role that was misspelt would be told less than it may, and nobody would know why."""
        from riskmodels.models.reasons import known_roles

        studies = [study for batch in batches if (study := self._study(batch.line)) is not None]
        known = set().union(*(known_roles(study) for study in studies))
        if studies and self.role not in known:
            which = f"the registers name {', '.join(sorted(known))}" if known else "every role may see every source"
            raise UsageError(f"--role: no register of these batches' studies says may_show_to for it; {which}")

    def _study(self, line: Mapping[str, Any]) -> Study | None:
        key = (line["study"], line["version"], line.get("card_sha256"))
        if key not in self._studies:
            self._studies[key] = self._read(*key)
        return self._studies[key]

    def _read(self, name: str, version: int | None, card_sha256: str | None) -> Study | None:
        from riskmodels.cards.card_file import read_card_file
        from riskmodels.commands.gates import study_of_run
        from riskmodels.governance import registry

        if version is None:
            return None
        try:
            found = registry.resolve(self.workspace, f"{name}/{version}")
            card = read_card_file(found.card_path)
            if storage.sha256(card) != card_sha256:
                return None
            return study_of_run(found, card)
        except RiskModelsError as error:
            # The person's answer does not wait until the run's folder is mended.
            self.progress(str(error))
            return None


def batches(
    workspace: Workspace,
    today: dt.date,
    *,
    study: str | None = None,
    batch: str | None = None,
    model: str | None = None,
    progress: Progress = silent,
) -> list[dict[str, Any]]:
    """What each batch was, as aggregates: all of them, or those of one study, batch or model. Raises UsageError."""
    from riskmodels.service.people.trace import batch_row

    states = _states(workspace, today, progress)
    return [batch_row(one, states) for one in _chosen(workspace, study, batch, model, progress)]


def _chosen(
    workspace: Workspace, study: str | None, batch: str | None, model: str | None, progress: Progress
) -> list[KnownBatch]:
    from riskmodels.governance import registry
    from riskmodels.service.people.ledger import known_batches

    found = known_batches(workspace, progress)
    if study is not None:
        if study not in registry.read_index(workspace) and all(one.line["study"] != study for one in found):
            raise UsageError("--study: no such study among the models and batches of this workspace")
        found = [one for one in found if one.line["study"] == study]
    if model is not None:
        meant = registry.resolve(workspace, model)
        if meant.entry is None:
            raise UsageError("--model: this model is not registered in the workspace, so no batch was made with it")
        key = (meant.study, meant.version)
        found = [one for one in found if (one.line["study"], one.line["version"]) == key]
    if batch is not None:
        found = [one for one in found if one.line["batch_id"] == batch]
        if not found:
            raise UsageError("--batch: no such batch here; `riskmodels trace` alone lists those there are")
    return found


def _states(workspace: Workspace, today: dt.date, progress: Progress) -> States:
    from riskmodels.governance.standing import states

    try:
        rows = states(workspace, today)
    except ModelFileError as error:
        # The person's answer does not wait until the index of models is mended.
        progress(str(error))
        return {}
    return {(row["study"], row["version"], row["model_sha256"]): row["state"] for row in rows if row["version"]}


# ---------------------------------------------------------------- letter


def letter(
    entity_id: str,
    batch: str,
    workspace: Workspace,
    today: dt.date,
    output: Path | None = None,
    form: str | None = None,
    decisions: Path | None = None,
    progress: Progress = silent,
) -> LetterReport:
    """A letter to one person about one batch. The same question on the same day gives the same bytes.

    Parameters
    ----------
    form : html, md or txt; what ``output`` ends in unless given, or txt
    decisions : the team's decision sheet, filled in

    Raises
    ------
    DataError
        if nobody of this id is in the batch (why is not said), its record was deleted or damaged, or a rule left the
        person off because they have died.
    ModelFileError
        if the model or the study is not the one that the batch was made with.
    """
    from riskmodels.reports.letter_page import FORMS, render_letter
    from riskmodels.service.people.letter import Answered, build_letter
    from riskmodels.service.people.plain import hard_to_read
    from riskmodels.service.people.record import find_people, read_batch
    from riskmodels.service.people.shown import reasons_for_person, sources_looked_at, sources_used

    form = form or (output.suffix[1:] if output is not None and output.suffix[1:] in FORMS else "txt")
    if form not in FORMS:
        raise UsageError(f"--format is {', '.join(FORMS[:-1])} or {FORMS[-1]}")
    if output is not None:
        storage.refuse_unwritable(output)
    (known,) = _chosen(workspace, None, batch, None, progress)
    if known.folder is None:
        raise DataError(
            "no letter can be written: the record of this batch was deleted or never kept; what is left is "
            f"`riskmodels trace --batch {known.line['batch_id']}`"
        )
    note = read_batch(known.folder)
    entity_id = entity_id.strip()
    person = find_people(known.folder, [entity_id]).get(entity_id) if entity_id else None
    if person is None:
        raise DataError(NOBODY)
    model, study = _model_and_study(workspace, note)
    states = _states(workspace, today, progress)
    asked = Answered(
        study=study,
        batch=note,
        person=person,
        sources=sources_used(model, study),
        reasons=None if person.codes is None else reasons_for_person(model, study, person.codes),
        state=states.get((note.study, note.version, note.model_sha256), ""),
        today=today,
        decided=None if decisions is None else _decided(decisions, note.batch_id, entity_id),
        looked_at=sources_looked_at(study),
        tested=_tested(workspace, note, person.risk),
    )
    written = build_letter(asked)
    content = render_letter(written, form)
    if output is not None:
        storage.write_whole(output, content)
    return LetterReport(content, output, form, hard_to_read(written, asked))


def _model_and_study(workspace: Workspace, note: BatchNote) -> tuple[RiskModel, Study]:
    """The model and the study that the batch was made with, checked by digest. No gate is asked: somebody may ask about
    a model that was withdrawn long ago."""
    from riskmodels.cards.card_file import read_card_file
    from riskmodels.commands.gates import study_of_run
    from riskmodels.governance import registry
    from riskmodels.models.risk_model import MANIFEST, RiskModel, read_model_folder, verify_manifest

    if note.version is None:
        raise ModelFileError("the batch was made with a model that was never registered; its letter cannot be written")
    found = registry.resolve(workspace, f"{note.study}/{note.version}")
    files = read_model_folder(found.model_folder)
    verify_manifest(files)
    card = read_card_file(found.card_path)
    if (storage.sha256(files[MANIFEST]), storage.sha256(card)) != (note.model_sha256, note.card_sha256):
        raise ModelFileError(
            f"{found.folder}: is not the model and card that the batch was made with; restore the run's folder"
        )
    # Not loaded before it is known to be the one.
    return RiskModel.from_files(files), study_of_run(found, card)


def _tested(workspace: Workspace, note: BatchNote, risk: float) -> ToldAndHappened | None:
    """What happened to those who were tested near this risk; None where the run's ranking is gone, or too few were."""
    from riskmodels.assessment.told_and_happened import near
    from riskmodels.governance import registry

    path = registry.resolve(workspace, f"{note.study}/{note.version}").folder / "ranking.parquet"
    return near(storage.read_table(path), risk) if path.is_file() else None


def _decided(sheet: Path, batch_id: str, entity_id: str) -> Decided | None:
    """What the sheet says of this person and of nobody else."""
    from riskmodels.service.outputs.decisions import read_decisions
    from riskmodels.service.people.letter import Decided

    for row in read_decisions(sheet, batch_id).iter_rows(named=True):
        if row["entity_id"] == entity_id and row["decision"] is not None:
            noted = {name: row[name] is not None for name in ("decider", "reason")}
            return Decided(row["decision"], noted["decider"], row["decided_on"], noted["reason"])
    return None
