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
    from riskmodels.governance.chain import Record
    from riskmodels.governance.registry import ResolvedModel

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
    """The card that a reference means, verified. The name of a registered study means its model, whatever lies here.

    Raises
    ------
    CardError
        as `card`.
    """
    from riskmodels.governance import registry
    from riskmodels.governance.chain import read_chain

    alone = None if registry.names_a_model(workspace, reference) else _card_file(Path(reference))
    if alone is not None:
        content, checked = _read(alone)
        chain = read_chain(workspace.reviews(checked.study))
        known = registry.read_index(workspace).get(checked.study)
        digest = storage.sha256(content)
        entry = next((one for one in known.versions if one.card_sha256 == digest), None) if known else None
        return FoundCard(
            content, checked, alone, None, entry.version if entry else None, entry is not None, tuple(chain)
        )
    return card_of(registry.resolve(workspace, reference), workspace)


def card_of(found: ResolvedModel, workspace: Workspace) -> FoundCard:
    """The card of a model of the workspace, verified.

    Raises
    ------
    CardError
        as `card`.
    """
    from riskmodels.cards.card import ModelCard
    from riskmodels.cards.card_file import read_card_file
    from riskmodels.governance import gate
    from riskmodels.governance.chain import read_chain

    content = read_card_file(found.card_path)
    checked = ModelCard.from_bytes(content)
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
    earlier, made_on = _earlier(found, workspace, since)
    change = None
    if earlier is not None:
        from riskmodels.cards.change import compare_cards

        before, after = _in_edition(earlier, earlier.digest, edition), edition_of(found, edition)
        change = compare_cards(before, after, since=made_on, today=today).to_dict()
    return Beside(status, sign_off_rows(found.chain, model), change, today)


def earlier_card(found: FoundCard, workspace: Workspace, since: str | None) -> ModelCard | None:
    """The card to compare with: as asked, or the last version before that a decision named, or the version before.

    Raises
    ------
    UsageError
        if the one that was asked for is of another study or edition.
    """
    return _earlier(found, workspace, since)[0]


def earlier_cards(found: FoundCard, workspace: Workspace) -> list[ModelCard]:
    """Every version before that the workspace keeps, the first one first; a card that was lost or changed is left out.

    Of a card that is not registered, every version is one before.
    """
    from riskmodels.governance import registry

    known = registry.read_index(workspace).get(found.card.study)
    cards = []
    for entry in known.versions if known else ():
        path = workspace.root / entry.folder / "card" / CARD
        is_before = found.version is None or entry.version < found.version
        if is_before and path.is_file() and storage.sha256(storage.read_bytes(path, CardError)) == entry.card_sha256:
            cards.append(_read(path)[1])
    return cards


def _earlier(found: FoundCard, workspace: Workspace, since: str | None) -> tuple[ModelCard | None, dt.date | None]:
    """As `earlier_card`, and the day on which it was registered, where it was."""
    from riskmodels.governance import registry

    if since == "none":
        return None, None
    if since is not None:
        asked = find_card(since, workspace)
        refuse_other(asked, found, f"--since {since}", "compare two studies with: riskmodels card diff --across")
        return asked.card, registered_on(asked, workspace)
    known = registry.read_index(workspace).get(found.card.study)
    before = [one for one in known.versions if one.version < (found.version or 0)] if known else []
    named = {line.card_sha256 for line in found.chain}
    for entry in [*(one for one in reversed(before) if one.card_sha256 in named), *reversed(before)]:
        path = workspace.root / entry.folder / "card" / CARD
        # A card that was lost is no reason to withhold the one that is there.
        if path.is_file() and storage.sha256(storage.read_bytes(path, CardError)) == entry.card_sha256:
            return _read(path)[1], entry.registered_on
    return None, None


def registered_on(found: FoundCard, workspace: Workspace) -> dt.date | None:
    """The day on which a card was registered, where it was."""
    from riskmodels.governance import registry

    known = registry.read_index(workspace).get(found.card.study)
    entries = known.versions if known and found.registered else ()
    return next((one.registered_on for one in entries if one.version == found.version), None)


def refuse_other(before: FoundCard, after: FoundCard, named: str, or_else: str, *, across: bool = False) -> None:
    """Raises UsageError for two cards of two studies, unless ``across``, or of two editions.

    ``named``: what the first one was called; ``or_else``: what else can be done about two studies.
    """
    studies = before.card.study, after.card.study
    if studies[0] != studies[1] and not across:
        raise UsageError(
            f"{named}: is of the study {studies[0]}, and {after.path} of {studies[1]}; name two cards of one study, or "
            f"{or_else}"
        )
    editions = before.card.edition_profile.edition, after.card.edition_profile.edition
    if editions[0] != editions[1]:
        raise UsageError(
            f"{named}: is the {editions[0]} edition, and {after.path} the {editions[1]} one; name two cards of one "
            "edition"
        )


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
