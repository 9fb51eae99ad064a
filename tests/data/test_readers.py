"""Rows wherever they stand: the same table from every kind of place, and one line where it cannot be read."""

from __future__ import annotations

import builtins
import datetime as dt
import hashlib
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from riskmodels.caching import Steps
from riskmodels.data import readers
from riskmodels.data.engines import Engine
from riskmodels.data.readers import open_reader
from riskmodels.data.tables import Tables, read_tables
from riskmodels.errors import DataError, OutsideError, RiskModelsError
from riskmodels.study import StudyFile
from tests.data.small_study import in_folder, study_file

# Names that would end a carelessly quoted identifier.
ODD = "val'ue; --"
TABLE = 'case "notes'
SQL_TABLE = '"case ""notes"'
ROWS = pl.DataFrame(
    {
        "id": [9_007_199_254_740_993, 2, 2],
        "happened": [dt.date(2020, 1, 5), dt.date(2020, 2, 5), dt.date(2020, 3, 5)],
        "known": [dt.date(2020, 1, 6), None, dt.date(2020, 3, 5)],
        "kind": ["visit", "test", "visit"],
        ODD: [1.5, None, 3.0],
        "unused": ["secret1", "secret2", "secret3"],
    }
)
WANTED = ["id", "happened", "known", "kind", ODD]


def refusal(do: Callable[[], Any], error: type[RiskModelsError]) -> str:
    with pytest.raises(error) as caught:
        do()
    said = str(caught.value)
    assert "\n" not in said
    assert "secret" not in said
    return said


def study_of(**place: str) -> StudyFile:
    """A study whose records stand in some place."""
    return study_file(
        sources={
            "records": {
                **place, "entity": "id", "event_date": "happened", "known_date": "known", "kind": "kind",
            }
        },
        features=[{"name": "mean", "take": "mean", "of": f"anything.{ODD}", "words": "w"}],
    )  # fmt: skip


def read(folder: Path, study: StudyFile) -> Tables:
    return read_tables(folder, in_folder(folder, study, {"records": [ODD]}))


# ---------------------------------------------------------------- the same rows, in every kind of file


def in_parquet(path: Path, rows: pl.DataFrame = ROWS) -> dict[str, str]:
    rows.write_parquet(path.with_suffix(".parquet"), row_group_size=2)
    return {"file": path.with_suffix(".parquet").name}


def in_csv(path: Path, rows: pl.DataFrame = ROWS) -> dict[str, str]:
    rows.write_csv(path.with_suffix(".csv"))
    return {"file": path.with_suffix(".csv").name}


def in_duckdb(path: Path, rows: pl.DataFrame = ROWS) -> dict[str, str]:
    with duckdb.connect(str(path.with_suffix(".duckdb"))) as connection:
        connection.from_arrow(rows.to_arrow()).create(SQL_TABLE)
    return {"file": path.with_suffix(".duckdb").name, "table": TABLE}


def in_sqlite(path: Path, rows: pl.DataFrame = ROWS, suffix: str = ".sqlite") -> dict[str, str]:
    connection = sqlite3.connect(path.with_suffix(suffix))
    columns = ", ".join('"' + name.replace('"', '""') + '"' for name in rows.columns)
    connection.execute(f"CREATE TABLE {SQL_TABLE} ({columns})")
    values = [[str(value) if isinstance(value, dt.date) else value for value in row] for row in rows.iter_rows()]
    connection.executemany(f"INSERT INTO {SQL_TABLE} VALUES ({', '.join('?' * rows.width)})", values)
    connection.commit()
    connection.close()
    return {"file": path.with_suffix(suffix).name, "table": TABLE}


def in_db(path: Path, rows: pl.DataFrame = ROWS) -> dict[str, str]:
    return in_sqlite(path, rows, ".db")


PLACES = (in_parquet, in_csv, in_duckdb, in_sqlite, in_db)


@pytest.mark.parametrize("put", PLACES, ids=lambda put: put.__name__)
def test_every_place_gives_the_same_table(tmp_path: Path, put: Callable[..., dict[str, str]]) -> None:
    tables = read(tmp_path, study_of(**put(tmp_path / "records")))
    frame = tables["records"].frame.sort("event_date")
    assert frame.columns == ["entity_id", "event_date", "known_date", "kind", ODD]
    assert frame["entity_id"].to_list() == ["9007199254740993", "2"]
    assert frame[ODD].to_list() == [1.5, 3.0]
    assert frame["known_date"].to_list() == [dt.date(2020, 1, 6), dt.date(2020, 3, 5)]
    undated = tables["records"].undated
    assert undated is not None
    assert undated["event_date"].to_list() == [dt.date(2020, 2, 5)]


@pytest.mark.parametrize("put", PLACES, ids=lambda put: put.__name__)
def test_a_batch_at_a_time_gives_the_same_rows_in_the_same_order(
    tmp_path: Path, put: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riskmodels.data.database_files.ROWS_AT_A_TIME", 2)
    place = put(tmp_path / "records")
    (whole,) = open_reader(tmp_path, **place).batches(WANTED, None)
    batches = list(open_reader(tmp_path, **place).batches(WANTED, 2))
    assert_frame_equal(pl.concat(batches), whole)
    assert whole.columns == WANTED
    if put is not in_csv:  # Polars cuts CSV by bytes, and this one is short
        assert len(batches) > 1


@pytest.mark.parametrize("put", PLACES, ids=lambda put: put.__name__)
@pytest.mark.parametrize("rows", [None, 2])
def test_a_table_without_rows_still_has_its_columns(
    tmp_path: Path, put: Callable[..., dict[str, str]], rows: int | None
) -> None:
    place = put(tmp_path / "records", ROWS.clear())
    (frame,) = open_reader(tmp_path, **place).batches(WANTED, rows)
    assert frame.shape == (0, len(WANTED))
    said = refusal(lambda: read(tmp_path, study_of(**place)), DataError)
    assert said.endswith("has no rows")


@pytest.mark.parametrize("put", [in_duckdb, in_sqlite], ids=lambda put: put.__name__)
def test_the_digest_of_a_database_follows_its_rows_not_their_order(
    tmp_path: Path, put: Callable[..., dict[str, str]]
) -> None:
    digests, frames = [], []
    for number, rows in enumerate([ROWS, ROWS.reverse(), ROWS.with_columns(pl.lit("other").alias("unused"))]):
        tables = read(tmp_path, study_of(**put(tmp_path / f"records{number}", rows)))
        digests.append(tables["records"].sha256)
        frames.append(tables["records"].frame)
    assert len(set(digests)) == 1
    assert frames[0].equals(frames[1])
    changed = read(tmp_path, study_of(**put(tmp_path / "changed", ROWS.with_columns(pl.lit("x").alias("kind")))))
    assert changed["records"].sha256 != digests[0]


def test_reading_leaves_no_lock_and_writes_nothing(tmp_path: Path) -> None:
    place = in_duckdb(tmp_path / "records")
    before = (tmp_path / "records.duckdb").read_bytes()
    read(tmp_path, study_of(**place))
    assert (tmp_path / "records.duckdb").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["records.duckdb"]
    with duckdb.connect(str(tmp_path / "records.duckdb")) as connection:
        connection.execute("CREATE TABLE more (a INTEGER)")


def test_sqlite_columns_of_several_types_are_text_and_bytes_are_refused(tmp_path: Path) -> None:
    mixed = ROWS.with_columns(pl.Series("id", [1, 2, 3]))
    place = in_sqlite(tmp_path / "records", mixed)
    with sqlite3.connect(tmp_path / "records.sqlite") as connection:
        connection.execute(f"UPDATE {SQL_TABLE} SET id = '007' WHERE id = 2")
    connection.close()
    (frame,) = open_reader(tmp_path, **place).batches(["id"], None)
    assert frame["id"].to_list() == ["1", "007", "3"]
    with sqlite3.connect(tmp_path / "records.sqlite") as connection:
        connection.execute(f"UPDATE {SQL_TABLE} SET kind = x'00ff' WHERE id = 3")
    connection.close()
    said = refusal(lambda: list(open_reader(tmp_path, **place).batches(["kind"], None)), DataError)
    assert said == "records.sqlite, table case \"notes, column 'kind': holds binary values; store it as text or numbers"


# ---------------------------------------------------------------- what cannot be read


@pytest.mark.parametrize("put", PLACES, ids=lambda put: put.__name__)
def test_missing_column(tmp_path: Path, put: Callable[..., dict[str, str]]) -> None:
    said = refusal(lambda: read(tmp_path, study_of(**put(tmp_path / "records", ROWS.rename({ODD: "else"})))), DataError)
    assert f"has no column {ODD!r}" in said


@pytest.mark.parametrize("put", PLACES, ids=lambda put: put.__name__)
def test_missing_file_and_folder(tmp_path: Path, put: Callable[..., dict[str, str]]) -> None:
    place = put(tmp_path / "records")
    path = tmp_path / place["file"]
    path.unlink()
    assert "no such file; prepare the data" in refusal(lambda: read(tmp_path, study_of(**place)), DataError)
    path.mkdir()
    assert "no such file, but a folder" in refusal(lambda: read(tmp_path, study_of(**place)), DataError)


@pytest.mark.parametrize("put", [in_duckdb, in_sqlite], ids=lambda put: put.__name__)
def test_missing_table(tmp_path: Path, put: Callable[..., dict[str, str]]) -> None:
    place = {**put(tmp_path / "records"), "table": "nope"}
    said = refusal(lambda: read(tmp_path, study_of(**place)), DataError)
    assert said.endswith("table nope: there is no such table, or it may not be read; check 'table' in study.yaml")


@pytest.mark.parametrize("put", [in_parquet, in_duckdb, in_sqlite], ids=lambda put: put.__name__)
@pytest.mark.parametrize("damage", ["half", "garbage", "nothing"])
def test_damaged_file(tmp_path: Path, put: Callable[..., dict[str, str]], damage: str) -> None:
    big = pl.concat([ROWS] * 4000)
    place = put(tmp_path / "records", big)
    path = tmp_path / place["file"]
    content = path.read_bytes()
    path.write_bytes({"half": content[: len(content) // 2], "garbage": b"hello" * 500, "nothing": b""}[damage])
    said = refusal(lambda: read(tmp_path, study_of(**place)), DataError)
    # To SQLite an empty file is an empty database.
    assert "may be damaged or cut short" in said or (damage == "nothing" and "there is no such table" in said)


def test_duckdb_file_that_another_program_writes_to(tmp_path: Path) -> None:
    place = in_duckdb(tmp_path / "records")
    script = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(tmp_path / "records.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "held\n"
        said = refusal(lambda: read(tmp_path, study_of(**place)), OutsideError)
        writer.communicate("")
    assert said.endswith("records.duckdb: another program is writing to it; close that, or read a copy")
    read(tmp_path, study_of(**place))


def test_sqlite_file_that_another_program_writes_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = in_sqlite(tmp_path / "records")
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *given, **named: connect(*given, **named, timeout=0.1))
    writer = connect(tmp_path / "records.sqlite", isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    said = refusal(lambda: read(tmp_path, study_of(**place)), OutsideError)
    writer.close()
    assert said.endswith("records.sqlite: another program is writing to it; close that, or read a copy")


# ---------------------------------------------------------------- CSV


def put_csv(folder: Path, content: bytes) -> dict[str, str]:
    (folder / "records.csv").write_bytes(content)
    return {"file": "records.csv"}


HEADER = b"id,happened,known,kind,value,note\n"
ROW = b"a,2020-01-05,2020-01-06,visit,1,fine\n"


def read_csv(folder: Path, content: bytes) -> Tables:
    source = {"file": "records.csv", "entity": "id", "event_date": "happened", "known_date": "known", "kind": "kind"}
    study = study_file(
        sources={"records": source},
        features=[{"name": "mean", "take": "mean", "of": "anything.value", "words": "w"}],
    )
    (folder / "records.csv").write_bytes(content)
    return read_tables(folder, in_folder(folder, study, {"records": ["value"]}))


def test_a_row_with_too_many_fields_is_noticed_though_its_columns_are_not_used(tmp_path: Path) -> None:
    """A comma in a note shifts what follows; the note itself is not read."""
    assert read_csv(tmp_path, HEADER + 3 * ROW)["records"].frame.height == 3
    said = refusal(lambda: read_csv(tmp_path, HEADER + ROW + ROW.replace(b"fine", b"fine,thanks") + ROW), DataError)
    assert said.endswith(
        "cannot be read as csv; a row has more fields than the header; put quotes around texts with commas"
    )
    quoted = read_csv(tmp_path, HEADER + ROW + ROW.replace(b"fine", b'"fine, thanks"') + ROW)
    assert quoted["records"].frame.height == 3


def test_a_last_row_that_was_cut_short(tmp_path: Path) -> None:
    said = refusal(lambda: read_csv(tmp_path, HEADER + ROW + b"b,2020-01-0"), DataError)
    assert said.endswith("records.csv: its last row is cut short; export it again")
    assert read_csv(tmp_path, HEADER + ROW + ROW.rstrip())["records"].frame.height == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ((HEADER + ROW).decode().encode("utf-16"), "it is UTF-16, not UTF-8 text; save it as UTF-8"),
        ((HEADER + ROW).decode().encode("utf-16-le"), "holds NUL bytes"),
        (HEADER + ROW.replace(b"fine", b"f\xefne"), "it is not UTF-8 text; save it as UTF-8"),
        (HEADER + ROW.replace(b"visit", b"vis\0it"), "holds NUL bytes; it is damaged, or not UTF-8 text"),
        (HEADER.replace(b"note", b"id") + ROW, "the column 'id' stands twice in its header; rename one"),
        (b"", "is empty, without even a header"),
    ],
)
def test_what_is_no_csv(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in refusal(lambda: read_csv(tmp_path, content), DataError)


def test_nul_bytes_in_a_database(tmp_path: Path) -> None:
    place = in_sqlite(tmp_path / "records", ROWS.with_columns(pl.Series("kind", ["visit", "te\0st", "visit"])))
    said = refusal(lambda: read(tmp_path, study_of(**place)), DataError)
    assert ", column 'kind': 1 row holds NUL bytes (first: row 2)" in said


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_ten_thousand_columns(tmp_path: Path, suffix: str) -> None:
    many = {f"c{number}": [number, number + 1] for number in range(10_000)}
    rows = pl.DataFrame({"id": ["a", "b"], "happened": ["2020-01-05"] * 2, "kind": ["visit"] * 2, **many})
    rows.write_csv(tmp_path / "r.csv") if suffix == "csv" else rows.write_parquet(tmp_path / "r.parquet")

    def read_column(column: str) -> Tables:
        study = study_file(
            sources={"records": {"file": f"r.{suffix}", "entity": "id", "event_date": "happened", "kind": "kind"}},
            features=[{"name": "mean", "take": "mean", "of": f"anything.{column}", "words": "w"}],
        )
        return read_tables(tmp_path, in_folder(tmp_path, study, {"records": [*rows.columns, "nope"]}))

    assert read_column("c9999")["records"].frame["c9999"].to_list() == [9999.0, 10_000.0]
    said = refusal(lambda: read_column("nope"), DataError)
    assert said.startswith(f"r.{suffix}: has no column 'nope' (columns: id, happened, kind, c0, ")
    assert said.endswith("c26 and 9973 more); check its header and the study")


@pytest.mark.parametrize("moment", ["while its digest is taken", "after that", "while it is read"])
@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_file_that_is_replaced_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, engine: str
) -> None:
    """Its rows are not kept under a digest that is another file's."""
    place = in_csv(tmp_path / "records")
    path = tmp_path / place["file"]
    cache = Steps(tmp_path / "cache", "small")
    digest, states = hashlib.file_digest, []
    state = readers.File._state

    def replace_it() -> None:
        other = tmp_path / "other.csv"
        other.write_bytes(path.read_bytes().replace(b"visit", b"tests"))
        os.utime(other, ns=(path.stat().st_mtime_ns, path.stat().st_mtime_ns))
        other.replace(path)

    def digest_of(*given: Any) -> Any:
        if moment == "while its digest is taken":
            replace_it()
        return digest(*given)

    def state_of(file: readers.File) -> Any:
        states.append(state(file))
        if moment == "after that" and len(states) == 2:
            replace_it()
        if moment == "while it is read" and len(states) == 3:
            replace_it()
            return state(file)
        return states[-1]

    monkeypatch.setattr(hashlib, "file_digest", digest_of)
    monkeypatch.setattr(readers.File, "_state", state_of)
    study = in_folder(tmp_path, study_of(**place), {"records": [ODD]})
    said = refusal(lambda: read_tables(tmp_path, study, engine=Engine(engine), cache=cache), OutsideError)
    assert said.endswith("records.csv: was changed while it was read; try again")
    assert list((tmp_path / "cache").rglob("*.parquet")) == []
    monkeypatch.undo()
    read_tables(tmp_path, study, engine=Engine(engine), cache=cache)


# ---------------------------------------------------------------- servers


def test_a_variable_that_is_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CASES_DATABASE", raising=False)
    said = refusal(lambda: read(tmp_path, study_of(database="CASES_DATABASE", table="cases")), OutsideError)
    assert said.startswith("the environment variable CASES_DATABASE is not set; put the connection into it")


@pytest.mark.parametrize(
    ("connection", "package"),
    [("postgresql://me:secret@127.0.0.1:1/x", "adbc_driver_postgresql"), ("Driver=x;Pwd=secret", "arrow_odbc")],
)
def test_a_package_that_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connection: str, package: str
) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: Any) -> Any:
        if name.startswith(package):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setenv("CASES_DATABASE", connection)
    monkeypatch.setattr(builtins, "__import__", absent)
    said = refusal(lambda: read(tmp_path, study_of(database="CASES_DATABASE", table="cases")), OutsideError)
    assert said.startswith("$CASES_DATABASE, table cases: reading ")
    assert "needs pip install riskmodels[databases]" in said


def test_a_connection_that_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("adbc_driver_postgresql")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("CASES_DATABASE", f"postgresql://me:secret@127.0.0.1:{port}/secret")
    said = refusal(lambda: read(tmp_path, study_of(database="CASES_DATABASE", table="cases")), OutsideError)
    assert said.startswith("$CASES_DATABASE, table cases: the server cannot be reached")


def test_an_odbc_driver_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odbc_or_skip()
    monkeypatch.setenv("CASES_DATABASE", "Driver={No Such Driver};Server=x;Pwd=secret")
    said = refusal(lambda: read(tmp_path, study_of(database="CASES_DATABASE", table="cases")), OutsideError)
    assert said.startswith("$CASES_DATABASE, table cases: the ODBC driver of the connection is not installed")


def odbc_or_skip() -> None:
    try:
        import arrow_odbc  # noqa: F401
    except (ImportError, OSError):
        pytest.skip("arrow_odbc or unixODBC is not installed")


@dataclass
class Server:
    """A PostgreSQL server of our own, on 127.0.0.1."""

    folder: Path
    port: int
    bin: Path
    account: list[str]

    @property
    def uri(self) -> str:
        return f"postgresql://postgres:secret@127.0.0.1:{self.port}/postgres"

    @property
    def odbc(self) -> str:
        return (
            f"Driver={{PostgreSQL Unicode}};Server=127.0.0.1;Port={self.port};Database=postgres;Uid=postgres;Pwd=secret"
        )

    def pg_ctl(self, *arguments: str) -> None:
        command = [*self.account, str(self.bin / "pg_ctl"), "-D", str(self.folder / "data"), "-w", *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd="/")

    def start(self) -> None:
        # Wherever PostgreSQL puts its log: a pipe that it inherits would never be closed.
        options = f"-p {self.port} -h 127.0.0.1 -k {self.folder} -F"
        self.pg_ctl("-l", str(self.folder / "log"), "-o", options, "start")

    def execute(self, *statements: str) -> None:
        import adbc_driver_postgresql.dbapi as driver

        with driver.connect(self.uri) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            connection.commit()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    pytest.importorskip("adbc_driver_postgresql")
    found = [Path(path).parent for path in [shutil.which("initdb")] if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        pytest.skip("PostgreSQL is not installed")
    # It refuses to be run by root.
    account = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(dir="/tmp") as name, socket.socket() as free:
        folder = Path(name)
        if account:
            shutil.chown(folder, "postgres")
        initdb = [
            *account,
            str(found[-1] / "initdb"),
            "-D",
            str(folder / "data"),
            "-A",
            "trust",
            "--no-sync",
            "-E",
            "UTF8",
        ]
        subprocess.run([*initdb, "-U", "postgres", "--locale=C"], check=True, capture_output=True, cwd="/")
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        started = Server(folder, port, found[-1], account)
        started.start()
        started.execute(
            f"""CREATE TABLE {SQL_TABLE} (id bigint, happened date, known timestamptz, kind varchar(9),
                "val'ue; --" numeric(10, 2), unused text, code uuid)""",
            f"""INSERT INTO {SQL_TABLE} VALUES
                (9007199254740993, '2020-01-05', '2020-01-06 12:00+00', 'visit', 1.5, 'secret1', gen_random_uuid()),
                (2, '2020-02-05', NULL, 'test', NULL, 'secret2', NULL),
                (2, '2020-03-05', '2020-03-05 12:00+00', 'visit', 3, 'secret3', NULL)""",
            """CREATE TABLE big AS SELECT i::bigint AS id, date '2020-01-01' AS happened, date '2020-01-01' AS known,
                'visit' AS kind, 1.0::float8 AS "val'ue; --" FROM generate_series(1, 3000000) i""",
        )
        try:
            yield started
        finally:
            started.pg_ctl("-m", "immediate", "stop")


def zoned(table: str = TABLE) -> StudyFile:
    source = {
        "database": "CASES_DATABASE", "table": table, "entity": "id", "event_date": "happened", "known_date": "known",
        "kind": "kind", "time_zone": "Europe/London",
    }  # fmt: skip
    feature = {"name": "mean", "take": "mean", "of": f"anything.{ODD}", "words": "w"}
    return study_file(sources={"records": source}, features=[feature])


@pytest.mark.slow
@pytest.mark.parametrize("through", ["uri", "odbc"])
def test_a_real_server_gives_the_same_table(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, through: str
) -> None:
    if through == "odbc":
        odbc_or_skip()
        if "PostgreSQL Unicode" not in (
            Path("/etc/odbcinst.ini").read_text() if Path("/etc/odbcinst.ini").exists() else ""
        ):
            pytest.skip("PostgreSQL's ODBC driver is not installed")
    monkeypatch.setenv("CASES_DATABASE", getattr(server, through))
    tables = read(tmp_path, zoned())
    again = read(tmp_path, study_of(**in_csv(tmp_path / "records")))
    assert_frame_equal(tables["records"].frame.sort("event_date"), again["records"].frame.sort("event_date"))
    assert read(tmp_path, zoned())["records"].sha256 == tables["records"].sha256
    server.execute(f"UPDATE {SQL_TABLE} SET kind = kind")  # the same rows, elsewhere in the table's file
    assert read(tmp_path, zoned())["records"].sha256 == tables["records"].sha256
    assert "secret" not in repr(open_reader(tmp_path, None, TABLE, "CASES_DATABASE"))
    (code,) = open_reader(tmp_path, None, TABLE, "CASES_DATABASE").batches(["code"], None)
    assert sorted(len(text or "") for text in code["code"]) == [0, 0, 36]
    said = refusal(lambda: read(tmp_path, zoned("nope")), OutsideError)
    assert said == "$CASES_DATABASE, table nope: there is no such table; check 'table' in study.yaml (SQLSTATE 42P01)"
    server.execute('CREATE TABLE IF NOT EXISTS "dbo.dotted" (id int)', "CREATE SCHEMA IF NOT EXISTS dbo")
    server.execute(f"CREATE TABLE IF NOT EXISTS dbo.cases AS SELECT * FROM {SQL_TABLE}")
    assert read(tmp_path, zoned("dbo.cases"))["records"].sha256 == tables["records"].sha256


@pytest.mark.slow
def test_a_real_server_that_refuses_the_login(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASES_DATABASE", server.uri.replace("postgres:secret", "nobody:secret"))
    said = refusal(lambda: read(tmp_path, zoned()), OutsideError)
    assert said.startswith(f"$CASES_DATABASE, table {TABLE}: the server refused the login; check user and password")
    monkeypatch.setenv("CASES_DATABASE", server.uri.removesuffix("postgres") + "secret")
    assert "there is no such database" in refusal(lambda: read(tmp_path, zoned()), OutsideError)


@pytest.mark.slow
def test_a_real_server_that_goes_away_in_the_middle(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASES_DATABASE", server.uri)
    batches = open_reader(tmp_path, None, "big", "CASES_DATABASE").batches(["id", "kind"], 1000)
    assert next(batches).height > 0
    server.pg_ctl("-m", "immediate", "stop")
    try:
        said = refusal(lambda: list(batches), OutsideError)
        assert said.startswith("$CASES_DATABASE, table big: the server ")
        assert "went away" in said
        said = refusal(lambda: read(tmp_path, zoned()), OutsideError)
        assert "the server cannot be reached" in said
    finally:
        server.start()
