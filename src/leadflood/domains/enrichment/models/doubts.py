"""Evidence for calls whose answer was lost: the provider's counter of what it charged. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UsageReading:
    """A time at which no call was under way.

    Attributes:
        counted: units by the provider's counter.
        booked: units of the source in our books.
        others: the same, of the other sources of the provider, which the counter may count or not.
    """

    counted: int
    booked: int
    others: int = 0


def charged_since(before: UsageReading, now: UsageReading) -> int | None:
    """Units that the provider has charged since a reading, and that are not in the books.

    None where that is not clear: another source of the provider was charged, or its counter was reset.
    """
    if now.others != before.others or now.counted < before.counted:
        return None
    return (now.counted - before.counted) - (now.booked - before.booked)


def evidence(charged: int | None, most: Sequence[int]) -> list[int] | None:
    """Units of each call in doubt, given those that all of them cost together; None where that is not clear.

    Args: most: the maximum of each.
    """
    if charged is None:
        return None
    if charged == 0:
        return [0] * len(most)
    if charged == sum(most):
        return list(most)
    if len(most) == 1 and 0 < charged < most[0]:
        return [charged]
    return None
