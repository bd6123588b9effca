"""The mail that a job sends, and how its fate shows."""

import re

import pytest

from leadflood.bootstrap import SCHEDULES
from leadflood.domains.identity.contracts import RenameWorkspace
from leadflood.domains.identity.service import workspaces
from leadflood.domains.invitations.events import PURGE_INVITATIONS
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.crypto import SecretBox, new_secret_key
from leadflood.kernel.db.sql import sql
from leadflood.kernel.mail import Mailer
from tests.integration.invitations.conftest import LINK, Door
from tests.support.mail import Open, refusing

SENDER = "Acme <no-reply@acme.test>"


async def test_the_mail_says_who_invites_where_to_and_until_when(door: Door) -> None:
    owner = await door.identity.actor(door.company.owner)
    async with door.identity.database.transaction(door.company.id) as tx:
        change = RenameWorkspace.model_validate({"name": "Ärzte & <b>Söhne</b>"})
        await workspaces.rename_workspace(tx, owner, change=change)
    made = await door.invite(owner)

    token = await door.mailed(made)

    (mail,) = door.post.all()
    assert mail.recipients == [made.email]
    assert mail.subject == "Ada invited you to Ärzte & <b>Söhne</b> on LEAD-FLOOD"
    assert f"{made.expires_at:%B %-d, %Y, %H:%M} UTC" in mail.text
    assert f'href="{LINK}{token}"' in (mail.html or "")
    assert "Ärzte &amp; &lt;b&gt;Söhne&lt;/b&gt;" in (mail.html or "")
    assert f"Message-ID: <{made.delivery.job_id}@acme.test>".encode() in mail.raw


async def test_a_sent_mail_shows_as_sent(door: Door) -> None:
    made = await door.invite(await door.identity.actor(door.company.owner))
    await door.mailed(made)

    (shown,) = await door.pending()

    assert (shown.delivery.state, shown.delivery.last_error) == ("sent", None)


async def test_a_worker_that_died_after_sending_sends_the_same_mail_again(door: Door) -> None:
    made = await door.invite(await door.identity.actor(door.company.owner))
    first = await door.mailed(made)
    async with door.identity.database.system() as tx:
        await tx.execute(
            sql("UPDATE job_executions SET status = 'queued', finished_at = NULL, attempts = 0 WHERE id = :id"),
            {"id": made.delivery.job_id},
        )

    second = await door.mailed(made)

    one, two = door.post.all()
    ids = [re.search(rb"Message-ID: (.+)", item.raw) for item in (one, two)]
    assert first == second
    assert ids[0] is not None
    assert ids[1] is not None
    assert ids[0][1] == ids[1][1]


async def test_without_a_mail_server_the_job_fails_at_once_and_names_the_setting(door: Door) -> None:
    made = await door.invite(await door.identity.actor(door.company.owner))

    job = await door.attempt(made, Mailer(None, SENDER, gate=Open()))

    assert (job.status, job.attempts) == ("failed", 1)
    (shown,) = await door.pending()
    assert shown.delivery.state == "failed"
    assert "LEADFLOOD_SMTP_URL" in (shown.delivery.last_error or "")


@pytest.mark.parametrize(
    ("answer", "status", "state"),
    [("450 4.2.1 Greylisted", "queued", "waiting"), ("550 5.1.1 Nobody here", "failed", "failed")],
)
async def test_what_the_server_says_decides_whether_it_is_tried_again(
    door: Door, answer: str, status: str, state: str
) -> None:
    made = await door.invite(await door.identity.actor(door.company.owner))

    async with refusing(RCPT=answer) as url:
        job = await door.attempt(made, Mailer(url, SENDER, gate=Open()))

    assert job.status == status
    (shown,) = await door.pending()
    assert shown.delivery.state == state
    assert answer in (shown.delivery.last_error or "")


async def test_what_was_revoked_or_sent_anew_meanwhile_is_not_sent(door: Door) -> None:
    owner = await door.identity.actor(door.company.owner)
    revoked, again = await door.invite(owner), await door.invite(owner)
    await door.revoke(owner, revoked.id)
    async with door.identity.database.system() as tx:
        await tx.execute(
            sql("UPDATE invitations SET last_sent_at = now() - interval '1 hour' WHERE id = :id"), {"id": again.id}
        )
    await door.resend(owner, again.id)

    for old in (revoked, again):
        assert (await door.attempt(old)).status == "completed"

    assert door.post.all() == []
    (shown,) = await door.pending()
    assert shown.delivery.state == "waiting"


async def test_under_another_secret_key_it_says_what_to_do(door: Door) -> None:
    made = await door.invite(await door.identity.actor(door.company.owner))
    assert made.delivery.job_id is not None

    job = await door.attempt_job(made.delivery.job_id, secret_box=SecretBox(new_secret_key()))

    assert job.status == "failed"
    assert "LEADFLOOD_SECRET_KEY" in (job.last_error or "")
    assert door.post.all() == []


async def test_this_program_knows_the_jobs_and_forgets_every_day(registry: JobRegistry) -> None:
    assert {"invitations.send.v1", "invitations.purge_expired.v1"} <= set(registry.kinds)
    assert [schedule.seconds for schedule in SCHEDULES if schedule.kind == PURGE_INVITATIONS] == [86_400.0]
