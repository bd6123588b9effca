"""An SMTP server for this machine that delivers nothing: every message becomes a file in the data folder.

`leadflood up` runs it in development, so that emails can be read without a mail server, and none is sent by accident.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from leadflood.dev_mail import messages

_log = structlog.get_logger()


class _MessageHandler:
    """Handler that aiosmtpd calls for each message; it defines the method names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        if not isinstance(content, bytes):
            return "554 The message is no sequence of bytes."
        try:
            message_id = await asyncio.to_thread(  # noqa: TID251  a small file, in a process of its own
                messages.save_message,
                self._folder,
                sender=envelope.mail_from or "",
                recipients=envelope.rcpt_tos,
                content=content,
            )
        except OSError as error:
            _log.warning("mail.capture_failed", error=error.strerror)
            return "452 The message cannot be stored now."
        _log.info("mail.captured", message_id=str(message_id))
        return f"250 Received as {message_id}"


@asynccontextmanager
async def capture_mail(listener: socket.socket, folder: Path) -> AsyncIterator[None]:
    """Store what is sent to `listener`, which must be bound to loopback, until leaving.

    Raises: OSError: the folder cannot be made.
    """
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd logs all dialogues, including addresses
    await asyncio.to_thread(messages.prepare, folder)  # noqa: TID251  as above
    loop = asyncio.get_running_loop()
    handler = _MessageHandler(folder)

    def protocol() -> SMTP:
        return SMTP(
            handler,
            data_size_limit=messages.MAX_MESSAGE_BYTES,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="LEAD-FLOOD mail catcher",
            loop=loop,
        )

    server = await loop.create_server(protocol, sock=listener)
    try:
        yield
    finally:
        server.close()
