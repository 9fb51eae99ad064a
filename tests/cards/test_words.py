import pytest

from riskmodels.cards.words import (
    MEASURES,
    Numbers,
    feature_words,
    language_of,
    line_words,
    listing,
    meaning_of,
    of_100,
    opening,
    spoken,
    word_count,
)
from tests.cards import example_card as example
from tests.data.small_study import study_file


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0"),
        (0.004, "fewer than 1"),
        (0.005, "1"),
        (0.345, "35"),
        (0.994, "99"),
        (0.996, "more than 99"),
        (1.0, "100"),
    ],
)
def test_shares_never_round_to_nobody_or_everybody(share: float, said: str) -> None:
    assert of_100(share) == said


@pytest.mark.parametrize("share", [0.0, 0.002, 0.125, 0.445, 0.5, 0.675, 0.998, 1.0])
def test_a_share_and_its_rest_make_100(share: float) -> None:
    one, rest = spoken(share, "per_100"), spoken(share, "rest_of_100")
    if one.isdigit():
        assert int(one) + int(rest) == 100
    else:
        assert {one, rest} == {"fewer than 1", "more than 99"}


def test_numbers_come_with_their_path() -> None:
    numbers = Numbers({"a": {"b": [0.25, None]}, "n": 1240})
    assert (numbers.per_100("a.b.0"), numbers.rest_of_100("a.b.0"), numbers.count("n")) == ("25", "75", "1,240")
    assert not numbers.has("a.b.1")
    assert not numbers.has("a.c")
    assert [number.path for number in numbers.taken.values()] == ["a.b.0", "a.b.0", "n"]


def test_the_study_names_its_people() -> None:
    assert language_of(example.study().file).many == "pupils"
    sources = {name: {**source, "entity": "uprn"} for name, source in example.STUDY["sources"].items()}
    assert language_of(example.study({"sources": sources}).file).many == "people"


@pytest.mark.parametrize(
    ("level", "column", "many", "that"),
    [
        ("person", "adult_id", "adults", "who"),
        ("household", "family_id", "families", "that"),
        ("household", "uprn", "households", "that"),
        ("place", "school_id", "schools", "that"),
        ("place", "lsoa", "places", "that"),
        ("place", "pupil_id", "places", "that"),  # a word for people is no word for places
    ],
)
def test_each_level_has_words_of_its_own(level: str, column: str, many: str, that: str) -> None:
    sources = {name: {**source, "entity": column} for name, source in example.STUDY["sources"].items()}
    language = language_of(example.study({"sources": sources, "level": level}).file)
    assert (language.many, language.that) == (many, that)
    article = "an" if language.one == "adult" else "a"
    assert language.meaning.startswith(f"Here, {article} {language.one} {that} needs help is one {that} reads")


def test_measures_are_said_of_those_who_are_counted() -> None:
    assert meaning_of("auc", "schools").startswith("Of two schools, one with the outcome")
    assert meaning_of("auc").startswith("Of two people,")
    assert not any("people" in meaning_of(name, "schools") for name in MEASURES)
    assert meaning_of("not a measure", "schools") == ""


def test_need_is_said_of_measured_need_only() -> None:
    outcome = {**example.STUDY["outcome"], "measures": "service"}
    assert "help" not in language_of(example.study({"outcome": outcome}).file).needed
    assert "help" not in language_of(example.study({"purpose": "punitive"}).file).needed
    assert "needed help" in language_of(example.study().file).needed


def test_opening_keeps_whole_sentences_and_says_when_it_cut() -> None:
    text = "One two three. Four five. Six seven eight nine."
    assert opening(text, 5) == ("One two three. Four five.", True)
    assert opening(text, 50) == (text, False)
    long = " ".join(["word"] * 10_000)
    cut, was_cut = opening(long, 30)
    assert was_cut
    assert word_count(cut) == 30
    assert word_count(opening("x" * 50_000, 30)[0]) == 1
    assert len(opening("x" * 50_000, 30)[0]) < 1000


def test_listing() -> None:
    assert [listing(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


def test_a_line_for_each_value_names_the_value_of_its_column_or_all() -> None:
    file = study_file(
        features=[
            {
                "name": "visits",
                "take": "count",
                "of": "anything",
                "each": {"kind": ["gp", "nurse"]},
                "words": "{each} visits",
            }
        ]
    )
    (line,) = file.features
    assert line_words(line) == "gp or nurse visits"
    assert [feature_words(file, column.name) for column in line.columns] == ["gp visits", "nurse visits"]
