"""A public register as a folder of pages: every tool, both editions of its card, what changed when, and why it stopped.

The same folder of cards on the same day gives the same bytes. The register is written whole or not at all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodels import storage
from riskmodels.commands.published import PublishedTool, read_published
from riskmodels.errors import OutsideError, UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.reports.site_shapes import Register


@dataclass(frozen=True)
class SiteReport:
    """``files``: path in the register -> size in bytes. ``tools``: (title, state)."""

    folder: Path
    files: Mapping[str, int]
    tools: Sequence[tuple[str, str]]
    written: bool


def site(
    cards: Path,
    output: Path,
    today: dt.date,
    *,
    workspace: Workspace | None = None,
    title: str | None = None,
    organisation: str | None = None,
    dry_run: bool = False,
) -> SiteReport:
    """Write the public register of a folder of cards.

    Parameters
    ----------
    cards : a folder for each tool (`riskmodels.commands.published`)
    output : a folder that is new, empty, or an earlier register, which is replaced whole
    workspace : whose review records are used, where it has them
    dry_run : make everything, and write nothing

    Raises
    ------
    UsageError
        if ``output`` holds anything else, or the folders lie in each other.
    CardError, GateError
        as `riskmodels.commands.published.read_published`; a CardError too if versions and editions of a card, put
        together, give away a number of few people; a GateError for a notice on a tool that is still approved.
    OutsideError
        if the disk refuses; an earlier register is then as it was.
    """
    cards, output = Path(cards), Path(output)
    for option, text in (("--title", title), ("--organisation", organisation)):
        if text is not None and (not text.strip() or not text.isprintable()):
            raise UsageError(f"{option}: is one line of text")
    _refuse_output(output, cards, workspace)
    tools = read_published(cards, today, workspace)
    register, files = build_site(tools, today, title=title, organisation=organisation)
    if not dry_run:
        storage.write_folder(output, files, mode=0o644)
    sizes = {path: len(content) for path, content in files.items()}
    return SiteReport(
        output, sizes, [(tool.card["title"], tool.status["state"]) for tool in register.tools], not dry_run
    )


def build_site(
    published: Sequence[PublishedTool],
    today: dt.date,
    *,
    title: str | None = None,
    organisation: str | None = None,
) -> tuple[Register, dict[str, bytes]]:
    """The register, and its files by path. Nothing is read or written."""
    from riskmodels.commands.site_tools import Making, made_tool
    from riskmodels.reports.site_feed import render_feed
    from riskmodels.reports.site_listing import INDEX, render_listing
    from riskmodels.reports.site_pages import render_pages
    from riskmodels.reports.site_shapes import Register
    from riskmodels.reports.site_words import TITLE
    from riskmodels.reports.visible import visible

    name = title or TITLE
    files: dict[str, bytes] = {}
    tools = [made_tool(one, Making(name, today, files)) for one in published]
    register: Register = visible(Register(name, organisation, today, tuple(tools)))
    files |= render_pages(register)
    files["feed.xml"] = render_feed(register)
    files[INDEX] = render_listing(register, files)
    return register, dict(sorted(files.items()))


# ---------------------------------------------------------------- where it may be written


def _refuse_output(output: Path, cards: Path, workspace: Workspace | None) -> None:
    if output.is_symlink():
        raise UsageError(f"--output {output}: is a link; name the folder itself")
    inside = output.resolve()
    for read in (cards, *([workspace.root] if workspace else [])):
        here = read.resolve()
        if here.is_relative_to(inside) or (read is cards and inside.is_relative_to(here)):
            raise UsageError(f"--output {output}: lies where {read} is read; write the register elsewhere")
    storage.refuse_unwritable(output, folder=True)
    if output.is_dir() and any(output.iterdir()):
        _refuse_foreign(output)


def _refuse_foreign(output: Path) -> None:
    """All of an earlier register goes when a new one takes its place, so nothing else may stand in it."""
    from riskmodels.reports.site_listing import INDEX, KIND

    try:
        listed = storage.read_json(output / INDEX, OutsideError)
    except OutsideError:
        listed = None
    if not isinstance(listed, dict) or listed.get("kind") != KIND or not isinstance(listed.get("files"), dict):
        raise UsageError(f"--output {output}: holds files that are no register of ours; name a new or an empty folder")
    own = {INDEX, *listed["files"]}
    for path in sorted(output.rglob("*")):
        name = path.relative_to(output).as_posix()
        if name not in own and (path.is_symlink() or not path.is_dir()):
            raise UsageError(f"--output {output}: holds {name!a}, which no register wrote; move it elsewhere first")
