"""The reading grade, against published values."""

import pyphen
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.cards.reading import grade_of, reading_grade, syllables

GETTYSBURG = """Four score and seven years ago our fathers brought forth on this continent, a new nation, conceived in
Liberty, and dedicated to the proposition that all men are created equal. Now we are engaged in a great civil war,
testing whether that nation, or any nation so conceived and so dedicated, can long endure. We are met on a great
battle-field of that war. We have come to dedicate a portion of that field, as a final resting place for those who here
gave their lives that that nation might live. It is altogether fitting and proper that we should do this. But, in a
larger sense, we can not dedicate -- we can not consecrate -- we can not hallow -- this ground. The brave men, living
and dead, who struggled here, have consecrated it, far above our poor power to add or detract. The world will little
note, nor long remember what we say here, but it can never forget what they did here. It is for us the living, rather,
to be dedicated here to the unfinished work which they who fought here have thus far so nobly advanced. It is rather for
us to be here dedicated to the great task remaining before us -- that from these honored dead we take increased devotion
to that cause for which they gave the last full measure of devotion -- that we here highly resolve that these dead shall
not have died in vain -- that this nation, under God, shall have a new birth of freedom -- and that government of the
people, by the people, for the people, shall not perish from the earth.""".replace("\n", " ")


@pytest.mark.parametrize(
    ("text", "published"),
    [
        # Wikipedia, "Flesch-Kincaid readability tests": 24 syllables and 13 words.
        ("The Australian platypus is seemingly a hybrid of a mammal and reptilian creature.", 11.3),
        # The same page's reading ease of 116 for six words of one syllable, as a grade.
        ("The cat sat on the mat.", -1.45),
        # Lincoln 1863 (Bliss copy): 10.9 in Microsoft Word.
        (GETTYSBURG, 10.9),
    ],
)
def test_grade_agrees_with_published_examples(text: str, published: float) -> None:
    assert abs(reading_grade(text) - published) < 0.5


def test_formula() -> None:
    # Green Eggs and Ham: 5.7 words a sentence, 1.02 syllables a word, published grade -1.3.
    assert grade_of(570, 100, 581) == pytest.approx(-1.3, abs=0.1)


WORDS = """the/1 people/2 pupils/2 area/3 idea/3 real/1 really/2 created/3 creature/2 quiet/2 science/2 being/2
studying/3 nation/2 million/2 opinion/3 previous/3 behaviour/3 ratio/3 period/3 social/2 material/4 usual/3 actual/3
equal/2 value/2 issue/2 argue/2 table/2 whole/1 struggled/2 hundred/2 places/2 changes/2 judged/1 wanted/2 asked/1
likely/2 useful/2 element/3 judgement/2 experience/4 ethnicity/4 disability/5 recommendation/5 people's/2 don't/1 2024/1
client/2 patients/2 theory/2 rely/2 council/2 model/2 audit/2 eyes/1 few/1"""


def test_syllables() -> None:
    counts = dict(line.split("/") for line in WORDS.split())
    assert {word: syllables(word) for word in counts} == {word: int(count) for word, count in counts.items()}


def test_never_fewer_syllables_than_a_hyphenation_dictionary() -> None:
    # pyphen leaves out breaks, so it is a lower bound (for words it knows).
    dictionary = pyphen.Pyphen(lang="en_GB")
    words = sorted({word.strip(".,-").lower() for word in GETTYSBURG.split()} - {""})
    assert [word for word in words if syllables(word) < len(dictionary.positions(word)) + 1] == []


@settings(max_examples=50)
@given(st.text(max_size=40))
def test_any_text_has_a_grade_or_no_word(text: str) -> None:
    try:
        grade = reading_grade(text)
    except ValueError:
        return
    assert grade == grade
