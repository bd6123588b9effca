"""Messages about the outcome of bulk actions."""

from leadflood.domains.jobs.contracts import BulkOutcome
from leadflood.web.cookies import Toast
from leadflood.web.formats import plural


def outcome_toasts(outcome: BulkOutcome, noun: str, doing: str) -> list[Toast]:
    """Notifications: how many are retried, which are skipped and why, or the job. `doing`: such as `Retrying`."""
    if outcome.job_id is not None:
        text = f"{doing} in the background."
        return [Toast(text, "info", link=f"/jobs/{outcome.job_id}", link_text="View progress")]
    toasts = [Toast(f"{doing} {plural(outcome.processed, noun)}.")] if outcome.processed else []
    if outcome.refused:
        why = outcome.refused[0].detail
        toasts.append(Toast(f"{plural(len(outcome.refused), noun)} skipped: {why}", "warn"))
    return toasts or [Toast("Nothing to retry.", "info")]
