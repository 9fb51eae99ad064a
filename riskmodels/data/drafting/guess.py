"""What the columns of somebody's tables seem to be: who, when, what kind, and what must stay out of a model.

Guesses go by names and shapes alone, and each can be wrong: whoever uses one says why it was made and lets a person
check it. Nothing here gives back a value of a person, apart from the kinds of facts that many people share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from riskmodels.data.drafting.names import (
    BIRTH_WORDS,
    END_WORDS,
    EVENT_WORDS,
    FOLLOWED_WORDS,
    HOUSEHOLD_WORDS,
    ID_WORDS,
    KIND_WORDS,
    KNOWN_WORDS,
    NAMING_WORDS,
    OTHER_THINGS,
    PERSON_WORDS,
    PLACE_WORDS,
    PROTECTED_WORDS,
    words_of,
)
from riskmodels.data.tables import KEYS

MOST_KINDS = 30
FEWEST_PEOPLE = 10  # a kind seen in fewer is not written down: too rare to learn from, and it could point at somebody
MOST_CATEGORIES = 20
MOST_GROUPS = 50
LONGEST_KIND = 50
ISO_DATE = r"^\d{4}-\d{2}-\d{2}([T ].*)?$"


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
        if self.holds == "date":
            return None
        spoken = f" {' '.join(self.words)} "
        fits = (law for law, phrases in PROTECTED_WORDS.items() if any(f" {phrase} " in spoken for phrase in phrases))
        return next(fits, None)

    @property
    def can_be_id(self) -> bool:
        return self.holds in ("text", "number") and not self.decimals and self.missing < 0.05

    def says(self, words: Iterable[str]) -> bool:
        return not set(words).isdisjoint(self.words)

    @property
    def id_like(self) -> bool:
        if self.holds == "date" or not self.words:
            return False
        last = self.words[-1]
        numbered = last in ("no", "number") and self.says(PERSON_WORDS)
        return last in ID_WORDS or self.words[0] == "id" or numbered or last.removesuffix("id") in PERSON_WORDS - {last}


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
    if column.dtype.is_nested() or column.dtype in (pl.Object, pl.Binary, pl.Time, pl.Duration):
        return Column(column.name, words, "other", 0, missing, decimals)
    distinct = values.drop_nulls().unique()
    holds, other_dates = "text", False
    if distinct.is_empty():
        holds = "empty"
    elif isinstance(distinct.dtype, (pl.Date, pl.Datetime)):
        holds = "date"
    elif distinct.dtype.is_numeric() or distinct.dtype == pl.Boolean:
        holds = "number"
    elif column.dtype == pl.String and distinct.str.contains(ISO_DATE).all() and not _as_dates(distinct).null_count():
        holds = "date"
    elif not distinct.str.strip_chars().cast(pl.Float64, strict=False).null_count():
        holds = "number"
    else:
        dated = distinct.str.contains(r"^\d{1,4}[/.-](\d{1,2}|[A-Za-z]{3})[/.-]\d{1,4}\b").mean()
        other_dates = isinstance(dated, float) and dated > 0.8
    return Column(column.name, words, holds, len(distinct), missing, decimals, other_dates)


def _as_dates(column: pl.Series) -> pl.Series:
    if column.dtype == pl.String:
        return column.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return column.dt.date() if isinstance(column.dtype, pl.Datetime) else column


# ---------------------------------------------------------------- who


def guess_ids(tables: Iterable[RawTable]) -> dict[str, tuple[str, bool] | None]:
    """For each table, by name: the column that says whom a row is about, and whether that is sure. None if none does.

    Counts for a column: being called an id, naming a person, sharing its values with an id of another table, being
    different in every row of a table without dates. Counts against it: naming another thing, or being different in
    every row of a table that has dates, as a row number is.
    """
    tables = list(tables)
    called = {c.words for table in tables for c in table.columns.values() if _may_be_id(c, table)}
    eligible = {
        table.name: [c for c in table.columns.values() if c.words in called and c.can_be_id] for table in tables
    }
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
    if not column.can_be_id:
        return False
    if column.id_like or (PERSON_WORDS.issuperset(column.words) and column.distinct >= FEWEST_PEOPLE):
        return True
    spoken = column.law is not None or column.says(NAMING_WORDS)
    return not spoken and not _dated(table) and column.distinct > 1 and table.one_row_each(column.name)


def _dated(table: RawTable) -> bool:
    return any(c.holds == "date" and not c.says(BIRTH_WORDS | FOLLOWED_WORDS) for c in table.columns.values())


def _id_score(column: Column, table: RawTable) -> float:
    another = column.says(HOUSEHOLD_WORDS | PLACE_WORDS | OTHER_THINGS)
    score = 3.0 * column.id_like + 2.0 * column.says(PERSON_WORDS) - 2.0 * another
    unique = table.one_row_each(column.name)
    return score - 2.0 * unique if _dated(table) else score + (2.0 if unique else -1.0)


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
    rest = [c for c in table.columns.values() if c.name != entity and c.holds not in ("date", "empty")]
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
    dates = [c for c in table.columns.values() if c.holds == "date" and c.name != event_date and c.missing <= 0.2]
    if event_date is None:
        usable = [column for column in dates if not column.says(BIRTH_WORDS | FOLLOWED_WORDS | END_WORDS)]
        usable.sort(key=lambda column: not column.says(KNOWN_WORDS))
        return (usable[0].name, usable[0].says(KNOWN_WORDS), 0) if usable else (None, True, 0)
    wrong = 0
    for column in (column for column in dates if column.says(KNOWN_WORDS)):
        early = int((table.dates(column.name) < table.dates(event_date)).sum())
        if not early:
            return column.name, True, 0
        wrong = wrong or early
    return None, not wrong, wrong


# ---------------------------------------------------------------- what


def kind_columns(table: RawTable, keys: Iterable[str]) -> list[Column]:
    """Columns that could say what each row is about, the likeliest first."""
    keys, named = set(keys), frozenset[str]().union(*KIND_WORDS)

    def may_be(column: Column) -> bool:
        if (
            column.name in keys
            or column.id_like
            or column.law is not None
            or column.other_dates
            or column.says(NAMING_WORDS)
        ):
            return False
        if column.missing > 0.2 or column.distinct * 3 > table.frame.height:
            return False
        if column.says(named):
            worded = column.holds == "text" or (column.holds == "number" and not column.decimals)
            return worded and column.distinct <= 10 * MOST_KINDS
        return column.holds == "text" and 3 <= column.distinct <= MOST_KINDS

    def rank(column: Column) -> tuple[int, float]:
        places = (place for place, words in enumerate(KIND_WORDS) if column.words and column.words[-1] in words)
        return next(places, len(KIND_WORDS)), column.missing

    return sorted((column for column in table.columns.values() if may_be(column)), key=rank)


def kinds_in(facts: pl.DataFrame) -> tuple[list[tuple[str, int]], int]:
    """Kinds, each with the number of people it was seen in, the commonest first; and how many kinds are not among them.

    Parameters
    ----------
    facts : frame with entity_id and kind
    """
    counts = facts.drop_nulls("kind").group_by("kind").agg(pl.col("entity_id").n_unique().alias("people"))
    worded = (pl.col("kind").str.len_chars() <= LONGEST_KIND) & (pl.col("kind").str.strip_chars() != "")
    fit = counts.filter((pl.col("people") >= FEWEST_PEOPLE) & worded)
    kept = fit.sort("people", "kind", descending=[True, False]).head(MOST_KINDS)
    return [(str(kind), int(people)) for kind, people in kept.iter_rows()], counts.height - kept.height


def may_be_feature(column: Column, keys: Iterable[str]) -> bool:
    """Whether a model could learn from a column: a number or one of a few words, nothing protected, nobody's name."""
    if column.name in (*KEYS, *keys) or column.law is not None or column.id_like or "." in column.name:
        return False
    if column.says(NAMING_WORDS | PLACE_WORDS | BIRTH_WORDS) or column.other_dates or column.distinct < 2:
        return False
    if column.holds == "number":
        return not column.says({"code", "no", "number"})
    return column.holds == "text" and column.distinct <= MOST_CATEGORIES


def numbers_like_ids(table: RawTable, entity: str, column: Column) -> bool:
    """Whether a column of numbers is one of references: whole, and another for nearly everybody."""
    if column.holds != "number":
        return False
    number = pl.col(column.name).cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False)
    each = table.frame.group_by(entity).agg(number.drop_nulls().last().alias("number"))["number"].drop_nulls()
    whole = each.filter(each == each.round(0))
    return len(whole) > FEWEST_PEOPLE and whole.n_unique() > 0.9 * len(whole)
