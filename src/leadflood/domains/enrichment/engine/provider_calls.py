"""Calls of providers through the door: sent once, and their secrets removed from everything that comes back."""

import json
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, quote_plus

from leadflood.domains.enrichment.models.answers import AnswerLost
from leadflood.domains.enrichment.models.sources import ProviderReply
from leadflood.kernel.door.door import Door
from leadflood.kernel.door.errors import BrokenResponse, ConnectionLost, TimedOut, TooLarge, UnexpectedContent
from leadflood.kernel.door.features import Feature
from leadflood.kernel.door.replies import Reply

HIDDEN: Final = "[secret]"
MAX_TEXT: Final = 4000
"""Characters of a body that a reply keeps as text."""
_MAX_DEPTH: Final = 200
_NO_CONTENT: Final = 204


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """A request to a provider; see `leadflood.domains.enrichment.models.Fetcher.call`. Its secrets are not shown."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)
    secrets: Collection[str] = field(repr=False)
    model: bool = False


async def call_provider(door: Door, request: ProviderRequest, now: datetime) -> ProviderReply:
    """Send the request once. Raises: see `leadflood.domains.enrichment.models.Fetcher.call`."""
    headers = {"accept": "application/json", **{name.lower(): value for name, value in request.headers.items()}}
    content = b""
    if request.body is not None:
        headers.setdefault("content-type", "application/json")
        content = json.dumps(request.body, ensure_ascii=False).encode("utf-8", "surrogatepass")
    feature = Feature.MODEL if request.model else Feature.PROVIDER
    try:
        reply = await door.request(feature, request.method, request.url, headers=headers, content=content)
    except (BrokenResponse, ConnectionLost, TimedOut, TooLarge, UnexpectedContent) as error:
        raise AnswerLost(error.sentence) from None
    return provider_reply(reply, secret_forms(request.secrets), now)


def provider_reply(reply: Reply, forms: Sequence[str], now: datetime) -> ProviderReply:
    """The reply without secrets. Args: forms: see `secret_forms`. Raises: AnswerLost: a 2xx whose body is no JSON."""
    text = without_secrets(reply.text, forms)
    try:
        value = None if reply.status == _NO_CONTENT else hidden_in(json.loads(text), forms)
        text = text if value is None else json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        if reply.ok:
            raise AnswerLost(f"{_host(reply.url)} sent data that is damaged.", text[:MAX_TEXT]) from None
        value = None
    headers = {name.lower(): without_secrets(content, forms) for name, content in reply.headers.items()}
    return ProviderReply(without_secrets(reply.url, forms), reply.status, headers, value, text[:MAX_TEXT], now)


def secret_forms(secrets: Collection[str]) -> list[str]:
    """The forms in which a secret may come back: as it is, in URLs, in JSON, and in Base64. The longest first."""
    forms = {
        form
        for secret in secrets
        if secret
        for form in (
            secret,
            quote(secret, safe=""),
            quote(secret),
            quote_plus(secret),
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
            b64encode(secret.encode("utf-8", "surrogatepass")).decode("ascii"),
        )
    }
    return sorted(forms, key=lambda form: (-len(form), form))


def without_secrets(text: str, forms: Sequence[str]) -> str:
    """A text with `HIDDEN` in place of each secret."""
    for form in forms:
        text = text.replace(form, HIDDEN)
    return text


def hidden_in(value: Any, forms: Sequence[str], depth: int = 0) -> Any:  # noqa: ANN401  JSON
    """JSON with `HIDDEN` in place of each secret, in keys and values, however they were escaped.

    Raises: RecursionError: it is nested more than 200 levels deep.
    """
    if depth > _MAX_DEPTH:
        raise RecursionError
    if isinstance(value, str):
        return without_secrets(value, forms)
    if isinstance(value, list):
        return [hidden_in(item, forms, depth + 1) for item in value]
    if isinstance(value, dict):
        return {without_secrets(key, forms): hidden_in(item, forms, depth + 1) for key, item in value.items()}
    return value


def _host(url: str) -> str:
    return url.split("/", 3)[2].partition(":")[0]
