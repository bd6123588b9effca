"""A disk whose power can be cut: ext4 in a file, on a loop device, with what was not yet flushed lost. Needs root."""

import fcntl
import os
import shutil
import struct
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from leadflood.kernel.db.embedded import EmbeddedPostgres
from tests.support.journeys import wait_until
from tests.support.server_faults import kill_postmaster

_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN, of the kernel's fs/ext4/ext4.h
_NO_LOG_FLUSH = 2
_SIZE = "1G"
_REMEDY = (
    "Cutting the power needs root and loop devices: it mounts an ext4 of its own. Run it as root on a machine, or in a "
    "container with the capability SYS_ADMIN and /dev/loop*, where `mount -o loop` works."
)


class PowerlessMachine(RuntimeError):
    """No power can be cut here; the message says what is missing."""


class Disk:
    """The disk under the data of a stopped server, in place while the context lasts."""

    def __init__(self, image: Path, server: EmbeddedPostgres) -> None:
        """Args: image: the file to make. server: initialised, and not running."""
        self._image = image
        self._server = server
        self._at = server.data

    def __enter__(self) -> Self:
        """Raises: PowerlessMachine."""
        if os.geteuid() != 0:
            raise PowerlessMachine(f"This account is not root. {_REMEDY}")
        _run("truncate", "-s", _SIZE, str(self._image))
        _run("mkfs.ext4", "-q", "-F", str(self._image))
        original = self._at.with_name("data.original")
        self._at.rename(original)
        self._at.mkdir()
        self._mount()
        (self._at / "lost+found").rmdir()
        _run("cp", "-a", f"{original}/.", str(self._at))
        shutil.rmtree(original)
        os.sync()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.stop()
        self._unmount()

    def cut(self) -> None:
        """Cut the power: what PostgreSQL has not flushed is gone, and so are its processes. Then bring both back.

        Raises: leadflood.kernel.db.embedded.EmbeddedPostgresError: the server does not start on what is left.
        """
        process = self._server._process
        assert process is not None
        children = psutil.Process(process.pid).children(recursive=True)
        fd = os.open(self._at, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(fd)
        kill_postmaster(self._server)
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        self._unmount()
        self._mount()
        self._server.start()

    def _mount(self) -> None:
        _run("mount", "-o", "loop", str(self._image), str(self._at))

    def _unmount(self) -> None:
        # Busy until the last killed process is gone.
        argv = ["umount", str(self._at)]
        wait_until(lambda: subprocess.run(argv, capture_output=True, check=False).returncode == 0)


def _run(*argv: str) -> None:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise PowerlessMachine(f"There is no {argv[0]} here. {_REMEDY}") from error
    if done.returncode != 0:
        raise PowerlessMachine(f"{' '.join(argv)}: {done.stderr.strip()} {_REMEDY}")
