"""The folder of the development mail server: one file per message, written by the server, read by its page.

All functions block on files: call them in a thread.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from uuid import UUID

import nh3

from leadflood.kernel.config import Environment, Settings
from leadflood.kernel.errors import NotFound
from leadflood.kernel.ids import new_id

MAX_STORED_MESSAGES = 500
"""Number of messages that are kept."""
MAX_MESSAGE_BYTES = 10 * 1024 * 1024

_SUFFIX = ".eml"
_HEAD_BYTES = 64 * 1024
"""Number of bytes read for a list: the headers of the message."""
_SENDER, _RECIPIENT = "X-MailFrom", "X-RcptTo"
"""The envelope, stored before the message, because its headers do not name blind copies."""
_TAGS = nh3.ALLOWED_TAGS - {"area", "img", "map"}
"""Tags shown of an HTML message: text and structure. No images, as those would be fetched from other servers."""
_UNSHOWN = {"script", "style", "title"}
"""Tags that are removed together with their content."""


class CapturedMailNotFound(NotFound):
    """There is no such message, or it was purged."""

    code = "captured_mail_not_found"

    def __init__(self) -> None:
        super().__init__(f"There is no such message. The newest {MAX_STORED_MESSAGES} are kept.")


@dataclass(frozen=True, slots=True)
class CapturedMail:
    """A message in a list. The texts come from the sender: escape them."""

    id: UUID
    at: datetime
    sender: str
    recipients: Sequence[str]
    subject: str


@dataclass(frozen=True, slots=True)
class CapturedMailContent(CapturedMail):
    """A whole message.

    Attributes:
        text: the plain part; empty where there is none.
        html: the HTML part made safe, to be shown as it is; None where there is none.
        attachments: the names of the files with it.
        raw: all of it, as it came.
    """

    text: str
    html: str | None
    attachments: Sequence[str]
    raw: bytes = field(repr=False)


def is_in_use(settings: Settings) -> bool:
    """Whether emails of this installation go to the development mail server: if the settings name its address."""
    url = settings.smtp_url.get_secret_value() if settings.smtp_url is not None else None
    return settings.env is Environment.DEVELOPMENT and url == f"smtp://127.0.0.1:{settings.dev_mail_port}"


def mail_folder(home: Path) -> Path:
    """Folder of the messages of this data folder's development mail server."""
    return home / "mail"


def save_message(folder: Path, *, sender: str, recipients: Sequence[str], content: bytes) -> UUID:
    """Store a message atomically, and delete the oldest ones. Returns its ID.

    Raises: OSError: such as a full disk.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    message_id = new_id()
    envelope = [f"{_SENDER}: {sender}", *(f"{_RECIPIENT}: {recipient}" for recipient in recipients)]
    head = "".join(f"{line}\r\n" for line in envelope).encode("utf-8", "surrogateescape")
    unfinished = folder / f"{message_id}.tmp"
    try:
        unfinished.write_bytes(head + content)
        unfinished.replace(folder / f"{message_id}{_SUFFIX}")
    finally:
        unfinished.unlink(missing_ok=True)
    for old in _newest_first(folder)[MAX_STORED_MESSAGES:]:
        old.unlink(missing_ok=True)
    return message_id


def prepare(folder: Path) -> None:
    """Create the folder, and delete partial files of a killed server. Only for the server, before it listens.

    Raises: OSError: the folder cannot be made.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    for left in folder.glob("*.tmp"):
        left.unlink(missing_ok=True)


def list_messages(folder: Path, limit: int = MAX_STORED_MESSAGES) -> list[CapturedMail]:
    """The newest messages, newest first; empty if there are none."""
    found = []
    for path in _newest_first(folder)[:limit]:
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:  # deleted meanwhile
            message = BytesParser(policy=policy.default).parsebytes(file.read(_HEAD_BYTES), headersonly=True)
            found.append(_caught(UUID(path.stem), message))
    return found


def read_message(folder: Path, message_id: UUID) -> CapturedMailContent:
    """One message. An id is a UUID, so no other file can be named. Raises: CapturedMailNotFound."""
    try:
        raw = (folder / f"{message_id}{_SUFFIX}").read_bytes()
    except FileNotFoundError as error:
        raise CapturedMailNotFound from error
    message = BytesParser(policy=policy.default).parsebytes(raw)
    caught = _caught(message_id, message)
    html = _part(message, "html")
    return CapturedMailContent(
        id=caught.id,
        at=caught.at,
        sender=caught.sender,
        recipients=caught.recipients,
        subject=caught.subject,
        text=_part(message, "plain") or "",
        html=None if html is None else _safe(html),
        attachments=[part.get_filename() or "unnamed" for part in message.iter_attachments()],
        raw=raw,
    )


def _safe(html: str) -> str:
    return nh3.clean(html, tags=_TAGS, clean_content_tags=_UNSHOWN, url_schemes={"http", "https", "mailto"})


def _newest_first(folder: Path) -> list[Path]:
    # The names are UUIDv7, so their order is the order of arrival.
    return sorted((path for path in folder.glob(f"*{_SUFFIX}") if _is_id(path.stem)), reverse=True)


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _caught(message_id: UUID, message: EmailMessage) -> CapturedMail:
    return CapturedMail(
        id=message_id,
        at=datetime.fromtimestamp((message_id.int >> 80) / 1000, UTC),
        sender=str(message.get("From") or message.get(_SENDER, "")),
        recipients=[str(item) for item in message.get_all(_RECIPIENT, [])],
        subject=str(message.get("Subject", "")),
    )


def _part(message: EmailMessage, subtype: str) -> str | None:
    part = message.get_body(preferencelist=(subtype,))
    if part is None:
        return None
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return None
    try:
        text = content.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:  # an unknown charset
        text = content.decode("utf-8", "replace")
    return text.replace("\r\n", "\n")
