"""A workspace before and after a purge."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from pathlib import Path

from riskmodels.governance import registry
from riskmodels.governance.acts import Purge, Withdrawal
from riskmodels.governance.chain import Digests, read_chain, writing
from riskmodels.workspace import Workspace

STUDY = "early_reading_support"
FAR = dt.date(2099, 1, 1)  # everything is due, and no approval holds
BY = ("--due", "--by", "information governance officer")
KEPT_FOR_EVER = re.compile(
    r"models\.json|mlflow\.db|batches/ledger\.jsonl|governance/|mlartifacts/|lists/|runs/[^/]+/[^/]+/"
    r"(riskmodel/|study/|card/|audit/|figures/|explain/|checks/|run\.json)"
)
GOES = re.compile(
    r"data/|cache/results/|batches/[^/]+/[^/]+/|.*(predictions|ranking)\.parquet|.*audit_(exact|counts)\.json"
)


def files_in(workspace: Workspace) -> dict[str, bytes]:
    found = (path for path in workspace.root.rglob("*") if path.is_file() and not path.name.endswith(".lock"))
    return {path.relative_to(workspace.root).as_posix(): path.read_bytes() for path in found}


def on_record(workspace: Workspace, study: str = STUDY) -> dict[str, str]:
    """Every file that the record says was deleted -> its SHA-256."""
    acts = (line.act for line in read_chain(workspace.reviews(study)))
    return {file.path: file.sha256 for act in acts if isinstance(act, Purge) for file in act.files}


def write_policy(workspace: Workspace, text: str) -> None:
    decided = "decided_by: information governance officer\ndecided_on: 2026-11-20\n"
    (workspace.root / "retention.yaml").write_text(text if "decided_by" in text else decided + text)


def run_of(workspace: Workspace) -> Path:
    return registry.resolve(workspace, f"{STUDY}/1").folder


def withdraw(workspace: Workspace, today: dt.date) -> None:
    digests = Digests(
        *(getattr(registry.resolve(workspace, STUDY).entry, f"{name}_sha256") for name in ("model", "card"))
    )
    with writing(workspace.reviews(STUDY), today) as pen:
        pen.append(Withdrawal(reason="The test changed", owner_role="head of service"), digests)


def draft_in(workspace: Workspace, name: str = "a-draft") -> Path:
    """A run that was never registered: a copy with another model in it."""
    draft = Path(shutil.copytree(run_of(workspace), run_of(workspace).with_name(name)))
    manifest = draft / "riskmodel" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    return draft
