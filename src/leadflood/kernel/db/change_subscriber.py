"""Notifications of changes in a workspace: one connection per process, for any number of subscribers."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import structlog

from leadflood.kernel.crypto import random_unit
from leadflood.kernel.db.change_publisher import CHANGES_CHANNEL, workspaces_of
from leadflood.kernel.db.listener import WakeEvent, listen
from leadflood.kernel.errors import Unavailable

_MAX_PAUSE = 5.0
_log = structlog.get_logger()


class ChangeSubscriber:
    """Wakes subscribers when any process committed a change in their workspace.

    Connects with the first subscriber, and again by itself after a loss. A signal can be lost meanwhile: so each time
    the connection is back, all subscribers are woken once. A subscriber should also poll from time to time.
    """

    def __init__(self, url: str, *, application_name: str) -> None:
        self._url = url
        self._application_name = application_name
        self._pending_channels: defaultdict[UUID, set[WakeEvent]] = defaultdict(set)
        self._heard = 0
        self._versions: dict[UUID, int] = {}
        self._listening: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def subscribe(self, workspace_id: UUID) -> AsyncIterator[WakeEvent]:
        """An event that is set for changes in this workspace: `await event.wait(seconds)` is True if it was set.

        A change without a waiting subscriber is not lost; several changes wake it once.
        """
        bell = WakeEvent()
        self._pending_channels[workspace_id].add(bell)
        if workspace_id not in self._versions:
            self._count([workspace_id])
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen())
            self._listening.add_done_callback(_log_failure)
        try:
            yield bell
        finally:
            self._pending_channels[workspace_id].discard(bell)
            if not self._pending_channels[workspace_id]:
                del self._pending_channels[workspace_id], self._versions[workspace_id]

    def version(self, workspace_id: UUID) -> int:
        """Change counter of a workspace with subscribers; also higher after a time without subscribers."""
        return self._versions.get(workspace_id, self._heard)

    async def close(self) -> None:
        """Close the connection. Subscribers are woken a last time."""
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        self._wake(None)

    async def _listen(self) -> None:
        failures = 0
        while True:
            lost = asyncio.Event()
            try:
                connection = await listen(
                    self._url,
                    CHANGES_CHANNEL,
                    application_name=self._application_name,
                    heard=lambda payload: self._wake(workspaces_of(payload)),
                    lost=lost.set,
                )
            except Unavailable as away:
                failures += 1
                if failures == 1:
                    _log.info("notifications.listen_retry", detail=away.detail)
                await asyncio.sleep(min(_MAX_PAUSE, 0.1 * 2.0 ** min(failures, 10)) * (0.5 + random_unit() / 2))
                continue
            failures = 0
            self._wake(None)
            try:
                await lost.wait()
            finally:
                connection.terminate()

    def _wake(self, workspaces: frozenset[UUID] | None) -> None:
        rung = [*self._pending_channels] if workspaces is None else workspaces & self._pending_channels.keys()
        self._count(rung)
        for workspace_id in rung:
            for bell in self._pending_channels[workspace_id]:
                bell.set()

    def _count(self, workspaces: Iterable[UUID]) -> None:
        self._heard += 1
        self._versions.update(dict.fromkeys(workspaces, self._heard))


def _log_failure(task: asyncio.Task[None]) -> None:
    # The next subscriber restarts it; until then all subscribers only poll.
    if not task.cancelled() and (fault := task.exception()) is not None:
        _log.error("notifications.listener_failed", exc_info=fault)
