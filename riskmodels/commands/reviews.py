"""What a committee advises and an owner decides: the record, the evidence, and how a model stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.commands.sources import silent
from riskmodels.errors import GateError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.commands.withdrawals import WithdrawalReport
    from riskmodels.governance.acts import Withdrawal
    from riskmodels.governance.decision import Condition, Decision
    from riskmodels.governance.review import Approval


@dataclass(frozen=True)
class ReviewReport:
    """What was recorded; after a dry run what would be, and ``seal`` is then None. ``approval``: if it is one.

    ``in_use``: the model is champion already for the stage that was decided on, so it needs no promotion. ``ends``: the
    stage for which it is champion and which this approval replaces, so that it scores nobody until it is promoted.
    ``withdrawal``: what a withdrawal did, as `withdraw` reports it.
    """

    name: str
    record: int
    act: Decision | Withdrawal
    approval: Approval | None
    seal: str | None
    in_use: bool = False
    warning: str | None = None
    ends: str | None = None
    withdrawal: WithdrawalReport | None = None

    @property
    def open_conditions(self) -> list[tuple[int, Condition]]:
        """The conditions that are not met yet, each with its number."""
        found = enumerate(getattr(self.act, "conditions", ()), 1)
        return [(number, condition) for number, condition in found if condition.status == "open"]


@dataclass(frozen=True)
class EvidenceReport:
    """``left``: how many conditions of the decision are open still. ``note``: that the decision names another role."""

    name: str
    decision: int
    condition: int
    text: str
    record: int
    left: int
    seal: str
    warning: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class ShowReport:
    """``account``: as `riskmodels.governance.account.account`. ``page``: where it was written; None for nowhere."""

    name: str
    account: dict[str, Any]
    page: Path | None

    @property
    def gate_opens(self) -> bool:
        return all(row["holds"] for row in self.account["gate"])


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
    reference : a version; a study's name alone is enough where the decision names its card
    dry_run : ask everything that recording asks, and write nothing

    Raises
    ------
    GateError
        if the decision is not filled in, does not hold together, does not fit the model and its audit, is older than
        what was recorded since its meeting, or approves a pilot or live use of a model whose card fails a check that
        holds it up; or if somebody else changed the record meanwhile.
    UsageError
        if neither the reference nor the decision names a version.
    CardError, ModelFileError
        if the card or the model is not what was registered.
    """
    from riskmodels.cards.card_file import read_card_file
    from riskmodels.commands.card_checks import refuse_unfit_card
    from riskmodels.commands.decided import refuse_shut, version_meant
    from riskmodels.commands.deposits import deposit
    from riskmodels.commands.gates import name_of
    from riskmodels.commands.mirrors import tell_mlflow
    from riskmodels.commands.promotions import digests_of, registered
    from riskmodels.commands.review_forms import refuse_early_meeting, with_questions
    from riskmodels.commands.withdrawals import carry_out, model_to_withdraw
    from riskmodels.governance import acts, recordable, registry, review
    from riskmodels.governance.chain import read_chain, refuse_set_back
    from riskmodels.governance.champions import champion
    from riskmodels.governance.decision import STAGES_IN_USE

    if isinstance(decision, Mapping):
        parsed = acts.parse_decision(with_questions(decision, reference, workspace))
    else:
        parsed = acts.load_decision(Path(decision))
    if isinstance(parsed, acts.Withdrawal):  # possible even when the card has been lost
        found = model_to_withdraw(reference, workspace)
        registered(found)
        if dry_run:
            number = len(read_chain(workspace.reviews(found.study))) + 1
            return ReviewReport(name_of(found), number, parsed, None, None)
        done = carry_out(found, parsed, workspace, today, tracking_uri=tracking_uri)
        return ReviewReport(name_of(found), done.record, parsed, None, done.seal, withdrawal=done)
    found = registry.resolve(workspace, version_meant(reference, parsed, workspace))
    entry = registered(found)
    card = read_card_file(found.card_path)
    digests = digests_of(entry)
    path = workspace.reviews(found.study)
    chain = read_chain(path)
    recordable.refuse_today(parsed, card, digests.model, digests.card, today)
    refuse_early_meeting(parsed, entry)
    recordable.refuse_out_of_order(chain, parsed, digests.model, digests.card)
    refuse_shut(parsed, card, entry)
    if parsed.owner_decision == "approve" and parsed.stage in STAGES_IN_USE:
        refuse_unfit_card(found, workspace, parsed.stage, today)
    if dry_run:
        refuse_set_back(chain, today)
        would_be = review.approval_of(parsed, digests, len(chain) + 1)
        return ReviewReport(name_of(found), len(chain) + 1, parsed, would_be, None)
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
        follows=len(chain),
    )
    chain = read_chain(path)
    written = next(line for line in reversed(chain) if line.act == parsed)
    reign = champion(chain)
    # The stage for which it is champion, if the use that was approved now is what the gate goes by.
    is_champion = reign is not None and reign.digests == (digests.model, digests.card)
    decides_use = approval is not None and approval.stage in STAGES_IN_USE
    stage = reign.promotion.stage if reign is not None and is_champion and decides_use else None
    in_use = stage is not None and approval is not None and stage == approval.stage
    warning = tell_mlflow(found.study, workspace, tracking_uri, silent)
    ends = None if in_use else stage
    return ReviewReport(name_of(found), written.seq, parsed, approval, written.sha256, in_use, warning, ends)


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
    from riskmodels.commands.promotions import checked_act, registered
    from riskmodels.governance import registry
    from riskmodels.governance.account import conditions
    from riskmodels.governance.acts import Evidence
    from riskmodels.governance.chain import Digests, read_chain, writing
    from riskmodels.governance.decision import Decision, not_named
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
        met_by = conditions(chain, standing, today)[condition - 1]["record"] or standing.seq
        raise GateError(f"--condition {condition}: is met already, by record {met_by}; nothing was recorded")
    said = {"decision": standing.seq, "condition": condition, "evidence": evidence, "by_role": by_role,
            "example": standing.act.example}  # fmt: skip
    act = checked_act(Evidence, said)
    # By the decision, not by models.json, which may have been changed since.
    sealed = Digests(standing.model_sha256, standing.card_sha256, standing.data_sha256, standing.policy_sha256)
    with writing(path, today, follows=len(chain)) as writer:
        written = writer.append(act, sealed)
    left = sum(one.status == "open" for one in conditions_of(writer.chain, standing))
    warning = tell_mlflow(found.study, workspace, tracking_uri, silent)
    text, note = known[condition - 1].text, not_named(standing.act, by_role, known[condition - 1].owner)
    return EvidenceReport(name, standing.seq, condition, text, written.seq, left, written.sha256, warning, note)


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
