"""Exact scores and reasons from the text of a booster, many times faster than LightGBM gives them.

The story, in the order of its files:

- `text` is the grammar of a booster's text. `parsing` reads it into flat arrays, without LightGBM, and says in words
  what is not covered.
- `grouping` cuts each tree into pieces. In a piece, what each feature adds to a row's score depends on a few bits:
  which way the row goes at the piece's own nodes, and which features it satisfies above.
- `tables` works out, once, what every pattern of those bits adds to every feature.
- `masks` says what a turn at each node rules out, and `building` puts it all into the arrays that the loops read.
- `kernels` are the loops: for each block of rows, decisions as bits, scores by the leaf that they leave standing, and
  contributions looked up and added. Leaves below more features than a table may have bits are worked out on the spot.
- `trees` is the object that answers, on one thread or several; `checking` holds it to LightGBM's own answers.

Everything is float64, so that contributions are LightGBM's to about 1e-14, and sums keep the order of the trees, so
that scores are LightGBM's to the bit. numba is imported only when the first trees are built (`compiling`).
"""

from riskmodels.models.fast_trees.checking import check_against_lightgbm
from riskmodels.models.fast_trees.parsing import NotCovered
from riskmodels.models.fast_trees.trees import FastTrees, warm

__all__ = ["FastTrees", "NotCovered", "check_against_lightgbm", "warm"]
