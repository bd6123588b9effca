"""HTTP for the scripts of this folder: one request, no redirects, a limit on time and size."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

SECONDS = 30.0
"""Limit of one request."""
_MAX_BYTES = 8 * 1024 * 1024
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Unreachable(Exception):
    """No answer came, or one that is no HTTP."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of any status."""

    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:  # noqa: ANN401  whatever the server sent
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Refuse: a signature or a password is for the server that was named."""


_opener = urllib.request.build_opener(_NoRedirect)


def require_https(url: str, name: str) -> str:
    """The URL, which uses https, or http on this machine. Raises: ValueError."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return url
    raise ValueError(f"{name} must be an https:// address.")


def request(method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Answer:
    """Send one request. Raises: Unreachable."""
    sent = urllib.request.Request(url, data=body, headers=dict(headers or {}), method=method)  # noqa: S310  checked
    try:
        with _opener.open(sent, timeout=SECONDS) as response:
            return Answer(response.status, response.headers, response.read(_MAX_BYTES))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read(_MAX_BYTES))
    except (OSError, ValueError) as error:
        raise Unreachable(f"{method} {url}: {error}") from error
