"""`leadflood up` whose children continue in forks of it, with all modules loaded, instead of starting Python anew.

`subprocess` and asyncio prepare pipes, sessions and environments as ever; only the last step, in place of the new
program, is a fork. Each such process is named after its command, because its command line is the launcher's.
"""

import ctypes
import gc
import os
import runpy
import subprocess
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from tests.support.launcher import Start, become

MARK = ":"
"""Beginning of the names of the processes."""

_PR_SET_NAME = 15
_OWN_PROGRAMS = [sys.executable, "-m", "leadflood"]
_start_program = subprocess._fork_exec  # type: ignore[attr-defined]  # the single place through which all go


def _start(
    argv: Sequence[Any],
    programs: Sequence[bytes],
    close: bool,
    keep: Sequence[int],
    folder: bytes | None,
    env: Sequence[bytes] | None,
    *rest: Any,  # noqa: ANN401  as above
) -> int:
    """Start a child: a fork if it is a `leadflood`, otherwise a program."""
    if argv[:3] != _OWN_PROGRAMS:
        pid: int = _start_program(argv, programs, close, keep, folder, env, *rest)
        return pid
    assert env is not None
    stdin, _, _, stdout, _, stderr, _, told, _, own_session = rest[:10]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: the other threads only wait
        pid = os.fork()
    if pid:
        return pid
    gc.freeze()  # nothing of the parent is collected, and closes a descriptor that is another by then
    os.close(told)  # no error to report
    if own_session:
        os.setsid()
    subprocess._fork_exec = _start_program  # type: ignore[attr-defined]  # as above
    name(argv[3])
    pairs = dict(os.fsdecode(item).split("=", 1) for item in env)
    streams = [number if given == -1 else given for number, given in enumerate((stdin, stdout, stderr))]
    become(Start("leadflood", argv[3:], pairs, os.getcwd()), streams, {*keep} - {told})  # noqa: PTH109  a text
    return 0


def name(command: str) -> None:
    """Name this process after its command. The kernel keeps 15 letters: all of `:demo-internet`."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, f"{MARK}{command}".encode(), 0, 0, 0)


if __name__ == "__main__":
    subprocess._fork_exec = _start  # type: ignore[attr-defined]  # as above
    name(sys.argv[1])
    runpy.run_module("leadflood", run_name="__main__", alter_sys=True)
