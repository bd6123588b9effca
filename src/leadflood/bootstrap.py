"""The composition root: the one file that knows every concrete piece and puts processes together."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from leadflood.demo.internet.place import demo_parts
from leadflood.domains.companies.events import COMPANY
from leadflood.domains.companies.extensions import COMPANY_EXTENSIONS
from leadflood.domains.enrichment.extensions import STAKES
from leadflood.domains.enrichment.registry import parser_modules
from leadflood.domains.icps.extensions import ICP_VERSION, ICP_VERSION_EXTENSIONS
from leadflood.domains.identity.labels import ACTOR_NAMES
from leadflood.domains.identity.queries.instance import first_owner_email
from leadflood.domains.imports.service.sandboxed_parser import new_sandbox
from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads.events import LEAD
from leadflood.domains.leads.extensions import CHANGESET_SUBJECTS, LEAD_EXTENSIONS
from leadflood.domains.leads.filters import LEAD_FILTERS
from leadflood.domains.metrics.registry import METRICS
from leadflood.domains.spending.events import PURCHASE
from leadflood.domains.spending.extensions import PURCHASE_EXTENSIONS
from leadflood.kernel.config import JOB_PROCESSES, Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.addresses import NoDatabase, application_url, owner_url
from leadflood.kernel.db.change_subscriber import ChangeSubscriber
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.embedded import SUPERUSER, running_url
from leadflood.kernel.db.listener import Listener
from leadflood.kernel.db.migrate import MigrationResult, install_queue, migrate
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.preflight import check_role, check_schema, server_version
from leadflood.kernel.db.provision import provision
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.db.transaction import RELAY_CHANNEL
from leadflood.kernel.domain import Domain, Services
from leadflood.kernel.door.door import Door, DoorParts
from leadflood.kernel.door.own_addresses import OwnAddresses
from leadflood.kernel.door.postgres_hosts import PostgresHosts
from leadflood.kernel.door.targets import parse_internal_hosts
from leadflood.kernel.door.user_agent import UserAgent
from leadflood.kernel.events import Subscribers
from leadflood.kernel.fingerprints import FINGERPRINT_KEY, Fingerprints
from leadflood.kernel.hold import Hold
from leadflood.kernel.ids import new_id
from leadflood.kernel.instance import instance_ids
from leadflood.kernel.mail import Mailer
from leadflood.kernel.pages import Navigation
from leadflood.kernel.pagination import Cursors
from leadflood.kernel.public_url import public_url
from leadflood.kernel.queue.ports import QueueBackend
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from leadflood.kernel.request_bodies import BodyBudget
from leadflood.kernel.sandbox.pool import Sandbox
from leadflood.kernel.sealed_columns import SealedColumn
from leadflood.kernel.secret_key import secret_box
from leadflood.kernel.subjects import Participants
from leadflood.web import navigation as shared
from leadflood.worker.executor import Executor
from leadflood.worker.isolation import ISOLATED_JOBS, IsolatedProcess, serve_isolated
from leadflood.worker.main import Worker, WorkerContext

if TYPE_CHECKING:
    from fastapi import APIRouter
    from starlette.types import ASGIApp

    from leadflood.api.app import Api
    from leadflood.kernel.rate_limit import RateLimiter
    from leadflood.web.pipeline import Pages

DOMAINS: Sequence[Domain] = tuple(
    import_module(f"leadflood.domains.{name}.domain").DOMAIN
    for name in (
        "metrics",
        "rules",
        "engagement",
        "icps",
        "exports",
        "imports",
        "duplicates",
        "enrichment",
        "spending",
        "companies",
        "tasks",
        "notes",
        "tags",
        "lists",
        "leads",
        "invitations",
        "email_changes",
        "stages",
        "fields",
        "jobs",
        "identity",
    )
)
"""The domains of this program, high to low. A new one adds its line here, and declares the rest itself."""

SCHEDULES: Sequence[Schedule] = tuple(schedule for domain in DOMAINS for schedule in domain.schedules)
LEAD_PARTICIPANTS = Participants(LEAD, [participant for domain in DOMAINS for participant in domain.participants])
"""Everything that references leads, from the highest domain to the lowest."""
for _domain in DOMAINS:
    LEAD_FILTERS.add(_domain.filters.get(LEAD, ()))
    LEAD_EXTENSIONS.add(_domain.extensions.get(LEAD))
    COMPANY_EXTENSIONS.add(_domain.extensions.get(COMPANY))
    PURCHASE_EXTENSIONS.add(_domain.extensions.get(PURCHASE))
    ICP_VERSION_EXTENSIONS.add(_domain.extensions.get(ICP_VERSION))
    CHANGESET_SUBJECTS.add(_domain.changesets)
    METRICS.add(_domain.metrics)
    STAKES.add(_domain.stakes)
    ACTOR_NAMES.add(_domain.actor_names)
SUBSCRIBERS = Subscribers(
    (event for each in DOMAINS for event in each.events),
    # The lower domain first: what it changes is there for the ones above.
    (item for each in reversed(DOMAINS) for item in each.subscriptions),
)
_COUNTS = [count for domain in DOMAINS for count in domain.nav_counts]
NAVIGATION = Navigation([*shared.ITEMS, *(item for domain in DOMAINS for item in domain.navigation)], _COUNTS)
TEMPLATES = tuple(domain.templates for domain in DOMAINS if domain.templates is not None)
HOME = sorted((panel for domain in DOMAINS for panel in domain.home), key=lambda panel: panel.order)
SEALED: Sequence[SealedColumn] = (FINGERPRINT_KEY, *(column for domain in DOMAINS for column in domain.sealed))
"""Columns encrypted with the secret key, re-encrypted when the key is rotated."""
AUDIT = tuple(group for domain in DOMAINS for group in domain.audit)
TIMELINE = {item.kind: item for domain in DOMAINS for item in domain.timeline}


@dataclass(frozen=True)
class Platform:
    """Resources shared by API, worker and command line."""

    settings: Settings
    database: Database
    queue_backend: QueueBackend
    registry: JobRegistry
    secret_box: SecretBox
    fingerprints: Fingerprints
    cursors: Cursors
    door: Door
    sandbox: Sandbox
    participants: Participants


async def provision_embedded(settings: Settings) -> None:
    """Make login and database in the running embedded server; nothing happens where the settings name another one.

    Raises: NoDatabase.
    """
    if settings.database_url is not None:
        return
    url = running_url(settings.home, SUPERUSER, SUPERUSER)
    if url is None:
        message = f"No embedded PostgreSQL runs in {settings.home}."
        raise NoDatabase(message)
    await provision(url)


async def prepare_database(settings: Settings) -> MigrationResult:
    """Migrate, and install the queue where it is to live. Raises: NoDatabase, Unavailable, UnsafeDatabaseRole."""
    url = owner_url(settings)
    before, after = await migrate(url)
    queue = settings.queue_database_url
    installed = await install_queue(queue.get_secret_value() if queue is not None else url)
    return MigrationResult(before, after, installed)


@asynccontextmanager
async def open_platform(settings: Settings, *, process: str) -> AsyncIterator[Platform]:
    """All resources of a process, closed on exit.

    Raises: NoDatabase, NoSecretKey, UnknownSource, Unavailable, OutdatedSchema,
        leadflood.kernel.db.roles.UnsafeDatabaseRole: the service would not be bound by row-level security.
    """
    box = secret_box(settings)
    await server_version(application_url(settings))
    async with open_connections(settings, process=process) as (database, queue_backend):
        await check_role(database)
        await check_schema(database)
        async with AsyncExitStack() as stack:
            modules = parser_modules(settings) if process in JOB_PROCESSES else ()
            sandbox = await stack.enter_async_context(aclosing(new_sandbox(settings.parse_processes, modules)))
            door = await stack.enter_async_context(aclosing(build_door(settings, database)))
            registry = build_registry(settings, database, sandbox, door)
            yield Platform(
                settings=settings,
                database=database,
                queue_backend=queue_backend,
                registry=registry,
                secret_box=box,
                fingerprints=Fingerprints(database, box),
                cursors=Cursors(box),
                door=door,
                sandbox=sandbox,
                participants=LEAD_PARTICIPANTS,
            )


@asynccontextmanager
async def open_connections(settings: Settings, *, process: str) -> AsyncIterator[tuple[Database, QueueBackend]]:
    """Database and queue, not connected yet and not checked, closed again at the end. Raises: NoDatabase."""
    url = application_url(settings)
    queue = settings.queue_database_url
    queue_backend = PostgresQueueBackend(
        queue.get_secret_value() if queue is not None else url,
        role=APP_ROLE,
        application_name=f"leadflood {process} queue",
    )
    pool = ConnectionPool(
        url,
        application_name=f"leadflood {process}",
        size=settings.database_pool_size,
        statement_timeout=settings.statement_timeout_of(process),
        lock_timeout=min(settings.statement_timeout_of(process), settings.statement_timeout_seconds) / 2,
    )
    database = Database(pool, queue_backend if queue is None else None, SUBSCRIBERS)
    await queue_backend.open()
    try:
        yield database, queue_backend
    finally:
        await queue_backend.close()
        await database.close()


def build_registry(settings: Settings, database: Database, sandbox: Sandbox, door: Door | None = None) -> JobRegistry:
    """All kinds of jobs of this program. Raises: UnknownSource, NoSecretKey, and for settings that cannot be used."""
    smtp_url = settings.smtp_url.get_secret_value() if settings.smtp_url is not None else None
    services = Services(
        settings=settings,
        database=database,
        sandbox=sandbox,
        mailer=Mailer(smtp_url, settings.mail_from, gate=build_hold(settings, database)),
        secret_box=secret_box(settings),
        door=door or build_door(settings, database),
        public_url=public_url(settings),
        participants=LEAD_PARTICIPANTS,
        converters={subject: converter for domain in DOMAINS for subject, converter in domain.converters.items()},
    )
    return JobRegistry(definition for domain in DOMAINS for definition in domain.jobs(services))


def build_hold(settings: Settings, database: Database) -> Hold:
    """The hold on outgoing effects, as a process with these settings sees it."""
    return Hold(database, lambda: instance_ids(settings, secret_box(settings)))


def build_door(settings: Settings, database: Database) -> Door:
    """The way out to servers of others, for a process with these settings. Close it. Raises: DemoInternetRefused."""

    async def contact() -> str:
        if settings.crawler_contact:
            return settings.crawler_contact
        async with database.system(read_only=True) as tx:
            return await first_owner_email(tx) or ""

    urls = (settings.database_url, settings.migrate_database_url, settings.queue_database_url)
    parts = DoorParts(
        user_agent=UserAgent(public_url(settings) if settings.public_url else "", contact),
        gate=build_hold(settings, database),
        hosts=PostgresHosts(database),
        internal=parse_internal_hosts(settings.internal_hosts),
        own_addresses=OwnAddresses([url.get_secret_value() for url in urls if url is not None]),
    )
    return Door(demo_parts(settings, parts) if settings.demo_internet else parts)


def build_worker(platform: Platform, *, isolated: Sequence[str] = ISOLATED_JOBS) -> Worker:
    """A worker on this platform. `isolated`: the command that runs jobs which may end their process."""
    bell = Listener(application_url(platform.settings), RELAY_CHANNEL, application_name="leadflood worker relay")
    return Worker(
        WorkerContext(
            settings=platform.settings,
            database=platform.database,
            queue_backend=platform.queue_backend,
            registry=platform.registry,
            schedules=SCHEDULES,
            bell=bell,
            isolation=lambda: IsolatedProcess(isolated),
        )
    )


async def run_isolated(platform: Platform) -> None:
    """Run the jobs named on standard input: the command `isolated` of `build_worker`."""
    await serve_isolated(platform.database, Executor(platform.database, platform.registry, new_id()).run)


def build_change_subscriber(platform: Platform, *, process: str) -> ChangeSubscriber:
    """The subscriber that wakes live pages. It connects when the first page opens; close it on shutdown."""
    return ChangeSubscriber(application_url(platform.settings), application_name=f"leadflood {process} changes")


def api_routers() -> "Sequence[APIRouter]":
    """The routes of the domains, and those of the server itself."""
    names = [name for domain in DOMAINS for name in domain.routes]
    return [import_module(name).router for name in (*names, "leadflood.api.routes.system")]


def page_modules() -> "Sequence[Pages]":
    """The pages of the domains, and those that belong to none."""
    return [import_module(name).pages for name in (*(name for each in DOMAINS for name in each.pages), *shared.PAGES)]


def build_site(platform: Platform, changes: ChangeSubscriber, closing: asyncio.Event) -> "Api":
    """The ASGI application of API and pages. `closing`: to be set when the server stops, so that live pages end."""
    from leadflood.web.app import WebContext, create_web  # noqa: PLC0415  only what serves HTTP pays for it
    from leadflood.web.assets import Assets  # noqa: PLC0415  as above
    from leadflood.web.live_streams import LiveStreams  # noqa: PLC0415  as above
    from leadflood.web.render_cache import RenderCache  # noqa: PLC0415  as above
    from leadflood.web.templating import Templates  # noqa: PLC0415  as above

    settings, strangers, budget = platform.settings, _strangers(platform.settings), BodyBudget()
    assets = Assets.load(reload=settings.web_reload)
    pages = create_web(
        WebContext(
            pages=page_modules(),
            navigation=NAVIGATION,
            timeline=TIMELINE,
            audit=AUDIT,
            home=HOME,
            settings=settings,
            database=platform.database,
            registry=platform.registry,
            secret_box=platform.secret_box,
            cursors=platform.cursors,
            sandbox=platform.sandbox,
            participants=platform.participants,
            hold=build_hold(settings, platform.database),
            changes=changes,
            assets=assets,
            views=Templates(assets, TEMPLATES, reload=settings.web_reload),
            renders=RenderCache(changes),
            streams=LiveStreams(settings),
            closing=closing,
            page_limiter=_limiter(settings.page_limit_per_minute, "pages", "session"),
            strangers=strangers,
            body_budget=budget,
        )
    )
    return build_api(platform, pages, strangers=strangers, budget=budget)


def _limiter(quota: int, name: str, subject: str) -> "RateLimiter":
    from leadflood.kernel.rate_limit import RateLimiter  # noqa: PLC0415  only what serves HTTP pays for it

    return RateLimiter(quota, name=name, subject=subject)


def _strangers(settings: Settings) -> "RateLimiter":
    return _limiter(settings.anonymous_limit_per_minute, "anonymous", "address")


def build_api(
    platform: Platform,
    pages: "ASGIApp | None" = None,
    *,
    strangers: "RateLimiter | None" = None,
    budget: BodyBudget | None = None,
) -> "Api":
    """The ASGI application of the API on this platform; what is not the API's goes to `pages`."""
    from leadflood.api.app import ApiContext, create_app  # noqa: PLC0415  only what serves HTTP pays for FastAPI
    from leadflood.kernel.observability import Metrics  # noqa: PLC0415  as above

    return create_app(
        ApiContext(
            routers=api_routers(),
            settings=platform.settings,
            database=platform.database,
            queue_backend=platform.queue_backend,
            registry=platform.registry,
            secret_box=platform.secret_box,
            cursors=platform.cursors,
            sandbox=platform.sandbox,
            participants=platform.participants,
            hold=build_hold(platform.settings, platform.database),
            metrics=Metrics(),
            rate_limiter=_limiter(platform.settings.rate_limit_per_minute, "default", "credential"),
            strangers=strangers or _strangers(platform.settings),
            body_budget=budget or BodyBudget(),
        ),
        pages=pages,
    )
