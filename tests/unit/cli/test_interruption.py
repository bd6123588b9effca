import os
import signal
from collections.abc import Iterator

import pytest

from leadflood.cli.interruption import Interruption
from leadflood.cli.supervisor import ChildCommand, Supervisor


@pytest.fixture
def interruption() -> Iterator[Interruption]:
    before = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)}
    interruption = Interruption()
    interruption.catch()
    yield interruption
    for signum, handler in before.items():
        signal.signal(signum, handler)


class Finalized:
    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts(interruption: Interruption, signum: signal.Signals) -> None:
    interruption.check()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signum)
    with pytest.raises(KeyboardInterrupt):
        interruption.check()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_whose_exception_python_ignores_is_remembered(interruption: Interruption) -> None:
    thing = Finalized()
    del thing  # Python ignores what a finalizer raises
    with pytest.raises(KeyboardInterrupt):
        interruption.check()


async def test_a_supervisor_starts_nothing_if_its_start_was_interrupted(interruption: Interruption) -> None:
    interruption.requested = True
    supervisor = Supervisor([ChildCommand("api", ["/nonexistent/program"])], interruption=interruption)
    await supervisor.run()
    assert supervisor.pid("api") is None
    assert supervisor.restarts == {}
