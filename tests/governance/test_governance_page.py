"""docs/governance.md names commands that there are, and every key of the form."""

from __future__ import annotations

import re
from pathlib import Path

from typer.main import get_command

from riskmodels.cli.app import review_app
from riskmodels.governance.decision import Decision

PAGE = (Path(__file__).parents[2] / "docs" / "governance.md").read_text(encoding="utf-8")
BESIDE = {"kind", "model_sha256", "card_sha256", "example"}  # of which the form says what they are


def test_every_command_about_reviews_is_there_and_no_other() -> None:
    import riskmodels.cli  # noqa: F401 - the commands are known once it is imported

    known = set(get_command(review_app).commands)  # type: ignore[attr-defined]
    assert set(re.findall(r"^riskmodels review (\w+)", PAGE, flags=re.MULTILINE)) == known


def test_every_key_of_the_form_is_explained() -> None:
    rows = re.findall(r"^\| (`.*?) \|", PAGE, flags=re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == set(Decision.model_fields) - BESIDE
