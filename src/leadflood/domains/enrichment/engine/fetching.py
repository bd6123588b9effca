"""The outside as sources see it, through the door."""

import json
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from leadflood.domains.enrichment.engine.provider_calls import ProviderRequest, call_provider
from leadflood.domains.enrichment.models.answers import Away, Busy, Refused, SourceFailure
from leadflood.domains.enrichment.models.sources import FetchedData, FetchedPage, ProviderReply
from leadflood.domains.enrichment.models.waits import DEFAULT_WAIT, retry_after
from leadflood.kernel.clock import utc_now
from leadflood.kernel.door.door import Door
from leadflood.kernel.door.errors import DoorError, HostBusy, NoInternet, RobotsRefused, UnexpectedContent
from leadflood.kernel.door.features import Feature
from leadflood.kernel.door.replies import Reply
from leadflood.kernel.door.resolver import DnsAnswer, RecordType
from leadflood.kernel.parsing import PageSource, ParsedPage, parse_pages
from leadflood.kernel.sandbox.pool import Sandbox
from leadflood.kernel.sandbox.process import Task

NO_INTERNET_WAIT: Final = timedelta(minutes=10)
"""Until the next call of a server without a connection, which says nothing about the source."""
_TOO_MANY: Final = 429
_ERRORS: Final = range(500, 600)
_PAGE_TYPES: Final = "text/html, application/xhtml+xml;q=0.9, text/plain;q=0.5"
_ROBOTS_KEPT: Final = timedelta(days=30)
_REFUSAL_KEPT: Final = timedelta(days=7)
"""Time for which a call is not repeated that failed for a reason of its own, such as an unknown domain."""


class DoorFetcher:
    """See `leadflood.domains.enrichment.models.Fetcher`."""

    def __init__(self, door: Door, sandbox: Sandbox, key: Hashable, now: Callable[[], datetime] = utc_now) -> None:
        """Args: sandbox: parses pages. key: the owner of its tasks, such as a workspace."""
        self._door = door
        self._sandbox = sandbox
        self._key = key
        self._now = now

    async def page(self, url: str) -> FetchedPage:
        """See `Fetcher.page`."""
        reply = await self._door.request(Feature.WEBSITE, "GET", url, headers={"accept": _PAGE_TYPES})
        require_answer(reply, self._now())
        return FetchedPage(
            url=reply.url,
            status=reply.status,
            headers=_headers(reply),
            text=reply.text,
            cut=reply.cut,
            redirects=reply.redirects,
            fetched_at=self._now(),
            reserved_from_models=reply.reserved_from_models,
        )

    async def records(self, name: str, type_: RecordType) -> DnsAnswer:
        """See `Fetcher.records`."""
        return await self._door.lookup(name, type_)

    async def data(self, url: str, *, headers: Mapping[str, str] | None = None) -> FetchedData:
        """See `Fetcher.data`."""
        given = {"accept": "application/json, */*;q=0.5", **(headers or {})}
        reply = await self._door.request(Feature.REGISTER, "GET", url, headers=given)
        require_answer(reply, self._now())
        value = parsed_json(reply) if reply.ok else None
        return FetchedData(reply.url, reply.status, _headers(reply), value, self._now())

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,  # noqa: ANN401  JSON
        secrets: Collection[str] = (),
        model: bool = False,
    ) -> ProviderReply:
        """See `Fetcher.call`."""
        request = ProviderRequest(method, url, headers or {}, body, secrets, model=model)
        return await call_provider(self._door, request, self._now())

    async def parsed(self, task: Task, pages: Sequence[PageSource]) -> list[ParsedPage]:
        """See `Fetcher.parsed`."""
        return await parse_pages(self._sandbox, self._key, task, pages)


def require_answer(reply: Reply, now: datetime) -> None:
    """Raises: Busy: status 429. Away: status 5xx, or Busy where the server says when it is back."""
    if reply.status != _TOO_MANY and reply.status not in _ERRORS:
        return
    host, wait = host_of(reply.url), retry_after(reply.headers.get("retry-after", ""), now)
    if reply.status == _TOO_MANY:
        raise Busy(f"{host} received too many requests and wants to be asked later.", now + (wait or DEFAULT_WAIT))
    sentence = f"{host} has a problem of its own (error {reply.status})."
    if wait is not None:
        raise Busy(sentence, now + wait)
    raise Away(sentence)


def parsed_json(reply: Reply) -> Any:  # noqa: ANN401  JSON
    """The body as JSON. Raises: UnexpectedContent."""
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        raise UnexpectedContent(f"{host_of(reply.url)} sent data that is damaged.") from None


def failure_of(error: DoorError, now: datetime) -> SourceFailure:
    """Meaning of a failed call for its source, with the sentence of the error."""
    if isinstance(error, HostBusy):
        return Busy(error.sentence, now + timedelta(seconds=error.seconds))
    if isinstance(error, NoInternet):
        return Busy(error.sentence, now + NO_INTERNET_WAIT)
    if error.retryable:
        return Away(error.sentence)
    return Refused(error.sentence, _ROBOTS_KEPT if isinstance(error, RobotsRefused) else _REFUSAL_KEPT)


def host_of(url: str) -> str:
    """The host of a URL."""
    return urlsplit(url).hostname or url


def _headers(reply: Reply) -> dict[str, str]:
    return {name.lower(): value for name, value in reply.headers.items()}
