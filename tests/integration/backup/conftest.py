"""A backup of a database with some of everything in it, made while somebody writes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from leadflood.domains.invitations import service as invitations
from leadflood.domains.invitations.contracts import CreateInvitation
from leadflood.kernel.backup.archive import Manifest
from leadflood.kernel.backup.creation import BackupSource, create_backup
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.provision import OWNER, provision
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from leadflood.kernel.secret_key import SecretKeys
from tests.conftest import DATABASE
from tests.support.postgres import Cluster, temporary_cluster
from tests.support.showcase import Showcase
from tests.support.site import machine, showcase

__all__ = ["machine", "showcase"]

KEY = "the original's own secret key, 40 letters"
SEALED = sql("""
INSERT INTO idempotency_keys (workspace_id, key_hash, fingerprint, answer) VALUES (:id, :key, '\\x00ff', '\\xdeadbeef')
""")
BEAT = sql("INSERT INTO heartbeats (name, beat_at, worker_id) VALUES (:id, now(), :worker)")


@dataclass(frozen=True)
class Made:
    """A backup, and what waits in it: the job that sends an invitation."""

    path: Path
    manifest: Manifest
    workspace_id: UUID
    job_id: UUID
    contents: dict[str, str]


def contents_of(cluster: Cluster, database: str) -> dict[str, str]:
    """An independent checksum of each table but those that change by themselves, as a superuser sees it."""
    tables = cluster.run(
        "SELECT relname FROM pg_class WHERE relnamespace = 'leadflood'::regnamespace AND relkind = 'r'"
        " AND relname NOT IN ('heartbeats', 'effects_hold', 'event_retention', 'alembic_version') ORDER BY 1",
        database,
    ).split()
    query = """SELECT count(*) || ' ' || md5(coalesce(string_agg({row}, '|' ORDER BY {row}), '')) FROM :"name" t"""
    path = "SET search_path TO leadflood; SET TimeZone TO 'UTC'; "
    rows = {"outbox_events": "(to_jsonb(t) - 'position')::text"}
    return {
        name: cluster.run(path + query.format(row=rows.get(name, "t::text")), database, name=name) for name in tables
    }


async def _beats(database: Database) -> None:
    while True:
        async with database.system() as tx:
            await tx.execute(BEAT, {"id": new_id().hex, "worker": str(new_id())})


@pytest.fixture(scope="module")
async def made(
    showcase: Showcase, database: Database, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Made:
    command = CreateInvitation.model_validate({"email": f"u{new_id().hex}@acme.test", "role": "member"})
    async with database.transaction(showcase.workspace_id) as tx:
        secret_box = showcase.parts.secret_box
        invited = await invitations.invite(tx, showcase.actor, secret_box, command=command)
        await tx.execute(SEALED, {"id": showcase.workspace_id, "key": new_id().bytes})
    assert invited.delivery.job_id is not None
    path = tmp_path_factory.mktemp("backup") / "made.backup"
    writer = asyncio.create_task(_beats(database))
    try:
        manifest = await create_backup(
            BackupSource(cluster.url(DATABASE, OWNER), SecretKeys(KEY), True), path, report=lambda _: None
        )
    finally:
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)
    return Made(path, manifest, showcase.workspace_id, invited.delivery.job_id, contents_of(cluster, DATABASE))


@pytest.fixture(scope="module")
def other_cluster() -> Iterator[Cluster]:
    """Another PostgreSQL, with an empty database."""
    with temporary_cluster() as started:
        asyncio.run(provision(started.url()))
        yield started


@pytest.fixture
async def empty(other_cluster: Cluster) -> AsyncIterator[str]:
    """The name of an empty database there, which the owner's login owns."""
    name = f"restored_{new_id().hex}"
    other_cluster.run('CREATE DATABASE :"name" OWNER leadflood_owner', name=name)
    yield name
    other_cluster.drop_database(name)
