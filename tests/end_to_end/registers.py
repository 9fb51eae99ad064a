"""A folder of published cards in every state, of made-up studies: what `riskmodels site` is tried on."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from pathlib import Path
from typing import Any

from riskmodels import storage
from riskmodels.cards.card import ModelCard
from riskmodels.governance import acts, registry, review
from riskmodels.governance import decision as decisions
from riskmodels.workspace import Workspace
from tests.cards import example_card as example
from tests.governance.conftest import make_files

TODAY = dt.date(2026, 11, 22)
DECISION: dict[str, Any] = {
    "stage": "pilot",
    "advice": "proceed with conditions",
    "conditions": [{"text": "Tell parents in writing", "owner": "head of service", "due": "2027-01-31"}],
    "dissent": ["One lay member would rather have waited"],
    "quorum": {"members": 9, "lay": 4, "specialist": 3},
    "meeting": {"date": "2026-11-20", "minute": "DEC-4"},
    "owner_role": "head of schools",
    "owner_decision": "approve",
    "expires": "2027-05-20",
    "trained_by_role": "data scientist",
    "approved_by_role": "head of schools",
}
REFUSAL: dict[str, Any] = {
    **{key: value for key, value in DECISION.items() if key not in ("conditions", "expires")},
    "advice": "do not proceed",
    "owner_decision": "refuse",
    "reason": "Too many pupils are missed.",
}
WITHDRAWAL: dict[str, Any] = {"kind": "withdrawal", "reason": "The tests changed.", "owner_role": "head of schools"}
RETIRED = """\
state: retired
on: 2026-10-01
by: head of schools
why: The pilot came to its end, and the help did not reach those it was meant for.
instead: Teachers put names forward, as before.
"""
NEVER = """\
state: never_proceeded
on: 2026-09-01
by: head of schools
why: The committee asked for better records first.
"""


@cache
def _example() -> ModelCard:
    return example.card()


def card(study: str, title: str | None = None, **changes: Any) -> bytes:
    """``card.json`` of a made-up study; another ``model`` digest or headline makes another version."""
    made = _example()
    model = changes.pop("model", "ab" * 32)
    updates = {
        "study": study,
        "title": title or study.replace("_", " ").capitalize(),
        "model": made.model.model_copy(update={"sha256": model, "version": model[:12]}),
        **changes,
    }
    return made.model_copy(update=updates).to_bytes()


def put(folder: Path, name: str, content: bytes | None = None, earlier: dict[str, bytes] | None = None) -> Path:
    """A tool's folder in ``folder``; the card is that of a study of the same name unless given."""
    tool = folder / name
    storage.write_whole(tool / "card.json", content or card(name))
    for version, before in (earlier or {}).items():
        storage.write_whole(tool / "earlier" / version / "card.json", before)
    return tool


def decide(chain: Path, content: bytes, raw: dict[str, Any] | None = None, today: dt.date = TODAY) -> None:
    """Record a decision on this card, with an answer for each verdict that asks for one."""
    raw = dict(raw or DECISION)
    read = decisions.parse_card(content)
    if raw.get("owner_decision") == "approve":
        until = {"reason": "Looked at by hand.", "expires": raw["expires"]}
        raw["answers"] = dict.fromkeys(decisions.verdicts_to_answer(read), until)
    # A record is its study's by name; beside published cards it is called something else.
    own = chain.with_name(f"{read['study']}.jsonl")
    _move(chain, own)
    review.record(
        own,
        acts.parse_decision(raw),
        model_sha256=read["model"]["sha256"],
        card_sha256=storage.sha256(content),
        data_sha256="3" * 64,
        policy_sha256="4" * 64,
        today=today,
        card=None if raw.get("kind") == "withdrawal" else content,
    )
    _move(own, chain)


def _move(chain: Path, to: Path) -> None:
    for one, other in ((chain, to), (chain.with_suffix(".head"), to.with_suffix(".head"))):
        if one.exists():
            one.rename(other)


def registered(workspace: Workspace, study: str) -> bytes:
    """Put a made-up model and its card into a workspace, approved for a pilot; return the card."""
    files = make_files()
    content = card(study, model=storage.sha256(files["manifest.json"]))
    run = workspace.runs(study) / "1"
    storage.write_folder(run / "riskmodel", files)
    storage.write_whole(run / "card" / "card.json", content)
    entry = {
        "model_sha256": storage.sha256(files["manifest.json"]),
        "card_sha256": storage.sha256(content),
        "data_sha256": "3" * 64,
        "policy_sha256": "4" * 64,
        "folder": run.relative_to(workspace.root).as_posix(),
        "registered_on": TODAY.isoformat(),
        "verdict": "PASS",
        "recommendation": "use",
    }
    registry.register(workspace, study, entry)
    decide(workspace.reviews(study), content)
    return content


def every_state(folder: Path) -> Path:
    """A tool in each state that a register shows."""
    before, now = card("approved", model="cd" * 32), card("approved")
    tool = put(folder, "approved", now, {"2026-11-21": before})
    decide(tool / "review.jsonl", now)
    put(folder, "awaiting")
    tool = put(folder, "expired")
    past = {**DECISION, "meeting": {"date": "2026-01-10", "minute": "DEC-1"}, "expires": "2026-07-10", "conditions": []}
    decide(tool / "review.jsonl", card("expired"), {**past, "advice": "proceed"}, dt.date(2026, 1, 12))
    tool = put(folder, "refused")
    decide(tool / "review.jsonl", card("refused"), REFUSAL)
    tool = put(folder, "withdrawn")
    decide(tool / "review.jsonl", card("withdrawn"))
    decide(tool / "review.jsonl", card("withdrawn"), WITHDRAWAL)
    storage.write_whole(put(folder, "retired") / "notice.yaml", RETIRED.encode())
    storage.write_whole(put(folder, "never") / "notice.yaml", NEVER.encode())
    return folder


def gives_away(cards: Path) -> None:
    """The version before, whose profile hides nothing, shows how many a small group is, which the newest hides."""
    before = json.loads(card("b", model="cd" * 32))
    before["edition_profile"]["disclosure"] = "places"
    small = next(row for row in before["audit"]["rows"] if row["n"] is None)
    small["n"] = 8
    put(cards, "b", card("b"), {"1": storage.canonical_json(before)})


def example_on_a_real_tool(cards: Path) -> None:
    """All that decides on the tool ``b`` of a real organisation is an example of a decision."""
    real = json.loads(card("b"))
    real["organisation"] |= {"fictional": False, "name": "Northby Council"}
    (cards / "b" / "card.json").write_bytes(storage.canonical_json(real))
    decide(cards / "b" / "review.jsonl", storage.canonical_json(real), {**DECISION, "example": True})
