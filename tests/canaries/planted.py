"""What is planted in the tables, and how it is found again in whatever a run writes.

Each place where a value stands has a word of its own, so that a find says where it came from. A letter, a digit or a
capital more changes nothing: words are looked for in any case and inside of others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# What was planted where -> a word that nothing else holds.
WORDS = {
    "name": "quorzel",  # a column that nobody asked for
    "address": "zornwick",
    "email": "fyrnglot",
    "note": "gwexhaim",  # free text, in a column that is read as a category: another for each person
    "rare": "vimbrex",  # a few people's category, in a column that is a feature
    "ward": "oxlumby",  # one person's ward
    "team": "nybbolt",  # one person's team, which no place is declared for
    "group": "jaskwel",  # one person's ethnic group
    "kind": "drofnix",  # one event's kind
    "cell": "plyxom",  # where a date or a number should stand
    "header": "wozgrim",  # what should be a column's name
    "objection": "hutzbel",  # in the file of objections
    "groups file": "xendral",
    "prediction": "blorquin",  # in a vendor's file of predictions
    "decision": "mubgrat",  # in a decision sheet
    "file name": "tolvunk",
    "crash": "krashvel",  # in the text of an exception
    "home": "umfrezz",  # a household's id
}
BIRTH_YEAR = 1911  # of dates of birth that stand as text
# 999 is what the health service keeps for tests; ids and numbers in other columns differ in the next digit.
_ID, _NUMBER, _IN_FILES = "9990", "9995", "9997"
_NHS = re.compile(r"(?<![\d.])999[ -]?\d{3}[ -]?\d{4}(?!\d)")
_PATTERNS = {
    "postcode": re.compile(r"\bqx[1-9] ?[0-9]zv\b"),
    "birth": re.compile(rf"\b\d\d[/.]\d\d[/.]{BIRTH_YEAR}\b|\b{BIRTH_YEAR}-\d\d-\d\d\b"),
    "phone": re.compile(r"07700[ -]?900[ -]?\d{3}"),
}
NUMBERS = {_ID: "id", _NUMBER: "number", _IN_FILES: "number in a file"}
KINDS = (*WORDS, *_PATTERNS, *NUMBERS.values())
# A quick look, so that the rest is asked only of what may hold something.
_ANY = re.compile("|".join([*WORDS.values(), "999", "qx[1-9]", str(BIRTH_YEAR), "07700"]))


def nhs_number(place: int, start: str) -> str:
    """A number with a right check digit (modulus 11); the next one that has any, for 1 in 11 has none."""
    while True:
        digits = f"{start}{place:0{9 - len(start)}d}"
        check = 11 - sum(int(digit) * (10 - at) for at, digit in enumerate(digits)) % 11
        if check != 10:
            return f"{digits}{0 if check == 11 else check}"
        place += 500_00


def is_nhs_number(text: str) -> bool:
    """Whether the last of ten digits checks the nine before it."""
    weighed = sum(int(digit) * (10 - at) for at, digit in enumerate(text))
    return len(text) == 10 and text.isdigit() and weighed % 11 == 0


def person_id(place: int) -> str:
    return nhs_number(place, _ID)


def number(place: int, in_a_file: bool = False) -> str:
    return nhs_number(place, _IN_FILES if in_a_file else _NUMBER)


def spaced(nhs: str) -> str:
    return f"{nhs[:3]} {nhs[3:6]} {nhs[6:]}"


def full_name(word: str, place: int) -> str:
    """A name that holds a word of `WORDS`: another for each place."""
    letters = "".join(chr(97 + int(digit)) for digit in str(place))
    return f"Mar{letters} {WORDS[word].capitalize()}{letters}"


def street(place: int) -> str:
    return f"{place} {WORDS['address'].capitalize()} Crescent"


def postcode(place: int) -> str:
    return f"QX{place % 9 + 1} {place % 10}ZV"


def birth(place: int) -> str:
    return f"{place % 28 + 1:02d}/{place % 12 + 1:02d}/{BIRTH_YEAR}"


def phone(place: int) -> str:
    return f"07700 900{place % 1000:03d}"


def email(place: int) -> str:
    return f"{WORDS['email']}{place}@families.example"


def sentence(word: str, place: int) -> str:
    """Free text as a worker types it: everything of a person in one cell."""
    return (
        f"Rang {full_name(word, place)}, {street(place)}, {postcode(place)}, {phone(place)}; born {birth(place)}, NHS "
        f"{spaced(number(place))}"
    )


@dataclass(frozen=True)
class Found:
    """A planted value in something that was written. ``excerpt``: what stands around it."""

    kind: str
    where: str
    excerpt: str


def find(text: str, where: str) -> list[Found]:
    """One find for each kind that stands in a text."""
    text = text.lower()
    if not _ANY.search(text):
        return []
    found: dict[str, re.Match[str] | int] = {}
    for kind, word in WORDS.items():
        if (at := text.find(word)) >= 0:
            found[kind] = at
    for kind, pattern in _PATTERNS.items():
        if match := pattern.search(text):
            found[kind] = match
    for match in _NHS.finditer(text):
        plain = re.sub(r"\D", "", match[0])
        kind = NUMBERS.get(plain[:4])
        if kind and is_nhs_number(plain):
            found.setdefault(kind, match)
    spots = {kind: at if isinstance(at, int) else at.start() for kind, at in found.items()}
    return [Found(kind, where, text[max(0, at - 60) : at + 60]) for kind, at in spots.items()]
