"""`leadflood backup` and `restore` as real processes: an embedded database, kills, and files that are in the way."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leadflood.kernel.backup import restoration
from leadflood.kernel.db.provision import OWNER
from leadflood.kernel.ids import new_id
from tests.conftest import TEMPLATE
from tests.integration.cli.conftest import Terminal
from tests.support.postgres import Cluster, temporary_home
from tests.support.processes import Running

KEY = "k" * 40
USER = """
INSERT INTO leadflood.users (id, email, email_norm, name, password_hash)
VALUES (gen_random_uuid(), 'ada@acme.test', 'ada@acme.test', 'Ada 🚀', '-')
"""


@pytest.fixture
def source(cluster: Cluster) -> Iterator[str]:
    """The owner's address of a database that nobody else uses."""
    name = f"source_{new_id().hex}"
    cluster.create_database(name, template=TEMPLATE)
    cluster.run(USER, name)
    yield cluster.url(name, OWNER)
    cluster.drop_database(name)


def made(terminal: Terminal, *argv: str, **settings: str) -> dict[str, Any]:
    """JSON output of a command that succeeds."""
    done = terminal.run(*argv, "--json", **settings)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def tables(file: str) -> dict[str, Any]:
    with zipfile.ZipFile(file) as archive:
        found: dict[str, Any] = json.loads(archive.read("manifest.json"))["tables"]
    for changed_by_restoring in ("effects_hold", "event_retention"):
        found.pop(changed_by_restoring)
    return found


def test_external_becomes_embedded_and_embedded_is_copied_with_its_key(
    terminal: Terminal, source: str, tmp_path: Path
) -> None:
    external = made(terminal, "backup", str(tmp_path), database_url=source, secret_key=KEY)
    assert external["includesKey"] is False

    with temporary_home() as folder:
        first, second = ({"database_url": "", "secret_key": "", "home": str(folder / name)} for name in ("a", "b"))
        assert "does not include the secret key" in made(terminal, "restore", external["file"], **first)["warning"]
        (folder / "a" / "secret.key").write_text(KEY)

        embedded = made(terminal, "backup", str(tmp_path / "embedded.backup"), **first)
        assert embedded["includesKey"] is True
        assert made(terminal, "restore", embedded["file"], **second)["warning"] == ""
        key = folder / "b" / "secret.key"
        assert (key.read_text(), key.stat().st_mode & 0o777) == (KEY, 0o600)

        again = terminal.run("restore", embedded["file"], **second)
        assert (again.returncode, "--replace" in again.stderr) == (1, True)
    assert tables(external["file"]) == tables(embedded["file"])


def test_a_file_that_exists_is_kept_and_a_killed_backup_leaves_none(
    terminal: Terminal, source: str, tmp_path: Path
) -> None:
    there, target = tmp_path / "there.backup", tmp_path / "new.backup"
    there.write_text("precious")
    settings = {"database_url": source, "secret_key": KEY}
    refused = terminal.run("backup", str(there), **settings)
    assert refused.returncode == 1
    assert str(there) in refused.stderr
    assert there.read_text() == "precious"

    env = {**terminal.env, **{f"LEADFLOOD_{name.upper()}": value for name, value in settings.items()}}
    running = Running(["backup", str(target)], env, tmp_path)
    running.wait_for("Copying")
    running.kill()
    running.clean_up()
    if target.exists():  # it was quicker than the kill, so it is complete
        restoration.checked_manifest(target)
        target.unlink()

    made(terminal, "backup", str(target), **settings)
    restoration.checked_manifest(target)
    assert sorted(item.name for item in tmp_path.glob("*.backup*")) == ["new.backup", "there.backup"]


def test_a_damaged_file_is_refused_before_a_data_folder_is_made(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "damaged.backup"
    file.write_bytes(b"PK\x03\x04 no more than that")
    home = tmp_path / "nowhere"

    done = terminal.run("restore", str(file), database_url="", secret_key="", home=str(home))
    missing = terminal.run("restore", str(tmp_path / "missing.backup"), database_url="", secret_key="", home=str(home))

    assert (done.returncode, missing.returncode) == (1, 1)
    assert [len(item.stderr.splitlines()) for item in (done, missing)] == [2, 2]
    assert "damaged" in done.stderr
    assert not home.exists()
