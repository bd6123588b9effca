"""Comparison of two distributions of scores."""

from leadflood.domains.icps.models.drift import LIMIT, MIN_LEADS, DriftClass, compare


def test_equal_shares_have_no_drift_whatever_their_number() -> None:
    found = compare({0: 1000, 10: 3000}, {0: 250, 10: 750})

    assert found.stability is not None
    assert abs(found.stability) < 0.001
    assert not found.is_above


def test_other_shares_are_above_the_limit_and_the_table_has_every_class() -> None:
    found = compare({None: 10, 0: 150, 20: 140}, {0: 60, 20: 140, 40: 100})

    assert [*found.classes] == [
        DriftClass(None, 10, 0),
        DriftClass(0, 150, 60),
        DriftClass(20, 140, 140),
        DriftClass(40, 0, 100),
    ]
    assert found.is_above


def test_ten_per_cent_of_leads_in_another_class_are_no_alarm() -> None:
    found = compare({0: 500, 10: 500}, {0: 600, 10: 400})

    assert found.stability is not None
    assert 0.03 < found.stability < LIMIT
    assert not found.is_above


def test_few_leads_are_not_judged() -> None:
    assert compare({0: MIN_LEADS - 1}, {10: MIN_LEADS}).stability is None
    assert compare({0: MIN_LEADS}, {10: MIN_LEADS - 1}).stability is None
    assert compare({0: MIN_LEADS}, {10: MIN_LEADS}).is_above
