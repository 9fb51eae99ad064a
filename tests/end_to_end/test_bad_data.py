"""Data that are not what the study says: each one line, with what, where and what to do, and an exit code."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from riskmodels import __main__, storage

PEOPLE = 120
FIRST = dt.date(2018, 1, 1)
STUDY: dict[str, Any] = {
    "schema": 1,
    "study": "small",
    "title": "Small",
    "question": "Who?",
    "seed": 7,
    "purpose": "assistive",
    "level": "person",
    "clock": "calendar",
    "sources": {
        "people": {"file": "people.csv", "entity": "id"},
        "records": {
            "file": "records.csv", "entity": "id", "event_date": "happened", "known_date": "known", "kind": "kind",
        },
        "police": {
            "file": "police.duckdb", "table": "calls", "entity": "their_id", "event_date": "called_at",
            "time_zone": "Europe/London", "link": {"through": "matches", "id": "their_id"},
        },
        "matches": {"file": "matches.parquet", "entity": "id"},
        "areas": {"file": "areas.sqlite", "table": "areas", "entity": "code", "level": "place"},
        "survey": {"file": "survey.csv", "entity": "id", "known_date": "answered", "consented": True},
    },
    "consents": {
        "file": "consents.csv", "entity": "id", "source": "source", "given_on": "given", "withdrawn_on": "withdrawn",
    },
    "objections": {"file": "objections.csv", "entity": "id", "scope": "scope"},
    "facts": {
        "visit": {"in": "records", "kind": "visit"},
        "anything": {"in": "records"},
        "call": {"in": "police"},
    },
    "cohort": {"as_of_dates": ["2019-01-01", "2019-07-01", "2020-01-01"], "steps": []},
    "outcome": {
        "name": "visited", "words": "is visited", "measures": "need", "happens": {"any": "visit"},
        "known": {"any": "anything"}, "horizon": "3 months", "lag": "1 month",
    },
    "features": [
        {"name": "visits", "take": "count", "of": "visit", "last": "12 months", "words": "visits"},
        {"name": "mean_value", "take": "mean", "of": "anything.value", "last": "12 months", "words": "value"},
        {"name": "calls", "take": "count", "of": "call", "words": "calls"},
        {"name": "decile", "take": "attribute", "of": "areas.decile", "by": "people.area", "words": "decile"},
        {"name": "answer", "take": "attribute", "of": "survey.answer", "words": "answer"},
    ],
    "split": {"test": {"dates": ["2020-01-01"]}, "calibrate": "grouped", "why_grouped": "small"},
    "capacity": {"places": 5},
}  # fmt: skip
COLUMNS = {"people": ["area"], "records": ["value"], "police": [], "matches": ["their_id"], "areas": ["decile"],
           "survey": ["answer"]}  # fmt: skip


def frames() -> dict[str, pl.DataFrame]:
    """A small world whose ids can be told from every word of a message."""
    ids = [f"secret{n:03}" for n in range(PEOPLE)]
    days = [[(n * 37 + k * 61) % 900 for k in range(8)] for n in range(PEOPLE)]
    records = pl.DataFrame(
        [
            (ids[n], FIRST + dt.timedelta(days=day), ("visit", "test")[(n + day) % 3 == 0], (n * day) % 11)
            for n in range(PEOPLE)
            for day in days[n]
        ],
        schema=["id", "happened", "kind", "value"],
        orient="row",
    )
    calls = [
        (f"their{n:03}", dt.datetime(2018, 6, 1, 23, 30) + dt.timedelta(days=days[n][0])) for n in range(0, PEOPLE, 2)
    ]
    return {
        "people": pl.DataFrame({"id": ids, "area": [f"E{n % 7}" for n in range(PEOPLE)]}),
        "records": records.with_columns((pl.col("happened") + pl.duration(days=1)).alias("known")),
        "police": pl.DataFrame(calls, schema=["their_id", "called_at"], orient="row"),
        "matches": pl.DataFrame({"id": ids[::2], "their_id": [f"their{n:03}" for n in range(0, PEOPLE, 2)]}),
        "areas": pl.DataFrame({"code": [f"E{n}" for n in range(7)], "decile": range(7)}),
        "survey": pl.DataFrame(
            {"id": ids, "answered": [dt.date(2018, 3, 1)] * PEOPLE, "answer": [n % 5 for n in range(PEOPLE)]}
        ),
        "consents": pl.DataFrame(
            {"id": ids, "source": ["survey"] * PEOPLE, "given": ["2018-02-01"] * PEOPLE, "withdrawn": [None] * PEOPLE},
            schema_overrides={"withdrawn": pl.String},
        ),
        "objections": pl.DataFrame({"id": ids[:2], "scope": ["training", "scoring"]}),
    }  # fmt: skip


def write(folder: Path, name: str, frame: pl.DataFrame) -> None:
    """Put a table where the study looks for it."""
    path = folder / STUDY["sources"].get(name, STUDY.get(name, {}))["file"]
    path.unlink(missing_ok=True)
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path)) as connection:
            connection.from_arrow(frame.to_arrow()).create("calls")
    elif path.suffix == ".sqlite":
        connection = sqlite3.connect(path)
        connection.execute(f"CREATE TABLE areas ({', '.join(frame.columns)})")
        connection.executemany(f"INSERT INTO areas VALUES ({', '.join('?' * frame.width)})", frame.rows())
        connection.commit()
        connection.close()
    elif path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_csv(path)


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A folder with a study in it, and its data in ``data``."""
    entry = {
        "words": "w", "owner": "o", "collected_for": "c", "how": "h", "about": "person", "lawful_basis": "l",
        "permitted_purposes": ["p"], "retention": "r", "extracted_on": "2020-12-31",
    }  # fmt: skip
    sources = {name: {**entry, "columns": dict.fromkeys(columns, "a column")} for name, columns in COLUMNS.items()}
    sources["areas"]["about"] = "place"
    sources["areas"]["spatial_level"] = "area"
    said = {"text": "t", "owner": "o"}
    answers = {"organisation": "o", "owner_role": "o", "ask": said, "cannot_see": said}
    files = {"study": STUDY, "register": {"purpose": "p", "audit_purpose": "p", "sources": sources}, "answers": answers}
    (tmp_path / "data").mkdir()
    for name, content in files.items():
        (tmp_path / f"{name}.yaml").write_bytes(storage.write_yaml(content))
    for name, frame in frames().items():
        write(tmp_path / "data", name, frame)
    return tmp_path


def check(world: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, list[str]]:
    code = __main__.run(["check", str(world), "--data", str(world / "data"), "--workspace", str(world / "work"), *more])
    said = capsys.readouterr().err.strip().splitlines()
    return code, [line for line in said if not line.startswith("[")]


Spoil = Callable[[pl.DataFrame], pl.DataFrame]


def text(column: str, value: str | None, *rows: int) -> Spoil:
    """Some rows (from 1) of a column hold this text instead."""

    def spoil(frame: pl.DataFrame) -> pl.DataFrame:
        olds = [None if old is None else str(old) for old in frame[column]]
        values = [value if n in rows else old for n, old in enumerate(olds, start=1)]
        return frame.with_columns(pl.Series(column, values, dtype=pl.String))

    return spoil


def many_columns(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.rename({"value": "valu"}).with_columns(pl.lit(n).alias(f"c{n}") for n in range(10_000))


SPOILT: dict[str, tuple[str, Spoil, str]] = {
    "day-first dates": (
        "records", text("happened", "31/12/2018", 4, 5),
        "records.csv, column 'happened': 2 rows are not dates such as 2024-06-30 (first: row 4); they look day-first",
    ),
    "a time zone that is not declared": (
        "records", text("known", "2020-06-30T12:00:00Z", 3),
        "records.csv, column 'known': times have an offset from UTC (first: row 3); say in study.yaml where",
    ),
    "mixed time zones": (
        "police", lambda frame: text("called_at", "2020-06-30T12:00:00Z", 3)(frame),
        "column 'called_at': some times have an offset from UTC (first: row 3) and some have none (first: row 1)",
    ),
    "ids that were read as decimals": (
        "matches", lambda frame: frame.with_columns(pl.int_range(pl.len()).cast(pl.Float64).alias("id")),
        "matches.parquet, column 'id': ids were read as Float64; that loses digits: store ids as text",
    ),
    "ids that were written as decimals": (
        "people", text("id", "9434765919.0", 7),
        "people.csv, column 'id': 1 row has an id that was written as a decimal (first: row 7)",
    ),
    "ids with a blank inside, and without": (
        "people", text("id", "secret 001", 7),
        "people.csv, column 'id': 1 row has an id that is also written without the blank inside it (first: row 7)",
    ),
    "no ids": ("records", text("id", " ", 9), "records.csv, column 'id': 1 row has no id (first: row 9)"),
    "duplicate keys": (
        "people", lambda frame: pl.concat([frame, frame.head(3)]),
        "people.csv, column 'id': 3 ids stand more than once (first repeated: row 121); a table without dates has one",
    ),
    "a join that would multiply rows": (
        "areas", lambda frame: pl.concat([frame, frame]),
        "areas.sqlite, table areas, column 'code': 7 ids stand more than once (first repeated: row 8)",
    ),
    "links that match nothing": (
        "matches", lambda frame: frame.with_columns(pl.format("no{}", "their_id").alias("their_id")),
        "police.duckdb, table calls: none of its 60 ids is among the accepted matches; check link.id",
    ),
    "an unknown kind": (
        "records", lambda frame: frame.with_columns(pl.lit("other").alias("kind")),
        "facts.visit.kind: 'visit' does not occur in records (there: 1 other)",
    ),
    "a word in a column that held numbers until the first as-of date": (
        "survey", lambda frame: text("answered", "2019-05-05", 6)(text("answer", "secret", 6)(frame)),
        "survey.csv, column 'answer': 1 row is not a number (first: row 6); correct them",
    ),
    "known before it happened": (
        "records", text("known", "2018-01-01", 2),
        "records.csv, column 'known': 1 row is known before the event (first: row 2)",
    ),
    "dated after the extract": (
        "records", text("known", "2021-01-01", 2),
        "records.csv, column 'known': 1 row is dated after 2020-12-31, the day of the extract (first: row 2)",
    ),
    "10,000 columns": (
        "records", many_columns, "records.csv: has no column 'value' (columns: none that the register knows)",
    ),
    "a word among numbers": (
        "records", text("value", "secret", 2), "records.csv, column 'value': 1 row is not a number (first: row 2)",
    ),
    "only a header": ("records", lambda frame: frame.clear(), "records.csv: has no rows"),
    "an unknown scope": (
        "objections", text("scope", "trainig", 1),
        "objections.csv, column 'scope': 1 row has no scope that is known (first: row 1); write one of training, audit",
    ),
    "an objection that nearly matches": (
        "objections", text("id", "SECRET000", 1), "1 objections match ids of the sources only if case, leading",
    ),
    "consent withdrawn before it was given": (
        "consents", text("withdrawn", "2018-01-01", 5), "column 'withdrawn': 1 row is withdrawn before",
    ),
    "consent for another source": (
        "consents", lambda frame: frame.with_columns(pl.lit("survy").alias("source")),
        "sources.survey.consented: nobody consents to it",
    ),
}  # fmt: skip


def test_the_clean_world_is_fine(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(world, capsys) == (0, [])


@pytest.mark.parametrize("what", SPOILT)
def test_spoilt_tables(world: Path, capsys: pytest.CaptureFixture[str], what: str) -> None:
    name, spoil, words = SPOILT[what]
    frame = frames()[name]
    write(world / "data", name, spoil(frame))
    refuses(world, capsys, 4, words)


def refuses(world: Path, capsys: pytest.CaptureFixture[str], code: int, words: str) -> None:
    found, lines = check(world, capsys)
    assert len(lines) == 1, lines
    assert words in lines[0]
    assert found == code
    assert "secret" not in lines[0]
    assert "their0" not in lines[0]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut_row(path: Path) -> None:
    path.write_bytes(path.read_bytes().rpartition(b",")[0])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def latin(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"visit", b"v\xefsit", 1))


def utf16(path: Path) -> None:
    path.write_bytes(path.read_bytes().decode().encode("utf-16"))


def nul(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"visit", b"vis\0it", 1))


@pytest.mark.parametrize(
    ("file", "spoil", "words"),
    [
        ("matches.parquet", cut, "cannot be read as parquet; it may be damaged or cut short"),
        ("matches.parquet", empty, "cannot be read as parquet; it may be damaged or cut short"),
        ("records.csv", cut_row, "its last row is cut short; export it again"),
        ("records.csv", empty, "is empty, without even a header; export it again"),
        ("records.csv", folder, "no such file, but a folder; name a file in it"),
        ("records.csv", Path.unlink, "no such file; prepare the data, or name its folder with --data"),
        ("records.csv", latin, "cannot be read as csv; it is not UTF-8 text; save it as UTF-8"),
        ("records.csv", utf16, "it is UTF-16, not UTF-8 text; save it as UTF-8"),
        ("records.csv", nul, "holds NUL bytes; it is damaged, or not UTF-8 text; export it again"),
        ("police.duckdb", cut, "cannot be read as duckdb; it may be damaged or cut short"),
        ("areas.sqlite", cut, "cannot be read as sqlite; it may be damaged or cut short"),
        ("consents.csv", Path.unlink, "consents.csv: no such file"),
        ("objections.csv", Path.unlink, "objections.csv: no such file"),
    ],
)
def test_spoilt_files(
    world: Path, capsys: pytest.CaptureFixture[str], file: str, spoil: Callable[[Path], None], words: str
) -> None:
    spoil(world / "data" / file)
    refuses(world, capsys, 4, words)


def test_a_database_file_that_somebody_writes_to(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with duckdb.connect(str(world / "data" / "police.duckdb")):
        refuses(world, capsys, 7, "police.duckdb: another program is writing to it; close that, or read a copy")


def test_a_database_that_is_not_there(
    world: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("adbc_driver_postgresql")
    police = {key: value for key, value in STUDY["sources"]["police"].items() if key != "file"}
    sources = {**STUDY["sources"], "police": {**police, "database": "CALLS_DATABASE"}}
    (world / "study.yaml").write_bytes(storage.write_yaml({**STUDY, "sources": sources}))
    monkeypatch.delenv("CALLS_DATABASE", raising=False)
    refuses(world, capsys, 7, "the environment variable CALLS_DATABASE is not set")
    monkeypatch.setenv("CALLS_DATABASE", "postgresql://me:secret@127.0.0.1:1/calls")
    refuses(world, capsys, 7, "$CALLS_DATABASE, table calls: the server cannot be reached")


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_table_with_thousands_of_columns_that_nobody_uses(
    world: Path, capsys: pytest.CaptureFixture[str], engine: str
) -> None:
    wide = frames()["records"].with_columns(pl.lit(n).alias(f"c{n}") for n in range(10_000))
    write(world / "data", "records", wide)
    assert check(world, capsys, "--engine", engine) == (0, [])
