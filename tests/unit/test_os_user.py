"""The system account that PostgreSQL runs as for root."""

import pwd
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from leadflood.kernel.db import os_user

PROCESSES = 4


def test_processes_that_start_together_add_the_account_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`useradd` gives an account that another one made meanwhile new ids, and its files another owner."""
    added = tmp_path / "added"
    program = tmp_path / "useradd"
    program.write_text(f'#!/bin/sh\nfor name; do :; done\nsleep 0.1\necho "$name" >> {added}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    together = Barrier(PROCESSES)

    def find(name: str) -> pwd.struct_passwd:
        if not added.exists():
            raise KeyError(name)
        return pwd.struct_passwd((name, "x", 990 + len(added.read_text().splitlines()), 990, "", "/", "/bin/false"))

    def start(_: int) -> int:
        together.wait()
        return os_user.postgres_os_user().uid

    monkeypatch.setattr(pwd, "getpwnam", find)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with ThreadPoolExecutor(PROCESSES) as pool:
        ids = set(pool.map(start, range(PROCESSES)))

    assert ids == {991}
    assert added.read_text() == "leadflood\n"
