"""Our families as a scikit-learn classifier, from a table in Python to a calibrated risk and back to a saved model.

Its predictions are numbers, not an approved list: a study, an audit and a review stand between the two. Importing this
module loads scikit-learn; importing `riskmodels` does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d, validate_data

from riskmodels.data.features import Features, FeatureSpec
from riskmodels.errors import DataError, StudyError, UsageError
from riskmodels.models.calibration import fit_calibrator
from riskmodels.models.families import MODELS
from riskmodels.models.linear import LEAST_OF_EACH_CLASS
from riskmodels.models.matrix import fit_encoder, named_columns
from riskmodels.models.risk_model import RiskModel
from riskmodels.models.training import available_threads
from riskmodels.study import BASELINES, ModelsSection
from riskmodels.study.problems import validated

# What a model is called that no study made.
NO_STUDY = "python"
# What scikit-learn calls rows that come without outcomes.
UNASKED = "no_validation"
# The families that are a column by name, and where a study names it.
NAMED = {"place_only": "place", "current_practice": "current_practice"}


class ClassifierDataError(DataError, ValueError):
    """Rows that cannot be learned from or scored: ours to catch, and scikit-learn's."""


class ClassifierUsageError(UsageError, ValueError):
    """A parameter that is not one: ours to catch, and scikit-learn's."""


class RiskClassifier(ClassifierMixin, BaseEstimator):
    """A family and its calibrator, fitted on a table. Numbers, not an approved list.

    ``X`` is a pandas or Polars frame with named columns of numbers and text, None and NaN being missing, or an array of
    numbers, whose columns are called x0, x1, ... A text column is a category. A row should be a person: rows of one
    person on several dates would stand on both sides of the split, and belong in a study (`riskmodels.run_study`).

    Parameters
    ----------
    family : a name of `riskmodels.models.families.MODELS`
    settings : the family's settings as in a study's ``models.candidates``, such as ``{"trees": 200}``; None for its own
    calibrator : a name of `riskmodels.models.calibration.CALIBRATORS`
    calibrate_share : the share of rows held out of the fit to learn the calibrator on, drawn within each class
    column : the column that the families place_only and current_practice are made of
    seed : of the draw and of the fit; the same seed gives the same model
    threads : None takes every core this process may use; the model is the same whatever it is

    Attributes
    ----------
    model_ : the `RiskModel`
    classes_ : the two classes, sorted; the second is the outcome whose risk is told
    n_features_in_ : number of columns
    feature_names_in_ : their names, where ``X`` had names
    """

    def __init__(
        self,
        family: str = "lightgbm",
        settings: Mapping[str, Any] | None = None,
        calibrator: str = "sigmoid",
        calibrate_share: float = 0.25,
        column: str | None = None,
        seed: int = 0,
        threads: int | None = None,
    ) -> None:
        self.family = family
        self.settings = settings
        self.calibrator = calibrator
        self.calibrate_share = calibrate_share
        self.column = column
        self.seed = seed
        self.threads = threads

    def fit(self, X: Any, y: Any) -> RiskClassifier:  # noqa: N803 - scikit-learn's name
        """Learn the encoder and the family on one part of the rows, and the calibrator on the others.

        Raises
        ------
        ValueError
            if ``X`` or ``y`` is not of the expected shape. `ClassifierDataError` if the rows do not bear a fit, with
            fewer than 5 of either class among those to fit on; `ClassifierUsageError` for a parameter that is not one.
        """
        models = self._asked()
        frame, y = self._read(X, y, reset=True)
        self.classes_, outcome = _two_classes(y)
        fit, calibrate = _parted(outcome, self.calibrate_share, self.seed)
        rarer = int(np.bincount(outcome[fit], minlength=2).min())
        if rarer < LEAST_OF_EACH_CLASS:
            raise ClassifierDataError(
                f"y: {rarer} of the {len(fit)} rows to fit on are of the rarer class, and {LEAST_OF_EACH_CLASS} are "
                "needed; give more rows"
            )
        family = MODELS[self.family]
        with _as_value_errors():
            features = Features(frame, tuple(_spec(column) for column in frame.get_columns()))
            encoder = fit_encoder(features, fit)
            fitted = family.fit(
                encoder.encode(frame[fit]),
                outcome[fit],
                models.families[self.family],
                seed=self.seed,
                threads=available_threads() if self.threads is None else int(self.threads),
                study=SimpleNamespace(models=models),
            )
            scores = fitted.score(encoder.encode(frame[calibrate]))
            learned = fit_calibrator(self.calibrator, scores, outcome[calibrate], log_odds_score=family.log_odds)
        self.model_ = RiskModel(NO_STUDY, self.family, fitted, encoder, learned, features.specs)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:  # noqa: N803
        """float64 [n, 2]: 1 - risk and risk, the columns in the order of ``classes_``."""
        return self._told(X, self._fitted().predict_proba)

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """The likelier class of each row [n]: the second where its risk is above one half.

        Few people are that likely to meet a rare outcome. A list is made by rank and places, not by this.
        """
        risk = self.predict_proba(X)[:, 1]
        return self.classes_[(risk > 0.5).astype(np.int64)]

    def contributions(self, X: Any) -> np.ndarray:  # noqa: N803
        """What each column adds to the raw score, float64 [n, p] (`RiskModel.contributions`)."""
        return self._told(X, self._fitted().contributions)

    def to_risk_model(self, study_id: str | None = None) -> RiskModel:
        """The fitted model, which can be saved as text and JSON (`RiskModel.to_files`), under another name if given."""
        model = self._fitted()
        return model if study_id is None else replace(model, study_id=study_id)

    @classmethod
    def from_risk_model(cls, model: RiskModel) -> RiskClassifier:
        """A saved model as a fitted classifier, whose classes are 0 and 1.

        A clone of it is to be fitted anew, with the family's own settings, which a saved model does not hold. Where
        scikit-learn clones, as in cross_val_score, put it into a `sklearn.frozen.FrozenEstimator` to keep it.
        """
        made = cls(family=model.family)
        made.model_ = model
        made.classes_ = np.array([0, 1])
        made.n_features_in_ = len(model.encoder.names)
        made.feature_names_in_ = np.array(model.encoder.names, dtype=object)
        return made

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        # A baseline is there to be beaten.
        tags.classifier_tags.poor_score = isinstance(self.family, str) and self.family in BASELINES
        tags.input_tags.allow_nan = True
        return tags

    def _fitted(self) -> RiskModel:
        check_is_fitted(self, "model_")
        return self.model_

    def _asked(self) -> ModelsSection:
        """The parameters, checked as the models of a study are."""
        if not isinstance(self.family, str) or self.family not in MODELS:
            raise ClassifierUsageError(f"family: {self.family!r} is not one (known: {', '.join(MODELS)})")
        if not _is_whole(self.seed) or self.seed < 0:
            raise ClassifierUsageError("seed: must be a whole number from 0 up, so that the fit can be repeated")
        if self.threads is not None and (not _is_whole(self.threads) or self.threads < 1):
            raise ClassifierUsageError("threads: must be a whole number from 1 up, or None for every core")
        if not _is_number(self.calibrate_share) or not 0.0 < self.calibrate_share < 1.0:
            raise ClassifierUsageError("calibrate_share: must be between 0 and 1; a quarter of the rows is usual")
        if self.settings is not None and not isinstance(self.settings, Mapping):
            raise ClassifierUsageError('settings: must be a dict of the family\'s settings, such as {"trees": 200}')
        raw: dict[str, Any] = {"calibrator": self.calibrator}
        if self.family in NAMED:
            if self.column is None or self.settings:
                raise ClassifierUsageError(
                    f"column: {self.family} is made of a column and no settings; name the column"
                )
            raw[NAMED[self.family]] = self.column
        else:
            raw["candidates"] = {self.family: dict(self.settings or {})}
        with _as_value_errors():
            return validated(ModelsSection, raw, type(self).__name__)

    def _told(self, X: Any, tell: Callable[[pl.DataFrame], np.ndarray]) -> np.ndarray:  # noqa: N803
        frame, _ = self._read(X)
        with _as_value_errors():
            return tell(frame)

    def _read(self, X: Any, y: Any = UNASKED, *, reset: bool = False) -> tuple[pl.DataFrame, Any]:  # noqa: N803
        """The rows as a frame with the columns that are learned (``reset``) or were, and ``y`` as a column if given."""
        if _is_named(X) and (reset or hasattr(self, "feature_names_in_")):
            with _as_value_errors():
                frame = named_columns(X, tuple(X.columns))
            validate_data(self, X, y, reset=reset, skip_check_array=True)
            if not (len(X) and len(X.columns)):
                raise ClassifierDataError(
                    f"X: {len(X)} rows and {len(X.columns)} columns; at least one of each is needed"
                )
            if reset:
                check_consistent_length(X, y)
                y = column_or_1d(y, warn=True)
                assert_all_finite(y, input_name="y")
            return frame, y
        if _holds_text(X):
            raise ClassifierDataError("X: an array holds text; give text columns by name, in a pandas or Polars frame")
        values = validate_data(self, X, y, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")
        if reset:
            values, y = values
        names = getattr(self, "feature_names_in_", [f"x{place}" for place in range(values.shape[1])])
        return pl.DataFrame({name: np.ascontiguousarray(values[:, at]) for at, name in enumerate(names)}), y


def _two_classes(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The classes, sorted, and each row's place among them, int8 [n]. Raises ValueError unless there are two."""
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y")
    if kind != "binary":
        raise ClassifierDataError(f"Only binary classification is supported. The type of the target is {kind}.")
    classes, outcome = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ClassifierDataError(f"y: only one class in {len(y)} rows; there is nothing to tell apart")
    return classes, outcome.astype(np.int8)


def _parted(outcome: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the rows to fit on and of those held out: this share of either class, and one row at the least."""
    rng = np.random.default_rng(seed)
    held = np.zeros(len(outcome), dtype=bool)
    for number in (0, 1):
        rows = rng.permutation(np.flatnonzero(outcome == number))
        held[rows[: max(1, round(share * len(rows)))]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def _is_whole(given: Any) -> bool:
    """Whether it is a whole number; True is one to Python, and to nobody who counts."""
    return isinstance(given, int | np.integer) and not isinstance(given, bool)


def _is_number(given: Any) -> bool:
    return _is_whole(given) or isinstance(given, float | np.floating)


def _is_named(X: Any) -> bool:  # noqa: N803
    """Whether it is a frame whose columns have names, and not pandas' own numbers."""
    return isinstance(X, pl.DataFrame) or (hasattr(X, "iloc") and all(isinstance(name, str) for name in X.columns))


def _holds_text(X: Any) -> bool:  # noqa: N803
    """Whether scikit-learn would try to read text as numbers, and quote it where it is none."""
    if not isinstance(X, np.ndarray | list | tuple):
        return False
    try:
        values = np.asarray(X)
    except ValueError:
        return False
    return values.dtype.kind in "US" or (values.dtype == object and any(isinstance(v, str) for v in values.flat))


def _spec(column: pl.Series) -> FeatureSpec:
    text = column.dtype in (pl.String, pl.Categorical) or isinstance(column.dtype, pl.Enum)
    kind = "category" if text else "number"
    return FeatureSpec(column.name, "latest", f"table.{column.name}", "ever", "table", kind, "keep", words=column.name)


@contextmanager
def _as_value_errors() -> Iterator[None]:
    """Our refusals as scikit-learn expects them: ValueErrors, in the same words."""
    try:
        yield
    except DataError as refused:
        raise ClassifierDataError(str(refused)) from None
    except StudyError as refused:
        raise ClassifierUsageError(str(refused)) from None
