"""Two signs make two domains one company; one is a suggestion."""

from datetime import UTC, datetime, timedelta

import pytest

from leadflood.domains.enrichment.models.aliases import APART, RedirectSign, SeenRedirect

FIRST = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sign", "apart", "joins"),
    [
        (RedirectSign.NAMED, APART, True),
        (RedirectSign.SAME_NAME, APART, True),
        (RedirectSign.ALONE, timedelta(days=400), False),
        (RedirectSign.NAMED, APART - timedelta(seconds=1), False),
        (RedirectSign.NAMED, timedelta(0), False),
    ],
)
def test_a_confirmed_redirect_that_is_seen_again_a_day_later_joins(
    sign: RedirectSign, apart: timedelta, joins: bool
) -> None:
    assert SeenRedirect("acme.com", sign, "x", FIRST, FIRST + apart).joins is joins
