"""Timelines and changesets of other subjects than leads."""

from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import asyncpg
import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS, SUBSCRIBERS
from leadflood.domains.leads.errors import ChangesetClosed
from leadflood.domains.leads.extensions import CHANGESET_SUBJECTS
from leadflood.domains.leads.models import ChangesetKind
from leadflood.domains.leads.queries.changesets import get_changeset, list_changesets
from leadflood.domains.leads.service import changesets
from leadflood.kernel.actor import Actor
from leadflood.kernel.changesets import ChangesetSubject, StoredChange, Undone, UndoStep
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from leadflood.kernel.pagination import Position
from leadflood.kernel.timeline import Timeline
from tests.conftest import TEMPLATE, Workspace, new_workspace
from tests.support.postgres import Cluster

SHIPS = Timeline("ship")
SCHEMA = """
SET search_path = leadflood, public;
CREATE TABLE ships (workspace_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (workspace_id, id));
GRANT SELECT, INSERT, DELETE ON ships TO leadflood_app;
CALL add_timeline('ship', 'ships');
"""
LAUNCH = sql("INSERT INTO ships (workspace_id, id) SELECT :workspace_id, unnest(:ids::uuid[])")
SINK = sql("DELETE FROM ships WHERE workspace_id = :workspace_id AND id = :id")
REWRITE = sql("UPDATE ship_events SET kind = 'ship.forged' WHERE workspace_id = :workspace_id")


@pytest.fixture
async def harbor(cluster: Cluster) -> AsyncIterator[Database]:
    """A database in which ships have timelines."""
    name = f"harbor_{new_id().hex}"
    cluster.create_database(name, template=TEMPLATE)
    cluster.run(SCHEMA, name)
    pool = ConnectionPool(cluster.url(name, APP_ROLE), application_name="harbor", size=2, statement_timeout=30)
    database = Database(pool, None, SUBSCRIBERS)
    yield database
    await database.close()
    cluster.drop_database(name)


async def test_a_subject_of_any_kind_has_a_timeline_that_nobody_rewrites_and_that_ends_with_it(
    harbor: Database,
) -> None:
    actor, other = Actor.cli(await new_workspace(harbor)), Actor.cli(await new_workspace(harbor))
    ship, sister = new_id(), new_id()
    async with harbor.transaction(actor.workspace_id) as tx:
        await tx.execute(LAUNCH, {"workspace_id": actor.workspace_id, "ids": [ship, sister]})
        for day in range(3):
            await SHIPS.record(tx, actor, kind="ship.sailed", entries={ship: {"day": day}, sister: {"day": day}})

    async def days(actor: Actor, after: Position | None = None) -> tuple[list[int], Position | None]:
        async with harbor.transaction(actor.workspace_id, read_only=True) as tx:
            page = await SHIPS.entries(tx, actor, subject_ids=[ship], after=after, limit=2)
        return [entry.data["day"] for entry in page.items], page.after

    newest, after = await days(actor)
    assert (newest, (await days(actor, after))[0]) == ([2, 1], [0])
    assert (await days(other))[0] == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with harbor.transaction(actor.workspace_id) as tx:
            await tx.execute(REWRITE, {"workspace_id": actor.workspace_id})
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with harbor.transaction(actor.workspace_id) as tx:
            await SHIPS.record(tx, actor, kind="ship.sailed", entries={new_id(): {}})
    async with harbor.transaction(actor.workspace_id) as tx:
        await tx.execute(SINK, {"workspace_id": actor.workspace_id, "id": ship})
    assert (await days(actor))[0] == []


@pytest.fixture
def undone() -> Iterator[list[StoredChange]]:
    """Changes that the undo of ships was asked to revert. It keeps the name of the first one of a chunk."""
    asked: list[StoredChange] = []

    async def undo(tx: Transaction, step: UndoStep) -> Undone:
        changes = await changesets.changes_of(tx, step)
        asked.extend(changes)
        return Undone(len(changes) - 1, {changes[0].subject_id: ["name"]})

    CHANGESET_SUBJECTS.add([ChangesetSubject(subject="ship", undo=undo)])
    yield asked
    CHANGESET_SUBJECTS._known.pop("ship")


async def renamed(database: Database, actor: Actor, ships: list[UUID]) -> UUID:
    async with database.transaction(actor.workspace_id) as tx:
        changeset_id = await changesets.open_changeset(
            tx, actor, kind=ChangesetKind.BULK, label="Renamed", wanted=len(ships), subject="ship"
        )
        changes = [StoredChange(ship, "updated", {"name": "A"}, {"name": "B"}) for ship in ships]
        await changesets.record_changes(tx, actor, changeset_id=changeset_id, changes=changes)
        await changesets.close_changeset(tx, actor, changeset_id=changeset_id)
    return changeset_id


async def test_a_changeset_of_another_subject_is_counted_and_undone_as_its_domain_says(
    database: Database, workspace: Workspace, undone: list[StoredChange]
) -> None:
    ships = sorted(new_id() for _ in range(3))
    changeset_id = await renamed(database, workspace.actor, ships)
    async with database.transaction(workspace.id) as tx:
        for _ in range(2):  # the second call changes nothing
            await changesets.undo_changeset(tx, workspace.actor, LEAD_PARTICIPANTS, changeset_id=changeset_id, trace={})
    async with database.transaction(workspace.id, read_only=True) as tx:
        found = await get_changeset(tx, workspace.actor, changeset_id=changeset_id)
        listed = (await list_changesets(tx, workspace.actor, limit=10)).items

    assert [change.subject_id for change in undone] == ships
    assert undone[0] == StoredChange(ships[0], "updated", {"name": "A"}, {"name": "B"})
    assert (found.subject, found.updated, found.reverted, found.kept_fields) == ("ship", 3, 2, 1)
    assert found.status == "undone"
    assert [item.id for item in listed] == [changeset_id]


async def test_a_closed_changeset_takes_no_more_changes(
    database: Database, workspace: Workspace, undone: list[StoredChange]
) -> None:
    changeset_id = await renamed(database, workspace.actor, [new_id()])
    late = [StoredChange(new_id(), "created", None, {"name": "C"})]

    async with database.transaction(workspace.id) as tx:
        with pytest.raises(ChangesetClosed):
            await changesets.record_changes(tx, workspace.actor, changeset_id=changeset_id, changes=late)
    assert undone == []


def test_two_domains_cannot_undo_the_same_kind() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        CHANGESET_SUBJECTS.add([CHANGESET_SUBJECTS["lead"]])
