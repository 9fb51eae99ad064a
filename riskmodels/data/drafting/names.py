"""What names say: the words in a column's name, what they hint at, and names that a study accepts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


ID_WORDS = _set("id identifier key pseudonym ref reference uid guid uuid upn uln nhs uprn")
PERSON_WORDS = _set(
    "adult carer child citizen client customer entity individual learner member nhs parent participant patient person "
    "pupil resident student subject tenant uln upn user"
)
HOUSEHOLD_WORDS = _set("household family home")
PLACE_WORDS = _set("address area lsoa msoa place postcode property uprn ward")
OTHER_THINGS = _set(
    "case class document event form gp incident practice record referral row school staff teacher team test "
    "transaction visit worker"
)

BIRTH_WORDS = _set("birth birthdate birthday born dob")
FOLLOWED_WORDS = _set("censored followed followup")
KNOWN_WORDS = _set(
    "created entered entry input inserted known loaded logged modified notified receipt received recorded recording "
    "registered reported submitted updated"
)
# How well a date's name fits the day on which something happened: the earlier the better.
EVENT_WORDS = (
    _set("event happened incident occurred"),
    _set("date day on time when"),
    _set("from opened start started"),
)
END_WORDS = _set(
    "close closed death died discharge discharged due end ended expires expiry finish leaving left next planned review "
    "to until"
)
KIND_WORDS = (_set("kind type"), _set("activity category event measure what"), _set("action code reason service test"))
EXIT_WORDS = _set("closed died death ended exit left moved transfer transferred")
# Columns that name or describe one person (or the worker), never a thing to learn from.
NAMING_WORDS = _set(
    "address by comment comments description email forename name note notes officer phone postcode staff surname "
    "telephone text worker"
)

# The characteristic in law -> what a column's name may say; the first that fits is taken. "none": not one of the
# nine, yet worth an audit.
PROTECTED_WORDS = {
    "gender reassignment": ("gender identity", "gender reassignment", "trans", "transgender"),
    "sexual orientation": ("sexual orientation", "sexuality"),
    "sex": ("sex", "gender"),
    "race": ("ethnicity", "ethnic", "race", "nationality", "country of birth", "first language", "eal"),
    "disability": ("disability", "disabled", "send", "sen"),
    "religion or belief": ("religion", "faith", "belief"),
    "marriage and civil partnership": ("marital", "married", "marriage", "civil partnership"),
    "pregnancy and maternity": ("pregnant", "pregnancy", "maternity"),
    "age": ("age",),
    "none": (
        "deprivation", "imd", "free lunch", "free meals", "free school meals", "fsm", "care experience",
        "care experienced", "looked after", "pupil premium",
    ),
}  # fmt: skip


def words_of(name: str) -> tuple[str, ...]:
    """``PupilID`` and ``pupil_id`` are both (pupil, id)."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)", " ", name)
    return tuple(word.lower() for word in re.findall(r"[^\W_]+", parted))


def plain(name: str) -> str:
    return " ".join(words_of(name)) or name


def one_line(text: str) -> str:
    """Text as one line of what can be printed."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def slug(text: str, otherwise: str, taken: Iterable[str] = ()) -> str:
    """A short name that a study accepts, different from those ``taken``."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = "_".join(words_of(ascii_only))[:60].strip("_") or otherwise
    name = name if name[0].isalpha() else f"{otherwise}_{name}"
    free, number = name, 2
    while free in set(taken):
        free, number = f"{name}_{number}", number + 1
    return free
