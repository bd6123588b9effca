"""Live pages: a stream of server-sent events with the page's own blocks whenever they change.

A page is asked for its stream at its own address, with `Accept: text/event-stream`. The stream looks again when the
database notifies of a write in the workspace, and from time to time without that; it checks before each block is sent
whether the visitor still may see it, and at least every three seconds whether they are still signed in. Viewers who see
the same share one render (`renders.py`); over a limit of open streams the oldest one pauses (`streams.py`).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from starlette.requests import Request

from leadflood.domains.identity.service import access
from leadflood.kernel.clock import monotonic
from leadflood.kernel.errors import AppError, Unavailable
from leadflood.web.page_context import PageContext
from leadflood.web.render_cache import LOOK_AGAIN
from leadflood.web.shared_page_context import Blocks

STILL_THERE = 3.0
"""Seconds between two checks of the session."""

END = "event: end\ndata: {}\n\n"
"""Redirects the page to the sign-in page; nothing follows."""
_PAUSED = "event: paused\ndata: {}\n\n"
_AWAY = "event: away\ndata: {}\n\n"
_BEAT = ": beat\n\n"
_RECONNECT = "retry: 2000\n\n"


def is_stream(request: Request) -> bool:
    """Whether a browser opens the page's stream."""
    return request.headers.get("accept", "").startswith("text/event-stream")


def is_poll(request: Request) -> bool:
    """Whether a page whose stream is blocked polls its live blocks."""
    return "x-live" in request.headers


async def events(ctx: PageContext, load: Callable[[float], Awaitable[Blocks]]) -> AsyncIterator[str]:
    """The stream: `parts` with changed blocks, `away` while the database is, `paused` or `end` when it is over.

    Args:
        ctx: whose stream it is.
        load: all live blocks for the visitor as they are now, from a render that began no earlier than the time given;
            raises AppError where the visitor may not see them.
    """
    parts, workspace_id = ctx.parts, ctx.actor.workspace_id
    yield _RECONNECT
    with parts.streams.opened(workspace_id, ctx.actor.user_id) as stream:
        async with parts.changes.subscribe(workspace_id) as subscription:
            sent: dict[str, str] = {}
            due = not_before = monotonic()
            while not parts.closing.is_set():
                if stream.paused.is_set():
                    yield _PAUSED
                    return
                try:
                    if monotonic() >= due:
                        changed = _changed(await load(not_before), sent)
                        due = monotonic() + LOOK_AGAIN
                        yield _parts(changed.values()) if changed else _BEAT
                    elif not await _signed_in(ctx):
                        yield END
                        return
                except Unavailable:
                    due = monotonic()
                    yield _AWAY
                except AppError:
                    yield END
                    return
                if await _woken(subscription.wait, parts.closing, stream.paused):
                    await parts.renders.debounce(workspace_id)
                    due = monotonic()
                not_before = monotonic() - LOOK_AGAIN / 2


def _changed(blocks: Blocks, sent: dict[str, str]) -> Blocks:
    changed = {name: html for name, html in blocks.items() if sent.get(name) != html}
    sent |= changed
    return changed


async def _signed_in(ctx: PageContext) -> bool:
    token = ctx.caller.token if ctx.caller else ""
    return await access.still_valid(ctx.parts.database, token) is not None


async def _woken(wait: Callable[[float], Awaitable[bool]], *ends: asyncio.Event) -> bool:
    """Wait for a change, the next check, or an end, whichever is first. True: something changed."""
    waiting = asyncio.ensure_future(wait(STILL_THERE))
    ending = [asyncio.ensure_future(end.wait()) for end in ends]
    try:
        await asyncio.wait({waiting, *ending}, return_when=asyncio.FIRST_COMPLETED)
        return waiting.done() and waiting.result()
    finally:
        for item in (waiting, *ending):
            item.cancel()


def _parts(blocks: Iterable[str]) -> str:
    return f"event: parts\ndata: {json.dumps(''.join(blocks))}\n\n"


async def _still_valid(ctx: PageContext) -> bool:
    token = ctx.caller.token if ctx.caller else ""
    production = ctx.parts.settings.is_production
    return await access.still_valid(ctx.parts.database, token, production=production) is not None
