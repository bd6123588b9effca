"""SIGINT and SIGTERM while `leadflood up` starts, until its supervisor takes over."""

import signal
from types import FrameType


class Interruption:
    """Ends a start by KeyboardInterrupt, and remembers that it was asked to.

    What a signal handler raises is lost where Python ignores exceptions: in finalizers, and in the hooks of a fork. So
    `check` is called after each step of the start.
    """

    def __init__(self) -> None:
        self.requested = False

    def catch(self) -> None:
        """Handle both signals from now on."""
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, self._interrupt)

    def check(self) -> None:
        """Raises: KeyboardInterrupt: a signal came."""
        if self.requested:
            raise KeyboardInterrupt

    def _interrupt(self, _signum: int, _frame: FrameType | None) -> None:
        self.requested = True
        raise KeyboardInterrupt
