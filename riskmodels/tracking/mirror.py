"""What MLflow should show of a study's record: version tags, two aliases, a history of moves. Pure: the record decides.

Nothing of it names a person, and no reason that somebody wrote in their own words is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from riskmodels.governance.acts import Promotion, Withdrawal
from riskmodels.governance.chain import Record
from riskmodels.governance.champions import champion, previous
from riskmodels.governance.decision import STAGES_IN_USE, Decision
from riskmodels.governance.review import governing

LIVE = "-live"
HISTORY = "/governance"
NONE = "none"  # in the place of a tag's value: taking a tag away needs more rights than setting it
MODEL, CARD, SEAL, NUMBER = "model.sha256", "card.sha256", "record.sha256", "record.number"
LONGEST_TAG = 250

Pair = tuple[str, str]  # the digests of a model and of its card


@dataclass(frozen=True)
class Move:
    """A change of who is champion, or a withdrawal; ``tags`` are those of its run."""

    number: int
    seal: str
    action: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Mirror:
    """All that MLflow is told of a study."""

    study: str
    chain: tuple[Record, ...]
    champion: Pair | None
    previous: Pair | None
    moves: tuple[Move, ...]

    @property
    def live(self) -> str:
        return self.study + LIVE

    @property
    def history(self) -> str:
        return self.study + HISTORY

    def tags(self, pair: Pair) -> dict[str, str]:
        """What is decided of a model with a card; nothing where no record names the model."""
        if not any(line.model_sha256 == pair[0] for line in self.chain):
            return {}
        return _tags(self.chain, pair, pair == self.champion)


def build_mirror(study: str, chain: Sequence[Record]) -> Mirror:
    """What MLflow should show of a record. No clock: an approval that ended says so by its tag ``ethics.expires``."""
    now, before = champion(chain), previous(chain)
    return Mirror(
        study,
        tuple(chain),
        None if now is None else now.digests,
        None if before is None else before.digests,
        tuple(_moves(chain)),
    )


# ---------------------------------------------------------------- within


def _tags(chain: Sequence[Record], pair: Pair, is_champion: bool) -> dict[str, str]:
    found = governing(chain, *pair)
    act = None if found is None else found.act
    said = {"status": "not reviewed", "stage": NONE, "reference": NONE, "expires": NONE}
    gate = "awaiting review"
    if isinstance(act, Withdrawal):
        said |= {"status": "withdrawn", "reference": act.minute or NONE}
        gate = "shut"
    elif isinstance(act, Decision):
        approves = act.owner_decision == "approve"
        said |= {"status": "approved" if approves else "refused", "stage": act.stage, "reference": act.meeting.minute}
        said["expires"] = act.expires.isoformat() if approves and act.expires else NONE
        gate = "awaiting promotion" if approves and act.stage in STAGES_IN_USE else "shut"
    if is_champion and gate == "awaiting promotion":
        gate = "champion"
    if act is not None and act.example:
        said["status"] += " (an example decision, not a real one)"
    return {**{f"ethics.{name}": value[:LONGEST_TAG] for name, value in said.items()}, "gates.status": gate}


def _moves(chain: Sequence[Record]) -> list[Move]:
    moves, before = [], NONE
    for number, line in enumerate(chain, 1):
        act = line.act
        if not isinstance(act, Promotion | Withdrawal):
            continue
        now = champion(chain[:number])
        after = NONE if now is None else str(now.promotion.version)
        if isinstance(act, Promotion):
            said = {"action": "rollback" if act.rollback else "promotion", "by.role": act.by_role, "stage": act.stage}
        else:
            said = {"action": "withdrawal", "by.role": act.owner_role, "stage": NONE}
        tags = {
            **said, "from": before, "to": after,
            "recorded.on": line.recorded_on.isoformat(), NUMBER: str(line.seq), SEAL: line.sha256,
            MODEL: line.model_sha256, CARD: line.card_sha256, "example": "yes" if act.example else "no",
        }  # fmt: skip
        moves.append(Move(line.seq, line.sha256, said["action"], tags))
        before = after
    return moves
