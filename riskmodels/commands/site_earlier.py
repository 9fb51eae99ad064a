"""The register that a new one replaces: what it showed stays, or is taken out by name and leaves a line behind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from riskmodels import storage
from riskmodels.commands.published import PublishedTool
from riskmodels.errors import GateError, OutsideError, UsageError
from riskmodels.reports.site_listing import INDEX, KIND
from riskmodels.reports.site_shapes import TakenOut
from riskmodels.reports.site_words import WHOLE

NOTICE = "The notice"


class Listed(BaseModel):
    """A tool of the earlier register. What an older register did not list cannot be missed."""

    model_config = ConfigDict(extra="ignore", strict=True)

    name: str
    title: str
    card_sha256: str
    cards: list[str] = []
    records: list[str] = []
    notice: str | None = None


class Removed(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: str
    title: str
    what: str
    on: dt.date


class Earlier(BaseModel):
    """``register.json`` as it stands in the folder that is written to; empty if there is none."""

    model_config = ConfigDict(extra="ignore")

    tools: list[Listed] = []
    removed: list[Removed] = []
    files: dict[str, object] = {}


def read_earlier(output: Path) -> Earlier:
    """The register that stands in ``output``, which may be new or empty.

    Raises
    ------
    UsageError
        if the folder holds anything that no register wrote: all of an earlier register goes when a new one takes its
        place.
    """
    if not output.is_dir() or not any(output.iterdir()):
        return Earlier()
    try:
        raw = storage.read_json(output / INDEX, OutsideError)
    except OutsideError:
        raw = None
    if not isinstance(raw, dict) or raw.get("kind") != KIND or not isinstance(raw.get("files"), dict):
        raise UsageError(f"--output {output}: holds files that are no register of ours; name a new or an empty folder")
    try:
        earlier = Earlier.model_validate(raw)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise UsageError(
            f"{output / INDEX}: {where}: is not as a register wrote it; restore the file, or name a new folder"
        ) from None
    own = {INDEX, *earlier.files}
    for path in sorted(output.rglob("*")):
        name = path.relative_to(output).as_posix()
        if name not in own and (path.is_symlink() or not path.is_dir()):
            raise UsageError(f"--output {output}: holds {name!a}, which no register wrote; move it elsewhere first")
    return earlier


def taken_out(
    earlier: Earlier, tools: Sequence[PublishedTool], remove: Sequence[str], today: dt.date, cards: Path
) -> list[TakenOut]:
    """What was taken out of the register so far, and now; refused unless each tool is named in ``remove``.

    A decision never goes while its tool stays: without a withdrawal, the approval before it would seem to hold.

    Raises
    ------
    GateError
        naming what the earlier register shows and this one would not.
    UsageError
        for a name in ``remove`` of which nothing was taken out.
    """
    held = {tool.name: tool for tool in tools}
    before = [TakenOut(**one.model_dump()) for one in earlier.removed]
    now: list[TakenOut] = []
    for listed in earlier.tools:
        gone = _gone(listed, held.get(listed.name), cards)
        for what, missing in gone:
            if listed.name not in remove:
                raise GateError(
                    f"{missing}, which this register shows; put it back (a tool that stops gets a notice.yaml), or "
                    f"take it out for good with --remove {listed.name}"
                )
            now.append(TakenOut(listed.name, listed.title, what, today))
    for name in remove:
        if name not in {one.name for one in (*before, *now)}:
            raise UsageError(f"--remove {name!a}: nothing of this tool is missing from {cards}; leave the option out")
    return [*before, *now]


def _gone(listed: Listed, tool: PublishedTool | None, cards: Path) -> list[tuple[str, str]]:
    """What is missing of a tool: what, and in words where it should be."""
    folder = cards / listed.name
    if tool is None:
        return [(WHOLE, f"{folder}: is missing")]
    kept, recorded = {one.sha256 for one in tool.cards}, {line.sha256 for line in tool.chain}
    lost = [seal for seal in listed.records if seal not in recorded]
    if lost:
        place = listed.records.index(lost[0]) + 1
        raise GateError(
            f"{folder}: record {place} of its review is missing, which this register shows; publish the tool again "
            "(riskmodels publish), or name the workspace with --workspace"
        )
    gone = [
        (f"Version {number}", f"{folder}: version {number} of the card ({digest[:12]}) is missing")
        for number, digest in enumerate(listed.cards or [listed.card_sha256], 1)
        if digest not in kept
    ]
    if listed.notice is not None and tool.notice is None:
        gone.append((NOTICE, f"{folder}: its notice.yaml is missing"))
    return gone
