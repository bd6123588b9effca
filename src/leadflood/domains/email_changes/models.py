"""Pending email changes, and their emails."""

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
    """Recipient of an email: the new address gets a link, the previous one a notice."""

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
    first = f"Confirm this email to sign in to LEAD-FLOOD with it instead of {change.former.display}."
    until = f"{change.expires_at:%B} {change.expires_at.day}, {change.expires_at:%Y, %H:%M} UTC"
    last = f"This link works once, until {until}. If you weren't expecting this, ignore this email."
    text = f"{first}\n\nConfirm email:\n{link}\n\n{last}\n"
    body = f'<p>{escape(first)}</p><p><a href="{escape(link)}">Confirm email</a></p><p>{escape(last)}</p>'
    return Mail(key, change.email, "Confirm your new email for LEAD-FLOOD", text, _page(body))


def notice_mail(change: PendingChange, *, key: str) -> Mail:
    """The mail to the address of before. Args: key: what makes its Message-ID."""
    first = f"Someone asked to change the email of your LEAD-FLOOD account to {change.email.display}."
    last = (
        "It changes once the new email is confirmed. If this wasn't you, sign in, cancel the change in Settings > "
        "Profile, and change your password."
    )
    return Mail(
        key,
        change.former,
        "Your LEAD-FLOOD email is about to change",
        f"{first}\n\n{last}\n",
        _page(f"<p>{escape(first)}</p><p>{escape(last)}</p>"),
    )


def _page(body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Email</title></head>'
        f"<body>{body}</body></html>\n"
    )
