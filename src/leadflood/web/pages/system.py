"""Health of the installation: its workers, and a check of each part that the work depends on."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from leadflood import __version__
from leadflood.dev_mail.messages import is_in_use
from leadflood.domains.identity.permissions import WORKSPACE_WRITE
from leadflood.domains.jobs import queries
from leadflood.domains.jobs.contracts import CauseGroups, QueueView, SystemStatus
from leadflood.kernel.actor import Permission
from leadflood.kernel.clock import monotonic
from leadflood.kernel.config import Settings
from leadflood.kernel.db.migrate import REVISION
from leadflood.kernel.schema import Count
from leadflood.web import formats
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult

pages = Pages()

_SLOW_DATABASE: Final = 0.25
"""Seconds for the smallest statement, above which the database counts as slow."""
_LONG_WAIT: Final = 300.0
"""Seconds that a ready job may wait before the workers count as too few."""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One part of the installation.

    Attributes:
        tone: `ok`, `warn` or `bad`.
        remedy: what to do; empty if nothing.
        href: page with more about it.
    """

    name: str
    tone: str
    text: str
    remedy: str = ""
    href: str = ""


@pages.get("/settings/workers", Permission.INSTANCE, live=("workers_list",))
async def list_workers(ctx: PageContext) -> PageResult:
    """The worker processes of the installation, those online first."""
    async with ctx.reading() as tx:
        workers = await queries.list_workers(tx)
    return PageResponse("settings/workers.html", {"workers": workers, "online": sum(item.alive for item in workers)})


@pages.get("/settings/health", WORKSPACE_WRITE, live=("health_checks",))
async def show_health(ctx: PageContext) -> PageResult:
    """Checks of database, workers, queue, event delivery and email, with what to do where one fails."""
    async with ctx.reading() as tx:
        started = monotonic()
        revision = str(await tx.scalar(REVISION))
        seconds = monotonic() - started
        status = await queries.system_status(tx)
        checks = [
            _database(seconds, revision),
            _workers(status),
            _heartbeat(status),
            _queue(await queries.get_queue(tx, ctx.actor)),
            _failures("Failed jobs", await queries.failed_by_cause(tx, ctx.actor), "/jobs"),
            _failures("Event delivery", await queries.dead_by_cause(tx, ctx.actor), "/outbox?status=dead_letter"),
            _email(ctx.parts.settings, on_hold=status.effects_on_hold),
        ]
    order = ("bad", "warn", "ok")
    worst = min((check.tone for check in checks), key=order.index)
    return PageResponse("settings/health.html", {"checks": checks, "worst": worst, "version": __version__})


def _database(seconds: float, revision: str) -> HealthCheck:
    text = f"Answers in {formats.duration(seconds)}, schema {revision}"
    if seconds < _SLOW_DATABASE:
        return HealthCheck("Database", "ok", text)
    return HealthCheck("Database", "warn", text, "Check the load of the database server.")


def _workers(status: SystemStatus) -> HealthCheck:
    if status.workers:
        running = formats.plural(status.running_jobs, "running job")
        return HealthCheck("Workers", "ok", f"{formats.number(status.workers)} online, {running}")
    return HealthCheck("Workers", "bad", "None online", "Start one with `leadflood worker`, or run `leadflood up`.")


def _heartbeat(status: SystemStatus) -> HealthCheck:
    age = status.heartbeat_age_seconds
    if age is not None and age <= queries.OLDEST_HEARTBEAT:
        return HealthCheck("Schedules", "ok", f"Last run {formats.duration(age)} ago")
    text = "Never ran" if age is None else f"Last run {formats.duration(age)} ago"
    return HealthCheck("Schedules", "bad", text, "Start a worker. If one is running, check its log.")


def _queue(queue: QueueView) -> HealthCheck:
    waited = queue.oldest_due_seconds or 0.0
    if not queue.due.value:
        return HealthCheck("Queue", "ok", "No jobs waiting")
    text = f"{formats.counted(queue.due)} ready, longest wait {formats.duration(waited)}"
    if waited < _LONG_WAIT:
        return HealthCheck("Queue", "ok", text, href="/jobs?status=queued")
    return HealthCheck("Queue", "warn", text, "Add workers, or look for slow jobs.", "/jobs?status=running")


def _failures(name: str, groups: CauseGroups, href: str) -> HealthCheck:
    failed = _sum(item.count for item in groups.items)
    if not failed.value:
        return HealthCheck(name, "ok", "None")
    remedy = "Open the errors, fix what they name, then retry."
    return HealthCheck(name, "warn", f"{formats.counted(failed)} need attention", remedy, href)


def _sum(counts: Iterable[Count]) -> Count:
    known = list(counts)
    return Count(value=sum(count.value for count in known), exact=all(count.exact for count in known))


def _email(settings: Settings, *, on_hold: bool) -> HealthCheck:
    name = "Outgoing email"
    if on_hold:
        return HealthCheck(name, "warn", "On hold: no emails are sent", "An instance operator can turn off the hold.")
    if is_in_use(settings):
        return HealthCheck(name, "ok", "Captured for development, not delivered")
    if settings.smtp_url is None:
        return HealthCheck(name, "warn", "No mail server", "Set LEADFLOOD_SMTP_URL, so that invitations are sent.")
    return HealthCheck(name, "ok", "Sent through the mail server")
