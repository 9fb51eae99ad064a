"""Results as what JSON holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from riskmodels.assessment.estimate import Estimate


def plain(value: Any) -> Any:
    """Estimates, mappings, tuples and dates as dictionaries, lists and text."""
    if isinstance(value, Estimate):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, dt.date):
        return value.isoformat()
    return [plain(each) for each in value] if isinstance(value, (list, tuple)) else value
