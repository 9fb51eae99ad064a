"""What the advice rests on, taken from results."""

from riskmodels.cards.evidence import fit_events, oe_by_date

FIRST, LAST = "2024-04-01", "2025-10-01"


def test_oe_by_date_is_taken_from_what_is_published() -> None:
    dates = [
        {"as_of_date": FIRST, "oe_ratio": {"value": 1.1, "low": 1.0, "high": 1.2, "n": 500}},
        {"as_of_date": LAST, "oe_ratio": {"value": None, "reason": "not shown"}},
    ]
    first, last = oe_by_date({"per_date": dates})
    assert (first["as_of_date"], first["value"], first["low"], first["high"]) == (FIRST, 1.1, 1.0, 1.2)
    assert (last["as_of_date"], last["value"]) == (LAST, None)
    assert oe_by_date({}) == ()


def test_fit_events_are_those_of_the_poorest_origin() -> None:
    status = [{"as_of_date": "2020-01-01", "events": 70}, {"as_of_date": "2021-01-01", "events": 50}]
    splits = [
        {"test": "2022-01-01", "fit": ["2020-01-01", "2021-01-01"]},
        {"test": "2021-01-01", "fit": ["2020-01-01"]},
        {"test": None, "fit": []},
    ]
    assert fit_events(splits, status) == 70
    assert fit_events([{**splits[0], "fit_events": 33}], status) == 33
    assert fit_events([{"test": None, "fit": ["2020-01-01"]}], status) is None
