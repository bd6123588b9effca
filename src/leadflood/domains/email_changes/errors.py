"""Why changes of an address are refused."""

from leadflood.kernel.errors import FieldError, InvalidInput, NotFound, TooManyRequests


class EmailChangeNotFound(NotFound):
    """No change that can be confirmed. The same answer for used, cancelled, replaced and expired links."""

    code = "email_change_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such change: it was confirmed or cancelled, was sent again, or has expired.")


class EmailChangeThrottled(TooManyRequests):
    """The person had a mail sent a moment ago, or too many today."""

    code = "email_change_throttled"

    def __init__(self, retry_after: int) -> None:
        """Args: retry_after: seconds until the next mail may be sent."""
        detail = f"Too many mails to new addresses. Try again in {retry_after} seconds."
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class SameEmail(InvalidInput):
    """The new address is the one that the account has."""

    code = "same_email"
    title = "Same address"

    def __init__(self) -> None:
        fault = FieldError("/email", "same_email", "Give another address than the one you sign in with now.")
        super().__init__("This is your address already.", errors=[fault])
