"""A workspace with three versions of a model, of which the second is champion, and every act on it as a command."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from riskmodels import commands, storage
from riskmodels.governance import registry
from riskmodels.governance.champions import champion
from riskmodels.governance.standing import states
from riskmodels.workspace import Workspace
from tests.governance.conftest import DECISION, FOLDER, STUDY, TODAY, make_card, make_files
from tests.governance.review_workspace import FILES, Made, make_workspace

HEAD = "head of service"
PROGRESS = re.compile(r"\[ *[\d.]+ s\] ")


@dataclass(frozen=True)
class Acting(Made):
    """``decision``: a file as a secretary writes it."""

    decision: Path = Path()

    @property
    def kinds(self) -> list[str]:
        return [line.act.kind for line in self.records]

    @property
    def champion(self) -> int | None:
        reign = champion(self.records)
        return None if reign is None else reign.promotion.version

    def states(self) -> dict[int, str]:
        """Of each version; that they can be told, the command line shows."""
        code, out, said = self.call("models")
        assert code == 0, out + said
        rows = states(self.workspace, TODAY)
        return {row["version"]: row["state"] for row in rows if row["version"] is not None}

    def verify(self) -> None:
        code, out, said = self.call("review", "verify", today=None)
        assert code == 0, out + said

    def act(self, *arguments: object, today: dt.date | None = TODAY) -> tuple[int, str]:
        """Exit code, and what was printed and said of an error, without the progress."""
        code, out, err = self.call(*arguments, today=today)
        return code, out + "".join(line for line in err.splitlines(True) if not PROGRESS.match(line))

    def told(self, code: int, *arguments: object, today: dt.date | None = TODAY) -> str:
        """The one line that a command was refused with, after which every file is as it was."""
        before = self.bytes()
        found, out, err = self.call(*arguments, today=today)
        lines = [line for line in err.splitlines() if not PROGRESS.match(line)]
        assert (found, out, len(lines)) == (code, "", 1), (found, out, err)
        assert lines[0].startswith("riskmodels: "), err
        assert self.bytes() == before
        return lines[0]


def name(version: int) -> str:
    return f"{STUDY}/{version}"


def add_version(workspace: Workspace, text: str) -> int:
    """Register another model; nothing is decided on it."""
    files = make_files(text)
    card = make_card(files)
    folder = workspace.runs(STUDY) / f"20261122T090000-{text}"
    content = {f"riskmodel/{name}": held for name, held in files.items()}
    content |= {f"study/{name}": (FOLDER / name).read_bytes() for name in FILES}
    storage.write_folder(folder, content | {"card/card.json": card, "run.json": b"{}\n"})
    (first,) = registry.read_index(workspace)[STUDY].versions[:1]
    return registry.register(workspace, STUDY, first.model_dump(mode="json", exclude={"version"}) | {
        "model_sha256": storage.sha256(files["manifest.json"]), "card_sha256": storage.sha256(card),
        "folder": folder.relative_to(workspace.root).as_posix(),
    })  # fmt: skip


def make_acting(folder: Path) -> Acting:
    """Versions 1 and 2 are approved and were promoted in turn; 3 is approved."""
    workspace = make_workspace(folder / "work").workspace
    for text in ("second", "third"):
        add_version(workspace, text)
    for version in (1, 2, 3):
        commands.record_review(name(version), DECISION, workspace, TODAY)
    for version in (1, 2):
        commands.promote(name(version), workspace, TODAY, by_role=HEAD)
    decision = folder / "decision.yaml"
    decision.write_text(yaml.safe_dump({**DECISION, "meeting": {"date": "2026-11-20", "minute": "DEC-AGAIN"}}))
    return Acting(workspace, name(2), decision)


def acts(acting: Acting) -> dict[str, tuple[list[Any], str, int | None]]:
    """Every act that changes the record -> its command, the kind of its line, and who is champion after it."""
    by = ["--by", HEAD]
    return {
        "promote": (["promote", name(3), *by], "promotion", 3),
        "rollback": (["rollback", STUDY, *by, "--reason", "Fewer found"], "promotion", 1),
        "withdraw": (["withdraw", name(2), *by, "--reason", "The source changed"], "withdrawal", None),
        "record": (["review", "record", name(2), acting.decision], "decision", 2),
        "met": (
            ["review", "met", name(2), "--condition", "1", "--evidence", "Letter of 30 January", *by], "evidence", 2
        ),
    }  # fmt: skip


def copy_of(acting: Acting, folder: Path) -> Acting:
    shutil.copytree(acting.workspace.root.parent, folder)
    return Acting(Workspace(folder / "work"), acting.name, folder / "decision.yaml")
