"""docs/models.md: its blocks belong to a study that the schema accepts, and it names all there is to name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from riskmodels.models.calibration import CALIBRATORS
from riskmodels.models.families import MODELS
from riskmodels.storage import parse_yaml
from riskmodels.study import ModelsSection, Tuning, parse_study_file

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "models.md"
SHIPPED = ROOT / "experiments" / "early_reading_support" / "study.yaml"
WARD = {"name": "ward", "take": "attribute", "of": "pupils.ward", "words": "ward"}


def blocks() -> dict[str, Any]:
    raw: dict[str, Any] = {}
    for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), flags=re.DOTALL):
        found = parse_yaml(block.encode(), PAGE)
        if "tuning" in found:  # it stands under models
            raw["models"] = raw["models"] | found
        else:
            raw |= found
    return raw


def test_the_blocks_fit_into_a_study() -> None:
    raw = parse_yaml(SHIPPED.read_bytes(), SHIPPED)
    raw["features"].append(WARD)
    study = parse_study_file(raw | blocks(), str(PAGE))
    assert set(study.models.families) == set(MODELS)


def test_every_setting_of_tuning_is_shown() -> None:
    shown = blocks()["models"]["tuning"]
    assert set(shown) | {"minutes"} == set(Tuning.model_fields)
    assert "minutes: 10" in PAGE.read_text()


def test_every_setting_of_every_family_is_shown() -> None:
    shown = blocks()["models"]["candidates"]
    for family, settings in ModelsSection.model_validate(blocks()["models"]).candidates.families.items():
        assert set(shown.get(family, {})) == set(type(settings).model_fields), family


def test_every_family_and_calibrator_is_named() -> None:
    text = PAGE.read_text()
    for word in (*MODELS, *CALIBRATORS):
        assert f"| `{word}` |" in text, word
