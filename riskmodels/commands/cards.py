"""A card, rendered as it stands today."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from riskmodels import storage
from riskmodels.errors import CardError
from riskmodels.workspace import Workspace


def card(reference: str, workspace: Workspace, output: Path | None, today: dt.date) -> tuple[Path, dict[str, Any]]:
    """Render a model's card again, with its status as it is today; return the page's path and the status.

    Raises
    ------
    CardError
        if card.json is missing, damaged, or not the one that was registered.
    """
    from riskmodels.cards.card import ModelCard
    from riskmodels.governance import registry
    from riskmodels.governance.review import read_chain, sign_off_rows, status_banner
    from riskmodels.reports.markdown import render_card_markdown
    from riskmodels.reports.page import render_card

    found = registry.resolve(workspace, reference)
    content = storage.read_bytes(found.card_path, CardError)
    checked = ModelCard.from_bytes(content)
    chain = read_chain(workspace.reviews(found.study))
    model_sha256 = checked.model.sha256
    status = status_banner(storage.sha256(content), model_sha256, chain, today, registered=found.entry is not None)
    sign_off = sign_off_rows(chain, model_sha256)
    figures = {path.stem: path.read_bytes() for path in sorted((found.folder / "figures").glob("*.svg"))}
    page = checked.to_dict()
    folder = output or found.card_path.parent
    storage.write_whole(folder / "card.json", content, mode=0o644)
    storage.write_whole(
        folder / "card.md", render_card_markdown(page, status, sign_off=sign_off, today=today), mode=0o644
    )
    html = render_card(page, status=status, sign_off=sign_off, figures=figures, today=today)
    storage.write_whole(folder / "card.html", html, mode=0o644)
    return folder / "card.html", status
