"""Numbers of examples that Hypothesis makes up: a few with each change, many and others each night."""

import os

from hypothesis import HealthCheck, settings

NIGHTLY = os.environ.get("TEST_EXAMPLES") == "many"
MANY = 20
"""Times as many as usual."""


def examples(usual: int, *, suppress: tuple[HealthCheck, ...] = ()) -> settings:
    """Settings of a test. Args: usual: examples where nobody asks for many. suppress: warnings that do not apply."""
    return settings(
        max_examples=usual * (MANY if NIGHTLY else 1),
        derandomize=not NIGHTLY,
        deadline=None,
        suppress_health_check=suppress,
    )
