"""Words that blame people or name a cause: a study that would print them beside a person's name is refused.

A feature's words are read by a worker, and by the person. A record says what was noted, by whom a service was called or
what was missed; it does not say whose fault that was, and a model does not know why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from riskmodels.errors import StudyError
from riskmodels.study.features import EACH
from riskmodels.study.file import StudyFile

# Signs that look like an apostrophe, and those that nobody sees.
ALIKE = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u2032`", "'") | dict.fromkeys("\u00ad\u200b\u2060"))
# Whoever is named so is blamed by the word before it.
KIN = (
    r"(?:mothers?|mums?|fathers?|dads?|parents?|step[- ]?(?:mother|father|parent)s?|carers?|famil(?:y|ies)|homes?|"
    r"households?)"
)
ENGAGE = r"(?:engage|comply|cooperate|co-operate)"
ENGAGEMENT = r"(?:engagement|compliance|cooperation|co-operation|motivation)"
WHAT_WAS_RECORDED = "what was recorded, without why"
# Only of features: why a rule leaves somebody off the list is said with whatever words say why.
CAUSES = {
    r"because": WHAT_WAS_RECORDED,
    r"caused|causing|causes(?! of)": WHAT_WAS_RECORDED,
    # The cause of a death is a record.
    r"causes? of(?! (?:\w+ )?deaths?\b)": WHAT_WAS_RECORDED,
    # Rent is due to a landlord, and a child is due to start school.
    r"(?<!rent )(?<!money )(?<!payment )(?<!payments )(?<!sums )due to(?! (?:be|end|leave|move|return|start)\b)":
        WHAT_WAS_RECORDED,
    r"owing to": WHAT_WAS_RECORDED,
    r"(?:leads?|leading|led) to": WHAT_WAS_RECORDED,
    r"(?:resulting|resulted) in": WHAT_WAS_RECORDED,
    # Test results stand in a subject, and in a time.
    r"(?<!test )(?<!tests )(?<!exam )(?<!blood )(?<!lab )(?<!school )(?<!scan )(?<!low )(?<!poor )(?<!good )(?<!high )"
    r"results? in(?! (?:the|this|last|each|every|any|all|one|two|\d+|english|maths|mathematics|reading|writing|"
    r"spelling|science|spring|summer|autumn|winter|year|key)\b)":
        WHAT_WAS_RECORDED,
    r"as a (?:result|consequence) of|in consequence of|on account of": WHAT_WAS_RECORDED,
    r"(?:driven|brought on|brought about|triggered) by": WHAT_WAS_RECORDED,
    r"stem(?:s|med|ming)? from": WHAT_WAS_RECORDED,
    r"attribut(?:ed|able) to": WHAT_WAS_RECORDED,
}  # fmt: skip
BLAME = {
    r"fail(?:s|ed|ing|ure|ures)? to": "what did not happen: 'missed 3 appointments'",
    r"refus(?:es|ed|ing|als?|ers?)": "what was offered and not taken up",
    # A plan may stand under the category of neglect: that is the name of a record.
    r"(?<!category )(?<!category of )(?<!plan for )(?<!recorded as )neglect(?:s|ed|ing|ful)?":
        "which record there is: 'a plan under the category of neglect'",
    r"fail(?:ed|ing) (?:appointments?|visits?|contacts?)|dna'?d": "what was missed: 'missed 3 appointments'",
    r"(?:parental|parents'|mother's|father's|family) fail(?:ure|ing)s?": "which record there is",
    r"(?:bad|poor|inadequate|unfit|failing) (?:parent|mother|father|carer)(?:s|ing)?": "which record there is",
    rf"(?:abusive|criminal|difficult|anti-?social|neglectful) {KIN}": "which record there is",
    r"difficult (?:child|children|pupils?|patients?|tenants?)": "what was recorded, not what somebody is like",
    r"(?:problem|troubled|chaotic) (?:famil(?:y|ies)|parents?|child(?:ren)?|household(?:s)?)": "which record there is",
    r"dysfunctional": "which record there is",
    r"chaotic": "what was recorded: 'moved home 3 times'",
    r"broken (?:homes?|famil(?:y|ies))": "who lives in the home",
    r"hard[- ]to[- ](?:reach|engage)": "how often a service tried, and how",
    r"non[- ]?(?:complian(?:t|ce)|engag(?:ing|ement)|attenders?)": "what was missed: 'missed 3 appointments'",
    rf"(?:(?:did|does|do|will|would|could|can) ?not|(?:did|does|do|wo|would|could|ca)n't|refuses? to|never)"
    rf"(?: \w+ly)? {ENGAGE}s?":
        "what was missed: 'missed 3 appointments'",
    rf"(?:lack of|poor) (?:\w+ )?{ENGAGEMENT}": "what was missed: 'missed 3 appointments'",
    r"(?:disengaged|uncooperative|unco-operative|unwilling|unmotivated)": "what was offered and not taken up",
    r"(?:lazy|feckless|irresponsible|work[- ]?shy|attention[- ]seeking|manipulative|promiscuous|underclass)":
        "what was recorded, not what somebody is like",
    r"truan(?:ts?|ted|ting|cy)": "how many days were missed",
    r"(?:addicts?|abusers?|an alcoholic|alcoholics|junkies?)": "which treatment or record there is",
    r"(?:repeat|persistent|prolific|career) (?:offenders?|criminals?)": "how many offences are recorded",
    r"(?:frequent flyers?|bed[- ]blockers?|time[- ]?wasters?|scroungers?)": "how often a service was used",
    r"(?:to blame|at fault|blameworthy|(?:his|her|their) own fault)": WHAT_WAS_RECORDED,
}  # fmt: skip
OF_A_FEATURE = ("words", "high", "low", "value", "none")


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
        values = [value for held in (line.each or {}).values() for value in held]
        for key in OF_A_FEATURE:
            if text := getattr(line, key):
                # As it is read: with each of the line's values in its place.
                for said in [text.replace(EACH, value) for value in values] if EACH in text else [text]:
                    yield f"features[{index}].{key}", said, True
    for name in study.bands:
        yield f"bands.{name}", name, True
    for index, rule in enumerate(study.service_rules):
        yield f"service_rules[{index}].because", rule.because, False
    for index, route in enumerate(study.routes):
        yield f"routes[{index}].because", route.because, False


def _found(pattern: str, text: str) -> str | None:
    found = re.search(rf"\b(?:{pattern})\b", " ".join(text.translate(ALIKE).split()), flags=re.IGNORECASE)
    return found[0] if found else None
