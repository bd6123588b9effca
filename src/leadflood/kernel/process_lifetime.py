"""One instance per folder, children that do not outlive their parent, and detection of hung children."""

import asyncio
import fcntl
import os
import signal
import threading
from collections.abc import Callable, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from leadflood.kernel.errors import AppError

PARENT_FD = "LEADFLOOD_PARENT_FD"
"""Names the inherited pipe end whose end-of-file means that the parent is gone. Internal, not a setting."""

HEARTBEAT_FD = "LEADFLOOD_HEARTBEAT_FD"
"""Names the inherited pipe end into which a child writes while it works. Internal, not a setting."""
HEARTBEAT_SECONDS = 1.0
_LOOKS = 3


class AlreadyRunning(AppError):
    """Another running process holds the folder."""

    code: ClassVar[str] = "already_running"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Already running"


class InstanceLock:
    """At most one process per lock file, by flock(2): the kernel releases the lock when its holder ends.

    The file stays behind after a release, because removing it would let two processes lock two files of one name.
    """

    def __init__(self, path: Path) -> None:
        """Args: path: the lock file, in an existing folder. It is created if missing."""
        self.path = path
        self._fd: int | None = None

    @property
    def is_locked(self) -> bool:
        """Whether this object holds the lock."""
        return self._fd is not None

    def acquire(self) -> None:
        """Acquire the lock without waiting and write this process's ID into the file; does nothing if already held.

        Raises: AlreadyRunning: another process, or another object of this one, holds it.
        """
        if self._fd is not None:
            return
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(fd)
            message = (
                f"Process {holder} already uses the folder {self.path.parent}. "
                "Stop it first, or give this one its own folder with LEADFLOOD_HOME."
            )
            raise AlreadyRunning(message, extra={"pid": holder, "folder": str(self.path.parent)}) from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd

    def release(self) -> None:
        """Release the lock; does nothing if it is not held."""
        if self._fd is not None:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()


class ParentWatch:
    """The parent's end of a pipe that children watch: it closes with the parent, even on SIGKILL.

    Start children with `pass_fds=(lifeline.fd,)` and `parent_watch.env` in their environment.
    """

    def __init__(self) -> None:
        self.fd, self._write_end = os.pipe()

    @property
    def env(self) -> dict[str, str]:
        """Environment variables for `die_with_parent` in the child."""
        return {PARENT_FD: str(self.fd)}

    def close(self) -> None:
        """Close both ends: running children take it as the parent's end."""
        os.close(self.fd)
        os.close(self._write_end)


def _terminate_self() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def die_with_parent(
    environ: MutableMapping[str, str], on_parent_gone: Callable[[], None] = _terminate_self, *, grace: float = 30
) -> None:
    """Stop this process when the parent that gave it a `ParentWatch` is gone; does nothing without one.

    A thread watches, so that it works under any event loop and also when that loop is stuck.

    Args:
        environ: `os.environ`; the variable is taken out of it, so that it does not reach grandchildren.
        on_parent_gone: called once, in the watching thread. Default: SIGTERM to oneself.
        grace: seconds to end in after that, before SIGKILL.
    """
    value = environ.pop(PARENT_FD, None)
    if value is None:
        return
    fd = int(value)
    os.set_inheritable(fd, False)  # noqa: FBT003 - the only way to say it

    def watch() -> None:
        os.read(fd, 1)
        on_parent_gone()
        threading.Event().wait(grace)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="die-with-parent", daemon=True).start()


class HeartbeatMonitor:
    """The parent's end of a pipe into which one child writes a byte each second while its event loop turns.

    Start the child with `pass_fds=(monitor.fd,)` and `monitor.env` in its environment, then call `child_started`.
    """

    def __init__(self) -> None:
        self._read_end, self.fd = os.pipe()
        os.set_blocking(self._read_end, False)
        os.set_blocking(self.fd, False)

    @property
    def env(self) -> dict[str, str]:
        """Environment variables for `send_heartbeats` in the child."""
        return {HEARTBEAT_FD: str(self.fd)}

    def child_started(self) -> None:
        """Close the end that the child inherited."""
        os.close(self.fd)

    async def wait_for_silence(self, timeout: float) -> None:  # noqa: ASYNC109  a silence, not a deadline
        """Return when the child has sent heartbeats and then none for `timeout` seconds. Never returns before.

        It looks several times, so that a parent that was itself stopped reads what was sent meanwhile.
        """
        while not self._heard():  # noqa: ASYNC110  a pipe of another process sets no event
            await asyncio.sleep(HEARTBEAT_SECONDS)
        silent = 0
        while silent < _LOOKS:
            await asyncio.sleep(timeout / _LOOKS)
            silent = 0 if self._heard() else silent + 1

    def _heard(self) -> bool:
        try:
            return len(os.read(self._read_end, 65_536)) > 0
        except BlockingIOError:
            return False

    def close(self) -> None:
        """Close the parent's end."""
        os.close(self._read_end)


async def send_heartbeats(environ: MutableMapping[str, str]) -> None:
    """Send the parent a heartbeat each second, until cancelled; does nothing without a monitor.

    Args:
        environ: `os.environ`; the variable is taken out of it, so that it does not reach grandchildren.
    """
    value = environ.pop(HEARTBEAT_FD, None)
    if value is None:
        return
    fd = int(value)
    os.set_inheritable(fd, False)  # noqa: FBT003  the only way to say it
    while True:
        try:
            os.write(fd, b".")
        except BlockingIOError:
            pass  # the parent has not read for a day, and has enough unread heartbeats
        except BrokenPipeError:
            return
        await asyncio.sleep(HEARTBEAT_SECONDS)
