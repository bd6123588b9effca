"""`pg_dump` and `pg_restore` of the embedded PostgreSQL's package, connected through pipes."""

import asyncio
import os
import subprocess
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import ClassVar
from urllib.parse import unquote, urlsplit, urlunsplit

from leadflood.kernel.backup.archive import CHUNK
from leadflood.kernel.db.embedded import client_program
from leadflood.kernel.db.roles import SYSTEM_ROLE
from leadflood.kernel.errors import AppError

_LAST_WORDS = 2000


class BackupProgramFailed(AppError):
    """pg_dump or pg_restore failed; the message has its last output."""

    code: ClassVar[str] = "backup_program_failed"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Backup program failed"


@asynccontextmanager
async def dumping(url: str, snapshot: str) -> AsyncIterator[AsyncIterator[bytes]]:
    """The rows of all tables as of a snapshot, in chunks; who leaves without an error has read all of it.

    The role's policies show every row, so this works for logins that row-level security binds, too.

    Raises: BackupProgramFailed.
    """
    what = ["--format=custom", "--data-only", "--schema=leadflood", "--exclude-table=leadflood.alembic_version"]
    how = [f"--role={SYSTEM_ROLE}", "--enable-row-security", f"--snapshot={snapshot}", "--lock-wait-timeout=60s"]
    where, env = _connection(url)
    async with _running("pg_dump", [*what, *how, f"--dbname={where}"], env, stdout=subprocess.PIPE) as process:
        yield _chunks(process)


async def load(url: str, dump: Iterable[bytes]) -> None:
    """Write the rows of a dump into empty tables, in one transaction. Raises: BackupProgramFailed."""
    where, env = _connection(url)
    argv = ["--data-only", "--no-owner", "--single-transaction", "--exit-on-error", f"--dbname={where}"]
    await _feed(argv, env, dump)


async def read_through(dump: Iterable[bytes]) -> None:
    """Let pg_restore read a whole dump without writing it anywhere. Raises: BackupProgramFailed."""
    await _feed([f"--file={os.devnull}"], _environment(), dump)


async def _chunks(process: Process) -> AsyncIterator[bytes]:
    if process.stdout is not None:
        while chunk := await process.stdout.read(CHUNK):
            yield chunk


async def _feed(argv: Sequence[str], env: dict[str, str], dump: Iterable[bytes]) -> None:
    async with _running("pg_restore", argv, env, stdin=subprocess.PIPE) as process:
        if process.stdin is None:
            return
        with suppress(ConnectionError):  # it has ended, with a message
            for chunk in dump:
                process.stdin.write(chunk)
                await process.stdin.drain()
            process.stdin.close()
            await process.stdin.wait_closed()


@asynccontextmanager
async def _running(
    name: str,
    argv: Sequence[str],
    env: dict[str, str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
) -> AsyncIterator[Process]:
    """A program that is always ended when the context is left. Raises: BackupProgramFailed."""
    with tempfile.TemporaryFile() as words:
        process = await asyncio.create_subprocess_exec(
            client_program(name), *argv, env=env, stdin=stdin, stdout=stdout, stderr=words, start_new_session=True
        )
        try:
            yield process
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            words.seek(max(0, words.seek(0, os.SEEK_END) - _LAST_WORDS))
            reason = words.read().decode(errors="replace").strip()
            raise BackupProgramFailed(f"{name} failed with exit code {process.returncode}: {reason}")


def _connection(url: str) -> tuple[str, dict[str, str]]:
    """The URL without its password, which the process list would show, and the environment with it."""
    parts = urlsplit(url)
    credentials, at, host = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    where = urlunsplit((parts.scheme, f"{user}{at}{host}", parts.path or "/", parts.query, ""))
    return where, {**_environment(), **({"PGPASSWORD": unquote(password)} if password else {})}


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C.UTF-8", "PGAPPNAME": "leadflood backup"}
