"""Finished runs against each other: is the later one better, and do their lists name the same people?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.commands.sources import Progress, silent
from riskmodels.errors import DataError, UsageError
from riskmodels.study import Study, StudyFile, load_study
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.assessment.paired_rows import RankedRun
    from riskmodels.cards.card import ModelCard
    from riskmodels.governance.registry import ResolvedModel

SCHEMA_VERSION = 1
LONGEST_SETTING = 120
NOTHING = "none"
MOST_SETTINGS = 40


@dataclass(frozen=True)
class ComparisonReport:
    """What ``compare`` found: the whole of it as plain values that may be published, and where it was written."""

    found: dict[str, Any]
    html: Path | None
    json: Path | None


@dataclass(frozen=True)
class _Run:
    """A finished run, read. ``name`` says which one it is; ``short`` is what sentences call it."""

    name: str
    short: str
    model: ResolvedModel
    study: Study
    card: ModelCard
    ranked: RankedRun


def compare(
    references: Sequence[str],
    workspace: Workspace,
    *,
    alias: str | None = None,
    html: Path | None = None,
    json: Path | None = None,
    progress: Progress = silent,
) -> ComparisonReport:
    """Compare finished runs: each with the first, or with the model that ``alias`` (champion) points at.

    Parameters
    ----------
    references : runs, as `registry.resolve` knows them; with ``alias`` none or one is enough, and a study's bare name
        means its candidate
    html, json : where the comparison is written, as a page and whole

    Raises
    ------
    UsageError
        for too few runs, a run or an alias that does not exist, or runs of different questions.
    DataError, CardError, StudyError
        if a file of a run is missing or damaged, or the runs cannot be compared: see `paired_rows.pair`.
    """
    from riskmodels.assessment.comparison_disclosure import publish_comparison, publish_shared
    from riskmodels.assessment.run_comparison import compare_groups, compare_runs, list_matrix
    from riskmodels.assessment.suppression import strictest
    from riskmodels.reports.comparison_page import render_comparison
    from riskmodels.reports.comparison_words import words_of

    outputs = [path for path in (html, json) if path is not None]
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise UsageError(f"{html}: --html and --json name the same file; name two")
    for path in outputs:
        storage.refuse_unwritable(path)
    models = _chosen(references, workspace, alias)
    progress(f"reading {len(models)} runs")
    first, *others = runs = _read(models, alias, workspace)
    for other in others:
        _refuse_other_question(first, other)
    profile = strictest(run.study.file.disclosure for run in runs)
    question = first.study.file
    comparisons, hidden = [], []
    for other in others:
        progress(f"comparing {other.name} with {first.name}")
        exact = compare_runs(
            first.ranked, other.ranked, thresholds=question.thresholds, bands=question.bands, seed=question.seed
        )
        shown, log = publish_comparison(exact.to_dict(), profile)
        shown["groups"] = list(compare_groups(_groups(first.card), _groups(other.card)))
        shown["changed"] = list(_changed(first, other))
        shown["warnings"] = list(_warnings(first, other, shown))
        shown["words"] = words_of(shown, {run.name: run.short for run in (first, other)}, _speech(question))
        comparisons.append(shown)
        hidden += [{"comparison": other.name, **line} for line in log]
    found = {
        "schema_version": SCHEMA_VERSION,
        "study": first.study.name,
        "title": question.title,
        "runs": [_described(run) for run in runs],
        "comparisons": comparisons,
        "lists": {
            "runs": [run.name for run in runs],
            "of_100": [
                [publish_shared(cell, profile) for cell in row] for row in list_matrix([run.ranked for run in runs])
            ],
        },
        "disclosure": {"profile": profile.name, "below": profile.below, "hidden": hidden},
    }
    files = {} if json is None else {json: storage.canonical_json(found)}
    if html is not None:
        progress("drawing the page")
        files[html] = render_comparison(found)
    if files:
        storage.write_together(files, mode=0o644)
    return ComparisonReport(found, html, json)


# ---------------------------------------------------------------- which runs


def _chosen(references: Sequence[str], workspace: Workspace, alias: str | None) -> list[ResolvedModel]:
    """The runs that were meant, the one that the others are compared with first."""
    from riskmodels.governance import registry

    if alias is None:
        if len(references) < 2:
            raise UsageError(
                "compare: name two runs or more, the one to compare with first, or one run and --with champion"
            )
        return [registry.resolve(workspace, reference) for reference in references]
    wanted = list(references) or [_only_study(workspace)]
    others = [registry.resolve(workspace, _candidate_of(reference)) for reference in wanted]
    return [registry.resolve(workspace, f"{others[0].study}@{alias}"), *others]


def _candidate_of(reference: str) -> str:
    """A bare study's candidate: its champion is what the candidate is compared with."""
    from riskmodels.governance.registry import CANDIDATE, REFERENCE

    found = REFERENCE.fullmatch(reference)
    is_bare = found is not None and not found["alias"] and not found["version"] and not Path(reference).exists()
    return f"{reference}@{CANDIDATE}" if is_bare else reference


def _only_study(workspace: Workspace) -> str:
    from riskmodels.governance import registry

    studies = sorted(registry.read_index(workspace))
    if len(studies) != 1:
        known = (
            f"there are {', '.join(studies)}" if studies else "nothing is registered; `riskmodels run STUDY` does it"
        )
        raise UsageError(f"compare: name a run; {known}")
    return studies[0]


def _read(models: Sequence[ResolvedModel], alias: str | None, workspace: Workspace) -> list[_Run]:
    one_study = len({model.study for model in models}) == 1
    runs: list[_Run] = []
    for position, model in enumerate(models):
        name = model.folder.name if model.version is None else f"{model.study}/{model.version}"
        short = f"version {model.version}" if model.version is not None and one_study else name
        # The same run again, or a copy of it that was changed: two names all the same.
        if any(run.name == name for run in runs):
            name, short = f"{name} ({position + 1})", f"{short} ({position + 1})"
        if alias is not None and position == 0:
            short = f"the {alias.replace('_', ' ')}"
        runs.append(_read_run(model, name, short, workspace))
    return runs


def _read_run(model: ResolvedModel, name: str, short: str, workspace: Workspace) -> _Run:
    from riskmodels.assessment.paired_rows import ranked_run
    from riskmodels.cards.card import ModelCard
    from riskmodels.cards.card_file import read_card_file
    from riskmodels.commands.purges import why_gone

    card = ModelCard.from_bytes(read_card_file(model.card_path))
    study = load_study(model.folder / "study")
    path = model.folder / "ranking.parquet"
    if not path.is_file():
        if gone := why_gone(workspace, model.study, path):
            raise DataError(f"{path}: {gone}; compare other runs, or run the study again")
        raise DataError(f"{path}: no such file; compare needs a run's whole folder: copy it whole, or run again")
    return _Run(name, short, model, study, card, ranked_run(name, storage.read_table(path)))


def _refuse_other_question(first: _Run, other: _Run) -> None:
    """Two studies may be compared where they ask about the same outcome."""
    if first.study.name != other.study.name and _outcome_of(first.study.file) != _outcome_of(other.study.file):
        raise UsageError(
            f"{first.name} and {other.name}: are of different studies that predict different outcomes; compare runs "
            "that predict the same"
        )


def _outcome_of(question: StudyFile) -> dict[str, Any]:
    outcome = question.outcome
    said = outcome.model_dump(mode="json", include={"name", "happens", "known", "horizon"})
    return said | {"level": question.level, "facts": question.facts_of([outcome.happens, outcome.known])}


# ---------------------------------------------------------------- what is said of them


def _described(run: _Run) -> dict[str, Any]:
    from riskmodels.cards.words import family_words

    card, model = run.card, run.model
    return {
        "name": run.name,
        "short": run.short,
        "study": run.study.name,
        "version": model.version,
        "family": card.model.family,
        "family_words": family_words(card.model.family, None),
        "audit_verdict": card.audit.verdict,
        "recommendation": card.summary.recommendation.code,
        "model_sha256": card.model.sha256,
        "card_sha256": card.digest,
        "study_sha256": card.digests.study,
        "data_sha256": card.digests.data,
    }


def _speech(question: StudyFile) -> dict[str, str]:
    from riskmodels.cards.words import language_of

    language = language_of(question)
    return {"many": language.many, "that": language.that, "needed": language.needed}


def _groups(card: ModelCard) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = card.to_dict()["audit"]["rows"]
    return rows


def _warnings(first: _Run, other: _Run, shown: Mapping[str, Any]) -> Iterator[str]:
    """What makes the two less alike than a fair comparison asks for."""
    before, after = first.study.file, other.study.file
    names = f"{first.short} and {other.short}"
    if first.model.folder.resolve() == other.model.folder.resolve():
        yield "Both names mean the same run."
    if before.outcome.name != after.outcome.name:
        yield f"The outcome has two names: {before.outcome.name} and {after.outcome.name} ({names})."
    if before.outcome.horizon != after.outcome.horizon:
        yield f"They look ahead differently far: {before.outcome.horizon} and {after.outcome.horizon} ({names})."
    elif _outcome_of(before) | {"name": ""} != _outcome_of(after) | {"name": ""}:
        yield "They define the outcome differently, even where they know it alike."
    days = [day for day in first.ranked.days if day in other.ranked.days]
    places = [run.ranked.on(days).group_by("as_of_date").agg(_places()).sort("as_of_date") for run in (first, other)]
    if not places[0].equals(places[1]):
        told = " and ".join(f"{frame['places'].sum():,}" for frame in places)
        yield f"The lists differ in length: {told} places ({names}). A longer list finds more, whoever is on it."
    counts = shown["counts"]
    if counts["days_only_first"] or counts["days_only_second"]:
        yield "They were not tested on all the same dates; only the dates of both count here."
    if counts["rows_only_first"] != 0 or counts["rows_only_second"] != 0:
        yield "They did not rank all the same rows; differences are of those that both ranked."
    if counts["known_in_one_only"] != 0 or counts["outcomes_that_differ"] != 0:
        yield "They do not know the outcome of all the same rows, or know it differently; those are left out."
    if before.thresholds != after.thresholds:
        yield f"They set different thresholds; net benefit is read at those of {first.short}."


def _places() -> Any:
    import polars as pl

    return pl.col("selected").sum().alias("places")


def _changed(first: _Run, other: _Run) -> Iterator[dict[str, str]]:
    """Settings that differ: the family that was chosen, the data, and study.yaml key by key."""
    from riskmodels.cards.words import family_words

    sides = []
    for run in (first, other):
        file = run.study.file.model_dump(mode="json", by_alias=True)
        top = {"family chosen": family_words(run.card.model.family, None), "data": run.card.digests.data[:12]}
        sides.append(top | dict(_leaves(file)))
    # A setting that is not there says as much as one that is none.
    keys = [
        key for key in dict.fromkeys((*sides[0], *sides[1])) if sides[0].get(key, NOTHING) != sides[1].get(key, NOTHING)
    ]
    for key in keys[:MOST_SETTINGS]:
        before, after = (side.get(key, NOTHING) for side in sides)
        yield {"key": key, "first": before, "second": after}
    if len(keys) > MOST_SETTINGS:
        yield {"key": f"and {len(keys) - MOST_SETTINGS} more", "first": "", "second": ""}


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """A nested value as dotted keys and texts; a list of named things goes by their names."""
    from riskmodels.reports.cells import spelled

    if isinstance(value, list) and value and all(isinstance(item, dict) and "name" in item for item in value):
        value = {item["name"]: {key: inner for key, inner in item.items() if key != "name"} for item in value}
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    else:
        text = NOTHING if value is None else spelled(value)
        yield path, text if len(text) <= LONGEST_SETTING else f"{text[:LONGEST_SETTING]} …"
