"""What became of many at once, in words."""

from leadflood.domains.jobs.contracts import BulkOutcome
from leadflood.web.cookies import Toast
from leadflood.web.templating import plural


def outcome_toasts(outcome: BulkOutcome, noun: str, done: str) -> list[Toast]:
    """How many were brought back, which were not and why, or which job does it. `done`: such as `queued again`."""
    if outcome.job_id is not None:
        text = f"There are many: a job brings these {noun}s back, and shows how far it is."
        return [Toast(text, "info", link=f"/jobs/{outcome.job_id}", link_text="Follow it")]
    toasts = [Toast(f"{plural(outcome.done, noun)} {done}.")] if outcome.done else []
    if outcome.refused:
        why = outcome.refused[0].detail
        toasts.append(Toast(f"{plural(len(outcome.refused), noun)} left as they were: {why}", "warn"))
    return toasts or [Toast(f"There was no {noun} left to bring back.", "info")]
