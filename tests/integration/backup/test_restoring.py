"""A backup comes back with every row, on hold, or not at all."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from leadflood.bootstrap import SUBSCRIBERS, build_registry
from leadflood.domains.identity.service import holds
from leadflood.domains.invitations.events import SEND_INVITATION
from leadflood.domains.jobs import execution
from leadflood.domains.jobs.errors import CursorExpired
from leadflood.kernel.actor import Actor
from leadflood.kernel.backup import content, restoration
from leadflood.kernel.backup.archive import DUMP, KEY, MANIFEST, UnusableBackup
from leadflood.kernel.config import Settings
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.preflight import check_role, check_schema
from leadflood.kernel.db.provision import OWNER
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.db.sql import sql
from leadflood.kernel.hold import Hold
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from tests.integration.backup.conftest import KEY as ORIGINAL_KEY
from tests.integration.backup.conftest import Made, contents_of
from tests.integration.events.toys import Toybox
from tests.support.jobs import Jobs
from tests.support.mail import post_office
from tests.support.postgres import Cluster
from tests.support.processes import INSTANCE
from tests.support.sandbox import shared_sandbox


async def restore(cluster: Cluster, name: str, path: Path, *, replace: bool = False) -> None:
    manifest = restoration.checked_manifest(path)
    await restoration.restore(cluster.url(name, OWNER), None, path, manifest, replace=replace, report=lambda _: None)


async def test_every_row_comes_back_and_mail_waits_for_an_operator(
    made: Made, other_cluster: Cluster, empty: str, settings: Settings, tmp_path: Path
) -> None:
    assert sum(table.rows > 0 for table in made.manifest.tables.values()) > 25

    await restore(other_cluster, empty, made.path)

    assert contents_of(other_cluster, empty) == made.contents
    url = other_cluster.url(empty, APP_ROLE)
    queue_backend = PostgresQueueBackend(url, role=APP_ROLE)
    await queue_backend.open()
    database = Database(
        ConnectionPool(url, application_name="tests", size=5, statement_timeout=30), queue_backend, SUBSCRIBERS
    )
    async with post_office(tmp_path / "mail") as post:
        registry = build_registry(
            settings.model_copy(update={"smtp_url": SecretStr(post.url)}), database, shared_sandbox()
        )
        await check_role(database)
        await check_schema(database)
        hold, jobs = Hold(database, lambda: (INSTANCE,)), Jobs(database, made.workspace_id, SEND_INVITATION)
        assert (await hold.check()).reason.startswith("Restored from a backup of")
        async with database.system(read_only=True) as tx:
            assert await tx.scalar(sql("SELECT restored_at = closed_at FROM effects_hold"))

        assert (await jobs.attempt(registry, made.job_id)).on_hold
        assert post.all() == []

        await holds.open_hold(database, hold, Actor.cli(SYSTEM_WORKSPACE_ID))
        assert await execution.release_from_hold(database) == 1
        assert (await jobs.attempt(registry, made.job_id, 2)).status == "completed"
        assert len(post.all()) == 1
    await queue_backend.close()
    await database.close()


async def test_the_feed_of_events_starts_again_with_all_that_was_restored(
    made: Made, database: Database, other_cluster: Cluster, empty: str
) -> None:
    before = Toybox(database, made.workspace_id)
    told = await before.read(limit=200)

    await restore(other_cluster, empty, made.path)

    pool = ConnectionPool(other_cluster.url(empty, APP_ROLE), application_name="tests", size=1, statement_timeout=30)
    restored = Database(pool, None, SUBSCRIBERS)
    after = Toybox(restored, made.workspace_id)
    assert {item.id for item in (await after.read(limit=200)).items} == {item.id for item in told.items} != set()
    with pytest.raises(CursorExpired):
        await after.read(told.after)
    await restored.close()


async def test_data_and_processes_that_use_it_are_left_alone(made: Made, other_cluster: Cluster, empty: str) -> None:
    await restore(other_cluster, empty, made.path)
    before = contents_of(other_cluster, empty)

    with pytest.raises(content.DatabaseInUse, match="--replace"):
        await restore(other_cluster, empty, made.path)
    pool = ConnectionPool(
        other_cluster.url(empty, APP_ROLE), application_name="leadflood worker", size=1, statement_timeout=30
    )
    database = Database(pool, None, SUBSCRIBERS)
    await check_schema(database)
    with pytest.raises(content.DatabaseInUse, match="leadflood worker"):
        await restore(other_cluster, empty, made.path, replace=True)
    await database.close()
    assert contents_of(other_cluster, empty) == before

    other_cluster.run("DELETE FROM leadflood.leads", empty)
    await restore(other_cluster, empty, made.path, replace=True)
    assert contents_of(other_cluster, empty) == before


def _flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(content)


def _rewrite(path: Path, old: bytes, new: bytes) -> None:
    """Another manifest, in an archive that is whole."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[MANIFEST] = parts[MANIFEST].replace(old, new)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def _without_dump(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        manifest = archive.read(MANIFEST)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MANIFEST, manifest)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a byte of the dump": lambda path: _flip(path, 5000),
    "the last byte": lambda path: _flip(path, path.stat().st_size - 30),
    "half of it": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "all of it": lambda path: path.write_bytes(b""),
    "no archive": lambda path: path.write_text("email,name\nada@acme.test,Ada 🚀\n"),
    "another checksum": lambda path: _rewrite(path, b'"database.dump": "', b'"database.dump": "0'),
    "a part missing": _without_dump,
    "a newer format": lambda path: _rewrite(path, b'"format": 1', b'"format": 2'),
    "a newer schema": lambda path: _rewrite(path, b'"revision": "00', b'"revision": "90'),
    "no manifest": lambda path: _rewrite(path, b'"tables"', b'"stables"'),
}


async def test_a_damaged_file_is_refused_with_a_sentence(made: Made, tmp_path: Path) -> None:
    for number, (what, damage) in enumerate(DAMAGES.items()):
        path = tmp_path / f"{number}.backup"
        path.write_bytes(made.path.read_bytes())
        damage(path)
        with pytest.raises(UnusableBackup) as refused:
            restoration.checked_manifest(path)
        assert str(path) in refused.value.detail, what

    assert restoration.checked_manifest(made.path).tables == made.manifest.tables


async def test_rows_that_differ_from_the_manifest_stop_the_restore_before_anything_can_start(
    made: Made, other_cluster: Cluster, empty: str, tmp_path: Path
) -> None:
    path = tmp_path / "other.backup"
    path.write_bytes(made.path.read_bytes())
    digest = made.manifest.tables["leads"].digest.encode()
    _rewrite(path, digest, b"0")

    with pytest.raises(UnusableBackup, match="leads"):
        await restore(other_cluster, empty, path)

    database = Database(
        ConnectionPool(other_cluster.url(empty, APP_ROLE), application_name="tests", size=1, statement_timeout=30),
        None,
    )
    with pytest.raises(Exception, match="Row-level security is not forced"):
        await check_role(database)
    await database.close()


def test_the_file_has_the_key_and_nobody_else_may_read_it(made: Made) -> None:
    assert made.path.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(made.path) as archive:
        assert sorted(archive.namelist()) == sorted([DUMP, KEY, MANIFEST])
        assert archive.read(KEY).decode() == ORIGINAL_KEY
