"""A PostgreSQL cluster for a test run, thrown away at its end."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from leadflood.kernel.db.embedded import SUPERUSER, EmbeddedPostgres
from leadflood.kernel.process_lifetime import AlreadyRunning

PREFIX = "leadflood-test-"
ABANDONED_AFTER = 600.0
NOT_DURABLE: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For tests that never pull the plug."""


@contextmanager
def temporary_home() -> Iterator[Path]:
    """A private temporary folder that PostgreSQL's unprivileged account can reach, removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # another run may be removing it as abandoned


@dataclass(frozen=True)
class Cluster:
    """A running server and what a test does to it as superuser."""

    server: EmbeddedPostgres

    def url(self, database: str = SUPERUSER, user: str = SUPERUSER) -> str:
        return self.server.url(user, database)

    def run(self, sql: str, database: str = SUPERUSER, **names: str) -> str:
        """Run SQL through psql and return its rows, columns parted by `|`. `:"name"` in it stands for an identifier."""
        variables = [f"--set={key}={value}" for key, value in names.items()]
        psql = str(self.server.program("psql"))
        argv = [psql, "-XqAt", "--set=ON_ERROR_STOP=1", *variables, self.url(database)]
        done = subprocess.run(argv, input=sql, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def create_database(self, name: str, template: str | None = None) -> str:
        """Make a database, as a copy of `template` where given, and return its URL for the superuser."""
        self.run('CREATE DATABASE :"name" TEMPLATE :"template"', name=name, template=template or "template1")
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, connections to it included, if it exists."""
        self.run('DROP DATABASE IF EXISTS :"name" WITH (FORCE)', name=name)


def copy_home(source: Path, target: Path) -> None:
    """Copy a data folder in which nothing runs, with the owners of its files."""
    subprocess.run(["/bin/cp", "--archive", str(source), str(target)], check=True)
    (target / "postgres" / "lock").unlink()  # its age would make the copy look abandoned


@contextmanager
def temporary_cluster(settings: Mapping[str, str] = NOT_DURABLE, copy_of: Path | None = None) -> Iterator[Cluster]:
    """A new cluster, or a copy of the one in a data folder, on its own socket, stopped and removed afterwards."""
    _remove_abandoned()
    with temporary_home() as home:
        if copy_of is not None:
            copy_home(copy_of, home / "home")
        server = EmbeddedPostgres(home / "home", settings=settings)
        server.start()
        try:
            yield Cluster(server)
        finally:
            server.stop()


def _remove_abandoned() -> None:
    """Stop and remove the clusters of test runs that were killed; young ones may be about to start."""
    for lock in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/home/postgres/lock"):
        home = lock.parent.parent
        try:
            if time.time() - lock.stat().st_mtime < ABANDONED_AFTER:
                continue
            server = EmbeddedPostgres(home)
            with server._lock:
                server._end_leftover()
                shutil.rmtree(home.parent)
        except (AlreadyRunning, OSError):
            continue
