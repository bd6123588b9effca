"""Errors of the operating system are a sentence with a remedy; bugs of the program are not."""

import errno
import os

import pytest

from leadflood.cli.os_errors import explained


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EROFS, "Mount it writable"),
        (errno.EACCES, "account that owns it"),
        (errno.EPERM, "account that owns it"),
        (errno.ENOSPC, "Free some space"),
        (errno.ENOTDIR, "LEADFLOOD_HOME"),
        (errno.ENAMETOOLONG, "shorter path"),
    ],
)
def test_a_refusal_names_the_path_the_reason_and_the_remedy(number: int, remedy: str) -> None:
    refusal = explained(OSError(number, os.strerror(number), "/data/lock"))

    assert refusal is not None
    assert refusal.detail.startswith(f"/data/lock: {os.strerror(number)}. ")
    assert remedy in refusal.detail


def test_a_fault_of_the_program_is_not_dressed_up() -> None:
    assert explained(OSError(errno.EBADF, "Bad file descriptor")) is None
    assert explained(OSError("no number")) is None
