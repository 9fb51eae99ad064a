"""A CSV file becomes a Parquet file of texts, row for row; what cannot be read right is refused."""

from __future__ import annotations

import csv
import io
import stat
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskmodels.errors import DataError, OutsideError
from riskmodels.service.cohort import parquet, spool


def spooled(folder: Path, content: bytes, columns: tuple[str, ...] | None = None) -> pa.Table:
    (folder / "x.csv").write_bytes(content)
    made = spool.spool(
        folder / "x.csv",
        parquet.sha256(folder / "x.csv", "x.csv"),
        lambda header: list(columns or header.names),
        folder / "work",
    )
    return pq.read_table(made)


def rows(folder: Path, content: bytes) -> list[tuple[str | None, ...]]:
    return [tuple(row.values()) for row in spooled(folder, content).to_pylist()]


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,x\n2,\n", b"a,b\r\n1,x\r\n2,\r\n", b"a,b\r1,x\r2,\r", b"\xef\xbb\xbfa,b\n1,x\n2,",
        b"a,b\n\n1,x\n\n2,\n",
        b'"a","b"\n"1","x"\n"2",""\n', b'\xef\xbb\xbf"a",b\n1,"x"\n2,\n',
    ],
)  # fmt: skip
def test_however_lines_end_and_fields_are_quoted(tmp_path: Path, content: bytes) -> None:
    assert rows(tmp_path, content) == [("1", "x"), ("2", None)]


def test_texts_stand_as_they_are(tmp_path: Path) -> None:
    content = b'a,b\n007,"a ""b"", c"\n1.50," two\r\nlines\n"\nNA,null\n'
    assert rows(tmp_path, content) == [("007", 'a "b", c'), ("1.50", " two\r\nlines\n"), ("NA", "null")]


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=st.lists(st.tuples(texts, texts), min_size=1, max_size=30), block=st.integers(200, 300))
def test_what_python_writes_is_read_again(tmp_path: Path, table: list[tuple[str, str]], block: int) -> None:
    """Against the writer of the standard library, with blocks so small that quotes and lines fall across them."""
    said = io.StringIO(newline="")
    csv.writer(said).writerows([("a", "b"), *table])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "BLOCK", block)
        patch.setattr(spool, "ROWS_AT_MOST", 4)
        found = rows(tmp_path, said.getvalue().encode())
    assert found == [(a or None, b or None) for a, b in table]


def test_lines_inside_quotes_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "BLOCK", 200)
    said = "".join(f'{n},"one\n{n}\n\n,two"\n' for n in range(400))
    assert rows(tmp_path, f"a,b\n{said}".encode()) == [(str(n), f"one\n{n}\n\n,two") for n in range(400)]


def test_only_what_is_wanted_is_kept_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = spooled(tmp_path, b"a,b,c\n" + b"".join(b"%d,x,y\n" % n for n in range(300)), ("a", "c"))
    assert found.column_names == ["a", "c"]
    assert found["a"].to_pylist() == [str(n) for n in range(300)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,x\n2\n3,y\n", "row 2: has 1 fields where the header has 2"),
        (b"a,b\n1,x\n2,y,z\n", "row 2: has 3 fields where the header has 2"),
        (b"a,b\n1,x\n2", "its last row is cut short"),
        (b"", "is empty, without even a header"),
        (b"a,b\n1,\0\n", "holds NUL bytes"),
        ("a,b\n1,é\n".encode("latin-1"), "is not UTF-8 text; save it as UTF-8"),
        ("é,b\n1,2\n".encode("latin-1"), "is not UTF-8 text; save it as UTF-8"),
        ("a,b\n1,é\n".encode("utf-16"), "UTF-16"),
        (b"a;b\n1;x\n", "semicolons stand between its columns; save it with commas"),
        (b"a\tb\n1\tx\n", "tabs stand between its columns"),
        (b'a,b\n1,"x\n2,y\n', "its quotes do not pair up"),
        (b'a,b\n1,"x\n2,y"z\n3,w\n', "its quotes do not pair up"),
        (b'a,b\n1,x"y\n2,z"w\n', "its quotes do not pair up"),
        (b'a,b\n1,"x" \n', "its quotes do not pair up"),
        (b'a,b\n1,x\n2,"', "its quotes do not pair up"),
        (b'"a,b\n1,x\n', "cannot be read|do not pair up|its header"),
        (b"a,b\n1," + b"x" * (3 << 20) + b"\n", "a row is longer than 1 MB"),
    ],
)  # fmt: skip
def test_what_is_no_csv(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said) as refused:
        spooled(tmp_path, content)
    assert "x.csv" in str(refused.value)
    assert list((tmp_path / "work").glob("*")) == []


def test_it_is_made_once_and_owner_only(tmp_path: Path) -> None:
    spooled(tmp_path, b"a,b\n1,x\n")
    (made,) = (tmp_path / "work").iterdir()
    before = made.stat()
    assert stat.S_IMODE(before.st_mode) == 0o600
    spooled(tmp_path, b"a,b\n1,x\n")
    assert made.stat().st_mtime_ns == before.st_mtime_ns
    spooled(tmp_path, b"a,b\n1,y\n")
    spooled(tmp_path, b"a,b\n1,x\n", ("a",))
    assert len(list((tmp_path / "work").iterdir())) == 3


def test_a_work_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "work").write_text("in the way")
    with pytest.raises(OutsideError, match="cannot be written"):
        spooled(tmp_path, b"a,b\n1,x\n")
