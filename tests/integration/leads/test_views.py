"""Saved views: one's own in one's own order, and what others share."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.domains.leads.contracts.views import MAX_VIEWS, CreateView, SavedView, UpdateView
from leadflood.domains.leads.errors import (
    TooManyViews,
    UserActorRequired,
    ViewNotFound,
    ViewNotOwned,
    ViewVersionConflict,
)
from leadflood.domains.leads.labels import STANDARD_COLUMNS
from leadflood.domains.leads.queries.views import get_view, list_views
from leadflood.domains.leads.service import views
from leadflood.domains.leads.store import views as view_store
from leadflood.kernel.actor import Actor, ActorKind, Permission, Role
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from leadflood.kernel.schema import field_errors
from tests.conftest import Workspace, new_workspace
from tests.support.identity import Identity

AGE = sql("UPDATE saved_views SET deleted_at = now() - interval '31 days' WHERE id = :view_id")


@pytest.fixture
async def ada(workspace: Workspace, identity: Identity) -> Actor:
    return await member(workspace.id, identity)


@pytest.fixture
async def grace(workspace: Workspace, identity: Identity) -> Actor:
    return await member(workspace.id, identity)


async def member(workspace_id: UUID, identity: Identity) -> Actor:
    person = await identity.new_member(workspace_id, Role.MEMBER)
    return Actor(ActorKind.USER, workspace_id, frozenset(Permission), user_id=person.id)


async def save(database: Database, actor: Actor, name: str, **body: object) -> SavedView:
    command = CreateView.model_validate({"name": name, **body})
    async with database.transaction(actor.workspace_id) as tx:
        return await views.create_view(tx, actor, command=command)


async def change(database: Database, actor: Actor, view: SavedView, **body: object) -> SavedView:
    command = UpdateView.model_validate(body)
    async with database.transaction(actor.workspace_id) as tx:
        return await views.update_view(tx, actor, view_id=view.id, command=command, expected_version=view.version)


async def seen(database: Database, actor: Actor) -> list[str]:
    async with database.transaction(actor.workspace_id, read_only=True) as tx:
        return [view.name for view in await list_views(tx, actor)]


async def test_a_view_keeps_filter_order_and_columns(database: Database, ada: Actor) -> None:
    wanted = {"q": "acme", "status": ["failed", "new"], "unowned": True, "createdFrom": "2026-03-01T00:00:00Z"}
    saved = await save(
        database, ada, "Failed", filter=wanted, sort="-updatedAt", columns=["email", "customFields.plan"]
    )

    async with database.transaction(ada.workspace_id, read_only=True) as tx:
        read = await get_view(tx, ada, view_id=saved.id)

    assert read == saved
    assert read.model_dump(mode="json", by_alias=True)["filter"] == {
        "all": [
            {"field": "search", "operator": "matches", "value": "acme"},
            {"field": "status", "operator": "isAnyOf", "value": ["failed", "new"]},
            {"field": "owner", "operator": "isEmpty"},
            {"field": "createdAt", "operator": "onOrAfter", "value": "2026-03-01T00:00:00+00:00"},
        ]
    }
    assert (read.sort, read.columns, read.mine, read.version) == (
        LeadSort.LATEST, ["email", "customFields.plan"], True, 1,
    )  # fmt: skip
    plain = await save(database, ada, "All")
    assert (plain.filter.lead_filter(), plain.columns) == (LeadFilter(), list(STANDARD_COLUMNS))


async def test_views_are_seen_by_their_owner_and_shared_ones_by_all_of_the_workspace(
    database: Database, identity: Identity, ada: Actor, grace: Actor
) -> None:
    await save(database, ada, "Mine")
    shared = await save(database, ada, "Ours", shared=True)
    await save(database, grace, "Hers")
    stranger = await member(await new_workspace(database), identity)

    assert await seen(database, ada) == ["Mine", "Ours"]
    assert await seen(database, grace) == ["Hers", "Ours"]
    assert await seen(database, stranger) == []
    await change(database, ada, shared, shared=False)
    assert await seen(database, grace) == ["Hers"]


async def test_only_whoever_made_a_view_changes_it(
    database: Database, identity: Identity, ada: Actor, grace: Actor
) -> None:
    private, shared = await save(database, ada, "Mine"), await save(database, ada, "Ours", shared=True)
    stranger = await member(await new_workspace(database), identity)

    for actor, view, refusal in (
        (grace, private, ViewNotFound),
        (grace, shared, ViewNotOwned),
        (stranger, shared, ViewNotFound),
    ):
        with pytest.raises(refusal):
            await change(database, actor, view, name="Taken")
        with pytest.raises(refusal):
            async with database.transaction(actor.workspace_id) as tx:
                await views.delete_view(tx, actor, view_id=view.id, expected_version=1)
    assert await seen(database, ada) == ["Mine", "Ours"]


async def test_a_change_names_the_version_that_it_saw(database: Database, ada: Actor) -> None:
    view = await save(database, ada, "All")
    renamed = await change(database, ada, view, name="Everything")

    with pytest.raises(ViewVersionConflict):
        await change(database, ada, view, name="Lost")

    assert (renamed.name, renamed.version) == ("Everything", 2)
    async with database.transaction(ada.workspace_id) as tx:
        await views.delete_view(tx, ada, view_id=view.id, expected_version=2)
    assert await seen(database, ada) == []


async def test_views_are_put_in_order(database: Database, ada: Actor) -> None:
    saved = {name: await save(database, ada, name) for name in "abcd"}

    await change(database, ada, saved["d"], position=0)
    await change(database, ada, saved["a"], position=99)

    assert await seen(database, ada) == ["d", "b", "c", "a"]


async def test_nobody_keeps_more_views_than_the_limit(
    database: Database, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "MAX_VIEWS", 2)
    for name in "ab":
        await save(database, ada, name)

    with pytest.raises(TooManyViews):
        await save(database, ada, "c")

    assert MAX_VIEWS == 100


async def test_the_command_line_has_no_views(database: Database, workspace: Workspace) -> None:
    with pytest.raises(UserActorRequired):
        await save(database, workspace.actor, "All")


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"name": "x", "columns": ["password"]}, "/columns/0", "unknown_column"),
        ({"name": "x", "columns": ["email", "email"]}, "/columns", "duplicate"),
        ({"name": "x", "columns": []}, "/columns", "too_short"),
        ({"name": "x", "filter": {"stage": "won"}}, "/filter/stage", "unknown_field"),
        ({"name": "x", "filter": {"status": ["won"]}}, "/filter/status/0", "not_allowed"),
        ({"name": "x", "filter": {"ownerId": "nobody"}}, "/filter/ownerId", "invalid_format"),
        ({"name": "x", "sort": "phone"}, "/sort", "not_allowed"),
        ({"name": "\u200b"}, "/name", "too_short"),
        ({"name": "x" * 101}, "/name", "too_long"),
        ({"name": "x", "userId": str(new_id())}, "/userId", "unknown_field"),
    ],
)
def test_a_view_that_breaks_the_contract_is_refused_by_name(body: Mapping[str, Any], pointer: str, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        CreateView.model_validate(body)

    (fault,) = field_errors(refused.value)
    assert (fault.pointer, fault.code) == (pointer, code)


async def test_a_view_keeps_the_order_and_the_widths_of_its_columns(database: Database, ada: Actor) -> None:
    columns = ["customFields.plan", "email", "name", "company"]

    saved = await save(database, ada, "Wide", columns=columns, columnWidths={"email": 320, "name": 90})
    wider = await change(database, ada, saved, columnWidths={"email": 400})
    moved = await change(database, ada, wider, columns=["name", "email"])

    assert (saved.columns, saved.column_widths) == (columns, {"email": 320, "name": 90})
    assert (wider.columns, wider.column_widths) == (columns, {"email": 400})
    assert (moved.columns, moved.column_widths) == (["name", "email"], {"email": 400})


async def test_a_deleted_view_is_restored_as_the_last_one(database: Database, ada: Actor) -> None:
    first, _ = await save(database, ada, "First", columns=["email"]), await save(database, ada, "Second")
    await delete(database, ada, first)
    gone = await seen(database, ada)

    async with database.transaction(ada.workspace_id) as tx:
        restored = await views.restore_view(tx, ada, view_id=first.id)
        again = await views.restore_view(tx, ada, view_id=first.id)

    assert gone == ["Second"]
    assert await seen(database, ada) == ["Second", "First"]
    assert (restored.columns, restored.filter, restored.id) == (first.columns, first.filter, first.id)
    assert again == restored


async def test_a_deleted_view_is_restored_by_its_owner_within_the_limit(
    database: Database, ada: Actor, grace: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, shared = await save(database, ada, "Mine"), await save(database, ada, "Ours", shared=True)
    for view in (private, shared):
        await delete(database, ada, view)

    for view, refusal in ((private, ViewNotFound), (shared, ViewNotOwned)):
        with pytest.raises(refusal):
            async with database.transaction(grace.workspace_id) as tx:
                await views.restore_view(tx, grace, view_id=view.id)
    monkeypatch.setattr(views, "MAX_VIEWS", 0)
    with pytest.raises(TooManyViews):
        async with database.transaction(ada.workspace_id) as tx:
            await views.restore_view(tx, ada, view_id=private.id)


async def test_views_are_purged_with_what_was_deleted_as_long_ago(database: Database, ada: Actor) -> None:
    old, new = await save(database, ada, "Old"), await save(database, ada, "New")
    for view in (old, new):
        await delete(database, ada, view)
    async with database.transaction(ada.workspace_id) as tx:
        await tx.execute(AGE, {"view_id": old.id})

    async with database.system() as tx:
        await view_store.purge_deleted(tx, days=30)

    async with database.transaction(ada.workspace_id) as tx:
        await views.restore_view(tx, ada, view_id=new.id)
        with pytest.raises(ViewNotFound):
            await views.restore_view(tx, ada, view_id=old.id)


async def test_a_copy_is_ones_own_and_says_the_same(database: Database, ada: Actor, grace: Actor) -> None:
    wanted = {"any": [{"field": "company", "operator": "contains", "value": "acme"}]}
    shared = await save(database, ada, "x" * 100, shared=True, filter=wanted, sort="name", columns=["email", "name"])
    private = await save(database, ada, "Mine")

    async with database.transaction(grace.workspace_id) as tx:
        copied = await views.copy_view(tx, grace, view_id=shared.id)
        with pytest.raises(ViewNotFound):
            await views.copy_view(tx, grace, view_id=private.id)

    assert (copied.filter, copied.sort, copied.columns) == (shared.filter, shared.sort, shared.columns)
    assert (copied.mine, copied.shared, copied.name) == (True, False, "x" * 93 + " (copy)")


async def delete(database: Database, actor: Actor, view: SavedView) -> None:
    async with database.transaction(actor.workspace_id) as tx:
        await views.delete_view(tx, actor, view_id=view.id, expected_version=view.version)
