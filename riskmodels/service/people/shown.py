"""What of the model's reasons a letter may say to the person whom they are about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from riskmodels.models.reasons import REASON_TYPE, reason_words, shown_to_person
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
    said = reason_words(model, codes, shown=shown_in_letter(model, study), withheld=HELD_BACK)
    return {name: words[0] for name, words in said.items()}


def shown_in_letter(model: RiskModel, study: Study) -> np.ndarray:
    """Which features a letter may name, bool [features]: about the person, by the study as it was approved, and made of
    no restricted source."""
    lines = {column.name: line for line in study.file.features for column in line.columns}
    shown = np.zeros(len(model.reasons), dtype=bool)
    for place, spec in enumerate(model.reasons):
        line = lines.get(spec.name)
        if line is None:
            continue
        # A saved model keeps a feature's words; whom it is about stands in the study.
        about = line.about or study.file.level_of(spec.source)
        said = replace(spec, about=about, by=line.by, over=line.over)
        fact = study.file.facts.get((line.over or "").partition(".")[0])
        made_of = {spec.source, *({fact.source} if fact else ())}
        shown[place] = bool(shown_to_person([said], study)[0]) and not any(is_restricted(one, study) for one in made_of)
    return shown


def is_restricted(source: str, study: Study) -> bool:
    entry = study.register.sources.get(source)
    return entry is None or entry.sensitivity == "restricted"


def sources_used(model: RiskModel, study: Study) -> tuple[str, ...]:
    """The sources of the features that move the model's number, in the order of the study."""
    sizes = model.fitted.importance
    moving = [spec.source for spec in model.reasons if sizes.get(spec.name, 0.0) > 0]
    used = set(moving or [spec.source for spec in model.reasons])
    return tuple(name for name in study.file.sources if name in used)
