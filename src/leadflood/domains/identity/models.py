"""Users, sessions and API keys: states, preferences, password rules, and permissions of roles and scopes."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final
from uuid import UUID
from zoneinfo import available_timezones

from zxcvbn_rs_py import zxcvbn

from leadflood.domains.identity.permissions import ACCOUNT
from leadflood.kernel.actor import PERMISSIONS, SCOPES, Actor, Permission, Role
from leadflood.kernel.locales import canonical_locale
from leadflood.kernel.text import InvalidValue

ACCESS_PREFIX: Final = "lfa_"
REFRESH_PREFIX: Final = "lfr_"
WEB_PREFIX: Final = "lfw_"
"""Prefix of the token of a browser session. It works only as a cookie, not as a bearer token."""
API_KEY_PREFIX: Final = "lf_live_"
SHOWN_OF_KEY: Final = 12
"""Characters of an API key that people see to recognize it; 166 random bits stay secret."""

LOGIN_WINDOW_SECONDS: Final = 900
ADDRESS_FACTOR: Final = 5
"""Failures allowed per address, as a multiple of those per account: several people share one behind a router."""
KNOWN_ADDRESS_DAYS: Final = 30
"""Days for which the address of a program's latest session is known for an account."""

MAX_SESSIONS: Final = 20
"""Maximum number of active sessions of a user, in all workspaces together."""
MAX_API_KEYS: Final = 50
"""Maximum number of active API keys that a user created, in all workspaces together."""
MAX_KEY_YEARS: Final = 10

MIN_PASSWORD: Final = 12
MAX_PASSWORD: Final = 128

DEMO_EMAIL: Final = "demo@leadflood.local"
DEMO_PASSWORD: Final = "demo-flood-2026"  # noqa: S105  public on purpose: printed in the docs, refused in production
FIRST_OWNER_EMAIL: Final = "owner@leadflood.local"
FIRST_WORKSPACE: Final = "My workspace"


class SessionKind(StrEnum):
    """Kind of session: with access and refresh tokens, or with one token in a browser's cookie."""

    API = "api"
    BROWSER = "browser"


class Appearance(StrEnum):
    """Color theme: the device's setting, light or dark."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class EndReason(StrEnum):
    """Reason why a session ended. Sessions of a removed member are deleted with the membership."""

    LOGOUT = "logout"
    ENDED = "ended"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  a reason, not a password
    TOKEN_REUSE = "token_reuse"  # noqa: S105  as above
    USER_DISABLED = "user_disabled"
    REPLACED = "replaced"
    """The same browser has signed in again."""
    SWITCHED = "switched"
    """The browser switched to another workspace."""
    TOO_MANY = "too_many"
    """The user started a session beyond `MAX_SESSIONS`, and this was the oldest one."""


@dataclass(frozen=True, slots=True)
class Client:
    """Origin of a request: stored, throttled by and audited at sign-in. `device`: the device cookie's value."""

    ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    device: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A caller with a valid credential.

    Attributes:
        stale: its time of last use is over a minute old, so `touch` it.
        is_public: the user's password is known to be the demo user's public one.
    """

    actor: Actor
    stale: bool
    is_public: bool


@dataclass(frozen=True, slots=True)
class Account:
    """A user, as sign-in needs it."""

    id: UUID
    email: str
    email_norm: str
    name: str
    password_hash: str = field(repr=False)
    disabled: bool


@dataclass(frozen=True, slots=True)
class FirstRun:
    """Result of the first start: shown once, because the password cannot be read again."""

    workspace_id: UUID
    email: str
    password: str = field(repr=False)


def permissions_of(role: Role, scopes: Collection[str] | None, *, is_operator: bool = False) -> frozenset[Permission]:
    """Current permissions of a session (`scopes` is None) or an API key of a member with this role.

    An operator's API key is not an operator: a leaked key must not reach beyond its workspace.
    """
    granted = PERMISSIONS[role]
    if scopes is None:
        return granted | {Permission.INSTANCE} if is_operator else granted
    return frozenset(permission for permission in granted & SCOPES if permission.value in scopes)


def can_grant(actor: Actor, role: Role) -> bool:
    """Whether the actor has all permissions of the role, except those for one's own account."""
    return PERMISSIONS[role] - {ACCOUNT} <= actor.permissions


def network_of(ip: str | None) -> str | None:
    """The address as one customer's network in CIDR notation: /32, or /64 for IPv6. None if it is not an address."""
    address = throttled_address(ip)
    if address == _NO_ADDRESS:
        return None
    return address if "/" in address else f"{address}/32"


def throttled_address(ip: str | None) -> str:
    """The unit of throttling: an IPv4 address, or the /64 network that an IPv6 customer owns as a whole."""
    try:
        address = ip_address(ip or "")
    except ValueError:
        return _NO_ADDRESS
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return str(address)


_NO_ADDRESS: Final = "unknown"


AUTOMATIC: Final = "auto"
"""A preference that follows the browser."""


def preferred_time_zone(text: str) -> str:
    """A time zone, or `auto`. Raises: InvalidValue."""
    return text if text == AUTOMATIC else known_time_zone(text)


def chosen_time_zone(stored: str, *, chosen: bool) -> str:
    """The user's preferred time zone. Values stored by processes before 0029 count as chosen, unless they are UTC."""
    return stored if chosen or stored != "UTC" else AUTOMATIC


def preferred_locale(text: str) -> str:
    """A locale in its canonical form, or `auto`. Raises: InvalidValue."""
    return text if text == AUTOMATIC else canonical_locale(text)


def known_time_zone(text: str) -> str:
    """The name of an IANA time zone. Raises: InvalidValue: with code `unknown_time_zone`."""
    if text not in _time_zones():
        message = 'Unknown time zone. Use a name such as "Europe/Berlin" or "UTC".'
        raise InvalidValue(message, "unknown_time_zone")
    return text


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def normalise_password(password: str) -> str:
    """The form of a password that is hashed: RFC 8265's OpaqueString, so that all keyboards give the same bytes."""
    spaced = "".join(" " if unicodedata.category(char) == "Zs" else char for char in password)
    return unicodedata.normalize("NFC", spaced)


def is_public_password(password: str) -> bool:
    """Whether this is the demo user's password, which the documentation contains."""
    return normalise_password(password) == DEMO_PASSWORD


def acceptable_password(password: str, email: str | None = None) -> str:
    """A new password, normalized: 12 to 128 characters, hard to guess (zxcvbn), not an example of our documentation.

    No composition rules, as NIST SP 800-63B, 3.1.1.2 advises.

    Raises: InvalidValue: with code `too_short`, `too_long`, `invalid_characters` or `weak_password`.
    """
    if len(password) > 4 * MAX_PASSWORD:
        raise _too_long()
    normal = normalise_password(password)
    if len(normal) < MIN_PASSWORD:
        message = f"At least {MIN_PASSWORD} characters."
        raise InvalidValue(message, "too_short")
    if len(normal) > MAX_PASSWORD:
        raise _too_long()
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in normal):
        message = "Contains an unsupported character."
        raise InvalidValue(message, "invalid_characters")
    if email is not None and normal.casefold() == email.casefold():
        message = "Can't be your email address."
        raise InvalidValue(message, "weak_password")
    if _is_documented(normal):
        message = "This password is an example of the documentation. Choose one of your own."
        raise InvalidValue(message, "weak_password")
    if _is_guessable(normal, email):
        message = "Choose a stronger password. Try a few unrelated words, or a password manager."
        raise InvalidValue(message, "weak_password")
    return normal


def _too_long() -> InvalidValue:
    return InvalidValue(f"Maximum {MAX_PASSWORD} characters.", "too_long")


def _is_guessable(password: str, email: str | None) -> bool:
    words = [*_PRODUCT, *(re.split(r"[@.+_-]", email.casefold()) if email else ())]
    joined = re.sub(r"[ ._-]+", "", password)  # separators of words add almost nothing for an attacker
    return min(zxcvbn(form[:_MEASURED], words).guesses_log10 for form in {password, joined}) < _MIN_GUESSES


def _is_documented(password: str) -> bool:
    return "".join(char for char in password.casefold() if char.isalnum()) in _DOCUMENTED


_MIN_GUESSES: Final = 8.1
"""Power of ten. Just above zxcvbn's score 3 of 4, which a word with a year and punctuation already reaches."""
_MEASURED: Final = 24
"""Characters that zxcvbn reads. Its time grows with the cube of the length: a few milliseconds for this many."""
_PRODUCT: Final = ("leadflood", "lead", "flood", "leads", "demo", "owner", "workspace")
_DOCUMENTED: Final = frozenset({"correcthorsebatterystaple", "demoflood2026", "koy65ck5zb8eaaheqmyr"})
"""The example passwords of our documentation, without case, spaces and punctuation."""
