"""What the groups of a protected characteristic are called: labels, bands, and those that nothing is recorded of."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl

from riskmodels.study import Protected, StudyFile

NOT_RECORDED = "Not recorded"
# What programs write for an empty cell, in any case. "None" is not among them: people may have no religion.
EMPTY = ("", "nan", "na", "n/a", "null", "<na>")
MOST_GROUPS = 60  # more are codes, not groups
FEWEST_PEOPLE = 10  # what fewer have in a field may be what somebody typed into it: a name
LONGEST_CODE = 3  # letters; nobody is known by fewer
OTHERS = "Other small groups"
# That a group is not known is nobody's name. The default policy's words, which belong to a later layer.
UNSAID = (
    "not recorded", "not known", "unknown", "not stated", "not disclosed", "undisclosed", "not provided", "not asked",
    "not answered", "missing", "refused", "declined", "prefer not to say", "prefer not to disclose", "don't know",
    "dont know", "do not know",
)  # fmt: skip


def pool_rare(values: pl.Series, people: pl.Series, spec: Protected | None) -> pl.Series:
    """Groups of fewer than ten people as one, unless the study names them: a value that few share may be a name.

    Numbers and truths stay as they are, and so do words of up to three letters, and those that say that the group is
    not known. A column of more values than can be groups stays whole: it is refused as such, without its values.

    Parameters
    ----------
    values : (n,) of any type, as recorded or as the study names it; null where nothing is recorded
    people : (n,) whose each value is
    spec : of the characteristic; None where the study knows nothing of it
    """
    if values.dtype != pl.String:
        return values
    text = recorded(values)
    shared = pl.DataFrame({"value": text, "who": people}).group_by("value").agg(pl.col("who").n_unique())
    if shared.height > MOST_GROUPS:
        return values
    rare = [
        value
        for value, count in shared.iter_rows()
        if value is not None and count < FEWEST_PEOPLE and may_be_a_name(value, spec)
    ]
    return values.set(text.is_in(rare).fill_null(False), OTHERS) if rare else values


def pool_rare_groups(groups: pl.DataFrame, study: StudyFile) -> pl.DataFrame:
    """As `pool_rare`, of each characteristic of the cohort (`riskmodels.data.groups`). Places have no names to keep."""
    if study.level == "place":
        return groups
    pooled = [
        pool_rare(groups[name], groups["entity_id"], spec).alias(name)
        for name, spec in study.protected.items()
        if name in groups.columns
    ]
    return groups.with_columns(pooled)


def may_be_a_name(value: str, spec: Protected | None) -> bool:
    """Whether a group's name, which the study does not give, can be what a person is known by."""
    said = " ".join(value.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").casefold().split())
    if len(value) <= LONGEST_CODE or said in UNSAID or value in (NOT_RECORDED, OTHERS):
        return False
    if spec is None:
        return True
    known = {*spec.labels, *spec.labels.values(), spec.reference, *(band_labels(spec.bands) if spec.bands else ())}
    return value not in known and not (spec.bands and _is_number(value))


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def name_groups(groups: pl.DataFrame, study: StudyFile) -> pl.DataFrame:
    """The names of everybody's groups, where there are few enough groups to speak of.

    Parameters
    ----------
    groups : entity_id, as_of_date and a column for each protected characteristic (`riskmodels.data.groups`)

    Returns
    -------
    The same rows; each characteristic is text, and nothing is null.
    """
    kept = ["entity_id", "as_of_date"]
    columns = []
    for name, spec in study.protected.items():
        if name not in groups.columns:
            continue
        named = _named(groups[name], spec).fill_null(NOT_RECORDED).alias(name)
        if named.n_unique() <= MOST_GROUPS:
            columns.append(named)
    return groups.select(kept).with_columns(columns)


def in_order(names: list[str], spec: Protected) -> list[str]:
    """Bands upwards, words by name, and last those that nothing is recorded of."""
    bands = {label: place for place, label in enumerate(band_labels(spec.bands))} if spec.bands else {}
    return sorted(names, key=lambda name: (name == NOT_RECORDED, bands.get(name, len(bands)), name))


def reference_of(sizes: dict[str, int], spec: Protected) -> str | None:
    """The group that the others are compared with: the study's, or else the largest of those that are recorded."""
    asked = None if spec.reference is None else spec.labels.get(spec.reference, spec.reference)
    if asked in sizes:
        return asked
    recorded = {name: size for name, size in sizes.items() if name != NOT_RECORDED}
    return max(sorted(recorded), key=recorded.__getitem__) if recorded else None


def band_labels(bands: tuple[float, ...]) -> tuple[str, ...]:
    """Names for the bands that lie between the cut points: ``under 45``, ``45-54``, ``55 and over``.

    Each band starts at its cut point. Where all cut points are whole numbers, so are the ends ("45-54" holds 54.9).
    """
    whole = all(float(cut).is_integer() for cut in bands)
    between = [
        (f"{low:g}-{high - 1:g}" if high - 1 > low else f"{low:g}") if whole else f"{low:g} to under {high:g}"
        for low, high in pairwise(bands)
    ]
    return (f"under {bands[0]:g}", *between, f"{bands[-1]:g} and over")


def recorded(values: pl.Series) -> pl.Series:
    """Text without the blanks around it; null where it is blank or says "NaN", "NA", "N/A", "null" or "<NA>".

    Letters that look alike are alike, whether an accent is written as part of them or after them.
    """
    text = values.cast(pl.String).str.strip_chars().str.normalize("NFC")
    return text.set(text.str.to_lowercase().is_in(EMPTY).fill_null(False), None)


def finite(values: pl.Series) -> pl.Series:
    """The finite numbers that values are or spell out; null for all others, ``nan`` and ``inf`` among them."""
    numbers = values.cast(pl.Float64, strict=False)
    return numbers.set(~numbers.is_finite().fill_null(False), None)


def in_bands(values: pl.Series, bands: tuple[float, ...]) -> pl.Series:
    """Numbers as the names of their bands, null for those that are not finite; words stay as they are.

    Parameters
    ----------
    values : (n,) text
    """
    numbers, known = values.cast(pl.Float64, strict=False), finite(values)
    place = np.searchsorted(np.asarray(bands), known.fill_null(0).to_numpy(), side="right")
    named = pl.Series(np.array(band_labels(bands), dtype=object)[place].tolist(), dtype=pl.String)
    named = named.set(known.is_null(), None)
    return pl.select(pl.when(numbers.is_null()).then(values).otherwise(named)).to_series()


def _named(values: pl.Series, spec: Protected) -> pl.Series:
    text = recorded(values)
    if spec.bands:
        text = in_bands(text, spec.bands)
    return text.replace(spec.labels) if spec.labels else text
