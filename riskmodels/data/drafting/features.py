"""Lines of a drafted study: the words for facts, features from them, and what the audit looks at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from riskmodels.data.drafting import guess
from riskmodels.data.drafting.guess import BIRTH_WORDS, Column, RawTable, plain, slug
from riskmodels.data.drafting.tables import NONE, Notebook, Role
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
    def line(self) -> dict[str, Any]:
        return {"in": self.role.name} | ({"kind": self.kind} if self.kind is not None else {})


def name_facts(roles: Iterable[Role], notebook: Notebook) -> list[Word]:
    """For each table of facts a word for all its rows, and one for each kind that many people share."""
    roles = [role for role in roles if role.holds_facts]
    found: list[Word] = []
    taken = {role.name for role in roles}
    for role in roles:
        whole = slug(f"any {role.name}", "fact", taken)
        found.append(Word(whole, role, None, plain(role.name), role.facts()["entity_id"].n_unique()))
        taken.add(whole)
    for role in roles:
        if role.kind is None:
            continue
        dates = [date for date in (role.event_date, role.known_date) if date]
        kinds, omitted = guess.kinds_in(role.table, role.entity, role.kind, dates)
        for kind, people in kinds:
            name = slug(kind, "kind", taken)
            taken.add(name)
            found.append(Word(name, role, kind, guess.one_line(kind.replace("_", " ")), people))
        if omitted:
            why = f"{omitted} more in {role.table.file} are very rare, or past the {guess.MOST_KINDS} commonest"
            notebook.note("facts", f"{len(kinds)} kinds", why)
    return found


# ---------------------------------------------------------------- features


def features_of(words: Iterable[Word], roles: Iterable[Role]) -> list[dict[str, Any]]:
    """Lines for ``features``: how often, how long ago, the latest value, attributes with a date, and age."""
    words, lines = list(words), []
    kinds = {word.role.name for word in words if word.kind is not None}
    for word in words:
        if word.kind is not None or word.role.name not in kinds:
            lines += [*_history(word), *_latest(word)]
    for role in roles:
        if role.audit:
            continue
        if not role.holds_facts and role.known_date:
            lines += _attributes(role)
    born = birth_column(roles)
    if born is not None:
        role, column = born
        lines.append({"name": "age", "take": "age", "of": f"{role.name}.{column.name}", "missing": "keep", "words": "age",
                      "high": "older than most", "low": "younger than most"})  # fmt: skip
    taken: set[str] = set()
    for line in lines:
        line["name"] = slug(line["name"], "feature", taken)
        taken.add(line["name"])
    return lines


def _history(word: Word) -> Iterator[dict[str, Any]]:
    yield {"name": f"{word.name}_count", "take": "count", "of": word.name, "last": LAST,
           "words": f"{word.words}: how many in the last {LAST}",
           "high": f"{word.words}: many in the last {LAST}", "low": f"{word.words}: few or none in the last {LAST}"}  # fmt: skip
    yield {"name": f"{word.name}_days_since", "take": "days_since_last", "of": word.name, "last": "ever", "missing": "keep",
           "words": f"{word.words}: days since the latest", "high": f"{word.words}: the latest was long ago",
           "low": f"{word.words}: the latest was not long ago"}  # fmt: skip


def _latest(word: Word) -> Iterator[dict[str, Any]]:
    table, kind = word.role.table, word.role.kind
    rows = (
        table.frame
        if word.kind is None or kind is None
        else table.frame.filter(pl.col(kind).cast(pl.String) == word.kind)
    )
    for column in table.columns.values():
        if not guess.may_be_feature(column, word.role.keys) or _filled(rows[column.name]) < FILLED:
            continue
        yield {
            "name": f"{word.name}_{plain(column.name)}",
            "take": "latest",
            "of": f"{word.name}.{column.name}",
            "last": LAST,
        } | _said(column, f" ({word.words})")


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


def _attributes(role: Role) -> Iterator[dict[str, Any]]:
    for column in role.table.columns.values():
        if guess.may_be_feature(column, role.keys):
            yield {"name": plain(column.name), "take": "attribute", "of": f"{role.name}.{column.name}"} | _said(
                column, ""
            )


def birth_column(roles: Iterable[Role]) -> tuple[Role, Column] | None:
    """The first date of birth in a table that a model may read."""
    for role in roles:
        for column in role.table.columns.values():
            if column.holds == "date" and column.says(BIRTH_WORDS) and not role.audit and _addressable(column, role):
                return role, column
    return None


def undated_columns(roles: Iterable[Role]) -> list[str]:
    """Columns that look useful, in tables that do not say when a value was recorded: it may be news from the future."""
    return [
        f"{role.name}.{column.name}"
        for role in roles
        if not role.audit and not role.holds_facts and not role.known_date
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
    born = birth_column(roles)
    for role in roles:
        for column in role.table.columns.values():
            law, name = column.law, slug(column.name, "group")
            if law is None or column.holds in ("empty", "other") or not _addressable(column, role) or name in found:
                continue
            years = law == "age" and column.holds == "number"
            if not years and column.distinct > guess.MOST_GROUPS:
                why = "too many different values to compare as groups; add a column with fewer"
                notebook.note("protected", f"{role.name}.{column.name} left out", why)
                continue
            found[name] = _protected_line(role, column, law, years)
            if years and born is not None:
                found[name]["also_feature"] = _no_reason(name, notebook)
            why = (
                "its name speaks of a protected characteristic"
                if law != "none"
                else "not protected by law, but worth comparing"
            )
            if not role.audit:
                why += f"; better in a table apart with use: audit, not in {role.table.file}"
            notebook.note(f"protected.{name}", column.name, why, role.audit)
    if born is not None and all(line["law"] != "age" for line in found.values()):
        role, column = born
        days = (pl.Series([extracted_on]) - role.table.dates(column.name)).dt.total_days().median()
        bands = CHILD_BANDS if isinstance(days, (int, float)) and days < 18 * DAYS_IN_A_YEAR else ADULT_BANDS
        found["age"] = {"column": f"{role.name}.{column.name}", "law": "age", "bands": list(bands)}
        notebook.note(
            "protected.age", column.name, "age bands from the date of birth; choose bands that mean something", True
        )
        found["age"]["also_feature"] = _no_reason("age", notebook)
    return found


def _protected_line(role: Role, column: Column, law: str, years: bool) -> dict[str, Any]:
    line: dict[str, Any] = {"column": f"{role.name}.{column.name}", "law": law}
    if law == "none":
        line["words"] = plain(column.name)
    if years:
        highest = role.table.frame[column.name].cast(pl.Float64, strict=False).max()
        line["bands"] = list(CHILD_BANDS if isinstance(highest, float) and highest <= 25 else ADULT_BANDS)
    return line


def _no_reason(name: str, notebook: Notebook) -> str:
    notebook.note(
        f"protected.{name}.also_feature", "No reason given yet", "why may age be a feature? Or take the feature out"
    )
    return "No reason given yet"


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
