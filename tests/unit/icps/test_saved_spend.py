"""The rule for paid sources in whole worlds: less is spent, and every lead has the tier that all sources would give."""

import asyncio

from tests.bench.saved_spend import random_world, saved


def test_the_rule_changes_no_final_tier_and_saves_money() -> None:
    everything, sparing = asyncio.run(saved(random_world(3, 25)))

    assert sparing.tiers == everything.tiers
    assert len(set(everything.tiers.values())) == 3
    assert 0 < sparing.spent < everything.spent
