"""Evidence for calls whose answer was lost."""

import pytest

from leadflood.domains.enrichment.models.doubts import UsageReading, charged_since, evidence

BEFORE = UsageReading(100, 40, 7)


@pytest.mark.parametrize(
    ("now", "charged"),
    [
        (UsageReading(100, 40, 7), 0),
        (UsageReading(105, 44, 7), 1),
        (UsageReading(105, 44, 8), None),
        (UsageReading(3, 40, 7), None),
    ],
    ids=["nothing", "one", "another source was charged", "the counter was reset"],
)
def test_what_is_charged_and_not_booked_is_the_difference(now: UsageReading, charged: int | None) -> None:
    assert charged_since(BEFORE, now) == charged


@pytest.mark.parametrize(
    ("charged", "most", "units"),
    [
        (0, [3, 2], [0, 0]),
        (5, [3, 2], [3, 2]),
        (3, [3, 2], None),
        (2, [3], [2]),
        (4, [3], None),
        (-1, [3], None),
        (None, [3], None),
    ],
)
def test_only_what_is_clear_is_evidence(charged: int | None, most: list[int], units: list[int] | None) -> None:
    assert evidence(charged, most) == units
