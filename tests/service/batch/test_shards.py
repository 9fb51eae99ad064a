from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodels.errors import OutsideError
from riskmodels.service.batch.shards import RECORD, bytes_of, open_shard, read_at, shard_bytes, texts_of, write_shard
from riskmodels.service.shapes import REJECT_SCHEMA

TEXTS = ["a", "", None, "grüße", "日本", "e\nf"]


@given(texts=st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"])))))
def test_texts_come_back_a_null_as_nothing(texts: list[str | None]) -> None:
    content, lengths = bytes_of(pl.Series(texts, dtype=pl.String))
    assert texts_of(content, lengths).to_list() == [text or "" for text in texts]


def test_any_run_of_rows_can_be_read(tmp_path: Path) -> None:
    content, lengths = bytes_of(pl.Series(TEXTS, dtype=pl.String))
    records = np.zeros(len(TEXTS), dtype=RECORD)
    records["row_number"] = np.arange(len(TEXTS)) + 1
    records["id_bytes"], records["id_at"] = lengths, np.cumsum(lengths) - lengths
    rejects = pl.DataFrame({"row_number": [9], "entity_id": ["x"], "code": ["c"], "reason": ["r"]})
    hashes = np.array([3, 1 << 63], dtype=np.uint64)
    made = write_shard(tmp_path / "one", shard_bytes(records, ("north",), rejects, {"ids": content, "hashes": hashes}))
    found = open_shard(tmp_path / "one")
    assert found == made
    assert (made.rows, made.rows_in, made.teams) == (6, 7, ("north",))
    for start in range(7):
        for stop in range(start, 7):
            run = made.records(start, stop)
            assert run["row_number"].tolist() == list(range(start + 1, stop + 1))
            ids = texts_of(made.text("id", run), run["id_bytes"])
            assert ids.to_list() == [text or "" for text in TEXTS[start:stop]]
    assert made.hashes(1, 2).tolist() == [1 << 63]
    assert made.rejects().equals(rejects.cast(REJECT_SCHEMA))
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o600


def test_a_file_that_was_cut_meanwhile_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"12345")
    assert read_at(tmp_path / "one", 1, 4) == b"2345"
    with pytest.raises(OutsideError, match="cut short while it was in use"):
        read_at(tmp_path / "one", 1, 5)
    with pytest.raises(OutsideError, match="cannot be read"):
        read_at(tmp_path / "none", 0, 1)
