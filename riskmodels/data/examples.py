"""Made-up people of ``examples.yaml``, put through the study's own definitions, and what came out otherwise.

Their rows are written to files and read as a real extract is, so that an example holds for the reader too.
"""

from __future__ import annotations

import datetime as dt
import math
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from riskmodels import storage
from riskmodels.data.cohort import Cohort, build_cohort
from riskmodels.data.features import build_features
from riskmodels.data.outcomes import build_outcomes
from riskmodels.data.tables import Tables, columns_used, read_tables
from riskmodels.errors import DataError, StudyError
from riskmodels.study import ESTIMATE, Example, Period, Source, Study, StudyFile
from riskmodels.study.spelling import meant

PERSON = "example"
# Stands in every file, with a value in every column: a source that says nothing of a person is no damaged extract.
BYSTANDER = "somebody else"
CONSENTS = "consents"
NEVER_IN = "in the extract"  # the first line of every attrition table: nothing was known of them before the day
TOLERANCE = 1e-9

Row = dict[str, str | None]


@dataclass(frozen=True)
class ExampleResult:
    """Whether one example came out as the study says; ``differences``: in words, with the made-up values."""

    name: str
    agrees: bool
    differences: tuple[str, ...] = ()


def run_examples(study: Study) -> tuple[ExampleResult, ...]:
    """Put every example of the study through its cohort, outcome and features; each is a world of its own.

    Outcomes are judged by what the rows say up to the day of the registered extract. A lag that is to be estimated is
    taken to be none: one made-up person is nothing to estimate it from.

    Raises
    ------
    StudyError
        if an example names a source, column, step or feature that the study does not have, or its rows could not be
        read.
    """
    examples = study.examples.examples if study.examples is not None else ()
    return tuple(_run(example, study) for example in examples)


def _run(example: Example, study: Study) -> ExampleResult:
    where = f"{study.folder / 'examples.yaml'}: {example.name!r}"
    question = _question(study.file)
    _refuse_unknown(example, study, where)
    try:
        person, tables = _read(example, study, question)
        cohort = build_cohort(tables, question, [example.as_of], allow_empty=True)
        ours = Cohort(cohort.rows.filter(pl.col("entity_id") == person), cohort.attrition)
        differences = list(_of_cohort(example, _dropped_at(cohort, person, question)))
        if ours.rows.is_empty():
            asked = [
                *(["outcome"] if example.outcome is not None else []),
                *(f"features.{n}" for n in example.features),
            ]
            differences += [f"{what}: has no value, since they are not in the cohort" for what in asked]
        else:
            known_before = study.extracted_on + dt.timedelta(days=1)
            differences += _of_outcome(example, build_outcomes(ours, tables, question, known_before).frame)
            differences += _of_features(example, build_features(ours, tables, question).frame)
    except DataError as error:
        raise StudyError(f"{where}: {str(error).replace('.parquet', '')}") from None
    return ExampleResult(example.name, not differences, tuple(differences))


def _question(study: StudyFile) -> StudyFile:
    if study.outcome.lag != ESTIMATE:
        return study
    return study.model_copy(update={"outcome": study.outcome.model_copy(update={"lag": Period(0, "day")})})


def _refuse_unknown(example: Example, study: Study, where: str) -> None:
    sources = {name for name, source in study.file.sources.items() if source.use == "model"}
    if study.file.consents is not None:
        sources.add(CONSENTS)
    for name, rows in example.rows.items():
        if name not in sources:
            kept = study.file.sources.get(name)
            what = (
                f"{name!r} is kept for the audit and changes nothing here" if kept else f"no source is called {name!r}"
            )
            raise StudyError(f"{where}: rows: {what}{meant(name, sources)}")
        columns = _columns(name, study)
        for column in (column for row in rows for column in row):
            if column not in columns:
                raise StudyError(f"{where}: rows.{name}: has no column {column!r}{meant(column, columns)}")
    features = [column.name for line in study.file.features for column in line.columns]
    for name in example.features:
        if name not in features:
            raise StudyError(f"{where}: features: none is called {name!r}{meant(name, features)}")
    steps = [NEVER_IN, *(step.step for step in study.file.cohort.steps)]
    if example.dropped_at is not None and example.dropped_at not in steps:
        raise StudyError(
            f"{where}: dropped_at: no step is called {example.dropped_at!r}{meant(example.dropped_at, steps)}"
        )


# ---------------------------------------------------------------- rows, as files


def _read(example: Example, study: Study, question: StudyFile) -> tuple[str, Tables]:
    """The example's person, and the tables of a world in which there is nobody else but a bystander."""
    person = _person(example, study)
    used = columns_used(question)
    sources: dict[str, Source] = dict(question.sources)
    with storage.outside_world(Path("the folder of temporary files")), tempfile.TemporaryDirectory() as folder:
        for name, source in question.sources.items():
            if source.use != "model":
                continue
            rows = [_row(row, name, study, person) for row in example.rows.get(name, ())]
            rows.append(_bystander(name, study, used[name]))
            file = f"rows.{name}.parquet"
            sources[name] = source.model_copy(update={"file": file, "database": None, "table": None})
            _write(Path(folder) / file, rows, _columns(name, study))
        changes: dict[str, Any] = {"sources": sources, "objections": None}
        if question.consents is not None:
            file = f"rows.{CONSENTS}.parquet"
            changes[CONSENTS] = question.consents.model_copy(update={"file": file, "table": None})
            _write(Path(folder) / file, _consents(example, study, person), _columns(CONSENTS, study))
        world = replace(study, file=question.model_copy(update=changes))
        return person, read_tables(Path(folder), world, ("model",))


def _write(path: Path, rows: list[Row], columns: Iterable[str]) -> None:
    storage.write_whole(path, storage.table_bytes(pl.DataFrame(rows, dict.fromkeys(columns, pl.String)), ".parquet"))


def _columns(name: str, study: Study) -> list[str]:
    """The columns that rows of a source may have: those of the register, and the keys."""
    if name == CONSENTS and CONSENTS not in study.file.sources:
        consents = study.file.consents
        assert consents is not None
        return [consents.entity, consents.source, consents.given_on, consents.withdrawn_on]
    source = study.file.sources[name]
    keys = [key for key in (source.entity, source.event_date, source.known_date, source.kind) if key]
    return list(dict.fromkeys([*keys, *study.register.sources[name].columns]))


def _person(example: Example, study: Study) -> str:
    """The id that the rows give the person, if any does."""
    given = {
        str(row[source.entity])
        for name, source in study.file.sources.items()
        if _holds_our_ids(name, study.file)
        for row in example.rows.get(name, ())
        if row.get(source.entity) is not None
    }
    if len(given) > 1:
        raise DataError("rows: an example is one person, and these have several ids; leave the ids out")
    return given.pop() if given else PERSON


def _holds_our_ids(name: str, study: StudyFile) -> bool:
    link = study.sources[name].link
    return study.level_of(name) == study.level and not (link and link.through)


def _row(row: Mapping[str, Any], name: str, study: Study, person: str) -> Row:
    """A row as text. Where it leaves an id out, theirs included, it is the person's."""
    text = {column: _as_text(value) for column, value in row.items()}
    if study.file.level_of(name) == study.file.level:
        text.setdefault(study.file.sources[name].entity, person)
    for source in study.file.sources.values():
        if source.link and source.link.through == name:
            text.setdefault(str(source.link.id), person)
    return text


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, (int, float)):
        return repr(value)
    raise DataError(f"rows: a value is one word, number, date, true, false or null, not a {type(value).__name__}")


def _bystander(name: str, study: Study, used: Mapping[str, str]) -> Row:
    """A row of somebody else that the reader can find no fault with."""
    source, day = study.file.sources[name], study.register.sources[name].extracted_on.isoformat()
    plain = {"number": "0", "date": day, "text": "none"}
    row: Row = {column: plain.get(holds) or _typical(name, column, study) for column, holds in used.items()}
    row |= {key: day for key in (source.event_date, source.known_date) if key}
    row |= {source.kind: "none"} if source.kind else {}
    for link in (other.link for other in study.file.sources.values() if other.link):
        if link.flag and link.flag.split(".")[0] == name:
            row[link.flag.split(".")[1]] = "true"
        if link.through == name:
            row |= {str(link.id): BYSTANDER}
            row |= {link.status: link.accept[0]} if link.status else {}
            row |= {link.confidence: "1"} if link.confidence else {}
    return row | {source.entity: BYSTANDER}


def _typical(name: str, column: str, study: Study) -> str:
    """A word, if any example has one here: what a column holds is told by all its values."""
    assert study.examples is not None
    rows = [row for example in study.examples.examples for row in example.rows.get(name, ())]
    words = (text for row in rows if (text := _as_text(row.get(column))) and not _reads_as_number(text))
    return next(words, "0")


def _reads_as_number(text: str) -> bool:
    try:
        return text.lower() in ("true", "false") or math.isfinite(float(text))
    except ValueError:
        return False


def _consents(example: Example, study: Study, person: str) -> list[Row]:
    """Consent of both to everything that needs it, unless the example has rows of its own."""
    entity, source, given_on, _ = _columns(CONSENTS, study)
    needed = [name for name, each in study.file.sources.items() if each.consented]
    always: list[Mapping[str, Any]] = [{source: name, given_on: dt.date(1900, 1, 1)} for name in needed]
    rows = [(row, person) for row in example.rows.get(CONSENTS, always)] + [(row, BYSTANDER) for row in always]
    return [{entity: who, **{column: _as_text(value) for column, value in row.items()}} for row, who in rows]


# ---------------------------------------------------------------- what came out otherwise


def _dropped_at(cohort: Cohort, person: str, study: StudyFile) -> str | None:
    """The step that dropped the person; None if they are in the cohort."""
    if person in cohort.rows["entity_id"]:
        return None
    places = cohort.dropped.filter(pl.col("entity_id") == person)["step"].to_list()
    return study.cohort.steps[places[0] - 1].step if places else NEVER_IN


def _of_cohort(example: Example, dropped_at: str | None) -> Iterable[str]:
    expected = False if example.dropped_at is not None else example.in_cohort
    is_in = dropped_at is None
    if expected is not None and expected != is_in:
        why = "" if is_in else f" (dropped at {dropped_at!r})"
        yield f"in_cohort: expected {_said(expected)}, got {_said(is_in)}{why}"
    elif example.dropped_at is not None and example.dropped_at != dropped_at:
        yield f"dropped_at: expected {example.dropped_at!r}, got {dropped_at!r}"


def _of_outcome(example: Example, frame: pl.DataFrame) -> Iterable[str]:
    row = frame.row(0, named=True)
    got = row["outcome"] if row["outcome_status"] == "known" else row["outcome_status"]
    if example.outcome is not None and example.outcome != got:
        yield f"outcome: expected {example.outcome}, got {got}"


def _of_features(example: Example, frame: pl.DataFrame) -> Iterable[str]:
    for name, expected in example.features.items():
        got = frame[name].item()
        if isinstance(expected, float) and isinstance(got, float):
            same = math.isclose(expected, got, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        else:
            same = expected == got
        if not same:
            yield f"features.{name}: expected {_said(expected)}, got {_said(got)}"


def _said(value: float | str | None) -> str:
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, str) else f"{value:.12g}"
