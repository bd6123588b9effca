"""`leadflood backup` and `leadflood restore`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from leadflood.cli.context import run
from leadflood.cli.listing import AS_JSON
from leadflood.cli.output import note, print_json, say

if TYPE_CHECKING:
    from leadflood.kernel.backup.archive import Manifest
    from leadflood.kernel.config import Settings
    from leadflood.kernel.secret_key import SecretKeys

_TARGET = typer.Argument(None, help="File to write, or folder for a new file. Defaults to the current folder.")
_FILE = typer.Argument(help="Backup file.")

_NEXT = """Outgoing email is on hold. Next steps:
  1. Start LEAD-FLOOD and run `leadflood doctor`.
  2. Make sure that the original installation is stopped.
  3. Run `leadflood hold open` to send waiting emails, or first `leadflood hold cancel-jobs` to drop them."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    target: Path | None = _TARGET,
    without_key: bool = typer.Option(False, "--without-key", help="Exclude the secret key of the data folder."),
    as_json: bool = AS_JSON,
) -> None:
    """Write all data to one verified file. Safe while the system is running; never overwrites a file.

    The file contains personal data and the data folder's secret key. Protect it like the database.

    Example: `leadflood backup /var/backups/leadflood`
    """
    from leadflood.cli.validation import load_settings
    from leadflood.kernel.backup.creation import BackupSource, create_backup
    from leadflood.kernel.db.addresses import owner_url
    from leadflood.kernel.secret_key import secret_keys

    settings = load_settings()
    path = _path(target)
    keys = secret_keys(settings)
    included = settings.secret_key is None and not without_key
    with _database(settings):
        manifest = run(create_backup(BackupSource(owner_url(settings), keys, included), path, report=note))
    size = path.stat().st_size
    if as_json:
        print_json({**_counts(manifest), "file": str(path), "bytes": size, "includesKey": included})
        return
    say(
        f"{path}: {size / 1024**2:.1f} MB, {_counts(manifest)['rows']} rows in {len(manifest.tables)} tables, verified."
    )
    if included:
        say("It includes the secret key: anyone with the file can read everything in it.")
    else:
        say("It does not include the secret key. Store the key separately; a restore needs it.")


def restore(
    file: Path = _FILE,
    replace: bool = typer.Option(False, "--replace", help="Replace existing data in the database."),
    as_json: bool = AS_JSON,
) -> None:
    """Restore a backup into an empty database and put outgoing email on hold.

    Stop all processes first. The file is verified before anything is changed.

    Example: `leadflood restore leadflood-20260301T093000Z.backup`
    """
    from leadflood import bootstrap
    from leadflood.cli.validation import load_settings
    from leadflood.kernel.backup import restoration
    from leadflood.kernel.db.addresses import owner_url
    from leadflood.kernel.db.embedded import create_home
    from leadflood.kernel.process_lifetime import InstanceLock

    settings = load_settings()
    note("Checking the file …")
    manifest = restoration.checked_manifest(file)
    create_home(settings.home)
    with InstanceLock(settings.home / "lock"), _database(settings):
        run(bootstrap.provision_embedded(settings))
        warning = _restore_keys(settings, restoration.keys_in(file, manifest), manifest, replace=replace)
        queue = settings.queue_database_url.get_secret_value() if settings.queue_database_url else None
        url = owner_url(settings)
        run(restoration.restore(url, queue, file, manifest, replace=replace, report=note))
    if as_json:
        print_json({**_counts(manifest), "createdAt": manifest.created_at, "warning": warning})
        return
    say(f"Restored {_counts(manifest)['rows']} rows in {len(manifest.tables)} tables, as of {manifest.created_at}.")
    if warning:
        say(warning)
    say(_NEXT)


def _path(target: Path | None) -> Path:
    from leadflood.kernel.clock import utc_now

    name = f"leadflood-{utc_now():%Y%m%dT%H%M%SZ}.backup"
    if target is None:
        return Path(name)
    return target / name if target.is_dir() else target


@contextmanager
def _database(settings: "Settings") -> Iterator[None]:
    """The embedded server, started if it is not running; nothing for an external one."""
    from leadflood.kernel.db.embedded import EmbeddedPostgres, running_url
    from leadflood.kernel.db.provision import DATABASE, OWNER

    if settings.database_url is not None or running_url(settings.home, OWNER, DATABASE) is not None:
        yield
        return
    note(f"Starting PostgreSQL in {settings.home} …")
    server = EmbeddedPostgres(settings.home)
    server.start()
    try:
        yield
    finally:
        server.stop()


def _restore_keys(settings: "Settings", keys: "SecretKeys | None", manifest: "Manifest", *, replace: bool) -> str:
    """Store the backup's keys in the data folder; returns a note for the operator.

    If the folder keeps a key of its own, the backup's keys become fallbacks, so that its values can be decrypted.
    """
    from leadflood.kernel.backup.creation import key_tag
    from leadflood.kernel.secret_key import FILE, add_fallbacks, known_secret_keys, replace_secret_keys

    present = known_secret_keys(settings)
    if settings.secret_key is None and keys is not None:
        if present is None or (replace and present.current != keys.current):
            replace_secret_keys(settings.home, keys)
        elif present.current != keys.current:
            add_fallbacks(settings.home, [keys.current, *keys.fallbacks])
        present = known_secret_keys(settings)
    if present is None:
        return (
            "The backup does not include the secret key. Before you start, set LEADFLOOD_SECRET_KEY to the original's "
            f"key, or put it in {settings.home / FILE}."
        )
    if any(key_tag(key) == manifest.key_tag for key in (present.current, *present.fallbacks)):
        return ""
    return (
        "The secret key differs from the one the backup was made with. Add that key to LEADFLOOD_SECRET_KEY_FALLBACKS. "
        "Without it, pending invitations must be sent again, and stored responses for idempotency keys and stored "
        "credentials cannot be read."
    )


def _counts(manifest: "Manifest") -> dict[str, object]:
    return {
        "rows": sum(table.rows for table in manifest.tables.values()),
        "tables": len(manifest.tables),
        "revision": manifest.revision,
    }
