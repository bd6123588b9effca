"""The disk fills up under `leadflood up`: writes are refused with a reason, and all works again once there is room."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import httpx
import pytest

from leadflood.domains.identity.models import DEMO_EMAIL, DEMO_PASSWORD
from tests.support.journeys import wait_until
from tests.support.postgres import temporary_home
from tests.support.processes import Installation

pytestmark = pytest.mark.long

SIZE = "256m"
MAX_LEADS = 50_000
_REMEDY = "Filling a disk needs root: the test mounts a tmpfs. Run it as root, or in a container with SYS_ADMIN."


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of its own, in memory."""
    if os.geteuid() != 0:
        pytest.fail(_REMEDY)
    folder.mkdir()
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=711", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Leave no room."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


def post(client: httpx.Client, number: int) -> int | None:
    try:
        answer = client.post("/v1/leads", json={"email": f"person-{number}@acme.com"})
    except httpx.TransportError:
        return None
    return answer.status_code


def ready(client: httpx.Client) -> bool:
    try:
        return client.get("/ready").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def test_a_full_disk_loses_nothing_and_is_over_when_there_is_room_again() -> None:
    with (
        temporary_home() as folder,
        small_disk(folder / "disk") as disk,
        Installation(disk / "home", access_token_seconds="3600") as installation,
    ):
        running = installation.up()
        installation.wait_ready(running)
        seeded = installation.run("seed", "--wait")
        assert seeded.returncode == 0, seeded.stderr
        client = installation.login(DEMO_EMAIL, DEMO_PASSWORD)
        before = len(listed(client))
        filler = fill(disk)

        accepted = 0
        while (status := post(client, accepted)) == httpx.codes.CREATED:
            accepted += 1
            assert accepted < MAX_LEADS, "the disk never filled"
        assert status in {None, httpx.codes.SERVICE_UNAVAILABLE}
        wait_until(lambda: not ready(client), 30)

        filler.unlink()
        freed = monotonic()
        wait_until(lambda: ready(client), 60)
        wait_until(lambda: post(client, accepted) in {httpx.codes.CREATED, httpx.codes.CONFLICT}, 60)
        print(f"accepted {accepted}, works again {monotonic() - freed:.1f} s after there is room")  # noqa: T201  figures
        found = listed(client)
        assert len(found) - before >= accepted + 1
        assert {f"person-{number}@acme.com" for number in range(accepted + 1)} <= found


def listed(client: httpx.Client) -> set[str]:
    """The addresses of all leads."""
    found: set[str] = set()
    url: str | None = "/v1/leads?limit=200"
    while url is not None:
        answer = client.get(url)
        assert answer.status_code == httpx.codes.OK, answer.text
        found |= {lead["email"] for lead in answer.json()["items"]}
        url = answer.links.get("next", {}).get("url")
    return found
