"""The secret key: from the settings, or in a file of the data folder."""

from pathlib import Path

from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import new_secret_key
from leadflood.kernel.errors import AppError

FILE = "secret.key"
BEFORE_RESTORE = "secret.key.before-restore"


class NoSecretKey(AppError):
    """Processes that share a database must share a key, and none is set."""

    code = "no_secret_key"
    title = "No secret key"


def secret_key(settings: Settings, *, create: bool = False) -> str:
    """The key of the settings or of the data folder, created there on request. Raises: NoSecretKey."""
    path = settings.home / FILE
    if settings.secret_key is None and create and not path.exists():
        _write(path, new_secret_key())
    key = known_secret_key(settings)
    if key is None:
        message = f"Set LEADFLOOD_SECRET_KEY to at least 32 random characters; {path} does not exist either."
        raise NoSecretKey(message)
    return key


def known_secret_key(settings: Settings) -> str | None:
    """The key of the settings or of the data folder; None if there is none."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    path = settings.home / FILE
    return path.read_text(encoding="ascii").strip() if path.exists() else None


def replace_secret_key(home: Path, key: str) -> None:
    """Replace the key in the data folder; the previous one is kept beside it."""
    path = home / FILE
    if path.exists():
        _write(home / BEFORE_RESTORE, path.read_text(encoding="ascii").strip())
    _write(path, key)


def _write(path: Path, key: str) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_text(key, encoding="ascii")
    fresh.rename(path)
