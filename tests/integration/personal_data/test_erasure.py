"""A person is erased everywhere, and nobody else is touched."""

from tests.integration.personal_data.world import EMAIL, World


async def test_nothing_in_the_database_names_a_person_who_was_erased(world: World) -> None:
    lead_id = await world.everywhere()
    before = await world.traces()
    assert len(before) > 10, sorted(before)
    foreseen = await world.erase(lead_id, dry_run=True)
    assert await world.traces() == before

    erased = await world.erase(lead_id)

    assert await world.traces() == {}
    assert (erased.places, erased.lead_ids) == (foreseen.places, foreseen.lead_ids)
    assert len(erased.lead_ids) == 3
    assert (await world.erase(EMAIL, dry_run=True)).places == []
