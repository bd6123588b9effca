"""Errors of identity."""

from collections.abc import Sequence

from leadflood.kernel.actor import Permission
from leadflood.kernel.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound, TooManyRequests
from leadflood.kernel.errors import Unauthenticated as KernelUnauthenticated


class InvalidToken(KernelUnauthenticated):
    """No valid credential. The response is the same for unknown, expired, ended and malformed ones."""

    def __init__(self) -> None:
        super().__init__("Invalid or expired credentials. Sign in again, or use another API key.")


class InvalidCredentials(KernelUnauthenticated):
    """Wrong email or password, or an account that is disabled or has no access to the workspace."""

    code = "invalid_credentials"
    title = "Sign-in failed"
    remedy = "Check the email and the password."

    def __init__(self) -> None:
        super().__init__("Incorrect email or password.")


class PublicPassword(KernelUnauthenticated):
    """A user has the demo user's public password in production."""

    code = "public_password"
    title = "Public password"
    remedy = "Set another password with `leadflood user set-password EMAIL`, or disable the user."

    def __init__(self, email: str = "EMAIL", *, before: str = "") -> None:
        """`before`: a step that must precede the commands of the remedy."""
        super().__init__(
            "The demo user's password is public, so LEADFLOOD_ENV=production refuses it. "
            f"{before}Set another one with `leadflood user set-password {email}`, or disable the user with "
            f"`leadflood user disable {email}`."
        )


class LoginThrottled(TooManyRequests):
    """Too many failed sign-ins for this account or from this IP address."""

    code = "login_throttled"
    title = "Too many attempts"
    remedy = "Wait for as many seconds as `Retry-After` says, or ask your administrator to set a new password."

    def __init__(self, retry_after: int) -> None:
        """Args: retry_after: seconds until the window of the failures ends."""
        detail = f"Too many attempts. Try again in {retry_after} seconds."
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class WrongPassword(InvalidInput):
    """The current password is wrong."""

    code = "wrong_password"
    title = "Incorrect password"
    remedy = "Send the current password."

    def __init__(self) -> None:
        fault = FieldError("/currentPassword", "wrong_password", "Enter your current password.")
        super().__init__("The current password is incorrect.", errors=[fault])


class SessionNotFound(NotFound):
    """No active session of the caller with this ID."""

    code = "session_not_found"
    title = "Session not found"

    def __init__(self) -> None:
        super().__init__("You have no active session with this ID.")


class MemberNotFound(NotFound):
    """No member with this ID in the workspace."""

    code = "member_not_found"
    title = "Member not found"

    def __init__(self) -> None:
        super().__init__("No member with this ID in your workspace.")


class EmailTaken(Conflict):
    """Another account uses this email."""

    code = "email_taken"
    title = "Email already in use"
    remedy = "Use another email, or sign in with that account."

    def __init__(self, detail: str = "Another account already uses this email.") -> None:
        super().__init__(detail)


class ApiKeyNotFound(NotFound):
    """No active API key with this ID in the workspace."""

    code = "api_key_not_found"
    title = "API key not found"

    def __init__(self) -> None:
        super().__init__("No active API key with this ID in your workspace.")


class TooManyApiKeys(Conflict):
    """The user has reached the limit of active API keys."""

    code = "too_many_api_keys"
    title = "API key limit reached"
    remedy = "Revoke a key that is no longer used."

    def __init__(self, limit: int) -> None:
        """Args: limit: the maximum."""
        super().__init__(f"API key limit reached ({limit}). Revoke a key you no longer use.")


class WorkspaceNotFound(NotFound):
    """The workspace doesn't exist."""

    code = "workspace_not_found"
    title = "Workspace not found"

    def __init__(self) -> None:
        super().__init__("No workspace with this ID.")


class UserNotFound(NotFound):
    """No user with this email."""

    code = "user_not_found"
    title = "User not found"
    remedy = "Create the user first."

    def __init__(self) -> None:
        super().__init__("No user with this email. Create the user first.")


class SetupAlreadyDone(NotFound):
    """The setup link is invalid, expired or used."""

    code = "setup_already_done"
    title = "Setup link expired"
    remedy = "Sign in, or get a new link with `leadflood user first-run`."

    def __init__(self) -> None:
        super().__init__(
            "This setup link is no longer valid. Sign in, or get a new "
            "link with `leadflood user first-run`. To reset a password: `leadflood user set-password EMAIL`."
        )


class DeviceLinkExpired(NotFound):
    """The link of `leadflood user unlock` is invalid or has expired."""

    code = "device_link_expired"
    title = "Link expired"
    remedy = "Get a new link with `leadflood user unlock EMAIL`."

    def __init__(self) -> None:
        super().__init__("This link is invalid or has expired. Ask your administrator for a new one.")


class UserExists(EmailTaken):
    """A user with this email already exists."""

    remedy = "Use another email, or add the existing user to the workspace."


class AlreadyMember(Conflict):
    """The user is already a member of the workspace."""

    code = "already_member"
    title = "Already a member"
    remedy = "Change the member's role instead."

    def __init__(self) -> None:
        super().__init__("This user is already a member. Change their role instead.")


class LastOwner(Conflict):
    """The last owner who can sign in can't be removed."""

    code = "last_owner"
    title = "Last owner"
    remedy = "Assign another owner first."

    def __init__(self) -> None:
        super().__init__("Assign another owner first.")


class LastOperator(Conflict):
    """The last instance operator who can sign in can't be removed."""

    code = "last_operator"
    title = "Last instance operator"
    remedy = "Add another operator first: `leadflood user operator grant EMAIL`."

    def __init__(self) -> None:
        super().__init__(
            "This is the only instance operator who can sign in. Add another one first: "
            "`leadflood user operator grant EMAIL`."
        )


class OwnerRoleRequired(Forbidden):
    """Only owners can add, change or remove owners."""

    code = "owner_role_required"
    title = "Owners only"
    remedy = "Ask an owner to do this."

    def __init__(self) -> None:
        super().__init__("Only owners, signed in with a password, can add, change or remove owners.")


class PermissionEscalation(Forbidden):
    """The caller can't grant permissions it doesn't have."""

    code = "permission_escalation"
    title = "Not allowed"
    remedy = "Leave out the permissions that you don't have."

    def __init__(self, missing: Sequence[Permission]) -> None:
        names = ", ".join(sorted(missing))
        super().__init__(f"You can't grant permissions you don't have: {names}.")
