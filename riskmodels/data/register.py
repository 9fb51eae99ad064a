"""Whether each source may be used for this: its permitted purposes, its agreement, and the law's conditions.

What is forbidden stops the run (`refuse_unpermitted`); what a complete register would also say is listed
(`register_gaps`) and printed, so that nobody takes silence for a yes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from riskmodels.errors import DataError
from riskmodels.study import Register, RegisterEntry, Source, Study

ENDS_SOON_DAYS = 90
# Characteristics that the Equality Act protects and whose record is special category data (UK GDPR, Article 9).
SPECIAL_BY_LAW = (
    "disability", "gender reassignment", "pregnancy and maternity", "race", "religion or belief", "sexual orientation",
)  # fmt: skip
# The one gap that depends on the day: a card, which knows no clock, leaves it to the page that is made of it.
ENDS_SOON = "agreement_expires"


def refuse_unpermitted(study: Study, uses: tuple[str, ...], today: dt.date, *, scoring: bool = False) -> None:
    """Refuse what the register does not allow, before a row is read.

    Parameters
    ----------
    uses : which sources will be read, ``("model", "audit")`` or ``("model",)``
    today : the day by which an agreement must not be over
    scoring : lists of people will be made; a source whose purposes are not stated is then refused too

    Raises
    ------
    DataError
        naming ``register.yaml``, the source, the key and what to do.
    """
    where = study.folder / "register.yaml"
    for name, source in study.file.sources.items():
        if source.use in uses:
            for key, fault in _faults(name, source, study, today, scoring):
                raise DataError(f"{where}: sources.{name}.{key}: {fault}")


def register_gaps(study: Study, today: dt.date) -> tuple[dict[str, str], ...]:
    """What a complete register would say of the study's sources, or what will soon run out: {source, key, words}."""
    rows = [
        {"source": name, "key": key, "words": words}
        for name, source in study.file.sources.items()
        for key, words in _gaps(name, study.register.sources[name], study, today)
    ]
    if study.register.audit_purpose is None and any(source.use == "audit" for source in study.file.sources.values()):
        words = "not stated; the audit's sources are held to the purpose of the lists"
        rows.append({"source": "all audit sources", "key": "audit_purpose", "words": words})
    return tuple(rows)


def purpose_of(source: Source, register: Register) -> str:
    """What this study uses a source for."""
    return (register.audit_purpose or register.purpose) if source.use == "audit" else register.purpose


def special_categories(name: str, study: Study) -> tuple[str, ...]:
    """The special categories of data that a source holds, as it says itself or as the study uses its columns.

    What describes a place is no personal data, unless its owner says that it is.
    """
    held = {
        spec.law
        for spec in study.file.protected.values()
        if spec.column.partition(".")[0] == name and spec.law in SPECIAL_BY_LAW
    }
    entry = study.register.sources[name]
    said = entry.special_category
    if entry.about == "place":
        return said
    return (*said, *sorted(held - {_plain(category) for category in said}))


def _faults(name: str, source: Source, study: Study, today: dt.date, scoring: bool) -> Iterator[tuple[str, str]]:
    entry = study.register.sources[name]
    purpose = purpose_of(source, study.register)
    allowed = {_plain(permitted) for permitted in entry.permitted_purposes}
    if _plain(purpose) not in allowed:
        if allowed:
            said = f"does not include {purpose!r}, which this study uses it for"
            yield "permitted_purposes", f"{said}; ask {entry.owner} to permit it, or leave the source out"
        elif scoring:
            said = "is not stated, so no list may be made from it"
            yield "permitted_purposes", f"{said}; ask {entry.owner} what it may be used for, and register that"
    if entry.agreement_expires is not None and entry.agreement_expires < today:
        said = f"the agreement ended on {entry.agreement_expires}"
        yield "agreement_expires", f"{said}; renew it and register its new end, or leave the source out"
    special = special_categories(name, study)
    if special and not _plain(entry.special_category_condition or ""):
        said = f"is missing, and the source holds {', '.join(special)}"
        yield "special_category_condition", f"{said}; name the condition of UK GDPR, Article 9(2), that allows it"
    if entry.criminal_offence and not _plain(entry.schedule_1_condition or ""):
        said = "is missing, and the source holds data on criminal offences"
        yield "schedule_1_condition", f"{said}; name the condition of the Data Protection Act 2018, Schedule 1"


def _gaps(name: str, entry: RegisterEntry, study: Study, today: dt.date) -> Iterator[tuple[str, str]]:
    if not entry.permitted_purposes:
        yield "permitted_purposes", "not stated; `riskmodels score` refuses such a source"
    unnamed = [category for category in special_categories(name, study) if category not in entry.special_category]
    if unnamed:
        yield "special_category", f"does not name {', '.join(unnamed)}, which the study takes from it"
    for key, missing in (
        ("agreement", "no agreement to share is named, nor that none is needed"),
        ("people_were_told", "not said what the people were told"),
        ("asked", "not said whether anybody was asked if it may be used so"),
        ("spatial_level", "not said how fine the places in it are"),
    ):
        if not _plain(getattr(entry, key) or ""):
            yield key, missing
    if special_categories(name, study) and not _plain(entry.schedule_1_condition or ""):
        yield "schedule_1_condition", "not said whether the Data Protection Act 2018, Schedule 1, asks for a condition"
    if not entry.seen_by:
        yield "seen_by", "not said who may see it"
    if entry.dpia is None:
        yield "dpia", "no data protection impact assessment is named"
    if entry.agreement_expires is not None and 0 <= (entry.agreement_expires - today).days <= ENDS_SOON_DAYS:
        yield ENDS_SOON, f"the agreement ends on {entry.agreement_expires}; renew it before then"


def _plain(text: str) -> str:
    """Without case and extra blanks, in which two ways of writing a purpose may differ."""
    return " ".join(text.split()).casefold()
