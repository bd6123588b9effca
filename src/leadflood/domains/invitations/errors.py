"""Why invitations are refused."""

from leadflood.kernel.errors import Conflict, NotFound, TooManyRequests


class InvitationNotFound(NotFound):
    """No pending invitation with this id or link. The same answer for used, revoked and expired links."""

    code = "invitation_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such invitation: it was used, revoked or has expired. Ask for a new one.")


class InvitationThrottled(TooManyRequests):
    """This address got a mail from this workspace a moment ago."""

    code = "invitation_throttled"

    def __init__(self, retry_after: int) -> None:
        """Args: retry_after: seconds until the next mail may go."""
        detail = f"This address was sent an invitation a moment ago. Try again in {retry_after} seconds."
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class TooManyInvitationMails(TooManyRequests):
    """The workspace has sent as many invitations as it can within a day, revoked and accepted ones included."""

    code = "too_many_invitation_mails"

    def __init__(self, most: int, retry_after: int) -> None:
        """Args: most: how many there can be. retry_after: seconds until the next mail may be sent."""
        detail = f"A workspace can send {most} invitations within 24 hours. Try again in {retry_after} seconds."
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class TooManyInvitations(Conflict):
    """The workspace has as many open invitations as it can have."""

    code = "too_many_invitations"

    def __init__(self, most: int) -> None:
        """Args: most: how many there can be."""
        super().__init__(f"A workspace can have {most} open invitations. Revoke some, or wait until some are accepted.")


class AccountExists(Conflict):
    """Whoever holds the invitation has an account already."""

    code = "account_exists"

    def __init__(self) -> None:
        super().__init__("There is an account with this address. Accept the invitation with its password.")
