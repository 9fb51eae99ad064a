"""Lines of a drafted study: the words for facts, features from them, and what the audit looks at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from riskmodels.data.drafting import guess
from riskmodels.data.drafting.asking import Notebook
from riskmodels.data.drafting.guess import Column
from riskmodels.data.drafting.names import BIRTH_WORDS, one_line, plain, slug
from riskmodels.data.drafting.tables import Role
from riskmodels.data.features import DAYS_IN_A_YEAR
from riskmodels.data.tables import KEYS

LAST = "12 months"
FILLED = 0.2  # the share of a kind's rows in which a column must be filled to be worth a feature
CHILD_BANDS, ADULT_BANDS = (5, 11, 16), (18, 25, 45, 65)


@dataclass(frozen=True)
class Word:
    """A fact: a name for the rows of one kind, or for all rows of a table."""

    name: str
    role: Role
    kind: str | None
    words: str
    people: int

    @property
    def one(self) -> str:
        """A single such fact, in a sentence."""
        single = self.words.removesuffix("s") if self.kind is None and self.words.endswith("s") else ""
        return single or f"{self.words} record"

    @property
    def a_one(self) -> str:
        return f"{'an' if self.one[:1].lower() in 'aeiou' else 'a'} {self.one}"

    @property
    def many(self) -> str:
        return f"{self.one}s"

    @property
    def line(self) -> dict[str, Any]:
        return {"in": self.role.name} | ({"kind": self.kind} if self.kind is not None else {})


def name_facts(roles: Iterable[Role], notebook: Notebook) -> list[Word]:
    """For each table of facts a word for all its rows, and one for each kind that many people share."""
    roles = list(roles)
    # A word may not be called like a table: a feature says either in the same place.
    taken = {role.name for role in roles}
    found: list[Word] = []

    def name_one(name: str, role: Role, kind: str | None, words: str, people: int) -> None:
        found.append(Word(slug(name, "fact", taken), role, kind, words, people))
        taken.add(found[-1].name)

    seen = {role.name: role.facts() for role in roles if role.holds_facts}
    roles = [role for role in roles if role.holds_facts]
    for role in roles:
        name_one(f"any {role.name}", role, None, plain(role.name), seen[role.name]["entity_id"].n_unique())
    for role in (role for role in roles if role.kind):
        kinds, omitted = guess.kinds_in(seen[role.name])
        for kind, people in kinds:
            name_one(kind, role, kind, one_line(kind.replace("_", " ")), people)
        if omitted:
            why = f"{omitted} more in {role.table.file} are very rare, or past the {guess.MOST_KINDS} commonest"
            notebook.note("facts", f"{len(kinds)} kinds", why)
    return found


# ---------------------------------------------------------------- features


def features_of(words: Iterable[Word], roles: Iterable[Role], notebook: Notebook) -> list[dict[str, Any]]:
    """Lines for ``features``: how often, how long ago, the latest value, attributes with a date, and age."""
    words, roles = list(words), list(roles)
    lines: list[dict[str, Any]] = []
    columns = {
        role.name: _columns_to_learn_from(role, notebook) for role in roles if not role.audit and not role.undated
    }
    kinds = {word.role.name for word in words if word.kind is not None}
    for word in words:
        if word.kind is not None or word.role.name not in kinds:
            lines += [*_history(word), *_latest(word, columns[word.role.name])]
    for role in roles:
        if role.name in columns and not role.holds_facts:
            lines += _attributes(role, columns[role.name])
    born = birth_column(roles)
    if born is not None:
        role, column = born
        said = {"missing": "keep", "words": "age", "high": "older than most", "low": "younger than most"}
        lines.append({"name": "age", "take": "age", "of": f"{role.name}.{column.name}"} | said)
    taken: set[str] = set()
    for line in lines:
        line["name"] = slug(line["name"], "feature", taken)
        taken.add(line["name"])
    return lines


def _history(word: Word) -> Iterator[dict[str, Any]]:
    one, many = word.one, word.many
    yield {"name": f"{word.name}_count", "take": "count", "of": word.name, "last": LAST} | {
        "words": f"number of {many} in the last {LAST}",
        "high": f"many {many} in the last {LAST}",
        "low": f"few or no {many} in the last {LAST}",
    }
    yield {"name": f"{word.name}_days_since", "take": "days_since_last", "of": word.name, "last": "ever"} | {
        "missing": "keep",
        "words": f"days since the latest {one}",
        "high": f"no {one} for a long time",
        "low": f"a recent {one}",
    }


def _columns_to_learn_from(role: Role, notebook: Notebook) -> list[Column]:
    columns = [column for column in role.table.columns.values() if guess.may_be_feature(column, role.keys)]
    numbered = [column for column in columns if guess.numbers_like_ids(role.table, role.entity, column)]
    for column in numbered:
        why = f"{role.name}.{column.name} left out: whole numbers that differ for nearly everybody, as an id does"
        notebook.note("features", "left out", why)
    return [column for column in columns if column not in numbered]


def _latest(word: Word, columns: Iterable[Column]) -> Iterator[dict[str, Any]]:
    rows, kind = word.role.table.frame, word.role.kind
    if word.kind is not None and kind is not None:
        rows = rows.filter(pl.col(kind).cast(pl.String) == word.kind)
    for column in columns:
        if _filled(rows[column.name]) >= FILLED:
            name, of = f"{word.name}_{plain(column.name)}", f"{word.name}.{column.name}"
            yield {"name": name, "take": "latest", "of": of, "last": LAST} | _said(column, f" ({word.words})")


def _filled(column: pl.Series) -> float:
    missing = column.is_null() | (column == "") if column.dtype == pl.String else column.is_null()
    return 1.0 - float(missing.fill_null(True).sum()) / max(len(column), 1)


def _said(column: Column, of: str) -> dict[str, Any]:
    words = plain(column.name)
    if column.holds == "text":
        return {"missing": "category", "words": f"latest {words}{of}", "value": f"{words}{of}: {{value}}"}
    return {
        "missing": "keep",
        "words": f"latest {words}{of}",
        "high": f"a high {words}{of}",
        "low": f"a low {words}{of}",
    }


def _attributes(role: Role, columns: Iterable[Column]) -> Iterator[dict[str, Any]]:
    for column in columns:
        of = f"{role.name}.{column.name}"
        yield {"name": plain(column.name), "take": "attribute", "of": of} | _said(column, "")


def birth_column(roles: Iterable[Role], audit: bool = False) -> tuple[Role, Column] | None:
    """The first date of birth in a table that a model may read, or in one kept for the audit."""
    for role in roles:
        for column in role.table.columns.values():
            fits = column.holds == "date" and column.says(BIRTH_WORDS) and _addressable(column, role)
            # Text is read as dates only where a feature needs them.
            if fits and role.audit == audit and not (audit and role.table.frame.schema[column.name] == pl.String):
                return role, column
    return None


def undated_columns(roles: Iterable[Role]) -> list[str]:
    """Columns that look useful, in tables that do not say when a value was recorded: it may be news from the future."""
    return [
        f"{role.name}.{column.name}"
        for role in roles
        if not role.audit and role.undated
        for column in role.table.columns.values()
        if column.holds in ("number", "text") and column.name not in role.keys and column.law is None
    ]


def _addressable(column: Column, role: Role) -> bool:
    """Whether ``source.column`` can name it, and the reader keeps it apart from the keys."""
    return column.name not in (*KEYS, *role.keys) and "." not in column.name


# ---------------------------------------------------------------- the audit


def protected_of(roles: Iterable[Role], extracted_on: dt.date, notebook: Notebook) -> dict[str, dict[str, Any]]:
    """Lines for ``protected``: tables kept for the audit first, each characteristic once."""
    roles = sorted(roles, key=lambda role: not role.audit)
    found: dict[str, dict[str, Any]] = {}
    for role in roles:
        for column in role.table.columns.values():
            law, name = column.law, slug(column.name, "group")
            if law is None or column.holds in ("empty", "other") or not _addressable(column, role) or name in found:
                continue
            if column.distinct > guess.MOST_GROUPS and not _in_years(column):
                why = f"{role.name}.{column.name} left out: too many different values to compare as groups"
                notebook.note("protected", "left out", why)
                continue
            found[name] = _protected_line(role, column, law)
            why = "its name says so" if law != "none" else "not protected by law, but worth comparing"
            if not role.audit:
                why += f"; better in a separate table with use: audit than in {role.table.file}"
            notebook.note(f"protected.{name}", column.name, why, role.audit)
    if all(line["law"] != "age" for line in found.values()):
        found |= _age_line(roles, extracted_on, notebook)
    for name, line in found.items():
        if line["law"] == "age" and birth_column(roles) is not None:
            line["also_feature"] = "No reason given yet"
            why = "why may age be a feature? Or take the feature out"
            notebook.note(f"protected.{name}.also_feature", line["also_feature"], why)
    return found


def _in_years(column: Column) -> bool:
    return column.law == "age" and column.holds == "number"


def _protected_line(role: Role, column: Column, law: str) -> dict[str, Any]:
    line: dict[str, Any] = {"column": f"{role.name}.{column.name}", "law": law}
    if law == "none":
        line["words"] = plain(column.name)
    if _in_years(column):
        middle = role.table.frame[column.name].cast(pl.Float64, strict=False).median()
        line["bands"] = _bands(middle)
    return line


def _age_line(roles: list[Role], extracted_on: dt.date, notebook: Notebook) -> dict[str, dict[str, Any]]:
    """Age by the date of birth that makes the feature, or by one kept for the audit, which must be stored as a date."""
    born = birth_column(roles) or birth_column(roles, audit=True)
    if born is None:
        return {}
    role, column = born
    days = (pl.Series([extracted_on]) - role.table.dates(column.name)).dt.total_days().median()
    why = "age bands by the date of birth; choose bands that mean something"
    notebook.note("protected.age", column.name, why, True)
    years = days / DAYS_IN_A_YEAR if isinstance(days, (int, float)) else None
    return {"age": {"column": f"{role.name}.{column.name}", "law": "age", "bands": _bands(years)}}


def _bands(middle: object) -> list[int]:
    """Bands in years for children or for adults, by the age in the middle."""
    return list(CHILD_BANDS if isinstance(middle, (int, float)) and middle < 18 else ADULT_BANDS)


# ---------------------------------------------------------------- the register


def described_columns(role: Role) -> dict[str, str]:
    """Every column of a table with words made from its name and part."""
    parts = {
        role.entity: "the id of the one whom the row is about, written alike in every table",
        role.event_date: "the day on which it happened",
        role.known_date: "the day on which it became known",
        role.kind: "what the row is about",
    }

    def said(column: Column) -> str:
        if column.name in parts:
            return parts[column.name]
        return "date of birth" if column.holds == "date" and column.says(BIRTH_WORDS) else plain(column.name)

    return {column.name: said(column) for column in role.table.columns.values()}
