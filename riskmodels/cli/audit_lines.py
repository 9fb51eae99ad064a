"""An audit on the terminal: made of the published audit, so that no small number shows here either."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from riskmodels.cli.app import print_table

if TYPE_CHECKING:
    from riskmodels.assessment.audit.exact import Verification
    from riskmodels.commands.audits import AuditReport

Row = Mapping[str, Any]

MEASURES = {
    "recall": "found (recall)",
    "fnr": "missed (FNR)",
    "fpr": "wrongly picked (FPR)",
    "fdr": "wrong on the list (FDR)",
    "for": "missed off the list (FOR)",
    "precision": "right on the list (precision)",
    "selection_rate": "on the list (selection rate)",
    "oe_ratio": "risks come true (O/E)",
    "calibration_slope": "high and low risks (slope)",
}
SERVICE = (
    "Every verdict is provisional: the outcome is a service's contact or decision, so equal rates may mean equal "
    "attention rather than equal need."
)
MOST_LINES, MOST_CARRIERS = 12, 2
WIDTH = 110


def print_audit(report: AuditReport) -> None:
    """The verdict in words, the comparisons behind it, what was not judged, and what was written."""
    from riskmodels.assessment.audit.counted import counted_in_words
    from riskmodels.assessment.audit.risk_words import risks_in_words
    from riskmodels.assessment.audit.verdicts import FAIL, LOOK_HERE
    from riskmodels.assessment.audit.words import NOUNS, is_small, is_too_few, judged_in_words, too_few_in_words

    found = report.found
    noun = NOUNS[found["level"]]
    primary = [row for row in found["contrasts"] if row["family"] == "primary"]
    judged = [row for row in primary if not is_too_few(row)]
    others = [row for row in found["contrasts"] if row["family"] == "second" and row["verdict"] == FAIL]
    print(f"{found['verdict']}\n")
    _say(f"{counted_in_words(found)}. {_policy(found)}")
    _say(" ".join((judged_in_words(found["judged"]), *risks_in_words(found["contrasts"]))))
    small = sum(is_small(row) for row in primary)
    if small:
        gap = round(100 * found["policy"]["smallest_gap"])
        _say(f"In {small} the difference is real but small by the policy, at most {gap} in 100: neither FAIL nor PASS.")
    if found["provisional"]:
        _say(SERVICE)
    print()
    _print_rows(found, sorted(judged, key=_worst_first))
    _list("", too_few_in_words(primary, found["titles"], noun))
    _print_rows(found, others, "Worse than everybody else")
    _list("Not audited", _left_out(found["not_audited"]))
    _list("The group is not recorded", [said for row in found["missing"] if (said := _missing(found, row))])
    explored = [row for row in found["contrasts"] if row["family"] == "exploratory"]
    pairs = [row for row in explored if " × " in row["attribute"] or row["against"] == "group"]
    flagged = [row for row in pairs if row["verdict"] == LOOK_HERE]
    _print_rows(found, flagged[:MOST_LINES], "Look here: groups beside each other, or made of two columns together")
    if len(flagged) > MOST_LINES:
        print(f"and {len(flagged) - MOST_LINES} more")
    _list("Proxies", _proxies(found))
    after = found["after_exclusions"]
    _list("The list without those whom the service leaves out", after["in_words"] if after else ())
    changes = found.get("changes", {})
    beside = f"This list beside the one by {changes['beside']}" if "beside" in changes else "Since the other audit"
    _list(beside, list(dict.fromkeys((*changes.get("notes", ()), *changes.get("in_words", ())))))
    if found["disclosure"]["below"]:
        _say(
            f"\nCounts below {found['disclosure']['below']}, and what would give them away, are not shown. Others are "
            f"rounded to {found['disclosure']['rounded_to']}."
        )
    for name, path in report.written.by_option().items():
        owner = " (exact: for its owner alone)" if name == "--counts" else ""
        print(f"\n{ {'--json': 'JSON', '--html': 'Page', '--counts': 'Counts'}[name] }:  {path}{owner}")


def print_verification(verification: Verification) -> None:
    print(f"{verification.verdict}\n")
    if verification.own_policy is not None:
        where = f"in: {', '.join(verification.widened)}" if verification.widened else "in nothing"
        _say(f"By a policy of its own ({verification.own_policy}), more lenient than the default {where}.")
    if verification.agrees:
        print("Every verdict was worked out anew from the counts, and is the one in the file.")
    _list("What differs", verification.differences)


# ---------------------------------------------------------------- comparisons


def _worst_first(row: Row) -> int:
    from riskmodels.assessment.audit.verdicts import FAIL, INSUFFICIENT, PASS

    return (FAIL, INSUFFICIENT, PASS).index(row["verdict"])


def _print_rows(found: Row, rows: Sequence[Row], title: str = "") -> None:
    if not rows:
        return
    if title:
        print(f"\n{title}")
    lines = [_line(found, row) for row in rows]
    print_table(lines, lines[0])


def _line(found: Row, row: Row) -> dict[str, Any]:
    against = {"others": "everybody else", "prediction": "its own risks"}.get(row["against"], row["reference_label"])
    ends = row["low"], row["high"]
    return {
        "characteristic": _title(found, row["attribute"]),
        "group": row["label"],
        "compared with": against,
        "measure": MEASURES.get(row["metric"], row["metric"]),
        "ratio": "not shown" if row["ratio"] is None else f"{row['ratio']:.2f}",
        "95% interval": "" if None in ends else f"{ends[0]:.2f} to {ends[1]:.2f}",
        "verdict": row["verdict"],
        "worse off": row["worse_off"],
    }


def _title(found: Row, attribute: str) -> str:
    return " × ".join(found["titles"].get(part, part) for part in attribute.split(" × "))


# ---------------------------------------------------------------- lists


def _left_out(rows: Sequence[Row]) -> list[str]:
    """What was not audited; what has one reason is named together."""
    named: dict[tuple[str, bool], list[str]] = {}
    for row in rows:
        named.setdefault((row["reason"], row["accepted"]), []).append(row["attribute"])
    return [
        f"{', '.join(names)} ({'accepted' if accepted else 'not accepted'}): {reason}"
        for (reason, accepted), names in named.items()
    ]


def _missing(found: Row, row: Row) -> str:
    """How many have no group, and how far the ratios could move if they had one."""
    if not row["share"]:
        return ""
    said = f"{_title(found, row['attribute'])}: {round(100 * row['share'])} in 100"
    bounds = [
        f"{bound['label']}, {MEASURES.get(bound['metric'], bound['metric'])} {bound['low']:.2f} to {bound['high']:.2f}"
        for bound in row["bounds"] or ()
        if bound["low"] is not None and bound["high"] is not None
    ]
    return f"{said}. Whatever their group, the ratio is of {'; '.join(bounds)}" if bounds else said


def _policy(found: Row) -> str:
    """Which policy it was, and where that is more lenient than the default."""
    lenient = f", MORE LENIENT than the default in {', '.join(found['widened'])}" if found["widened"] else ""
    return f"Policy: {found['policy_name']}{lenient}."


def _proxies(found: Row) -> list[str]:
    """The groups that are flagged; where features were asked after and give none away, the one that comes nearest."""
    flagged = [row for row in found["proxies"] if row["flagged"]]
    told = [row for row in found["proxies"] if row.get("auc_features") is not None]
    if flagged or "features" not in found["about"]:
        return [_proxy(found, row) for row in flagged]
    if not told:
        return ["The features could not be looked at: too few in every group, or all of them hidden."]
    nearest = _proxy(found, max(told, key=lambda row: row["auc_features"]))
    return [
        f"No group can be told well enough to be flagged ({found['policy']['proxy_auc']:g}). The nearest: {nearest}"
    ]


def _proxy(found: Row, row: Row) -> str:
    risk, features = row["auc_score"], row["auc_features"]
    told = [] if risk is None else [f"the risk alone ({max(risk, 1 - risk):.2f})"]
    if features is not None:
        carried = [part["feature"] for part in row["carried_by"][:MOST_CARRIERS]]
        by = f", above all {' and '.join(carried)}" if carried else ""
        told.append(f"the features ({features:.2f}{by})")
    return f"{_title(found, row['attribute'])}, {row['label']}: told from everybody else (AUC) by {' and '.join(told)}"


def _list(title: str, sentences: Sequence[str]) -> None:
    if not sentences:
        return
    print(f"\n{title}" if title else "")
    for sentence in sentences:
        print(textwrap.fill(sentence, WIDTH, initial_indent="- ", subsequent_indent="  "))


def _say(text: str) -> None:
    print("\n".join(textwrap.fill(line, WIDTH) for line in text.split("\n")))
