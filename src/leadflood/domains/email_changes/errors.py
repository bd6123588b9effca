"""Errors of email changes."""

from leadflood.kernel.errors import FieldError, InvalidInput, NotFound, TooManyRequests


class EmailChangeNotFound(NotFound):
    """The link is invalid, used, cancelled, replaced or expired."""

    code = "email_change_not_found"
    title = "Email change not found"
    remedy = "Request the change again."

    def __init__(self) -> None:
        super().__init__("This change was already confirmed, canceled or resent, or has expired.")


class EmailChangeThrottled(TooManyRequests):
    """An email was sent a moment ago, or too many today."""

    code = "email_change_throttled"
    title = "Too many emails"
    remedy = "Use the link in the latest email, or wait for as many seconds as `Retry-After` says."

    def __init__(self, retry_after: int) -> None:
        """Args: retry_after: seconds until the next email can be sent."""
        detail = f"Too many confirmation emails. Try again in {retry_after} seconds."
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class SameEmail(InvalidInput):
    """The new email is the account's current one."""

    code = "same_email"
    title = "Same email"
    remedy = "Choose another email."

    def __init__(self) -> None:
        fault = FieldError("/email", "same_email", "Enter a different email.")
        super().__init__("This is already your email.", errors=[fault])
