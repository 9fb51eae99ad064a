"""The folder of published cards: read as it stands, every record verified, or refused in one line naming the file.

::

    model_cards/<name>/card.json                 the newest card
                      review.jsonl review.head   a copy of the study's review record, if there is one
                      notice.yaml                of a tool that is not used, or never was
                      earlier/<any>/card.json    versions before, the newest last; a name that starts with a date
                                                 says on which day the version was replaced
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodels import storage
from riskmodels.errors import CardError, GateError, UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.cards.card import ModelCard
    from riskmodels.governance.chain import Record
    from riskmodels.governance.notice import Notice

CARD, CHAIN, HEAD, NOTICE, EARLIER = "card.json", "review.jsonl", "review.head", "notice.yaml", "earlier"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")
NAME_WORDS = "a tool's folder has lower-case letters, digits, _ and -, and is at most 80 long"
DIGITS = re.compile("[0-9]+")
DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?!\d)")


@dataclass(frozen=True)
class PublishedCard:
    """``replaced_on``: the day on which a later card took its place, if its folder says so."""

    path: Path
    content: bytes
    card: ModelCard
    replaced_on: dt.date | None = None

    @property
    def sha256(self) -> str:
        return storage.sha256(self.content)


@dataclass(frozen=True)
class PublishedTool:
    """``cards``: oldest first, so the last one is today's."""

    name: str
    cards: Sequence[PublishedCard]
    chain: Sequence[Record]
    notice: Notice | None

    @property
    def newest(self) -> PublishedCard:
        return self.cards[-1]


def read_published(folder: Path, today: dt.date, workspace: Workspace | None = None) -> list[PublishedTool]:
    """Every tool of a folder, by title.

    Parameters
    ----------
    workspace : whose review records are used; a copy in the folder must then be the beginning of the workspace's

    Raises
    ------
    UsageError
        if there is no such folder, or what should be the workspace is none.
    CardError
        for a card or notice that is not readable, of another study than the versions before, or a link; for a folder
        without a card, or with a name that is no part of an address; for two cards of one study.
    GateError
        for a review record that was changed, or does not agree with the workspace's.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; name the one that holds a folder for each tool")
    if workspace is not None:
        refuse_no_workspace(workspace)
    with storage.outside_world(folder):
        names = sorted(one.name for one in folder.iterdir() if not one.name.startswith(".") and _is_folder(one))
    tools = [_read_tool(folder / name, today, workspace) for name in names]
    _refuse_two_of_one_study(folder, tools)
    return sorted(tools, key=lambda tool: (tool.newest.card.title.casefold(), tool.name))


def chain_of(folder: Path, study: str, workspace: Workspace | None) -> list[Record]:
    """The review record of a tool: the workspace's if it has one, or the copy beside its card; verified.

    Raises
    ------
    GateError
        if either is broken, or the copy is not a beginning of the workspace's.
    """
    from riskmodels.governance.chain import read_chain

    copy = read_chain(folder / CHAIN, study)
    if workspace is None:
        return copy
    known = read_chain(workspace.reviews(study))
    # A workspace without a record is no reason to believe the copy: it may be another's, or its record is lost.
    if [line.sha256 for line in copy] != [line.sha256 for line in known[: len(copy)]]:
        raise GateError(
            f"{folder / CHAIN}: does not agree with {workspace.reviews(study)}; one of them is of "
            "another workspace, or older than it should be"
        )
    return known


def refuse_no_workspace(workspace: Workspace) -> None:
    """A folder that was mistyped holds no records, so a tool that was withdrawn would look approved.

    Raises
    ------
    UsageError
        if there is no such folder, or it holds neither models nor review records nor runs.
    """
    root = workspace.root
    held = (workspace.models_index, root / "governance", root / "runs")
    with storage.outside_world(root):
        found = any(one.exists() for one in held)
    if not found:
        what = "holds no models, runs or review records" if root.is_dir() else "no such folder"
        raise UsageError(f"--workspace {root}: {what}; name the workspace in which the tools were run and reviewed")


def _is_folder(path: Path) -> bool:
    """Whether it is one, links included: they are refused by name, not passed over."""
    return path.is_symlink() or path.is_dir()


def _read_tool(folder: Path, today: dt.date, workspace: Workspace | None) -> PublishedTool:
    from riskmodels.governance.notice import load_notice

    if not NAME.fullmatch(folder.name):
        raise CardError(f"{str(folder)!a}: {NAME_WORDS}; rename it")
    for path in (folder, *(folder / name for name in (CARD, CHAIN, HEAD, NOTICE, EARLIER))):
        _refuse_link(path)
    newest = _read_card(folder / CARD)
    earlier = [
        _read_card(path / CARD, _replaced_on(path, today)) for path in sorted(_earlier(folder / EARLIER), key=_in_order)
    ]
    for one in earlier:
        if one.card.study != newest.card.study:
            raise CardError(
                f"{one.path}: is a card of the study {one.card.study}, not of {newest.card.study} as {folder / CARD}; "
                "give each study a folder of its own"
            )
    notice = load_notice(folder / NOTICE, today) if (folder / NOTICE).exists() else None
    chain = chain_of(folder, newest.card.study, workspace)
    return PublishedTool(folder.name, (*earlier, newest), tuple(chain), notice)


def _refuse_link(path: Path) -> None:
    if path.is_symlink():
        raise CardError(f"{path}: is a link, and what it leads to may not be meant to be published; put the file there")


def _read_card(path: Path, replaced_on: dt.date | None = None) -> PublishedCard:
    from riskmodels.cards.card import ModelCard
    from riskmodels.cards.card_file import MOST_BYTES

    _refuse_link(path)
    if not path.exists():
        raise CardError(f"{path.parent}: holds no card.json; put the tool's card there, or take the folder away")
    content = storage.read_bytes(path, CardError, most=MOST_BYTES + 1)
    try:
        card = ModelCard.from_bytes(content)
    except CardError as problem:
        said = str(problem)
        raise CardError(f"{path.parent / said}" if said.startswith(CARD) else f"{path}: {said}") from None
    if card.edition_profile.edition != "committee":
        raise CardError(f"{path}: is a public edition; put the committee's card there, which both editions are made of")
    return PublishedCard(path, content, card, replaced_on)


def _earlier(folder: Path) -> list[Path]:
    if not folder.exists():
        return []
    with storage.outside_world(folder):
        found = [one for one in folder.iterdir() if not one.name.startswith(".") and _is_folder(one)]
    for one in found:
        _refuse_link(one)
    return found


def _in_order(path: Path) -> list[tuple[bool, int, str]]:
    """Numbers in a name count as numbers: v9 comes before v10."""
    parts = [part for part in re.split("([0-9]+)", path.name) if part]
    return [(False, int(part), part) if DIGITS.fullmatch(part) else (True, 0, part) for part in parts]


def _replaced_on(path: Path, today: dt.date) -> dt.date | None:
    found = DAY.match(path.name)
    if found is None:
        return None
    try:
        day = dt.date.fromisoformat(found[1])
    except ValueError:
        raise CardError(f"{path}: the calendar has no day {found[1]}; rename the folder") from None
    if day > today:
        raise CardError(f"{path}: {day} is still to come, and the name says when the card was replaced; rename it")
    return day


def _refuse_two_of_one_study(folder: Path, tools: Sequence[PublishedTool]) -> None:
    seen: dict[str, str] = {}
    for tool in tools:
        study = tool.newest.card.study
        if study in seen:
            raise CardError(
                f"{folder / tool.name}: is a second card of the study {study}, whose card stands in "
                f"{folder / seen[study]}; put the older one in {folder / seen[study] / EARLIER}"
            )
        seen[study] = tool.name
