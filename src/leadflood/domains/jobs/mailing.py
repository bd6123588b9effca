"""What domains have in common whose jobs send a mail and whose records are deleted once they are over."""

from collections.abc import Awaitable, Callable

from leadflood.domains.jobs.errors import Retryable, Terminal
from leadflood.kernel.crypto import token_hash
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.mail import Mail, Mailer, MailNotSent

MAIL_SECONDS = 120.0
"""How long a job that sends one mail may take."""
_BATCH = 1000


async def send(mailer: Mailer, mail: Mail) -> None:
    """Send a mail as part of an attempt. Raises: Retryable, Terminal, and as `Mailer.send`."""
    try:
        await mailer.send(mail)
    except MailNotSent as error:
        raise Retryable(error.reason) if error.temporary else Terminal(error.reason) from error


def require_token(token: str, stored_hash: bytes) -> None:
    """Raises: Terminal: the token, computed again, is not the one whose hash was stored."""
    if token_hash(token) != stored_hash:
        raise Terminal("LEADFLOOD_SECRET_KEY has changed since the link was created. Resend the email.")


async def delete_old(database: Database, delete: Callable[[Transaction, int], Awaitable[int]]) -> None:
    """Call `delete` with a limit, in system transactions of their own, until it deletes fewer than it may."""
    done = _BATCH
    while done == _BATCH:
        async with database.system() as tx:
            done = await delete(tx, _BATCH)
