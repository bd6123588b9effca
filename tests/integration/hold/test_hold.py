"""A copy of a database keeps its mails back until an operator says that it is the original now."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr

from leadflood.bootstrap import SUBSCRIBERS, build_registry
from leadflood.domains.identity.service import administration, holds
from leadflood.domains.invitations import queries, service
from leadflood.domains.invitations.contracts import CreateInvitation, InvitationView
from leadflood.domains.invitations.events import SEND_INVITATION
from leadflood.domains.jobs import execution
from leadflood.domains.jobs import service as jobs_service
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.actor import PERMISSIONS, Actor, ActorKind, Role
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.db.sql import sql
from leadflood.kernel.errors import Forbidden
from leadflood.kernel.hold import WAITING, EffectsOnHold, Hold
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID, new_id
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from tests.conftest import TEMPLATE
from tests.support.identity import CLI, PASSWORD
from tests.support.jobs import Jobs, workers_on
from tests.support.mail import Post, post_office
from tests.support.postgres import Cluster
from tests.support.processes import INSTANCE
from tests.support.sandbox import shared_sandbox
from tests.support.waiting import until

OPERATOR = Actor.cli(SYSTEM_WORKSPACE_ID)
AUDITED = sql("SELECT action, data FROM audit_events WHERE workspace_id = :id AND action LIKE 'hold.%' ORDER BY id")


@dataclass(frozen=True)
class Place:
    """One database, as the processes of one installation see it."""

    url: str
    database: Database
    settings: Settings
    secret_box: SecretBox

    @property
    def registry(self) -> JobRegistry:
        return build_registry(self.settings, self.database, shared_sandbox())

    def hold(self, instance_id: str = INSTANCE) -> Hold:
        return Hold(self.database, lambda: (instance_id,))

    async def new_workspace(self) -> UUID:
        owner = f"u{new_id().hex}@acme.test"
        await administration.create_user(self.database, CLI, email=owner, name="Ada", password=PASSWORD)
        return (await administration.create_workspace(self.database, CLI, name="Acme", owner_email=owner)).id

    async def invite(self, workspace_id: UUID) -> InvitationView:
        command = CreateInvitation.model_validate({"email": f"u{new_id().hex}@acme.test", "role": "member"})
        async with self.database.transaction(workspace_id) as tx:
            return await service.invite(tx, Actor.cli(workspace_id), self.secret_box, command=command)

    async def invitation(self, workspace_id: UUID) -> InvitationView:
        """The only pending one."""
        async with self.database.transaction(workspace_id, read_only=True) as tx:
            (found,) = (await queries.list_invitations(tx, Actor.cli(workspace_id), limit=10)).items
        return found

    async def is_restored(self) -> bool:
        """Whether a copy was recorded as the original."""
        async with self.database.system(read_only=True) as tx:
            return await tx.scalar(sql("SELECT restored_at IS NOT NULL FROM effects_hold")) is True

    async def audited(self) -> list[tuple[str, str]]:
        async with self.database.system(read_only=True) as tx:
            rows = await tx.all(AUDITED, {"id": SYSTEM_WORKSPACE_ID})
        return [(row.action, row.data["reason"]) for row in rows]

    def jobs(self, workspace_id: UUID) -> Jobs:
        return Jobs(self.database, workspace_id, SEND_INVITATION)


Opened = Callable[[str], AbstractAsyncContextManager[Place]]
Copied = Callable[[str], str]


@pytest.fixture
def copied(cluster: Cluster) -> Iterator[Copied]:
    """Copies a database, and returns the name of the copy."""
    made: list[str] = []

    def copy(source: str) -> str:
        made.append(f"hold_{new_id().hex}")
        cluster.create_database(made[-1], template=source)
        return made[-1]

    yield copy
    for name in made:
        cluster.drop_database(name)


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with post_office(tmp_path / "mail") as office:
        yield office


@pytest.fixture
def opened(cluster: Cluster, settings: Settings, secret_box: SecretBox, post: Post) -> Opened:
    """Connects to a database."""

    @asynccontextmanager
    async def connect(name: str) -> AsyncIterator[Place]:
        url = cluster.url(name, APP_ROLE)
        queue_backend = PostgresQueueBackend(url, role=APP_ROLE)
        await queue_backend.open()
        database = Database(
            ConnectionPool(url, application_name="tests", size=5, statement_timeout=30), queue_backend, SUBSCRIBERS
        )
        try:
            yield Place(url, database, settings.model_copy(update={"smtp_url": SecretStr(post.url)}), secret_box)
        finally:
            await queue_backend.close()
            await database.close()

    return connect


async def test_a_copy_keeps_invitations_back_until_an_operator_opens_the_hold(
    opened: Opened, copied: Copied, post: Post
) -> None:
    original = copied(TEMPLATE)
    async with opened(original) as place:
        assert not (await place.hold().check()).closed
        workspace_id = await place.new_workspace()
        invited = await place.invite(workspace_id)
    job_id = invited.delivery.job_id
    assert job_id is not None

    async with opened(copied(original)) as place:
        job = await place.jobs(workspace_id).attempt(place.registry, job_id)

        assert post.all() == []
        assert (job.status, job.on_hold, job.last_error, job.failures) == ("queued", True, WAITING, [])
        assert job.max_attempts - job.attempts == SEND_INVITATION.max_attempts
        delivery = (await place.invitation(workspace_id)).delivery
        assert (delivery.state, delivery.last_error) == ("waiting", WAITING)
        assert (await place.hold().check()).reason.startswith("Another database than recorded")
        assert await execution.release_from_hold(place.database) == 0

        assert not (await holds.open_hold(place.database, place.hold(), OPERATOR)).closed
        async with workers_on(place.url, place.settings) as workers:
            await workers.start(place.registry)
            await until(lambda: len(post.all()) == 1)
            assert await place.jobs(workspace_id).ended(job_id) == {"completed": 1}
        assert [item.recipients for item in post.all()] == [[invited.email]]
        assert [action for action, _ in await place.audited()] == ["hold.opened"]


async def test_another_instance_id_or_server_closes_the_hold_for_all_and_only_opening_it_helps(
    opened: Opened, copied: Copied
) -> None:
    async with opened(copied(TEMPLATE)) as place:
        ours, theirs = place.hold("ours"), place.hold("theirs")
        await ours.require_open()
        with pytest.raises(EffectsOnHold):
            await theirs.require_open()
        with pytest.raises(EffectsOnHold):
            await ours.require_open()
        closed = await ours.check()
        assert closed.differences == ()
        assert ("theirs" in closed.reason, "ours" in closed.reason) == (True, True)

        assert not await place.is_restored()
        await holds.open_hold(place.database, theirs, OPERATOR)
        await theirs.require_open()
        assert await place.is_restored()

        async with place.database.system() as tx:
            await tx.execute(sql("UPDATE effects_hold SET system_identifier = '1'"))
        with pytest.raises(EffectsOnHold):
            await theirs.require_open()
        assert (await theirs.check()).reason.startswith("Another server than recorded")


async def test_closed_by_hand_it_stays_closed_and_both_are_audited_once(opened: Opened, copied: Copied) -> None:
    async with opened(copied(TEMPLATE)) as place:
        hold = place.hold()
        for _ in range(2):
            assert (await holds.close_hold(place.database, hold, OPERATOR, reason="Rehearsal 🚧")).closed
        with pytest.raises(EffectsOnHold):
            await hold.require_open()
        for _ in range(2):
            assert not (await holds.open_hold(place.database, hold, OPERATOR)).closed
        await hold.require_open()

        assert not await place.is_restored()
        assert await place.audited() == [("hold.closed", "Rehearsal 🚧"), ("hold.opened", "Rehearsal 🚧")]


async def test_an_owner_who_is_no_operator_may_not_touch_it(opened: Opened, copied: Copied) -> None:
    async with opened(copied(TEMPLATE)) as place:
        owner = Actor(ActorKind.USER, new_id(), PERMISSIONS[Role.OWNER], user_id=new_id(), role=Role.OWNER)
        hold = place.hold()
        await holds.close_hold(place.database, hold, OPERATOR, reason="Rehearsal")
        with pytest.raises(Forbidden):
            await holds.open_hold(place.database, hold, owner)
        with pytest.raises(Forbidden):
            await holds.close_hold(place.database, hold, owner, reason="Mine")
        assert (await hold.check()).reason == "Rehearsal"


async def test_jobs_cancelled_during_the_hold_send_nothing_when_it_opens(
    opened: Opened, copied: Copied, post: Post
) -> None:
    async with opened(copied(TEMPLATE)) as place:
        workspace_id = await place.new_workspace()
        asked, not_yet = [await place.invite(workspace_id) for _ in range(2)]
        await holds.close_hold(place.database, place.hold(), OPERATOR, reason="Rehearsal")
        jobs = place.jobs(workspace_id)
        assert asked.delivery.job_id is not None
        assert not_yet.delivery.job_id is not None
        await jobs.attempt(place.registry, asked.delivery.job_id)

        async with place.database.transaction(workspace_id) as tx:
            done = await jobs_service.cancel_outgoing(tx, Actor.cli(workspace_id), place.registry, limit=10)

        assert done == 2
        await holds.open_hold(place.database, place.hold(), OPERATOR)
        assert await execution.release_from_hold(place.database) == 0
        for invitation in (asked, not_yet):
            job = await jobs.view(invitation.delivery.job_id or new_id())
            assert (job.status, job.on_hold) == ("failed", False)
        assert post.all() == []
