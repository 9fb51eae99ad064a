"""A study folder, read and checked: everything that one question may say.

`load_study` is the way in. `StudyFile` mirrors ``study.yaml`` key by key; it is frozen and refuses keys it does not
know, naming their path (``split.horizon_dys``). Sections are passed inwards as they are: there is no second schema.

Each file imports only from those above it:

- ``periods.py``     `Period`, a length of calendar time
- ``section.py``     `Section`, what every part is made from, and small types
- ``spelling.py``    which name was probably meant
- ``sources.py``     ``sources`` and ``facts``, and the conditions on their columns
- ``predicates.py``  the grammar of what is true or false of a person on a day
- ``cohort.py``      ``cohort`` and ``outcome``
- ``features.py``    ``features``, and the names of what may be taken (`AGGREGATIONS`)
- ``models.py``      ``split`` and ``models``: the families and their settings
- ``use.py``         ``capacity``, ``service_rules``, ``protected`` and the rest of use and audit
- ``file.py``        `StudyFile`: all of these, and the checks that need more than one
- ``register.py``    ``register.yaml``
- ``answers.py``     ``answers.yaml``
- ``examples.py``    ``examples.yaml``
- ``problems.py``    what is wrong with a file, in one line
- ``clock.py``       which day it is for those who decide
- ``folder.py``      `Study` and `load_study`: the three files of a folder
"""

from __future__ import annotations

from riskmodels.study import clock
from riskmodels.study.answers import Answer, Answers
from riskmodels.study.cohort import ESTIMATE, AsOfDates, CohortSection, OutcomeSection
from riskmodels.study.examples import Example, Examples
from riskmodels.study.features import (
    AGGREGATIONS,
    EACH,
    OF_A_COLUMN,
    OF_A_SOURCE,
    OF_NUMBERS,
    FeatureLine,
    PlannedColumn,
)
from riskmodels.study.file import StudyFile
from riskmodels.study.folder import Study, load_kept_study, load_study, parse_study_file
from riskmodels.study.models import (
    BASELINES,
    ExplainableBoostingSettings,
    LightGBMSettings,
    LogisticSettings,
    ModelsSection,
    NoSettings,
    PointsSettings,
    SplitSection,
    TestDates,
    Tuning,
)
from riskmodels.study.periods import Period
from riskmodels.study.predicates import (
    Age,
    AllOf,
    AnyFact,
    AnyOf,
    Attribute,
    CountFact,
    FirstEver,
    FollowedUntil,
    NoFact,
    Not,
    Predicate,
    fact_word,
    parts_of,
)
from riskmodels.study.problems import validated
from riskmodels.study.register import Register, RegisterEntry
from riskmodels.study.section import Section, Slug
from riskmodels.study.sources import DATABASE_FILES, Condition, Fact, Link, Source
from riskmodels.study.use import PROTECTED_BY_LAW, Capacity, Consents, Floors, Help, Money, Objections, Protected

__all__ = [
    "AGGREGATIONS",
    "BASELINES",
    "DATABASE_FILES",
    "EACH",
    "ESTIMATE",
    "OF_A_COLUMN",
    "OF_A_SOURCE",
    "OF_NUMBERS",
    "PROTECTED_BY_LAW",
    "Age",
    "AllOf",
    "Answer",
    "Answers",
    "AnyFact",
    "AnyOf",
    "AsOfDates",
    "Attribute",
    "Capacity",
    "CohortSection",
    "Condition",
    "Consents",
    "CountFact",
    "Example",
    "Examples",
    "ExplainableBoostingSettings",
    "Fact",
    "FeatureLine",
    "FirstEver",
    "Floors",
    "FollowedUntil",
    "Help",
    "LightGBMSettings",
    "Link",
    "LogisticSettings",
    "ModelsSection",
    "Money",
    "NoFact",
    "NoSettings",
    "Not",
    "Objections",
    "OutcomeSection",
    "Period",
    "PlannedColumn",
    "PointsSettings",
    "Predicate",
    "Protected",
    "Register",
    "RegisterEntry",
    "Section",
    "Slug",
    "Source",
    "SplitSection",
    "Study",
    "StudyFile",
    "TestDates",
    "Tuning",
    "clock",
    "fact_word",
    "load_kept_study",
    "load_study",
    "parse_study_file",
    "parts_of",
    "validated",
]
