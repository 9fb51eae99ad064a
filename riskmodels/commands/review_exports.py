"""The whole record of a study as a folder, for an archive or an audit: to read, and to check without this software."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskmodels import storage
from riskmodels.commands.reviews import versions_of
from riskmodels.errors import CardError, GateError, UsageError
from riskmodels.workspace import Workspace

FORMATS = ("html", "md", "json", "csv")
COLUMNS = ("record", "recorded_on", "kind", "version", "what", "by", "why", "stage", "advice", "decision",
           "expires", "conditions", "answers", "example", "model_sha256", "card_sha256", "data_sha256", "policy_sha256",
           "sha256")  # fmt: skip
CHECK = "check.py"
README, SUMS = "README.txt", "SHA256SUMS"
# Ten lines that anybody can read, and that need Python alone.
RECIPE = """\
import hashlib, json, sys
before, number = "0" * 64, 0
for number, line in enumerate(open(sys.argv[1], encoding="utf-8", newline="\\n"), 1):
    record = json.loads(line)
    seal = record.pop("sha256")
    text = json.dumps(record, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    if hashlib.sha256(text.encode()).hexdigest() != seal or (record["seq"], record["previous"]) != (number, before):
        sys.exit(f"line {number} was edited, moved or follows a line that is missing")
    before = seal
print(f"{number} records fit together; the newest seal is {before}")
"""


@dataclass(frozen=True)
class ExportReport:
    """``files``: their names in the folder, in order. ``seal``: the newest, to be noted elsewhere."""

    study: str
    folder: Path
    files: tuple[str, ...]
    records: int
    seal: str


def export_review(
    study: str, output: Path, workspace: Workspace, today: dt.date, *, formats: Sequence[str] = FORMATS
) -> ExportReport:
    """Write a study's record into a new folder: to read, the chain itself, the cards that were decided on, and how to
    check them. The same record gives the same bytes on the same day.

    Parameters
    ----------
    output : a folder that does not exist yet, or is empty
    formats : some of `FORMATS`; the chain, the cards and the instructions are written in any case

    Raises
    ------
    UsageError
        for a format that there is not, a study without a record, or a folder that holds something.
    GateError
        if the record is broken: it is not exported as if it were whole.
    CardError
        if a card that was decided on is missing, or is another.
    """
    from riskmodels.governance import registry
    from riskmodels.governance.account import account, history, standing
    from riskmodels.governance.chain import read_chain

    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise UsageError(f"--format {unknown[0] if unknown else ''}: the formats are {', '.join(FORMATS)}")
    if output.is_dir() and any(output.iterdir()):
        raise UsageError(f"{output}: is there and not empty; name a new folder with --output")
    storage.refuse_unwritable(output, folder=True)
    index = registry.read_index(workspace)
    path = workspace.reviews(study) if registry.REFERENCE.fullmatch(study) else None
    chain = read_chain(path) if path is not None else []
    if path is None or not chain:
        raise UsageError(f"{study}: has no review record in {workspace.root}; name a study with one decision at least")
    known = index[study].versions if study in index else ()
    shown = [standing(chain, one.model_sha256, one.card_sha256, one.version, today) for one in known]
    told = account(study, chain, shown, history(chain, versions_of(workspace, study)), today)
    files = {
        f"{study}.jsonl": storage.read_bytes(path, GateError),
        f"{study}.head": storage.read_bytes(path.with_suffix(".head"), GateError),
        **_cards(workspace, study, chain),
        **{f"record.{form}": _render(told, study, form) for form in formats},
        CHECK: RECIPE.encode(),
    }
    files[README] = readme(study, told, sorted(files))
    files[SUMS] = "".join(f"{storage.sha256(files[name])}  {name}\n" for name in sorted(files)).encode()
    storage.write_folder(output, files, mode=0o644)
    return ExportReport(study, output, tuple(sorted(files)), len(chain), told["seal"])


def readme(study: str, told: Mapping[str, Any], names: Sequence[str]) -> bytes:
    """What is in the folder and how to check it, for somebody who has nothing else."""
    pages = [name for name in names if name.startswith("record.")]
    text = f"""\
The review record of {study}, as it stood on {told["today"]}: {told["records"]} records.
The newest seal: {told["seal"]}

What is here
  {", ".join(pages)}: the record to read, as a page, text, data or table
  {study}.jsonl: the record itself, a line for each act, in the order in which they were recorded
  {study}.head: how many lines it had, and the newest seal
  cards/: the cards that were decided on; each is named by its own SHA-256, which the record names too
  {CHECK}: ten lines that check the record; {SUMS}: the SHA-256 of every file here

How to check it, without the software that wrote it
  1. Every file is as it was written:    sha256sum --check {SUMS}
  2. The records fit together:           python3 {CHECK} {study}.jsonl
     Each line has a seal, the SHA-256 of the line without it. Each line names the seal of the line before.
     So a line that was edited, moved or taken out is found.
  3. The newest seal is the one that was noted elsewhere, such as in a meeting's minutes. Compare them by eye.
     This alone shows whether the whole record was made anew: steps 1 and 2 fit then too.
  4. The cards are those that were decided on: sha256sum cards/*.json prints each name twice.

In record.csv a text that a spreadsheet would run as a formula has an apostrophe (') put before it.
"""
    return text.encode()


def _cards(workspace: Workspace, study: str, chain: Sequence[Any]) -> dict[str, bytes]:
    from riskmodels.cards.card_file import read_card_file
    from riskmodels.governance.decision import Decision

    found = {}
    for line in chain:
        if isinstance(line.act, Decision):
            path = workspace.deposit(study, line.model_sha256, line.card_sha256) / "card" / "card.json"
            content = read_card_file(path)
            if storage.sha256(content) != line.card_sha256:
                raise CardError(f"{path}: is not the card that record {line.seq} decides on; restore it from a copy")
            found[f"cards/{line.card_sha256}.json"] = content
    return found


def _render(told: Mapping[str, Any], study: str, form: str) -> bytes:
    from riskmodels.reports.review_page import render_review, render_review_markdown

    if form == "html":
        return render_review(told, study)
    if form == "md":
        return render_review_markdown(told, study)
    return storage.canonical_json(told) if form == "json" else _table(told)


def _decided(act: Mapping[str, Any]) -> dict[str, Any]:
    """What a decision says beyond its title, each in one cell; nothing of another act but its stage."""
    conditions = [
        f"{number}. {one['text']} ({one['owner']}, {'by ' + one['due'] if one['due'] else one['status']})"
        for number, one in enumerate(act.get("conditions", ()), 1)
    ]
    return {
        "stage": act.get("stage"), "advice": act.get("advice"), "decision": act.get("owner_decision"),
        "expires": act.get("expires"), "conditions": "\n".join(conditions) or None,
        "answers": "\n".join(f"{name}: {one['reason']}" for name, one in act.get("answers", {}).items()) or None,
    }  # fmt: skip


def _table(told: Mapping[str, Any]) -> bytes:
    from riskmodels.reports.review_words import said
    from riskmodels.service.outputs.formulas import is_risky

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in told["history"]:
        words = said(row)
        values = {
            **row,
            **_decided(row["act"]),
            "what": words.title,
            "by": words.by,
            "why": words.why,
            "example": str(row["example"]).lower(),
        }
        cells = ["" if values[name] is None else str(values[name]) for name in COLUMNS]
        writer.writerow([f"'{cell}" if is_risky(cell) else cell for cell in cells])
    return text.getvalue().encode()
