"""Notifies other processes of changes in a workspace, soon after the commit and never as part of it.

A notification is a hint: subscribers read the database themselves, and one that misses it does so at its next poll. So
a lost one only delays updates.
"""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Collection
from uuid import UUID

CHANGES_CHANNEL = "leadflood_changes"
"""NOTIFY channel for the workspaces with committed changes."""

PAUSE = 0.1
"""Minimum seconds between two notifications of a process."""

EVERYTHING = "*"
"""The payload for all workspaces."""

_MAX_WORKSPACES = (
    7900 * 3 // 4 // 16
)  # PostgreSQL limits payloads to 7999 bytes; base64 encodes three bytes as four characters


def payload_of(workspaces: Collection[UUID]) -> str:
    """The payload for these workspaces, or for all if there are too many."""
    if len(workspaces) > _MAX_WORKSPACES:
        return EVERYTHING
    return b64encode(b"".join(workspace.bytes for workspace in workspaces)).decode("ascii")


def workspaces_of(payload: str) -> frozenset[UUID] | None:
    """The workspaces of a payload; None means all, also for an invalid payload."""
    try:
        ids = b64decode(payload, validate=True)
        return frozenset(UUID(bytes=ids[start : start + 16]) for start in range(0, len(ids), 16))
    except ValueError:
        return None


class ChangePublisher:
    """Collects changed workspaces and sends them immediately, but at most once every `PAUSE` seconds."""

    def __init__(self, send: Callable[[str], Awaitable[None]]) -> None:
        """`send` delivers a payload. It is never called concurrently."""
        self._send = send
        self._changed: set[UUID] = set()
        self._sending: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def changed(self, workspaces: Collection[UUID]) -> None:
        """Report committed changes in these workspaces."""
        self._changed.update(workspaces)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Send the rest without a pause."""
        self._closing.set()
        if self._sending is not None:
            await self._sending

    async def _run(self) -> None:
        while self._changed:
            payload = payload_of(self._changed)
            self._changed.clear()
            await self._send(payload)
            try:
                async with asyncio.timeout(PAUSE):
                    await self._closing.wait()
            except TimeoutError:
                continue
