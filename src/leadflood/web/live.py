"""Live pages: a stream of server-sent events that carries the page's own blocks whenever they have changed.

A page is asked for its stream at its own address, with `Accept: text/event-stream`. The stream looks again when the
database tells of a write in the workspace, and now and then without being told; it asks before each block is sent
whether the visitor still may see it, and at least every three seconds whether they are still signed in.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from starlette.requests import Request

from leadflood.domains.identity.service import access
from leadflood.kernel.clock import monotonic
from leadflood.kernel.errors import AppError, Unavailable
from leadflood.web.visit import Visit

LOOK_AGAIN = 15.0
"""Seconds after which a page is rendered without having been told: a lost notification must not freeze it."""
STILL_THERE = 3.0
"""Seconds between two looks at whether the session still lives."""
DEBOUNCE = 0.25
"""Seconds in which several writes make one update."""

END = "event: end\ndata: {}\n\n"
"""Tells the page to go to the sign-in page; nothing follows."""
_AWAY = "event: away\ndata: {}\n\n"
_BEAT = ": beat\n\n"
_RECONNECT = "retry: 2000\n\n"


def is_stream(request: Request) -> bool:
    """Whether a browser opens the page's stream."""
    return request.headers.get("accept", "").startswith("text/event-stream")


def is_poll(request: Request) -> bool:
    """Whether a page whose stream does not come through asks for its live blocks."""
    return "x-live" in request.headers


async def events(visit: Visit, load: Callable[[], Awaitable[dict[str, str]]]) -> AsyncIterator[str]:
    """The stream: `parts` with the HTML of changed blocks, `away` while the database is, `end` when the visit is over.

    Args:
        visit: whose stream it is.
        load: renders all live blocks for whoever the visitor is by now; raises AppError where they may not.
    """
    yield _RECONNECT
    async with visit.parts.changes.subscribe(visit.actor.workspace_id) as subscription:
        sent: dict[str, str] = {}
        due = monotonic()
        while not visit.parts.closing.is_set():
            try:
                if monotonic() >= due:
                    blocks = await load()
                    changed = {name: html for name, html in blocks.items() if sent.get(name) != html}
                    sent |= changed
                    due = monotonic() + LOOK_AGAIN
                    yield _parts(changed.values()) if changed else _BEAT
                elif not await _still_valid(visit):
                    yield END
                    return
            except Unavailable:
                due = monotonic()
                yield _AWAY
            except AppError:
                yield END
                return
            if await _told(visit, subscription.wait):
                await asyncio.sleep(DEBOUNCE)
                due = monotonic()


async def _told(visit: Visit, wait: Callable[[float], Awaitable[bool]]) -> bool:
    """Wait for a change, the next look, or the server's end, whichever comes first."""
    waiting = asyncio.ensure_future(wait(STILL_THERE))
    closing = asyncio.ensure_future(visit.parts.closing.wait())
    try:
        await asyncio.wait({waiting, closing}, return_when=asyncio.FIRST_COMPLETED)
        return waiting.done() and waiting.result()
    finally:
        for each in (waiting, closing):
            each.cancel()


def _parts(blocks: Iterable[str]) -> str:
    return f"event: parts\ndata: {json.dumps(''.join(blocks))}\n\n"


async def _still_valid(visit: Visit) -> bool:
    token = visit.caller.token if visit.caller else ""
    production = visit.parts.settings.is_production
    return await access.still_valid(visit.parts.database, token, production=production) is not None
