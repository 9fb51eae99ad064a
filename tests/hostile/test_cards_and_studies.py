"""What lies beside a registered model: a card and a study that were edited, exchanged, or are no files at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from riskmodels import storage
from riskmodels.errors import CardError, ExitCode, ModelFileError, RiskModelsError, StudyError
from riskmodels.governance.rules import reviewed_study
from riskmodels.study import load_kept_study, load_study
from tests.end_to_end.served import Called, refused
from tests.hostile.conftest import STUDY, Spoilt, card_for
from tests.hostile.doors import VERBS
from tests.hostile.payloads import PAYLOADS
from tests.hostile.watching import Watch

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and pipes are made here")
Spoil = Callable[[Path, dict[str, bytes], Path], object]


def _in_place(make: Callable[[Path], object]) -> Spoil:
    def spoil(card: Path, other: dict[str, bytes], mark: Path) -> None:
        card.unlink()
        make(card)

    return spoil


def _edited(card: Path, other: dict[str, bytes], mark: Path) -> None:
    raw = json.loads(card.read_bytes())
    raw["title"] = "Spring reading, approved"
    card.write_bytes(storage.canonical_json(raw))


def _written(content: bytes) -> Spoil:
    return lambda card, other, mark: card.write_bytes(content)


def _huge(card: Path, other: dict[str, bytes], mark: Path) -> None:
    with card.open("ab") as file:
        file.truncate(2**40)


CARDS: dict[str, Spoil] = {
    "edited": _edited,
    "of another model": lambda card, other, mark: card.write_bytes(card_for(other)),
    "with a space behind": lambda card, other, mark: card.write_bytes(card.read_bytes() + b" "),
    "a pickle": lambda card, other, mark: card.write_bytes(PAYLOADS["pickle"].make(mark)),
    "YAML with a tag of Python": lambda card, other, mark: card.write_bytes(
        PAYLOADS["YAML with a tag of Python"].make(mark)
    ),
    "a terabyte": _huge,
    "nested deep": _written(b"[" * 10**6),
    "nothing": _written(b""),
    "a key twice": _written(b'{"a": 1, "a": 2}'),
    "a number without end": _written(b'{"a": 1e999}'),
    "a link": _in_place(lambda card: card.symlink_to("/etc/passwd")),
    "a link to what never ends": _in_place(lambda card: card.symlink_to("/dev/zero")),
    "a pipe": _in_place(os.mkfifo),
    "a folder": _in_place(Path.mkdir),
    "not there": _in_place(lambda card: None),
}


@pytest.mark.parametrize("how", CARDS)
def test_a_card_that_is_not_the_registered_one_is_refused(
    how: str, spoilt: Spoilt, other: dict[str, bytes], marks: Callable[[], Path], watch: Watch, tmp_path: Path
) -> None:
    mark = marks()
    for run in spoilt.runs:
        CARDS[how](run / "card" / "card.json", other, mark)
    for name, command in VERBS.items():
        for model in (f"{STUDY}/1", str(spoilt.folder)):
            with watch():
                called = command(spoilt.workspace, model, tmp_path)
            _is_refused(name, called, registered=model == f"{STUDY}/1")
    assert watch.broken == []
    assert not mark.exists()
    assert not [path for path in watch.opened if path.startswith(("/etc/passwd", "/dev/zero"))]


def _is_refused(name: str, called: Called, *, registered: bool) -> None:
    """By what is registered; or, of a card that can be read, by the rule of the gate that does not hold."""
    if called.code == ExitCode.DONE:
        assert name == "review show" or not registered, called
        if name == "review show":
            assert "NO" in called.out
        return
    refused(called, called.code)
    assert called.code in (ExitCode.FILE, ExitCode.GATE), called
    if name == "score" and called.code == ExitCode.GATE:
        assert "card is not the one registered" in called.err or "not the registered" in called.err, called


# ---------------------------------------------------------------- the study of a run


def _laughs(levels: int = 9) -> bytes:
    """Each line stands for nine of the line before: three gigabytes, were it written out."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, levels)]
    return "\n".join(lines).encode()


def _merged(levels: int = 30) -> bytes:
    """The same with keys that are merged, which doubles a list at each line."""
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{level}: &a{level} {{<<: [*a{level - 1}, *a{level - 1}]}}" for level in range(1, levels)]
    return "\n".join(lines).encode()


BOMBS = {
    "aliases of aliases": _laughs(),
    "merged keys": _merged(),
    "a list that holds itself": b"a: &a [*a]",
    "a mapping that holds itself": b"a: &a {b: *a}",
    "nested deep": b"a: " + b"[" * 200_000,
    "a number of 10,000 digits": b"a: " + b"9" * 10_000,
    "more than anybody wrote": b"# " + b"x" * storage.MOST_YAML,
    "UTF-16": "a: 1".encode("utf-16"),
}


@pytest.mark.parametrize("how", BOMBS)
def test_yaml_that_explodes_is_refused_in_one_line(how: str, watch: Watch, tmp_path: Path) -> None:
    with watch(), pytest.raises(StudyError) as refusal:
        storage.parse_yaml(BOMBS[how], tmp_path / "study.yaml")
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400


def test_yaml_with_a_tag_of_python_is_refused(watch: Watch, marks: Callable[[], Path], tmp_path: Path) -> None:
    mark = marks()
    content = PAYLOADS["YAML with a tag of Python"].make(mark)
    with watch(), pytest.raises(StudyError, match="could not determine a constructor"):
        storage.parse_yaml(content, tmp_path / "study.yaml")
    assert not mark.exists()
    yaml.unsafe_load(content)
    assert mark.exists()


def test_aliases_that_people_use_are_read(tmp_path: Path) -> None:
    content = b"one: &one {a: [1, 2], b: &b x}\ntwo: *one\nthree: {c: *b}\n"
    whole = {"a": [1, 2], "b": "x"}
    assert storage.parse_yaml(content, tmp_path) == {"one": whole, "two": whole, "three": {"c": "x"}}


NO_FILES: dict[str, Callable[[Path], Any]] = {
    "a link": lambda path: path.symlink_to("/etc/passwd"),
    "a link to what never ends": lambda path: path.symlink_to("/dev/zero"),
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "not there": lambda path: None,
    "another text": lambda path: path.write_bytes(b"study: another\n"),
    "a bomb": lambda path: path.write_bytes(_laughs()),
    "a terabyte": lambda path: path.open("wb").truncate(2**40),
}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The study of a run; it need not be a right one, as nothing of it may be parsed."""
    folder = tmp_path / "study"
    storage.write_folder(folder, dict.fromkeys(("study.yaml", "register.yaml", "answers.yaml"), b"study: x\n"))
    return folder


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("name", ["study.yaml", "register.yaml", "answers.yaml"])
@pytest.mark.parametrize("how", NO_FILES)
def test_a_study_that_is_not_the_one_of_the_card_is_refused_unparsed(
    how: str, name: str, kept: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {path.name: path.read_bytes() for path in kept.iterdir()}
    answers = storage.digest_of_files({part: files[part] for part in ("answers.yaml", "register.yaml")})
    card = {"digests": {"study": storage.sha256(files["study.yaml"]), "answers": answers}}
    parsed: list[bytes] = []

    def noted(text: bytes, path: Path) -> Any:
        parsed.append(text)
        raise StudyError("parsed")

    monkeypatch.setattr(storage, "parse_yaml", noted)
    with pytest.raises(StudyError, match="parsed"):  # whole, it would be
        reviewed_study(kept, card)
    parsed.clear()
    (kept / name).unlink()
    NO_FILES[how](kept / name)
    with watch(), pytest.raises(ModelFileError) as refusal:
        reviewed_study(kept, card)
    assert "\n" not in str(refusal.value)
    assert parsed == []
    assert not [path for path in watch.opened if path.startswith(("/etc/passwd", "/dev/zero"))]


def test_a_card_without_digests_names_no_study(kept: Path) -> None:
    for card in ({}, {"digests": None}, {"digests": {"study": 1}}):
        with pytest.raises(ModelFileError, match="was changed after the card was built"):
            reviewed_study(kept, card)


def test_a_kept_study_is_the_study(kept: Path) -> None:
    """Of a real study both ways of reading give the same."""
    from tests.conftest import STUDY as REAL

    whole = load_study(REAL)
    assert load_kept_study(REAL, (whole.digest, whole.answers_digest)) == whole
    assert whole.examples is not None


@pytest.mark.parametrize("content", [_laughs(), b"a: &a [*a]"])
def test_a_bomb_in_a_decision_is_refused(spoilt: Spoilt, watch: Watch, tmp_path: Path, content: bytes) -> None:
    from tests.end_to_end.served import call

    (tmp_path / "decision.yaml").write_bytes(content)
    with watch():
        called = call(spoilt.workspace, "review", "record", f"{STUDY}/1", tmp_path / "decision.yaml")
    refused(called, ExitCode.GATE, "aliases")


def test_what_is_read_of_a_file_has_an_end(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert storage.read_plain_file(path, 5, CardError) == b"12345"
    with pytest.raises(CardError, match="is larger than 4 bytes"):
        storage.read_plain_file(path, 4, CardError)
    with pytest.raises(RiskModelsError, match="no such file"):
        storage.read_plain_file(tmp_path / "none", 4)
