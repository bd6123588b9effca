"""Creation of a backup: one snapshot, counted and dumped, then verified from disk."""

import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from leadflood import __version__
from leadflood.kernel.backup import content, pg_tools
from leadflood.kernel.backup.archive import (
    DUMP,
    FORMAT,
    KEY,
    MANIFEST,
    ChecksumReader,
    Manifest,
    new_file,
    opened,
    read_manifest,
)
from leadflood.kernel.clock import utc_now
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.errors import Conflict
from leadflood.kernel.secret_key import SecretKeys

_TAG = b"backup"
_COMPRESSION = 4
"""Minimum compression of a dump compared with its tables: 5 to 8 for leads."""
_SPARE = 16 * 1024 * 1024


class NothingToBackUp(Conflict):
    """The database has no schema of LEAD-FLOOD."""

    code = "nothing_to_back_up"


class NotEnoughSpace(Conflict):
    """The disk has too little free space."""

    code = "not_enough_space"


@dataclass(frozen=True, slots=True)
class BackupSource:
    """Source of a backup. `include_keys`: put the secret key and its fallbacks into the file."""

    url: str
    secret_keys: SecretKeys
    include_keys: bool


async def create_backup(source: BackupSource, path: Path, *, report: Callable[[str], None]) -> Manifest:
    """Write a backup to `path`, which does not exist yet, and check it. The database may be in use meanwhile.

    Raises: leadflood.kernel.errors.Unavailable, NothingToBackUp, NotEnoughSpace, OSError,
        leadflood.kernel.backup.archive.BackupExists, leadflood.kernel.backup.pg_tools.BackupProgramFailed.
    """
    with new_file(path) as part:
        async with content.snapshot_of(source.url) as (connection, snapshot):
            revision = await content.revision_of(connection)
            if revision is None:
                raise NothingToBackUp("The database has no LEAD-FLOOD schema, so there is nothing to back up.")
            _require_space(path.parent, await content.size_of(connection))
            report("Counting rows …")
            manifest = Manifest(
                format=FORMAT,
                created_at=utc_now().isoformat(timespec="seconds"),
                program=__version__,
                revision=revision,
                postgresql=".".join(map(str, connection.get_server_version()[:2])),
                tables=await content.contents(connection),
                checksums={},
                key_tag=key_tag(source.secret_keys.current),
            )
            report("Copying …")
            await _write(part, source, snapshot, manifest)
        report("Checking the copy …")
        await _verify(part)
    return manifest


def key_tag(secret_key: str) -> str:
    """A short signature that identifies a secret key."""
    return SecretBox(secret_key).sign(_TAG)


def _require_space(folder: Path, table_bytes: int) -> None:
    needed, free = table_bytes // _COMPRESSION + _SPARE, shutil.disk_usage(folder).free
    if free < needed:
        raise NotEnoughSpace(
            f"{folder} has {free >> 20} MB free; the backup needs up to {needed >> 20} MB. Free some space first."
        )


async def _write(part: Path, source: BackupSource, snapshot: str, manifest: Manifest) -> None:
    keys, dump = source.secret_keys.lines.encode("ascii"), sha256()
    with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        async with pg_tools.dumping(source.url, snapshot) as chunks:
            with archive.open(DUMP, "w", force_zip64=True) as member:
                async for chunk in chunks:
                    dump.update(chunk)
                    member.write(chunk)
        checksums = {DUMP: dump.hexdigest()}
        if source.include_keys:
            archive.writestr(KEY, keys)
            checksums[KEY] = sha256(keys).hexdigest()
        complete = manifest.model_copy(update={"checksums": checksums})
        archive.writestr(MANIFEST, complete.model_dump_json(indent=2))


async def _verify(part: Path) -> None:
    """Verify the file as a restore does: pg_restore reads the whole dump, and the checksum is compared."""
    manifest = read_manifest(part)
    with opened(part) as archive, archive.open(DUMP) as stream:
        content = ChecksumReader(stream)
        await pg_tools.read_through(content)
        content.require(part, DUMP, manifest.checksums[DUMP])
