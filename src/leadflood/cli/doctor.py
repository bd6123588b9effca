"""`leadflood doctor`: checks of this installation, with remedies."""

import difflib
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from leadflood.cli.context import run
from leadflood.cli.output import print_json, say, visible
from leadflood.kernel.errors import AppError

if TYPE_CHECKING:
    from leadflood.kernel.config import Settings
    from leadflood.kernel.db.database import Database
    from leadflood.kernel.queue.ports import QueueBackend

_MIN_DISK = 1024**3
_COUNTED = 200
_INTERNAL = ("LEADFLOOD_HEARTBEAT_FD", "LEADFLOOD_PARENT_FD")


@dataclass(frozen=True, slots=True)
class Finding:
    """One check, with a remedy for a failure or warning.

    `ok` with a remedy is a warning: it deserves attention, but does not fail the check.
    """

    check: str
    ok: bool
    detail: str
    remedy: str = ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(as_json: bool = typer.Option(False, "--json", help="JSON output, one object per check.")) -> None:
    """Check settings, database, queue, workers and data. Exits with 1 if a check fails.

    Example: `leadflood doctor --json`
    """
    if not run(_examine(as_json=as_json)):
        raise typer.Exit(1)


async def _examine(*, as_json: bool) -> bool:
    healthy = True
    async for finding in _findings():
        healthy = healthy and finding.ok
        if as_json:
            print_json(asdict(finding))
            continue
        sign = "✗" if not finding.ok else "!" if finding.remedy else "✓"
        say(f"{sign} {finding.check}: {visible(finding.detail)}")
        if finding.remedy:
            say(f"  → {visible(finding.remedy)}")
    return healthy


async def _findings() -> AsyncIterator[Finding]:
    from leadflood import bootstrap
    from leadflood.cli.validation import load_settings

    try:
        settings = load_settings()
    except AppError as error:
        faults = "; ".join(f"{fault.pointer}: {fault.message}" for fault in error.errors)
        yield Finding("settings", ok=False, detail=error.detail, remedy=faults)
        return
    yield _unknown_variables(os.environ, settings)
    yield _python()
    yield _disk(settings.home)
    yield _secret_key(settings)
    reached = await _reached(settings)
    yield reached
    if not reached.ok:
        return
    async with bootstrap.open_connections(settings, process="doctor") as (database, queue_backend):
        role, schema = await _role(database), await _schema(database)
        yield role
        yield schema
        yield await _queue(queue_backend)
        if schema.ok:
            yield await _public_password(database, settings)
            yield await _operators(database)
            yield await _hold(settings, database)
            yield await _encrypted_values(settings, database)
            yield await _proxy(settings, database)
            async for finding in _work(database):
                yield finding


def _unknown_variables(environ: Mapping[str, str], settings: "Settings") -> Finding:
    from leadflood.cli.validation import PREFIX

    known = {f"{PREFIX}{name}".upper() for name in type(settings).model_fields}
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in {*known, *_INTERNAL})
    if not unknown:
        return Finding("settings", ok=True, detail=f"{settings.env.value}, data folder {settings.home}")
    hints = [
        f"{name} (did you mean {close[0]}?)" for name in unknown if (close := difflib.get_close_matches(name, known, 1))
    ]
    remedy = f"Correct or remove them. {' '.join(hints)}".strip()
    return Finding("settings", ok=False, detail=f"unknown variables: {', '.join(unknown)}", remedy=remedy)


def _python() -> Finding:
    from leadflood.cli.versions import python_remedy, this_python
    from leadflood.kernel.clock import utc_now

    running = this_python()
    remedy = python_remedy(running, utc_now().date())
    return Finding("python", ok=True, detail=f"Python {'.'.join(map(str, running))}", remedy=remedy)


def _disk(home: Path) -> Finding:
    folder = next(item for item in (home, *home.parents) if item.exists())
    free = shutil.disk_usage(folder).free
    detail = f"{free / 1024**3:.1f} GiB free in {folder}"
    if not os.access(folder, os.W_OK):
        remedy = "Mount it writable, run this as its owner, or set LEADFLOOD_HOME to another folder."
        return Finding("disk", ok=False, detail=f"{folder} is not writable", remedy=remedy)
    if free >= _MIN_DISK:
        return Finding("disk", ok=True, detail=detail)
    return Finding("disk", ok=False, detail=detail, remedy="Free some space: PostgreSQL stops when the disk is full.")


def _secret_key(settings: "Settings") -> Finding:
    from leadflood.kernel.secret_key import secret_keys

    try:
        secret_keys(settings)
    except AppError as error:
        return Finding("secret key", ok=False, detail="missing", remedy=error.detail)
    except OSError as error:
        remedy = "Run this as the account LEAD-FLOOD runs as, or set LEADFLOOD_SECRET_KEY."
        return Finding("secret key", ok=False, detail=f"unreadable: {error.strerror}", remedy=remedy)
    return Finding("secret key", ok=True, detail="set" if settings.secret_key else "in the data folder")


async def _reached(settings: "Settings") -> Finding:
    from leadflood.cli.versions import postgresql_remedy
    from leadflood.kernel.db.addresses import application_url
    from leadflood.kernel.db.migrate import MINIMUM_POSTGRESQL
    from leadflood.kernel.db.preflight import server_version

    try:
        version = await server_version(application_url(settings))
    except AppError as error:
        return Finding("database", ok=False, detail="unreachable", remedy=error.detail)
    where = "embedded" if settings.database_url is None else "at LEADFLOOD_DATABASE_URL"
    detail = f"PostgreSQL {version}, {where}"
    if int(version.partition(".")[0]) >= MINIMUM_POSTGRESQL:
        return Finding("database", ok=True, detail=detail, remedy=postgresql_remedy(version))
    return Finding("database", ok=False, detail=detail, remedy=f"Use PostgreSQL {MINIMUM_POSTGRESQL} or newer.")


async def _role(database: "Database") -> Finding:
    from leadflood.kernel.db.preflight import check_role

    try:
        await check_role(database)
    except AppError as error:
        return Finding("database role", ok=False, detail="RLS not enforced", remedy=error.detail)
    return Finding("database role", ok=True, detail="RLS enforced")


async def _schema(database: "Database") -> Finding:
    from leadflood.kernel.db.preflight import check_schema

    try:
        revision = await check_schema(database)
    except AppError as error:
        return Finding("schema", ok=False, detail="not up to date", remedy=error.detail)
    return Finding("schema", ok=True, detail=f"up to date ({revision})")


async def _public_password(database: "Database", settings: "Settings") -> Finding:
    from leadflood.domains.identity.errors import PublicPassword
    from leadflood.domains.identity.service.public_password import users_with_public_password

    found = await users_with_public_password(database)
    if not found:
        return Finding("demo user", ok=True, detail="no user has the public demo password")
    detail = f"{', '.join(found)} can sign in with the public demo password"
    if not settings.is_production:
        return Finding("demo user", ok=True, detail=f"{detail}; LEADFLOOD_ENV=production refuses it")
    return Finding("demo user", ok=False, detail=detail, remedy=PublicPassword(found[0]).detail)


async def _operators(database: "Database") -> Finding:
    from leadflood.domains.identity.queries.instance import first_workspace, operators

    async with database.system(read_only=True) as tx:
        count, workspace = len(await operators(tx)), await first_workspace(tx)
    if workspace is None:
        return Finding("instance operators", ok=True, detail="none yet; the first owner becomes one")
    if count:
        return Finding("instance operators", ok=True, detail=f"{count} can sign in")
    remedy = "Run `leadflood user operator grant EMAIL`."
    return Finding("instance operators", ok=False, detail="none can sign in", remedy=remedy)


async def _encrypted_values(settings: "Settings", database: "Database") -> Finding:
    from leadflood import bootstrap
    from leadflood.kernel.sealed_columns import count_sealed
    from leadflood.kernel.secret_key import secret_box

    try:
        box = secret_box(settings)
    except AppError as error:
        return Finding("encrypted values", ok=False, detail="no secret key", remedy=error.detail)
    async with database.system(read_only=True) as tx:
        counts = await count_sealed(tx, bootstrap.SEALED)
    known = {None, *(each.key_id for each in box.per_key)}
    unreadable = [item for item in counts if item.key_id not in known]
    if unreadable:
        detail = ", ".join(f"{item.number} {item.column} with the unknown key {item.key_id}" for item in unreadable)
        remedy = "Add the key with this ID to LEADFLOOD_SECRET_KEY_FALLBACKS."
        return Finding("encrypted values", ok=False, detail=detail, remedy=remedy)
    former = sum(item.number for item in counts if item.key_id != box.key_id)
    if former:
        detail = f"{former} encrypted with a former secret key"
        return Finding("encrypted values", ok=True, detail=detail, remedy="Run `leadflood secret rotate`.")
    return Finding("encrypted values", ok=True, detail=f"all with the current secret key ({box.key_id})")


async def _proxy(settings: "Settings", database: "Database") -> Finding:
    from leadflood.kernel.db.operator_warnings import UNTRUSTED_PROXY, recent_warnings
    from leadflood.kernel.networks import is_private, is_within

    async with database.system(read_only=True) as tx:
        peer = (await recent_warnings(tx)).get(UNTRUSTED_PROXY)
    if peer is None or not is_private(peer) or is_within(peer, settings.trusted_proxies):
        return Finding("proxy", ok=True, detail="no ignored X-Forwarded-For headers")
    remedy = (
        "If this is your proxy, add it to LEADFLOOD_TRUSTED_PROXIES. Until then all callers share one address in rate "
        "limits and the audit log."
    )
    return Finding("proxy", ok=False, detail=f"X-Forwarded-For from {peer} is ignored", remedy=remedy)


async def _queue(queue_backend: "QueueBackend") -> Finding:
    try:
        await queue_backend.check()
        depth = await queue_backend.depth()
    except AppError as error:
        return Finding("queue", ok=False, detail="unreachable", remedy=error.detail)
    waiting = sum(item.waiting for item in depth.values())
    deferred = sum(item.deferred for item in depth.values())
    oldest = max((item.oldest_age for item in depth.values()), default=0.0)
    return Finding("queue", ok=True, detail=f"{waiting} waiting (oldest {oldest:.0f} s), {deferred} scheduled")


async def _hold(settings: "Settings", database: "Database") -> Finding:
    from leadflood import bootstrap

    try:
        async with database.system(read_only=True) as tx:
            state = await bootstrap.build_hold(settings, database).state(tx)
    except AppError as error:
        return Finding("outgoing effects", ok=False, detail="unknown", remedy=error.detail)
    remedy = "Check that no other installation sends the same emails, then run `leadflood hold open`."
    if state.closed:
        return Finding("outgoing effects", ok=False, detail=f"on hold: {state.reason}", remedy=remedy)
    if state.differences:
        detail = f"about to be put on hold: {', '.join(state.differences)} changed"
        return Finding("outgoing effects", ok=False, detail=detail, remedy=remedy)
    return Finding("outgoing effects", ok=True, detail="sending email")


async def _work(database: "Database") -> AsyncIterator[Finding]:
    from leadflood.domains.companies import invariants as companies
    from leadflood.domains.duplicates import invariants as merges
    from leadflood.domains.enrichment import invariants as leads
    from leadflood.domains.enrichment.queries import outdated
    from leadflood.domains.icps import invariants as scores
    from leadflood.domains.jobs import invariants as jobs
    from leadflood.domains.jobs import queries
    from leadflood.domains.spending import invariants as books

    async with database.system(read_only=True) as tx:
        status = await queries.system_status(tx)
        domains = (jobs, leads, outdated, merges, companies, books, scores)
        violations = [violation for domain in domains for violation in await domain.violations(tx)]
    start = "Start one with `leadflood worker`, or run `leadflood up`."
    detail = f"{status.workers} online, {status.running_jobs} jobs running"
    yield Finding("workers", ok=status.workers > 0, detail=detail, remedy="" if status.workers else start)
    yield _heartbeat(status.heartbeat_age_seconds)
    yield await _dead_letters(database)
    for violation in violations:
        remedy = "A running worker requeues late jobs automatically. Please report violations that persist."
        yield Finding("invariant", ok=False, detail=violation, remedy=remedy)
    if not violations:
        yield Finding("invariants", ok=True, detail="no stuck leads")


def _heartbeat(age: float | None) -> Finding:
    from leadflood.domains.jobs.queries import OLDEST_HEARTBEAT

    if age is not None and age <= OLDEST_HEARTBEAT:
        return Finding("heartbeat", ok=True, detail=f"{age:.0f} s ago")
    remedy = "Start a worker. If one is running, check its log."
    return Finding("heartbeat", ok=False, detail="none yet" if age is None else f"{age:.0f} s ago", remedy=remedy)


async def _dead_letters(database: "Database") -> Finding:
    from leadflood.cli.context import all_workspaces
    from leadflood.domains.jobs import queries
    from leadflood.domains.jobs.models import OutboxStatus
    from leadflood.kernel.actor import Actor
    from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID

    places: list[str] = []
    for workspace_id in (SYSTEM_WORKSPACE_ID, *[workspace.id for workspace in await all_workspaces(database)]):
        async with database.transaction(workspace_id, read_only=True) as tx:
            found = await queries.list_events(
                tx, Actor.cli(workspace_id), status=OutboxStatus.DEAD_LETTER, limit=_COUNTED
            )
        if found.items:
            places.append(f"{len(found.items)}{'+' if found.after else ''} in workspace {workspace_id}")
    if not places:
        return Finding("undelivered events", ok=True, detail="none")
    remedy = (
        "Check the errors with `leadflood event list --status dead_letter`, then run `leadflood event retry --all`."
    )
    return Finding("undelivered events", ok=False, detail=", ".join(places), remedy=remedy)
