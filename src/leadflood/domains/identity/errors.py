"""Why identity refuses."""

from collections.abc import Sequence

from leadflood.kernel.actor import Permission
from leadflood.kernel.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound, TooManyRequests
from leadflood.kernel.errors import Unauthenticated as KernelUnauthenticated


class InvalidToken(KernelUnauthenticated):
    """No valid credential. One and the same answer for unknown, expired, ended and malformed ones."""

    def __init__(self) -> None:
        super().__init__("The token or API key is unknown, expired or ended. Sign in again, or use another key.")


class InvalidCredentials(KernelUnauthenticated):
    """One and the same answer for a wrong password and for unknown, disabled and foreign accounts."""

    code = "login_failed"
    title = "Login failed"

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is wrong, or the account has no access here.")


class PublicPassword(KernelUnauthenticated):
    """The demo user's password, which everybody can read in the documentation, in production."""

    code = "public_password"
    title = "Public password"

    def __init__(self, email: str = "EMAIL", *, before: str = "") -> None:
        """`before`: what else has to be done before the commands of the remedy work."""
        super().__init__(
            "The demo user's password is public, so LEADFLOOD_ENV=production refuses it. "
            f"{before}Set another one with `leadflood user set-password {email}`, or disable the user with "
            f"`leadflood user disable {email}`."
        )


class LoginThrottled(TooManyRequests):
    """Too many failures for this account or from this address, whether or not the account exists."""

    code = "login_throttled"
    title = "Too many failed logins"

    def __init__(self, retry_after: int) -> None:
        """Args: retry_after: seconds until the window of the failures has passed."""
        detail = f"Too many failed logins. Try again in {retry_after} seconds."
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class WrongPassword(InvalidInput):
    """The current password, asked for again, does not fit."""

    code = "wrong_password"
    title = "Wrong password"

    def __init__(self) -> None:
        fault = FieldError("/currentPassword", "wrong_password", "Give the password that you sign in with now.")
        super().__init__("The current password is wrong.", errors=[fault])


class SessionNotFound(NotFound):
    """No live session of the caller with this id, or, over the API, none in this workspace."""

    code = "session_not_found"

    def __init__(self) -> None:
        super().__init__("You have no live session with this id.")


class MemberNotFound(NotFound):
    """Nobody with that id in this workspace."""

    code = "member_not_found"

    def __init__(self) -> None:
        super().__init__("There is no member with this id in your workspace.")


class EmailTaken(Conflict):
    """The new e-mail address belongs to another account."""

    code = "email_taken"

    def __init__(self) -> None:
        super().__init__("Another account has this e-mail address. Use another one, or sign in with that account.")


class ApiKeyNotFound(NotFound):
    """No live key with that id in this workspace."""

    code = "api_key_not_found"

    def __init__(self) -> None:
        super().__init__("There is no active API key with this id in your workspace.")


class TooManyApiKeys(Conflict):
    """The person has created as many keys as can be active at a time."""

    code = "too_many_api_keys"

    def __init__(self, most: int) -> None:
        """Args: most: how many there can be."""
        super().__init__(f"A person can have {most} active API keys. Revoke one that is no longer used first.")


class WorkspaceNotFound(NotFound):
    """The workspace is gone, or there is none yet."""

    code = "workspace_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such workspace.")


class UserNotFound(NotFound):
    """No user with this e-mail address."""

    code = "user_not_found"

    def __init__(self) -> None:
        super().__init__("There is no user with this e-mail address. Create the user first.")


class SetupAlreadyDone(NotFound):
    """The link of the first start is wrong, has expired or was used. One and the same answer for all."""

    code = "first_run_over"

    def __init__(self) -> None:
        super().__init__(
            "The link for the first owner has expired, or the first owner has signed in already. Sign in, or get a new "
            "link with `leadflood user first-run`; for a lost password there is `leadflood user set-password EMAIL`."
        )


class DeviceLinkExpired(NotFound):
    """The link of `leadflood user unlock` is wrong or has expired. One and the same answer for both."""

    code = "device_link_over"

    def __init__(self) -> None:
        super().__init__("This link is wrong or older than 15 minutes. Ask for a new one.")


class UserExists(Conflict):
    """The e-mail address is taken."""

    code = "user_exists"

    def __init__(self) -> None:
        super().__init__("There already is a user with this e-mail address. Leave name and password out.")


class AlreadyMember(Conflict):
    """The user is in the workspace already."""

    code = "already_member"

    def __init__(self) -> None:
        super().__init__("This user is a member already. Change the role instead.")


class LastOwner(Conflict):
    """A workspace keeps at least one owner who can sign in."""

    code = "last_owner"

    def __init__(self) -> None:
        super().__init__("A workspace needs an owner. Make another member an owner first.")


class LastOperator(Conflict):
    """An installation keeps at least one instance operator who can sign in."""

    code = "last_operator"

    def __init__(self) -> None:
        super().__init__(
            "This is the only instance operator who can sign in. Make another one first: "
            "`leadflood user operator grant EMAIL`."
        )


class OwnerRoleRequired(Forbidden):
    """Only people who are owners make, change or remove owners."""

    code = "owners_only"

    def __init__(self) -> None:
        super().__init__("Only an owner, signed in with a password, can make, change or remove an owner.")


class PermissionEscalation(Forbidden):
    """Nobody hands out what they do not have."""

    code = "beyond_own_permissions"

    def __init__(self, missing: Sequence[Permission]) -> None:
        names = ", ".join(sorted(missing))
        super().__init__(f"You can give only what you are allowed yourself; you lack: {names}.")
