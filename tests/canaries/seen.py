"""Everything that was written, as text: files decoded by what they are, not by what they are called."""

from __future__ import annotations

import base64
import gzip
import html
import io
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import polars as pl

_EMBEDDED = re.compile(rb"base64,([A-Za-z0-9+/=\s]{16,})")
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_BINARY = (b"PAR1", b"ARROW1", b"SQLite format 3", b"PK\x03\x04", b"\x1f\x8b", b"\x89PNG", b"%PDF")


def texts_of(content: bytes) -> Iterator[str]:
    """What bytes say: as they are, decoded, unpacked, and whatever is embedded in them."""
    yield content.decode("latin-1")
    if b"\0" in content[:4000]:
        yield content.decode("utf-16-le", "ignore")
    if not content.startswith(_BINARY):
        text = content.decode("utf-8", "replace")
        yield html.unescape(text)
        if "%" in text:
            yield unquote(text)
        if "\\u" in text:
            yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), text)
    for blob in _EMBEDDED.findall(content):
        yield from texts_of(base64.b64decode(blob))
    if content.startswith(b"PAR1"):
        yield from _table(pl.read_parquet(io.BytesIO(content)))
    elif content.startswith(b"ARROW1"):
        yield from _table(pl.read_ipc(io.BytesIO(content)))
    elif content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield name
                yield from texts_of(archive.read(name))
    elif content.startswith(b"\x1f\x8b"):
        yield from texts_of(gzip.decompress(content))
    elif content.startswith(b"%PDF"):
        yield from _pdf(content)
    elif content.startswith(b"\x89PNG"):
        yield from _png(content)


def texts_of_file(path: Path) -> Iterator[str]:
    """As `texts_of`; a database is asked for every row of every table."""
    content = path.read_bytes()
    yield from texts_of(content)
    if content.startswith(b"SQLite format 3"):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            yield from database.iterdump()


def _table(frame: pl.DataFrame) -> Iterator[str]:
    yield "\n".join(frame.columns)
    for column in frame:
        if column.dtype == pl.Binary:
            for value in column.drop_nulls():
                yield from texts_of(value)
        else:
            yield "\n".join(map(str, column.drop_nulls().unique().to_list()))


def _pdf(content: bytes) -> Iterator[str]:
    for stream in _STREAM.findall(content):
        try:
            yield zlib.decompress(stream).decode("latin-1")
        except zlib.error:
            continue
    try:
        import pypdf
    except ImportError:
        return
    for page in pypdf.PdfReader(io.BytesIO(content)).pages:
        yield page.extract_text()


def _png(content: bytes) -> Iterator[str]:
    """Its chunks of text; the picture itself says nothing that can be read."""
    at = 8
    while at < len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        if kind in (b"tEXt", b"iTXt", b"zTXt"):
            yield body.decode("latin-1")
        at += 12 + length
