"""Errors of invitations."""

from leadflood.domains.identity.errors import EmailTaken
from leadflood.kernel.errors import Conflict, NotFound, TooManyRequests


class InvitationNotFound(NotFound):
    """No pending invitation with this ID or link; it may be used, revoked or expired."""

    code = "invitation_not_found"
    title = "Invitation not found"
    remedy = "Ask for a new invitation."

    def __init__(self) -> None:
        super().__init__("This invitation was used or revoked, or has expired. Ask for a new one.")


class InvitationThrottled(TooManyRequests):
    """The workspace emailed this person a moment ago."""

    code = "invitation_throttled"
    title = "Invitation just sent"
    remedy = "Wait for as many seconds as `Retry-After` says before you resend it. The link already sent works."

    def __init__(self, retry_after: int) -> None:
        """Args: retry_after: seconds until the next email can be sent."""
        detail = f"An invitation was just sent to this email. Try again in {retry_after} seconds."
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class TooManyInvitationMails(TooManyRequests):
    """The workspace has reached the daily limit of invitation emails."""

    code = "too_many_invitation_mails"
    title = "Invitation limit reached"
    remedy = "Wait for as many seconds as `Retry-After` says. Pending invitations stay valid."

    def __init__(self, limit: int, retry_after: int) -> None:
        """Args: limit: the maximum. retry_after: seconds until the next email can be sent."""
        detail = f"Invitation limit reached ({limit} in 24 hours). Try again in {retry_after} seconds."
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class TooManyInvitations(Conflict):
    """The workspace has reached the limit of pending invitations."""

    code = "too_many_invitations"
    title = "Invitation limit reached"
    remedy = "Revoke pending invitations, or wait until some are accepted."

    def __init__(self, limit: int) -> None:
        """Args: limit: the maximum."""
        super().__init__(f"Invitation limit reached ({limit} pending). Revoke some first.")


class AccountExists(EmailTaken):
    """The invited person already has an account."""

    remedy = "Accept the invitation with the account's password."

    def __init__(self) -> None:
        super().__init__("An account with this email already exists. Accept the invitation with its password.")
