"""The secret key and its fallbacks: from the settings, or in files of the data folder."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox, new_secret_key
from leadflood.kernel.errors import AppError

FILE = "secret.key"
FALLBACKS_FILE = "secret.key.fallbacks"
"""File with former keys, one per line, newest first."""
BEFORE_RESTORE = "secret.key.before-restore"


class NoSecretKey(AppError):
    """Processes that share a database must share a key, and none is set."""

    code = "no_secret_key"
    title = "No secret key"


@dataclass(frozen=True, slots=True, repr=False)
class SecretKeys:
    """The current key, and former keys (newest first) that still decrypt their values."""

    current: str
    fallbacks: tuple[str, ...] = ()

    @property
    def box(self) -> SecretBox:
        """Keyed hashing and encryption with these keys."""
        return SecretBox(self.current, self.fallbacks)

    @property
    def lines(self) -> str:
        """All keys, one per line, the current one first: the format in a backup."""
        return "\n".join((self.current, *self.fallbacks))

    @classmethod
    def of_lines(cls, text: str) -> "SecretKeys":
        """The inverse of `lines`."""
        current, *fallbacks = text.split()
        return cls(current, tuple(fallbacks))


def secret_keys(settings: Settings, *, create: bool = False) -> SecretKeys:
    """The keys of the settings or of the data folder, created there on request. Raises: NoSecretKey."""
    path = settings.home / FILE
    if settings.secret_key is None and create and not path.exists():
        _write(path, new_secret_key())
    keys = known_secret_keys(settings)
    if keys is None:
        message = f"Set LEADFLOOD_SECRET_KEY to at least 32 random characters; {path} does not exist either."
        raise NoSecretKey(message)
    return keys


def secret_box(settings: Settings) -> SecretBox:
    """Keyed hashing and encryption with the keys of the settings or the data folder. Raises: NoSecretKey."""
    return secret_keys(settings).box


def known_secret_keys(settings: Settings) -> SecretKeys | None:
    """The keys of the settings or of the data folder; None if neither has one."""
    configured = settings.known_secret_key_fallbacks
    if settings.secret_key is not None:
        return SecretKeys(settings.secret_key.get_secret_value(), configured)
    path = settings.home / FILE
    if not path.exists():
        return None
    return SecretKeys(path.read_text(encoding="ascii").strip(), (*configured, *_stored_fallbacks(settings.home)))


def replace_secret_keys(home: Path, keys: SecretKeys) -> None:
    """Replace the keys of the data folder; the former key is kept in a file beside them, unused."""
    path = home / FILE
    if path.exists():
        _write(home / BEFORE_RESTORE, path.read_text(encoding="ascii").strip())
    _write_fallbacks(home, keys.fallbacks)
    _write(path, keys.current)


def add_fallbacks(home: Path, keys: Sequence[str]) -> None:
    """Add former keys to the fallbacks of the data folder."""
    _write_fallbacks(home, (*keys, *_stored_fallbacks(home)))


def make_new_key(home: Path) -> None:
    """Replace the key of the data folder with a new one; the former key becomes a fallback.

    Safe to kill at any moment: the folder has the former or the new key, and the former is never lost.
    """
    path = home / FILE
    add_fallbacks(home, [path.read_text(encoding="ascii").strip()])
    _write(path, new_secret_key())


def _stored_fallbacks(home: Path) -> tuple[str, ...]:
    path = home / FALLBACKS_FILE
    return tuple(path.read_text(encoding="ascii").split()) if path.exists() else ()


def _write_fallbacks(home: Path, keys: Sequence[str]) -> None:
    if keys:
        _write(home / FALLBACKS_FILE, "\n".join(dict.fromkeys(keys)))
    else:
        (home / FALLBACKS_FILE).unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    """Replace a file atomically, after the new content is on disk."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    with fresh.open("w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
