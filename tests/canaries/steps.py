"""The commands that the county is put through, in the order of a service's year; each with the exit code it ends in."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl

from tests.canaries import planted
from tests.canaries.county import NAME, SCORED_ON, STUDY, sections
from tests.canaries.runs import Town, step

Steps = list[tuple[dict[str, Any], int]]
APPROVER = "Director of Children's Services"
DAY = ("--as-of", SCORED_ON)
AUDIT = (
    "--outcome", "y", "--risk", "p", "--entity", "who", "--groups", "sex,ethnicity", "--purpose", "assistive",
    "--measures", "need", "--capacity", "100", "--not-audited", "all=Not in this test.",
)  # fmt: skip


def main_job(town: Town) -> Steps:
    """Train, approve, score from sources and from a file, audit somebody else's predictions."""
    objected = ("--exclude", town.given / "objected.csv")
    return [
        (step("run", *town.at("run", town.study, "--data", town.data)), 0),
        (step("review", *town.at("review", "record", f"{NAME}/1", town.given / "decision.yaml")), 0),
        (step("promote", *town.at("promote", f"{NAME}/1", "--stage", "pilot", "--by", APPROVER)), 0),
        (step("score", *town.at("score", NAME, town.data, *DAY, "--output", town.out / "list.csv", "--explain", "all",
                                "--groups", town.given / "groups.csv")), 0),
        (step("score file", *town.at("score", NAME, town.given / "matrix.csv", *DAY, "--output",
                                     town.out / "matrix.xlsx", *objected)), 0),
        (step("audit", "audit", town.given / "vendor.csv", *AUDIT, "--html", town.out / "audit.html", "--json",
              town.out / "audit.json", "--counts", town.out / "counts.json"), 10),
        (step("card", *town.at("card", NAME, "--edition", "public", "--output", town.out / "card", "--format",
                               "html,md,atrs")), 0),
    ]  # fmt: skip


def answers(town: Town) -> Steps:
    """Somebody asks where they stand, and what became of them."""
    one = f"{pl.read_csv(town.data / 'objections.csv', infer_schema=False)['child_id'][0]}\n"
    listed = town.listed()
    return [
        (step("trace", *town.at("trace", "-"), stdin=f"{listed}\n{one}"), 0),
        (step("trace json", *town.at("trace", "-", "--json"), stdin=listed), 0),
        (step("letter", *town.at("letter", "-", "--batch", town.batch(), "--output", town.out / "letter.html"),
              stdin=listed), 0),
        (step("no letter", *town.at("letter", "-", "--batch", town.batch()), stdin=one), 4),
    ]  # fmt: skip


def around(town: Town) -> Steps:
    """All the other commands that say something of the study or its models."""
    names = ("people", "events", "equality")
    return [
        (step("check", *town.at("check", town.study, "--data", town.data, "--profile", town.out / "profile.html",
                                "--explain")), 0),
        (step("new", "new", town.out / "drafted", *(word for name in names for word in
                                                   ("--from", town.data / f"{name}.parquet")), "--guess"), 0),
        (step("evaluate", "evaluate", town.given / "vendor.csv", "--outcome", "y", "--risk", "p", "--entity", "who",
              "--html", town.out / "evaluation.html", "--json", town.out / "evaluation.json"), 0),
        (step("card whole", *town.at("card", NAME, "--output", town.out / "card", "--format", "html,md,json,atrs")), 0),
        (step("card check", *town.at("card", NAME, "--check")), 0),
        (step("missing", *town.at("card", "missing", NAME)), 0),
        (step("publish", *town.at("publish", NAME, town.out / "cards")), 0),
        (step("site", *town.at("site", town.out / "cards", "--output", town.out / "site")), 0),
        (step("models", *town.at("models")), 0),
        (step("gate", *town.at("gate", NAME)), 0),
        (step("show", *town.at("review", "show", NAME)), 0),
        (step("compare", "compare", NAME, NAME, "--workspace", town.work, "--html", town.out / "compare.html", "--json",
              town.out / "compare.json"), 0),
        (step("batches", *town.at("trace")), 0),
    ]  # fmt: skip


# ---------------------------------------------------------------- what is wrong


def bad_inputs(town: Town) -> Steps:
    """People's data where something else should stand: every line that is said of it is looked through."""
    wrong = _wrong(town)
    at = town.at
    return [
        # Somebody's row in place of the names of columns.
        (step("no header", *at("check", wrong["reads csv"], "--data", wrong["no header"])), 4),
        (step("no header new", "new", town.out / "never", "--from", wrong["no header"] / "people.csv", "--guess"), 4),
        (step("no header score", *at("score", NAME, wrong["no header.csv"], *DAY, "--output", town.out / "x.csv",
                                     "--exclude", town.given / "objected.csv")), 4),
        (step("no header audit", "audit", wrong["no header.csv"], *AUDIT), 4),
        (step("no header evaluate", "evaluate", wrong["no header.csv"], "--outcome", "y", "--risk", "p"), 4),
        # A sentence where a date or a number should stand.
        (step("no date", *at("check", town.study, "--data", wrong["no date"])), 4),
        (step("no number", *at("check", town.study, "--data", wrong["no number"])), 4),
        (step("no outcome", "audit", wrong["no outcome.csv"], *AUDIT), 4),
        (step("no risk", "evaluate", wrong["no risk.csv"], "--outcome", "y", "--risk", "p"), 4),
        (step("free text", "audit", wrong["free text.csv"], *AUDIT), 4),
        # Rows that do not fit: the parsers' own words would quote them.
        (step("uneven", *at("score", NAME, wrong["uneven.csv"], *DAY, "--output", town.out / "x.csv", "--exclude",
                            town.given / "objected.csv")), 4),
        (step("uneven source", *at("check", town.study, "--data", wrong["uneven"])), 4),
        (step("open quote", *at("score", NAME, wrong["open quote.csv"], *DAY, "--output", town.out / "x.csv",
                                "--exclude", town.given / "objected.csv")), 4),
        (step("not utf-8", *at("score", NAME, wrong["latin.csv"], *DAY, "--output", town.out / "x.csv", "--exclude",
                               town.given / "objected.csv")), 4),
        # A person twice, or nobody known.
        (step("groups twice", *at("score", NAME, town.data, *DAY, "--output", town.out / "x.csv", "--groups",
                                  wrong["twice.csv"])), 4),
        (step("nobody known", *at("score", NAME, town.data, *DAY, "--output", town.out / "x.csv", "--groups",
                                  wrong["strangers.csv"])), 4),
        (step("objections", *at("score", NAME, town.data, *DAY, "--output", town.out / "x.csv", "--exclude",
                                town.given / "vendor.csv")), 4),
        # Words that people mistake, where the answer lists what there is.
        (step("reference", "audit", town.given / "vendor.csv", *AUDIT, "--reference", "ethnicity=three"), 2),
        (step("no such kind", *at("check", wrong["no such kind"], "--data", town.data)), 4),
        (step("no such group", *at("run", wrong["no such group"], "--data", town.data)), 3),
        (step("an id too many", *at("trace", planted.person_id(1), planted.person_id(2))), 2),
        (step("not a batch", *at("letter", "-", "--batch", "0123456789abcdef"), stdin=planted.person_id(1)), 2),
        (step("damaged sheet", *at("letter", "-", "--batch", town.batch(), "--decisions", wrong["sheet.xlsx"]),
              stdin=town.listed()), 4),
    ]  # fmt: skip


def _wrong(town: Town) -> dict[str, Path]:
    folder = town.given / "wrong"
    folder.mkdir()
    found: dict[str, Path] = {}

    def data(name: str) -> Path:
        found[name] = Path(shutil.copytree(town.data, folder / name))
        return found[name]

    def study(name: str, **more: Any) -> None:
        found[name] = Path(shutil.copytree(town.study, folder / f"study {name}"))
        (found[name] / "study.yaml").write_text(json.dumps({**STUDY, **sections(), **more}))

    def file(name: str, content: bytes) -> None:
        (folder / name).write_bytes(content)
        found[name] = folder / name

    people = pl.read_parquet(town.data / "people.parquet")
    people.write_csv(data("no header") / "people.csv", include_header=False)
    study("reads csv", sources=STUDY["sources"] | {"people": {"file": "people.csv", "entity": "child_id"}})
    matrix = pl.read_csv(town.given / "matrix.csv", infer_schema=False)
    file("no header.csv", matrix.write_csv(include_header=False).encode())
    text = planted.sentence("cell", 3)
    people.with_columns(pl.lit(text).alias("born_on")).write_parquet(data("no date") / "people.parquet")
    events = pl.read_parquet(town.data / "events.parquet")
    events.with_columns(pl.lit(text).alias("value")).write_parquet(data("no number") / "events.parquet")
    vendor = pl.read_csv(town.given / "vendor.csv", infer_schema=False)
    for name, column in (("no outcome", "y"), ("no risk", "p")):
        file(f"{name}.csv", vendor.with_columns(pl.lit(text).alias(column)).write_csv().encode())
    names = [planted.full_name("prediction", n) for n in range(vendor.height)]
    few = [name if n % 30 == 0 else "one" for n, name in enumerate(names)]
    file("free text.csv", vendor.with_columns(pl.Series("ethnicity", few)).write_csv().encode())
    lines = (town.given / "matrix.csv").read_bytes().splitlines(keepends=True)
    file("uneven.csv", b"".join([*lines[:5], lines[5].rstrip() + f",{text},\n".encode(), *lines[6:]]))
    file("open quote.csv", b"".join([*lines[:5], b'"' + lines[5], *lines[6:]]))
    file("latin.csv", b"".join(lines).replace(b"Gwexhaim", "Gwexhaimé".encode("latin-1")))
    content = (town.data / "objections.csv").read_text().splitlines()
    (data("uneven") / "objections.csv").write_text("\n".join([*content, f"{content[1]},{text},{text}"]) + "\n")
    groups = pl.read_csv(town.given / "groups.csv", infer_schema=False)
    file("twice.csv", pl.concat([groups, groups.head(2)]).write_csv().encode())
    strangers = [planted.number(n, in_a_file=True) for n in range(groups.height)]
    file("strangers.csv", groups.with_columns(pl.Series("entity_id", strangers)).write_csv().encode())
    study("no such kind", facts=STUDY["facts"] | {"moved_away": {"in": "events", "kind": "moved_awya"}})
    ethnicity = {**STUDY["protected"]["ethnicity"], "reference": "White Britsh"}
    study("no such group", protected={**STUDY["protected"], "ethnicity": ethnicity})
    file("sheet.xlsx", filled_sheet(town, {}))
    return found


def filled_sheet(town: Town, known: Mapping[str, Any]) -> bytes:
    """A team's decision sheet, with what is known in its columns, and a story in those that people fill in freely."""
    (path, *_) = (path for path in sorted(town.out.glob("list.decisions-*/*.xlsx")) if town.listed() in ids_in(path))
    with path.open("rb") as file:
        book = openpyxl.load_workbook(file)
    rows = list(book["Decisions"].iter_rows())
    header = next(row for row in rows if any(cell.value == "Decision" for cell in row))
    for row in rows[rows.index(header) + 1 :][:8]:
        for cell, name in zip(row, header, strict=True):
            if name.value in ("Decision", "Decided by", "Decided on", "Why"):
                cell.value = known.get(name.value, planted.sentence("decision", 1))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def ids_in(path: Path) -> set[str]:
    with path.open("rb") as file:
        sheet = openpyxl.load_workbook(file)["Decisions"]
        return {str(value) for row in sheet.iter_rows(values_only=True) for value in row}


# ---------------------------------------------------------------- what breaks


def crashes(town: Town) -> Steps:
    """An error of our own, deep inside, that says everything of a person."""
    text = planted.sentence("crash", 1)
    run = town.at("run", town.study, "--data", town.data, "--no-cache")
    score = town.at("score", NAME, town.data, *DAY, "--output", town.out / "crashed.csv")
    found: Steps = []

    def crash(name: str, argv: tuple[object, ...], at: str, kind: str, code: int, **more: Any) -> None:
        found.append((step(name, *argv, raises={"at": at, "kind": kind, "text": text}, **more), code))

    crash("crash reading", run, "riskmodels.data.preparing:cached_cohort", "ValueError", 1)
    crash("crash shown", run, "riskmodels.data.preparing:build_dataset", "KeyError", 1,
          env={"RISKMODELS_TRACEBACK": "1"})  # fmt: skip
    crash("crash scoring", score, "riskmodels.service.batch.scoring:Scorer._records", "RuntimeError", 1)
    crash("crash scoring shown", score, "riskmodels.service.batch.listing:bands_of", "TypeError", 1,
          env={"RISKMODELS_TRACEBACK": "1"})  # fmt: skip
    crash("panic", score, "riskmodels.service.batch.run:find_copies", "BaseException", 1)
    crash("full disk", score, "riskmodels.service.people.record:open_record", "full", 7)
    crash("crash listing", ("audit", town.given / "vendor.csv", *AUDIT), "riskmodels.commands.audits:_audited",
          "AssertionError", 1)  # fmt: skip
    return found


# ---------------------------------------------------------------- the rest of the year


def looks_closer(town: Town) -> Steps:
    """The longer run, and the same study counted by another engine."""
    run = town.at("run", town.study, "--data", town.data)
    return [
        (step("run deep", *run, "--deep", "--draws", "5", "--mitigate"), 0),
        (step("run duckdb", *run, "--engine", "duckdb", "--memory-limit", "100MB", "--no-cache"), 0),
    ]


def scores_again(town: Town) -> Steps:
    """Every format, reader and engine that a list can be made with, after the main job."""
    cohort = town.given / f"cohort {planted.full_name('file name', 1)}.parquet"
    objected = ("--exclude", town.given / "objected.csv")
    return [
        (step("score parquet", *town.at("score", NAME, cohort, *DAY, "--output", town.out / "matrix.parquet", *objected,
                                        "--explain", "none", "--threads", "1")), 0),
        (step("score duckdb", *town.at("score", NAME, town.data, *DAY, "--output", town.out / "list.xlsx", "--engine",
                                       "duckdb", "--memory-limit", "100MB", "--explain", "all")), 0),
        (step("dry run", *town.at("score", NAME, town.data, *DAY, "--output", town.out / "x.csv", "--dry-run")), 0),
        (step("unknown role", *town.at("score", NAME, town.data, *DAY, "--output", town.out / "x.csv", "--role",
                                       "nobody")), 2),
        (step("update", "update", NAME, town.data, "--as-of", "2026-07-01", "--extracted-on", "2027-03-01",
              "--workspace", town.work, "--json", town.out / "update.json"), 0),
        (step("pdf", *town.at("card", NAME, "--output", town.out / "pdf", "--format", "html,pdf,md,json,atrs")), 0),
    ]  # fmt: skip


def the_end(town: Town) -> Steps:
    """A sheet that a team filled in, a model that is withdrawn, and the records of it all."""
    sheet = town.given / "filled.xlsx"
    sheet.write_bytes(filled_sheet(town, {"Decision": "not now", "Decided on": SCORED_ON}))
    return [
        (step("letter decided", *town.at("letter", "-", "--batch", town.batch(), "--decisions", sheet, "--output",
                                         town.out / "decided.html"), stdin=town.listed()), 0),
        (step("withdraw", *town.at("withdraw", NAME, "--by", APPROVER, "--reason", "The service ends.")), 0),
        (step("refused", *town.at("score", NAME, town.data, *DAY, "--output", town.out / "x.csv")), 6),
        (step("show at the end", *town.at("review", "show", NAME)), 0),
        (step("verify", "review", "verify", "--workspace", town.work), 0),
        (step("export", *town.at("review", "export", NAME, "--output", town.out / "archive")), 0),
        (step("open", *town.at("review", "open", f"{NAME}/1", "--stage", "pilot", "--output",
                      town.out / "form.yaml")), 0),
        (step("purge", *town.at("purge", NAME, "--dry-run")), 0),
    ]  # fmt: skip
