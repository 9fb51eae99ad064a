"""What the group columns of a file of predictions are: their law, bands and reference, or why they are refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from riskmodels.assessment.audit.coding import as_text
from riskmodels.assessment.audit.policy import Policy
from riskmodels.assessment.audit.without_risk import CALIBRATION
from riskmodels.commands.audit_options import Note
from riskmodels.data.group_names import band_labels, pool_rare
from riskmodels.errors import DataError, UsageError
from riskmodels.study import PROTECTED_BY_LAW, Protected
from riskmodels.study.spelling import meant

NO_LAW = "none"
EVERYTHING_ELSE = "all"

# To have one more name understood: one word here. Others are named with --law.
ALSO_CALLED = {
    "age": ("age band", "age group", "ageband"),
    "disability": ("disabled",),
    "gender reassignment": ("gender identity", "transgender", "trans"),
    "marriage and civil partnership": ("marriage", "married", "marital status"),
    "pregnancy and maternity": ("pregnancy", "pregnant", "maternity"),
    "race": ("ethnicity", "ethnic group", "ethnic"),
    "religion or belief": ("religion", "faith", "belief"),
    "sex": ("gender",),
    "sexual orientation": ("orientation",),
}
MOST_NUMBERS = 20  # as many codes as the longest usual list of ethnic groups; more are amounts, and need bands
MANY_NUMBERS = 8  # from so many different numbers on, a note says how to join neighbours
LONGEST_GROUP = 80
SINGLE_VALUES = 10


def law_of(column: str) -> str:
    """The protected characteristic that a column of this name is taken for; ``none`` where it is not clear."""
    said = re.sub(r"[^a-z]+", " ", column.casefold()).strip()
    return next((law for law in PROTECTED_BY_LAW if said == law or said in ALSO_CALLED[law]), NO_LAW)


def described(
    groups: pl.DataFrame,
    policy: Policy,
    *,
    file: str,
    laws: Mapping[str, str],
    references: Mapping[str, str],
    bands: Mapping[str, tuple[float, ...]],
) -> tuple[dict[str, Protected], tuple[Note, ...]]:
    """Each group column as an audit wants it, and what there is to say of how it was understood.

    Parameters
    ----------
    groups : a column for each
    laws, references, bands : column -> what the user says of it, where anything

    Raises
    ------
    UsageError
        if an option names no group column, or says what cannot be of it: an unknown law or reference, cut points that
        do not rise, bands of words. If numbers need bands.
    DataError
        if a column is free text.
    """
    for option, said in (("--law", laws), ("--reference", references), ("--bands", bands)):
        for column in said:
            if column not in groups.columns:
                raise UsageError(f"{option}: {column!r} is not one of --groups{meant(column, groups.columns)}")
    for column, law in laws.items():
        if law not in (*PROTECTED_BY_LAW, NO_LAW):
            known = (*PROTECTED_BY_LAW, NO_LAW)
            raise UsageError(f"--law {column}: the law protects no {law!r}{meant(law, known)}")
    specs = {}
    for column in groups.columns:
        cuts = bands.get(column, ())
        _refuse_what_is_no_group(groups[column], cuts, Path(file).name, policy)
        _refuse_unknown_reference(groups[column], cuts, references.get(column))
        specs[column] = Protected(
            column="file.column", law=laws.get(column) or law_of(column), reference=references.get(column), bands=cuts
        )
    return specs, (*_understood(specs), *(note for name in specs if (note := _many_numbers(groups[name], bands))))


def _understood(specs: Mapping[str, Protected]) -> tuple[Note, ...]:
    taken = [f"{column!r} for {spec.law}" for column, spec in specs.items() if spec.law not in (NO_LAW, column)]
    others = [repr(column) for column, spec in specs.items() if spec.law == NO_LAW]
    otherwise = "--law COLUMN=LAW says otherwise."
    notes = []
    if taken:
        notes.append(Note(f"Taken for what the law protects: {', '.join(taken)}.", otherwise))
    if others:
        one = "none of the nine characteristics that the law protects"
        notes.append(Note(f"Taken for {one}: {', '.join(others)}.", otherwise))
    return tuple(notes)


def _many_numbers(values: pl.Series, bands: Mapping[str, tuple[float, ...]]) -> Note | None:
    """Of a column of many numbers without bands, such as deciles: each number is a group, and how to join some."""
    if values.name in bands:
        return None
    numbers = as_text(values, values.name).drop_nulls().unique().cast(pl.Float64, strict=False).drop_nulls().sort()
    if len(numbers) < MANY_NUMBERS:
        return None
    cuts = ",".join(f"{numbers[-(-len(numbers) * third // 3) - (third == 1)]:g}" for third in (1, 2))
    return Note(
        f"{values.name!r} has {len(numbers)} different numbers, and each is a group of its own.",
        f"If their order means something, --bands {values.name}={cuts} would join neighbours.",
    )


def _refuse_what_is_no_group(values: pl.Series, cuts: tuple[float, ...], file: str, policy: Policy) -> None:
    name, text = values.name, as_text(values, values.name)
    distinct = text.drop_nulls().unique()
    numbers = distinct.cast(pl.Float64, strict=False).drop_nulls()
    if cuts:
        if list(cuts) != sorted(set(cuts)):
            raise UsageError(f"--bands {name}: cut points rise, as in --bands {name}=25,45")
        if len(distinct) and not len(numbers):
            raise UsageError(f"--bands {name}: the column holds no numbers to make bands of; leave --bands out")
        return
    if len(numbers) > MOST_NUMBERS or (numbers != numbers.round()).any():
        raise UsageError(
            f"--groups: {name!r} holds many different numbers, which are no groups; give bands, such as --bands "
            f"{name}=25,45"
        )
    singles = int((text.drop_nulls().value_counts()["count"] == 1).sum())
    few = len(distinct) <= policy.most_groups  # the audit itself says what it thinks of more
    long = bool((distinct.str.len_chars() > LONGEST_GROUP).any())
    if few and (long or (singles >= SINGLE_VALUES and 2 * singles > len(distinct))):
        how = "some values are very long" if long else "most of its values stand in one row only"
        raise DataError(f"{file}, column {name!r}: looks like free text or ids ({how}); sort it into a few groups")


def _refuse_unknown_reference(values: pl.Series, cuts: tuple[float, ...], reference: str | None) -> None:
    if reference is None:
        return
    text = as_text(values, values.name)
    known = text.drop_nulls().unique().sort().to_list()
    if cuts:
        words = [word for word in known if not _is_number(word)]
        known = [*band_labels(cuts), *words]
    if reference not in known:
        # What few have there may be somebody's name.
        told = {*pool_rare(text, pl.Series(range(text.len())), None), *(band_labels(cuts) if cuts else ())}
        said = meant(reference, [word for word in known if word in told])
        if len(known) > MOST_NUMBERS:
            said = "; give the name of a group as it stands in the file"
        raise UsageError(f"--reference {values.name}: {reference!r} is no group of that column{said}")


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def excuses(said: Mapping[str, str]) -> dict[str, str]:
    """Why characteristics are not audited, with ``all`` written out.

    Raises UsageError for one that the law does not protect, or without a reason.
    """
    known = (*PROTECTED_BY_LAW, CALIBRATION, EVERYTHING_ELSE)
    for law, reason in said.items():
        if law not in known:
            raise UsageError(f"--not-audited: the law protects no {law!r}{meant(law, known)}")
        if not reason.strip():
            raise UsageError(f"--not-audited {law}: give a reason, as in --not-audited {law}='not held by the service'")
    rest = dict.fromkeys((*PROTECTED_BY_LAW, CALIBRATION), said[EVERYTHING_ELSE]) if EVERYTHING_ELSE in said else {}
    return rest | {law: reason for law, reason in said.items() if law != EVERYTHING_ELSE}
