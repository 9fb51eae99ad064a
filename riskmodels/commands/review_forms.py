"""The form of a decision, as it is written for one version, and what is asked of it once it comes back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.errors import CardError, GateError, RiskModelsError, UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.governance.decision import Decision
    from riskmodels.governance.registry import Entry, ResolvedModel


@dataclass(frozen=True)
class FormReport:
    """``to_answer``: how many verdicts of the audit an approval has to answer."""

    name: str
    path: Path
    to_answer: int


def open_review(
    reference: str, output: Path, workspace: Workspace, today: dt.date, *, stage: str | None = None
) -> FormReport:
    """Write the form that a committee's secretary fills in. A file that is there is never written over.

    Parameters
    ----------
    reference : a study's name alone is its newest version on which nothing is decided yet
    stage : what the committee is asked for; left open unless given

    Raises
    ------
    UsageError
        for a stage that there is not, a model that is not registered, a study whose versions are all decided on, or a
        file that may be filled in already.
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
    found = registry.resolve(workspace, _version_to_decide(reference, workspace))
    entry = registered(found)
    card = parse_card(_registered_card(found, entry))
    form = blank_form(
        card, name=name_of(found), model_sha256=entry.model_sha256, card_sha256=entry.card_sha256, today=today,
        stage=stage, workspace=workspace.as_option,
    )  # fmt: skip
    storage.refuse_unwritable(output)
    if output.exists() and storage.read_bytes(output) != form:
        raise UsageError(f"{output}: is there already, and somebody may have filled it in; name another with --output")
    storage.write_whole(output, form, mode=0o644)
    return FormReport(name_of(found), output, len(verdicts_to_answer(card)))


def _version_to_decide(reference: str, workspace: Workspace) -> str:
    """A study's name alone is not its champion here: that one is decided on already."""
    from riskmodels.governance import registry
    from riskmodels.governance.chain import read_chain
    from riskmodels.governance.review import governing

    study = registry.bare_name(workspace, reference)
    if study is None:
        return reference
    chain, known = read_chain(workspace.reviews(study)), registry.read_index(workspace)[study]
    for entry in reversed(known.versions):
        if governing(chain, entry.model_sha256, entry.card_sha256) is None:
            return f"{study}/{entry.version}"
    newest = f"{study}/{len(known.versions)}"
    raise UsageError(f"{study}: every version is decided on; name the one to be decided on again, such as {newest}")


def with_questions(decision: Mapping[str, Any], reference: str, workspace: Workspace) -> Mapping[str, Any]:
    """A decision that was typed, with every verdict that it has to answer as the form has them: left empty.

    So what is not answered is said together with whatever else is missing.
    """
    from riskmodels.commands.promotions import registered
    from riskmodels.governance import registry
    from riskmodels.governance.decision import parse_card, verdicts_to_answer

    given = decision.get("answers") or {}
    if decision.get("kind", "decision") != "decision" or not isinstance(given, Mapping):
        return decision
    try:
        if registry.bare_name(workspace, reference) is not None:
            return decision  # which version is meant, the decision says
        found = registry.resolve(workspace, reference)
        verdicts = verdicts_to_answer(parse_card(_registered_card(found, registered(found))))
    except RiskModelsError:  # which is said when the decision itself is whole
        return decision
    return {**decision, "answers": {**dict.fromkeys(verdicts), **given}}


def refuse_early_meeting(decision: Decision, entry: Entry) -> None:
    """Raises GateError for a meeting that was held before there was the card that it is said to have looked at."""
    if decision.meeting.date < entry.registered_on:
        raise GateError(
            f"meeting.date: the meeting of {decision.meeting.date} was before this card was registered, on "
            f"{entry.registered_on}; put the card to a meeting, and give its day"
        )


def _registered_card(found: ResolvedModel, entry: Entry) -> bytes:
    from riskmodels.cards.card_file import read_card_file

    content = read_card_file(found.card_path)
    if storage.sha256(content) != entry.card_sha256:
        raise CardError(f"{found.card_path}: is not the card that was registered; restore it, or run the study again")
    return content
