"""Model cards: rendered as they stand today, checked, compared, and asked what is missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.errors import CardError, UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.cards.card import ModelCard
    from riskmodels.cards.renderings import Beside
    from riskmodels.governance.review import Record

EDITIONS = ("committee", "public")
FORMATS = ("html", "md", "json")
CARD = "card.json"


@dataclass(frozen=True)
class FoundCard:
    """A committee's card and where it stands. ``folder`` and ``version`` are None for a file outside any workspace.

    ``registered``: whether the workspace names exactly this card.
    """

    content: bytes
    card: ModelCard
    path: Path
    folder: Path | None
    version: int | None
    registered: bool
    chain: tuple[Record, ...]

    @property
    def sha256(self) -> str:
        return storage.sha256(self.content)


@dataclass(frozen=True)
class CardReport:
    """What was written, and the status that stands on it."""

    paths: tuple[Path, ...]
    status: dict[str, Any]

    @property
    def page(self) -> Path:
        """What to open: the HTML page, or the first of the other files."""
        return next((path for path in self.paths if path.suffix == ".html"), self.paths[0])


def card(
    reference: str,
    workspace: Workspace,
    output: Path | None,
    today: dt.date,
    *,
    edition: str = "committee",
    formats: Sequence[str] = FORMATS,
    since: str | None = None,
) -> CardReport:
    """Render a model's card with its status as it is today.

    Parameters
    ----------
    reference : a model, a run's folder, or a file ``card.json`` (or its folder)
    output : a folder; the run's own ``card/`` unless given
    since : an earlier card to compare with, as ``reference``; ``none`` for no comparison. Unless given, the last
        version that a decision named, or else the version before

    Raises
    ------
    CardError
        if card.json is missing, damaged, of another model, or not the one that was registered.
    UsageError
        for an edition or format that there is not, or a card outside a workspace without ``output``.
    """
    from riskmodels.cards.renderings import render

    refuse_unknown(edition, formats)
    found = find_card(reference, workspace)
    if output is None and found.folder is None:
        raise UsageError(f"{found.path}: lies outside a workspace; say where to write, with --output")
    beside = beside_card(found, workspace, today, since, edition)
    files = render(edition_of(found, edition), formats, beside)
    if edition == "committee" and CARD in files:
        # The bytes that a decision names, though the card be of an earlier schema.
        files[CARD] = found.content
    folder = output or found.path.parent
    paths = {folder / name: content for name, content in files.items()}
    storage.write_together(paths, mode=0o644)
    return CardReport(tuple(paths), dict(beside.status))


def find_card(reference: str, workspace: Workspace) -> FoundCard:
    """The card that a reference means, verified.

    Raises
    ------
    CardError
        as `card`.
    """
    from riskmodels.governance import gate, registry
    from riskmodels.governance.review import read_chain

    alone = _card_file(Path(reference))
    if alone is not None:
        content, checked = _read(alone)
        chain = read_chain(workspace.reviews(checked.study))
        known = registry.read_index(workspace).get(checked.study)
        digest = storage.sha256(content)
        entry = next((one for one in known.versions if one.card_sha256 == digest), None) if known else None
        return FoundCard(
            content, checked, alone, None, entry.version if entry else None, entry is not None, tuple(chain)
        )
    found = registry.resolve(workspace, reference)
    content, checked = _read(found.card_path)
    if checked.model.sha256 != gate.verify_manifest(gate.read_model_folder(found.model_folder)):
        raise CardError(f"{found.card_path}: is the card of another model; restore the one that its run wrote")
    if found.entry is not None and storage.sha256(content) != found.entry.card_sha256:
        raise CardError(f"{found.card_path}: is not the card that was registered; restore the one that its run wrote")
    chain = read_chain(workspace.reviews(found.study))
    return FoundCard(
        content, checked, found.card_path, found.folder, found.version, found.entry is not None, tuple(chain)
    )


def beside_card(
    found: FoundCard, workspace: Workspace, today: dt.date, since: str | None, edition: str = "committee"
) -> Beside:
    """What stands outside a card: its review as it is today, and what changed since an earlier card.

    The change is between two cards of the same edition, so that it says no more than they do.
    """
    from riskmodels.cards.renderings import Beside
    from riskmodels.governance.review import sign_off_rows, status_banner

    model = found.card.model.sha256
    status = status_banner(found.sha256, model, found.chain, today, registered=found.registered)
    earlier = earlier_card(found, workspace, since)
    change = None
    if earlier is not None:
        from riskmodels.cards.change import compare_cards

        change = compare_cards(_in_edition(earlier, earlier.digest, edition), edition_of(found, edition)).to_dict()
    return Beside(status, sign_off_rows(found.chain, model), change, today)


def earlier_card(found: FoundCard, workspace: Workspace, since: str | None) -> ModelCard | None:
    """The card to compare with: as asked, or the last version before that a decision named, or the version before."""
    from riskmodels.governance import registry

    if since == "none":
        return None
    if since is not None:
        return find_card(since, workspace).card
    known = registry.read_index(workspace).get(found.card.study)
    before = [one for one in known.versions if one.version < (found.version or 0)] if known else []
    named = {line.card_sha256 for line in found.chain}
    for entry in [*(one for one in reversed(before) if one.card_sha256 in named), *reversed(before)]:
        path = workspace.root / entry.folder / "card" / CARD
        # A card that was lost is no reason to withhold the one that is there.
        if path.is_file() and storage.sha256(storage.read_bytes(path, CardError)) == entry.card_sha256:
            return _read(path)[1]
    return None


def edition_of(found: FoundCard, edition: str) -> dict[str, Any]:
    """The card as plain values, in this edition."""
    return _in_edition(found.card, found.sha256, edition)


def _in_edition(checked: ModelCard, digest: str, edition: str) -> dict[str, Any]:
    if edition == "committee":
        return checked.to_dict()
    from riskmodels.cards.editions import public_edition

    return public_edition(checked.to_dict(), digest)


def _read(path: Path) -> tuple[bytes, ModelCard]:
    from riskmodels.cards.card import ModelCard
    from riskmodels.cards.card_file import MOST_BYTES

    content = storage.read_bytes(path, CardError, most=MOST_BYTES + 1)
    return content, ModelCard.from_bytes(content)


def _card_file(path: Path) -> Path | None:
    """A card that is named by its file, or by a folder that holds it and no model."""
    try:
        if path.is_file() and path.suffix == ".json":
            return path
        return path / CARD if (path / CARD).is_file() else None
    except OSError:  # a name too long for a path, or a folder that may not be entered
        return None


def refuse_unknown(edition: str, formats: Sequence[str]) -> None:
    """Raises UsageError for an edition or a format that there is not."""
    from riskmodels.cards.renderings import RENDERINGS

    if edition not in EDITIONS:
        raise UsageError(f"--edition {edition}: is one of {', '.join(EDITIONS)}")
    unknown = [name for name in formats if name not in RENDERINGS]
    if unknown:
        raise UsageError(f"--format {unknown[0]}: is one of {', '.join(RENDERINGS)}, with commas between several")
    if not formats:
        raise UsageError(f"--format: name at least one of {', '.join(RENDERINGS)}")
