"""Cohort files that went wrong in one way each: seeded, so that a file that did harm once can be made again.

Whatever is planted holds `CANARY` or `CANARY_NUMBER`: no message may ever show either.
"""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

CANARY, CANARY_NUMBER = "KanarienvogelÄ", 918273645
Rng = np.random.Generator


@dataclass(frozen=True)
class Fuzzed:
    """A file or folder to score. ``rows``: how many it surely holds, if it is read at all; None: nobody knows."""

    path: Path
    kind: str
    rows: int | None = None


def fuzzed_cohorts(good: pl.DataFrame, folder: Path, seeds: Iterable[int]) -> Iterator[Fuzzed]:
    """A good cohort (entity_id and features; `plant` its ids first), changed in one way for each seed."""
    kinds = list(KINDS)
    for seed in seeds:
        rng = np.random.default_rng([seed, 20])
        kind = kinds[seed * 31 % len(kinds)]
        place = folder / f"{seed:05d}"
        place.mkdir(parents=True)
        suffix = ".csv" if rng.random() < 0.5 else ".parquet"
        path, rows = KINDS[kind](rng, good, place / f"cohort{suffix}")
        yield Fuzzed(path, kind, rows)


def plant(frame: pl.DataFrame) -> pl.DataFrame:
    """The same cohort with ids that no message may show."""
    return frame.with_columns((pl.lit(CANARY) + pl.col("entity_id").cast(pl.String)).alias("entity_id"))


# ---------------------------------------------------------------- helpers


def _write(frame: pl.DataFrame, path: Path) -> tuple[Path, int]:
    nested = any(kind.is_nested() or kind == pl.Binary for kind in frame.schema.values())
    if path.suffix == ".csv" and not nested:
        frame.write_csv(path)
        return path, frame.height
    path = path.with_suffix(".parquet")
    frame.write_parquet(path, row_group_size=max(1, frame.height // 3))
    return path, frame.height


def _csv(frame: pl.DataFrame, path: Path, change: Callable[[str], str | bytes], rows: int | None) -> Any:
    path = path.with_suffix(".csv")
    said = change(frame.write_csv())
    path.write_bytes(said if isinstance(said, bytes) else said.encode())
    return path, rows


def _some(rng: Rng, frame: pl.DataFrame, values: list[Any], of: str) -> tuple[pl.DataFrame, int]:
    """Some cells of a column of one kind (number, text, any), written as text, with other values."""
    name = _column(rng, frame, of)
    cells = frame[name].cast(pl.String).to_list()
    for row in rng.choice(frame.height, size=min(5, frame.height), replace=False).tolist():
        cells[row] = values[int(rng.integers(len(values)))]
    return frame.with_columns(pl.Series(name, cells, dtype=pl.String)), frame.height


def _column(rng: Rng, frame: pl.DataFrame, of: str = "any") -> str:
    kinds = {"number": lambda kind: kind.is_numeric(), "text": lambda kind: kind == pl.String, "any": lambda kind: True}
    names = [name for name, kind in frame.schema.items() if kinds[of](kind) and (of == "any" or name != "entity_id")]
    return str(rng.choice(names or frame.columns))


def _retyped(kind: Any, values: Callable[[int], list[Any]], of: str = "any") -> Any:
    def change(rng: Rng, frame: pl.DataFrame, path: Path) -> Any:
        name = _column(rng, frame, of)
        return _write(frame.with_columns(pl.Series(name, values(frame.height), dtype=kind, strict=False)), path)

    return change


def _odd(values: list[Any], of: str = "any") -> Any:
    return lambda rng, frame, path: _write(_some(rng, frame, values, of)[0], path)


def _as_csv(change: Callable[[str], str | bytes], *, keeps: bool = True) -> Any:
    return lambda rng, frame, path: _csv(frame, path, change, frame.height if keeps else None)


def _on_bytes(change: Callable[[Rng, bytes], bytes]) -> Any:
    def made(rng: Rng, frame: pl.DataFrame, path: Path) -> Any:
        path, _ = _write(frame, path)
        path.write_bytes(change(rng, path.read_bytes()))
        return path, None

    return made


def _flip(rng: Rng, content: bytes) -> bytes:
    held = bytearray(content)
    for place in rng.integers(len(held), size=int(rng.integers(1, 12))).tolist():
        held[place] ^= 1 << int(rng.integers(8))
    return bytes(held)


def _cut(rng: Rng, content: bytes) -> bytes:
    return content[: int(rng.integers(1, len(content)))]


def _hole(rng: Rng, content: bytes) -> bytes:
    start = int(rng.integers(len(content)))
    return content[:start] + content[start + int(rng.integers(1, 200)) :]


def _zeros(rng: Rng, content: bytes) -> bytes:
    start = int(rng.integers(len(content)))
    return content[:start] + bytes(16) + content[start + 16 :]


def _renamed(suffix: str) -> Any:
    def made(rng: Rng, frame: pl.DataFrame, path: Path) -> Any:
        written, _ = _write(frame, path)
        return written.rename(written.with_suffix(suffix if written.suffix != suffix else ".csv")), None

    return made


def _twice(rng: Rng, frame: pl.DataFrame, path: Path) -> Any:
    name = _column(rng, frame)
    path = path.with_suffix(".parquet")
    table = frame.to_arrow()
    pq.write_table(table.append_column(name, table.column(name)), path)
    return path, frame.height


def _folder(*change: Callable[[Rng, pl.DataFrame, Path], Any]) -> Any:
    """Parts: good ones, and one for each change."""

    def made(rng: Rng, frame: pl.DataFrame, path: Path) -> Any:
        path = path.with_suffix("")
        path.mkdir()
        rows: int | None = 0
        for number in range(2 + len(change)):
            target = path / f"part-{number}.parquet"
            written: Any = (target, frame.height)
            if number < 2:
                frame.with_columns(pl.format("{}-{}", "entity_id", pl.lit(number))).write_parquet(target)
            else:
                written = change[number - 2](rng, frame, target)
            rows = None if rows is None or written[1] is None else rows + written[1]
        return path, rows

    return made


def _junk(rng: Rng, frame: pl.DataFrame, path: Path) -> Any:
    path.with_suffix(".txt").write_text(CANARY)
    return path, 0


def _mark(rng: Rng, frame: pl.DataFrame, path: Path) -> Any:
    (path.parent / "_SUCCESS").touch()
    return path, 0


def _arrow_types(rng: Rng, frame: pl.DataFrame, path: Path) -> Any:
    """The same values in types that other programs write."""
    path = path.with_suffix(".parquet")
    table = frame.to_arrow()
    for place, name in enumerate(frame.columns):
        column = table.column(name)
        if frame.schema[name].is_numeric():
            kind = [pa.float32(), pa.decimal128(38, 6), pa.int64()][int(rng.integers(3))]
            column = (
                column.cast(kind, safe=False) if kind != pa.decimal128(38, 6) else column.cast(pa.string()).cast(kind)
            )
        else:
            column = [column.cast(pa.string()).dictionary_encode(), column.cast(pa.large_string())][
                int(rng.integers(2))
            ]
        table = table.set_column(place, name, column)
    pq.write_table(table, path, row_group_size=11, use_dictionary=bool(rng.random() < 0.5))
    return path, frame.height


# ---------------------------------------------------------------- the kinds

TEXTS = [
    "",
    "  ",
    CANARY,
    f"{CANARY}\n{CANARY}",
    f'{CANARY}"x',
    f"{CANARY},x",
    "=cmd()",
    "\u202e",
    "null",
    "NaN",
    "é" * 9,
]
NUMBERS = ["inf", "-inf", "1e999", "NaN", CANARY, f"{CANARY_NUMBER} km", "1,5", " 7 ", "TRUE", "--", "0x10", "", "1e5"]
KINDS: dict[str, Callable[[Rng, pl.DataFrame, Path], tuple[Path, int | None]]] = {
    "as it was": lambda rng, frame, path: _write(frame, path),
    "drop a column": lambda rng, frame, path: _write(frame.drop(_column(rng, frame)), path),
    "rename a column": lambda rng, frame, path: _write(frame.rename({_column(rng, frame): CANARY}), path),
    "columns in another order": lambda rng, frame, path: _write(
        frame.select(rng.permutation(np.array(frame.columns)).tolist()), path
    ),
    "a further column": lambda rng, frame, path: _write(frame.with_columns(pl.lit(CANARY).alias("remark")), path),
    "a protected column": lambda rng, frame, path: _write(frame.with_columns(pl.lit(CANARY).alias("Sex")), path),
    "a column twice": _twice,
    "text": _retyped(pl.String, lambda n: [CANARY] * n),
    "numbers": _retyped(pl.Float64, lambda n: [CANARY_NUMBER + 0.5] * n),
    "whole numbers": _retyped(pl.UInt64, lambda n: [2**64 - 1 - CANARY_NUMBER - i for i in range(n)]),
    "small numbers": _retyped(pl.Int8, lambda n: [i % 100 for i in range(n)]),
    "true and false": _retyped(pl.Boolean, lambda n: [i % 2 == 0 for i in range(n)]),
    "dates": _retyped(pl.Date, lambda n: [dt.date(2020, 1, 1)] * n),
    "times": _retyped(pl.Datetime, lambda n: [dt.datetime(2020, 1, 1)] * n),
    "lists": _retyped(pl.List(pl.String), lambda n: [[CANARY]] * n),
    "bytes": _retyped(pl.Binary, lambda n: [CANARY.encode()] * n),
    "nulls": _retyped(pl.Null, lambda n: [None] * n),
    "categories": _retyped(pl.Categorical, lambda n: [CANARY if i % 3 else None for i in range(n)]),
    "odd texts": _odd(TEXTS, "text"),
    "odd numbers": _odd(NUMBERS, "number"),
    "odd ids": lambda rng, frame, path: _write(
        frame.with_columns(_some(rng, frame.select("entity_id"), [*TEXTS, "101.0", "1E5", None], "any")[0]), path
    ),
    "infinity": _retyped(pl.Float64, lambda n: [float("inf") if i % 5 == 0 else 1.0 for i in range(n)], "number"),
    "NaN": _retyped(pl.Float64, lambda n: [float("nan") if i % 5 == 0 else 1.0 for i in range(n)], "number"),
    "huge numbers": _retyped(pl.Float64, lambda n: [1.7e308 * (-1) ** i for i in range(n)], "number"),
    "huge text": lambda rng, frame, path: _write(
        frame.with_columns(pl.lit(CANARY * int(rng.integers(1, 200_000))).alias(_column(rng, frame, "text"))), path
    ),
    "ids twice": lambda rng, frame, path: _write(frame.with_columns(pl.lit(f"{CANARY}1").alias("entity_id")), path),
    "ids as decimals": lambda rng, frame, path: _write(
        frame.with_columns((pl.int_range(pl.len()) + CANARY_NUMBER).cast(pl.Float64).alias("entity_id")), path
    ),
    "ids as whole numbers": lambda rng, frame, path: _write(
        frame.with_columns((pl.int_range(pl.len()) + 2**62).alias("entity_id")), path
    ),
    "another day": lambda rng, frame, path: _write(
        frame.with_columns(pl.lit(dt.date(2031, 1, 1)).alias("as_of_date")), path
    ),
    "two days": lambda rng, frame, path: _write(
        frame.with_columns(pl.Series("as_of_date", [dt.date(2020, 7, 1 + n % 2) for n in range(frame.height)])), path
    ),
    "no day": lambda rng, frame, path: _write(frame.with_columns(pl.lit(CANARY).alias("as_of_date")), path),
    "no rows": lambda rng, frame, path: _write(frame.clear(), path),
    "one row": lambda rng, frame, path: _write(frame.head(1), path),
    "types of other programs": _arrow_types,
    "nothing": _on_bytes(lambda rng, content: b""),
    "noise": _on_bytes(lambda rng, content: rng.bytes(500)),
    "bytes flipped": _on_bytes(_flip),
    "more bytes flipped": _on_bytes(lambda rng, content: _flip(rng, _flip(rng, content))),
    "bytes cut off": _on_bytes(_cut),
    "bytes cut out": _on_bytes(_hole),
    "zeros in it": _on_bytes(_zeros),
    "zipped": _on_bytes(lambda rng, content: gzip.compress(content)),
    "said to be encrypted": _on_bytes(lambda rng, content: b"PARE" + content[4:-4] + b"PARE"),
    "another suffix": _renamed(".parquet"),
    "no table's suffix": _renamed(".xlsx"),
    "Latin-1": _as_csv(lambda text: text.encode("latin-1", "replace")),
    "UTF-16": _as_csv(lambda text: text.encode("utf-16")),
    "BOM": _as_csv(lambda text: text.encode("utf-8-sig")),
    "CRLF": _as_csv(lambda text: text.replace("\n", "\r\n")),
    "CR": _as_csv(lambda text: text.replace("\n", "\r")),
    "semicolons": _as_csv(lambda text: text.replace(",", ";")),
    "tabs": _as_csv(lambda text: text.replace(",", "\t")),
    "no last line end": _as_csv(lambda text: text.rstrip("\n")),
    "blank lines": _as_csv(lambda text: text.replace("\n", "\n\n")),
    "no header": _as_csv(lambda text: text.partition("\n")[2], keeps=False),
    "header twice": _as_csv(lambda text: text.partition("\n")[0] + "\n" + text, keeps=False),
    "all in quotes": _as_csv(lambda text: "\n".join(
        ",".join(f'"{cell}"' for cell in row.split(",")) for row in text.splitlines()
    )),
    "a quote that is never closed": _as_csv(lambda text: text[:400] + '"' + text[400:], keeps=False),
    "two stray quotes": _as_csv(lambda text: text[:400] + '"' + text[400:600] + '"' + text[600:], keeps=False),
    "a row too long": _as_csv(lambda text: text + text.splitlines()[-1] + f",{CANARY}\n", keeps=False),
    "a row too short": _as_csv(lambda text: text + f"{CANARY},1\n" + text.splitlines()[-1] + "\n", keeps=False),
    "lines in quotes": lambda rng, frame, path: _csv(
        frame.with_columns(pl.lit(f"{CANARY}\n{CANARY}\r\n,").alias(_column(rng, frame, "text"))),
        path, str, frame.height,
    ),
    "parts": _folder(),
    "parts and a mark": _folder(_mark),
    "parts and something else": _folder(_junk),
    "an empty part": _folder(lambda rng, frame, path: _write(frame.clear(), path)),
    "a part with less": _folder(lambda rng, frame, path: _write(frame.drop(_column(rng, frame)), path)),
    "a part with more": _folder(lambda rng, frame, path: _write(frame.with_columns(pl.lit(1).alias("more")), path)),
    "a part of another type": _folder(_retyped(pl.String, lambda n: [CANARY] * n, "number")),
    "a damaged part": _folder(_on_bytes(_flip)),
}  # fmt: skip
