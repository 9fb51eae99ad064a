"""The exact counts of an audit as a file, from which every verdict can be worked out anew, without the rows.

The file holds no row: no id and no person's risk. It does hold counts of few people, and patterns that a single person
may have, so it is for its owner alone. What may be shown is made by `riskmodels.assessment.audit.publishing`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from riskmodels.assessment.audit.counting.counts import Stratum, resample
from riskmodels.assessment.audit.exact_content import NOT_COUNTS, Content, KeptAttribute, KeptStratum, Numbers
from riskmodels.assessment.audit.policy import POLICIES, Policy, load_policy, widenings
from riskmodels.assessment.audit.result import Audit, Row, plain
from riskmodels.assessment.audit.steps import Asked, judged_contrasts
from riskmodels.assessment.audit.tables import Basis, Evidence, missing_rows
from riskmodels.assessment.audit.verdicts import overall_verdict, tally
from riskmodels.assessment.audit.words import NOUNS
from riskmodels.errors import DataError
from riskmodels.storage import canonical_json, sha256

SCHEMA = "riskmodels audit counts 1"
# Stated with six digits; another machine's algebra moves what is drawn by less.
NEAR, LEAST = 1e-4, 1e-6


@dataclass(frozen=True)
class Exact:
    """What an audit's verdicts were made from: the counts, the policy and the seed. The attributes have no codes."""

    basis: Basis
    policy: Policy
    seed: int


class Verification(NamedTuple):
    """agrees: every verdict in the file is the one its counts give; verdict: theirs; differences: one line each.

    own_policy: the name of a policy that is not a shipped one, None where it is; widened: the keys in which that is
    more lenient than the default, by its content and whatever the file says.
    """

    agrees: bool
    verdict: str
    differences: tuple[str, ...]
    own_policy: str | None = None
    widened: tuple[str, ...] = ()


def kept(evidence: Evidence, asked: Asked) -> Exact:
    """The evidence without its rows."""
    none = np.zeros(0, dtype=np.int32)
    attributes = tuple(replace(attribute, codes=none, numbers=None) for attribute in evidence.attributes)
    return Exact(Basis(attributes, evidence.strata, evidence.counted, evidence.found), asked.policy, asked.seed)


# ---------------------------------------------------------------- writing


def counts_file(audit: Audit) -> bytes:
    """The exact counts of an audit, what they were judged by, and how. To be written for its owner alone.

    Raises
    ------
    DataError
        if nothing could be audited: there are no counts then.
    """
    return canonical_json(to_json(audit))


def to_json(audit: Audit) -> Row:
    """As `counts_file`, as plain JSON values."""
    exact = audit.exact
    if exact is None:
        raise DataError(
            "counts: no attribute could be audited, so there are no counts to keep; see what is NOT AUDITED"
        )
    basis = exact.basis
    content = {
        "purpose": audit.purpose,
        "outcome_measures": audit.outcome_measures,
        "level": audit.level,
        "seed": exact.seed,
        "policy": exact.policy.model_dump(mode="json"),
        "attributes": [KeptAttribute.of(attribute).model_dump(mode="json") for attribute in basis.attributes],
        "intersections": [KeptStratum.of(part).model_dump(mode="json") for part in basis.strata if part.intersection],
        "not_audited": plain(audit.not_audited),
        "counted": Numbers.of(basis.counted).model_dump(mode="json"),
        "stated": {
            "verdict": audit.verdict,
            "judged": dict(audit.judged),
            "critical_values": plain(audit.critical_values),
            "contrasts": plain(audit.contrasts),
        },
    }
    return {"schema": SCHEMA, "sha256": sha256(canonical_json(content)), "content": content}


# ---------------------------------------------------------------- reading


def from_json(value: Any) -> Content:
    """The content of a counts file.

    Raises
    ------
    DataError
        if it is another file, was changed or cut short, or its counts do not fit each other.
    """
    if not isinstance(value, Mapping) or set(value) != {"schema", "sha256", "content"} or value["schema"] != SCHEMA:
        raise DataError(f"{NOT_COUNTS} (its schema is not {SCHEMA!r}); give the file that audit --counts wrote")
    try:
        whole = sha256(canonical_json(value["content"])) == value["sha256"]
    except ValueError:
        whole = False
    if not whole:
        raise DataError("counts file: its content is not what its SHA-256 says: it was changed; get it from its owner")
    try:
        content = Content.model_validate(value["content"])
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise DataError(f"{NOT_COUNTS} ({where}: {problem['msg']}); get it from its owner") from None
    content.refuse_misfits()
    return content


def verify(file: bytes) -> Verification:
    """Work out every contrast and verdict anew from a counts file, and compare with what the file states.

    Raises
    ------
    DataError
        as `from_json`.
    """

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is not JSON")

    try:
        value = json.loads(file, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise DataError(f"{NOT_COUNTS} (not readable as JSON): it may be cut short; get it from its owner") from None
    content = from_json(value)
    stated = content.stated
    contrasts, widths = _judged_anew(content)
    judged = tally(contrasts)
    verdict = overall_verdict(judged, any(not row["accepted"] for row in content.not_audited))
    shipped = _shipped(content.policy)
    widened = () if shipped else _widened(content)
    differences = [
        *_other_policy(content, shipped, widened),
        *_differences(stated.contrasts, plain(contrasts)),
        *_of_values("critical values", stated.critical_values, widths),
        *_of_values("judged", stated.judged, judged),
        *([f"the verdict is {stated.verdict}, the counts say {verdict}"] if verdict != stated.verdict else []),
    ]
    own = None if shipped else f"{content.policy.name} {content.policy.version}"
    return Verification(not differences, verdict, tuple(differences), own, widened)


def _judged_anew(content: Content) -> tuple[tuple[Row, ...], dict[str, float]]:
    policy, counted = content.policy, content.counted.counted()
    attributes = tuple(attribute.attribute() for attribute in content.attributes)
    strata = [
        Stratum(attribute.name, group, label, unknown)
        for attribute in attributes
        for group, label, unknown in zip(attribute.groups, attribute.labels, attribute.unknown, strict=True)
    ]
    strata += [Stratum(part.attribute, part.group, part.label, False, True) for part in content.intersections]
    found = resample(counted, policy.replicates, np.random.default_rng(content.seed))
    basis = Basis(attributes, tuple(strata), counted, found)
    metrics = policy.primary(content.purpose, content.outcome_measures)
    asked = Asked(metrics, content.purpose, policy, NOUNS[content.level], content.seed)
    return judged_contrasts(basis, missing_rows(basis, metrics, policy), asked, metrics)


# ---------------------------------------------------------------- comparing


def _shipped(policy: Policy) -> Policy | None:
    """The shipped policy whose SHA-256 this one bears."""
    every = (load_policy(path.stem) for path in sorted(POLICIES.glob("*.yaml")))
    return next((shipped for shipped in every if shipped.sha256 == policy.sha256), None)


def _widened(content: Content) -> tuple[str, ...]:
    """Where a policy of one's own is more lenient, from what it says. Calibration that was left out, and is stated as
    not audited, was not asked for: no risks were given.
    """
    from riskmodels.assessment.audit.without_risk import CALIBRATION  # which audits, and so imports this module

    default, without_risk = load_policy(), any(row.get("attribute") == CALIBRATION for row in content.not_audited)
    keys = widenings(content.policy, default)
    asked_of_none = {"every_purpose"} if without_risk and not content.policy.every_purpose else set()
    return tuple(key for key in keys if key not in asked_of_none or key in content.policy.widened)


def _other_policy(content: Content, shipped: Policy | None, widened: tuple[str, ...]) -> list[str]:
    """A shipped policy is that which it was shipped as; one's own states where it is more lenient."""
    if shipped is None:
        said, found = (", ".join(keys) or "nothing" for keys in (content.policy.widened, widened))
        if said == found:
            return []
        return [f"the policy is stated as more lenient than the default in {said}, its content is so in {found}"]
    # Where no risks were given, calibration is not asked for.
    without = shipped.model_copy(update={"every_purpose": ()})
    if content.policy not in (shipped, without):
        return [f"the policy is not the shipped one, {shipped.name} {shipped.version}, whose SHA-256 it bears"]
    return []


def _differences(stated: Sequence[Row], found: Sequence[Row]) -> list[str]:
    if len(stated) != len(found):
        return [f"the file states {len(stated)} contrasts, the counts give {len(found)}"]
    differences = []
    for said, made in zip(stated, found, strict=True):
        name = ", ".join(str(made[key]) for key in ("attribute", "group", "metric", "against"))
        differences += _of_values(name, said, made)
    return differences


def _of_values(name: str, stated: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """What is stated otherwise than the counts say: one line for each value."""
    return [
        f"{name}: {key.replace('_', ' ')} is {stated.get(key)}, the counts say {found.get(key)}"
        for key in dict.fromkeys((*found, *stated))
        if not _same(stated.get(key), found.get(key))
    ]


def _same(one: Any, other: Any) -> bool:
    numbers = [isinstance(value, (int, float)) and not isinstance(value, bool) for value in (one, other)]
    if all(numbers):
        return math.isclose(one, other, rel_tol=NEAR, abs_tol=LEAST)
    return bool(one == other)
