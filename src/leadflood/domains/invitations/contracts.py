"""Inputs and outputs of invitations."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from leadflood.domains.identity.contracts import AnyRole, Email, Name, NewPassword, TriedPassword
from leadflood.domains.invitations.models import DeliveryState, InvitationState
from leadflood.kernel.actor import Role
from leadflood.kernel.schema import Schema, View


class CreateInvitation(Schema):
    """Invites a person by email. Replaces a pending invitation to the same email."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "grace@acme.com", "role": "member"}]})

    email: Email
    role: AnyRole


class NewAccount(Schema):
    """Input of a new user who accepts an invitation. The email is that of the invitation."""

    name: Name
    password: NewPassword = Field(repr=False)


class ExistingAccount(Schema):
    """Input of a user with an account who accepts an invitation."""

    password: TriedPassword = Field(repr=False)


class InviterView(View):
    """The member who last sent the invitation."""

    id: UUID
    name: str


class DeliveryView(View):
    """Delivery of the latest email of an invitation."""

    state: DeliveryState
    job_id: UUID | None
    last_error: str | None = Field(description="Error of the latest attempt.")


class InvitationView(View):
    """A pending invitation. Its link is only in the email."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10",
                    "email": "grace@acme.com",
                    "role": "member",
                    "state": "open",
                    "invitedBy": {"id": "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5", "name": "Ada Lovelace"},
                    "delivery": {
                        "state": "sent",
                        "jobId": "0197a3b0-5e4d-7a01-8b52-6c0e4f3d2a11",
                        "lastError": None,
                    },
                    "sends": 1,
                    "createdAt": "2026-03-01T09:30:00Z",
                    "lastSentAt": "2026-03-01T09:30:00Z",
                    "expiresAt": "2026-03-08T09:30:00Z",
                }
            ]
        }
    )

    id: UUID
    email: str
    role: Role
    state: InvitationState
    invited_by: InviterView | None = Field(description="Null if invited from the CLI.")
    delivery: DeliveryView
    sends: int = Field(description="Number of emails sent, each with a new link.")
    created_at: datetime
    last_sent_at: datetime = Field(description="When the latest email was requested.")
    expires_at: datetime


class InvitationPreview(View):
    """The data that an invitation link shows."""

    email: str
    role: Role
    workspace: str
    inviter: str | None
    has_account: bool
    expires_at: datetime


class AcceptedInvitation(View):
    """The new member and the workspace: enough to sign in."""

    workspace_id: UUID
    user_id: UUID
    email: str
