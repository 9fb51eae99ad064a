"""What counts as unequal: the fairness policy, a versioned YAML whose SHA-256 is in every audit."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from riskmodels import storage
from riskmodels.errors import StudyError
from riskmodels.study import Section

POLICIES = Path(__file__).parent / "policies"

Proportion = Literal["recall", "fnr", "fpr", "fdr", "for", "precision", "selection_rate"]
Calibration = Literal["oe_ratio", "calibration_slope"]
Purpose = Literal["assistive", "punitive", "mixed"]
Share = Field(gt=0, lt=1)


class Floors(Section):
    """How many people a metric's own denominator needs before it is shown, compared, judged."""

    show: int = Field(ge=1)
    ratio: int = Field(ge=1)
    verdict: int = Field(ge=1)
    slope_events: int = Field(ge=1)


class MissingRules(Section):
    """What follows when the group is not known for more than a share of the people."""

    bounds_above: float = Share
    cap_above: float = Share
    words: tuple[str, ...]


class Policy(Section):
    """A fairness policy. Bands and gaps are on the metric's own scale; level, power and shares lie in (0, 1)."""

    name: str
    version: int = Field(ge=1)
    ratio_band: tuple[float, float]
    slope_band: tuple[float, float]
    smallest_gap: float = Field(ge=0, lt=1)
    level: float = Field(ge=0.5, le=0.9999)
    replicates: int = Field(ge=200, le=100_000)
    power: float = Share
    floors: Floors
    missing: MissingRules
    most_groups: int = Field(ge=2)
    verdict_metrics: dict[Purpose, tuple[Proportion, ...]]
    every_purpose: tuple[Calibration, ...]
    service_outcome: tuple[Proportion, ...]
    secondary: tuple[Proportion, ...]
    exploratory_q: float = Share
    proxy_auc: float = Field(ge=0.5, lt=1)
    sha256: str = ""
    widened: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _makes_sense(self) -> Policy:
        for name in ("ratio_band", "slope_band"):
            low, high = getattr(self, name)
            if not 0 < low < 1 < high:
                raise ValueError(f"{name}: a band reaches from below 1 to above 1, as in [0.80, 1.25]")
        if set(self.verdict_metrics) != {"assistive", "punitive", "mixed"}:
            raise ValueError("verdict_metrics: name the metrics for assistive, punitive and mixed")
        return self

    def primary(self, purpose: str, measures: str) -> tuple[str, ...]:
        """The verdict-bearing metrics for a purpose and for what the outcome measures (``need`` or ``service``)."""
        named: tuple[str, ...] = self.verdict_metrics[purpose]  # type: ignore[index]
        service = self.service_outcome if measures == "service" else ()
        return tuple(dict.fromkeys((*named, *service, *self.every_purpose)))

    def band(self, metric: str) -> tuple[float, float]:
        return self.slope_band if metric == "calibration_slope" else self.ratio_band


def load_policy(name: str = "default") -> Policy:
    """A shipped policy by name, or one's own by the path of its YAML file.

    Raises
    ------
    StudyError
        if there is no such policy, or it is not one: the key is named.
    """
    path = POLICIES / f"{name}.yaml" if name.isidentifier() else Path(name)
    if not path.is_file():
        shipped = ", ".join(sorted(found.stem for found in POLICIES.glob("*.yaml")))
        raise StudyError(f"fairness.policy: there is no policy {name!r}; name a YAML file, or one of: {shipped}")
    raw = storage.read_yaml(path)
    if not isinstance(raw, dict) or {"sha256", "widened"} & set(raw):
        raise StudyError(
            f"{path}: must hold the keys of a fairness policy and nothing else; start from a copy of the default"
        )
    try:
        policy = Policy.model_validate(raw)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        raise StudyError(f"{path}: {where + ': ' if where else ''}{message}") from None
    widened = () if name == "default" else widenings(policy, load_policy())
    return policy.model_copy(update={"sha256": storage.sha256(storage.read_bytes(path)), "widened": widened})


def widenings(policy: Policy, default: Policy) -> tuple[str, ...]:
    """Where a policy is more lenient than the default: the names of its keys."""
    judged_anyway = set.intersection(*(set(metrics) for metrics in policy.verdict_metrics.values()))
    lenient = {
        "smallest_gap": policy.smallest_gap > default.smallest_gap,
        "level": policy.level != default.level,
        "replicates": policy.replicates < default.replicates,
        "power": policy.power < default.power,
        # A lower floor lets chance PASS, a higher one lets harm go unseen: either is recorded.
        "floors.show": policy.floors.show != default.floors.show,
        "floors.ratio": policy.floors.ratio != default.floors.ratio,
        "floors.verdict": policy.floors.verdict != default.floors.verdict,
        "floors.slope_events": policy.floors.slope_events != default.floors.slope_events,
        "missing.bounds_above": policy.missing.bounds_above > default.missing.bounds_above,
        "missing.cap_above": policy.missing.cap_above > default.missing.cap_above,
        # With one word less nobody is missing who is; with one more, a real group could be declared missing.
        "missing.words": _words(policy) != _words(default),
        "most_groups": policy.most_groups < default.most_groups,
        "exploratory_q": policy.exploratory_q < default.exploratory_q,
        "proxy_auc": policy.proxy_auc > default.proxy_auc,
        "every_purpose": not set(default.every_purpose) <= set(policy.every_purpose),
        "service_outcome": not set(default.service_outcome) <= set(policy.service_outcome),
        "secondary": not set(default.secondary) <= {*policy.secondary, *judged_anyway},
    }
    for name in ("ratio_band", "slope_band"):
        (low, high), (floor, ceiling) = getattr(policy, name), getattr(default, name)
        lenient[name] = low < floor or high > ceiling
    for purpose, metrics in default.verdict_metrics.items():
        lenient[f"verdict_metrics.{purpose}"] = not set(metrics) <= set(policy.verdict_metrics[purpose])
    return tuple(sorted(name for name, is_wider in lenient.items() if is_wider))


def _words(policy: Policy) -> set[str]:
    return {word.casefold() for word in policy.missing.words}
