"""The earlier card that a page is compared with: of the same study and edition, and made on a day that is known."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from riskmodels import __main__, commands, storage
from riskmodels.commands.cards import beside_card, find_card
from riskmodels.errors import UsageError
from riskmodels.governance import registry
from riskmodels.workspace import Workspace
from tests.cards.change.pairs import Card, all_of, changed, put
from tests.cards.change.test_words import expires

TODAY = dt.date(1990, 9, 1)


def written(folder: Path, name: str, card: Card) -> str:
    path = folder / name / "card.json"
    storage.write_whole(path, storage.canonical_json(card))
    return str(path)


def words_of(new: str, workspace: Workspace, since: str, today: dt.date) -> list[str]:
    change: Any = beside_card(find_card(new, workspace), workspace, today, since).change
    return list(change["words"])


def test_an_agreement_that_ended_is_told_on_the_card(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "work")
    old = written(tmp_path, "old", changed(expires("1990-08-31")))
    new = written(tmp_path, "new", changed(all_of(expires("1990-08-31"), put("title", "x"))))
    ended = "The agreement for “records” has ended: it ran until 31 August 1990."
    assert ended in words_of(new, workspace, old, TODAY)
    assert ended not in words_of(new, workspace, old, TODAY - dt.timedelta(days=1))

    # Where the workspace knows when the earlier card was made, it says that it was since.
    study, digest = "spring_reading", storage.sha256(Path(old).read_bytes())
    entry = {
        "model_sha256": "ab" * 32, "card_sha256": digest, "data_sha256": "1" * 64, "policy_sha256": "2" * 64,
        "folder": f"runs/{study}/1", "registered_on": "1990-01-01", "verdict": "PASS", "recommendation": "use",
    }  # fmt: skip
    registry.register(workspace, study, entry)
    since = "The agreement for “records” ended on 31 August 1990, which is since the last card."
    assert since in words_of(new, workspace, old, TODAY)
    assert since in commands.card_diff(old, new, workspace, today=TODAY).change.words


@pytest.mark.parametrize("more", [(), ("--check",)])
def test_a_card_of_another_study_or_edition_is_refused(
    more: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = written(tmp_path, "new", changed(put("title", "x")))
    others = {
        "is of the study another_study, and": put("study", "another_study"),
        "is the public edition, and": put("edition_profile", {"edition": "public", "disclosure": "sro-10", "of": None}),
    }
    for said, plant in others.items():
        other = written(tmp_path, "other", changed(plant))
        out, work = tmp_path / "out", tmp_path / "work"
        code = __main__.run(["card", new, "--since", other, *more, "--output", str(out), "--workspace", str(work)])
        assert code == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert line.startswith(f"riskmodels: --since {other}: {said}")
        assert not out.exists()


def test_what_to_do_about_two_studies_is_said(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "work")
    new = written(tmp_path, "new", changed(put("title", "x")))
    other = written(tmp_path, "other", changed(put("study", "another_study")))
    with pytest.raises(UsageError, match="compare two studies with: riskmodels card diff --across"):
        beside_card(find_card(new, workspace), workspace, TODAY, other)
    assert json.loads(Path(new).read_text())["study"] == "spring_reading"
    assert beside_card(find_card(new, workspace), workspace, TODAY, "none").change is None
