"""Sending email over SMTP: one message, one recipient, and whether a failure is temporary."""

from dataclasses import dataclass, field
from email.errors import HeaderParseError, MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from email.utils import unquote as unquote_local
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

import aiosmtplib

from leadflood.kernel.clock import utc_now
from leadflood.kernel.email_address import EmailAddress, parse_email
from leadflood.kernel.errors import AppError
from leadflood.kernel.hold import Gate
from leadflood.kernel.text import InvalidValue

_PORTS = {"smtp": 587, "smtps": 465}
_MIN_PERMANENT = 500
_AUTHENTICATION = frozenset({530, 534, 535, 538})
"""RFC 4954, 6: the server requires credentials, or other ones."""
_TIMEOUT = 30.0


class UnusableMailSetting(AppError):
    """An invalid email setting."""

    code = "unusable_mail_setting"
    title = "Unusable mail setting"


class MailNotSent(Exception):
    """The message was not sent, or that is unknown. `temporary`: a retry may succeed."""

    def __init__(self, reason: str, *, temporary: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.temporary = temporary


@dataclass(frozen=True, slots=True)
class Mail:
    """A message to one person.

    Attributes:
        key: source of the Message-ID; an email sent twice with the same key is the same message to the recipient.
        to: the address.
        subject: one line.
        text: the plain part.
        html: the same in HTML, complete and safe.
    """

    key: str
    to: EmailAddress
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


class Mailer:
    """Sends through one server, with a connection per message. Without one, the error names the missing setting."""

    def __init__(self, url: str | None, sender: str, *, gate: Gate, timeout: float = _TIMEOUT) -> None:
        """Set where mail goes.

        Args:
            url: `smtp://` (with STARTTLS) or `smtps://` (TLS from the start), with user and password where needed.
            sender: an address, or a name and an address as `Name <address>`.
            gate: asked immediately before each message.
            timeout: seconds for each step of the dialogue with the server.

        Raises: UnusableMailSetting.
        """
        self._server = None if url is None else _server(url)
        self._sender = _sender(sender)
        self._gate = gate
        self._timeout = timeout

    async def send(self, mail: Mail) -> None:
        """Send a message to the server.

        Raises: MailNotSent, leadflood.kernel.errors.Unavailable, leadflood.kernel.hold.EffectsOnHold.
        """
        await self._gate.require_open()
        if self._server is None:
            raise MailNotSent(
                "No mail can leave: LEADFLOOD_SMTP_URL is not set. Set it, then send again.", temporary=False
            )
        server = self._server
        try:
            await aiosmtplib.send(
                self.compose(mail),
                sender=self._sender.addr_spec,
                recipients=[mailbox(mail.to).addr_spec],
                hostname=server.hostname,
                port=server.port or _PORTS[server.scheme],
                username=unquote(server.username) if server.username else None,
                password=unquote(server.password or "") if server.username else None,
                use_tls=server.scheme == "smtps",
                start_tls=_start_tls(server),
                local_hostname=self._sender.domain,
                timeout=self._timeout,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _not_sent(error) from error

    def compose(self, mail: Mail) -> EmailMessage:
        """The message as it leaves (RFC 5322), with the headers of one that no person wrote (RFC 3834).

        Raises: MailNotSent: a line break in what becomes a header.
        """
        message = EmailMessage(policy=SMTP)
        try:
            message["From"] = self._sender
            message["To"] = mailbox(mail.to)
            message["Subject"] = mail.subject
            message["Date"] = utc_now()
            message["Message-ID"] = f"<{mail.key}@{self._sender.domain}>"
        except ValueError as error:
            raise MailNotSent(f"The message cannot be written: {error}.", temporary=False) from error
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        return message


def mailbox(address: EmailAddress) -> Address:
    """An address for SMTP: the local part as written, the domain in ASCII."""
    local, domain = address.display.rpartition("@")[0], address.norm.rpartition("@")[2]
    return Address(username=unquote_local(local), domain=domain)


def _server(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and parts.hostname and parts.port != 0 and parts.path in {"", "/"}
    except ValueError as error:
        raise _unusable_url() from error
    if not usable:
        raise _unusable_url()
    return parts


def _unusable_url() -> UnusableMailSetting:
    return UnusableMailSetting(
        "LEADFLOOD_SMTP_URL cannot be used. Provide smtp://user:password@host:587 or smtps://host, with the user and "
        "password percent-encoded where they hold @, : or /."
    )


def _sender(text: str) -> Address:
    name, address = parseaddr(text)
    try:
        found = mailbox(parse_email(address))
        return Address(display_name=name, username=found.username, domain=found.domain)
    except (InvalidValue, HeaderParseError, MessageError, ValueError) as error:
        raise UnusableMailSetting(
            "LEADFLOOD_MAIL_FROM cannot be used. Provide an address, or a name and an address: Acme <hello@acme.com>."
        ) from error


def _start_tls(server: SplitResult) -> bool | None:
    """Required if a password would otherwise go in clear text to another machine; otherwise used if offered (None)."""
    if server.scheme == "smtps":
        return False
    return True if server.username and not _is_loopback(server.hostname or "") else None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _not_sent(error: Exception) -> MailNotSent:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if not isinstance(error, aiosmtplib.SMTPResponseException):
        if isinstance(error, OSError):
            return MailNotSent(f"The mail server cannot be reached: {error}", temporary=True)
        return MailNotSent(f"The mail server lacks a required feature: {error}", temporary=False)
    answer = f"{error.code} {error.message}"
    if error.code in _AUTHENTICATION:
        reason = f"The mail server rejected the credentials: {answer}. Correct LEADFLOOD_SMTP_URL, then resend."
        return MailNotSent(reason, temporary=False)
    return MailNotSent(f"The mail server answered: {answer}", temporary=error.code < _MIN_PERMANENT)
