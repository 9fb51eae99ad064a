"""Where everything stands: what is in use, what waits for whom, and who was champion when."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.commands.sources import Progress, silent
from riskmodels.errors import CardError, GateError, UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.governance.chain import Record
    from riskmodels.governance.overview import CardFacts, View
    from riskmodels.governance.registry import Entry, Registered

READ_BY_THE_MODEL = "the model"  # as a card's register says what a source is used for


@dataclass(frozen=True)
class ModelsReport:
    """``found``: today, soon_days, in_use, actions, versions, drafts, approvals and history, as plain values.

    A row of ``in_use`` is as `overview.in_use_row`, of ``actions`` as `actions.Action.row`, of ``versions`` as
    `overview.version_rows`, of ``drafts`` as `standing.states`, of ``history`` as `history.reign_rows`. Those of
    ``approvals``: study, version, stage, example, from, until, expires, record, ended_by, ended_record.
    """

    found: dict[str, Any]
    html: Path | None = None


def models(
    workspace: Workspace,
    today: dt.date,
    *,
    study: str | None = None,
    html: Path | None = None,
    progress: Progress = silent,
) -> ModelsReport:
    """Every model, what it is used for and what waits for whom; of one study, or of all.

    Nothing is written but the page. Each record is read once, and the ledger once.

    Raises
    ------
    UsageError
        if the workspace is a file, or the study is not known there.
    ModelFileError
        if the index of models is damaged.
    OutsideError
        if the page cannot be written.
    """
    from riskmodels.governance import standing
    from riskmodels.governance.actions import actions_of, in_order
    from riskmodels.governance.history import reign_rows
    from riskmodels.governance.overview import SOON_DAYS, in_use_row, version_rows

    if html is not None:
        storage.refuse_unwritable(html)
    index = _index(workspace)
    views = _views(workspace, index, today, study, progress)
    actions = {view.study: actions_of(view) for view in views}
    stopped = {name: [one.what for one in waiting if one.stops] for name, waiting in actions.items()}
    found: dict[str, Any] = {
        "today": today.isoformat(),
        "soon_days": SOON_DAYS,
        "in_use": [in_use_row(view, stopped[view.study]) for view in views],
        "actions": [one.row(today) for one in in_order(one for waiting in actions.values() for one in waiting)],
        "versions": [row for view in views for row in version_rows(view)],
        "drafts": [row for row in standing.drafts(workspace, index) if study in (None, row["study"])],
        "approvals": [row for view in views for row in _approval_rows(view)],
        "history": [row for view in views for row in reign_rows(view.study, view.lines, view.batches, today)],
    }
    if html is not None:
        from riskmodels.reports.models_page import render_models

        progress("drawing the page")
        storage.write_whole(html, render_models(found), mode=0o644)
    return ModelsReport(found, html)


def champions(workspace: Workspace, today: dt.date, on: dt.date, *, study: str | None = None) -> list[dict[str, Any]]:
    """Who was champion of each study at the end of a day, and who had moved it: `history.champion_on`, from the record.

    Raises
    ------
    UsageError
        if the day is still to come, the workspace is a file, or the study is not known there.
    """
    from riskmodels.governance.history import champion_on

    if on > today:
        raise UsageError(f"--on {on}: is still to come; today is {today}")
    records = _records(workspace, _index(workspace), study)
    return [champion_on(name, chain, on, is_past=on < today) for name, chain in records.items()]


def history(
    workspace: Workspace, today: dt.date, *, study: str | None = None, progress: Progress = silent
) -> list[dict[str, Any]]:
    """Every champion that there was, by study, oldest first: `history.reign_rows`.

    Raises
    ------
    UsageError
        if the workspace is a file, or the study is not known there.
    GateError
        if a record is broken.
    """
    from riskmodels.governance.history import batches_by_study, reign_rows
    from riskmodels.service.people.ledger import known_batches

    batches = batches_by_study(one.line for one in known_batches(workspace, progress))
    rows = []
    for name, chain in _records(workspace, _index(workspace), study).items():
        if isinstance(chain, GateError):
            raise chain
        rows += reign_rows(name, chain, batches.get(name, ()), today)
    return rows


# ---------------------------------------------------------------- what there is


def _index(workspace: Workspace) -> dict[str, Registered]:
    from riskmodels.governance.registry import read_index

    if workspace.root.exists() and not workspace.root.is_dir():
        raise UsageError(f"--workspace {workspace.root}: is a file; name the folder that the runs are kept in")
    return read_index(workspace)


def _records(
    workspace: Workspace, index: Mapping[str, Registered], study: str | None
) -> dict[str, list[Record] | GateError]:
    """Every study that the index or a record knows, in order, with its record or what is wrong with it."""
    from riskmodels.governance.registry import REFERENCE
    from riskmodels.governance.standing import read_record

    recorded = [path.stem for path in workspace.reviews("any").parent.glob("[!.]*.jsonl")]
    known = sorted({*index, *(name for name in recorded if REFERENCE.fullmatch(name))})
    if study is not None and study not in known:
        raise UsageError(f"{study}: no such study in {workspace.root}; there is {', '.join(known) or 'none yet'}")
    return {name: read_record(workspace, name) for name in known if study in (None, name)}


def _views(
    workspace: Workspace, index: Mapping[str, Registered], today: dt.date, study: str | None, progress: Progress
) -> list[View]:
    from riskmodels.governance.history import batches_by_study
    from riskmodels.governance.overview import View
    from riskmodels.governance.registry import Registered
    from riskmodels.service.people.ledger import known_batches

    records = _records(workspace, index, study)
    batches = batches_by_study(one.line for one in known_batches(workspace, progress)) if records else {}
    views = []
    for name, chain in records.items():
        view = View(name, index.get(name, Registered()), chain, batches.get(name, ()), today)
        cards, faults = _cards(workspace, [one for one in (view.champion, view.candidate) if one is not None])
        views.append(replace(view, cards=cards, faults=faults))
    return views


def _cards(workspace: Workspace, entries: Sequence[Entry]) -> tuple[dict[int, CardFacts], dict[int, str]]:
    """What is read of these versions' cards, and what is wrong with the others: a changed card tells nothing."""
    from riskmodels.cards.card_file import read_card_file

    found, faults = {}, {}
    for entry in entries:
        path = workspace.root / entry.folder / "card" / "card.json"
        try:
            content = read_card_file(path)
            if storage.sha256(content) != entry.card_sha256:
                raise CardError(f"{path}: is not the registered card; restore it")
            found[entry.version] = _facts(json.loads(content))
        except CardError as error:
            faults[entry.version] = str(error)
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
            faults[entry.version] = f"{path}: is not a model card; restore it"
    return found, faults


def _facts(card: Mapping[str, Any]) -> CardFacts:
    from riskmodels.governance.overview import OWNER, CardFacts

    register = (card.get("data") or {}).get("register") or {"columns": [], "rows": []}
    ends = []
    for row in register["rows"]:
        said = dict(zip(register["columns"], row, strict=True))
        try:
            day = dt.date.fromisoformat(str(said.get("Agreement expires")))
        except ValueError:
            continue
        if said.get("Used for") == READ_BY_THE_MODEL:
            ends.append((str(said["Source"]), day))
    owner = (card.get("organisation") or {}).get("owner")
    return CardFacts(str(card.get("title") or card["study"]), str(owner or OWNER), tuple(ends), card)


def _approval_rows(view: View) -> list[dict[str, Any]]:
    return [
        {
            "study": view.study,
            "version": entry.version,
            "stage": span.decision.stage,
            "example": span.decision.example,
            "from": span.since.isoformat(),
            "until": span.until.isoformat(),
            "expires": str(span.decision.expires),
            "record": span.began.seq,
            "ended_by": None if span.ended is None else span.ended.act.kind,
            "ended_record": None if span.ended is None else span.ended.seq,
        }
        for entry in view.known.versions
        for span in view.spans(entry)
    ]
