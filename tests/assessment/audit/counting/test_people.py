import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.audit.counting.coded_rows import in_order_of
from riskmodels.assessment.audit.counting.counts import CELLS, FN, TP
from riskmodels.assessment.audit.counting.people import people_in, presence_of_clusters, presence_of_rows


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2), st.integers(0, CELLS - 1)), min_size=1, max_size=60))
@settings(max_examples=100, deadline=None)
def test_people_are_counted_once_however_many_rows_they_have(rows):
    person, group, cell = (np.array(column) for column in zip(*rows, strict=True))
    clusters = in_order_of(person)
    presence = presence_of_clusters(group[clusters.order], cell[clusters.order], clusters, 3)
    for place in range(3):
        for cells in ((FN, TP), (TP,), tuple(range(CELLS))):
            slow = len({who for who, where, what in rows if where == place and what in cells})
            assert people_in(presence[place], cells) == slow


def test_where_every_row_stands_alone_people_are_rows():
    counts = np.array([[5, 4, 3, 2, 1, 0], [0, 0, 7, 0, 0, 9]])
    presence = presence_of_rows(counts)
    assert people_in(presence, (FN, TP)).tolist() == [5, 7]
    assert people_in(presence, range(CELLS)).tolist() == [15, 16]
