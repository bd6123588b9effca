"""What a pending change of an address is, and the mails that go with it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from html import escape
from typing import Final
from uuid import UUID

from leadflood.kernel.crypto import MailedLink
from leadflood.kernel.email_address import EmailAddress
from leadflood.kernel.mail import Mail

LINK: Final = MailedLink("lfe_", b"email change", "/email-changes")
VALID_HOURS: Final = 24
PAUSE_SECONDS: Final = 60
"""Between two mails that one person asks for."""
MAILS_A_DAY: Final = 10
"""Mails that one person can have sent to new addresses within 24 hours, whatever was cancelled in between."""


class Recipient(StrEnum):
    """Who gets a mail: the new address a link, the address of before a notice."""

    NEW = "new"
    FORMER = "former"


@dataclass(frozen=True, slots=True)
class PendingChange:
    """A change that can be confirmed, as verbs and jobs need it."""

    id: UUID
    user_id: UUID
    email: EmailAddress
    former: EmailAddress
    sending: int
    token_hash: bytes
    expires_at: datetime


def confirmation_mail(change: PendingChange, *, link: str, key: str) -> Mail:
    """The mail to the new address. Args: key: what makes its Message-ID."""
    first = f"The LEAD-FLOOD account {change.former.display} is to use this address to sign in."
    until = f"{change.expires_at:%d %B %Y, %H:%M} UTC"
    last = f"The link works once, until {until}. If you did not ask for this, ignore this mail: nothing changes."
    text = f"{first}\n\nConfirm the address:\n{link}\n\n{last}\n"
    body = f'<p>{escape(first)}</p><p><a href="{escape(link)}">Confirm the address</a></p><p>{escape(last)}</p>'
    return Mail(key, change.email, "Confirm your new e-mail address for LEAD-FLOOD", text, _page(body))


def notice_mail(change: PendingChange, *, key: str) -> Mail:
    """The mail to the address of before. Args: key: what makes its Message-ID."""
    first = f"Your LEAD-FLOOD account is to use the address {change.email.display} instead of this one."
    last = (
        "It changes once the new address is confirmed. If you did not ask for this, sign in, cancel the change in "
        "Settings, Profile, and change your password."
    )
    return Mail(
        key,
        change.former,
        "Your e-mail address for LEAD-FLOOD is about to change",
        f"{first}\n\n{last}\n",
        _page(f"<p>{escape(first)}</p><p>{escape(last)}</p>"),
    )


def _page(body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>E-mail address</title></head>'
        f"<body>{body}</body></html>\n"
    )
