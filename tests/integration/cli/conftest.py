"""The command line as real processes against the migrated database of the test cluster."""

import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from leadflood.domains.identity.service import administration
from leadflood.kernel.crypto import new_secret_key
from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import new_id
from tests.support.identity import CLI
from tests.support.launcher import run
from tests.support.processes import Running, environment

PASSWORD = "seven purple walruses"


@dataclass(frozen=True)
class Terminal:
    """A shell in a workspace of the test's own."""

    env: dict[str, str]
    folder: Path
    workspace_id: UUID
    owner: str

    def run(self, *argv: str, text: str | None = None, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run `leadflood` with these arguments. settings: more of them, without the prefix."""
        more = {f"LEADFLOOD_{name.upper()}": value for name, value in settings.items()}
        return run(argv, {**self.env, **more}, self.folder, text=text)

    def here(self, *argv: str) -> "subprocess.CompletedProcess[str]":
        """Run it in the workspace."""
        return self.run(*argv, "--workspace", str(self.workspace_id))


@pytest.fixture(scope="session")
def command_environment(application_url: str) -> dict[str, str]:
    """Environment of commands for the test cluster."""
    key = new_secret_key()
    return environment(database_url=application_url, secret_key=key, log_format="json", poll_interval_seconds="0.5")


@pytest.fixture
async def terminal(database: Database, command_environment: dict[str, str], tmp_path: Path) -> Terminal:
    """A shell, and a workspace with an owner."""
    email = f"u{new_id().hex}@acme.test"
    await administration.create_user(database, CLI, email=email, name="Ada", password=PASSWORD)
    made = await administration.create_workspace(database, CLI, name=f"W {new_id().hex}", owner_email=email)
    env = {**command_environment, "LEADFLOOD_HOME": str(tmp_path / "home")}
    return Terminal(env, tmp_path, made.id, email)


@pytest.fixture(scope="module")
def worker(command_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A worker, running."""
    running = Running(["worker"], command_environment, tmp_path_factory.mktemp("worker"))
    running.wait_for("worker.started")
    yield running
    running.stop(signal.SIGTERM)  # so that it signs off, and no later test takes it for alive
    running.clean_up()
