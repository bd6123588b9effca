"""Jobs in words: what their failures mean, and the outcome of bulk actions."""

from leadflood.domains.enrichment.events import ENRICH_LEAD
from leadflood.domains.jobs.contracts import BulkOutcome, CauseGroup
from leadflood.web import labels
from leadflood.web.cookies import Toast
from leadflood.web.formats import counted, plural


def consequence(group: CauseGroup) -> str:
    """Consequence of failures with one error, in words: `36 leads couldn't be enriched`, `2 jobs failed: Import`."""
    one = group.count.value == 1
    if group.kind == ENRICH_LEAD.name:
        return f"{counted(group.count)} {'lead' if one else 'leads'} couldn’t be enriched"
    return f"{counted(group.count)} {'job' if one else 'jobs'} failed: {labels.job(group.kind)}"


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
