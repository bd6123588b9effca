"""Invitations, who can make them, and their email."""

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
"""Maximum number of open invitations of a workspace."""
PAUSE_SECONDS: Final = 60
"""Minimum time between two emails of a workspace to one address, even if an invitation was revoked or replaced."""
MAX_MAILS_A_DAY: Final = 100
"""Maximum invitation emails of a workspace within 24 hours, whatever the state of the invitations."""
PURGE_AFTER_DAYS: Final = 30
"""Retention of an invitation after it ended."""


class InvitationState(StrEnum):
    """State of a pending invitation: valid or expired."""

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
    """Whether a member with the role `inviter` can still invite a user as `role`."""
    may_invite = MEMBERS_WRITE in permissions_of(inviter, None)
    return may_invite and PERMISSIONS[role] <= PERMISSIONS[inviter] and (role is not Role.OWNER or inviter is role)


def invitation_mail(invitation_email: InvitationEmail, *, link: str, key: str) -> Mail:
    """The email. Args: key: determines its Message-ID."""
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
