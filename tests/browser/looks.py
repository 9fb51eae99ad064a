"""What is wrong with a page: axe-core's violations, what it fetches, what is cut off, dead links, invalid HTML."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from tests.browser.chromium import Chromium

WIDE, PHONE = 1600, 320  # px; on the wide one nothing lies under anything else, so that every contrast can be measured
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
# The shade at a table's edge is a picture to axe, which then measures no contrast on it; it is never behind text.
PLAIN = "<style>.scroll { background: none !important; }</style>"
UNFOLD = "document.querySelectorAll('details').forEach((fold) => { fold.open = true; })"
CUT_OFF = """(() => {
  const inside = (part) => part.closest(".scroll, .picture, .skip, .hidden");
  const wide = [...document.body.querySelectorAll("*")].filter(
    (part) => !inside(part) && part.getBoundingClientRect().right > innerWidth + 1);
  const shut = [...document.querySelectorAll(".scroll, .picture")].filter(
    (part) => part.scrollWidth > part.clientWidth + 1 && (part.tabIndex !== 0 || !part.getAttribute("role")));
  return { wide: [...wide, ...shut].slice(0, 3).map((part) => part.outerHTML.slice(0, 200)),
    scrolls_to: document.documentElement.scrollWidth };
})()"""
AXE = """axe.run(document, { runOnly: TAGS }).then((found) => {
  const told = (rule) => rule.id + ": " + rule.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" | ");
  return { violations: found.violations.map(told),
    contrast_unsure: found.incomplete.filter((rule) => rule.id === "color-contrast").map(told) };
})"""


def look(browser: Chromium, page: Path, axe: str | None, width: int) -> dict[str, Any]:
    """A page with everything unfolded, in a window of this width; without ``axe``, all but its violations.

    Its content security policy, which forbids all fetching, is taken away first: what the page would fetch shows.
    """
    seen = page.with_name(f"seen-{page.name}")
    seen.write_text(
        POLICY.sub("", page.read_text(encoding="utf-8")).replace("</head>", f"{PLAIN}</head>"), encoding="utf-8"
    )
    try:
        browser.open(seen.absolute().as_uri(), width=width)
        browser.run(UNFOLD)
        found = dict(browser.run(CUT_OFF))
        if axe is not None:
            browser.run(axe)
            found |= browser.run(AXE.replace("TAGS", json.dumps(TAGS)))
        fetched = [one for one in browser.requests if urldefrag(one)[0] != seen.absolute().as_uri()]
    finally:
        seen.unlink()
    return {**found, "fetched": [one for one in fetched if not one.startswith(("data:", "blob:"))]}


def dead_links(page: Path) -> list[str]:
    """Links of a page, within it and to files beside it, that lead nowhere. A link to another machine is one."""
    dead = []
    for written in re.findall(r'<a [^>]*?\bhref="([^"]*)"', page.read_text(encoding="utf-8")):
        target = html.unescape(written)
        if target.startswith("mailto:"):
            continue
        address, fragment = urldefrag(urljoin(page.absolute().as_uri(), target))
        path = Path(unquote(address.removeprefix("file://")))
        here = address.startswith("file://") and path.is_file()
        if not here or (fragment and f'id="{html.escape(fragment)}"' not in path.read_text(encoding="utf-8")):
            dead.append(target)
    return dead


def invalid(pages: Iterable[Path]) -> Mapping[str, list[str]]:
    """What the Nu HTML checker finds wrong, by page. One machine starts once for all of them."""
    command = ["java", "-Xss8m", "-jar", os.environ["RISKMODELS_VNU"], "--errors-only", "--exit-zero-always"]
    done = subprocess.run(
        [*command, "--format", "json", *map(str, pages)], capture_output=True, text=True, timeout=300, check=True
    )
    found: dict[str, list[str]] = {}
    for message in json.loads(done.stderr)["messages"]:
        page = Path(unquote(str(message["url"]).removeprefix("file:"))).name
        found.setdefault(page, []).append(f"line {message.get('lastLine')}: {message['message']}")
    return found


def missing_tools(*names: str) -> str:
    """A sentence on the first of these tools that this machine lacks, or an empty one."""
    return next(filter(None, (LACKS[name]() for name in names)), "")


def _chromium() -> str:
    from tests.browser.chromium import PROGRAM

    return "" if PROGRAM else "no chromium on this machine: install Debian's chromium to look at the pages"


def _named(variable: str, what: str) -> str:
    given = os.environ.get(variable, "")
    return "" if Path(given).is_file() else f"{variable} names no file: set it to {what}"


LACKS = {
    "chromium": _chromium,
    "axe": lambda: _named("RISKMODELS_AXE", "axe.min.js of the npm package axe-core"),
    "vnu": lambda: _named("RISKMODELS_VNU", "vnu.jar of the npm package vnu-jar"),
    "java": lambda: "" if shutil.which("java") else "no java on this machine: the Nu HTML checker needs it",
    "pdftotext": lambda: (
        "" if shutil.which("pdftotext") else "no pdftotext: install Debian's poppler-utils to read print"
    ),
}
