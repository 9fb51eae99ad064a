"""Any part of a Parquet file can be read again, in any order and from threads, and what is damaged is said."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskmodels.errors import DataError, OutsideError
from riskmodels.service.cohort import parquet
from riskmodels.service.cohort.parquet import ParquetRows

ROWS = 100
TABLE = pa.table({"n": range(ROWS), "word": [None if n % 9 == 0 else f"w{n % 4}" for n in range(ROWS)]})


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROWS_AT_MOST", 7)


def written(folder: Path, *groups: int) -> ParquetRows:
    """A file with row groups of these sizes."""
    with pq.ParquetWriter(folder / "x.parquet", TABLE.schema) as writer:
        start = 0
        for rows in groups:
            writer.write_table(TABLE.slice(start, rows), row_group_size=max(rows, 1))
            start += rows
    return ParquetRows.of(folder / "x.parquet", "x.parquet")


@pytest.mark.parametrize("groups", [(ROWS,), (7, 7), (3, 3, 3, 8, 1, 6, 2), (50, 1, 49), (0, 5, 0), (8, 15, 77), ()])
def test_stretches_are_all_rows_in_order(tmp_path: Path, groups: tuple[int, ...]) -> None:
    file = written(tmp_path, *groups)
    stretches = list(file.stretches())
    assert all(1 <= stretch.rows <= 7 for stretch in stretches)
    assert sum(stretch.rows for stretch in stretches) == file.rows == sum(groups)
    tables = [file.read(stretch, ["n", "word"], ["word"]) for stretch in stretches]
    assert [n for table in tables for n in table["n"].to_pylist()] == list(range(sum(groups)))
    assert [w for table in tables for w in table["word"].to_pylist()] == TABLE["word"].to_pylist()[: sum(groups)]
    assert [n for table in file.batches(["n"]) for n in table["n"].to_pylist()] == list(range(sum(groups)))


def test_small_groups_are_read_together_and_large_ones_in_pieces(tmp_path: Path) -> None:
    found = [(stretch.groups, stretch.rows, stretch.piece) for stretch in written(tmp_path, 3, 4, 2, 16, 5).stretches()]
    assert found == [((0, 1), 7, None), ((2,), 2, None), ((3,), 7, 0), ((3,), 7, 1), ((3,), 2, 2), ((4,), 5, None)]


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_in_any_order_and_from_threads(tmp_path: Path, workers: int) -> None:
    file = written(tmp_path, 30, 40, 3, 27)
    stretches = list(file.stretches())
    expected = [file.read(stretch, ["n"], [])["n"].to_pylist() for stretch in stretches]
    order = np.random.default_rng(5).permutation(np.repeat(np.arange(len(stretches)), 6)).tolist()
    with ThreadPoolExecutor(workers) as pool:
        read = list(pool.map(lambda place: file.read(stretches[place], ["n"], [])["n"].to_pylist(), order))
    assert read == [expected[place] for place in order]


def test_pieces_in_turn_are_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, ROWS)
    opened: list[int] = []
    real = ParquetRows._open
    monkeypatch.setattr(ParquetRows, "_open", lambda *given: opened.append(1) or real(*given))
    for stretch in file.stretches():
        file.read(stretch, ["n"], [])
    assert len(opened) == 1


def test_another_process_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, 50, 3, 47)
    monkeypatch.chdir(tmp_path)
    file = ParquetRows.of(Path("x.parquet"), "x.parquet")
    stretches = list(file.stretches())
    first = file.read(stretches[0], ["n", "word"], [])  # something is open now
    content = pickle.dumps(file)
    monkeypatch.chdir("/")
    other = pickle.loads(content)
    assert other.read(stretches[0], ["n", "word"], []) == first
    assert pa.concat_tables(other.read(one, ["n", "word"], []) for one in stretches) == TABLE


def test_what_is_kept_of_large_groups_is_bounded(tmp_path: Path) -> None:
    """Only the last piece of each group is asked for: the others are not held on to."""
    file = written(tmp_path, 33, 33, 34)
    for stretch in [stretch for stretch in file.stretches() if stretch.piece == 4]:
        file.read(stretch, ["n"], [])
    assert len(file._cut) <= parquet.GROUPS_OPEN
    assert all(len(group._kept) <= parquet.PIECES_KEPT for group in file._cut.values())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"), (b"PA", "is not a Parquet file"), (b"entity_id,x\n1,2\n", "is not a Parquet file"),
        (b"PARE" + b"x" * 40 + b"PARE", "is encrypted"), (b"PAR1" + b"x" * 40 + b"PARE", "is encrypted"),
        (b"PAR1" + b"x" * 40, "is cut short"), (b"PAR1" + b"\xff" * 40 + b"PAR1", "may be damaged"),
        (b"PAR1", "may be damaged"),
    ],
)  # fmt: skip
def test_what_is_no_parquet_file(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "x.parquet").write_bytes(content)
    with pytest.raises(DataError, match=f"^x.parquet: .*{said}"):
        ParquetRows.of(tmp_path / "x.parquet", "x.parquet")


def test_text_that_is_not_utf8_is_damage(tmp_path: Path) -> None:
    broken = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(np.array([0, 2], np.int32)), pa.py_buffer(b"\xff\xfe")]
    )
    pq.write_table(pa.table({"word": broken}), tmp_path / "x.parquet")
    file = ParquetRows.of(tmp_path / "x.parquet", "x.parquet")
    with pytest.raises(DataError, match=r"^x.parquet: cannot be read as Parquet; it may be damaged"):
        file.read(next(file.stretches()), ["word"], [])


def test_a_page_with_a_wrong_checksum_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    numbers = pa.table({"n": np.arange(7.0)})
    pq.write_table(numbers, path, compression="none", use_dictionary=False, write_page_checksum=True)
    content = path.read_bytes()
    place = content.index(np.float64(3.0).tobytes())
    path.write_bytes(content[:place] + np.float64(5.0).tobytes() + content[place + 8 :])
    file = ParquetRows.of(path, "x.parquet")
    with pytest.raises(DataError, match="may be damaged"):
        file.read(next(file.stretches()), ["n"], [])


def test_a_file_that_changes_meanwhile_is_noticed(tmp_path: Path) -> None:
    file = written(tmp_path, ROWS)
    stretch = next(file.stretches())
    pq.write_table(TABLE.slice(0, 50), file.path)
    with pytest.raises(OutsideError, match=r"^x.parquet: was changed while it was read"):
        file.read(stretch, ["n"], [])
    file.path.unlink()
    with pytest.raises(OutsideError, match=r"^x.parquet: cannot be read \(No such file"):
        file.read(stretch, ["n"], [])
