"""A small workspace with a registered model, made by hand in a moment: no study is run, no MLflow is there."""

from __future__ import annotations

import datetime as dt
import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskmodels import commands, storage
from riskmodels.__main__ import run
from riskmodels.commands.reviews import ReviewReport
from riskmodels.governance import registry
from riskmodels.governance.acts import Promotion
from riskmodels.governance.chain import Digests, Record, read_chain, writing
from riskmodels.workspace import Workspace
from tests.governance.conftest import DECISION, FOLDER, STUDY, TODAY, make_card, make_files

FILES = ("study.yaml", "answers.yaml", "register.yaml", "examples.yaml")


@dataclass(frozen=True)
class Made:
    """``name``: the registered version, as the command line takes it."""

    workspace: Workspace
    name: str = f"{STUDY}/1"

    @property
    def chain(self) -> Path:
        return self.workspace.reviews(STUDY)

    @property
    def records(self) -> list[Record]:
        return read_chain(self.chain)

    @property
    def digests(self) -> Digests:
        entry = registry.read_index(self.workspace)[STUDY].versions[0]
        return Digests(entry.model_sha256, entry.card_sha256, entry.data_sha256, entry.policy_sha256)

    @property
    def kept(self) -> Path:
        return self.workspace.deposit(STUDY, self.digests.model, self.digests.card)

    def decide(self, today: dt.date = TODAY, **changes: Any) -> ReviewReport:
        return commands.record_review(self.name, {**DECISION, **changes}, self.workspace, today)

    def decide_again(self, today: dt.date = TODAY, **changes: Any) -> ReviewReport:
        """By a meeting of its own on the same day, as is needed after a withdrawal."""
        return self.decide(today, **{"meeting": {"date": str(today), "minute": "DEC-AGAIN"}, **changes})

    def promote(self, today: dt.date = TODAY, **changes: Any) -> Record:
        """Without the gate."""
        said = {"stage": "pilot", "version": 1, "by_role": "head of service", **changes}
        return self.append(Promotion.model_validate(said), today)

    def append(self, act: Any, today: dt.date = TODAY) -> Record:
        """As somebody would who has our code and means to go round it."""
        with writing(self.chain, today) as writer:
            return writer.append(act, self.digests)

    def bytes(self) -> dict[str, bytes]:
        """Everything there is, but the locks: they are empty and stay."""
        return {
            str(path.relative_to(self.workspace.root)): path.read_bytes()
            for path in sorted(self.workspace.root.rglob("*"))
            if path.is_file() and path.suffix != ".lock"
        }

    def call(self, *arguments: object, today: dt.date | None = TODAY) -> tuple[int, str, str]:
        """The command line, in this process: exit code, what it printed, what it said of an error."""
        out, err = io.StringIO(), io.StringIO()
        dated = [] if today is None else ["--today", today.isoformat()]
        with redirect_stdout(out), redirect_stderr(err):
            code = run([*map(str, arguments), "--workspace", str(self.workspace.root), *dated])
        return code, out.getvalue(), err.getvalue()

    def refused(self, code: int, *arguments: object, today: dt.date | None = TODAY) -> str:
        """The one line that a command was refused with, after which nothing has changed."""
        before = self.bytes()
        found, out, err = self.call(*arguments, today=today)
        assert (found, out) == (code, ""), (found, out, err)
        assert err.startswith("riskmodels: "), err
        assert err.count("\n") == 1, err
        assert self.bytes() == before
        return err


def make_workspace(root: Path) -> Made:
    """One version is registered; nothing is decided."""
    workspace = Workspace(root)
    files = make_files()
    card = make_card(files)
    folder = workspace.runs(STUDY) / "20261122T080000-00000000"
    content = {f"riskmodel/{name}": text for name, text in files.items()}
    content |= {f"study/{name}": (FOLDER / name).read_bytes() for name in FILES}
    content |= {"card/card.json": card, "run.json": b"{}\n"}
    storage.write_folder(folder, content)
    entry = {
        "model_sha256": storage.sha256(files["manifest.json"]),
        "card_sha256": storage.sha256(card),
        "data_sha256": "d" * 64,
        "policy_sha256": "e" * 64,
        "folder": folder.relative_to(root).as_posix(),
        "registered_on": "2026-11-18",  # before the meeting
        "verdict": "FAIL",
        "recommendation": "use_with_conditions",
    }
    registry.register(workspace, STUDY, entry)
    return Made(workspace)
