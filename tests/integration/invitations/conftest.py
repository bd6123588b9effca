"""A workspace whose people invite others, a mail catcher, and the jobs that send."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from leadflood.domains.identity import queries as identity_queries
from leadflood.domains.identity.contracts import MemberView
from leadflood.domains.invitations import jobs as invitation_jobs
from leadflood.domains.invitations import queries, service
from leadflood.domains.invitations.contracts import (
    AcceptedInvitation,
    CreateInvitation,
    ExistingAccount,
    InvitationView,
    NewAccount,
)
from leadflood.domains.invitations.events import SEND_INVITATION
from leadflood.domains.jobs.contracts import JobView
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.actor import Actor
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import new_id
from leadflood.kernel.mail import Mailer
from tests.integration.identity.conftest import Company, new_company
from tests.support.identity import PASSWORD, Identity, Person
from tests.support.jobs import Jobs
from tests.support.mail import Open, Post, post_office

PUBLIC_URL = "https://leads.acme.test"
LINK = f"{PUBLIC_URL}/invitations/"


@dataclass(frozen=True)
class Door:
    """Helper for tests of invitations."""

    identity: Identity
    company: Company
    post: Post

    async def invite(self, actor: Actor, email: str | None = None, role: str = "member") -> InvitationView:
        """Invite a new address, or this one."""
        wanted = CreateInvitation.model_validate({"email": email or new_address(), "role": role})
        async with self.identity.database.transaction(actor.workspace_id) as tx:
            return await service.invite(tx, actor, self.identity.secret_box, command=wanted)

    async def resend(self, actor: Actor, invitation_id: UUID) -> InvitationView:
        """Send again."""
        async with self.identity.database.transaction(actor.workspace_id) as tx:
            return await service.resend(tx, actor, self.identity.secret_box, invitation_id=invitation_id)

    async def revoke(self, actor: Actor, invitation_id: UUID) -> None:
        """Take back."""
        async with self.identity.database.transaction(actor.workspace_id) as tx:
            await service.revoke(tx, actor, invitation_id=invitation_id)

    async def pending(self) -> list[InvitationView]:
        """All pending invitations of the company."""
        async with self.identity.database.transaction(self.company.id, read_only=True) as tx:
            return list((await queries.list_invitations(tx, Actor.cli(self.company.id), limit=200)).items)

    async def attempt(self, invitation: InvitationView, mailer: Mailer | None = None) -> JobView:
        """Run one attempt at sending an invitation's latest mail, as a worker does."""
        assert invitation.delivery.job_id is not None
        return await self.attempt_job(invitation.delivery.job_id, mailer)

    async def attempt_job(
        self, job_id: UUID, mailer: Mailer | None = None, secret_box: SecretBox | None = None
    ) -> JobView:
        """Run one attempt at a job that sends."""
        definitions = invitation_jobs.definitions(
            self.identity.database,
            mailer=mailer or Mailer(self.post.url, "Acme <no-reply@acme.test>", gate=Open()),
            secret_box=secret_box or self.identity.secret_box,
            public_url=PUBLIC_URL,
        )
        jobs = Jobs(self.identity.database, self.company.id, SEND_INVITATION)
        return await jobs.attempt(JobRegistry(definitions), job_id)

    async def mailed(self, invitation: InvitationView) -> str:
        """Send the mail, and return the token in its link."""
        assert (await self.attempt(invitation)).status == "completed"
        text = self.post.all()[-1].text
        return text.partition(LINK)[2].split()[0]

    async def accept_as_new(self, token: str, password: str = PASSWORD) -> AcceptedInvitation:
        """Join with a new account."""
        newcomer = NewAccount.model_validate({"name": "Grace Hopper", "password": password})
        return await service.accept_as_new(
            self.identity.database, token=token, newcomer=newcomer, client=self.identity.client
        )

    async def accept_as(self, person: Person, token: str, identity: Identity | None = None) -> AcceptedInvitation:
        """Join with an account that exists."""
        using = identity or self.identity
        return await service.accept_with_account(
            using.database,
            using.settings,
            using.secret_box,
            token=token,
            known=ExistingAccount.model_validate({"password": person.password}),
            client=using.client,
        )

    async def members(self) -> dict[str, MemberView]:
        """Members of the company, by address."""
        async with self.identity.database.transaction(self.company.id, read_only=True) as tx:
            page = await identity_queries.list_members(tx, Actor.cli(self.company.id), limit=200)
        return {item.email: item for item in page.items}

    async def actions(self) -> list[str]:
        """Audit entries of invitations and new members, oldest first, without the creation of the company."""
        async with self.identity.database.transaction(self.company.id, read_only=True) as tx:
            page = await identity_queries.list_audit_events(tx, Actor.cli(self.company.id), limit=100)
        shown = [item for item in reversed(page.items) if item.actor.kind != "cli"]
        return [item.action for item in shown if not item.action.startswith("session.")]


def new_address() -> str:
    """An address that nobody has."""
    return f"g{new_id().hex}@acme.test"


@pytest.fixture
async def door(database: Database, settings: Settings, secret_box: SecretBox, tmp_path: Path) -> AsyncIterator[Door]:
    identity = Identity(database, settings, secret_box)
    async with post_office(tmp_path / "mail") as post:
        yield Door(identity, await new_company(identity), post)
