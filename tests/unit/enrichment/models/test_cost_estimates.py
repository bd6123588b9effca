"""Probable costs of many questions."""

import pytest

from leadflood.domains.enrichment.models.cost_estimates import PlannedCalls, SourceHistory, estimate_cost

CENT = 10_000


def planned(calls: int, subjects: int = 0, asked: int = 0, charged: int = 0, price: int = 10 * CENT) -> PlannedCalls:
    return PlannedCalls(calls, price, SourceHistory(subjects, asked, charged, charged * price))


def test_without_history_everything_up_to_the_most_is_possible() -> None:
    found = estimate_cost([planned(1000)])

    assert (found.most, found.calls) == (10_000 * CENT, 0)
    assert found.least < found.most * 0.05
    assert found.greatest > found.most * 0.5


@pytest.mark.parametrize(
    ("asked", "charged", "expected"),
    [(1000, 1000, 1.0), (500, 500, 0.5), (1000, 400, 0.4), (500, 250, 0.25), (0, 0, 0.0)],
)
def test_with_history_the_interval_is_around_the_share_that_was_charged(
    asked: int, charged: int, expected: float
) -> None:
    found = estimate_cost([planned(10_000, 1000, asked, charged)])

    assert found.least <= found.likely <= found.greatest <= found.most
    assert found.likely / found.most == pytest.approx(expected, abs=0.03)
    assert (found.greatest - found.least) / found.most < 0.12


def test_more_history_makes_the_interval_narrower() -> None:
    widths = []
    for subjects in (4, 40, 400, 4000):
        found = estimate_cost([planned(10_000, subjects, subjects // 2, subjects // 4)])
        widths.append(found.greatest - found.least)

    assert widths == sorted(widths, reverse=True)


def test_few_calls_are_less_certain_than_many() -> None:
    few, many = (estimate_cost([planned(calls, 4000, 2000, 1000)]) for calls in (4, 4000))

    assert (few.greatest - few.least) / few.most > 2 * (many.greatest - many.least) / many.most


def test_sources_add_up_and_a_call_costs_what_it_did_lately() -> None:
    cheaper = PlannedCalls(1000, 90 * CENT, SourceHistory(2000, 2000, 2000, 2000 * 10 * CENT))

    found = estimate_cost([cheaper, planned(1000, 2000, 2000, 2000)])

    assert found.most == 1000 * 100 * CENT
    assert found.likely / (2 * 1000 * 10 * CENT) == pytest.approx(1, abs=0.02)
    assert found.calls == 4000


def test_nothing_to_ask_costs_nothing() -> None:
    assert estimate_cost([]).most == estimate_cost([]).greatest == 0
