"""A new address counts once the mail to it is confirmed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from leadflood.domains.email_changes import jobs as change_jobs
from leadflood.domains.email_changes import queries, service
from leadflood.domains.email_changes.errors import EmailChangeNotFound, EmailChangeThrottled, SameEmail
from leadflood.domains.email_changes.events import SEND_EMAIL_CHANGE
from leadflood.domains.email_changes.models import MAILS_A_DAY
from leadflood.domains.identity import queries as identity_queries
from leadflood.domains.identity.contracts import ChangeEmail
from leadflood.domains.identity.errors import EmailTaken, InvalidCredentials, LoginThrottled, WrongPassword
from leadflood.domains.identity.service import access, administration
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox, new_token
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from leadflood.kernel.mail import Mailer
from tests.integration.identity.conftest import Company, new_company
from tests.support.identity import CLI, Identity, Person
from tests.support.jobs import Jobs
from tests.support.mail import Open, Post, post_office
from tests.support.waiting import eventually

PUBLIC_URL = "https://leads.acme.test"
LINK = f"{PUBLIC_URL}/email-changes/"


@dataclass(frozen=True)
class Desk:
    """People who change their addresses, and where the mail goes."""

    identity: Identity
    company: Company
    post: Post

    async def request(
        self, actor: Actor, email: str, password: str | None = None, identity: Identity | None = None
    ) -> None:
        using = identity or self.identity
        body = {"email": email, "currentPassword": password or self.company.owner.password}
        await service.request_change(
            using.database,
            using.settings,
            using.secret_box,
            actor,
            change=ChangeEmail.model_validate(body),
        )

    async def deliver(self) -> None:
        """Run what waits, as a worker does."""
        definitions = change_jobs.definitions(
            self.identity.database,
            mailer=Mailer(self.post.url, "Acme <no-reply@acme.test>", gate=Open()),
            secret_box=self.identity.secret_box,
            public_url=PUBLIC_URL,
        )
        query = sql("SELECT id FROM job_executions WHERE kind = :kind AND status = 'queued' ORDER BY id")
        async with self.identity.database.transaction(self.company.id) as tx:
            waiting = [row.id for row in await tx.all(query, {"kind": SEND_EMAIL_CHANGE.name})]
        for job_id in waiting:
            job = await Jobs(self.identity.database, self.company.id, SEND_EMAIL_CHANGE).attempt(
                JobRegistry(definitions), job_id
            )
            assert job.status == "completed"

    async def link_to(self, email: str) -> str:
        """The token in the newest mail to an address."""
        await self.deliver()
        mails = [item for item in self.post.all() if item.recipients == [email]]
        return mails[-1].text.partition(LINK)[2].split()[0]

    async def confirm(self, token: str) -> None:
        await service.confirm(self.identity.database, token=token, client=self.identity.client)

    async def pass_the_pause(self) -> None:
        async with self.identity.database.system() as tx:
            await tx.execute(sql("UPDATE email_changes SET last_sent_at = last_sent_at - interval '1 minute'"))


@pytest.fixture
async def desk(database: Database, settings: Settings, secret_box: SecretBox, tmp_path: Path) -> AsyncIterator[Desk]:
    identity = Identity(database, settings, secret_box)
    async with post_office(tmp_path / "mail") as post:
        yield Desk(identity, await new_company(identity), post)


def new_address() -> str:
    return f"a{new_id().hex}@acme.test"


async def test_an_address_changes_when_the_mail_to_it_is_confirmed_and_the_former_one_gets_a_notice(desk: Desk) -> None:
    owner, email = desk.company.owner, new_address()
    actor = await desk.identity.actor(owner)

    await desk.request(actor, email.upper())
    async with desk.identity.database.system(read_only=True) as tx:
        shown = await queries.view(tx, owner.id)
    assert shown is not None
    assert (shown.email.lower(), shown.former_email) == (email, owner.email)
    await desk.identity.login(owner)
    with pytest.raises(InvalidCredentials):
        await desk.identity.login(Person(owner.id, email))
    token = await desk.link_to(shown.email)
    (notice,) = [item for item in desk.post.all() if item.recipients == [owner.email]]
    assert LINK not in notice.text
    assert shown.email in notice.text

    await desk.confirm(token)

    assert (await desk.identity.login(Person(owner.id, email))).user.id == owner.id
    with pytest.raises(InvalidCredentials):
        await desk.identity.login(owner)
    assert (await access.me(desk.identity.database, actor)).user.email == shown.email
    with pytest.raises(EmailChangeNotFound):
        await desk.confirm(token)
    async with desk.identity.database.transaction(desk.company.id) as tx:
        page = await identity_queries.list_audit_events(tx, actor, action="user.email_change", limit=10)
    assert [item.action for item in page.items] == ["user.email_changed", "user.email_change_requested"]
    assert page.items[0].data == {"from": owner.email, "to": shown.email}


async def test_a_password_that_changes_during_the_confirmation_wins(desk: Desk) -> None:
    owner, email = desk.company.owner, new_address()
    await desk.request(await desk.identity.actor(owner), email)
    token = await desk.link_to(email)
    database = desk.identity.database
    changed = sql("UPDATE users SET password_hash = '-', password_changed_at = now() WHERE id = :id")
    waits = sql("SELECT true FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%UPDATE users%'")

    async with database.system() as tx:
        await tx.execute(changed, {"id": owner.id})
        confirmation = asyncio.create_task(desk.confirm(token))
        async with database.statement() as connection:
            await eventually(lambda: connection.scalar(waits))

    with pytest.raises(EmailChangeNotFound):
        await confirmation
    async with database.system(read_only=True) as tx:
        assert (await identity_queries.account(tx, owner.id)).email == owner.email


async def test_what_ends_a_change_ends_its_link(desk: Desk) -> None:
    owner = desk.company.owner
    actor = await desk.identity.actor(owner)
    tokens = []
    for step in ("replaced", "resent", "cancelled", "expired", "password"):
        await desk.pass_the_pause()
        email = new_address()
        await desk.request(actor, email)
        tokens.append(await desk.link_to(email))
        await desk.pass_the_pause()
        if step == "resent":
            await service.resend(desk.identity.database, desk.identity.secret_box, actor)
            assert (await service.preview(desk.identity.database, await desk.link_to(email))).email.norm == email
        elif step == "cancelled":
            await service.cancel(desk.identity.database, actor)
            with pytest.raises(EmailChangeNotFound):
                await service.cancel(desk.identity.database, actor)
        elif step == "expired":
            async with desk.identity.database.system() as tx:
                await tx.execute(sql("UPDATE email_changes SET expires_at = now() WHERE closed_at IS NULL"))
        elif step == "password":
            await administration.set_password(desk.identity.database, CLI, email=owner.email, password=owner.password)

    for token in (*tokens[1:], new_token("lfe_"), "lfe_", "", "\ud800" * 42):
        with pytest.raises(EmailChangeNotFound):
            await desk.confirm(token)
        with pytest.raises(EmailChangeNotFound):
            await service.preview(desk.identity.database, token)
    with pytest.raises(EmailChangeNotFound):
        await desk.confirm(tokens[0])
    await desk.identity.login(owner)


async def test_a_taken_address_shows_to_whoever_reads_its_mail_alone(desk: Desk) -> None:
    owner, other = desk.company.owner, desk.company.people[Role.VIEWER]
    actor = await desk.identity.actor(owner)

    await desk.request(actor, other.email)
    token = await desk.link_to(other.email)

    with pytest.raises(EmailTaken):
        await desk.confirm(token)
    await desk.identity.login(owner)
    await desk.identity.login(other)


async def test_of_two_who_confirm_one_address_at_once_one_gets_it(desk: Desk) -> None:
    people, email = [desk.company.owner, desk.company.people[Role.ADMIN]], new_address()
    tokens = []
    for person in people:
        await desk.request(await desk.identity.actor(person), email)
        tokens.append(await desk.link_to(email))

    answers = await asyncio.gather(*map(desk.confirm, tokens), return_exceptions=True)

    assert [type(answer) for answer in answers if answer is not None] == [EmailTaken]


async def test_a_change_needs_the_password_and_another_address(desk: Desk) -> None:
    few = desk.identity.having(max_login_attempts=3)
    actor = await few.actor(desk.company.owner)

    with pytest.raises(SameEmail) as same:
        await desk.request(actor, desk.company.owner.email.upper(), identity=few)
    assert [error.pointer for error in same.value.errors] == ["/email"]
    tries = (desk.request(actor, new_address(), "not the right one", few) for _ in range(5))
    answers = await asyncio.gather(*tries, return_exceptions=True)

    assert sorted(type(answer).__name__ for answer in answers) == ["LoginThrottled"] * 2 + ["WrongPassword"] * 3
    assert {type(answer) for answer in answers} == {LoginThrottled, WrongPassword}


async def test_nobody_is_flooded_with_mail(desk: Desk) -> None:
    actor = await desk.identity.actor(desk.company.owner)

    answers = await asyncio.gather(*(desk.request(actor, new_address()) for _ in range(3)), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["EmailChangeThrottled"] * 2 + ["NoneType"]
    with pytest.raises(EmailChangeThrottled):
        await service.resend(desk.identity.database, desk.identity.secret_box, actor)
    for _ in range(MAILS_A_DAY - 1):
        await desk.pass_the_pause()
        await service.cancel(desk.identity.database, actor)
        await desk.request(actor, new_address())
    await desk.pass_the_pause()
    with pytest.raises(EmailChangeThrottled) as caught:
        await desk.request(actor, new_address())

    assert int(caught.value.headers["Retry-After"]) > 3600
