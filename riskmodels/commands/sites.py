"""A public register as a folder of pages: every tool, both editions of its card, what changed when, and why it stopped.

The same folder of cards on the same day, over the same earlier register, gives the same bytes. The register is written
whole or not at all, and what an earlier one showed does not vanish from it without a word.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodels import storage
from riskmodels.commands.published import PublishedTool, read_published
from riskmodels.errors import UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.reports.site_shapes import Register, TakenOut


@dataclass(frozen=True)
class SiteReport:
    """``files``: path in the register -> size in bytes. ``tools``: (title, state, for what and whether an example).

    ``removed``: lines about what was taken out, now or before.
    """

    folder: Path
    files: Mapping[str, int]
    tools: Sequence[tuple[str, str]]
    written: bool
    removed: Sequence[str] = ()


def site(
    cards: Path,
    output: Path,
    today: dt.date,
    *,
    workspace: Workspace | None = None,
    title: str | None = None,
    organisation: str | None = None,
    remove: Sequence[str] = (),
    dry_run: bool = False,
) -> SiteReport:
    """Write the public register of a folder of cards.

    Parameters
    ----------
    cards : a folder for each tool (`riskmodels.commands.published`)
    output : a folder that is new, empty, or an earlier register, which is replaced whole
    workspace : whose review records are used, where it has them
    remove : tools of the earlier register that may be missing, whole or in part; a line in the register says so
    dry_run : make everything, and write nothing

    Raises
    ------
    UsageError
        if ``output`` holds anything else, the folders lie in each other, or nothing was taken out of one in ``remove``.
    CardError, GateError
        as `riskmodels.commands.published.read_published`; a CardError too if versions and editions of a card, put
        together, give away a number of few people; a GateError for a notice on a tool that is still approved, for an
        example of a decision on a tool of a real organisation, and for what an earlier register shows and is missing.
    OutsideError
        if the disk refuses; an earlier register is then as it was.
    """
    from riskmodels.commands.site_earlier import read_earlier, taken_out
    from riskmodels.reports.site_words import removed_words
    from riskmodels.reports.states import tag

    cards, output = Path(cards), Path(output)
    for option, text in (("--title", title), ("--organisation", organisation)):
        if text is not None and (not text.strip() or not text.isprintable()):
            raise UsageError(f"{option}: is one line of text")
    _refuse_output(output, cards, workspace)
    earlier = read_earlier(output)
    tools = read_published(cards, today, workspace)
    removed = taken_out(earlier, tools, remove, today, cards)
    register, files = build_site(tools, today, title=title, organisation=organisation, removed=removed)
    if not dry_run:
        storage.write_folder(output, files, mode=0o644)
    sizes = {path: len(content) for path, content in files.items()}
    return SiteReport(
        output,
        sizes,
        [(tool.card["title"], tag(tool.status)) for tool in register.tools],
        not dry_run,
        [removed_words(one) for one in register.removed],
    )


def build_site(
    published: Sequence[PublishedTool],
    today: dt.date,
    *,
    title: str | None = None,
    organisation: str | None = None,
    removed: Sequence[TakenOut] = (),
) -> tuple[Register, dict[str, bytes]]:
    """The register, and its files by path. Nothing is read or written. ``removed``: what was taken out of it."""
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
    register: Register = visible(Register(name, organisation, today, tuple(tools), tuple(removed)))
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
