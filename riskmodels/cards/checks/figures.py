"""Pictures and colours: nobody has to see a picture, or tell colours apart, to know what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping

from riskmodels.cards.checks.checked import Checked, Verdict, some
from riskmodels.cards.checks.colours import LEAST_FOR_MARKS, LEAST_FOR_TEXT, contrast
from riskmodels.cards.checks.drawn import faint

RULE = re.compile(r"([^{}@;]+)\{([^{}]*)\}")
HEX = r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b"
# Pictures of counts or of the parts of a whole, which estimate nothing, and of trials, whose table says in words which
# of them is beyond chance.
COUNTED = {
    "people_per_100", "missed_per_100", "units_per_100", "missed_units_per_100", "attrition", "unknown_by_fifth",
    "drivers", "mitigation",
}  # fmt: skip
ENDS = ("at least", "at most")


def figures_are_whole(checked: Checked) -> Verdict:
    """Each has an alternative text, a unit, a table with rows, and how many people stand behind it."""
    lacking = [
        figure["id"]
        for figure in checked.card["figures"]
        if not (figure["alt"].strip() and figure["unit"].strip() and figure["table"]["rows"] and figure["n"])
    ]
    return not lacking, (
        f"without alternative text, table, unit or n: {some(lacking)}; build the card again"
        if lacking
        else "every figure is whole"
    )


def figures_have_intervals(checked: Checked) -> Verdict:
    """A picture of estimates shows between what they lie, by chance."""
    bare = [
        figure["id"]
        for figure in checked.card["figures"]
        if figure["id"] not in COUNTED
        and not all(any(end in column for column in figure["table"]["columns"]) for end in ENDS)
    ]
    return not bare, (
        f"estimates without an interval: {some(bare)}; build the card again"
        if bare
        else "every estimate has an interval"
    )


# ---------------------------------------------------------------- contrast


def text_contrast(checked: Checked) -> Verdict:
    """Every colour of text of the style sheet, on every ground that it may stand on."""
    faint = faint_text(checked.page.style)
    return not faint, (
        f"text too faint: {some(faint)}; at least {LEAST_FOR_TEXT}"
        if faint
        else f"the contrast of text is {LEAST_FOR_TEXT} or more"
    )


def faint_text(style: str) -> list[str]:
    """Selectors of a style sheet whose text stands out too little, with the contrast.

    A rule without a ground stands on the page's; a rule ``.status-draft`` takes from ``.status`` what it does not say.
    """
    named: dict[str, str] = dict(re.findall(rf"--([\w-]+): *({HEX})", style.partition("}")[0]))
    rules: dict[str, dict[str, str]] = {}
    for selectors, body in RULE.findall(re.sub(r"/\*.*?\*/", "", style, flags=re.S)):
        painted = {
            "color": _colour(re.search(r"(?:^|[;\s])color: *([^;]+)", body), named),
            "ground": _colour(re.search(r"(?:^|[;\s])background(?:-color)?: *([^;]+)", body), named),
        }
        for selector in selectors.split(","):
            kept = rules.setdefault(selector.strip(), {})
            # The first says what a screen shows; a rule in @media changes it for paper or for more contrast.
            kept.update({what: colour for what, colour in painted.items() if colour and what not in kept})
    page = {"color": named.get("ink", "#000000"), "ground": named.get("paper", "#ffffff")}
    found = []
    for selector, own in rules.items():
        family = [selector.rsplit("-", depth)[0] for depth in range(1, selector.count("-") + 1)]
        above = next((rules[name] for name in family if name in rules), {})
        kin = [one["ground"] for name, one in rules.items() if name.startswith(f"{selector}-") and "ground" in one]
        if not own:
            continue
        ink = own.get("color") or above.get("color") or page["color"]
        grounds = [own["ground"]] if "ground" in own else kin or [above.get("ground") or page["ground"]]
        worst = min(contrast(ink, ground) for ground in grounds)
        if worst < LEAST_FOR_TEXT:
            found.append(f"{selector} ({worst:.1f})")
    return found


def _colour(found: re.Match[str] | None, named: Mapping[str, str]) -> str:
    if found is None:
        return ""
    text = re.sub(r"var\(--([\w-]+)\)", lambda name: named.get(name[1], ""), found[1]).strip()
    return text if re.fullmatch(HEX, text) else ""


def mark_contrast(checked: Checked) -> Verdict:
    """Each mark of every picture on the page stands out, and its letters do; lines of a grid may be fainter."""
    found = [
        f"picture {number} ({one})"
        for number, svg in enumerate(checked.page.pictures, 1)
        for one in dict.fromkeys(faint(svg))
    ]
    return not found, (
        f"marks or letters too faint: {some(found)}; at least {LEAST_FOR_MARKS:.0f} and {LEAST_FOR_TEXT}"
        if found
        else f"the contrast of marks is {LEAST_FOR_MARKS:.0f} or more"
    )
