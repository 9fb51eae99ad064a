"""What a committee advises and an owner decides: the form, the record, the evidence, and how a model stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.commands.sources import silent
from riskmodels.errors import CardError, GateError, UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.governance.acts import Withdrawal
    from riskmodels.governance.decision import Condition, Decision
    from riskmodels.governance.registry import Entry, ResolvedModel
    from riskmodels.governance.review import Approval


@dataclass(frozen=True)
class FormReport:
    """``to_answer``: how many verdicts of the audit an approval has to answer."""

    name: str
    path: Path
    to_answer: int


@dataclass(frozen=True)
class ReviewReport:
    """What was recorded; after a dry run what would be, and ``seal`` is then None. ``approval``: if it is one.

    ``in_use``: the model is champion already for the stage that was decided on, so it needs no promotion.
    """

    name: str
    record: int
    act: Decision | Withdrawal
    approval: Approval | None
    seal: str | None
    in_use: bool = False
    warning: str | None = None

    @property
    def open_conditions(self) -> list[tuple[int, Condition]]:
        """The conditions that are not met yet, each with its number."""
        found = enumerate(getattr(self.act, "conditions", ()), 1)
        return [(number, condition) for number, condition in found if condition.status == "open"]


@dataclass(frozen=True)
class EvidenceReport:
    """``left``: how many conditions of the decision are open still."""

    name: str
    decision: int
    condition: int
    text: str
    record: int
    left: int
    seal: str
    warning: str | None = None


@dataclass(frozen=True)
class ShowReport:
    """``account``: as `riskmodels.governance.account.account`. ``page``: where it was written; None for nowhere."""

    name: str
    account: dict[str, Any]
    page: Path | None

    @property
    def gate_opens(self) -> bool:
        return all(row["holds"] for row in self.account["gate"])


def open_review(
    reference: str, output: Path, workspace: Workspace, today: dt.date, *, stage: str | None = None
) -> FormReport:
    """Write the form that a committee's secretary fills in. A file that is there is never written over.

    Parameters
    ----------
    stage : what the committee is asked for; left open unless given

    Raises
    ------
    UsageError
        for a stage that there is not, a model that is not registered, or a file that may be filled in already.
    CardError
        if the card is not the one that was registered.
    OutsideError
        if the disk refuses.
    """
    from riskmodels.commands.gates import name_of
    from riskmodels.commands.promotions import registered
    from riskmodels.governance import registry
    from riskmodels.governance.decision import STAGES, parse_card, verdicts_to_answer
    from riskmodels.governance.forms import blank_form

    if stage is not None and stage not in STAGES:
        raise UsageError(f"--stage {stage}: the stages are {', '.join(STAGES)}")
    found = registry.resolve(workspace, reference)
    entry = registered(found)
    card = parse_card(_registered_card(found, entry))
    form = blank_form(
        card, name=name_of(found), model_sha256=entry.model_sha256, card_sha256=entry.card_sha256, today=today,
        stage=stage,
    )  # fmt: skip
    storage.refuse_unwritable(output)
    if output.exists() and storage.read_bytes(output) != form:
        raise UsageError(f"{output}: is there already, and somebody may have filled it in; name another with --output")
    storage.write_whole(output, form, mode=0o644)
    return FormReport(name_of(found), output, len(verdicts_to_answer(card)))


def record_review(
    reference: str,
    decision: Any,
    workspace: Workspace,
    today: dt.date,
    *,
    dry_run: bool = False,
    tracking_uri: str | None = None,
) -> ReviewReport:
    """Write a committee's decision into the study's record. ``decision`` is a YAML file or an already parsed mapping.

    What was decided on is kept beside the record as it was, so that it can be rebuilt from there.

    Parameters
    ----------
    dry_run : ask everything that recording asks, and write nothing

    Raises
    ------
    GateError
        if the decision is not filled in, does not hold together, does not fit the model and its audit, or approves a
        pilot or live use of a model whose card fails a check that holds it up.
    CardError, ModelFileError
        if the card or the model is not what was registered.
    """
    from riskmodels.cards.card_file import read_card_file
    from riskmodels.commands.card_checks import refuse_unfit_card
    from riskmodels.commands.deposits import deposit
    from riskmodels.commands.gates import name_of
    from riskmodels.commands.mirrors import tell_mlflow
    from riskmodels.commands.promotions import digests_of, registered
    from riskmodels.governance import acts, registry, review
    from riskmodels.governance.chain import read_chain, refuse_set_back
    from riskmodels.governance.champions import champion
    from riskmodels.governance.decision import STAGES_IN_USE, Decision

    found = registry.resolve(workspace, reference)
    entry = registered(found)
    parsed = acts.parse_decision(decision) if isinstance(decision, Mapping) else acts.load_decision(Path(decision))
    # A withdrawal must be possible even when the card has been lost.
    card = None if isinstance(parsed, acts.Withdrawal) else read_card_file(found.card_path)
    digests = digests_of(entry)
    if isinstance(parsed, Decision):
        review.refuse_today(parsed, card, digests.model, digests.card, today)
        if parsed.owner_decision == "approve" and parsed.stage in STAGES_IN_USE:
            refuse_unfit_card(found, workspace, parsed.stage, today)
    path = workspace.reviews(found.study)
    if dry_run:
        chain = read_chain(path)
        refuse_set_back(chain, today)
        would_be = review.approval_of(parsed, digests, len(chain) + 1)
        return ReviewReport(name_of(found), len(chain) + 1, parsed, would_be, None)
    if isinstance(parsed, Decision):
        deposit(found, workspace)
    approval = review.record(
        path,
        parsed,
        model_sha256=digests.model,
        card_sha256=digests.card,
        data_sha256=digests.data,
        policy_sha256=digests.policy,
        today=today,
        card=card,
    )
    chain = read_chain(path)
    written = next(line for line in reversed(chain) if line.act == parsed)
    reign = champion(chain)
    in_use = (
        reign is not None
        and approval is not None
        and (reign.digests, reign.promotion.stage) == ((digests.model, digests.card), approval.stage)
    )
    warning = tell_mlflow(found.study, workspace, tracking_uri, silent)
    return ReviewReport(name_of(found), written.seq, parsed, approval, written.sha256, in_use, warning)


def record_evidence(
    reference: str,
    workspace: Workspace,
    today: dt.date,
    *,
    condition: int,
    evidence: str,
    by_role: str,
    tracking_uri: str | None = None,
) -> EvidenceReport:
    """Record that a condition of the decision in force is met, and by what that is shown.

    Parameters
    ----------
    condition : its number, from 1, as `show_review` gives it

    Raises
    ------
    GateError
        if no decision is in force, it has no such condition, or the condition is met already; or if somebody else
        changed the record meanwhile.
    """
    from riskmodels.commands.gates import name_of
    from riskmodels.commands.mirrors import tell_mlflow
    from riskmodels.commands.promotions import checked_act, digests_of, registered
    from riskmodels.governance import registry
    from riskmodels.governance.acts import Evidence
    from riskmodels.governance.chain import read_chain, writing
    from riskmodels.governance.decision import Decision
    from riskmodels.governance.review import conditions_of, governing

    found = registry.resolve(workspace, reference)
    entry = registered(found)
    name, path = name_of(found), workspace.reviews(found.study)
    chain = read_chain(path)
    standing = governing(chain, entry.model_sha256, entry.card_sha256)
    if standing is None:
        raise GateError(
            f"{name}: no decision is recorded, so there is no condition to be met; record the decision first"
        )
    if not isinstance(standing.act, Decision):
        raise GateError(f"{name}: was withdrawn on {standing.recorded_on}, so no condition of it is left to be met")
    known = conditions_of(chain, standing)
    if not 1 <= condition <= len(known):
        has = f"has the conditions 1 to {len(known)}" if known else "has no conditions"
        raise GateError(f"--condition {condition}: record {standing.seq}, the decision in force, {has}")
    if known[condition - 1].status == "met":
        raise GateError(
            f"--condition {condition}: is met already, by record {standing.seq} or later; nothing was recorded"
        )
    said = {"decision": standing.seq, "condition": condition, "evidence": evidence, "by_role": by_role,
            "example": standing.act.example}  # fmt: skip
    act = checked_act(Evidence, said)
    with writing(path, today, follows=len(chain)) as writer:
        written = writer.append(act, digests_of(entry))
    left = sum(one.status == "open" for one in conditions_of(writer.chain, standing))
    warning = tell_mlflow(found.study, workspace, tracking_uri, silent)
    text = known[condition - 1].text
    return EvidenceReport(name, standing.seq, condition, text, written.seq, left, written.sha256, warning)


def show_review(reference: str, workspace: Workspace, today: dt.date, *, html: Path | None = None) -> ShowReport:
    """How a model stands: its state, its conditions, all that was recorded on it, and each rule of the gate.

    Parameters
    ----------
    html : where it is written as a page

    Raises
    ------
    UsageError
        if there is no such model.
    GateError
        if the record is broken.
    """
    from riskmodels.commands.gates import case_of, name_of
    from riskmodels.governance import gate, registry
    from riskmodels.governance.account import account, history, of_model, standing
    from riskmodels.governance.chain import read_chain
    from riskmodels.reports.review_page import render_review

    if html is not None:
        storage.refuse_unwritable(html)
    found = registry.resolve(workspace, reference)
    case = case_of(found, workspace, today)
    chain = read_chain(workspace.reviews(found.study))
    # By what was registered, where it was: its files may have been changed since, which the gate says.
    model = found.entry.model_sha256 if found.entry else case.model_sha256
    card = found.entry.card_sha256 if found.entry else case.card_sha256
    folder = found.entry.folder if found.entry else found.folder.name
    rows = history(of_model(chain, model, folder), versions_of(workspace, found.study))
    shown = [standing(chain, model, card, found.version, today)]
    told = account(found.study, chain, shown, rows, today, gate.explain_gate(case))
    if html is not None:
        storage.write_whole(html, render_review(told, name_of(found)), mode=0o644)
    return ShowReport(name_of(found), told, html)


def versions_of(workspace: Workspace, study: str) -> dict[tuple[str, str], int]:
    """The digests of a model and its card -> the version that has them; the newest where several have."""
    from riskmodels.governance import registry

    known = registry.read_index(workspace).get(study)
    versions = known.versions if known else ()
    return {(entry.model_sha256, entry.card_sha256): entry.version for entry in versions}


def _registered_card(found: ResolvedModel, entry: Entry) -> bytes:
    from riskmodels.cards.card_file import read_card_file

    content = read_card_file(found.card_path)
    if storage.sha256(content) != entry.card_sha256:
        raise CardError(f"{found.card_path}: is not the card that was registered; restore it, or run the study again")
    return content
