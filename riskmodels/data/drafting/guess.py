"""What the columns of somebody's tables seem to be: who, when, what kind, and what must stay out of a model.

Guesses go by names and shapes alone, and each can be wrong: whoever uses one says why it was made and lets a person
check it. Nothing here gives back a value of a person, apart from the kinds of facts that many people share.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from riskmodels.data.tables import KEYS

MOST_KINDS = 30
FEWEST_PEOPLE = 10  # a kind seen in fewer is not written down: too rare to learn from, and it could point at somebody
MOST_CATEGORIES = 20
MOST_GROUPS = 50
LONGEST_KIND = 50

ID_WORDS = {
    "id",
    "identifier",
    "key",
    "pseudonym",
    "ref",
    "reference",
    "uid",
    "guid",
    "uuid",
    "upn",
    "uln",
    "nhs",
    "uprn",
}
PERSON_WORDS = {
    "adult", "carer", "child", "citizen", "client", "customer", "entity", "individual", "learner", "member", "nhs", "parent",
    "participant", "patient", "person", "pupil", "resident", "student", "subject", "tenant", "uln", "upn", "user",
}  # fmt: skip
HOUSEHOLD_WORDS = {"household", "family", "home"}
PLACE_WORDS = {"address", "area", "lsoa", "msoa", "place", "postcode", "property", "uprn", "ward"}
OTHER_THINGS = {
    "case", "class", "document", "event", "form", "gp", "incident", "practice", "record", "referral", "row", "school", "staff",
    "teacher", "team", "test", "transaction", "visit", "worker",
}  # fmt: skip

BIRTH_WORDS = {"birth", "birthdate", "birthday", "born", "dob"}
FOLLOWED_WORDS = {"censored", "followed", "followup"}
KNOWN_WORDS = {
    "created", "entered", "entry", "input", "inserted", "known", "loaded", "logged", "modified", "notified", "receipt", "received",
    "recorded", "recording", "registered", "reported", "submitted", "updated",
}  # fmt: skip
# How well a date's name fits the day on which something happened: the earlier the better.
EVENT_WORDS = (
    {"event", "happened", "incident", "occurred"},
    {"date", "day", "on", "time", "when"},
    {"from", "opened", "start", "started"},
)
END_WORDS = {
    "close", "closed", "death", "died", "discharge", "discharged", "due", "end", "ended", "expires", "expiry", "finish", "leaving",
    "left", "next", "planned", "review", "to", "until",
}  # fmt: skip
KIND_WORDS = (
    {"kind", "type"},
    {"activity", "category", "event", "measure", "what"},
    {"action", "code", "reason", "service", "test"},
)
EXIT_WORDS = {"closed", "died", "death", "ended", "exit", "left", "moved", "transfer", "transferred"}
# Columns that name or describe one person (or the worker), never a thing to learn from.
NAMING_WORDS = {
    "address", "by", "comment", "comments", "description", "email", "forename", "name", "note", "notes", "officer", "phone", "postcode",
    "staff", "surname", "telephone", "text", "worker",
}  # fmt: skip

# Words in a column's name -> the characteristic in law; the first that fits is taken. "none": not of the nine, yet audited.
PROTECTED_WORDS: tuple[tuple[str, str], ...] = (
    ("gender identity", "gender reassignment"), ("gender reassignment", "gender reassignment"), ("trans", "gender reassignment"),
    ("transgender", "gender reassignment"), ("sexual orientation", "sexual orientation"), ("sexuality", "sexual orientation"),
    ("sex", "sex"), ("gender", "sex"),
    ("ethnicity", "race"), ("ethnic", "race"), ("race", "race"), ("nationality", "race"), ("country of birth", "race"),
    ("first language", "race"), ("eal", "race"),
    ("disability", "disability"), ("disabled", "disability"), ("send", "disability"), ("sen", "disability"),
    ("religion", "religion or belief"), ("faith", "religion or belief"), ("belief", "religion or belief"),
    ("marital", "marriage and civil partnership"), ("married", "marriage and civil partnership"),
    ("marriage", "marriage and civil partnership"), ("civil partnership", "marriage and civil partnership"),
    ("pregnant", "pregnancy and maternity"), ("pregnancy", "pregnancy and maternity"), ("maternity", "pregnancy and maternity"),
    ("age", "age"),
    ("deprivation", "none"), ("imd", "none"), ("free lunch", "none"), ("free school meals", "none"), ("fsm", "none"),
    ("care experience", "none"), ("care experienced", "none"), ("looked after", "none"), ("pupil premium", "none"),
)  # fmt: skip


@dataclass(frozen=True)
class Column:
    """What one column holds, as the reader of a study would take it."""

    name: str
    words: tuple[str, ...]
    holds: str  # date, number, text, empty or other
    distinct: int
    missing: float  # share of rows
    decimals: bool  # stored as decimal numbers, which cannot be ids
    other_dates: bool = False  # text that looks like dates, but not like 2024-06-30

    @property
    def law(self) -> str | None:
        """The protected characteristic that the name speaks of, "none" for one outside the nine, or None."""
        spoken = f" {' '.join(self.words)} "
        return (
            next((law for words, law in PROTECTED_WORDS if f" {words} " in spoken), None)
            if self.holds != "date"
            else None
        )

    def says(self, words: Iterable[str]) -> bool:
        return not set(words).isdisjoint(self.words)

    @property
    def id_like(self) -> bool:
        if self.holds == "date" or not self.words:
            return False
        joined = re.fullmatch(r"([a-z]+)id", self.words[-1])
        numbered = self.words[-1] in ("no", "number") and self.says(PERSON_WORDS)
        return (
            self.words[-1] in ID_WORDS
            or self.words[0] in ID_WORDS
            or numbered
            or bool(joined and joined[1] in PERSON_WORDS)
        )


@dataclass(frozen=True)
class RawTable:
    """A table as it came: its file, the name it will have in the study, its rows and its columns."""

    file: str
    name: str
    frame: pl.DataFrame
    columns: Mapping[str, Column]

    def ids(self, column: str) -> pl.DataFrame:
        """Each id once, as text: one column, ``entity_id``."""
        return self.frame.select(pl.col(column).cast(pl.String).alias("entity_id")).drop_nulls().unique()

    def one_row_each(self, column: str) -> bool:
        return not self.frame[column].drop_nulls().is_duplicated().any()

    def dates(self, column: str) -> pl.Series:
        return _as_dates(self.frame[column])


def words_of(name: str) -> tuple[str, ...]:
    """``PupilID`` and ``pupil_id`` are both (pupil, id)."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)", " ", name)
    return tuple(word.lower() for word in re.findall(r"[^\W_]+", parted))


def plain(name: str) -> str:
    return " ".join(words_of(name)) or name


def one_line(text: str) -> str:
    return " ".join(text.split())


def slug(text: str, otherwise: str, taken: Iterable[str] = ()) -> str:
    """A short name that a study accepts, different from those ``taken``."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = "_".join(words_of(ascii_only))[:60].strip("_") or otherwise
    name = name if name[0].isalpha() else f"{otherwise}_{name}"
    free, number = name, 2
    while free in set(taken):
        free, number = f"{name}_{number}", number + 1
    return free


# ---------------------------------------------------------------- columns


def look_at(column: pl.Series) -> Column:
    """What a column holds. Text counts as dates or numbers only if all of it reads so."""
    words, decimals = words_of(column.name), column.dtype.is_float()
    values = column.fill_nan(None) if decimals else column
    if column.dtype in (pl.Categorical, pl.Enum):
        values = values.cast(pl.String)
    if values.dtype == pl.String:
        values = values.replace("", None)
    missing = values.null_count() / max(len(values), 1)
    if isinstance(column.dtype, (pl.List, pl.Struct, pl.Array)) or column.dtype in (
        pl.Object,
        pl.Binary,
        pl.Time,
        pl.Duration,
    ):
        return Column(column.name, words, "other", 0, missing, decimals)
    distinct = values.drop_nulls().unique()
    holds, other_dates = "text", False
    if distinct.is_empty():
        holds = "empty"
    elif isinstance(distinct.dtype, (pl.Date, pl.Datetime)):
        holds = "date"
    elif distinct.dtype.is_numeric() or distinct.dtype == pl.Boolean:
        holds = "number"
    elif distinct.str.contains(r"^\d{4}-\d{2}-\d{2}([T ].*)?$").all() and column.dtype == pl.String:
        holds = "text" if _as_dates(distinct).null_count() else "date"
    elif not distinct.str.strip_chars().cast(pl.Float64, strict=False).null_count():
        holds = "number"
    else:
        other_dates = bool(distinct.str.contains(r"^\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}\b").all())
    return Column(column.name, words, holds, len(distinct), missing, decimals, other_dates)


def _as_dates(column: pl.Series) -> pl.Series:
    if column.dtype == pl.String:
        return column.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return column.cast(pl.Date)


# ---------------------------------------------------------------- who


def guess_ids(tables: Iterable[RawTable]) -> dict[str, tuple[str, bool] | None]:
    """For each table, by name: the column that says whom a row is about, and whether that is sure; None if no column does.

    Counts for a column: being called an id, naming a person, sharing its values with an id of another table, being
    different in every row of a table without dates. Counts against it: naming another thing, or being different in
    every row of a table that has dates, as a row number is.
    """
    tables = list(tables)
    eligible = {
        table.name: [column for column in table.columns.values() if _may_be_id(column, table)] for table in tables
    }
    called = {column.words for columns in eligible.values() for column in columns}
    for table in tables:
        known = {column.name for column in eligible[table.name]}
        more = (column for column in table.columns.values() if column.name not in known and column.words in called)
        eligible[table.name] += [
            column for column in more if column.holds in ("text", "number") and not column.decimals
        ]
    ids = {(table.name, column.name): table.ids(column.name) for table in tables for column in eligible[table.name]}
    found: dict[str, tuple[str, bool] | None] = {}
    for table in tables:
        best, best_score, best_shared = None, 0.0, 0.0
        for column in eligible[table.name]:
            own = ids[table.name, column.name]
            shared = max((_shared(own, other) for (name, _), other in ids.items() if name != table.name), default=0.0)
            score = _id_score(column, table) + 3 * shared
            if score > best_score:
                best, best_score, best_shared = column, score, shared
        sure = best is not None and best.id_like and (best_shared > 0.5 or len(tables) == 1)
        found[table.name] = (best.name, sure) if best is not None else None
    return found


def _may_be_id(column: Column, table: RawTable) -> bool:
    if column.holds not in ("text", "number") or column.decimals or column.missing > 0.05:
        return False
    unlike_words = column.law is not None or column.says(NAMING_WORDS)
    return column.id_like or (
        not unlike_words and not _dated(table) and column.distinct > 1 and table.one_row_each(column.name)
    )


def _dated(table: RawTable) -> bool:
    return any(
        column.holds == "date" and not column.says(BIRTH_WORDS | FOLLOWED_WORDS) for column in table.columns.values()
    )


def _id_score(column: Column, table: RawTable) -> float:
    score = (
        3.0 * column.id_like
        + 2.0 * column.says(PERSON_WORDS)
        - 2.0 * column.says(HOUSEHOLD_WORDS | PLACE_WORDS | OTHER_THINGS)
    )
    unique = table.one_row_each(column.name)
    if _dated(table):
        return score - 2.0 * unique
    return score + (2.0 if unique else -1.0)


def _shared(some: pl.DataFrame, others: pl.DataFrame) -> float:
    """How much of the smaller set of ids stands in the other."""
    return some.join(others, on="entity_id", how="semi").height / max(1, min(some.height, others.height))


def level_of(entity: str) -> str:
    """Whether an id stands for a person, a household or a place."""
    words = set(words_of(entity))
    if words & PERSON_WORDS:
        return "person"
    return "household" if words & HOUSEHOLD_WORDS else "place" if words & PLACE_WORDS else "person"


# ---------------------------------------------------------------- when


def only_for_audit(table: RawTable, entity: str) -> bool:
    """Whether a table holds protected characteristics and nothing else."""
    rest = [
        column for column in table.columns.values() if column.name != entity and column.holds not in ("date", "empty")
    ]
    return bool(rest) and all(column.law is not None for column in rest)


def guess_event_date(table: RawTable, entity: str) -> tuple[str, bool] | None:
    """The day on which something happened, and whether that is sure. None for a table that describes people."""
    dates = [column for column in table.columns.values() if column.holds == "date" and not column.says(FOLLOWED_WORDS)]
    births = [column for column in dates if column.says(BIRTH_WORDS)]
    candidates = sorted((column for column in dates if column not in births and column.missing < 0.5), key=_event_rank)
    if not candidates:
        return None
    best = candidates[0]
    describes = births or _event_rank(best) > len(EVENT_WORDS) + 1 or best.missing > 0.2
    if describes and table.one_row_each(entity):
        return None
    return best.name, _event_rank(best) == 0 or len(candidates) == 1


def _event_rank(column: Column) -> int:
    if column.says(EVENT_WORDS[0]):
        return 0
    if column.says(KNOWN_WORDS):
        return len(EVENT_WORDS) + 1
    if column.says(END_WORDS):
        return len(EVENT_WORDS) + 2
    started = column.says(EVENT_WORDS[2])
    return 2 if started else 1 if column.says(EVENT_WORDS[1]) else len(EVENT_WORDS)


def guess_known_date(table: RawTable, event_date: str | None) -> tuple[str | None, bool, int]:
    """The day on which a fact became known, whether that is sure, and in how many rows it lies before the event.

    A column with even one row before its event is not guessed: such a table is refused when it is read.
    """
    names = [
        column
        for column in table.columns.values()
        if column.holds == "date" and column.name != event_date and column.missing <= 0.2
    ]
    if event_date is None:
        usable = [column for column in names if not column.says(BIRTH_WORDS | FOLLOWED_WORDS | END_WORDS)]
        usable.sort(key=lambda column: not column.says(KNOWN_WORDS))
        return (usable[0].name, usable[0].says(KNOWN_WORDS), 0) if usable else (None, True, 0)
    wrong = 0
    for column in (column for column in names if column.says(KNOWN_WORDS)):
        early = int((table.dates(column.name) < table.dates(event_date)).sum())
        if not early:
            return column.name, True, 0
        wrong = wrong or early
    return None, not wrong, wrong


# ---------------------------------------------------------------- what


def kind_columns(table: RawTable, keys: Iterable[str]) -> list[Column]:
    """Columns that could say what each row is about, the likeliest first."""
    keys = set(keys)

    def may_be(column: Column) -> bool:
        named = column.says(set().union(*KIND_WORDS))
        few = column.distinct <= MOST_KINDS or (named and column.distinct <= 10 * MOST_KINDS)
        repeated = column.distinct * 3 <= table.frame.height and column.missing <= 0.2
        worded = column.holds == "text" or (column.holds == "number" and named and not column.decimals)
        fit = (
            worded
            and not column.id_like
            and column.law is None
            and not column.says(NAMING_WORDS)
            and not column.other_dates
        )
        return fit and few and repeated and column.distinct >= (1 if named else 3) and column.name not in keys

    def rank(column: Column) -> int:
        return next(
            (place for place, words in enumerate(KIND_WORDS) if column.words and column.words[-1] in words),
            len(KIND_WORDS),
        )

    return sorted(
        (column for column in table.columns.values() if may_be(column)),
        key=lambda column: (rank(column), column.missing),
    )


def kinds_in(table: RawTable, entity: str, kind: str, dates: Iterable[str]) -> tuple[list[tuple[str, int]], int]:
    """The kinds with the number of people each was seen in, most people first, and how many kinds were left out."""
    rows = table.frame.drop_nulls(list(dates)).select(
        pl.col(kind).cast(pl.String).alias("kind"), pl.col(entity).alias("who")
    )
    counts = rows.drop_nulls("kind").group_by("kind").agg(pl.col("who").n_unique().alias("people"))
    fit = counts.filter(
        (pl.col("people") >= FEWEST_PEOPLE)
        & (pl.col("kind").str.len_chars() <= LONGEST_KIND)
        & (pl.col("kind").str.strip_chars() != "")
    )
    kept = fit.sort("people", "kind", descending=[True, False]).head(MOST_KINDS)
    return [(str(kind), int(people)) for kind, people in kept.iter_rows()], counts.height - kept.height


def may_be_feature(column: Column, keys: Iterable[str]) -> bool:
    """Whether a model could learn from a column: a number, or one of a few words; nothing protected, nobody's name."""
    if (
        column.name in KEYS
        or column.name in set(keys)
        or column.law is not None
        or column.id_like
        or "." in column.name
    ):
        return False
    if column.says(NAMING_WORDS | PLACE_WORDS | BIRTH_WORDS) or column.other_dates or column.distinct < 2:
        return False
    if column.holds == "number":
        return not column.says({"code", "no", "number"})
    return column.holds == "text" and column.distinct <= MOST_CATEGORIES
