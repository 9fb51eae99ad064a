"""Run the twelve situations and print, or write, what their cards say first.

::

    python tests/situations [--write docs/right-answers.md]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

# A package in site-packages is called tests as well, so this one is found by its own name.
sys.path.insert(0, str(Path(__file__).parents[1]))

from situations.page import page


def main() -> int:
    parser = argparse.ArgumentParser(description="What the cards of the twelve situations say first.")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page there instead of printing it")
    asked = parser.parse_args()
    text = page()
    if asked.write is None:
        print(text)
    else:
        asked.write.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
