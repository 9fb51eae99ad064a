"""Words that blame people or name a cause: a study that would print them beside a person's name is refused.

A feature's words are read by a worker, and by the person. A record says what was noted, by whom a service was called or
what was missed; it does not say whose fault that was, and a model does not know why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from riskmodels.errors import StudyError
from riskmodels.study.file import StudyFile

WHAT_WAS_RECORDED = "what was recorded, without why"
# Only of features: why a rule leaves somebody off the list is said with whatever words say why.
CAUSES = {
    r"because": WHAT_WAS_RECORDED,
    r"caused|causing|causes(?! of)": WHAT_WAS_RECORDED,
    # Rent is due to a landlord, and a child is due to start school.
    r"(?<!rent )(?<!money )(?<!payment )(?<!payments )(?<!sums )due to(?! (?:be|end|leave|move|return|start)\b)":
        WHAT_WAS_RECORDED,
    r"owing to": WHAT_WAS_RECORDED,
    r"(?:leads?|leading|led) to": WHAT_WAS_RECORDED,
    r"(?:resulting|resulted) in": WHAT_WAS_RECORDED,
    r"as a result of": WHAT_WAS_RECORDED,
    r"(?:driven|brought on|brought about) by": WHAT_WAS_RECORDED,
}  # fmt: skip
BLAME = {
    r"fail(?:s|ed|ing|ure|ures)? to": "what did not happen: 'missed 3 appointments'",
    r"refus(?:es|ed|ing|als?|ers?)": "what was offered and not taken up",
    # A plan may stand under the category of neglect: that is the name of a record.
    r"(?<!category )(?<!category of )(?<!plan for )(?<!recorded as )neglect(?:s|ed|ing|ful)?":
        "which record there is: 'a plan under the category of neglect'",
    r"(?:bad|poor|inadequate|unfit|failing) (?:parent|mother|father|carer)(?:s|ing)?": "which record there is",
    r"(?:problem|troubled|chaotic) (?:famil(?:y|ies)|parents?|child(?:ren)?|household(?:s)?)": "which record there is",
    r"dysfunctional": "which record there is",
    r"chaotic": "what was recorded: 'moved home 3 times'",
    r"broken (?:homes?|famil(?:y|ies))": "who lives in the home",
    r"hard[- ]to[- ](?:reach|engage)": "how often a service tried, and how",
    r"non[- ]?(?:complian(?:t|ce)|engag(?:ing|ement)|attenders?)": "what was missed: 'missed 3 appointments'",
    r"(?:did not|does not|will not|won't|didn't|doesn't|refuses? to) (?:engage|comply|cooperate|co-operate)":
        "what was missed: 'missed 3 appointments'",
    r"(?:disengaged|uncooperative|unco-operative|unwilling|unmotivated)": "what was offered and not taken up",
    r"(?:lazy|feckless|irresponsible|work[- ]?shy|attention[- ]seeking|manipulative|promiscuous|underclass)":
        "what was recorded, not what somebody is like",
    r"truan(?:ts?|ted|ting|cy)": "how many days were missed",
    r"(?:addicts?|abusers?|an alcoholic|alcoholics|junkies?)": "which treatment or record there is",
    r"(?:repeat|persistent|prolific|career) (?:offenders?|criminals?)": "how many offences are recorded",
    r"(?:frequent flyers?|bed[- ]blockers?|time[- ]?wasters?|scroungers?)": "how often a service was used",
    r"(?:to blame|at fault|blameworthy|(?:his|her|their) own fault)": WHAT_WAS_RECORDED,
}  # fmt: skip
OF_A_FEATURE = ("words", "high", "low", "value")


def refuse_blaming(study: StudyFile, where: str = "study.yaml") -> None:
    """Refuse a study whose words blame people or name causes.

    Raises
    ------
    StudyError
        naming the key, the words and what to say instead.
    """
    for key, text, causes_too in _said(study):
        for pattern, instead in BLAME.items():
            if found := _found(pattern, text):
                raise StudyError(f"{where}: {key}: {found!r} blames people; say {instead}")
        for pattern, instead in CAUSES.items() if causes_too else ():
            if found := _found(pattern, text):
                raise StudyError(f"{where}: {key}: {found!r} names a cause, which no model knows; say {instead}")


def _said(study: StudyFile) -> Iterator[tuple[str, str, bool]]:
    """(key, text, whether it must not name a cause either)."""
    for index, line in enumerate(study.features):
        for key in OF_A_FEATURE:
            if text := getattr(line, key):
                yield f"features[{index}].{key}", text, True
    for index, rule in enumerate(study.service_rules):
        yield f"service_rules[{index}].because", rule.because, False
    for index, route in enumerate(study.routes):
        yield f"routes[{index}].because", route.because, False


def _found(pattern: str, text: str) -> str | None:
    found = re.search(rf"\b(?:{pattern})\b", " ".join(text.split()), flags=re.IGNORECASE)
    return found[0] if found else None
