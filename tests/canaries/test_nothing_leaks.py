"""Names, numbers, addresses and rare values, planted in every table and found nowhere but where they are allowed."""

from __future__ import annotations

import base64
import gzip
import html
import io
import re
import sqlite3
import zipfile
from pathlib import Path

import polars as pl
import pytest

from tests.canaries import planted
from tests.canaries.allowed import ALLOWED, allowed
from tests.canaries.planted import KINDS, find
from tests.canaries.runs import LEFT_OPEN, Town
from tests.canaries.seen import texts_of, texts_of_file

# What is only in files that the longer tests hand in.
LATER = {"file name"}


def kinds_in(path: Path) -> set[str]:
    return {found.kind for text in texts_of_file(path) for found in find(text, "")}


@pytest.fixture(scope="module")
def finds(town: Town) -> list[planted.Found]:
    return list(town.finds())


# ---------------------------------------------------------------- the search finds what is there


def test_everything_was_planted(town: Town) -> None:
    """What is never there is never found."""
    there = set().union(*(kinds_in(path) for path in town.given.rglob("*") if path.is_file()))
    there |= {found.kind for path in town.given.rglob("*") for found in find(path.name, "")}
    # Those of a crash and of a sheet are in what the commands are told to do.
    there |= kinds_in(town.root / "plan.json")
    assert there >= set(KINDS)


@pytest.mark.parametrize("word", sorted(planted.WORDS))
def test_a_word_is_found_in_any_case(word: str) -> None:
    for text in (planted.full_name(word, 12), planted.full_name(word, 3).upper(), f"x{planted.WORDS[word]}y"):
        assert [found.kind for found in find(text, "")] == [word]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (planted.postcode(7), "postcode"), (planted.postcode(7).replace(" ", "").lower(), "postcode"),
        (planted.birth(40), "birth"), ("born 1911-04-13", "birth"), (planted.phone(12), "phone"),
        ("07700900012", "phone"), (planted.person_id(5), "id"), (planted.spaced(planted.person_id(5)), "id"),
        (planted.spaced(planted.number(5)).replace(" ", "-"), "number"), (f"id={planted.number(5, True)};",
                                                                          "number in a file"),
    ],
)  # fmt: skip
def test_a_number_is_found_however_it_is_written(text: str, kind: str) -> None:
    assert [found.kind for found in find(text, "")] == [kind]


def test_other_numbers_are_not_taken_for_it() -> None:
    one = planted.person_id(5)
    wrong = f"{one[:-1]}{(int(one[-1]) + 1) % 10}"
    assert find(f"0.{one} {wrong} {one}7 W1 1911 QX12 3ZV 2011-03-14", "") == []
    assert planted.is_nhs_number("9434765919")  # the health service's own example
    assert not planted.is_nhs_number("9434765910")


def test_whatever_form_it_is_written_in(tmp_path: Path) -> None:
    text = planted.full_name("name", 1)
    frame = pl.DataFrame(
        {"a": [text] * 50, "n": [int(planted.number(4))] * 50, "b": [gzip.compress(text.encode())] * 50}
    )
    frame.write_parquet(tmp_path / "a.bin")
    assert kinds_in(tmp_path / "a.bin") == {"name", "number"}
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/sheet.xml", f"<t>{text.replace('Q', '&#81;')}</t>")
    assert kinds_in(tmp_path / "b.xlsx") == {"name"}
    with sqlite3.connect(tmp_path / "c.db") as database:
        database.execute("CREATE TABLE t (said TEXT)")
        database.execute("INSERT INTO t VALUES (?)", (text,))
    assert kinds_in(tmp_path / "c.db") == {"name"}
    picture = base64.b64encode(f"<svg><text>{text}</text></svg>".encode()).decode()
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in text)
    for content in (
        f'<img src="data:image/svg+xml;base64,{picture}">', f'{{"a": "{escaped}"}}', html.escape(text),
        "".join(f"%{ord(letter):02X}" for letter in text),
    ):  # fmt: skip
        assert "name" in {found.kind for one in texts_of(content.encode()) for found in find(one, "")}, content
    assert "name" in {found.kind for one in texts_of(text.encode("utf-16")) for found in find(one, "")}
    ipc = io.BytesIO()
    pl.DataFrame({"a": [text]}).write_ipc(ipc, compression="zstd")
    assert "name" in {found.kind for one in texts_of(ipc.getvalue()) for found in find(one, "")}


# ---------------------------------------------------------------- nothing else is there


def test_nothing_that_was_planted_stands_where_it_may_not(finds: list[planted.Found]) -> None:
    leaks = [found for found in finds if allowed(found.where, found.kind) is None]
    assert leaks == [], "\n".join(f"{found.where}: {found.kind}: {found.excerpt!r}" for found in leaks)


def test_what_was_never_asked_for_is_in_no_file_at_all(finds: list[planted.Found]) -> None:
    never = {"name", "number", "address", "postcode", "birth", "phone", "email", "objection", "cell", "crash"}
    assert not never & {found.kind for found in finds}
    assert not any(never & row.kinds for row in ALLOWED)


def test_the_search_went_through_what_was_made(town: Town, finds: list[planted.Found]) -> None:
    """The places that may hold people do: those that hold nothing were not passed over."""
    holders = {found.where for found in finds}
    for name in ("list.csv", "matrix.xlsx", "list.rejects.csv", "matrix.rejects.csv", "list.for-school_nurse.csv"):
        assert f"out/{name}" in holders
    written = {path.relative_to(town.root).as_posix() for path in town.paths() if path.is_file()}
    for pattern in (
        r"work/mlflow\.db", r"work/mlartifacts/.*/card\.json", r"work/governance/\w+\.jsonl", r"said/logged\.txt",
        r"work/runs/.*/model\.json", r"work/runs/.*/audit_exact\.json", r"out/card/card-public\.html",
        r"out/list\.report\.html", r"out/letter\.html", r"work/batches/ledger\.jsonl",
    ):  # fmt: skip
        assert any(re.fullmatch(pattern, name) for name in written), pattern


def test_a_letter_goes_to_one_person_and_names_nobody(town: Town) -> None:
    letter = (town.out / "letter.html").read_text()
    assert len(letter) > 2000
    assert find(letter, "") == []


def test_groups_of_few_are_put_together_and_the_others_keep_their_names(town: Town) -> None:
    (audit,) = town.work.glob("runs/*/*/audit_exact.json")
    said = audit.read_text()
    assert "White British" in said
    assert "Other small groups" in said
    vendors = (town.out / "audit.json").read_text()
    assert '"one"' in vendors
    assert "Other small groups" in vendors


def test_an_internal_error_says_where_and_never_what(town: Town) -> None:
    shown = town.err("crash shown")
    assert re.search(r'File ".*preparing\.py", line \d+, in prepare_study', shown)
    assert "KeyError" in shown
    for name in ("crash reading", "crash shown", "crash scoring", "panic", "full disk", "crash listing"):
        last = town.err(name).splitlines()[-1]
        assert last.startswith("riskmodels: ")
        assert find(town.err(name) + town.out_of(name), "") == []


# ---------------------------------------------------------------- for their owner alone


def test_files_that_hold_people_are_for_their_owner_alone(town: Town, finds: list[planted.Found]) -> None:
    """Under a umask that closes nothing. Above whatever we made for ourselves stands a folder that is ours alone."""
    people = {found.where for found in finds if (row := allowed(found.where, found.kind)) and row.holds_people}
    assert len(people) > 12
    for where in people:
        path = town.root / where
        assert town.mode(path) & LEFT_OPEN == 0, where
        if not re.fullmatch(r"out/[^/]+", where):  # the folder of a list is its user's own
            assert any(town.mode(folder) & LEFT_OPEN == 0 for folder in path.parents if town.root in folder.parents), (
                where
            )


def test_no_file_was_open_to_others_while_it_was_written(town: Town) -> None:
    """Of all that was seen while the commands worked, only what is meant for others could be read by them."""
    public = (
        r"out/(\.?(x|crashed|audit|card).*|card/.*)|(home|tmp)/.*matplotlib.*|home/\.(cache|config)|work/mlflow\.db.*"
    )
    wrong = [
        where for path in town.open_once
        if not re.fullmatch(public, where := path.relative_to(town.root).as_posix())
    ]  # fmt: skip
    assert wrong == []
    for path in town.open_once:
        if path.is_file():
            assert kinds_in(path) == set(), path
