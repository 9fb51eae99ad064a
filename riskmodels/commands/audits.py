"""A file of predictions, audited for fairness: any file, without a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodels import storage
from riskmodels.commands.audit_options import (
    Columns,
    Note,
    OtherList,
    Outputs,
    Said,
    refuse_wrong_comparison,
    refuse_wrong_options,
    refuse_wrong_outputs,
)
from riskmodels.commands.sources import Progress, silent
from riskmodels.errors import DataError, ExitCode, UsageError

if TYPE_CHECKING:
    from riskmodels.assessment.audit import Audit
    from riskmodels.assessment.audit.exact import Verification
    from riskmodels.assessment.audit.lists import TakenList
    from riskmodels.assessment.audit.policy import Policy
    from riskmodels.data.prediction_file import PredictionFile
    from riskmodels.study import Protected

NO_ENTITY = Note("Rows carry no ids: each is taken for another {one}.", "No --entity was given.")
NO_ENTITY_ON_DATES = Note(
    "There are several dates and no ids: rows of one {one} count as different ones, and intervals may be too narrow.",
    "Name the column of ids with --entity.",
)
TAKEN_AS_NEED = Note(
    "The outcome was taken for need itself.",
    "If it is a service's contact or decision, such as a referral or an arrest, say --measures service.",
)
NO_SWEEP = Note("Equal risks and no ids to decide between them: there is no sweep of the number of places.")


@dataclass(frozen=True)
class AuditReport:
    """What ``audit`` found, as it may be shown: the contents of its JSON; what to take care of; what was written."""

    found: dict[str, Any]
    exit_code: ExitCode
    written: Outputs
    notes: tuple[Note, ...] = ()


def audit(
    predictions: Path,
    columns: Columns,
    *,
    purpose: str,
    capacity: int | None = None,
    threshold: float | None = None,
    said: Said | None = None,
    measures: str | None = None,
    level: str = "person",
    intersections: bool = False,
    policy: Path | None = None,
    against: Path | None = None,
    other: OtherList | None = None,
    small_numbers: str = "sro-10",
    seed: int = 0,
    outputs: Outputs | None = None,
    progress: Progress = silent,
) -> AuditReport:
    """Read, take the list, audit, publish, write. See `riskmodels.assessment.audit.audit_predictions`.

    Parameters
    ----------
    predictions : a .csv or .parquet file, a row for each prediction
    capacity, threshold : places on each list, or the risk from which on everybody is selected; with neither, the file
        says who is (``columns.selected``). Exactly one of the three.
    said : what the group columns are
    measures : what the outcome measures, ``need`` or ``service``; need unless given, and a note says so
    against : the JSON of another audit, to compare with
    other : another list of the same people, to compare with pair by pair
    small_numbers : the disclosure profile that decides which counts are shown

    Raises
    ------
    UsageError
        if options contradict each other or name what is not there, or outputs would overwrite each other or an input.
    DataError
        if the file cannot be understood, or there is no list to audit: nobody is on it, or everybody.
    StudyError
        if the policy is none.
    OutsideError
        if an output cannot be written; said before the work begins.
    """
    from riskmodels.assessment.audit.publishing.disclosure import publish
    from riskmodels.commands.audit_columns import described, excuses
    from riskmodels.data.prediction_file import read_predictions

    said, outputs = said or Said(), outputs or Outputs()
    refuse_wrong_options(columns, purpose, capacity, threshold, measures, level, small_numbers, seed)
    refuse_wrong_comparison(columns, other, against)
    refuse_wrong_outputs({"the predictions": predictions, "--against": against, "--policy": policy}, outputs)
    excused, rules = excuses(said.not_audited), _policy(policy)
    earlier = None if against is None else _other_audit(against, small_numbers)
    progress(f"reading {predictions.name}")
    rows = read_predictions(predictions, **vars(columns))
    specs, understood = described(
        rows.groups, rules, file=predictions.name, laws=said.laws, references=said.references, bands=said.bands
    )
    if level != "place":
        rows = _without_names(rows, specs)
    taken, taken_after = _lists(rows, capacity, threshold, seed)
    progress(f"auditing {rows.n:,} rows")
    asked: dict[str, Any] = {
        "purpose": purpose, "seed": seed, "measures": measures or "need", "level": level, "protected": specs,
        "intersections": "all" if intersections else (), "excused": excused, "policy": rules,
    }  # fmt: skip
    exact = _audited(rows, taken, taken_after, progress, **asked)
    published, hidden = publish(exact.to_dict(), small_numbers)
    about = {
        "file": predictions.name, **vars(columns), "capacity": capacity, "threshold": threshold, "seed": seed,
        "laws": {column: spec.law for column, spec in specs.items()},
    }  # fmt: skip
    notes = (*map(Note, rows.notes), *understood, *_notes(rows, taken, capacity, measures, level))
    found = {
        **published,
        "policy": rules.model_dump(mode="json"),
        "hidden": list(hidden),
        "about": {name: list(v) if isinstance(v, tuple) else v for name, v in about.items() if v not in (None, ())},
        "notes": [note.said for note in notes],
    }
    if earlier is not None and against is not None:
        from riskmodels.assessment.audit.comparing.changes import changed

        found["changes"] = changed(earlier, found, names=(against.name, "this audit")).to_dict()
    if other is not None:
        progress(f"comparing with the list by {other.column}")
        earlier_rows = read_predictions(predictions, **vars(columns.of_the_other(other)))
        if level != "place":
            earlier_rows = _without_names(earlier_rows, specs)
        list_before, _ = _lists(earlier_rows, capacity, threshold, seed)
        found["changes"] = _of_two_lists(rows, published, taken, earlier_rows, list_before, small_numbers, **asked) | {
            "beside": other.column,
            "notes": [f"The first list goes by {other.column!r}; the second is the one that is audited here."],
        }
    found = _printable(found)
    if outputs.counts is not None and exact.exact is None:
        outputs = replace(outputs, counts=None)
        notes = (*notes, Note("No counts were written: nothing could be audited."))
    _write(found, exact, outputs)
    return AuditReport(found, exact.exit_code, outputs, notes)


def verify_audit(counts: Path) -> Verification:
    """Work out every verdict anew from an exact file of counts. Raises DataError if it is none."""
    from riskmodels.assessment.audit.exact import verify

    return verify(storage.read_bytes(counts, DataError))


# ---------------------------------------------------------------- the steps


def _lists(
    rows: PredictionFile, capacity: int | None, threshold: float | None, seed: int
) -> tuple[TakenList, TakenList | None]:
    """Who is selected; and who would be, were the list filled again without those whom the service leaves out."""
    from riskmodels.assessment.audit.lists import TakenList, take_list

    left_out = rows.excluded
    if capacity is not None and rows.risk is not None:
        take = partial(take_list, rows.risk, capacity, seed=seed, dates=rows.dates, entity_ids=rows.entity_ids)
        return take(), None if left_out is None else take(left_out=left_out)
    selected = rows.selected
    if threshold is not None and rows.risk is not None:
        selected = rows.risk >= threshold
    assert selected is not None  # one of the three ways is given
    if selected.all() or not selected.any():
        who, where = ("everybody", "above") if selected.all() else ("nobody", "below")
        advice = "give the column of a list" if threshold is None else f"give a threshold {where} {threshold:g}"
        raise DataError(f"selected: {who} is on the list, so there is nothing to audit; {advice}")
    return TakenList(selected, None), None if left_out is None else TakenList(selected & ~left_out, None)


def _audited(
    rows: PredictionFile, taken: TakenList, taken_after: TakenList | None, progress: Progress, **more: Any
) -> Audit:
    from riskmodels.assessment.audit import audit_predictions
    from riskmodels.assessment.audit.further.proxies import feature_proxies
    from riskmodels.assessment.audit.lists import belonging_together
    from riskmodels.assessment.audit.without_risk import audit_without_risk

    outcome = np.where(rows.known, rows.outcome, np.nan)
    groups = {name: rows.groups[name] for name in rows.groups.columns}
    more["clusters"] = together = belonging_together(rows.entity_ids, rows.households)
    if taken_after is not None:
        more |= {"excluded": rows.excluded, "selected_after": taken_after.selected}
    if rows.features.width:
        progress("looking at what the features tell of each group")
        more["feature_proxies"] = feature_proxies(
            rows.features, groups, seed=more["seed"], policy=more["policy"], protected=more["protected"],
            people=rows.entity_ids, clusters=together,
        )  # fmt: skip
    if rows.risk is None:
        return audit_without_risk(outcome, taken.selected, groups, **more)
    return audit_predictions(outcome, rows.risk, taken.selected, groups, depth=taken.depth, **more)


def _without_names(rows: PredictionFile, specs: Mapping[str, Protected]) -> PredictionFile:
    """The rows, with the groups of few people put together: what few have in a column may be a person's name."""
    import polars as pl

    from riskmodels.data.group_names import pool_rare

    people = np.arange(rows.n) if rows.entity_ids is None else rows.entity_ids
    pooled = [pool_rare(column, pl.Series(people), specs[column.name]).alias(column.name) for column in rows.groups]
    return replace(rows, groups=rows.groups.with_columns(pooled))


def _of_two_lists(
    rows: PredictionFile,
    published: Mapping[str, Any],
    taken: TakenList,
    rows_before: PredictionFile,
    list_before: TakenList,
    small_numbers: str,
    **asked: Any,
) -> dict[str, Any]:
    """How the other list, the first, differs from the one audited, as it may be shown."""
    import polars as pl

    from riskmodels.assessment.audit.comparing.change_disclosure import publish_list_changes
    from riskmodels.assessment.audit.comparing.list_changes import changed_lists
    from riskmodels.assessment.audit.lists import belonging_together
    from riskmodels.assessment.audit.publishing.disclosure import publish

    assert rows.entity_ids is not None  # a comparison without ids was refused
    keys = pl.DataFrame({"id": rows.entity_ids} | ({} if rows.dates is None else {"date": rows.dates}))
    if keys.is_duplicated().any():
        raise DataError("several rows have the same --entity and date: two lists can be compared row by row only if "
                        "each row has an id of its own; name the column of dates with --as-of")  # fmt: skip
    first, _ = publish(_audited(rows_before, list_before, None, silent, **asked).to_dict(), small_numbers)
    kept = {name: asked[name] for name in ("purpose", "measures", "level", "protected", "policy")}
    exact = changed_lists(
        np.where(rows.known, rows.outcome, np.nan), list_before.selected, taken.selected,
        {name: rows.groups[name] for name in rows.groups.columns},
        clusters=belonging_together(rows.entity_ids, rows.households), **kept,
    )  # fmt: skip
    return publish_list_changes(exact.to_dict(), first, published, small_numbers)


def _notes(
    rows: PredictionFile, taken: TakenList, capacity: int | None, measures: str | None, level: str
) -> list[Note]:
    several = rows.dates is not None and len(np.unique(rows.dates)) > 1
    alone = rows.entity_ids is None and rows.households is None
    without_ids = NO_ENTITY_ON_DATES if several else NO_ENTITY
    notes = {
        TAKEN_AS_NEED: measures is None,
        replace(without_ids, said=without_ids.said.format(one=level)): alone,
        NO_SWEEP: capacity is not None and taken.depth is None,
    }
    return [note for note, holds in notes.items() if holds]


def _policy(path: Path | None) -> Policy:
    from riskmodels.assessment.audit.policy import load_policy

    if path is None:
        return load_policy()
    if not path.is_file():
        raise UsageError(f"--policy: {path}: no such file; start from a copy of the default policy")
    return load_policy(str(path))


def _other_audit(path: Path, small_numbers: str) -> Mapping[str, Any]:
    from riskmodels.assessment.audit.comparing.changes_content import read_audit

    return read_audit(storage.read_json(path), f"--against: {path.name}", small_numbers)


def _printable(value: Any) -> Any:
    """Whatever names and reasons a file or a user gives, nothing in them steers a terminal or turns a line round."""
    from riskmodels.assessment.audit.comparing.changes_content import printable

    if isinstance(value, Mapping):
        return {printable(name): _printable(part) for name, part in value.items()}
    return [_printable(part) for part in value] if isinstance(value, (list, tuple)) else printable(value)


def _write(found: Mapping[str, Any], exact: Audit, outputs: Outputs) -> None:
    files: dict[Path, bytes] = {}
    if outputs.json is not None:
        files[outputs.json] = storage.canonical_json(found)
    if outputs.html is not None:
        from riskmodels.reports.audit_page import render_audit

        files[outputs.html] = render_audit(found)
    if outputs.counts is not None:
        from riskmodels.assessment.audit.exact import counts_file

        files[outputs.counts] = counts_file(exact)
    if files:
        storage.write_together(files)
