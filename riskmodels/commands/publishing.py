"""Putting a model's card into the folder of published cards, with its review record; the card before is kept."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from riskmodels import storage
from riskmodels.commands.cards import find_card
from riskmodels.commands.published import CARD, CHAIN, EARLIER, HEAD, NAME, NAME_WORDS, chain_of
from riskmodels.errors import CardError, GateError, UsageError
from riskmodels.workspace import Workspace


@dataclass(frozen=True)
class PublishReport:
    """``kept``: where the card before went; None if there was none, or it is the same."""

    folder: Path
    kept: Path | None
    status: str


def publish(
    reference: str, cards: Path, workspace: Workspace, today: dt.date, *, name: str | None = None
) -> PublishReport:
    """Copy a registered model's card and review record into ``cards``; the card that was there moves to ``earlier/``.

    Publishing the same card again brings its review record up to date.

    Parameters
    ----------
    cards : the folder that `riskmodels.commands.sites.site` reads
    name : of the tool's folder; the study's unless given

    Raises
    ------
    UsageError
        if the model is not registered, or the name cannot be part of an address.
    CardError
        if the folder holds another study's card.
    GateError
        if either review record is broken, or the published one is not a beginning of the workspace's.
    """
    from riskmodels.governance.review import status_banner

    found = find_card(reference, workspace)
    if not found.registered:
        raise UsageError(
            f"{reference}: is not registered in {workspace.root}, so it cannot be published; run its study"
        )
    name = name or found.card.study
    if not NAME.fullmatch(name):
        raise UsageError(f"--name {name}: {NAME_WORDS}")
    folder = Path(cards) / name
    files = {folder / CARD: found.content}
    kept = _make_room(folder, found.card.study, found.content, today, files)
    chain = chain_of(folder, found.card.study, workspace)
    record = workspace.reviews(found.card.study)
    if record.exists():
        # The head first: a writer moves it last, so the lines are never behind it.
        files[folder / HEAD] = storage.read_bytes(record.with_suffix(".head"), GateError)
        files[folder / CHAIN] = storage.read_bytes(record, GateError)
    storage.write_together(files, mode=0o644)
    status = status_banner(found.sha256, found.card.model.sha256, chain, today)
    return PublishReport(folder, kept, status["words"])


def _make_room(folder: Path, study: str, content: bytes, today: dt.date, files: dict[Path, bytes]) -> Path | None:
    """Put the card that stands there among the earlier ones, if it is another."""
    from riskmodels.cards.card import ModelCard

    path = folder / CARD
    if not path.exists():
        return None
    before = storage.read_bytes(path, CardError)
    if before == content:
        return None
    earlier = ModelCard.from_bytes(before).study
    if earlier != study:
        raise CardError(f"{path}: is the card of the study {earlier}; name another folder with --name")
    kept = folder / EARLIER / today.isoformat()
    for number in range(2, 1000):
        if not kept.exists():
            break
        kept = folder / EARLIER / f"{today.isoformat()}-{number}"
    files[kept / CARD] = before
    return kept / CARD
