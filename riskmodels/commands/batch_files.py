"""What one batch leaves: the list and what goes with it, made in the work folder, taking their places together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from riskmodels import storage
from riskmodels.commands.sources import Progress
from riskmodels.service.batch.slices import BECAUSE
from riskmodels.service.shapes import SCORED_SCHEMA, WORDS, Slice
from riskmodels.study import Study, StudyFile
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.commands.scores import Asked, ScoreReport
    from riskmodels.governance.gate import ApprovedModel
    from riskmodels.governance.registry import ResolvedModel
    from riskmodels.models.risk_model import RiskModel
    from riskmodels.service.batch import ScoredBatch
    from riskmodels.service.cohort import MatrixParts, SourceParts
    from riskmodels.service.outputs.facts import BatchFacts, Tally
    from riskmodels.service.people.record import BatchNote

# A team does not decide about more people than this from one sheet, and a sheet holds all of its rows in memory.
MOST_ON_SHEETS = 20_000


def files_of(
    output: Path, batch_id: str, study: StudyFile, routed: Mapping[int, Any], role: str | None = None
) -> dict[str, Path]:
    """What stands where: the list last, since it is the one that people wait for.

    The decision sheets of a batch are kept as they are, so each role has its own: they hold what it may see.
    """
    stem = output.name.removesuffix(output.suffix)
    beside = output.with_name
    sheets = f"{stem}.decisions-{batch_id[:8]}" + (f"-{role}" if role else "")
    files = {
        "Rejects": beside(f"{stem}.rejects.csv"),
        "Report": beside(f"{stem}.report.html"),
        "Columns": beside(f"{stem}.columns.csv"),
        "Decisions": beside(sheets),
    }
    for role in sorted({study.routes[place].to for place in routed}):
        files[f"For {role}"] = beside(f"{stem}.for-{role}.csv")
    return {**files, "List": output}


def left_off(batch: ScoredBatch, study: StudyFile) -> dict[str, int]:
    """Why people are not listed -> how many; each person once."""
    from riskmodels.models.places import HOUSEHOLD, HOUSEHOLD_CLOSED, NO_TEAM

    found = {"not reached": batch.counts["not_reached"]}
    for rule, count in zip(study.service_rules, batch.excluded_by_rule, strict=True):
        found[rule.because] = found.get(rule.because, 0) + count
    for code, name in ((HOUSEHOLD, "household"), (HOUSEHOLD_CLOSED, "household_closed"), (NO_TEAM, "no_team")):
        if batch.counts[name]:
            found[str(BECAUSE[code])] = batch.counts[name]
    return found


def write_files(
    report: ScoreReport,
    batch: ScoredBatch,
    parts: SourceParts | MatrixParts,
    approved: ApprovedModel,
    study: Study,
    found: ResolvedModel,
    asked: Asked,
    workspace: Workspace,
    work: Path,
    progress: Progress,
) -> tuple[ScoreReport, BatchNote]:
    """Write everything into the work folder, and let it take its places."""
    from riskmodels.service.batch import publish
    from riskmodels.service.outputs.columns import dictionary
    from riskmodels.service.outputs.composition import composition, read_groups
    from riskmodels.service.outputs.decision_sheets import decision_sheets
    from riskmodels.service.outputs.lists import open_list
    from riskmodels.service.outputs.report import batch_report
    from riskmodels.service.people.record import open_record

    groups = None if asked.groups is None else read_groups(asked.groups, study.file)
    progress(f"writing the list of {report.counts['scored']:,} people")
    reader = _Reader(approved.model, study, asked.role)
    tally = _Tally(study.file, reader.rules, report.counts["listed"] <= MOST_ON_SHEETS)
    note = _note(report, approved, parts, asked, batch)
    with open_list(work / "list", asked.format) as whole, open_record(work / "record") as record:  # type: ignore[arg-type]
        for piece in batch.slices():
            frame = reader.rows(piece)
            whole.write(frame)
            record.write(piece)
            tally.see(frame, piece)
        record.close(note)
    _write_rejects(work / "rejects", batch.rejects())
    facts = tally.facts(report, batch, approved, study, found, asked, parts)
    if groups is not None:
        told = (piece.frame.select("entity_id", "listed") for piece in batch.slices())
        facts = replace(facts, groups_file=True, composition=composition(groups, told, study.file))
    storage.write_whole(work / "report", batch_report(facts).encode())
    storage.write_whole(work / "columns", dictionary(study.file, approved.model, asked.role, reader.rules))
    places = {"Rejects": "rejects", "Report": "report", "Columns": "columns"}
    notes = list(report.notes)
    if not tally.listed_kept:
        notes.append(f"no decision sheets: more than {MOST_ON_SHEETS:,} people are listed")
    elif report.files_by_name["Decisions"].exists():
        # They may be filled in by now: what people have decided is not ours to replace.
        standing = report.files_by_name["Decisions"].name
        notes.append(f"the decision sheets of this batch stand already in {standing}; they are left as they are")
    else:
        (work / "decisions").mkdir(mode=0o700, exist_ok=True)
        decision_sheets(work / "decisions", tally.listed(), facts)
        places["Decisions"] = "decisions"
    for role, content in _routed(parts, study).items():
        storage.write_whole(work / f"for {role}", content)
        places[f"For {role}"] = f"for {role}"
    finals = {made: report.files_by_name[name] for name, made in places.items()}
    finals |= {"record": workspace.batch(report.study, report.batch_id), "list": asked.output}
    publish(work, finals)
    kept = {name: path for name, path in report.files_by_name.items() if name in places or name == "List"}
    return replace(report, notes=tuple(notes), files_by_name=kept), note


class _Reader:
    """What one role reads: slices with their words, and without what it may not see."""

    def __init__(self, model: RiskModel, study: Study, role: str | None) -> None:
        from riskmodels.models.reasons import rule_words, shown_to

        self.model = model
        self.shown = shown_to(role, model.reasons, study)
        # Where time runs from each one's own start, the day of a fact is not one of the calendar.
        self.dated = study.file.clock == "calendar"
        self.rules = rule_words(role, study)
        self.because = {
            rule.because: words
            for rule, words in zip(study.file.service_rules, self.rules, strict=True)
            if words != rule.because
        }

    def rows(self, piece: Slice) -> pl.DataFrame:
        """The slice as the scored file has it."""
        from riskmodels.models.reasons import reason_words

        frame = piece.frame
        if self.because:
            frame = frame.with_columns(pl.col("not_listed_because").replace(self.because))
        words = reason_words(self.model, piece.codes, self.shown, dated=self.dated)
        if piece.explained.all():
            return frame.with_columns(words[name].alias(name) for name in WORDS).select(list(SCORED_SCHEMA))
        if not piece.explained.any():
            return frame.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in WORDS).select(
                list(SCORED_SCHEMA)
            )
        where = np.full(frame.height, -1, dtype=np.int64)
        where[piece.explained] = np.arange(len(piece.codes))
        places = pl.Series(where).replace(-1, None)
        return frame.with_columns(words[name].gather(places).alias(name) for name in WORDS).select(list(SCORED_SCHEMA))


class _Tally:
    """Counts what goes by, and keeps the listed while they are few enough for sheets."""

    def __init__(self, study: StudyFile, rules: Sequence[str], keep_listed: bool) -> None:
        """``rules``: what the reader is told of each service rule."""
        from riskmodels.service.outputs.facts import RISK_EDGES

        self.study = study
        self.rules = rules
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
        from riskmodels.models.places import HOUSEHOLD_CLOSED
        from riskmodels.service.cohort.rows import REASONS
        from riskmodels.service.outputs.facts import BandFacts, BatchFacts, Tally, TeamFacts

        counts, question = report.counts, study.file
        excluded = self._excluded(batch.excluded_by_rule)
        if counts["household_closed"]:
            excluded.append(Tally(str(BECAUSE[HOUSEHOLD_CLOSED]), counts["household_closed"]))
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
            excluded=tuple(excluded),
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
            explained=self._explained,
            warnings=report.notes,
        )

    def _excluded(self, by_rule: Sequence[int]) -> list[Tally]:
        """What each rule left off; those that the reader may not know of together, and without who owns them."""
        from riskmodels.models.reasons import RULE_WITHHELD
        from riskmodels.service.outputs.facts import Tally

        rules = list(zip(self.study.service_rules, self.rules, by_rule, strict=True))
        told = [Tally(rule.because, n, rule.kind, rule.owner) for rule, words, n in rules if words != RULE_WITHHELD]
        hidden = [n for _, words, n in rules if words == RULE_WITHHELD]
        return [*told, Tally(RULE_WITHHELD, sum(hidden))] if hidden else told


def _teams(batch: ScoredBatch) -> list[str | None]:
    """Every team that has places or people, those without one last; none where the study has no teams."""
    if set(batch.places) == {None}:
        return []
    return sorted({*batch.places, *batch.by_team}, key=lambda team: (team is None, team or ""))


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
    from riskmodels.models.reasons import route_words
    from riskmodels.service.outputs.formulas import neutralise

    words = route_words(study)

    frames: dict[str, list[pl.DataFrame]] = {}
    for place, ids in sorted(parts.routed.items()):
        route = study.file.routes[place]
        frame = pl.DataFrame({"entity_id": pl.Series(ids, dtype=pl.String)}).with_columns(
            pl.lit(parts.as_of).alias("as_of_date"),
            pl.lit(words[place]).alias("because"),
            pl.lit(route.owner).alias("owner"),
        )
        frames.setdefault(route.to, []).append(frame)
    return {role: storage.table_bytes(neutralise(pl.concat(held)), ".csv") for role, held in frames.items()}


def _note(
    report: ScoreReport, approved: ApprovedModel, parts: SourceParts | MatrixParts, asked: Asked, batch: ScoredBatch
) -> BatchNote:
    from riskmodels.service.people.record import BatchNote

    options = {"explain": asked.explain, "capacity": asked.capacity, "format": asked.format, "engine": asked.engine}
    return BatchNote(
        batch_id=report.batch_id,
        study=report.study,
        version=approved.version,
        model_sha256=approved.model_sha256,
        card_sha256=approved.card_sha256,
        as_of=parts.as_of,
        scored_on=asked.today,
        counts=report.counts,
        options=options,
        output=asked.output.name,
        who=asked.role,
        stage=approved.approval.stage,
        example=approved.approval.example,
    )
