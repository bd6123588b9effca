"""LEAD-FLOOD without a checkout: the wheel, installed as docs/operations.md says, in an empty environment, offline."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.support.postgres import temporary_home
from tests.support.processes import Installation, Running

GUIDE = ROOT / "docs/operations.md"
BLOCK = re.compile(r"UV_PROJECT_ENVIRONMENT=.*?(?=^```$)", re.MULTILINE | re.DOTALL)
REMEDY = (
    "Without a network, uv installs from the cache that `./test` fills. If a package is missing there, run\n"
    "`uv sync --locked --reinstall` once with a network."
)


def run(command: str, env: Mapping[str, str]) -> None:
    done = subprocess.run(
        ["/bin/bash", "-euc", command],
        cwd=ROOT,
        env=dict(env),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, f"{command}\n{done.stderr}\n{REMEDY}"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder away from the checkout, which PostgreSQL's account can enter."""
    with temporary_home() as folder:
        yield folder


@pytest.fixture(scope="module")
def program(folder: Path) -> Path:
    """The program, installed by the commands of the documentation."""
    uv = shutil.which("uv") or shutil.which("uv", path=ROOT / ".bootstrap/bin")
    assert uv is not None, "uv is missing: run ./test, which installs it."
    run(f"{sys.executable} -m hatchling build -t wheel -d {folder}/dist", os.environ)

    (block,) = BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    *install, start = block.replace("/opt/leadflood", f"{folder}/env").replace("dist/", f"{folder}/dist/").splitlines()
    env = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    env |= {"UV_OFFLINE": "1", "UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}
    run("\n".join(install), {**env, "PATH": f"{Path(uv).parent}:{env['PATH']}"})
    return Path(start.split()[0])


@contextmanager
def started(installation: Installation, folder: Path, program: Path) -> Iterator[Running]:
    """`up --demo` of the installed program."""
    up = Running(["up", "--demo"], installation.env, folder, program=program)
    try:
        yield up
    finally:
        up.clean_up()


def test_the_wheel_installs_offline_and_enriches_a_lead_away_from_the_checkout(folder: Path, program: Path) -> None:
    with Installation(folder / "home") as installation, started(installation, folder, program) as up:
        up.wait_for("Press Ctrl-C to stop")
        assert re.search(r"^status +enriched$", up.output, re.MULTILINE), up.output

        page = installation.http().get("/sign-in")
        assert page.status_code == 200
        (style,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page.text)[:1]
        assert installation.http().get(style).status_code == 200
        (worker,) = (pid for name, pid in up.pids().items() if name == "worker")
        assert Path(f"/proc/{worker}/cwd").readlink() == folder
        assert str(program.parent).encode() in Path(f"/proc/{worker}/cmdline").read_bytes()
        assert up.stop() == 0
