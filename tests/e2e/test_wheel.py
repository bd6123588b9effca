"""LEAD-FLOOD without a checkout: the wheel, installed as docs/operations.md says, in an empty environment, offline."""

import os
import re
import shlex
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
from tests.support.wheelhouse import make_wheelhouse

GUIDE = ROOT / "docs/operations.md"
UVX = re.compile(r"^uvx (--no-index .*)$", re.MULTILINE)
BLOCK = re.compile(r"UV_PROJECT_ENVIRONMENT=.*?(?=^```$)", re.MULTILINE | re.DOTALL)
REMEDY = (
    "Without a network, uv installs from the cache that `./test` fills. If a package is missing there, run\n"
    "`uv sync --locked --reinstall` once with a network."
)


def run(command: str, env: Mapping[str, str]) -> str:
    """Run a command line. Returns what it prints."""
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
    return done.stdout


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder away from the checkout, which PostgreSQL's account can enter, with the wheel in `dist`."""
    with temporary_home() as folder:
        run(f"{sys.executable} -m hatchling build -t wheel -d {folder}/dist", os.environ)
        yield folder


@pytest.fixture(scope="module")
def offline() -> Mapping[str, str]:
    """The environment of a shell with uv, but without a network."""
    uv = shutil.which("uv") or shutil.which("uv", path=ROOT / ".bootstrap/bin")
    assert uv is not None, "uv is missing: run ./test, which installs it."
    env = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    env |= {"UV_OFFLINE": "1", "UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}
    return {**env, "PATH": f"{Path(uv).parent}:{env['PATH']}"}


@contextmanager
def started(installation: Installation, folder: Path, program: Path) -> Iterator[Running]:
    """`up --demo` of the installed program."""
    up = Running(["up", "--demo"], installation.env, folder, program=[str(program)])
    try:
        yield up
    finally:
        up.clean_up()


def test_the_wheel_installs_offline_with_the_versions_of_the_lock_file(
    folder: Path, offline: Mapping[str, str]
) -> None:
    (block,) = BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    *install, start = block.replace("/opt/leadflood", f"{folder}/env").replace("dist/", f"{folder}/dist/").splitlines()

    run("\n".join(install), offline)

    assert run(f"{start.split()[0]} --version", offline).startswith("leadflood ")


def test_uvx_runs_the_wheel_offline_and_enriches_a_lead_away_from_the_checkout(
    folder: Path, offline: Mapping[str, str]
) -> None:
    (command,) = UVX.findall(GUIDE.read_text(encoding="utf-8"))
    requirements = run("uv export --frozen --no-dev --no-emit-project --no-hashes", offline)
    make_wheelhouse(Path(run("uv cache dir", offline).strip()), requirements, folder / "wheels")
    program = folder / "uvx-leadflood"
    settings = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in offline.items() if name[:3] == "UV_")
    uvx = f"{shutil.which('uvx', path=offline['PATH'])} {command.partition(' up')[0]}"
    place = uvx.replace("dist/", f"{folder}/dist/").replace("--find-links wheels", f"--find-links {folder}/wheels")
    program.write_text(f'#!/bin/bash\n{settings}\nexec {place} "$@"\n', encoding="utf-8")
    program.chmod(0o755)

    with Installation(folder / "home") as installation, started(installation, folder, program) as up:
        up.wait_for("Press Ctrl-C to stop")
        assert re.search(r"^status +enriched$", up.output, re.MULTILINE), up.output

        page = installation.http().get("/sign-in")
        assert page.status_code == 200
        (style,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page.text)[:1]
        assert installation.http().get(style).status_code == 200
        (worker,) = (pid for name, pid in up.pids().items() if name == "worker")
        assert Path(f"/proc/{worker}/cwd").readlink() == folder
        assert str(ROOT).encode() not in Path(f"/proc/{worker}/cmdline").read_bytes()
        assert up.stop() == 0
