"""Steps of runs as they are stored, and the time of the run that follows for sources that asked for patience."""

from datetime import datetime, timedelta
from typing import Any, Final

from leadflood.domains.enrichment.models.runs import RunResult, Step, StepState

MAX_FOLLOW_UPS: Final = 8
"""Runs that follow a run whose sources asked for patience: over about eight hours."""
_MAX_PAUSE: Final = timedelta(days=1)


def follow_up_at(result: RunResult, now: datetime, *, follow_ups: int, spread: float) -> datetime | None:
    """The time at which sources that ask for patience are asked again; None if none does, or it was done too often.

    The pauses double, and differ by `spread` (0 to 1): sources that many runs wait for are not asked for all of
    them together.
    """
    waiting = (StepState.WAITING, StepState.SKIPPED)
    times = [step.until for step in result.steps if step.state in waiting and step.until is not None]
    if not times or follow_ups >= MAX_FOLLOW_UPS:
        return None
    pause = timedelta(minutes=2**follow_ups * (1 + spread))
    return min(max(min(times), now + pause), now + _MAX_PAUSE)


def stored_step(step: Step) -> dict[str, Any]:
    """A step as it is stored, as JSON."""
    return {
        "source": step.source,
        "state": step.state.value,
        "sentence": step.sentence,
        "facts": step.facts,
        "seconds": round(step.seconds, 3),
        "stored": step.stored,
        "until": step.until and step.until.isoformat(),
        "expiresAt": step.expires_at and step.expires_at.isoformat(),
        **(
            {
                "avoided": True,
                "avoidedMicros": step.avoided_micros,
                "avoidedCurrency": step.avoided_currency,
            }
            if step.avoided
            else {}
        ),
    }
