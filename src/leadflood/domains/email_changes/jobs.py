"""The job of email changes: sends an email at least once, with the same Message-ID and the same link."""

from typing import Any

import structlog

from leadflood.domains.email_changes import queries, store
from leadflood.domains.email_changes.events import PURGE_EMAIL_CHANGES, SEND_EMAIL_CHANGE, SendEmailChange
from leadflood.domains.email_changes.models import LINK, PendingChange, Recipient, confirmation_mail, notice_mail
from leadflood.domains.jobs import mailing
from leadflood.domains.jobs.models import NoPayload
from leadflood.domains.jobs.purging import delete_old
from leadflood.domains.jobs.registry import JobContext, JobDefinition
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.mail import Mail, Mailer

_log = structlog.get_logger()


def definitions(
    database: Database, *, mailer: Mailer, secret_box: SecretBox, public_url: str
) -> list[JobDefinition[Any]]:
    """The jobs of this domain. `public_url`: base of links."""

    async def send(context: JobContext[SendEmailChange]) -> None:
        payload = context.payload
        async with database.system(read_only=True) as tx:
            # The notice is sent even if the change was confirmed or cancelled meanwhile.
            new = payload.to is Recipient.NEW
            change = await queries.change_by_id(tx, payload.change_id, open_only=new)
        if change is None or (new and change.sending != payload.sending):
            # It has ended, or a newer mail is on its way.
            _log.info("email_change.not_sent", change_id=str(payload.change_id))
            return
        mail = _mail(change, payload.to, secret_box, public_url, key=str(context.job.id))
        await mailing.send(mailer, mail)

    async def purge(_context: JobContext[NoPayload]) -> None:
        await delete_old(database, store.purge_expired)

    return [
        JobDefinition(SEND_EMAIL_CHANGE, send, timeout=mailing.MAIL_SECONDS),
        JobDefinition(PURGE_EMAIL_CHANGES, purge),
    ]


def _mail(change: PendingChange, to: Recipient, secret_box: SecretBox, public_url: str, *, key: str) -> Mail:
    if to is Recipient.FORMER:
        return notice_mail(change, key=key)
    token = mailing.require_token(LINK.token_with_hash(secret_box, change.id, change.sending, change.token_hash))
    return confirmation_mail(change, link=LINK.url(public_url, token), key=key)
