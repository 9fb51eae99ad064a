"""Two cards of a model: what changed from one to the other."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodels import storage
from riskmodels.commands.cards import FoundCard, earlier_card, find_card, refuse_other, registered_on
from riskmodels.errors import CardError, UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.cards.card import ModelCard
    from riskmodels.cards.change import Change


@dataclass(frozen=True)
class ChangeReport:
    """What changed, and the files that were written of it."""

    change: Change
    paths: tuple[Path, ...]


def card_diff(
    old: str,
    new: str,
    workspace: Workspace,
    *,
    html: Path | None = None,
    md: Path | None = None,
    json: Path | None = None,
    across: bool = False,
    today: dt.date | None = None,
) -> ChangeReport:
    """What changed from one card to another, in words first.

    Parameters
    ----------
    old, new : as `riskmodels.commands.cards.card` takes a model
    html, md, json : where the change is written, as a page, as Markdown, and whole
    across : whether the cards may be of two studies
    today : for agreements that ended since the old card; none unless given

    Raises
    ------
    CardError
        if a card is missing, damaged or of another model.
    UsageError
        if the two are of different studies, or two outputs are one file.
    """
    from riskmodels.cards.change import compare_cards
    from riskmodels.reports.change_page import render_change, render_change_markdown

    outputs = [path for path in (html, md, json) if path is not None]
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise UsageError(f"{outputs[0]}: two of --html, --md and --json name the same file; name one file for each")
    for path in outputs:
        storage.refuse_unwritable(path)
    before, after = find_card(old, workspace), find_card(new, workspace)
    refuse_other(before, after, str(before.path), "add --across", across=across)
    made_on = registered_on(before, workspace)
    change = compare_cards(before.card.to_dict(), after.card.to_dict(), since=made_on, today=today)
    shown = change.to_dict()
    files = {} if json is None else {json: storage.canonical_json(shown)}
    if html is not None:
        files[html] = render_change(shown)
    if md is not None:
        files[md] = render_change_markdown(shown)
    if files:
        storage.write_together(files, mode=0o644)
    return ChangeReport(change, tuple(outputs))


def since_last_card(card: ModelCard, workspace: Workspace) -> Change | None:
    """What changed since the last card of the workspace, of a card that is about to be registered; None for a first.

    An earlier card that cannot be read is no reason to withhold this one: it is then not compared.
    """
    from riskmodels.cards.change import compare_cards
    from riskmodels.governance import registry
    from riskmodels.governance.chain import read_chain

    known = registry.read_index(workspace).get(card.study)
    if known is None:
        return None
    # The same card again is the same version, and is compared with what came before that.
    same = next((one.version for one in known.versions if one.card_sha256 == card.digest), None)
    version = same or len(known.versions) + 1
    chain = tuple(read_chain(workspace.reviews(card.study)))
    found = FoundCard(card.to_bytes(), card, workspace.root, None, version, False, chain)
    try:
        earlier = earlier_card(found, workspace, None)
    except CardError:
        return None
    return None if earlier is None else compare_cards(earlier.to_dict(), card.to_dict())
