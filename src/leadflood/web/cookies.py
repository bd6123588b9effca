"""Browser cookies, and protection of forms against forgery.

A request that changes something must carry a token that only our own pages hold (bound to the browser's cookie by
HMAC), and must come from our own origin (OWASP Cross-Site Request Forgery Prevention Cheat Sheet: signed double
submit, and verifying the origin).
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from urllib.parse import unquote, urlsplit

from leadflood.domains.identity.models import known_time_zone
from leadflood.kernel.crypto import SecretBox, random_hex
from leadflood.kernel.errors import Forbidden
from leadflood.kernel.text import InvalidValue

SESSION = "__Host-leadflood"
"""Session token. `__Host-`: only this host, over HTTPS (or loopback), the whole site (RFC 6265bis, 4.1.3.2)."""
VISITOR = "__Host-leadflood-visitor"
"""Random value of a browser that is not signed in; its forms are bound to it."""
DEVICE = "__Host-leadflood-device"
"""Cookie that identifies a browser to the accounts that signed in with it: see `identity.service.devices`."""
NOTES = "__Host-leadflood-notes"
"""Toasts for the next page, encrypted."""
TIME_ZONE = "leadflood-time-zone"
"""Time zone of the browser, set by its script. Not a secret, and used for display only."""

_MASK = 16
_NOTES_SECONDS = 60
_MAX_NOTES = 3000


class CsrfFailed(Forbidden):
    """The form does not come from our pages, or the page is older than the session."""

    code = "csrf_failed"
    title = "Session expired"


@dataclass(frozen=True, slots=True)
class Toast:
    """A short message at the edge of the page. With `undo`, a button posts to that path."""

    text: str
    tone: str = "ok"
    undo: str | None = None
    link: str | None = None
    link_text: str | None = None


def set_cookie(name: str, value: str, *, seconds: int | None = None) -> str:
    """The value of a Set-Cookie header; without `seconds` the cookie ends with the browser."""
    age = "" if seconds is None else f"; Max-Age={seconds}"
    return f"{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{age}"


def drop_cookie(name: str) -> str:
    """The value of a Set-Cookie header that removes the cookie."""
    return set_cookie(name, "", seconds=0)


def browser_time_zone(cookies: Mapping[str, str]) -> str | None:
    """The browser's time zone; None if it did not send one, or it is unknown."""
    try:
        return known_time_zone(unquote(cookies.get(TIME_ZONE, "")))
    except InvalidValue:
        return None


def new_visitor() -> str:
    """A value for the cookie `VISITOR`."""
    return random_hex(16)


def csrf_token(secret_box: SecretBox, anchor: str) -> str:
    """A token for the forms of the browser whose cookie holds `anchor`.

    It has a new mask each time, so that compressed pages do not reveal it (BREACH).
    """
    mask = bytes.fromhex(random_hex(_MASK))
    return urlsafe_b64encode(mask + _crossed(mask, _proof(secret_box, anchor))).decode()


def check_csrf(secret_box: SecretBox, anchor: str, token: str) -> None:
    """Raises: CsrfFailed."""
    try:
        raw = urlsafe_b64decode(token.encode())
    except ValueError:
        raw = b""
    mask, masked = raw[:_MASK], raw[_MASK:]
    if not anchor or len(raw) != 2 * _MASK:
        raise _expired()
    proof = _crossed(mask, masked)
    if not any(hmac.compare_digest(proof, _proof(box, anchor)) for box in secret_box.per_key):
        raise _expired()


def check_origin(headers: Mapping[str, str]) -> None:
    """Refuse requests from other sites. Raises: CsrfFailed."""
    origin, host = headers.get("origin"), headers.get("host", "")
    if origin is None:
        referrer = headers.get("referer")
        if headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"} and referrer is None:
            return  # not a browser: such a program has no cookie that another site could abuse
        origin = referrer or ""
    if not host or _netloc(origin) != host.lower():
        detail = "This request came from another site. No changes were made."
        raise CsrfFailed(detail)


def local_path(wanted: str | None, default: str = "/") -> str:
    """`wanted` if it is a path of this site, otherwise `default`: a link must not redirect a new sign-in elsewhere."""
    if not wanted or not wanted.startswith("/") or wanted.startswith(("//", "/\\")):
        return default
    if any(ord(char) < 0x20 or char == "\\" for char in wanted):  # noqa: PLR2004  ASCII control characters
        return default
    return default if _netloc(wanted) != "" or urlsplit(wanted).scheme else wanted


def _netloc(address: str) -> str | None:
    """Host and port of a URL; None if it has none."""
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return None


def seal_notes(secret_box: SecretBox, anchor: str, toasts: list[Toast]) -> str:
    """The cookie that carries toasts to the next page of the same browser."""
    sealed = secret_box.encrypt(json.dumps([asdict(toast) for toast in toasts]).encode(), b"notes" + anchor.encode())
    value = urlsafe_b64encode(sealed).decode()
    return set_cookie(NOTES, value, seconds=_NOTES_SECONDS) if len(value) < _MAX_NOTES else drop_cookie(NOTES)


def unseal_notes(secret_box: SecretBox, anchor: str, value: str) -> list[Toast]:
    """The toasts of the previous page; none if the cookie is not ours."""
    try:
        plain = secret_box.decrypt(urlsafe_b64decode(value.encode()), b"notes" + anchor.encode())
    except ValueError:
        return []
    return [Toast(**load) for load in json.loads(plain)] if plain is not None else []


def _proof(secret_box: SecretBox, anchor: str) -> bytes:
    return secret_box.fingerprint(b"csrf", anchor.encode())[:_MASK]


def _crossed(mask: bytes, value: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(mask, value, strict=True))


def _expired() -> CsrfFailed:
    return CsrfFailed("Your session expired. Reload and try again. Cookies must be on, over https or localhost.")
