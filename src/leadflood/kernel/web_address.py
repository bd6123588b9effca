"""Web addresses in their normalized, stored form."""

import re
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

import idna

from leadflood.kernel.text import InvalidValue, clean_line

MAX_URL_LENGTH: Final = 2048


def normalise_website(text: str) -> str:
    """An http or https URL, or a bare domain (which becomes https), as RFC 3986 writes it.

    The host is lower-case and in IDNA A-labels, a default port, an empty path and the fragment are left out, other
    characters than ASCII are percent-encoded. Credentials and IP addresses are refused. At most 2,048 characters.
    """
    plain = _PLAIN_WEBSITE.fullmatch(text)
    if plain and len(text) <= MAX_URL_LENGTH - len("https://") and len(plain[2]) <= _MAX_HOST:
        return f"{plain[1] or 'https://'}{plain[2]}{'' if plain[3] == '/' else plain[3]}"
    url = clean_line(text, max_length=MAX_URL_LENGTH)
    if " " in url or "\\" in url:
        message = "Enter a valid URL."
        raise InvalidValue(message)
    parts, port = _split_url(url if _SCHEME.match(url) else f"https://{url}")
    if parts.scheme not in _DEFAULT_PORTS:
        message = "Enter a URL that starts with https:// or http://, e.g. https://acme.com."
        raise InvalidValue(message)
    if "@" in parts.netloc:
        message = "Enter a URL without a user name or password."
        raise InvalidValue(message)
    authority = _web_host(parts.hostname or "")
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        authority += f":{port}"
    path = quote(parts.path, safe=_PATH_SAFE)
    query = f"?{quote(parts.query, safe=_PATH_SAFE + '?')}" if parts.query else ""
    website = f"{parts.scheme}://{authority}{'' if path == '/' and not query else path}{query}"
    if len(website) > MAX_URL_LENGTH:
        message = f"Maximum {MAX_URL_LENGTH} characters."
        raise InvalidValue(message, "too_long")
    return website


_PLAIN_WEBSITE: Final = re.compile(
    r"(https?://)?((?:(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63})((?:/[A-Za-z0-9._~-]*)*)"
)
"""Addresses that are already normalized, which most are."""
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_PATH_SAFE: Final = "/%:@!$&'()*+,;=-._~"
_LABEL: Final = re.compile(r"(?!.{2}(?<!xn)--)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_TOP_LEVEL: Final = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]+")
_MAX_HOST: Final = 253


def _split_url(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        message = "Enter a valid URL, e.g. acme.com."
        raise InvalidValue(message) from exc
    if port == 0:
        message = "Enter a URL with a port from 1 to 65535, or without one."
        raise InvalidValue(message)
    return parts, port


def _web_host(host: str) -> str:
    try:
        ascii_host = idna.encode(host.removesuffix("."), uts46=True).decode().lower() if host else ""
    except UnicodeError as exc:  # idna.IDNAError is one
        message = "Enter a valid URL, e.g. acme.com."
        raise InvalidValue(message) from exc
    labels = ascii_host.split(".")
    valid = len(labels) > 1 and all(map(_LABEL.fullmatch, labels)) and _TOP_LEVEL.fullmatch(labels[-1])
    if not valid or len(ascii_host) > _MAX_HOST:
        message = "Enter a full domain name, e.g. acme.com. IP addresses and bare host names aren't accepted."
        raise InvalidValue(message)
    return ascii_host
