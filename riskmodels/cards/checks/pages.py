"""The page as HTML: its structure, and that it needs nothing from anywhere."""

from __future__ import annotations

import re
from itertools import pairwise

from riskmodels.cards.checks.checked import Checked, Verdict, some
from riskmodels.cards.reading_back import SVG_URI, Page

POLICY = ("default-src 'none'", "img-src data:", "style-src 'unsafe-inline'")
# Tags that run something, or fetch or embed something.
FORBIDDEN = {
    "script", "iframe", "frame", "object", "embed", "applet", "base", "link", "form", "input", "button", "audio",
    "video", "source", "track", "portal", "svg", "math", "template", "foreignobject", "image", "use", "animate", "set",
}  # fmt: skip
FETCHES = ("src", "srcset", "href", "action", "formaction", "data", "poster", "background", "ping", "cite", "manifest")
STYLE_FETCHES = re.compile(r"url\s*\(|@import|expression\s*\(|\\", re.I)
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')  # of a style sheet, where nothing is fetched and escapes are letters
COMMENT = re.compile(r"<!--.*?-->", re.S)
# In a picture of our own: what would run, or reach out of it.
IN_PICTURE = re.compile(
    r"<\s*(?:script|foreignobject|image|iframe|animate|set|a)\b|\son\w+\s*=|(?:href|src)\s*=\s*[\"'](?!#)|@import|"
    r"url\(\s*[\"']?(?!#)|<!ENTITY",
    re.I,
)


def structure(checked: Checked) -> Verdict:
    """One h1, headings in order, language, titles of tables and their headers, alternatives of pictures."""
    wrong = structure_faults(checked.page)
    return not wrong, f"{some(wrong)}; render the page again" if wrong else "headings, tables and pictures are in order"


def structure_faults(page: Page) -> list[str]:
    levels = [level for level, _ in page.headings]
    found = []
    if levels.count(1) != 1 or levels[0] != 1:
        found.append(f"{levels.count(1)} headings of the first level")
    found += [f"a heading of level {after} after {before}" for before, after in pairwise(levels) if after > before + 1]
    if [given.get("lang") for given in page.all("html")] != ["en-GB"]:
        found.append("the language of the page is not en-GB")
    found += ["a picture without alternative text" for given in page.all("img") if not given.get("alt", "").strip()]
    for table in page.written.tables:
        if not table.caption:
            found.append("a table without a title")
        if not table.scopes or not all(table.scopes):
            found.append(f"headers without a scope in {table.caption!r}")
    ids = [given["id"] for _, given in page.tags if "id" in given]
    found += [f"the id {name!r} twice" for name in sorted({name for name in ids if ids.count(name) > 1})]
    if not any(given for given in page.all("title")) and not page.all("title"):
        found.append("no title")
    return list(dict.fromkeys(found))


def links_lead_somewhere(checked: Checked) -> Verdict:
    """A page stands alone, so each of its links leads to a part of it."""
    ids = {given["id"] for _, given in checked.page.tags if "id" in given}
    lost = [
        link
        for link in (given.get("href", "") for given in checked.page.all("a"))
        if not (link.startswith("#") and link[1:] in ids)
    ]
    return not lost, f"links that lead nowhere on the page: {some(lost)}" if lost else "every link leads to its part"


def needs_no_network(checked: Checked) -> Verdict:
    """Nothing on the page is fetched or run, and its policy forbids it to browsers."""
    wrong = network_faults(checked.page)
    return not wrong, (
        f"{some(wrong)}; do not open this page" if wrong else "the page fetches nothing and runs nothing"
    )


def network_faults(page: Page) -> list[str]:
    found = [f"a tag {tag}" for tag, _ in page.tags if tag in FORBIDDEN]
    for tag, given in page.tags:
        found += [f"{name} on a tag {tag}" for name in given if name.startswith("on")]
        if STYLE_FETCHES.search(given.get("style", "")):
            found.append(f"a style that fetches on a tag {tag}")
        for name in FETCHES:
            target = given.get(name, "")
            own = target.startswith("#") or (tag == "img" and name == "src" and target.startswith(SVG_URI))
            if target and not own:
                found.append(f"{name} of a tag {tag}")
        if given.get("http-equiv", "").lower() == "refresh":
            found.append("a page that moves by itself")
    policies = [one.get("content", "") for one in page.all("meta") if "http-equiv" in one]
    if len(policies) != 1 or {part.strip() for part in policies[0].split(";")} != set(POLICY):
        found.append("no policy that forbids all but the page's own pictures and style")
    if STYLE_FETCHES.search(STRING.sub('""', page.style)):
        found.append("a style sheet that fetches")
    # A picture says what it draws in comments, with what could end them escaped: those reach nowhere.
    drawn = [COMMENT.sub("", svg) for svg in page.pictures]
    found += [f"picture {number} reaches out" for number, svg in enumerate(drawn, 1) if IN_PICTURE.search(svg)]
    return list(dict.fromkeys(found))
