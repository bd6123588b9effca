"""The account that PostgreSQL runs as: our own, or for root an unprivileged one, as PostgreSQL refuses root."""

import fcntl
import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, ClassVar

from leadflood.kernel.errors import AppError

SYSTEM_USER = "leadflood"
_ACCOUNTS = "/etc"
"""Folder of the accounts; locked while one is added."""


class EmbeddedPostgresError(AppError):
    """The embedded database cannot be used; the message has the reason and the remedy."""

    code: ClassVar[str] = "embedded_postgres"
    status: ClassVar[int] = 503
    title: ClassVar[str] = "Embedded PostgreSQL"


@dataclass(frozen=True, slots=True)
class OsUser:
    """Account that PostgreSQL runs as; `switch`: this process is root and must switch to it for each program."""

    name: str
    uid: int
    gid: int
    switch: bool

    def spawn(
        self, argv: Sequence[str | Path], env: Mapping[str, str], output: int | IO[bytes] = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        """Start a program as this account, in a separate session, so that a terminal's Ctrl-C does not reach it."""
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=dict(env),
            start_new_session=True,
            umask=0o077,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )

    def may(self, access: str, path: Path) -> bool:
        """Whether the account has access (`-x`, `-r` or `-w`) to a path. The kernel decides, so ACLs count."""
        if not self.switch:
            return os.access(path, {"-x": os.X_OK, "-r": os.R_OK, "-w": os.W_OK}[access])
        with self.spawn(["test", access, path], {"PATH": os.environ.get("PATH", os.defpath)}) as process:
            return process.wait() == 0

    def require_entry(self, folder: Path) -> None:
        """Raises: EmbeddedPostgresError: the account cannot get to `folder`; names the first folder in its way."""
        if self.may("-x", folder):
            return
        closed = next(step for step in (*reversed(folder.parents), folder) if not self.may("-x", step))
        raise EmbeddedPostgresError(
            f"PostgreSQL runs as the account {self.name!r}, which can't access {closed}. Set LEADFLOOD_HOME to a "
            f"folder that it can access, such as /var/lib/leadflood, or run: chmod o+x {closed}",
            extra={"folder": str(closed), "account": self.name},
        )


def postgres_os_user() -> OsUser:
    """Our own account; for root the system account `leadflood`, which is created if it is missing.

    Raises: EmbeddedPostgresError: root cannot make the account.
    """
    if os.geteuid() != 0:
        return OsUser(str(os.geteuid()), os.geteuid(), os.getegid(), switch=False)
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        entry = _make_system_user()
    return OsUser(SYSTEM_USER, entry.pw_uid, entry.pw_gid, switch=True)


def _make_system_user() -> pwd.struct_passwd:
    # One at a time: `useradd` checks before it takes its own lock, and gives an account made meanwhile other ids.
    folder = os.open(_ACCOUNTS, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        try:
            return pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            return _add_system_user()
    finally:
        os.close(folder)


def _add_system_user() -> pwd.struct_passwd:
    argv = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    try:
        made = subprocess.run(argv, capture_output=True, text=True, check=False)
        reason = made.stderr.strip()
    except FileNotFoundError:
        reason = "there is no useradd here"
    try:
        # Checked instead of the exit code: an administrator may have created it meanwhile.
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise EmbeddedPostgresError(
            f"PostgreSQL does not run as root and the account {SYSTEM_USER!r} could not be created: {reason}. "
            "Create that account yourself, start LEAD-FLOOD as another user, or set LEADFLOOD_DATABASE_URL."
        ) from None
