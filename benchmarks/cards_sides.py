"""The sides of ``cards.py``: results that are kept once, our card of them, and a plain script of its figures."""

from __future__ import annotations

import io
import pickle
import runpy
import shutil
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.measure import ROOT, Steps

STUDY = ROOT / "experiments" / "county_early_help"
DRAFT = {"state": "DRAFT", "words": "A draft.", "until": None, "example": None}


def keep(people: int, folder: str, out: str) -> dict[str, Any]:
    """Run the county's study with so many children; leave what its card is made of."""
    from riskmodels import pipeline
    from riskmodels.cards.build import _plain
    from riskmodels.study import load_study

    study, data = Path(folder) / STUDY.name, Path(folder) / "data"
    shutil.copytree(STUDY, study, ignore=shutil.ignore_patterns("__pycache__"))
    prepared = runpy.run_path(str(study / "prepare.py"))
    prepared["prepare"].__globals__["PEOPLE"] = people
    data.mkdir()
    prepared["prepare"](data)
    given: dict[str, Any] = {}
    build = pipeline.build_card

    def remembered(study: Any, **results: Any) -> Any:
        # As plain values, which is what they are once a run has ended; the study's own files stay as they are.
        plain = {name: _plain(value) if hasattr(value, "to_dict") else value for name, value in results.items()}
        given.update(study=study, results=plain)
        return build(study, **results)

    with mock.patch.object(pipeline, "build_card", remembered):
        found = pipeline.run_study(load_study(study), str(data))
    Path(out).write_bytes(pickle.dumps(given))
    return {"rows": found.card.to_dict()["performance"]["n"]}


def _kept(path: str) -> dict[str, Any]:
    given: dict[str, Any] = pickle.loads(Path(path).read_bytes())
    return given


def ours(kept: str) -> dict[str, Any]:
    """From results to the card and its files. ``draw``: the figures once more, alone."""
    import matplotlib.backends.backend_svg
    import matplotlib.figure  # noqa: F401 - an import is no part of a step

    from riskmodels.cards.build import build_card
    from riskmodels.cards.renderings import Beside, render
    from riskmodels.reports.charts import draw_figures

    given = _kept(kept)
    step = Steps()
    card = build_card(given["study"], **given["results"]).to_dict()
    step("build")
    files = render(card, ("html", "md", "json"), Beside(DRAFT))
    step("draw and render")
    drawn = draw_figures(card["figures"])
    step("draw")
    return {
        "steps": step.spent,
        "figures": sorted(drawn),
        "html_kb": round(len(files["card.html"]) / 1000),
        "json_kb": round(len(files["card.json"]) / 1000),
    }


def with_pyplot(kept: str) -> dict[str, Any]:
    """What somebody would write who wants the same tables as pictures: a line or bars for each, laid out by pyplot."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.backends.backend_svg
    import matplotlib.pyplot as plt

    from riskmodels.cards.build import build_card

    given = _kept(kept)
    figures = build_card(given["study"], **given["results"]).to_dict()["figures"]
    matplotlib.rcParams["text.parse_math"] = False
    step = Steps()
    for figure in figures:
        rows = [row for row in figure["table"]["rows"] if any(isinstance(cell, (int, float)) for cell in row)]
        picture, plot = plt.subplots(figsize=(4.2, 0.4 * len(rows) + 2), layout="constrained")
        if "per_100" in figure["id"]:
            for at, (name, count) in enumerate(rows):
                plot.scatter([place % 10 for place in range(count)], [at + place // 10 for place in range(count)],
                             label=name)  # fmt: skip
            plot.legend()
        else:
            columns = [column for column in range(len(rows[0])) if isinstance(rows[0][column], (int, float))]
            for column in columns[:1] if "over_time" not in figure["id"] else columns:
                values = [row[column] if isinstance(row[column], (int, float)) else float("nan") for row in rows]
                plot.plot(values, range(len(rows)), "o-", label=figure["table"]["columns"][column])
            plot.set_yticks(range(len(rows)), [str(row[0]) for row in rows])
            plot.set_xlabel(figure["unit"])
            plot.legend()
        plot.set_title(figure["title"], wrap=True)
        picture.savefig(io.BytesIO(), format="svg", bbox_inches="tight")
        plt.close(picture)
    step("draw")
    return {"steps": step.spent, "figures": sorted(figure["id"] for figure in figures)}
