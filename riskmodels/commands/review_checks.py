"""Is the record of every review whole? Reads all of it, and what was kept with it; changes nothing."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.errors import GateError, ModelFileError, RiskModelsError, UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.governance.chain import Record
    from riskmodels.governance.registry import Entry

SEAL = re.compile(r"[0-9a-f]{64}")
KEPT = frozenset(
    {
        "study/study.yaml",
        "study/answers.yaml",
        "study/register.yaml",
        "study/examples.yaml",
        "card/card.json",
        "run.json",
    }
)


@dataclass(frozen=True)
class StudyChecked:
    """``seal``: the newest, to be noted elsewhere; None where there is no record. ``notes``: what is no fault."""

    study: str
    records: int
    seal: str | None
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class VerifyReport:
    """``problems``: what is wrong beyond a single study."""

    studies: tuple[StudyChecked, ...]
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        return not self.problems and not any(one.problems for one in self.studies)

    def to_dict(self) -> dict[str, Any]:
        studies = [
            {
                "study": one.study,
                "records": one.records,
                "seal": one.seal,
                "problems": list(one.problems),
                "notes": list(one.notes),
            }
            for one in self.studies
        ]
        return {"sound": self.sound, "studies": studies, "problems": list(self.problems)}


def verify_reviews(
    workspace: Workspace, study: str | None = None, *, seals: Sequence[str] = (), today: dt.date | None = None
) -> VerifyReport:
    """Look for any edit, deletion, reordering or cut in the records of a workspace, and in what was kept with them.

    Whoever may write the whole folder can make a record anew from its beginning, head and all. Only a seal that was
    noted elsewhere, such as in a meeting's minutes, shows that: it is then on no record any more.

    Parameters
    ----------
    study : only this one; all of them unless given
    seals : newest seals as they were noted; each has to be on a record that is looked at
    today : days of the record after this one are noted; the real day unless given

    Raises
    ------
    UsageError
        for a study without a record and without a model, or a seal that is none.
    """
    from riskmodels.governance import registry
    from riskmodels.study import clock

    today = today or clock.today()
    wanted = [seal.strip().lower() for seal in seals]
    for seal in wanted:
        if not SEAL.fullmatch(seal):
            raise UsageError(
                "--seal: is the 64 letters and digits that `riskmodels review verify` prints; copy it whole"
            )
    problems: list[str] = []
    try:
        index = registry.read_index(workspace)
    except ModelFileError as error:
        index = {}
        problems.append(str(error))
    records = {
        path.stem for ending in ("jsonl", "head") for path in (workspace.root / "governance").glob(f"*.{ending}")
    }
    names = sorted(records | set(index))
    if study is not None and study not in names:
        raise UsageError(f"{study}: has no record and no model in {workspace.root}; those that have: {_listed(names)}")
    checked, known = [], set()
    for name in names if study is None else [study]:
        entries = index[name].versions if name in index else ()
        found, chain = _check(workspace, name, entries, not problems, today)
        checked.append(found)
        known |= {line.sha256 for line in chain}
    of_it = "" if study is None else f" of {study}"
    problems += [
        f"the seal {seal[:12]}… is on no record{of_it}: what was recorded when it was noted is gone or was made anew; "
        "restore the record from a copy"
        for seal in wanted
        if seal not in known
    ]
    return VerifyReport(tuple(checked), tuple(problems))


def _check(
    workspace: Workspace, study: str, entries: Sequence[Entry], has_index: bool, today: dt.date
) -> tuple[StudyChecked, list[Record]]:
    from riskmodels.governance import verifying
    from riskmodels.governance.chain import read_chain, unfinished_line
    from riskmodels.governance.rules import refuse_put_back
    from riskmodels.service.people.ledger import read_ledger, seals_seen

    path = workspace.reviews(study)
    try:
        chain = read_chain(path)
        unfinished = unfinished_line(path)
    except GateError as broken:
        return StudyChecked(study, 0, None, (str(broken),)), []
    problems = verifying.contradictions(chain)
    if has_index:
        problems += verifying.unlisted(chain, entries)
    problems += verifying.unexplained_batches(chain, [one for one in read_ledger(workspace) if one["study"] == study])
    try:
        refuse_put_back(chain, seals_seen(workspace, study))
    except GateError as older:
        problems.append(str(older))
    problems += _kept(workspace, study, chain)
    if has_index:
        problems += _champion(workspace, study, chain, entries)
    notes = [
        *([unfinished] if unfinished else []),
        *_still_to_come(chain, today),
        *_without_decision(workspace, study, chain),
    ]
    return StudyChecked(study, len(chain), chain[-1].sha256 if chain else None, tuple(problems), tuple(notes)), chain


def _still_to_come(chain: Sequence[Record], today: dt.date) -> Iterator[str]:
    days = [line.recorded_on for line in chain]
    if days and max(days) > today:
        yield (
            f"record {days.index(max(days)) + 1} is of {max(days)}, which is still to come (today is {today}): until "
            "then nothing is scored, and only a withdrawal can be recorded"
        )


def _decided_on(chain: Sequence[Record]) -> list[tuple[str, str]]:
    from riskmodels.governance.decision import Decision

    return list(
        dict.fromkeys((line.model_sha256, line.card_sha256) for line in chain if isinstance(line.act, Decision))
    )


def _kept(workspace: Workspace, study: str, chain: Sequence[Record]) -> Iterator[str]:
    """What was kept with each decision is what it was."""
    for model, card in _decided_on(chain):
        folder = workspace.deposit(study, model, card)
        try:
            if not folder.is_dir():
                raise ModelFileError(f"{folder}: is missing, which was kept with a decision; restore it from a copy")
            listed = _whole(folder, study, model, card)
            if not isinstance(json.loads(storage.read_plain_file(folder / "run.json", storage.MOST_YAML)), dict):
                raise ModelFileError(f"{folder / 'run.json'}: is not what a run writes; restore it from a copy")
        except (RiskModelsError, ValueError) as problem:
            yield _said(problem, folder)
            continue
        there = {
            one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_symlink() or not one.is_dir()
        }
        for name in sorted(there - KEPT - listed):
            yield f"{folder / name}: was not kept with the decision; take it away"


def _whole(folder: Path, study: str, model_sha256: str, card_sha256: str) -> set[str]:
    """Hold a model, its card and its study's files to their digests, and the model to its study; its files' names."""
    from riskmodels.cards.card_file import read_card_file
    from riskmodels.governance.decision import parse_card
    from riskmodels.governance.rules import read_model_folder, refuse_another_study, reviewed_study, verify_manifest

    files = read_model_folder(folder / "riskmodel")
    if verify_manifest(files) != model_sha256:
        raise ModelFileError(f"{folder / 'riskmodel'}: is not the model that was decided on; restore it from a copy")
    refuse_another_study(files, study)
    card = read_card_file(folder / "card" / "card.json")
    if storage.sha256(card) != card_sha256:
        raise ModelFileError(f"{folder / 'card' / 'card.json'}: is not the card that was decided on; restore it")
    reviewed_study(folder / "study", parse_card(card))
    return {f"riskmodel/{name}" for name in files}


def _champion(workspace: Workspace, study: str, chain: Sequence[Record], entries: Sequence[Entry]) -> Iterator[str]:
    """The champion is a registered version, and its run's files are what was registered."""
    from riskmodels.governance.champions import champion

    reign = champion(chain)
    if reign is None:
        return
    entry = next((one for one in entries if (one.model_sha256, one.card_sha256) == reign.digests), None)
    if entry is None:
        yield "the champion is not registered in models.json; restore models.json from a copy"
        return
    folder = workspace.root / entry.folder
    try:
        _whole(folder, study, *reign.digests)
    except RiskModelsError as problem:
        yield f"the champion's files are not what was registered: {_said(problem, folder)}"


def _without_decision(workspace: Workspace, study: str, chain: Sequence[Record]) -> Iterator[str]:
    decided = {workspace.deposit(study, *digests).name for digests in _decided_on(chain)}
    folder = workspace.root / "governance" / study
    for path in sorted(folder.glob("[!.]*")):
        if path.name not in decided:
            yield f"{path}: was kept for a decision that was then refused or stopped; no record names it"


def _said(problem: Exception, folder: Path) -> str:
    text = str(problem) if isinstance(problem, RiskModelsError) else "run.json: is not readable as JSON; restore it"
    return text if str(folder) in text else f"{folder}: {text}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
