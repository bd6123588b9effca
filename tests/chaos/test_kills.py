"""kill -9 of API, workers, PostgreSQL's backends and its postmaster, at random, while four clients add leads."""

import pytest

from tests.support.deployment import Deployment
from tests.support.history import History, Outcome, Writers, resolve
from tests.support.judge import judge, wait_for_ends
from tests.support.nemesis import MIN_ACKNOWLEDGED, Nemesis

SHORT, LONG = 8, 500


def survive(deployment: Deployment, history: History, seed: int, kills: int) -> None:
    nemesis = Nemesis(deployment, history, seed)
    with Writers(deployment, history, seed):
        nemesis.rage(kills)
    acknowledged, unknown = len(history.of(Outcome.OK)), len(history.of(Outcome.UNKNOWN))
    nemesis.wait_until_up()
    resolve(deployment, history)
    wait_for_ends(deployment)
    print(  # noqa: T201  the figures of the run
        f"kills {dict(nemesis.kills)}, requests {len(history.requests)}, acknowledged {acknowledged}, "
        f"unknown {unknown}, answers {dict(history.answers)}"
    )
    assert acknowledged >= MIN_ACKNOWLEDGED * kills
    assert judge(deployment, history) == []
    assert nemesis.deserters == []
    assert nemesis.stop() == [0, 0, 0]


def test_nothing_is_lost_or_doubled_by_eight_kills(deployment: Deployment, history: History, seed: int) -> None:
    survive(deployment, history, seed, SHORT)


@pytest.mark.long
def test_nothing_is_lost_or_doubled_by_500_kills(deployment: Deployment, history: History, seed: int) -> None:
    survive(deployment, history, seed, LONG)
