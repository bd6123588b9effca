"""Shared parts of domains whose jobs send an email."""

from leadflood.domains.jobs.errors import Retryable, Terminal
from leadflood.kernel.mail import Mail, Mailer, MailNotSent

MAIL_SECONDS = 120.0
"""Time limit of a job that sends one email."""


async def send(mailer: Mailer, mail: Mail) -> None:
    """Send an email as part of an attempt. Raises: Retryable, Terminal, and as `Mailer.send`."""
    try:
        await mailer.send(mail)
    except MailNotSent as error:
        raise Retryable(error.reason) if error.temporary else Terminal(error.reason) from error


def require_token(token: str | None) -> str:
    """The recomputed token. Raises: Terminal: no known key matches the stored hash."""
    if token is None:
        raise Terminal("LEADFLOOD_SECRET_KEY has changed since the link was created. Resend the email.")
    return token
