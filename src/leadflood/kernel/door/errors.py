"""Reasons for failed calls, each with a sentence for salespeople."""

from typing import ClassVar


class DoorError(Exception):
    """A call that failed.

    Attributes:
        code: a stable name of the reason.
        retryable: whether the same call may succeed later.
        sentence: what happened, for users, such as "acme.com does not exist."
    """

    code: ClassVar[str] = "failed"
    retryable: ClassVar[bool] = False

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class TargetRefused(DoorError):
    """The URL, name or address is not one that may be contacted."""

    code = "target_refused"


class NameNotFound(DoorError):
    """The domain does not exist, or has no address."""

    code = "name_not_found"


class LookupFailed(DoorError):
    """The domain's name servers did not answer, or answered with an error."""

    code = "lookup_failed"
    retryable = True


class NoInternet(LookupFailed):
    """The name servers of this machine know no names of the internet."""

    code = "no_internet"

    def __init__(self) -> None:
        super().__init__("This server has no connection to the internet.")


class ConnectFailed(DoorError):
    """No connection could be opened, or it broke."""

    code = "connect_failed"
    retryable = True


class ConnectionLost(ConnectFailed):
    """The connection broke after it was opened: the request may have been received."""


class CertificateRejected(DoorError):
    """The certificate of the server is not valid. `why` is `expired`, `wrong_name`, `not_trusted` or `invalid`."""

    code = "certificate_rejected"

    def __init__(self, sentence: str, why: str) -> None:
        super().__init__(sentence)
        self.why = why


class TimedOut(DoorError):
    """The call did not end within the feature's time."""

    code = "timed_out"
    retryable = True


class TooLarge(DoorError):
    """The head or body of the answer is larger than allowed."""

    code = "too_large"


class TooManyRedirects(DoorError):
    """The server redirected more often than allowed, or in a circle."""

    code = "too_many_redirects"


class UnexpectedContent(DoorError):
    """The answer is not of the expected type, such as a web page instead of data."""

    code = "unexpected_content"


class BrokenResponse(DoorError):
    """The answer breaks the rules of HTTP, or its compression is damaged."""

    code = "broken_response"
    retryable = True


class RobotsRefused(DoorError):
    """The site's robots.txt, or a request of its owner, excludes our crawler."""

    code = "robots_refused"


class RobotsUnknown(DoorError):
    """The site could not be asked whether our crawler is allowed: its robots.txt cannot be read for now."""

    code = "robots_unknown"
    retryable = True


class HostBusy(DoorError):
    """Other requests to the host are waiting already. `seconds`: after which time there is a place."""

    code = "host_busy"
    retryable = True

    def __init__(self, sentence: str, seconds: float) -> None:
        super().__init__(sentence)
        self.seconds = seconds
