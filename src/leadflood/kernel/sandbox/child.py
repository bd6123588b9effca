"""The child: `python -m leadflood.kernel.sandbox.child PARENT CONTROL_FD MODULE…` serves one task after another.

It has neither the parent's environment nor its files, ends with the parent, and cannot write files.
"""

import ctypes
import gc
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import IO, Any

from leadflood.kernel.errors import AppError
from leadflood.kernel.sandbox.protocol import HEADER, Frame, StopReason, encode, header

_PR_SET_PDEATHSIG = 1
_OPEN_FILES = 64


def main() -> None:
    """Serve until the parent closes the control socket or ends."""
    parent, control_fd, modules = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    _end_with(parent)
    gc.disable()
    for name in modules:
        import_module(name)
    _restrict()
    gc.freeze()
    gc.enable()
    with socket.socket(fileno=control_fd) as control:
        while True:
            ready, fds, _, _ = socket.recv_fds(control, 1, 2)
            if not ready:
                return
            with socket.socket(fileno=fds[0]) as channel, os.fdopen(fds[1], "rb") as file:
                _serve(channel, file)


def _serve(channel: socket.socket, file: IO[bytes]) -> None:
    with channel.makefile("rb") as incoming:
        _, length = header(incoming.read(HEADER))
        call = Call(incoming.read(length))
    call.arm()
    for frame in _frames(call, file):
        channel.sendall(frame)
        call.arm_processor()


class Call:
    """A task, as requested by the parent."""

    def __init__(self, data: bytes) -> None:
        given = json.loads(data)
        module, _, name = given["target"].partition(":")
        self.target = getattr(import_module(module), name)
        self.request: Any = given["request"]
        self._memory: int = given["memory"]
        self._cpu: int = given["cpu"]

    def arm(self) -> None:
        """Set all limits for the first step."""
        with open("/proc/self/statm", encoding="ascii") as sizes:  # noqa: PTH123  no pathlib in a small process
            used = int(sizes.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + self._memory, resource.RLIM_INFINITY))
        self.arm_processor()

    def arm_processor(self) -> None:
        """Give the next step its processor time. When it is used up, the kernel kills this process."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        until = int(usage.ru_utime + usage.ru_stime) + 1 + self._cpu
        resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


def _frames(call: Call, file: IO[bytes]) -> Iterator[bytes]:
    try:
        for item in call.target(file, call.request):
            yield encode(Frame.ITEM, item)
    except AppError as error:
        yield encode(Frame.REFUSED, {"detail": error.detail, "peak": _peak()})
    except (MemoryError, SystemError) as error:
        # Without memory, an import may fail inside the interpreter, with "error return without exception set".
        yield encode(Frame.FAILED, {"stopped": StopReason.MEMORY, "error": _where(error)})
    except Exception as error:  # noqa: BLE001  the parent logs it, without the message: that may quote the file
        yield encode(Frame.FAILED, {"stopped": StopReason.CRASH, "error": _where(error)})
    else:
        yield encode(Frame.END, {"peak": _peak()})


def _peak() -> int:
    """Peak memory of this process. `getrusage` would include the parent's from before the exec."""
    with open("/proc/self/status", encoding="ascii") as lines:  # noqa: PTH123  as above
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _where(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" in {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
    return f"{type(error).__name__}{place}"


def _end_with(parent: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0 or os.getppid() != parent:
        sys.exit(1)


def _restrict() -> None:
    """Drop all rights that tasks do not need: writing files, dumping memory, starting processes, opening many files."""
    os.umask(0o077)
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        resource.setrlimit(limit, (value, value))


if __name__ == "__main__":
    main()
