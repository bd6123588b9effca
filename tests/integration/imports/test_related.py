"""Tags and lists in imports: as columns and for all leads of a file, undone with the import."""

import pytest

from leadflood.domains.lists import queries as lists
from leadflood.domains.tags import models as tag_models
from leadflood.domains.tags import operations as tag_operations
from leadflood.domains.tags import queries as tags
from leadflood.kernel.actor import MissingPermission, Permission
from tests.support.desk import Desk, counted, csv_of

FILE = csv_of(
    [
        ["Email", "Company", "Tags", "Lists"],
        ["ada@acme.com", "Acme", 'VIP; "Met in Berlin"', "Guests"],
        ["grace@acme.com", "Acme", "vip|🎉", '"Berlin, 2026"; Guests'],
        ["jean@acme.com", "Acme", "", ""],
        ["not an address", "Acme", "Lost", "Lost"],
    ]
)


async def related(desk: Desk) -> dict[str, tuple[list[str], list[str]]]:
    """Names of tags and lists by email."""
    ids = {row["id"]: row["email"] for row in await desk.leads()}
    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        tagged = await tags.tags_of_leads(tx, desk.actor, list(ids))
        listed = await lists.lists_of_leads(tx, desk.actor, list(ids))
    return {
        email: ([each.name for each in tagged.get(id_, [])], [each.name for each in listed.get(id_, [])])
        for id_, email in ids.items()
    }


async def test_columns_name_tags_and_lists_which_are_created(desk: Desk) -> None:
    done = await desk.run(FILE, enrich=False)

    assert counted(done) == {"create": 3, "reject": 1}
    assert await related(desk) == {
        "ada@acme.com": (["Met in Berlin", "VIP"], ["Guests"]),
        "grace@acme.com": (["VIP", "🎉"], ["Berlin, 2026", "Guests"]),
        "jean@acme.com": ([], []),
    }


async def test_all_leads_of_a_file_get_tags_and_lists_unchanged_ones_too_and_an_undo_removes_what_was_added(
    desk: Desk,
) -> None:
    jean = await desk.lead(email="jean@acme.com", company="Acme")
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await tag_operations.add_by_name(tx, desk.actor, {jean: ["Hot"]})

    done = await desk.run(FILE, enrich=False, tags=["hot", "Fair"], lists=["Fair 2026"])

    assert counted(done) == {"create": 2, "unchanged": 1, "reject": 1}
    assert (await related(desk))["jean@acme.com"] == (["Fair", "Hot"], ["Fair 2026"])
    assert (await related(desk))["ada@acme.com"][1] == ["Fair 2026", "Guests"]

    await desk.undo_all(done.id)

    assert await related(desk) == {"jean@acme.com": (["Hot"], [])}


async def test_importing_again_adds_nothing_and_its_undo_removes_nothing(desk: Desk) -> None:
    await desk.run(FILE, enrich=False)
    before = await related(desk)

    again = await desk.run(FILE, enrich=False, existing="overwrite")
    assert counted(again) == {"unchanged": 3, "reject": 1}
    await desk.undo_all(again.id)

    assert await related(desk) == before


async def test_what_is_no_name_is_left_out_and_reported(desk: Desk) -> None:
    file = csv_of([["Email", "Tags"], ["ada@acme.com", f'VIP; {"x" * 51}; "a,b"']])

    done = await desk.run(file, ["email", "tags"], enrich=False)

    assert (await related(desk))["ada@acme.com"][0] == ["VIP"]
    (row,) = await desk.rows(done.id)
    assert [(error.field, error.code) for error in row.errors] == [
        ("/tags", "too_long"),
        ("/tags", "invalid_characters"),
    ]


async def test_without_room_for_another_tag_the_existing_ones_are_added(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    jean = await desk.lead(email="jean@acme.com")
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await tag_operations.add_by_name(tx, desk.actor, {jean: ["VIP"]})
    monkeypatch.setattr(tag_operations, "MAX_TAGS", 1)

    done = await desk.run(FILE, enrich=False)

    assert done.status == "committed"
    assert (await related(desk))["ada@acme.com"][0] == ["VIP"]
    assert tag_models.MAX_TAGS > 1


async def test_whoever_may_not_tag_imports_no_tags(desk: Desk) -> None:
    actor = desk.actor
    may = frozenset(each for each in Permission if each not in ("tags:write", "lists:write"))
    poor = Desk(desk.database, desk.registry, type(actor)(actor.kind, actor.workspace_id, may))
    import_id = await poor.upload(FILE)

    with pytest.raises(MissingPermission):
        await poor.preview(import_id)
    with pytest.raises(MissingPermission):
        await poor.map(import_id, ["email", "company", "ignore", "lists"])
    await poor.map(import_id, ["email", "company", "ignore", "ignore"])
    assert (await poor.preview(import_id)).status == "previewed"
