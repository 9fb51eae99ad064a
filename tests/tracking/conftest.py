from __future__ import annotations

from collections.abc import Iterator

import mlflow
import pytest

from riskmodels import tracking


@pytest.fixture(autouse=True)
def _addresses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """MLflow keeps the addresses that a test names, for itself and in the environment: no other test meets them."""
    monkeypatch.delenv(tracking.REGISTRY_VARIABLE, raising=False)
    monkeypatch.delenv(tracking.URI_VARIABLE, raising=False)
    yield
    mlflow.set_registry_uri(None)
    mlflow.set_tracking_uri(None)
