"""`leadflood serve`, `worker`, `dev-mail`, `migrate` and `seed`: the parts that `leadflood up` runs together."""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from leadflood.cli.garbage import keep_all_objects
from leadflood.cli.output import say
from leadflood.kernel.process_lifetime import PARENT_FD

if TYPE_CHECKING:
    from leadflood.kernel.config import Settings

HOST = typer.Option(None, "--host", help="Address to listen on. Defaults to LEADFLOOD_HOST.")
PORT = typer.Option(None, "--port", min=0, max=65535, help="Port to listen on. Defaults to LEADFLOOD_PORT.")

_DEMO_TIMEOUT = 20.0
"""Seconds for the demo's internet to start, before a worker asks it something."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("serve")(serve)
    app.command("worker")(worker)
    app.command("isolated-jobs", hidden=True)(isolated_jobs)
    app.command("dev-mail")(dev_mail)
    app.command("demo-internet", hidden=True)(demo_internet)
    app.command("migrate")(migrate)
    app.command("seed")(seed)
    app.command("prepare", hidden=True)(prepare)


def serve(
    host: str | None = HOST,
    port: int | None = PORT,
    share_port: bool = typer.Option(
        False, "--share-port", help="Share the port with other `serve --share-port` processes, e.g. one per CPU core."
    ),
) -> None:
    """Serve web pages and API. On Ctrl-C or SIGTERM, finishes in-flight requests and exits.

    On an empty database it creates the first workspace and its owner. Until someone has signed in, each start prints a
    link to set them up in the browser.

    Example: `leadflood serve --host 0.0.0.0 --port 8080`
    """
    alone = PARENT_FD not in os.environ  # else `up` has already taken care of the first owner
    settings = _start()
    port = settings.port if port is None else port
    _run_on_uvloop(_serve(settings, host or settings.host, port, share_port=share_port, alone=alone))


def worker() -> None:
    """Run background jobs. On Ctrl-C or SIGTERM, finishes running jobs and exits. Run as many workers as you need.

    Example: `leadflood worker`
    """
    _run_on_uvloop(_work(_start()))


def isolated_jobs() -> None:
    """Run the jobs that a worker names on standard input: those that may kill their process."""
    from leadflood.kernel.process_lifetime import die_with_parent

    die_with_parent(os.environ, grace=0)
    _run_on_uvloop(_work_isolated(_start()))


def dev_mail() -> None:
    """Run a development mail server that stores messages instead of delivering them.

    It listens on 127.0.0.1 only and stores each message as a file in the data folder. Set LEADFLOOD_SMTP_URL to its
    address; `leadflood up` does both.

    Example: `LEADFLOOD_DEV_MAIL_PORT=2525 leadflood dev-mail`
    """
    asyncio.run(_catch(_start()))


def demo_internet() -> None:
    """Run the small internet of `leadflood up --demo`, at the ports of LEADFLOOD_DEMO_INTERNET."""
    asyncio.run(_serve_demo_internet(_start()))


def migrate() -> None:
    """Apply migrations and set up the queue. Idempotent and concurrency-safe.

    Example: `LEADFLOOD_MIGRATE_DATABASE_URL=postgresql://owner@db/leadflood leadflood migrate`
    """
    from leadflood import bootstrap

    done = asyncio.run(bootstrap.prepare_database(_start()))
    say(done.summary)
    say("Queue installed." if done.queue_installed else "Queue is up to date.")


def seed(
    leads: int = typer.Option(8, "--leads", min=0, max=100_000, help="Number of sample leads."),
    wait: bool = typer.Option(False, "--wait", help="Wait for enrichment to finish, then show one lead."),
) -> None:
    """Create the demo user and sample leads. Idempotent; refused in production.

    On an empty database, e.g. after `leadflood migrate`, it also creates the first workspace.

    Example: `leadflood seed --leads 100`
    """
    from leadflood.cli.demo_data import run_seed

    run_seed(_start("warning"), leads, wait=wait)


def prepare() -> None:
    """First half of `up`, in a separate process so that `up` itself stays small: schema, queue, first owner."""
    from leadflood.cli.prepare import run_prepare

    run_prepare(_start("warning"))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Disable the garbage collector during imports: modules stay, and it takes a seventh of their time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _start(level: str | None = None) -> "Settings":
    from leadflood.kernel.process_lifetime import die_with_parent

    die_with_parent(os.environ)
    with _uncollected():
        from leadflood.cli.validation import load_settings
        from leadflood.kernel.observability import configure_logging

        settings = load_settings()
    configure_logging(level or settings.log_level, settings.log_format)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it logs all of its plug-ins
    return settings


def _run_on_uvloop(work: Coroutine[Any, Any, None]) -> None:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


async def _serve(settings: "Settings", host: str, port: int, *, share_port: bool, alone: bool) -> None:
    with _uncollected():
        from leadflood import bootstrap
        from leadflood.cli import server
        from leadflood.cli.listener import listen
        from leadflood.cli.prepare import ensure_first_owner
        from leadflood.domains.identity.service import public_password
        from leadflood.kernel.process_lifetime import send_heartbeats

    listener = listen(host, port, shared=share_port)
    port = listener.getsockname()[1]
    try:
        async with bootstrap.open_platform(settings, process="api") as platform:
            await public_password.refuse_to_serve(platform.database, settings)
            if alone:
                await ensure_first_owner(platform, settings.model_copy(update={"host": host, "port": port}))
            await bootstrap.build_hold(settings, platform.database).check()
            changes = bootstrap.build_change_subscriber(platform, process="api")
            closing = asyncio.Event()
            try:
                with _uncollected():
                    site = bootstrap.build_site(platform, changes, closing)
                heartbeats = asyncio.create_task(send_heartbeats(os.environ))
                await server.serve(site, listener, on_stop=closing.set)
                heartbeats.cancel()
            finally:
                await changes.close()
    finally:
        listener.close()


async def _catch(settings: "Settings") -> None:
    import structlog

    from leadflood.cli.listener import LOOPBACK, listen
    from leadflood.dev_mail.messages import mail_folder
    from leadflood.dev_mail.server import capture_mail
    from leadflood.kernel.db.embedded import create_home

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)
    create_home(settings.home)
    log = structlog.get_logger()
    with listen(LOOPBACK, settings.dev_mail_port, setting="LEADFLOOD_DEV_MAIL_PORT") as listener:
        port = listener.getsockname()[1]
        async with capture_mail(listener, mail_folder(settings.home)):
            log.info("mail.started", url=f"smtp://{LOOPBACK}:{port}")
            await stop.wait()
    log.info("mail.stopped")


async def _serve_demo_internet(settings: "Settings") -> None:
    import structlog

    from leadflood.demo.internet.internet import Internet
    from leadflood.demo.internet.place import DemoPlace
    from leadflood.demo.providers.twins import DemoServers
    from leadflood.kernel.db.embedded import create_home

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)
    place = DemoPlace.of(settings)
    create_home(settings.home)
    place.folder.mkdir(mode=0o700, exist_ok=True)
    servers = DemoServers()
    async with Internet(servers.zone, servers.serve, place=place):
        structlog.get_logger().info("demo_internet.started")
        await stop.wait()


async def _work_isolated(settings: "Settings") -> None:
    with _uncollected():
        from leadflood import bootstrap

    async with bootstrap.open_platform(settings, process="isolated jobs") as platform:
        await bootstrap.run_isolated(platform)


async def _work(settings: "Settings") -> None:
    with _uncollected():
        from leadflood import bootstrap

    if settings.worker_metrics_port:
        from prometheus_client import start_http_server

        start_http_server(settings.worker_metrics_port, settings.host)
    if settings.demo_internet:
        from leadflood.demo.internet.place import DemoPlace

        await DemoPlace.of(settings).wait(_DEMO_TIMEOUT)
    async with bootstrap.open_platform(settings, process="worker") as platform:
        await bootstrap.build_hold(settings, platform.database).check()
        running = bootstrap.build_worker(platform)
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signum, running.stop)
        keep_all_objects()
        await running.run()
