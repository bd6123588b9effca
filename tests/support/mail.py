"""SMTP servers on free ports of this machine, for tests of what sends mail."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from leadflood.dev_mail.messages import CapturedMailContent, list_messages, read_message
from leadflood.dev_mail.server import capture_mail


@dataclass(frozen=True)
class Post:
    """A mail catcher, and what it has caught."""

    url: str
    folder: Path

    def all(self) -> list[CapturedMailContent]:
        """Every message, oldest first."""
        return [read_message(self.folder, message.id) for message in reversed(list_messages(self.folder))]


@asynccontextmanager
async def post_office(folder: Path) -> AsyncIterator[Post]:
    """The real mail catcher, in this process."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        async with capture_mail(listener, folder):
            yield Post(f"smtp://127.0.0.1:{port}", folder)


class Open:
    """A gate that is always open, for tests of what comes after it."""

    async def require_open(self) -> None:
        return


@dataclass
class Refusing:
    """Handler for aiosmtpd that answers commands as configured, and accepts the rest."""

    answers: Mapping[str, str]

    async def handle_RCPT(  # noqa: N802  aiosmtpd's own
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_MAIL(  # noqa: N802  as above
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802  as above
        return self.answers.get("DATA", "250 OK")


@asynccontextmanager
async def refusing(**answers: str) -> AsyncIterator[str]:
    """A server that answers `RCPT`, `MAIL` or `DATA` as given. Yields its URL."""
    loop = asyncio.get_running_loop()
    handler = Refusing(answers)
    server = await loop.create_server(
        lambda: SMTP(handler, hostname="localhost", enable_SMTPUTF8=False, loop=loop), "127.0.0.1", 0
    )
    try:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@asynccontextmanager
async def silent() -> AsyncIterator[str]:
    """A server that takes connections and never says a word. Yields its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"smtp://127.0.0.1:{listener.getsockname()[1]}"
