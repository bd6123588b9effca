"""Open live streams, with limits per user, workspace and process."""

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from leadflood.kernel.config import Settings


@dataclass(eq=False)
class LiveStream:
    """An open stream. `paused` is set when a newer stream replaces it."""

    workspace_id: UUID
    user_id: UUID | None
    paused: asyncio.Event = field(default_factory=asyncio.Event)


class LiveStreams:
    """All streams of this process, oldest first. Over a limit, the user with the most streams loses the oldest."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: dict[LiveStream, None] = {}

    @contextmanager
    def opened(self, workspace_id: UUID, user_id: UUID | None) -> Iterator[LiveStream]:
        """A stream, open as long as the block runs."""
        stream = LiveStream(workspace_id, user_id)
        self._open[stream] = None
        self._close_oldest(stream)
        try:
            yield stream
        finally:
            self._open.pop(stream, None)

    def _close_oldest(self, newest: LiveStream) -> None:
        settings = self._settings
        own = [item for item in self._open if item.user_id == newest.user_id]
        if len(own) > settings.live_streams_per_person:
            self._pause(own[0])
        here = [item for item in self._open if item.workspace_id == newest.workspace_id]
        if len(here) > settings.live_streams_per_workspace:
            self._pause(_oldest_of_most(here, lambda item: item.user_id))
        if len(self._open) > settings.live_streams_per_process:
            largest = _with_most([*self._open], lambda item: item.workspace_id)
            self._pause(_oldest_of_most(largest, lambda item: item.user_id))

    def _pause(self, stream: LiveStream) -> None:
        del self._open[stream]
        stream.paused.set()


def _with_most(streams: list[LiveStream], key: Callable[[LiveStream], Hashable]) -> list[LiveStream]:
    most = Counter(map(key, streams)).most_common(1)[0][0]
    return [stream for stream in streams if key(stream) == most]


def _oldest_of_most(streams: list[LiveStream], key: Callable[[LiveStream], Hashable]) -> LiveStream:
    return _with_most(streams, key)[0]
