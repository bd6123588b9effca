"""Smoke checks of a deployed LEAD-FLOOD. They read only: nothing is written to the environment."""

import time
from collections.abc import Callable

from transport import Answer, Unreachable, request

_EVERY = 1.0
_OK, _UNAUTHORIZED = 200, 401


class SmokeFailed(Exception):
    """The environment does not work as it must."""


def wait_until_healthy(url: str, *, release: str, seconds: float) -> None:
    """Run all checks until one round passes.

    Args:
        url: where the environment is reached, as its users reach it.
        release: the digest that must be running; an answer of the release before it does not count.
        seconds: how long the new processes may take.

    Raises: SmokeFailed: with the check that failed last.
    """
    deadline = time.monotonic() + seconds
    while True:
        failure = _failure(url, release)
        if failure is None:
            return
        if time.monotonic() + _EVERY >= deadline:
            raise SmokeFailed(f"Smoke checks did not pass within {seconds:g} s. Last: {failure}")
        time.sleep(_EVERY)


def _failure(url: str, release: str) -> str | None:
    """The first check that fails, in words; None where all pass."""
    checks: list[tuple[str, Callable[[Answer], str | None]]] = [
        ("/health", lambda answer: _health(answer, release)),
        ("/ready", _ready),
        ("/sign-in", _page),
        ("/v1/leads", _guarded),
    ]
    for path, check in checks:
        try:
            answer = request("GET", url + path, headers={"User-Agent": "leadflood-smoke"})
        except Unreachable as error:
            return str(error)
        failure = check(answer)
        if failure is not None:
            return f"{path}: {failure}"
    return None


def _health(answer: Answer, release: str) -> str | None:
    found = answer.json()
    if answer.status != _OK or not isinstance(found, dict) or found.get("status") != "ok":
        return f"answered {answer.status}, not that the process is well"
    if found.get("release") != release:
        return f"runs {found.get('release') or 'a release without a name'}, not {release}"
    return None


def _ready(answer: Answer) -> str | None:
    found = answer.json()
    if not isinstance(found, dict):
        return f"answered {answer.status} without JSON"
    if answer.status != _OK:
        failing = [
            f"{each.get('name')}: {each.get('detail')}" for each in found.get("checks", []) if not each.get("ok")
        ]
        return f"answered {answer.status}; {'; '.join(failing)}"
    if not (found.get("system") or {}).get("workers"):
        return "no worker is running"
    return None


def _page(answer: Answer) -> str | None:
    if answer.status != _OK or "text/html" not in answer.headers.get("Content-Type", ""):
        return f"answered {answer.status}, not a page"
    return None


def _guarded(answer: Answer) -> str | None:
    if answer.status != _UNAUTHORIZED:
        return f"answered {answer.status} to a caller without a token, not 401"
    return None
