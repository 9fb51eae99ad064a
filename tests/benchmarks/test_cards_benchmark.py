"""The pieces of the card's benchmark on a few children: both sides draw the same figures of the same results."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import cards, cards_sides


@pytest.mark.slow
def test_both_sides_draw_the_same_figures(tmp_path: Path) -> None:
    kept = str(tmp_path / "kept")
    assert cards_sides.keep(2_000, str(tmp_path), kept)["rows"] > 1_000
    ours, theirs = cards_sides.ours(kept), cards_sides.with_pyplot(kept)
    assert ours["figures"] == theirs["figures"]
    assert set(cards.STEPS) <= set(ours["steps"])
    assert ours["html_kb"] > 100
