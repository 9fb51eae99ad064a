from __future__ import annotations

import pytest

from riskmodels.service.batch import duplicates, ranked, scoring, slices


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that goes by thousands goes by a few, so that small cohorts have many buckets, blocks and slices."""
    monkeypatch.setattr(duplicates, "AT_ONCE", 16)
    monkeypatch.setattr(ranked, "SAMPLED", 3)
    monkeypatch.setattr(ranked, "ROWS_IN_A_BUCKET", 12)
    monkeypatch.setattr(scoring, "BLOCK", 7)
    monkeypatch.setattr(slices, "ROWS_IN_A_SLICE", 10)
