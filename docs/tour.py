"""A tour of riskmodels in Python, cell by cell. Run it from a checkout: ``python docs/tour.py``."""

# %% The main job in memory: nothing is written, nothing is approved.
import sys
import tempfile
from pathlib import Path

from riskmodels import load_study, run_study

study = load_study(Path(__file__).parents[1] / "experiments" / "early_reading_support")
data = Path(tempfile.mkdtemp())
sys.path.insert(0, str(study.folder))
from prepare import prepare  # noqa: E402 - the study's own script, which makes its source tables

prepare(data)
found = run_study(study, data)
print(found.card.summary.recommendation.headline)

# %% How good is it? Every figure is an Estimate: value, 95% interval, and the number of rows behind it.
auc = found.performance.overall["auc"]
print(f"AUC {auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f}), {auc.n} pupils with a known outcome")
print(f"precision of the list: {found.performance.at_capacity['precision_bounds']}")

# %% Who is treated worse? The audit's verdicts, each with its interval.
for contrast in found.audit.to_dict()["contrasts"]:
    if contrast["family"] == "primary" and contrast["ratio"] is not None:
        print(contrast["attribute"], contrast["label"], contrast["metric"], contrast["verdict"])

# %% The pieces alone: cohort, features, outcomes on a day of your choice.
import datetime as dt  # noqa: E402

from riskmodels import build_cohort, build_features, build_outcomes, read_tables  # noqa: E402

tables = read_tables(data, study)
cohort = build_cohort(tables, study.file, [dt.date(1988, 6, 30)])
features = build_features(cohort, tables, study.file)
outcomes = build_outcomes(cohort, tables, study.file, known_before=dt.date(1989, 7, 2))
print(cohort.attrition)
print(outcomes.status_table())

# %% The model speaks scikit-learn, and takes pandas. These are numbers, not an approved list.
pupils = features.frame.to_pandas()
print(found.model.predict_proba(pupils)[:3])
