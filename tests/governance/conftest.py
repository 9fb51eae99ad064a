"""A fictional study with a saved model, a card, and a committee that has decided."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from riskmodels import storage
from riskmodels.data.features import FeatureSpec
from riskmodels.governance import acts, review
from riskmodels.governance.acts import Promotion, Withdrawal
from riskmodels.governance.chain import Digests, writing
from riskmodels.governance.decision import Decision
from riskmodels.governance.rules import Case
from riskmodels.models.additive import Additive, Line
from riskmodels.models.calibration import Curve
from riskmodels.models.matrix import Column, Encoder
from riskmodels.models.risk_model import RiskModel
from riskmodels.study import load_study

TODAY = dt.date(2026, 11, 23)
STUDY = "reading_help"


def contrast(attribute: str, group: str, metric: str, verdict: str, family: str = "primary") -> dict[str, Any]:
    return {"attribute": attribute, "group": group, "metric": metric, "verdict": verdict, "family": family}


FOLDER = Path(__file__).parents[2] / "experiments" / "early_reading_support"
KEPT = load_study(FOLDER)

CARD: dict[str, Any] = {
    "study": STUDY,
    "digests": {"study": KEPT.digest, "answers": KEPT.answers_digest, "data": "d" * 64, "policy": "e" * 64},
    "audit": {
        "verdict": "FAIL",
        "contrasts": [
            contrast("sex", "F", "recall", "FAIL"),
            contrast("sex", "M", "recall", "PASS"),
            contrast("ethnicity", "Other", "recall", "INSUFFICIENT EVIDENCE"),
            contrast("ethnicity", "Other", "oe_ratio", "INSUFFICIENT EVIDENCE"),
            contrast("sex x ethnicity", "F x Other", "recall", "FAIL", family="exploratory"),
        ],
    },
    "annex": {"checks": {"columns": ["check", "result"], "rows": [["future_facts", "none found"]], "source": "run"}},
}

DECISION: dict[str, Any] = {
    "kind": "decision",
    "stage": "pilot",
    "advice": "proceed with conditions",
    "conditions": [{"text": "Tell parents in writing", "owner": "head of service", "due": "2027-01-31"}],
    "dissent": ["One lay member would wait for another year of data"],
    "conflicts_of_interest": [],
    "quorum": {"members": 9, "lay": 4, "specialist": 3},
    "meeting": {"date": "2026-11-20", "minute": "DEC-2026-11-04"},
    "owner_role": "director of children's services",
    "owner_decision": "approve",
    "expires": "2027-05-20",
    "answers": {
        "sex: F: recall": {"reason": "Places for girls are reviewed by hand", "expires": "2027-05-20"},
        "ethnicity": {"reason": "Too few pupils to judge; audited again in spring", "expires": "2027-03-31"},
    },
    "trained_by_role": "data scientist",
    "approved_by_role": "director of children's services",
    "example": True,
}


def make_card(files: dict[str, bytes]) -> bytes:
    return storage.canonical_json({**CARD, "model": {"sha256": storage.sha256(files["manifest.json"])}})


def make_files(text: str = "a model") -> dict[str, bytes]:
    """A small model, saved; another text gives another model."""
    spec = FeatureSpec(
        "reading_score", "latest", "tests.score", "ever", "tests", "number", "keep", "Last reading score"
    )
    made_of = (spec.name, spec.take, spec.of, spec.last, spec.source, "number", spec.missing)
    column = Column(*made_of, typical=50.0, low=5.0, high=95.0)
    offset = -1.0 - int(storage.sha256(text.encode())[:4], 16) / 2**16
    fitted = Additive(offset, (Line(spec.name, slope=-0.02, centre=50.0, missing=0.1),))
    model = RiskModel(STUDY, "logistic", fitted, Encoder((column,)), Curve(0.0, 1.0), (spec,))
    return model.to_files()


@dataclass
class Governed:
    """One study's chain, and shorthands to write to it and to ask of it."""

    path: Path
    files: dict[str, bytes]
    card: bytes

    @property
    def model_sha256(self) -> str:
        return storage.sha256(self.files["manifest.json"])

    @property
    def card_sha256(self) -> str:
        return storage.sha256(self.card)

    @property
    def registered(self) -> dict[str, Any]:
        digests = {"model_sha256": self.model_sha256, "card_sha256": self.card_sha256}
        return {**digests, "data_sha256": "d" * 64, "policy_sha256": "e" * 64, "version": 1}

    def decide(self, today: dt.date = TODAY, **changes: Any) -> review.Approval | None:
        return self.put(acts.parse_decision({**DECISION, **changes}), today)

    def decide_again(self, today: dt.date = TODAY, **changes: Any) -> review.Approval | None:
        """By a meeting of its own on the same day, as is needed after a withdrawal."""
        return self.decide(today, **{"meeting": {"date": str(today), "minute": "DEC-AGAIN"}, **changes})

    def withdraw(self, today: dt.date = TODAY) -> None:
        words = {"kind": "withdrawal", "reason": "The source table changed", "owner_role": "director"}
        self.put(acts.parse_decision(words), today)

    def put(
        self, decision: Decision | Withdrawal, today: dt.date = TODAY, *, data: str = "d" * 64, policy: str = "e" * 64
    ) -> review.Approval | None:
        return review.record(
            self.path,
            decision,
            model_sha256=self.model_sha256,
            card_sha256=self.card_sha256,
            data_sha256=data,
            policy_sha256=policy,
            today=today,
            card=self.card,
        )

    def promote(self, today: dt.date = TODAY, **changes: Any) -> None:
        """Without the gate: what the gate makes of it is asked of the gate."""
        said = {"stage": "pilot", "version": 1, "by_role": "head of service", **changes}
        with writing(self.path, today) as writer:
            writer.append(Promotion.model_validate(said), Digests(self.model_sha256, self.card_sha256))

    def case(self, **changes: Any) -> Case:
        asked = {"files": self.files, "card": self.card, "chain_path": self.path, "registered": self.registered,
                 "today": TODAY, "study_folder": FOLDER, "failing_checks": lambda stage: ()}  # fmt: skip
        return Case(**(asked | changes))

    @property
    def lines(self) -> list[bytes]:
        return self.path.read_bytes().splitlines(keepends=True)

    def rewrite(self, lines: list[bytes]) -> None:
        self.path.write_bytes(b"".join(lines))


@pytest.fixture
def governed(tmp_path: Path) -> Governed:
    return Governed(tmp_path / "governance" / "reading_help.jsonl", make_files(), make_card(make_files()))


@pytest.fixture
def raw_decision() -> dict[str, Any]:
    return dict(DECISION)


@pytest.fixture
def files_of() -> Callable[[str], dict[str, bytes]]:
    return make_files


@pytest.fixture
def card_of() -> Callable[[dict[str, bytes]], bytes]:
    return make_card


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, bytes]]:
    """What `RiskModel.from_files` was asked to load, in order."""
    asked: list[dict[str, bytes]] = []
    from_files = RiskModel.from_files

    def noted(files: dict[str, bytes]) -> RiskModel:
        asked.append(files)
        return from_files(files)

    monkeypatch.setattr(RiskModel, "from_files", noted)
    return asked


@pytest.fixture
def decision_file(tmp_path: Path) -> Callable[..., Path]:
    """Write the decision as YAML (which JSON is), with changes; None takes a key away."""

    def write(**changes: Any) -> Path:
        raw = {key: value for key, value in {**DECISION, **changes}.items() if value is not None}
        path = tmp_path / "decision.yaml"
        path.write_text(json.dumps(raw), encoding="utf-8")
        return path

    return write


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A workspace with one registered version, whose card passes its checks without being looked at."""
    from tests.governance.review_workspace import make_workspace

    monkeypatch.setattr("riskmodels.commands.card_checks.failing_checks", lambda *asked: [])
    return make_workspace(tmp_path / "work")


@pytest.fixture(scope="session")
def acted_once(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A workspace with three versions that are approved, of which the second is champion; not to be changed."""
    from tests.governance.acting import make_acting

    with pytest.MonkeyPatch.context() as unlooked:
        unlooked.setattr("riskmodels.commands.card_checks.failing_checks", lambda *asked: [])
        return make_acting(tmp_path_factory.mktemp("acting"))


@pytest.fixture
def acting(acted_once: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A copy, in which cards pass their checks without being looked at: that is slow, and no act."""
    from tests.governance.acting import copy_of

    monkeypatch.setattr("riskmodels.commands.card_checks.failing_checks", lambda *asked: [])
    return copy_of(acted_once, tmp_path / "acting")
