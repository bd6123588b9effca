"""Jobs of invitations: sending the email, and deleting invitations that ended long ago.

An email is sent at least once: if a worker dies after the mail server accepted it, it is sent again, with the same
Message-ID and the same link. That is harmless.
"""

from typing import Any

import structlog

from leadflood.domains.invitations import queries, store
from leadflood.domains.invitations.events import PURGE_INVITATIONS, SEND_INVITATION, SendInvitation
from leadflood.domains.invitations.models import LINK, invitation_mail
from leadflood.domains.jobs import mailing
from leadflood.domains.jobs.models import NoPayload
from leadflood.domains.jobs.purging import delete_old
from leadflood.domains.jobs.registry import JobContext, JobDefinition
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.mail import Mailer

_log = structlog.get_logger()


def definitions(
    database: Database, *, mailer: Mailer, secret_box: SecretBox, public_url: str
) -> list[JobDefinition[Any]]:
    """The jobs of this domain. `database`: for the purge over all workspaces. `public_url`: base of links."""

    async def send_invitation(context: JobContext[SendInvitation]) -> None:
        await _send(context, mailer, secret_box, public_url)

    async def purge(_context: JobContext[NoPayload]) -> None:
        await delete_old(database, store.purge_expired)

    return [
        JobDefinition(SEND_INVITATION, send_invitation, timeout=mailing.MAIL_SECONDS),
        JobDefinition(PURGE_INVITATIONS, purge),
    ]


async def _send(context: JobContext[SendInvitation], mailer: Mailer, secret_box: SecretBox, public_url: str) -> None:
    invitation_id, sending = context.payload.invitation_id, context.payload.sending
    async with context.transaction() as tx:
        invitation_email = await queries.invitation_email_of(tx, context.actor, invitation_id=invitation_id)
    if invitation_email is None or invitation_email.invitation.sends != sending:
        # It has ended, or a newer email is queued.
        _log.info("invitation.not_sent", invitation_id=str(invitation_id))
        return
    token = mailing.require_token(LINK.token_with_hash(secret_box, invitation_id, sending, invitation_email.token_hash))
    mail = invitation_mail(invitation_email, link=LINK.url(public_url, token), key=str(context.job.id))
    await mailing.send(mailer, mail)
