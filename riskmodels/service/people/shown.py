"""What a letter may say to the person whom it is about: of the model's reasons, and of what was looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from riskmodels.data.features import FeatureSpec
from riskmodels.models.reasons import REASON_TYPE, reason_words, shown_to_person, sources_of
from riskmodels.models.risk_model import RiskModel
from riskmodels.study import Study

HELD_BACK = "something we may not show here"


def reasons_for_person(model: RiskModel, study: Study, codes: np.ndarray) -> dict[str, str | None] | None:
    """One person's reasons in words for that person; None where they were kept by a version with other codes.

    Parameters
    ----------
    codes : the person's codes, [1]
    """
    if codes.dtype != REASON_TYPE:
        return None
    # Where time runs from each one's own start, the day of a fact is not one of the calendar.
    dated = study.file.clock == "calendar"
    shown = shown_in_letter(model, study)
    said = reason_words(model, codes, shown=shown, withheld=HELD_BACK, dated=dated, close_calls=False)
    return {name: words[0] for name, words in said.items()}


def shown_in_letter(model: RiskModel, study: Study) -> np.ndarray:
    """Which features a letter may name, bool [features]: `shown_to_person`, by the study as it was approved."""
    known = {column.name for line in study.file.features for column in line.columns}
    as_studied = list(_as_studied(model.reasons, study))
    return shown_to_person(as_studied, study) & np.array([spec.name in known for spec in as_studied], dtype=bool)


def sources_used(model: RiskModel, study: Study) -> tuple[str, ...]:
    """The sources of the features that move the model's number, in the order of the study: whatever a feature is made
    from, and what says which records of another agency are whose."""
    sizes = model.fitted.importance
    moving = [spec for spec in model.reasons if sizes.get(spec.name, 0.0) > 0] or model.reasons
    made_from = (source for spec in _as_studied(moving, study) for source in sources_of(spec, study))
    return _in_order((source for source in made_from if source is not None), study)


def sources_looked_at(study: Study) -> tuple[str, ...]:
    """The sources that decide about people beside the model, in the order of the study: whom it is asked of, whom a
    rule leaves off or a route flags, which team serves them, and who lives together."""
    file = study.file
    asked = [
        *(step.keep or step.drop for step in file.cohort.steps),
        *(rule.exclude for rule in file.service_rules),
        *(route.when for route in file.routes),
    ]
    columns = (file.capacity.by, file.cohort.cluster if file.list_unit == "household" else None)
    return _in_order({*file.sources_of(asked), *(column.partition(".")[0] for column in columns if column)}, study)


def _as_studied(specs: Iterable[FeatureSpec], study: Study) -> Iterator[FeatureSpec]:
    """A saved model keeps a feature's words; whom it is about and what it is made from stands in the study too."""
    lines = {column.name: line for line in study.file.features for column in line.columns}
    for spec in specs:
        line = lines.get(spec.name)
        if line is None:
            yield spec
            continue
        about = line.about or study.file.level_of(spec.source)
        yield replace(spec, about=about, by=line.by or spec.by, over=line.over or spec.over)


def _in_order(sources: Iterable[str], study: Study) -> tuple[str, ...]:
    used = set(sources)
    for name in tuple(used):
        link = study.file.sources[name].link if name in study.file.sources else None
        if link is not None:
            used.add(link.through or str(link.flag).partition(".")[0])
    return tuple(name for name in study.file.sources if name in used)
