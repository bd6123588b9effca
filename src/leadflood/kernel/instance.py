"""The id of an installation outside its database, which distinguishes a copy of the database from the original.

- `LEADFLOOD_INSTANCE_ID`, where it is set;
- with a database elsewhere, which processes on several machines share: derived from the secret key, the same for all;
- with the embedded database: a random id in the data folder, together with the file's inode and the machine's id, so
  that a copy of the whole folder differs as well.
"""

import os
from hashlib import sha256
from pathlib import Path

from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox, random_hex

FILE = "instance.id"
_MACHINE_ID = Path("/etc/machine-id")


def instance_ids(settings: Settings, secret_box: SecretBox) -> tuple[str, ...]:
    """The ID of this installation, created if it has none, then the IDs derived from former secret keys.

    Raises: OSError: the data folder cannot be used.
    """
    if settings.instance_id:
        return (settings.instance_id,)
    if settings.database_url is not None:
        return tuple(f"key-{box.fingerprint(b'instance').hex()[:32]}" for box in secret_box.per_key)
    return (_of_folder(settings.home),)


def _of_folder(home: Path) -> str:
    path = home / FILE
    if not path.exists():
        _make(path)
    with path.open(encoding="ascii") as file:
        name, inode = file.read().strip(), os.fstat(file.fileno()).st_ino
    place = sha256(f"{inode} {_machine_id()}".encode()).hexdigest()[:16]
    return f"home-{name}-{place}"


def _make(path: Path) -> None:
    """Write the file under another name, and link it: of several concurrent processes, one wins."""
    fresh = path.with_name(f"{FILE}.{random_hex(8)}")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(f"{random_hex(16)}\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            return
    finally:
        fresh.unlink(missing_ok=True)


def _machine_id() -> str:
    """The machine's ID (machine-id(5)); empty if there is none, as in most containers."""
    try:
        return _MACHINE_ID.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
