"""What one batch leaves: the list and what goes with it, made in the work folder, taking their places together."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from riskmodels import storage
from riskmodels.commands.sources import Progress
from riskmodels.service.shapes import SCORED_SCHEMA, Slice
from riskmodels.study import Study, StudyFile
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.assessment.told_and_happened import ToldAndHappened
    from riskmodels.commands.score_options import Asked
    from riskmodels.commands.scores import ScoreReport
    from riskmodels.governance.gate import ApprovedModel
    from riskmodels.governance.registry import ResolvedModel
    from riskmodels.service.batch import ScoredBatch
    from riskmodels.service.cohort import MatrixParts, SourceParts
    from riskmodels.service.outputs.facts import BatchFacts
    from riskmodels.service.outputs.reader import Reader
    from riskmodels.service.people.record import BatchNote

# A team does not decide about more people than this from one sheet, and a sheet holds all of its rows in memory.
MOST_ON_SHEETS = 20_000
SHEETS = ".decisions-"
# What has a place of its own beside every list -> how its name ends.
BESIDE = {"Rejects": ".rejects.csv", "Report": ".report.html", "Columns": ".columns.csv"}


def files_of(
    output: Path, batch_id: str, study: StudyFile, routed: Mapping[int, Any], role: str | None = None
) -> dict[str, Path]:
    """What stands where: the list last, since it is the one that people wait for.

    The decision sheets of a batch are kept as they are, so each role has its own: they hold what it may see.
    """
    stem = output.name.removesuffix(output.suffix)
    beside = output.with_name
    sheets = f"{stem}{SHEETS}{batch_id[:8]}" + (f"-for-{role}" if role else "")
    files = {name: beside(f"{stem}{ending}") for name, ending in BESIDE.items()} | {"Decisions": beside(sheets)}
    for role in sorted({study.routes[place].to for place in routed}):
        files[f"For {role}"] = beside(f"{stem}.for-{role}.csv")
    return {**files, "List": output}


def older_sheets(output: Path, batch_id: str) -> list[str]:
    """The decision sheets of other batches that stand beside an output of this name, for any role."""
    begin = f"{output.name.removesuffix(output.suffix)}{SHEETS}"
    if not output.parent.is_dir():
        return []
    beside = (path.name for path in output.parent.iterdir() if path.is_dir() and path.name.startswith(begin))
    return sorted(name for name in beside if not name.removeprefix(begin).startswith(batch_id[:8]))


def lists_of_the_same_name(output: Path) -> list[str]:
    """The lists of another format that share with this one the names of what goes with it."""
    from riskmodels.service.outputs.lists import LISTS

    others = (output.with_suffix(f".{format}") for format in LISTS)
    return sorted(path.name for path in others if path != output and path.is_file())


def write_files(
    report: ScoreReport,
    batch: ScoredBatch,
    parts: SourceParts | MatrixParts,
    approved: ApprovedModel,
    study: Study,
    found: ResolvedModel,
    asked: Asked,
    groups: pl.DataFrame | None,
    workspace: Workspace,
    work: Path,
    progress: Progress,
) -> tuple[ScoreReport, BatchNote, dict[str, Path]]:
    """Write everything into the work folder; what is in it -> the places that it may take."""
    from riskmodels.assessment.suppression import PROFILES
    from riskmodels.service.outputs.columns import dictionary
    from riskmodels.service.outputs.composition import composition
    from riskmodels.service.outputs.decision_sheets import decision_sheets
    from riskmodels.service.outputs.lists import open_list
    from riskmodels.service.outputs.reader import Reader
    from riskmodels.service.outputs.report import batch_report
    from riskmodels.service.people.record import open_record

    progress(f"writing the list of {report.counts['scored']:,} people")
    reader = Reader(approved.model, study, asked.role)
    tally = _Tally(reader, report.counts["listed"] <= MOST_ON_SHEETS)
    note = _note(report, approved, parts, asked, workspace)
    # What a run that was stopped left half-written in a folder would take its place with it.
    shutil.rmtree(work / "record", ignore_errors=True)
    with open_list(work / "list", asked.format) as whole, open_record(work / "record") as record:
        for piece in batch.slices():
            frame = reader.rows(piece)
            whole.write(frame)
            record.write(piece)
            tally.see(frame, piece)
        record.close(note)
    _write_rejects(work / "rejects", batch.rejects())
    facts = replace(tally.facts(report, batch, approved, study, found, asked, parts), scored_on=note.scored_on)
    if groups is not None:
        told = (piece.frame.select("entity_id", "listed") for piece in batch.slices())
        facts = replace(facts, groups_file=True, composition=composition(groups, told, study.file))
    storage.write_whole(work / "report", batch_report(facts, PROFILES[study.file.disclosure]).encode())
    storage.write_whole(work / "columns", dictionary(study.file, approved.model, asked.role, reader.rules))
    made = {"Rejects": "rejects", "Report": "report", "Columns": "columns"}
    notes = list(report.notes)
    if not tally.listed_kept:
        notes.append(f"no decision sheets: more than {MOST_ON_SHEETS:,} people are listed")
    elif report.files_by_name["Decisions"].exists():
        # They may be filled in by now: what people have decided is not ours to replace.
        standing = report.files_by_name["Decisions"].name
        notes.append(f"the decision sheets of this batch stand already in {standing}; they are left as they are")
    else:
        # What a run for another reader left, that was stopped, is not for this one.
        shutil.rmtree(work / "decisions", ignore_errors=True)
        (work / "decisions").mkdir(mode=0o700)
        decision_sheets(work / "decisions", tally.listed(), facts)
        made["Decisions"] = "decisions"
    if older := older_sheets(asked.output, report.batch_id):
        notes.append(
            f"older decision sheets stand beside the list and may name people who have objected since: "
            f"{', '.join(older)}; keep them where only who needs them looks, or delete them"
        )
    if others := lists_of_the_same_name(asked.output):
        notes.append(
            f"{', '.join(others)} stands beside the list: rejects, report and columns have one name for both, and are "
            "of this batch now; a list of its own name keeps its own"
        )
    for role, content in _routed(parts, study).items():
        storage.write_whole(work / f"for {role}", content)
        made[f"For {role}"] = f"for {role}"
    finals = {part: report.files_by_name[name] for name, part in made.items()}
    finals |= {"record": workspace.batch(report.study, report.batch_id), "list": asked.output}
    kept = {name: path for name, path in report.files_by_name.items() if name in made or name == "List"}
    return replace(report, notes=tuple(notes), files_by_name=kept), note, finals


class _Tally:
    """Counts what goes by, and keeps the listed while they are few enough for sheets."""

    def __init__(self, reader: Reader, keep_listed: bool) -> None:
        from riskmodels.service.outputs.facts import RISK_EDGES

        self.reader = reader
        self.listed_kept = keep_listed
        self._listed: list[pl.DataFrame] = []
        self._risks = np.zeros(len(RISK_EDGES) - 1, dtype=np.int64)
        self._explained = 0

    def see(self, frame: pl.DataFrame, piece: Slice) -> None:
        from riskmodels.service.outputs.facts import risk_counts

        if self.listed_kept:
            self._listed.append(frame.filter("listed"))
        self._explained += int(piece.explained.sum())
        self._risks += np.array(risk_counts(frame["risk"].to_numpy()))

    def listed(self) -> pl.DataFrame:
        return pl.concat(self._listed) if self._listed else pl.DataFrame(schema=SCORED_SCHEMA)

    def facts(
        self,
        report: ScoreReport,
        batch: ScoredBatch,
        approved: ApprovedModel,
        study: Study,
        found: ResolvedModel,
        asked: Asked,
        parts: SourceParts | MatrixParts,
    ) -> BatchFacts:
        from riskmodels.service.cohort.rows import REASONS
        from riskmodels.service.outputs.facts import BandFacts, BatchFacts, Tally, TeamFacts

        counts, question = report.counts, study.file
        tested, top = _tested(found.folder)
        return BatchFacts(
            study=found.study,
            title=question.title,
            question=question.question,
            batch_id=report.batch_id,
            as_of=parts.as_of,
            scored_on=asked.today,
            version=approved.version,
            model_sha256=approved.model_sha256,
            stage=approved.approval.stage,
            expires=approved.approval.expires,
            owner_role=approved.approval.owner_role,
            minute=approved.approval.minute,
            example=approved.approval.example,
            rows_in=counts["rows_in"],
            scored=counts["scored"],
            listed=counts["listed"],
            not_reached=counts["not_reached"],
            places=counts["places"],
            rejected=tuple(Tally(REASONS.get(code, code), n, code) for code, n in report.rejected.items()),
            excluded=tuple(self.reader.excluded(batch)),
            households=counts["household"],
            no_team=counts["no_team"],
            teams=tuple(
                TeamFacts(team, batch.places.get(team, 0), *batch.by_team.get(team, (0, 0))) for team in _teams(batch)
            ),
            bands=tuple(
                BandFacts(band, starts, *batch.by_band.get(band, (0, 0))) for band, starts in question.bands.items()
            ),
            risks=tuple(self._risks.tolist()),
            trained=_trained(found.folder, approved.model.family),
            tested=tested,
            tested_top=top,
            explained=self._explained,
            warnings=report.notes,
        )


def _teams(batch: ScoredBatch) -> list[str | None]:
    """Every team that has places or people, those without one last; none where the study has no teams."""
    if set(batch.places) == {None}:
        return []
    return sorted({*batch.places, *batch.by_team}, key=lambda team: (team is None, team or ""))


def _tested(run: Path) -> tuple[ToldAndHappened | None, ToldAndHappened | None]:
    """What was told of the tested list, and of those with the highest risks, and what happened to them."""
    from riskmodels.assessment.told_and_happened import near, on_the_list

    path = run / "ranking.parquet"
    if not path.is_file():
        return None, None
    ranking = storage.read_table(path)
    return on_the_list(ranking), near(ranking, 1.0)


def _trained(run: Path, family: str) -> tuple[int, ...]:
    """The risks of the last test, counted as the batch's are; nothing where the run's predictions are gone."""
    from riskmodels.service.outputs.facts import risk_counts

    path = run / "predictions.parquet"
    if not path.is_file():
        return ()
    with storage.read_as_table(path):
        rows = pl.scan_parquet(path, glob=False).filter((pl.col("model") == family) & (pl.col("stage") == "test"))
        last = rows.filter(pl.col("as_of_date") == pl.col("as_of_date").max()).select("risk").collect()
    return risk_counts(last["risk"].to_numpy()) if last.height else ()


def _write_rejects(path: Path, rejects: Iterable[pl.DataFrame]) -> None:
    from riskmodels.service.outputs.formulas import neutralise
    from riskmodels.service.shapes import REJECT_SCHEMA

    def put(temporary: Path) -> None:
        with temporary.open("wb") as file:
            pl.DataFrame(schema=REJECT_SCHEMA).write_csv(file)
            for part in rejects:
                neutralise(part).write_csv(file, include_header=False)

    storage.write_whole_with(path, put)


def _routed(parts: SourceParts | MatrixParts, study: Study) -> dict[str, bytes]:
    """For each role the people whom its routes are true of, each with why: a file of its own."""
    from riskmodels.service.outputs.formulas import neutralise

    frames: dict[str, list[pl.DataFrame]] = {}
    for place, ids in sorted(parts.routed.items()):
        route = study.file.routes[place]
        frame = pl.DataFrame({"entity_id": pl.Series(ids, dtype=pl.String)}).with_columns(
            pl.lit(parts.as_of).alias("as_of_date"),
            pl.lit(route.because).alias("because"),
            pl.lit(route.owner).alias("owner"),
        )
        frames.setdefault(route.to, []).append(frame)
    return {role: storage.table_bytes(neutralise(pl.concat(held)), ".csv") for role, held in frames.items()}


def _note(
    report: ScoreReport, approved: ApprovedModel, parts: SourceParts | MatrixParts, asked: Asked, workspace: Workspace
) -> BatchNote:
    from riskmodels.service.people.ledger import first_scored_on
    from riskmodels.service.people.record import BatchNote

    options = {"explain": asked.explain, "capacity": asked.capacity, "format": asked.format, "engine": asked.engine}
    return BatchNote(
        batch_id=report.batch_id,
        study=report.study,
        version=approved.version,
        model_sha256=approved.model_sha256,
        card_sha256=approved.card_sha256,
        as_of=parts.as_of,
        scored_on=first_scored_on(workspace, report.study, report.batch_id) or asked.today,
        counts=report.counts,
        options=options,
        output=asked.output.name,
        who=asked.role,
        stage=approved.approval.stage,
        example=approved.approval.example,
        record_sha256=approved.record_sha256,
    )
