"""What an audit found: exact, and its owner's alone. `riskmodels.assessment.audit.publishing` makes it fit to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodels.assessment.audit.verdicts import FAIL, INSUFFICIENT, NOT_AUDITED, PASS
from riskmodels.errors import ExitCode

if TYPE_CHECKING:
    from riskmodels.assessment.audit.exact import Exact

Row = dict[str, Any]

EXIT_CODES = {
    PASS: ExitCode.DONE,
    FAIL: ExitCode.FAIL,
    INSUFFICIENT: ExitCode.INSUFFICIENT_EVIDENCE,
    NOT_AUDITED: ExitCode.NOT_AUDITED,
}


@dataclass(frozen=True)
class Audit:
    """What the audit found, exactly.

    n: rows ranked; known: those whose outcome is known; units: people or clusters resampled; widened: where the policy
    is more lenient than the default; critical_values: half-width of the simultaneous intervals in standard errors, for
    how groups are treated and for what their risks mean; titles: attribute -> its name in words;
    exact: what its verdicts were made from, no part of what is shown.
    """

    n: int
    known: int
    units: int
    purpose: str
    outcome_measures: str
    level: str
    provisional: bool
    policy_name: str
    policy_sha256: str
    widened: tuple[str, ...]
    critical_values: Mapping[str, float]
    verdict: str
    judged: Mapping[str, int]
    rows: tuple[Row, ...]
    contrasts: tuple[Row, ...]
    not_audited: tuple[Row, ...]
    missing: tuple[Row, ...]
    proxies: tuple[Row, ...]
    composition: tuple[Row, ...]
    titles: Mapping[str, str]
    in_words: tuple[str, ...]
    sweep: tuple[Row, ...] = ()
    curves: tuple[Row, ...] = ()
    pooled: tuple[Row, ...] = ()
    after_exclusions: Row | None = None
    exact: Exact | None = field(default=None, repr=False, compare=False)

    @property
    def exit_code(self) -> ExitCode:
        return EXIT_CODES[self.verdict]

    def to_dict(self) -> Row:
        """As plain JSON values; numbers to six significant digits."""
        found: Row = plain(asdict(replace(self, exact=None)))
        del found["exact"]
        return found


def plain(value: Any) -> Any:
    """As plain JSON values; numbers to six significant digits."""
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(part) for part in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.6g}")
    return value.item() if isinstance(value, np.generic) else value
