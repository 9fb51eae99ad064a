from __future__ import annotations

import numpy as np

from riskmodels.models.fast_trees import kernels


def test_a_feature_that_no_set_names_reads_nobody_elses_categories():
    # -0.5 is category 0 without its fraction. The first feature knows none, and where its own would stand stand the
    # second's.
    values = np.array([[-0.5, 0.0], [0.0, 0.0], [5.0, -1.0], [np.nan, -0.5]])
    columns, codes = np.empty((2, 4)), np.full((2, 4), 99, dtype=np.uint32)
    both, edges, code_of = np.array([0, 1]), np.array([0, 0, 1]), np.array([7], dtype=np.int32)
    kernels._take(values, 0, 4, both, both, edges, code_of, columns, codes)
    assert codes.tolist() == [[0, 0, 0, 0], [7, 7, 0, 7]]
