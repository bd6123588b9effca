"""Processes that read files, shared by all tests of a thread: starting one takes longer than most tests."""

import threading
from functools import cache

from leadflood.domains.imports.service.sandboxed_parser import new_sandbox
from leadflood.kernel.sandbox.pool import Sandbox


def shared_sandbox() -> Sandbox:
    """The sandbox of this thread, and so of its event loop."""
    return _sandbox_of(threading.get_ident())


@cache
def _sandbox_of(_thread: int) -> Sandbox:
    return new_sandbox(2)
