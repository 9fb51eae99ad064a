"""A card of hostile, endless, strange or broken input: safe pages, or one line and an exit code."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from riskmodels import __main__, storage
from riskmodels.cards.card import ModelCard
from riskmodels.cards.checks.pages import network_faults, structure_faults
from riskmodels.cards.reading_back import CELL_END, read_html
from riskmodels.cards.renderings import RENDERINGS, Beside, render
from riskmodels.cards.summary import page_one_text
from riskmodels.cards.words import word_count
from riskmodels.reports.visible import UNSEEN
from riskmodels.study import Answers
from riskmodels.workspace import Workspace
from tests.cards import example_card as example
from tests.cards.test_migrations import OLD
from tests.conftest import TODAY

pytestmark = pytest.mark.slow

NAME = "early_reading_support"
TEXT_FORMATS = [name for name in RENDERINGS if name != "pdf"]
# What people might write, by mistake or not, in each place that takes their words.
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title><svg/onload=alert(1)>",
    "<![CDATA[ ]]> --> <!-- &lt;b&gt; &#60;script&#62;",
    "[a link](javascript:alert(1)) ![a picture](https://example.org/a.png) <https://example.org/>",
    "| a | table | of | pipes |\\| `code` **bold** _it_ ~~no~~",
    "# A heading",
    "url(https://example.org/a.css) @import 'a'; \\22 } body { display: none } /*",
    "{{ 7 * 7 }} {% raw %} ${7*7} #{7*7}",
    "=cmd|'/c calc'!A1",
    "'; DROP TABLE cards; --",
    "https://example.org/?a=1&amp;copy=2",
)
STRANGE = (
    "\u202egnirts a denrut\u202c",
    "שלום לכולם",
    "مرحبا بالجميع",
    "🙂 👩\u200d👩\u200d👧 🏴\U000e0067\U000e0062\U000e007f",
    "pay\u200bpal \ufeff\u2066\u2067",
    "Z͑ͫ̓a̸l̷g̵o̶",
)


def hostile_card(texts: tuple[str, ...]) -> ModelCard:
    """The example with these texts in every place that takes people's words."""
    said = " ".join(texts)
    answers = json.loads(json.dumps(example.ANSWERS))
    for section in ("purpose", "people_process", "risks", "law", "monitoring"):
        answers[section] = {key: {"owner": texts[0], "text": said} for key in answers[section]}
    answers |= {
        "organisation": said, "owner_role": texts[1], "contact": texts[2],
        "ask": {"owner": said, "text": said}, "cannot_see": {"owner": texts[3], "text": said},
        "questions": {number: {"owner": texts[number % len(texts)], "text": said} for number in range(1, 21)},
    }  # fmt: skip
    file = json.loads(json.dumps(example.STUDY))
    file |= {"title": said, "question": f"{said}?"}
    file["outcome"]["words"] = said
    file["features"] = [{**line, "words": f"{line['words']} {said}"} for line in file["features"]]
    file["not_audited"] = dict.fromkeys(file["not_audited"], said)
    file["accepted"] = dict.fromkeys(file["accepted"], said)
    labels = file["protected"]["ethnicity"]["labels"]
    file["protected"]["ethnicity"]["labels"] = {key: f"{label} {said}" for key, label in labels.items()}
    made = example.study(file, Answers.model_validate(answers).model_dump())
    entry = {**example.ENTRY, "words": said, "owner": said, "agreement": said, "columns": {said: said}}
    register = made.register.model_copy(
        update={"sources": {name: type(one).model_validate(entry) for name, one in made.register.sources.items()}}
    )
    return example.card(type(made)(made.folder, made.file, register, made.answers, made.files))


def command(*arguments: object) -> int:
    return __main__.run([*map(str, arguments), "--today", str(TODAY)])


def written(card: ModelCard | bytes, folder: Path) -> Path:
    """The card in every format, through the command."""
    content = card if isinstance(card, bytes) else card.to_bytes()
    storage.write_whole(folder / "in" / "card.json", content)
    formats = ",".join(TEXT_FORMATS)
    code = command(
        "card", folder / "in", "--format", formats, "--output", folder / "out", "--workspace", folder / "work"
    )
    assert code == 0
    return folder / "out"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The hostile card, and for comparison the harmless one, in every format."""
    made = {
        "hostile": written(hostile_card(HOSTILE), tmp_path_factory.mktemp("hostile")),
        "strange": written(hostile_card(STRANGE), tmp_path_factory.mktemp("strange")),
        "plain": written(hostile_card(("Some words.",) * 6), tmp_path_factory.mktemp("plain")),
    }
    return {f"{name}/{path.name}": path.read_bytes() for name, folder in made.items() for path in folder.iterdir()}


class Kinds(HTMLParser):
    """Every kind of tag: its name and the names of its attributes."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.found: set[tuple[str, tuple[str, ...]]] = set()
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add((tag, tuple(sorted(name for name, _ in attrs))))


# ---------------------------------------------------------------- injection


@pytest.mark.parametrize("who", ["hostile", "strange"])
def test_words_stay_words_on_the_page(pages: dict[str, bytes], who: str) -> None:
    content = pages[f"{who}/card.html"]
    page = read_html(content)
    assert network_faults(page) == []
    assert structure_faults(page) == []
    # No tag and no attribute that a harmless card does not have.
    assert Kinds(content).found <= Kinds(pages["plain/card.html"]).found
    said = " ".join(block.text for block in page.written.blocks)
    if who == "hostile":
        assert "<script>alert(1)</script>" in said, "it is shown as it was written"
        assert "[a link](javascript:alert(1))" in said


def test_words_would_not_stay_words_without_escaping(pages: dict[str, bytes]) -> None:
    """The test above can fail: the same page with its words let through."""
    page = pages["hostile/card.html"].replace(b"&lt;", b"<").replace(b"&gt;", b">")
    assert network_faults(read_html(page))


def test_words_stay_words_in_markdown(pages: dict[str, bytes]) -> None:
    for name, content in pages.items():
        if name.startswith("hostile/") and name.endswith(".md"):
            text = content.decode()
            assert not re.search(r"<\s*/?[a-zA-Z!]", text), name
            assert not re.search(r"(?<!\\)\]\(", text), name
            assert not re.search(r"(?<!\\)`", text), name
            for block in text.split("\n\n"):
                lines = block.splitlines()
                if lines and lines[0].startswith("| "):
                    assert len({len(CELL_END.findall(line)) for line in lines}) == 1, f"{name}: {lines[0]}"
            headings = [line for line in text.splitlines() if re.match(r"#{1,6} ", line)]
            plain = pages[name.replace("hostile/", "plain/")].decode()
            assert len(headings) == len([line for line in plain.splitlines() if re.match(r"#{1,6} ", line)]), name


def test_words_stay_words_in_a_workbook(pages: dict[str, bytes], tmp_path: Path) -> None:
    """No cell is a formula, whatever a text begins with."""
    import zipfile

    books = [name for name in pages if name.startswith("hostile/") and name.endswith(".xlsx")]
    for name in books:
        (tmp_path / "book.xlsx").write_bytes(pages[name])
        with zipfile.ZipFile(tmp_path / "book.xlsx") as book:
            sheets = [book.read(inner).decode() for inner in book.namelist() if inner.startswith("xl/worksheets/sheet")]
        assert sheets
        assert not any("<f>" in sheet or "<hyperlink" in sheet for sheet in sheets)


def test_the_card_itself_keeps_what_was_written(pages: dict[str, bytes]) -> None:
    card = json.loads(pages["hostile/card.json"])
    assert card["organisation"]["name"] == " ".join(HOSTILE)


# ---------------------------------------------------------------- strange letters


def test_no_page_holds_what_cannot_be_seen(pages: dict[str, bytes]) -> None:
    for name, content in pages.items():
        if name.startswith("strange/") and name.endswith((".html", ".md")):
            text = content.decode()
            assert not UNSEEN.search(text.replace("\n", " ")), name
            for word in ("שלום לכולם", "مرحبا بالجميع", "🙂", "👩\u200d👩\u200d👧", "paypal"):
                assert word in text, (name, word)
            assert "denrut a string" not in text
    assert UNSEEN.search(json.loads(pages["strange/card.json"])["organisation"]["name"]), "they were there"


# ---------------------------------------------------------------- endless answers


def endless(words: int) -> ModelCard:
    text = "We looked at each name and told the home. " * (words // 9)
    answers = {
        "ask": {"owner": "Head", "text": text}, "cannot_see": {"owner": "Head", "text": text},
        **{section: {"more": {"owner": "Head", "text": text}} for section in ("purpose", "law", "risks", "monitoring")},
        "questions": {number: {"owner": "Head", "text": text} for number in range(1, 21)},
    }  # fmt: skip
    return example.card(example.study(answers=answers))


def test_page_one_stays_a_page_beside_answers_of_10_000_words() -> None:
    card = endless(10_000)
    text = page_one_text(card.to_dict()["summary"])
    assert word_count(text) <= 350
    assert "(More in section 2.)" in text
    assert len(card.ask.facts["what_we_ask_you_to_decide"].value.split()) > 9_000  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text", ["word " * 10_000, "w" * 60_000, "a-" * 30_000, "1." * 30_000, "e" * 60_000, "A(" * 30_000]
)
def test_no_answer_takes_time_out_of_proportion(text: str) -> None:
    """Four times the text takes no more than about four times the time (sixteen, if it went by the square)."""

    def seconds(said: str) -> float:
        from riskmodels.cards.checks import CHECKS, Checked

        start = time.process_time()
        card = example.card(example.study(answers={"ask": {"owner": "Head", "text": said}})).to_dict()
        render({**card, "figures": []}, ("html", "md"), Beside({"state": "DRAFT", "words": "DRAFT."}))
        checked = Checked({**card, "figures": []})
        for name in ("no_placeholders", "short", "answers_read_easily", "acronyms", "numbers"):
            CHECKS[name](checked)
        return time.process_time() - start

    quarter = text[: len(text) // 4]
    seconds(quarter)  # what is made once, such as templates
    assert seconds(text) < 8 * max(seconds(quarter), 0.25)


# ---------------------------------------------------------------- a study that is not whole


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must fail with an exit code and one line; give the line."""

    def run(code: int, *arguments: object) -> str:
        assert command(*arguments) == code
        said = [line for line in capsys.readouterr().err.strip().splitlines() if not line.startswith("[")]
        assert len(said) == 1, said
        assert said[0].startswith("riskmodels: ")
        assert "internal error" not in said[0]
        return said[0]

    return run


@pytest.mark.parametrize("section", ["ask", "cannot_see", "organisation", "owner_role"])
def test_answers_without_what_every_card_needs(refused: Callable[..., str], study: Path, section: str) -> None:
    answers = yaml.safe_load((study / "answers.yaml").read_text())
    del answers[section]
    (study / "answers.yaml").write_text(yaml.safe_dump(answers))
    assert f"answers.yaml: {section}: is missing" in refused(3, "run", study, "--workspace", study.parent / "work")
    assert not (study.parent / "work").exists()


def test_a_section_that_nobody_wrote_is_a_row_of_gaps() -> None:
    """Not silence: each expected answer is named with its owner, on the page and by the check."""
    card = example.card(example.study(answers={"law": {}, "risks": {}}))
    assert set(card.law.facts) >= {"lawful_basis", "objection"}
    page = read_html(render(card.to_dict(), ("html",), Beside({"state": "DRAFT", "words": "DRAFT."}))["card.html"])
    gaps = [block for block in page.written.blocks if block.text.startswith("Not provided (owner: Head of Schools")]
    assert {"Lawful basis", "Objection", "Trade offs"} <= {block.label for block in gaps}


# ---------------------------------------------------------------- files


def test_a_card_of_an_earlier_schema_is_written_as_it_is(tmp_path: Path) -> None:
    out = written(OLD.read_bytes(), tmp_path)
    assert (out / "card.json").read_bytes() == OLD.read_bytes(), "its digest is what a decision names"
    assert structure_faults(read_html((out / "card.html").read_bytes())) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (OLD.read_bytes().replace(b'"schema_version": 1', b'"schema_version": 9'), "it needs a newer riskmodels"),
        (OLD.read_bytes().replace(b'"schema_version": 1, ', b""), "schema_version: is missing"),
        (OLD.read_bytes()[:-400], "is not readable as JSON"),
        (b"[" * 100_000, "nested deeper"),
        (b"{}", "is not a model card"),
        (b"", "is not readable as JSON"),
    ],
)
def test_what_is_no_card(refused: Callable[..., str], tmp_path: Path, content: bytes, words: str) -> None:
    storage.write_whole(tmp_path / "card.json", content)
    for check in ((), ("--check",)):
        line = refused(5, "card", tmp_path / "card.json", *check, "--output", tmp_path / "out", "--workspace", tmp_path)
        assert words in line
    assert not (tmp_path / "out").exists()


def test_a_file_without_an_end_is_not_read_to_it(refused: Callable[..., str], tmp_path: Path) -> None:
    with (tmp_path / "card.json").open("wb") as file:
        file.truncate(1 << 40)  # a terabyte that takes no room on the disk
    assert "larger than" in refused(5, "card", tmp_path, "--output", tmp_path / "out", "--workspace", tmp_path / "work")


def run_folder(workspace: Workspace) -> Path:
    (folder,) = (workspace.root / "runs" / NAME).iterdir()
    return folder


def test_a_card_that_was_edited_after_it_was_registered(refused: Callable[..., str], workspace: Workspace) -> None:
    path = run_folder(workspace) / "card" / "card.json"
    storage.write_whole(path, path.read_bytes().replace(b"of 100", b"in 100", 1))
    for more in ((), ("--check",)):
        line = refused(5, "card", NAME, *more, "--workspace", workspace.root)
        assert "is not the card that was registered" in line


def test_a_card_of_another_model(refused: Callable[..., str], workspace: Workspace) -> None:
    storage.write_whole(run_folder(workspace) / "card" / "card.json", example.card().to_bytes())
    assert "is the card of another model" in refused(5, "card", NAME, "--check", "--workspace", workspace.root)


@pytest.mark.parametrize("what", ["folder", "missing", "link to nothing", "link to itself"])
def test_a_card_that_is_no_file(refused: Callable[..., str], workspace: Workspace, what: str) -> None:
    path = run_folder(workspace) / "card" / "card.json"
    path.unlink()
    if what == "folder":
        path.mkdir()
    elif what != "missing":
        path.symlink_to(path if what == "link to itself" else "nothing.json")
    assert "card.json" in refused(5, "card", NAME, "--check", "--workspace", workspace.root)


def test_a_link_in_the_place_of_a_card_is_not_followed(workspace: Workspace, tmp_path: Path) -> None:
    """Not even to the same card; and a page takes the place of a link, never of what it leads to."""
    folder = run_folder(workspace) / "card"
    shutil.move(folder / "card.json", tmp_path / "kept.json")
    (folder / "card.json").symlink_to(tmp_path / "kept.json")
    (folder / "card.md").unlink()
    (folder / "card.md").symlink_to(tmp_path / "elsewhere.md")
    assert command("card", NAME, "--workspace", workspace.root) == 5
    shutil.move(tmp_path / "kept.json", folder / "card.json")
    assert command("card", NAME, "--workspace", workspace.root) == 0
    assert not (tmp_path / "elsewhere.md").exists()


@pytest.mark.parametrize("what", ["a file in the way", "a folder in a file's place"])
def test_an_output_that_cannot_be_written(refused: Callable[..., str], tmp_path: Path, what: str) -> None:
    storage.write_whole(tmp_path / "in" / "card.json", OLD.read_bytes())
    out = tmp_path / "out"
    if what == "a file in the way":
        out.write_text("Mine.")
    else:
        (out / "card.json").mkdir(parents=True)
    line = refused(7, "card", tmp_path / "in", "--output", out, "--workspace", tmp_path / "work")
    assert "cannot be written" in line
    assert "nothing was changed" in line
    left = [path.name for path in out.iterdir()] if out.is_dir() else out.read_text()
    assert left == (["card.json"] if out.is_dir() else "Mine.")


# ---------------------------------------------------------------- the whole way


@pytest.mark.slow
def test_a_hostile_study_makes_a_safe_card(study: Path, tmp_path: Path) -> None:
    """As above, from the study's own files through `riskmodels run`."""
    said = " ".join(HOSTILE)
    answers: dict[str, Any] = yaml.safe_load((study / "answers.yaml").read_text())
    answers["ask"]["text"] = answers["cannot_see"]["text"] = answers["organisation"] = said
    for section in ("purpose", "law"):
        for answer in answers[section].values():
            answer["text"] = said
    (study / "answers.yaml").write_text(yaml.safe_dump(answers))
    file = yaml.safe_load((study / "study.yaml").read_text())
    file["title"] = file["question"] = said
    for line in file["features"]:
        line["words"] = f"{line['words']} {said}"
    (study / "study.yaml").write_text(yaml.safe_dump(file, sort_keys=False))
    assert command("run", study, "--workspace", tmp_path / "work") == 0
    (card,) = (tmp_path / "work" / "runs" / NAME).glob("*/card/card.html")
    page = read_html(card.read_bytes())
    assert network_faults(page) == []
    assert structure_faults(page) == []
