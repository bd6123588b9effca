"""What an invitation is, who may vouch for one, and the mail that carries it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from html import escape
from typing import Final
from uuid import UUID

from leadflood.domains.identity.models import permissions_of
from leadflood.domains.identity.permissions import MEMBERS_WRITE
from leadflood.kernel.actor import PERMISSIONS, Role
from leadflood.kernel.crypto import MailedLink
from leadflood.kernel.email_address import EmailAddress
from leadflood.kernel.mail import Mail

LINK: Final = MailedLink("lfi_", b"invitation", "/invitations")
VALID_DAYS: Final = 7
MAX_OPEN: Final = 100
"""Open invitations of a workspace at a time."""
PAUSE_SECONDS: Final = 60
"""Between two mails of a workspace to one address, whatever was revoked or replaced in between."""
MAX_MAILS_A_DAY: Final = 100
"""Invitation mails of a workspace within 24 hours, whatever became of the invitations."""
PURGE_AFTER_DAYS: Final = 30
"""After its end, however it ended, an invitation is deleted."""


class InvitationState(StrEnum):
    """Whether a pending invitation can be accepted or has expired."""

    OPEN = "open"
    EXPIRED = "expired"


class DeliveryState(StrEnum):
    """Delivery state of the latest email. `sent`: accepted by the mail server."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PendingInvitation:
    """An invitation that was neither accepted nor revoked, as verbs need it."""

    workspace_id: UUID
    id: UUID
    email: EmailAddress
    role: Role
    sends: int


@dataclass(frozen=True, slots=True)
class InvitationEmail:
    """An invitation that can be accepted, with what its link and email show."""

    invitation: PendingInvitation
    workspace: str
    inviter: str | None
    expires_at: datetime
    has_account: bool
    token_hash: bytes


def vouches(inviter: Role, role: Role) -> bool:
    """Whether a member with the role `inviter` may still invite someone as `role`."""
    may_invite = MEMBERS_WRITE in permissions_of(inviter, None)
    return may_invite and PERMISSIONS[role] <= PERMISSIONS[inviter] and (role is not Role.OWNER or inviter is role)


def invitation_mail(invitation_email: InvitationEmail, *, link: str, key: str) -> Mail:
    """The mail. Args: key: what makes its Message-ID."""
    inviter, workspace = invitation_email.inviter, invitation_email.workspace
    opening = f"{inviter} invited you" if inviter else "You're invited"
    expires_at = invitation_email.expires_at
    until = f"{expires_at:%B} {expires_at.day}, {expires_at:%Y, %H:%M} UTC"
    role = invitation_email.invitation.role.value.capitalize()
    first = f"{opening} to {workspace} on LEAD-FLOOD as {'an' if role[0] in 'AO' else 'a'} {role}."
    last = f"This link works once, until {until}. If you weren't expecting this, ignore this email."
    text = f"{first}\n\nAccept invitation:\n{link}\n\n{last}\n"
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Invitation</title></head><body>'
        f'<p>{escape(first)}</p><p><a href="{escape(link)}">Accept invitation</a></p><p>{escape(last)}</p>'
        "</body></html>\n"
    )
    return Mail(key, invitation_email.invitation.email, f"{opening} to {workspace} on LEAD-FLOOD", text, html)
