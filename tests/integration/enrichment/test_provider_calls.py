"""Calls of providers: each is sent once, and the key never comes back, whatever the provider does with it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import structlog

from leadflood.demo.internet.dns_server import Zone
from leadflood.demo.internet.http_server import Received, SitePage
from leadflood.demo.internet.internet import Internet
from leadflood.domains.enrichment.engine.fetching import DoorFetcher
from leadflood.domains.enrichment.engine.provider_calls import HIDDEN
from leadflood.domains.enrichment.models import AnswerLost, ProviderReply
from leadflood.kernel.door.errors import DoorError, NameNotFound
from tests.support.sandbox import shared_sandbox
from tests.support.small_internet import open_door

HOST = "api.provider.test"
KEY = 'canary/key+"é"-7f3a'
BASIC = base64.b64encode(f"{KEY}:".encode()).decode()


@dataclass
class Provider:
    """Answers as a test says. None: it reads the request, then breaks the connection."""

    answer: Callable[[Received], SitePage | None]
    received: list[Received] = field(default_factory=list)

    async def serve(self, request: Received, writer: asyncio.StreamWriter) -> SitePage | None:
        self.received.append(request)
        page = self.answer(request)
        if page is None:
            writer.close()
        return page


@asynccontextmanager
async def calling(answer: Callable[[Received], SitePage | None]) -> AsyncIterator[tuple[DoorFetcher, Provider]]:
    """A fetcher, and the provider that it reaches."""
    provider = Provider(answer)
    zone = Zone({(HOST, "A"): ("25.200.0.1",)})
    async with Internet(zone, provider.serve) as internet, open_door(internet) as door:
        yield DoorFetcher(door, shared_sandbox(), "tests"), provider


def as_json(value: object, status: int = 200, **headers: str) -> SitePage:
    return SitePage(json.dumps(value).encode(), status, headers, "application/json")


def echo(request: Received) -> SitePage:
    """A provider that returns everything that it was sent."""
    headers = {"x-your-key": base64.b64encode(KEY.encode()).decode(), "x-path": request.path}
    body = {"path": request.path, "headers": dict(request.headers), "body": request.body.decode(), KEY: [KEY]}
    return SitePage(json.dumps(body).encode(), 401, headers, "application/json")


async def call(fetcher: DoorFetcher, path: str = "/v1/things") -> ProviderReply:
    return await fetcher.call("GET", f"https://{HOST}{path}", secrets=[KEY, BASIC])


def shows_key(text: str) -> bool:
    return any(part in text for part in ("canary", "7f3a", BASIC, base64.b64encode(KEY.encode()).decode()))


async def test_a_request_carries_the_key_and_nothing_that_comes_back_does(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")  # libraries never log more, whatever LEADFLOOD_LOG_LEVEL says
    with structlog.testing.capture_logs() as logged:
        async with calling(echo) as (fetcher, provider):
            reply = await fetcher.call(
                "POST",
                f"https://{HOST}/v1/things?api_key=canary%2Fkey%2B%22%C3%A9%22-7f3a&x=1",
                headers={"Authorization": f"Basic {BASIC}", "X-Api-Key": "canary-7f3a"},
                body={"key": KEY, "x": None},
                secrets=[KEY, BASIC, "canary-7f3a"],
            )

    (sent,) = provider.received
    assert sent.headers["authorization"] == f"Basic {BASIC}"
    assert json.loads(sent.body) == {"key": KEY, "x": None}
    assert sent.headers["content-type"] == "application/json"
    assert reply.status == 401
    assert reply.value["path"] == f"/v1/things?api_key={HIDDEN}&x=1"
    assert reply.value[HIDDEN] == [HIDDEN]
    seen = [repr(reply), *map(repr, logged), caplog.text, *capsys.readouterr()]
    assert [text for text in seen if shows_key(text)] == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"<!doctype html><h1>Maintenance canary/key</h1>", f"{HOST} answered with a web page instead of data."),
        (b'{"data": {"email": "ad', f"{HOST} sent data that is damaged."),
        (b"[" * 300 + b"]" * 300, f"{HOST} sent data that is damaged."),
        (b"", f"{HOST} sent data that is damaged."),
    ],
    ids=["html", "truncated", "deep", "empty"],
)
async def test_an_answer_that_cannot_be_read_is_lost_because_it_may_have_been_charged(
    body: bytes, sentence: str
) -> None:
    async with calling(lambda _: SitePage(body, content_type="application/json")) as (fetcher, provider):
        with pytest.raises(AnswerLost, match=sentence) as caught:
            await call(fetcher)

    assert len(provider.received) == 1
    assert not shows_key(repr(caught.value.__cause__))
    assert not shows_key(caught.value.sentence)


async def test_an_error_page_is_an_answer_without_a_value() -> None:
    page = SitePage(b"<h1>Forbidden</h1>", 403)
    async with calling(lambda _: page) as (fetcher, _provider):
        reply = await call(fetcher)

    assert (reply.status, reply.value, reply.text) == (403, None, "<h1>Forbidden</h1>")


async def test_a_request_whose_connection_breaks_is_not_sent_again() -> None:
    """The first answer leaves a connection that could be kept. Breaking it must not repeat what may be charged."""
    answers = [as_json({"first": True}), None, as_json({"again": True})]
    async with calling(lambda _: answers.pop(0)) as (fetcher, provider):
        assert (await call(fetcher)).value == {"first": True}
        with pytest.raises(AnswerLost):
            await call(fetcher)

    assert len(provider.received) == 2


async def test_no_redirect_is_followed() -> None:
    page = SitePage(b"", 302, {"location": "https://elsewhere.test/"})
    async with calling(lambda _: page) as (fetcher, provider):
        reply = await call(fetcher)

    assert (reply.status, len(provider.received)) == (302, 1)


async def test_what_was_never_sent_is_told_apart() -> None:
    async with calling(echo) as (fetcher, provider):
        with pytest.raises(DoorError) as caught:
            await fetcher.call("GET", "https://unknown.provider.test/?key=canary", secrets=["canary"])

    assert isinstance(caught.value, NameNotFound)
    assert not shows_key(str(caught.value))
    assert provider.received == []
