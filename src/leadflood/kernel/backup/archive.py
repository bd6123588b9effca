"""The file of a backup: a ZIP archive with the dump, a manifest that describes it, and the secret key on request.

database.dump   pg_dump, custom format, the data of the schema `leadflood` (compressed in itself, so stored)
secret.key      the key of the data folder and its fallbacks, one a line, unless they were left out
manifest.json   what was copied, and the checksum of the other two
"""

import fcntl
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from leadflood.kernel.errors import AppError, Conflict

FORMAT = 1
DUMP, KEY, MANIFEST = "database.dump", "secret.key", "manifest.json"
CHUNK = 1024 * 1024
_MAX_MANIFEST = 4 * 1024 * 1024


class BackupExists(Conflict):
    """A file with this name exists. Files are never overwritten."""

    code = "backup_exists"


class BackupFolderMissing(Conflict):
    """The target folder does not exist."""

    code = "backup_folder_missing"


class UnusableBackup(AppError):
    """The file is not a backup, is damaged, or was created by a newer release."""

    code: ClassVar[str] = "unusable_backup"
    status: ClassVar[int] = 400
    title: ClassVar[str] = "Unusable backup"


class TableContent(BaseModel):
    """Content of a table: the number of rows, and a checksum that does not depend on their order."""

    model_config = ConfigDict(frozen=True)

    rows: int
    digest: str


class Manifest(BaseModel):
    """Manifest of a backup."""

    model_config = ConfigDict(frozen=True)

    format: int
    created_at: str
    program: str
    revision: str
    postgresql: str
    tables: dict[str, TableContent]
    checksums: dict[str, str]
    key_tag: str
    """A short signature that shows whether a secret key belongs to the backup."""


class ChecksumReader:
    """The chunks of a stream, with a running checksum."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._digest = sha256()

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self._stream.read(CHUNK):
            self._digest.update(chunk)
            yield chunk

    def require(self, path: Path, name: str, expected: str) -> None:
        """Raises: UnusableBackup: the checksum of this part of the file does not match."""
        if self._digest.hexdigest() != expected:
            raise UnusableBackup(f"{path} is damaged: the checksum of {name} differs. Nothing was changed.")


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to, which becomes `path` at the end, or is removed after an error.

    Killed at any moment, there is the whole file or none; what is left of an earlier run as `NAME.part` is replaced.

    Raises: BackupExists: also while another process writes the same backup. BackupFolderMissing, OSError.
    """
    part = path.with_name(f"{path.name}.part")
    if not path.parent.is_dir():
        raise BackupFolderMissing(f"Folder {path.parent} doesn't exist. Create it, or choose another one.")
    fd = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupExists(f"Another process is writing {part}. Wait for it, or choose another name.") from None
        try:
            if path.exists():
                raise BackupExists(f"{path} already exists. Choose another name, or move it away.")
            os.ftruncate(fd, 0)
            os.fchmod(fd, 0o600)
            yield part
            os.fsync(fd)
            part.rename(path)
            _sync_folder(path.parent)
        finally:
            part.unlink(missing_ok=True)
    finally:
        os.close(fd)


def read_manifest(path: Path) -> Manifest:
    """The manifest of the backup. Raises: UnusableBackup, OSError."""
    with opened(path) as archive:
        try:
            info = archive.getinfo(MANIFEST)
            if info.file_size > _MAX_MANIFEST:
                raise UnusableBackup(f"{path} is not a LEAD-FLOOD backup: its manifest is too large.")
            manifest = Manifest.model_validate_json(archive.read(info))
        except (KeyError, ValidationError) as error:
            raise UnusableBackup(f"{path} is not a LEAD-FLOOD backup: it has no readable manifest.") from error
    if manifest.format > FORMAT:
        raise UnusableBackup(
            f"{path} was created by LEAD-FLOOD {manifest.program}. Restore it with that release or newer."
        )
    return manifest


def check(path: Path, manifest: Manifest) -> None:
    """Read the whole file and verify its checksums. Raises: UnusableBackup, OSError."""
    with opened(path) as archive:
        for name, expected in manifest.checksums.items():
            with archive.open(name) as stream:
                content = ChecksumReader(stream)
                for _ in content:
                    pass
            content.require(path, name, expected)


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, for reading. Raises: UnusableBackup: also for damage found while reading. OSError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise UnusableBackup(f"{path} is damaged, or not a LEAD-FLOOD backup. Nothing was changed.") from error
    except FileNotFoundError as error:
        raise UnusableBackup(f"File {path} doesn't exist.") from error
    except KeyError as error:
        raise UnusableBackup(f"{path} is damaged: a part is missing. Nothing was changed.") from error


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
