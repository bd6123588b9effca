"""Calls that are shown to people: each form of the key is left out, whatever becomes of the call."""

import asyncio
from typing import cast

import pytest

from leadflood.domains.enrichment.engine.recording import RecordingFetcher
from leadflood.domains.enrichment.models import Fetcher
from leadflood.domains.enrichment.models.answers import AnswerLost
from leadflood.domains.enrichment.models.sources import ProviderReply
from leadflood.kernel.clock import utc_now
from leadflood.kernel.door.errors import NameNotFound

KEY = "a/secret key+4711"
URL = "https://api.acme.test/v1?key=a%2Fsecret%20key%2B4711&q=ada"


class Web:
    """Answers one call."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error

    async def call(self, method: str, url: str, **_: object) -> ProviderReply:
        if self.error is not None:
            raise self.error
        return ProviderReply(url, 422, {}, None, "no such thing", utc_now())

    async def records(self, name: str) -> str:
        return name


def recorder(error: BaseException | None = None) -> RecordingFetcher:
    return RecordingFetcher(cast("Fetcher", Web(error)))


async def ask(fetcher: RecordingFetcher) -> ProviderReply:
    headers = {"authorization": f"Bearer {KEY}"}
    return await fetcher.call("POST", URL, headers=headers, body={"key": KEY, KEY: "é"}, secrets=[KEY])


async def test_request_and_reply_are_kept_without_the_key() -> None:
    fetcher = recorder()
    await ask(fetcher)
    (call,) = fetcher.calls
    assert (call.method, call.url) == ("POST", "https://api.acme.test/v1?key=[secret]&q=ada")
    assert (call.headers, call.body) == ({"authorization": "Bearer [secret]"}, '{"key": "[secret]", "[secret]": "é"}')
    assert (call.status, call.reply) == (422, "no such thing")
    assert await fetcher.records("acme.test") == "acme.test", "the rest of a fetcher is there"


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (AnswerLost("It sent data that is damaged.", "<html>"), "<html>"),
        (AnswerLost("It took too long."), "It took too long."),
        (NameNotFound("There is no api.acme.test."), "There is no api.acme.test."),
        (asyncio.CancelledError(), "The call was stopped."),
    ],
)
async def test_a_call_without_a_reply_says_why(error: BaseException, reply: str) -> None:
    fetcher = recorder(error)
    with pytest.raises(type(error)):
        await ask(fetcher)
    (call,) = fetcher.calls
    assert (call.status, call.reply) == (None, reply)
