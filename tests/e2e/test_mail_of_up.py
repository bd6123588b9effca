"""`leadflood up` with its mail catcher: an invitation is caught, and the catcher's death is nobody else's."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from leadflood.cli.up import _catches
from leadflood.dev_mail.messages import list_messages, mail_folder, read_message
from leadflood.kernel.config import Settings
from tests.support.processes import Installation, until

READY = "LEAD-FLOOD is ready"


@pytest.fixture
def installation(home: Path) -> Iterator[Installation]:
    with Installation(home) as installation:
        yield installation


def invite(installation: Installation, email: str) -> str:
    """Invite somebody over the API, as the demo user. Returns where the invitation is."""
    client = installation.login("demo@leadflood.local", "demo-flood-2026")
    answer = client.post("/v1/invitations", json={"email": email, "role": "viewer"})
    assert answer.status_code == 201, answer.text
    path: str = answer.headers["Location"]
    until(lambda: client.get(path).json()["delivery"]["state"] == "sent")
    return path


def test_an_invitation_is_caught_and_a_killed_catcher_comes_back_alone(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = installation.start("up", "--demo", dev_mail_port=str(port))
        up.wait_for("Press Ctrl-C to stop")
        assert f"Port {port} is in use" in up.output
    assert f"{installation.url}/mail" in up.output
    folder = mail_folder(installation.home)

    invite(installation, "grace@acme.test")
    (caught,) = list_messages(folder)
    mail = read_message(folder, caught.id)
    assert mail.recipients == ["grace@acme.test"]
    assert f"{installation.url}/invitations/lfi_" in mail.text

    before = up.pids()
    os.kill(before["dev-mail"], signal.SIGKILL)
    up.wait_for("process.ended")
    until(lambda: up.pids().get("dev-mail", before["dev-mail"]) != before["dev-mail"])
    invite(installation, "alan@acme.test")  # at once or by a retry
    assert list_messages(folder)[0].recipients == ["alan@acme.test"]
    assert {name: up.pids()[name] for name in ("api", "worker")} == {name: before[name] for name in ("api", "worker")}
    assert up.stop() == 0


def test_the_catcher_alone_names_the_setting_when_its_port_is_taken(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = installation.start("dev-mail", dev_mail_port=port)
        assert refused.wait() == 1
    assert "LEADFLOOD_DEV_MAIL_PORT" in refused.output

    catcher = installation.start("dev-mail", dev_mail_port=port)
    catcher.wait_for("mail.started")
    assert catcher.stop(signal.SIGTERM) == 0


def test_in_production_nothing_is_caught(installation: Installation) -> None:
    up = installation.start("up", env="production")
    up.wait_for(READY)
    assert "dev-mail" not in up.pids()
    assert "/mail" not in up.output
    assert up.stop() == 0


def test_with_a_mail_server_nothing_is_caught() -> None:
    assert _catches(Settings(_env_file=None))
    assert not _catches(Settings(_env_file=None, smtp_url=SecretStr("smtp://mail.acme.test")))
