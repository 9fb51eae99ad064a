"""Reading grade of English text: Flesch-Kincaid (Kincaid and others 1975), with a syllable count of our own."""

from __future__ import annotations

import re

from riskmodels.cards.words import sentences_of

WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?|\d[\d,.]*")
# A run of vowels is one syllable, save where two are spoken apart ...
APART = re.compile(
    r"[aeiouy]ing|(?<![cglnst])ia|liab|(?<=[cst])iat(?=[eio])|io$|(?<![cglnstx])io(?!ur)|iet|(?<![ct])ien(?!d)|^scien|iu|"
    r"area|idea|creat(?!ur)|^react|deo|^geo(?!r)|museu|oe[mt]|(?<![gq])ua[lt]|(?<![gq])ue[ln]|sm$"
)
# ... and save an e that nobody speaks: at the end, in -es and -ed, and before -ly, -ful, -less, -ment and -ness.
SILENT = re.compile(
    r"(?:[^aeiouyl]|[aeiouyl]l)e$|(?:[^aeiouylcgsxz]|[aeiouyl]l)(?<!ch)(?<!sh)es$|(?:[^aeiouyldt]|[aeiouyl]l)(?<!dr)ed$|"
    r"[aeiouy][^aeiouyl]+e(?:ly|ful|less|ments?|ness)$"
)


def syllables(word: str) -> int:
    """How many syllables a word has, by its letters. A number counts as one word of one syllable (Flesch 1948)."""
    word = re.sub(r"['’](?:s|t|d|m|re|ve|ll)?$", "", word.lower())
    if not word or word[0].isdigit():
        return 1
    spoken = len(re.findall(r"[aeiouy]+", word)) + len(APART.findall(word)) - len(SILENT.findall(word))
    return max(spoken, 1)


def grade_of(words: int, sentences: int, syllable_count: int) -> float:
    """Flesch-Kincaid grade level: 0.39 words/sentences + 11.8 syllables/words - 15.59."""
    return 0.39 * words / sentences + 11.8 * syllable_count / words - 15.59


def reading_grade(text: str) -> float:
    """The US school grade that a text asks for. A line is at least one sentence.

    Raises
    ------
    ValueError
        if there is no word in it.
    """
    sentences = [sentence for line in text.splitlines() for sentence in sentences_of(line) if WORD.search(sentence)]
    words = [word for sentence in sentences for word in WORD.findall(sentence)]
    if not words:
        raise ValueError("a text without a word has no reading grade")
    return grade_of(len(words), len(sentences), sum(syllables(word) for word in words))
