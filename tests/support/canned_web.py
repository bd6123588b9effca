"""The outside of a source without sockets: pages, records and data that a test has written down."""

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from leadflood.domains.enrichment.engine.provider_calls import secret_forms, without_secrets
from leadflood.domains.enrichment.models import FetchedData, FetchedPage, ProviderReply
from leadflood.kernel.door.errors import DoorError, NameNotFound
from leadflood.kernel.door.resolver import DnsAnswer, RecordType
from leadflood.kernel.parsing import PageSource, ParsedPage
from leadflood.kernel.sandbox.process import Task

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class CannedRequest:
    """A request to a provider."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: object


@dataclass
class CannedFetcher:
    """See `leadflood.domains.enrichment.models.Fetcher`. What is missing is not found: a 404, or no such name.

    Attributes:
        pages: HTML by URL, or the error that it raises, or a whole page.
        texts: records by domain and type, or the error.
        replies: JSON by URL, or the error.
        calls: replies of providers by URL without query, or the error.
        asked: URLs and domains that were asked for, in order.
        requests: those that providers got.
    """

    pages: Mapping[str, str | FetchedPage | Exception] = field(default_factory=dict)
    texts: Mapping[tuple[str, str], Sequence[str] | DoorError] = field(default_factory=dict)
    replies: Mapping[str, object] = field(default_factory=dict)
    calls: Mapping[str, ProviderReply | Exception] = field(default_factory=dict)
    now: datetime = NOW
    asked: list[str] = field(default_factory=list)
    requests: list[CannedRequest] = field(default_factory=list)

    async def page(self, url: str) -> FetchedPage:
        self.asked.append(url)
        found = self.pages.get(url)
        if isinstance(found, Exception):
            raise found
        if isinstance(found, FetchedPage):
            return found
        return page(url, found or "", status=404 if found is None else 200, at=self.now)

    async def records(self, name: str, type_: RecordType) -> DnsAnswer:
        self.asked.append(f"{name} {type_}")
        found = self.texts.get((name, type_.value))
        if isinstance(found, DoorError):
            raise found
        if found is None and not any(known == name for known, _ in self.texts):
            raise NameNotFound(f"{name} does not exist.")
        return DnsAnswer(name, type_, tuple(found or ()), name, 60)

    async def data(self, url: str, *, headers: Mapping[str, str] | None = None) -> FetchedData:
        self.asked.append(url)
        found = self.replies.get(url)
        if isinstance(found, Exception):
            raise found
        return FetchedData(url, 404 if found is None else 200, {}, found, self.now)

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        secrets: Collection[str] = (),
        model: bool = False,
    ) -> ProviderReply:
        """The reply that `calls` has for the URL, without its query."""
        self.asked.append(without_secrets(url, secret_forms(secrets)))
        self.requests.append(CannedRequest(method, url, dict(headers or {}), body))
        found = self.calls.get(url.partition("?")[0])
        if isinstance(found, Exception):
            raise found
        return found or ProviderReply(url.partition("?")[0], 404, {}, {}, "{}", self.now)

    async def parsed(self, task: Task, pages: Sequence[PageSource]) -> list[ParsedPage]:
        """As a child would parse them, in this process."""
        with tempfile.TemporaryFile() as file:
            encoded = [each.encoded() for each in pages]
            file.writelines(encoded)
            file.seek(0)
            results = list(task(file, [len(item) for item in encoded]))
        return [ParsedPage(each.url, result) for each, result in zip(pages, results, strict=True)]


def page(url: str, text: str, *, status: int = 200, at: datetime = NOW, **headers: str) -> FetchedPage:
    """A page without redirects."""
    return FetchedPage(
        url=url,
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        text=text,
        cut=False,
        redirects=(),
        fetched_at=at,
        reserved_from_models=False,
    )
