"""docs/data.md: its blocks are one study that the schema accepts, and it names all there is to name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from riskmodels.storage import parse_yaml
from riskmodels.study import AGGREGATIONS, Examples, parse_study_file
from riskmodels.study.predicates import PREDICATES

PAGE = Path(__file__).parents[2] / "docs" / "data.md"
REST: dict[str, Any] = {
    "schema": 1, "study": "page", "title": "Page", "question": "Who?", "seed": 7, "purpose": "assistive",
    "level": "person", "clock": "calendar", "capacity": {"places": 10},
    "split": {"test": {"last": 2}, "calibrate": "later"},
}  # fmt: skip


def test_the_blocks_make_one_study() -> None:
    raw = dict(REST)
    for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), flags=re.DOTALL):
        raw |= parse_yaml(block.encode(), PAGE)
    study = parse_study_file(raw, str(PAGE))
    assert len(study.sources) == 11
    assert sum(len(line.columns) for line in study.features) == 21


def test_the_examples_on_the_page_are_examples() -> None:
    (block,) = re.findall(r"```text\n(examples:.*?)```", PAGE.read_text(), flags=re.DOTALL)
    found = Examples.model_validate(parse_yaml(block.encode(), PAGE))
    assert [example.in_cohort for example in found.examples] == [False, None]


def test_every_way_to_take_and_every_predicate_is_named() -> None:
    text = PAGE.read_text()
    for word in (*AGGREGATIONS, *PREDICATES):
        assert f"`{word}`" in text, word
