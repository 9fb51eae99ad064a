"""The PDF: what it says is the card's, it passes the checks, it fetches nothing, and without its extra it says so."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from riskmodels.cards.renderings import Beside, render
from riskmodels.errors import ExitCode, OutsideError, RiskModelsError
from riskmodels.reports import page
from riskmodels.reports import pdf as module
from riskmodels.reports.charts import draw_figures
from riskmodels.reports.pdf_checks import page_count, pdf_findings
from tests.cards import example_card as example

ROOT = Path(__file__).parents[2]
STATUS = {"state": "AWAITING REVIEW", "words": "AWAITING REVIEW. No decision names this card."}
TODAY = dt.date(2026, 11, 22)
SCRIPT = """
import datetime as dt, hashlib, json, sys
from riskmodels.reports.charts import draw_figures
from riskmodels.reports.pdf import render_card_pdf
card, status = json.load(open(sys.argv[1]))
made = render_card_pdf(card, status=status, figures=draw_figures(card["figures"]), today=dt.date(2026, 11, 22))
print(hashlib.sha256(made).hexdigest())
"""


def missing() -> str:
    """Why a PDF cannot be made here; empty if it can."""
    try:
        module.load_weasyprint()
        import pypdf  # noqa: F401 - whether it is there
    except (OutsideError, ImportError) as error:
        return f"no PDF can be made here: {error}"
    return ""


needs_extra = pytest.mark.skipif(bool(missing()), reason=missing())


def markup(card: dict[str, Any], **changes: Any) -> str:
    arguments = {
        "status": STATUS, "sign_off": (), "figures": {}, "today": TODAY, "change": None, "name": "card", **changes,
    }  # fmt: skip
    return module.card_markup(card, **arguments)


def example_pdf(card: dict[str, Any] | None = None) -> bytes:
    made = card or example.card().to_dict()
    return module.render_card_pdf(made, status=STATUS, figures=draw_figures(made["figures"]), today=TODAY)


@pytest.fixture(scope="module")
def content() -> bytes:
    return example_pdf()


@functools.cache
def pages(content: bytes) -> list[str]:
    import pypdf

    read = (page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)
    return [" ".join(text.split()) for text in read]


# ---------------------------------------------------------------- the document


@needs_extra
@pytest.mark.slow
def test_the_pdf_of_a_card_passes_every_check(content: bytes) -> None:
    assert pdf_findings(content) == []


@needs_extra
@pytest.mark.slow
def test_page_one_is_the_summary_and_the_next_begins_with_the_contents(content: bytes) -> None:
    card = example.card().to_dict()
    first, second, *_ = pages(content)
    assert card["summary"]["recommendation"]["headline"] in first
    for block in card["summary"]["blocks"]:
        assert block["heading"] in first
    assert "Contents" not in first
    assert "Contents" in second
    # The running header stands on every page but the first, which has its own.
    running = f"{card['title']} · model {card['model']['version']} · committee edition · AWAITING REVIEW"
    assert running not in first
    assert all(running in page for page in pages(content)[1:])
    assert f"Page 2 of {page_count(content)}" in second


@needs_extra
@pytest.mark.slow
def test_every_section_has_a_bookmark_that_leads_to_its_heading(content: bytes) -> None:
    import pypdf

    reader = pypdf.PdfReader(io.BytesIO(content))
    top = [item for item in reader.outline if not isinstance(item, list)]
    assert [item.title for item in top if item.title[0].isdigit()][:2] == ["1 Summary", "2 What we ask you to decide"]
    assert len([item for item in top if item.title[0].isdigit()]) == 16
    texts = pages(content)
    for item in top:
        assert item.title in texts[reader.get_destination_page_number(item)]


@needs_extra
@pytest.mark.slow
def test_every_number_of_page_one_is_printed(content: bytes) -> None:
    first = pages(content)[0]
    numbers = example.card().to_dict()["summary"]["numbers"]
    assert numbers
    for number in numbers:
        assert re.search(rf"\b{re.escape(number['text'])}\b", first), number


@needs_extra
@pytest.mark.slow
def test_the_same_card_gives_the_same_bytes_in_another_process(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(json.dumps([example.card().to_dict(), STATUS]))
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "card.json")],
        env={**os.environ, "PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert run.stdout.strip() == hashlib.sha256(content).hexdigest()


@needs_extra
@pytest.mark.slow
def test_what_people_write_stays_text_and_a_very_long_answer_breaks_between_pages() -> None:
    injected = '<img src="http://example.org/x.png"><script>alert(1)</script><details>'
    long = " ".join(f"word{n}" for n in range(4000)) + " lastword"
    answers = {**example.ANSWERS, "purpose": {
        "intended_use": {"owner": "Head of Schools", "text": f"{injected} \u202bשלום مرحبا\u202c 😀"},
        "never_used_for": {"owner": "Head of Schools", "text": long},
    }}  # fmt: skip
    card = example.card(example.study(answers=answers)).to_dict()
    made = example_pdf(card)
    whole = " ".join(pages(made))
    assert "<script>alert(1)</script><details>" in whole
    assert all(f"word{n} " in whole for n in range(0, 4000, 97))
    assert "lastword" in whole
    assert pdf_findings(made) == []


@needs_extra
@pytest.mark.slow
def test_the_largest_shipped_card_can_be_printed_and_says_what_it_leaves_out() -> None:
    card = json.loads((ROOT / "model_cards" / "county_early_help" / "card.json").read_bytes())
    made = example_pdf(card)
    assert pdf_findings(made) == []
    assert page_count(made) <= 60
    texts = pages(made)
    suppressed = card["annex"]["suppressed"]
    assert f"{suppressed['caption']} ({len(suppressed['rows'])} rows)" in texts[1]
    assert f"Not printed: {suppressed['caption']}" in " ".join(texts[2:])


def test_both_editions_name_the_files_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "load_weasyprint", lambda: None)
    monkeypatch.setattr(module, "built", lambda _, text: text.encode())
    card = example.card().to_dict()
    public = {**card, "edition_profile": {**card["edition_profile"], "edition": "public", "of": "0" * 64}}
    (name, committee), (public_name, text) = (
        next(iter(render(edition, ["pdf"], Beside(STATUS)).items())) for edition in (card, public)
    )
    assert (name, public_name) == ("card.pdf", "card-public.pdf")
    assert b"card-public.html" in text
    assert b" card.html" not in text
    assert b'class="about"' in text
    assert b'class="about"' not in committee


def test_the_look_knows_every_state_verdict_and_advice() -> None:
    style = (page.TEMPLATES / "pdf.css").read_text(encoding="utf-8")
    wanted = [
        *(f".status-{state}" for state in page.STATES.values()),
        *(f".tag-{verdict}" for verdict in page.VERDICTS.values()),
        *(f".advice-{code}" for code in page.ADVICE),
    ]
    assert [name for name in wanted if name not in style] == []


def test_nothing_is_folded_on_paper() -> None:
    text = markup(example.card().to_dict())
    assert "<details" not in text
    assert "<summary" not in text
    assert text.count("<div") == text.count("</div>")


# ---------------------------------------------------------------- nothing from outside


@needs_extra
@pytest.mark.parametrize(
    "planted",
    [
        '<img src="http://127.0.0.1:9/x.png" alt="x">',
        '<img src="https://127.0.0.1:9/x.png" alt="x">',
        '<img src="file:///etc/hostname" alt="x">',
        '<link rel="stylesheet" href="http://127.0.0.1:9/x.css">',
        '<style>p { background: url("file:///etc/hostname") }</style>',
        '<style>@import url("ftp://127.0.0.1:9/x.css");</style>',
        '<img alt="x" src="data:image/svg+xml;utf8,'
        "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><image href='file:///etc/hostname' "
        "width='9' height='9'/></svg>\">",
    ],
)
def test_a_page_that_names_anything_outside_is_refused_before_anything_is_opened(
    planted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_: Any, **__: Any) -> Any:
        raise AssertionError("something outside was opened")

    monkeypatch.setattr("socket.socket.connect", opened)
    monkeypatch.setattr("urllib.request.FileHandler.open_local_file", opened)
    page = f"<html lang=en-GB><title>t</title>{planted}<h1>t</h1><p>t"
    with pytest.raises(RiskModelsError):
        module.built(module.load_weasyprint(), page)


@needs_extra
def test_a_picture_inside_the_page_is_drawn_and_one_that_cannot_be_is_no_silent_gap() -> None:
    weasyprint = module.load_weasyprint()
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
    page = '<html lang=en-GB><title>t</title><h1>t</h1><img alt="A square." src="{}">'
    assert module.built(weasyprint, page.format(module.data_uri(svg))).startswith(b"%PDF-1.7")
    with pytest.raises(RiskModelsError, match="could not be drawn"):
        module.built(weasyprint, page.format(module.data_uri(b"no picture")))


@needs_extra
@pytest.mark.slow
def test_our_own_style_gives_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    weasyprint = module.load_weasyprint()
    with caplog.at_level("WARNING", logger="weasyprint"):
        weasyprint.HTML(string=markup(example.card().to_dict()), url_fetcher=module.reader(weasyprint)).render()
    assert [record.getMessage() for record in caplog.records] == []


# ---------------------------------------------------------------- without the extra


def test_without_the_package_one_message_names_the_extra_and_the_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(OutsideError) as caught:
        module.load_weasyprint()
    message = str(caught.value)
    assert caught.value.exit_code == ExitCode.OUTSIDE
    assert "not installed" in message
    assert 'pip install "riskmodels[pdf]"' in message
    assert "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0" in message
    assert "\n" not in message


def test_without_the_libraries_the_message_does_not_send_to_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "weasyprint"
    broken.mkdir()
    (broken / "__init__.py").write_text(
        'print("could not import some external libraries")\nraise OSError("libpango")\n'
    )
    for name in [name for name in sys.modules if name.partition(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(OutsideError) as caught:
        module.load_weasyprint()
    assert "libraries of the system that are not there" in str(caught.value)
    assert "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0" in str(caught.value)
    # What the library prints on its way out reaches nobody.
    assert capsys.readouterr().out == ""


def test_without_the_extra_no_format_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    card = example.card().to_dict()
    assert list(render(card, ["html"], Beside(STATUS))) == ["card.html"]
    with pytest.raises(OutsideError):
        render(card, ["html", "pdf"], Beside(STATUS))
