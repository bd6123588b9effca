"""Values stay readable while the secret key is rotated, also when the command is killed in the middle."""

import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from leadflood.bootstrap import SEALED
from leadflood.kernel.crypto import SecretBox, key_id_of
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.provision import OWNER
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.fingerprints import FINGERPRINT_KEY, FingerprintKeyUnreadable, Fingerprints
from leadflood.kernel.ids import new_id
from leadflood.kernel.sealed_columns import SealedCount, count_sealed, reseal
from tests.conftest import TEMPLATE
from tests.integration.cli.conftest import Terminal
from tests.support.postgres import Cluster
from tests.support.processes import Running

OLD, NEW, LOST = "o" * 40, "n" * 40, "x" * 40
ADD = "INSERT INTO leadflood.installation_keys (name, sealed) VALUES ($1, $2)"
VALUES = 1000


@pytest.fixture
def name(cluster: Cluster) -> Iterator[str]:
    """A database of the test's own."""
    made = f"keys_{new_id().hex}"
    cluster.create_database(made, template=TEMPLATE)
    yield made
    cluster.drop_database(made)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database(ConnectionPool(url, application_name="tests", size=3, statement_timeout=30), None)
    yield database
    await database.close()


def context(value: str) -> bytes:
    return f"installation key {value}".encode()


async def add_values(url: str, key: str, number: int) -> None:
    connection = await asyncpg.connect(url)
    names = [f"{key[0]}{place:05}" for place in range(number)]
    box = SecretBox(key)
    await connection.executemany(ADD, [(value, box.encrypt(value.encode(), context(value))) for value in names])
    await connection.close()


async def stored(url: str) -> dict[str, bytes]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT name, sealed FROM leadflood.installation_keys")
    await connection.close()
    return {row["name"]: row["sealed"] for row in rows}


async def test_all_values_are_sealed_under_the_current_key_and_a_second_run_changes_nothing(
    cluster: Cluster, name: str
) -> None:
    await add_values(cluster.url(name), OLD, 25)
    await add_values(cluster.url(name), NEW, 5)
    rotated, reports = SecretBox(NEW, [OLD]), list[int]()

    async with opened(cluster.url(name, APP_ROLE)) as database:
        done = await reseal(database, rotated, SEALED, batch=10, report=lambda _, number: reports.append(number))
        before = await stored(cluster.url(name))
        again = await reseal(database, rotated, SEALED)
        async with database.system(read_only=True) as tx:
            counts = await count_sealed(tx, SEALED)

    assert (done, reports, again) == (25, [10, 20, 25], 0)
    assert await stored(cluster.url(name)) == before
    assert counts == [SealedCount("fingerprint key", SecretBox(NEW).key_id, 30)]
    only_new = SecretBox(NEW)
    assert all(only_new.decrypt(sealed, context(value)) == value.encode() for value, sealed in before.items())


async def test_a_value_of_a_lost_key_is_left_alone_and_counted(cluster: Cluster, name: str) -> None:
    await add_values(cluster.url(name), LOST, 3)
    await add_values(cluster.url(name), OLD, 4)

    async with opened(cluster.url(name, APP_ROLE)) as database:
        done = await reseal(database, SecretBox(NEW, [OLD]), SEALED, batch=2)
        async with database.system(read_only=True) as tx:
            counts = {(item.key_id, item.number) for item in await count_sealed(tx, SEALED)}

    assert done == 4
    assert counts == {(SecretBox(NEW).key_id, 4), (SecretBox(LOST).key_id, 3)}


async def test_hashes_survive_a_rotation_and_are_refused_without_the_key(cluster: Cluster, name: str) -> None:
    async with opened(cluster.url(name, APP_ROLE)) as database:
        before = await Fingerprints(database, SecretBox(OLD)).hash(b"a", b"bc")
        same = await Fingerprints(database, SecretBox(OLD)).hash(b"a", b"bc")
        other = await Fingerprints(database, SecretBox(OLD)).hash(b"ab", b"c")
        with pytest.raises(FingerprintKeyUnreadable, match=SecretBox(OLD).key_id):
            await Fingerprints(database, SecretBox(NEW)).hash(b"a", b"bc")
        await reseal(database, SecretBox(NEW, [OLD]), [FINGERPRINT_KEY])
        after = await Fingerprints(database, SecretBox(NEW)).hash(b"a", b"bc")

    assert before == same == after != other


async def test_two_installations_hash_differently(cluster: Cluster, name: str) -> None:
    second = f"keys_{new_id().hex}"
    cluster.create_database(second, template=TEMPLATE)
    async with opened(cluster.url(name, APP_ROLE)) as one, opened(cluster.url(second, APP_ROLE)) as two:
        hashes = {await Fingerprints(database, SecretBox(OLD)).hash(b"a") for database in (one, two)}
    cluster.drop_database(second)

    assert len(hashes) == 2


async def test_killed_in_the_middle_every_value_opens_and_the_next_run_finishes(
    cluster: Cluster, name: str, terminal: Terminal, tmp_path: Path
) -> None:
    await add_values(cluster.url(name), OLD, VALUES)
    settings = {"database_url": cluster.url(name, APP_ROLE), "secret_key": NEW, "secret_key_fallbacks": OLD}
    blocker = await asyncpg.connect(cluster.url(name, OWNER))
    held = blocker.transaction()
    await held.start()
    await blocker.execute("SELECT FROM leadflood.installation_keys WHERE name = $1 FOR UPDATE", f"o{VALUES - 1:05}")
    env = {**terminal.env, **{f"LEADFLOOD_{key.upper()}": value for key, value in settings.items()}}

    running = Running(["secret", "rotate"], env, tmp_path)
    running.wait_for("re-encrypted")
    running.stop(signal.SIGKILL)
    running.clean_up()
    await held.rollback()
    await blocker.close()

    after_kill = await stored(cluster.url(name))
    keys = {key_id_of(sealed) for sealed in after_kill.values()}
    assert keys == {SecretBox(OLD).key_id, SecretBox(NEW).key_id}
    both = SecretBox(NEW, [OLD])
    assert all(both.decrypt(sealed, context(value)) == value.encode() for value, sealed in after_kill.items())

    done = terminal.run("secret", "rotate", "--json", **settings)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"values": "fingerprint key", "number": VALUES, "key": SecretBox(NEW).key_id, "state": "current key"}
    ]


async def test_doctor_and_status_name_what_is_left_and_the_key_that_is_missing(
    cluster: Cluster, name: str, terminal: Terminal
) -> None:
    await add_values(cluster.url(name), OLD, 2)
    url = cluster.url(name, APP_ROLE)

    def doctor(**settings: str) -> dict[str, object]:
        lines = terminal.run("doctor", "--json", database_url=url, **settings).stdout.splitlines()
        (found,) = [item for item in map(json.loads, lines) if item["check"] == "encrypted values"]
        return dict(found)

    waiting = doctor(secret_key=NEW, secret_key_fallbacks=OLD)
    assert (waiting["ok"], waiting["remedy"]) == (True, "Run `leadflood secret rotate`.")
    missing = doctor(secret_key=NEW)
    assert missing["ok"] is False
    assert SecretBox(OLD).key_id in str(missing["detail"])
    refused = terminal.run("secret", "rotate", database_url=url, secret_key=NEW)
    assert refused.returncode == 1
    assert "unreadable" in refused.stdout
    assert "LEADFLOOD_SECRET_KEY_FALLBACKS" in refused.stdout
    good = terminal.run("secret", "rotate", database_url=url, secret_key=NEW, secret_key_fallbacks=OLD)
    assert (good.returncode, "Remove these keys seven days after" in good.stdout) == (0, True)
    assert doctor(secret_key=NEW)["detail"] == f"all with the current secret key ({SecretBox(NEW).key_id})"


def test_a_new_key_is_made_in_the_data_folder_or_printed(terminal: Terminal, tmp_path: Path) -> None:
    home = tmp_path / "folder"
    home.mkdir()
    (home / "secret.key").write_text(OLD)

    done = terminal.run("secret", "new-key", secret_key="", home=str(home))
    printed = terminal.run("secret", "new-key", secret_key=OLD)
    missing = terminal.run("secret", "new-key", secret_key="", home=str(tmp_path / "empty"))

    assert done.returncode == 0, done.stderr
    assert (home / "secret.key").read_text() not in {OLD, ""}
    assert (home / "secret.key.fallbacks").read_text() == OLD
    assert len(printed.stdout.strip()) >= 32
    assert "LEADFLOOD_SECRET_KEY_FALLBACKS" in printed.stderr
    assert missing.returncode == 1
    assert "LEADFLOOD_SECRET_KEY" in missing.stderr
