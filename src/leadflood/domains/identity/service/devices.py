"""Known devices: their wrong passwords are counted separately.

A browser that has signed in keeps a signed cookie, and its attempts have a separate limit, so that no attacker can lock
an account's owner out by guessing from elsewhere (OWASP: slow down online guessing attacks with device cookies). The
cookie replaces no password. It names no account: without the key, a tag cannot be linked to a user.
"""

import hmac
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from leadflood.kernel.clock import utc_now
from leadflood.kernel.crypto import SecretBox, random_hex

SECONDS: Final = 400 * 86_400
"""Lifetime of the cookie in a browser: the longest that browsers allow (RFC 6265bis, 5.5)."""
LINK_LIFE: Final = timedelta(minutes=15)

_ACCOUNTS: Final = 5
"""Accounts that one browser is known for; a further one replaces the one with the oldest sign-in."""
_NONCE_BYTES: Final = 16


def subject(secret_box: SecretBox, cookie: str | None, user_id: UUID) -> bytes | None:
    """The subject under which this device's attempts at this account count; None if it is not known for the account."""
    nonce, tags = _parts(cookie)
    own = [_tag(box, nonce, user_id) for box in secret_box.per_key]
    if not any(hmac.compare_digest(tag, item) for tag in own for item in tags):
        return None
    return secret_box.fingerprint(b"known device", nonce.encode(), user_id.bytes)


def remember(secret_box: SecretBox, cookie: str | None, user_id: UUID) -> str:
    """The value of the cookie that adds this account to those the device is known for."""
    nonce, tags = _parts(cookie)
    nonce = nonce or random_hex(_NONCE_BYTES)
    tag, *former = [_tag(box, nonce, user_id) for box in secret_box.per_key]
    others = [item for item in tags if item not in {tag, *former}]
    return ".".join([nonce, tag, *others[: _ACCOUNTS - 1]])


def link_code(secret_box: SecretBox, user_id: UUID) -> str:
    """The code of a link that makes the browser that opens it known for an account."""
    until = int((utc_now() + LINK_LIFE).timestamp())
    return f"{user_id.hex}-{until}-{_signature(secret_box, user_id, until)}"


def opened(secret_box: SecretBox, code: str, now: datetime) -> UUID | None:
    """The account of a link's code; None if it has expired or is not a code."""
    user, _, rest = code.partition("-")
    until, _, signature = rest.partition("-")
    if not (_is_hex(user, 32) and until.isascii() and until.isdigit() and len(until) <= len("9999999999")):
        return None
    user_id, end = UUID(user), int(until)
    genuine = signature.isascii() and any(
        hmac.compare_digest(_signature(box, user_id, end), signature) for box in secret_box.per_key
    )
    return user_id if genuine and now.timestamp() < end else None


def _parts(cookie: str | None) -> tuple[str, list[str]]:
    nonce, *tags = (cookie or "").split(".")[: _ACCOUNTS + 1]
    length = 2 * _NONCE_BYTES
    return (nonce, [tag for tag in tags if _is_hex(tag, length)]) if _is_hex(nonce, length) else ("", [])


def _tag(secret_box: SecretBox, nonce: str, user_id: UUID) -> str:
    return secret_box.fingerprint(b"device", nonce.encode(), user_id.bytes)[:_NONCE_BYTES].hex()


def _signature(secret_box: SecretBox, user_id: UUID, until: int) -> str:
    return secret_box.fingerprint(b"device link", user_id.bytes, str(until).encode())[:_NONCE_BYTES].hex()


def _is_hex(text: str, length: int) -> bool:
    return len(text) == length and set(text) <= set("0123456789abcdef")
