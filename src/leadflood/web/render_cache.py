"""Shared renders of live blocks: one for all viewers with the same result, a few at a time, workspaces in turn."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from leadflood.kernel.clock import monotonic
from leadflood.kernel.db.change_subscriber import ChangeSubscriber
from leadflood.kernel.fair_slots import FairSlots
from leadflood.web import formats
from leadflood.web.page_context import PageContext
from leadflood.web.shared_page_context import Blocks, SharedPageContext, shared_key, with_token

LOOK_AGAIN: Final = 15.0
"""Seconds after which a page is rendered without a known change, in case a notification was lost."""
DEBOUNCE: Final = 0.25
"""Seconds within which several writes cause one update."""
COST_FACTOR: Final = 8
"""Pause of a workspace's streams as a multiple of their render time: they use at most a ninth of one slot."""
MAX_PAUSE: Final = 10.0
_SLOTS: Final = 2
_QUEUE: Final = 10_000
_REMEMBERED: Final = 10_000

Make = Callable[[SharedPageContext], Awaitable[Blocks]]


@dataclass(slots=True)
class _Render:
    """The blocks of one key. A render that waits for a slot will include all changes known so far."""

    task: "asyncio.Task[tuple[Blocks, bool]] | None" = None
    started: float | None = None
    version: int = 0

    def shows(self, version: int, not_before: float) -> bool:
        """Whether it started late enough, and did not fail."""
        if self.started is None:
            return True
        return self.version >= version and self.started >= not_before and not self._failed

    @property
    def _failed(self) -> bool:
        task = self.task
        return task is not None and task.done() and (task.cancelled() or task.exception() is not None)


class RenderCache:
    """All renders of this process.

    Attributes: made: how many there were.
    """

    def __init__(self, changes: ChangeSubscriber) -> None:
        self.made = 0
        self._changes = changes
        self._slots = FairSlots(_SLOTS, per_key=1, queue=_QUEUE)
        self._renders: dict[Hashable, _Render] = {}
        self._personal: set[str] = set()
        self._resume: dict[UUID, float] = {}

    async def blocks(self, ctx: PageContext, make: Make, *, not_before: float) -> Blocks:
        """The live blocks of a page after all changes known so far, with this session's token.

        Args: make: renders the blocks. not_before: when the render may have begun.
        """
        if ctx.address not in self._personal:
            blocks, personal = await self._shared(shared_key(ctx), ctx, make, not_before)
            if not personal:
                return with_token(blocks, ctx.csrf)
            if len(self._personal) > _REMEMBERED:
                self._personal.clear()
            self._personal.add(ctx.address)
        key = (ctx.actor.user_id, ctx.actor.session_id, shared_key(ctx))
        blocks, _ = await self._shared(key, ctx, make, not_before)
        return with_token(blocks, ctx.csrf)

    @asynccontextmanager
    async def turn(self, workspace_id: UUID) -> AsyncIterator[None]:
        """A turn for work on behalf of a workspace's streams, charged to the workspace."""
        async with self._slots.slot(workspace_id):
            started = monotonic()
            try:
                yield
            finally:
                self._delay(workspace_id, monotonic() - started)

    async def debounce(self, workspace_id: UUID) -> None:
        """Wait until the workspace can render again: the more its streams have cost, the longer."""
        await asyncio.sleep(max(DEBOUNCE, self._resume.get(workspace_id, 0.0) - monotonic()))

    def _delay(self, workspace_id: UUID, seconds: float) -> None:
        now = monotonic()
        if len(self._resume) > _REMEMBERED:
            self._resume = {key: until for key, until in self._resume.items() if until > now}
        resume = max(now, self._resume.get(workspace_id, 0.0)) + COST_FACTOR * seconds
        self._resume[workspace_id] = min(resume, now + MAX_PAUSE)

    async def _shared(self, key: Hashable, ctx: PageContext, make: Make, not_before: float) -> tuple[Blocks, bool]:
        version = self._changes.version(ctx.actor.workspace_id)
        found = self._renders.get(key)
        if found is None or not found.shows(version, not_before):
            self._evict()
            self._renders[key] = found = _Render()
            # In a separate context, so that logs do not name the first of many viewers.
            found.task = asyncio.create_task(self._make(found, ctx, make), context=Context())
            found.task.add_done_callback(_retrieve)
        assert found.task is not None  # noqa: S101  set where it was made
        return await asyncio.shield(found.task)

    async def _make(self, own: _Render, ctx: PageContext, make: Make) -> tuple[Blocks, bool]:
        workspace_id = ctx.actor.workspace_id
        async with self.turn(workspace_id):
            formats.use(ctx.region)
            own.version, own.started = self._changes.version(workspace_id), monotonic()
            self.made += 1
            shared = SharedPageContext(ctx)
            return await make(shared), shared.personal

    def _evict(self) -> None:
        old = monotonic() - LOOK_AGAIN
        self._renders = {
            key: render for key, render in self._renders.items() if render.started is None or render.started > old
        }


def _retrieve(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled():
        task.exception()  # raised for its viewers; it is fine if none is left
