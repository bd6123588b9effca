"""Restoring a backup: verified first, loaded in one transaction, counted, and put on hold."""

from collections.abc import Callable
from pathlib import Path

from leadflood.kernel.backup import content, pg_tools
from leadflood.kernel.backup.archive import (
    DUMP,
    KEY,
    ChecksumReader,
    Manifest,
    UnusableBackup,
    check,
    opened,
    read_manifest,
)
from leadflood.kernel.db.migrate import head, install_queue, migrate
from leadflood.kernel.secret_key import SecretKeys


def checked_manifest(path: Path) -> Manifest:
    """The manifest of a backup, after all of it was read and its checksums were correct.

    Raises: UnusableBackup, OSError.
    """
    manifest = read_manifest(path)
    if manifest.revision > head():
        raise UnusableBackup(
            f"{path} was created by LEAD-FLOOD {manifest.program} with schema {manifest.revision}, but this program "
            f"only knows schemas up to {head()}. Restore it with that release or a newer one."
        )
    check(path, manifest)
    return manifest


def keys_in(path: Path, manifest: Manifest) -> SecretKeys | None:
    """The secret key and fallbacks in the backup, or None. Raises: UnusableBackup, OSError."""
    if KEY not in manifest.checksums:
        return None
    with opened(path) as archive:
        return SecretKeys.of_lines(archive.read(KEY).decode("ascii"))


async def restore(
    url: str, queue_url: str | None, path: Path, manifest: Manifest, *, replace: bool, report: Callable[[str], None]
) -> None:
    """Load a checked backup into the database at `url`, whose login owns its schema or may make it.

    Killed at any moment, it leaves a database without data or one on which no process of LEAD-FLOOD starts; restoring
    again, with `replace` in the second case, is the way on.

    Args:
        url: of the owner.
        queue_url: where the queue lives, if elsewhere.
        path: the backup.
        manifest: as `checked_manifest` gave it.
        replace: drop what the database has of LEAD-FLOOD first.
        report: called with each step.

    Raises: leadflood.kernel.backup.content.DatabaseInUse, leadflood.kernel.backup.pg_tools.BackupProgramFailed,
        UnusableBackup, leadflood.kernel.errors.Unavailable, leadflood.kernel.db.roles.UnsafeDatabaseRole.
    """
    async with content.connected(url) as connection:
        await content.require_unused(connection, replace=replace)
        if replace:
            await content.drop_schemas(connection)
        report("Creating the schema …")
        await migrate(url, target=manifest.revision)
        await content.unfence_and_empty(connection)
        report("Loading rows …")
        await _load(url, path)
        report("Comparing with the backup …")
        differing = content.differing(manifest.tables, await content.contents(connection))
        if differing:
            raise UnusableBackup(f"These tables differ from the backup: {', '.join(differing)}.")
        await migrate(url)
        await install_queue(queue_url or url)
        await content.fence(connection, reason=f"Restored from a backup of {manifest.created_at}.")


async def _load(url: str, path: Path) -> None:
    with opened(path) as archive, archive.open(DUMP) as stream:
        await pg_tools.load(url, ChecksumReader(stream))
