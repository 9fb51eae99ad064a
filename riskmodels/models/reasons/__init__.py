"""Why this person: the strongest contributions in plain words, and what the number cannot be trusted for.

A reason says what moved the number for this person against the average, not what causes the outcome (`NOT_A_CAUSE`).
It is made in two steps, so that a million people can be explained and only those who are read cost words:

- ``groups.py``       features that say the same thing
- ``codes.py``        `reason_codes`: reasons as numbers, a fixed-width record for each person
- ``words.py``        `say`, `reason_words`: the same in the study's words
- ``caveats.py``      what the number cannot be trusted for, in words
- ``roles.py``        who may see which reason
- ``directions.py``   which way a high value of a feature points
- ``uncertainty.py``  `fit_wobble`: how far the same reasons would move, had the sample been another
"""

from __future__ import annotations

from riskmodels.models.reasons.caveats import SAME_FOR_ALL
from riskmodels.models.reasons.codes import (
    LEAST_CONTRIBUTION,
    REASON_TYPE,
    UNKNOWN_DAY,
    key_facts,
    partial_sources,
    reason_codes,
    watched_facts,
)
from riskmodels.models.reasons.directions import directions
from riskmodels.models.reasons.roles import (
    NOT_ABOUT_YOU,
    NOT_IN_A_LETTER,
    RULE_WITHHELD,
    THE_PERSON,
    WITHHELD,
    known_roles,
    named_to_person,
    person_words,
    rule_shown_to,
    rule_told_to_person,
    rule_words,
    shown_to,
    shown_to_person,
    sources_of,
)
from riskmodels.models.reasons.uncertainty import fit_wobble
from riskmodels.models.reasons.words import (
    CLOSE_CALL,
    CLOSE_CALL_MEANS,
    NOT_A_CAUSE,
    WORDS,
    plain_number,
    reason_words,
    say,
    top_reasons,
)

__all__ = [
    "CLOSE_CALL",
    "CLOSE_CALL_MEANS",
    "LEAST_CONTRIBUTION",
    "NOT_ABOUT_YOU",
    "NOT_A_CAUSE",
    "NOT_IN_A_LETTER",
    "REASON_TYPE",
    "RULE_WITHHELD",
    "SAME_FOR_ALL",
    "THE_PERSON",
    "UNKNOWN_DAY",
    "WITHHELD",
    "WORDS",
    "directions",
    "fit_wobble",
    "key_facts",
    "known_roles",
    "named_to_person",
    "partial_sources",
    "person_words",
    "plain_number",
    "reason_codes",
    "reason_words",
    "rule_shown_to",
    "rule_told_to_person",
    "rule_words",
    "say",
    "shown_to",
    "shown_to_person",
    "sources_of",
    "top_reasons",
    "watched_facts",
]
