"""`leadflood up`: everything in one command, in the foreground.

This process stays small: it owns the data folder, runs PostgreSQL and watches its children. Short-lived children do the
work on the database: `prepare` before the start, `seed` for the demo.
"""

import asyncio
import contextlib
import ipaddress
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from leadflood.cli.interruption import Interruption
from leadflood.cli.output import note, say
from leadflood.cli.processes import HOST, PORT

if TYPE_CHECKING:
    from leadflood.kernel.config import Settings
    from leadflood.kernel.db.embedded import EmbeddedPostgres

_POLL_SECONDS = 0.1
_POLL_TIMEOUT = 5.0
_OK = 200
_GRACE = 30.0
_HUNG_AFTER = 15.0
"""Seconds without a heartbeat after which an API process is killed and restarted."""


@dataclass(slots=True)
class SignIn:
    """Sign-in instructions, to be printed once, after all else. `text`: empty for people who have an account."""

    text: str
    printed: bool = False

    def print_once(self) -> None:
        """Print it, unless that is done."""
        if self.text and not self.printed:
            say()
            say(self.text)
        self.printed = True


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up")(up)


def up(
    demo: bool = typer.Option(False, "--demo", help="Create a demo user and sample leads, and show one enriched."),
    host: str | None = HOST,
    port: int | None = PORT,
) -> None:
    """Run everything in the foreground: PostgreSQL, web and API, a worker and a development mail server.

    Example: `leadflood up --demo`
    """
    from leadflood.cli.listener import listen
    from leadflood.cli.validation import load_settings
    from leadflood.kernel.db.embedded import EmbeddedPostgres, create_home
    from leadflood.kernel.observability import configure_logging
    from leadflood.kernel.process_lifetime import InstanceLock

    settings = load_settings()
    host = host or settings.host
    if demo:
        _refuse_demo(settings, host)
    if "log_level" not in settings.model_fields_set:
        settings = settings.model_copy(update={"log_level": "warning"})  # else the lines to read scroll away
    configure_logging(settings.log_level, settings.log_format)
    interruption = Interruption()
    interruption.catch()
    create_home(settings.home)
    with InstanceLock(settings.home / "lock"):
        with listen(host, settings.port if port is None else port) as probe:
            port = probe.getsockname()[1]
        database = EmbeddedPostgres(settings.home) if settings.database_url is None else None
        try:
            _start(settings, database, host, port, interruption, demo=demo)
        finally:
            if database is not None:
                database.stop()
    say(f"Stopped. Your data is in {settings.home}." if database is not None else "Stopped.")


def _refuse_demo(settings: "Settings", host: str) -> None:
    from leadflood.cli.demo_data import DemoRefused, refuse_in_production

    refuse_in_production(settings)
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    if host != "localhost":
        raise DemoRefused(
            f"The demo user has a public password, and {host} is reachable by others. "
            "Remove --demo, or listen on 127.0.0.1."
        )


def _start(
    settings: "Settings",
    database: "EmbeddedPostgres | None",
    host: str,
    port: int,
    interruption: Interruption,
    *,
    demo: bool,
) -> None:
    if database is not None:
        note(f"Starting PostgreSQL in {settings.home} …")
        database.start()
        interruption.check()
    # Children find the embedded database and the secret key through the data folder.
    env = {
        **os.environ,
        "LEADFLOOD_HOME": str(settings.home.resolve()),
        "LEADFLOOD_HOST": host,
        "LEADFLOOD_PORT": str(port),
        "LEADFLOOD_LOG_LEVEL": settings.log_level,
        **(_catcher(settings) if _catches(settings) else {}),
        **(_small_internet(settings) if demo else {}),
    }
    note("Preparing the database …")
    prepared = _prepare(env)
    sign_in = SignIn(_demo_sign_in(host, port) if demo else prepared)
    try:
        interruption.check()
        asyncio.run(_supervise(settings, database, env, sign_in, interruption, demo=demo))
    finally:
        sign_in.print_once()  # a new password is not shown again


def _catches(settings: "Settings") -> bool:
    """Whether emails are captured here: in development, unless the settings name another server."""
    from leadflood.kernel.config import Environment

    return settings.smtp_url is None and settings.env is Environment.DEVELOPMENT


def _catcher(settings: "Settings") -> dict[str, str]:
    """The address of the development mail server, passed to all children."""
    from leadflood.cli.listener import LOOPBACK, PortInUse, listen

    try:
        probe = listen(LOOPBACK, settings.dev_mail_port)
    except PortInUse:
        probe = listen(LOOPBACK, 0)
        free = probe.getsockname()[1]
        note(f"Port {settings.dev_mail_port} is in use; development mail uses {free}. Set LEADFLOOD_DEV_MAIL_PORT.")
    with probe:
        port = probe.getsockname()[1]
    return {"LEADFLOOD_DEV_MAIL_PORT": str(port), "LEADFLOOD_SMTP_URL": f"smtp://{LOOPBACK}:{port}"}


def _small_internet(settings: "Settings") -> dict[str, str]:
    """The place of the demo's internet."""
    from leadflood.cli.listener import LOOPBACK, listen

    with ExitStack() as stack:
        probes = [stack.enter_context(listen(LOOPBACK, 0)) for _ in range(3)]
        ports = ",".join(str(probe.getsockname()[1]) for probe in probes)
    (settings.home / "demo-internet" / "authority.pem").unlink(missing_ok=True)  # of the last run
    return {"LEADFLOOD_DEMO_INTERNET": ports}


def _prepare(env: Mapping[str, str]) -> str:
    """Prepare the database. Returns what to print last: how the first owner signs in; empty if that is known."""
    from leadflood.kernel.process_lifetime import ParentWatch

    parent_watch = ParentWatch()
    try:
        ended = subprocess.run(
            _argv("prepare"),
            env={**env, **parent_watch.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            pass_fds=(parent_watch.fd,),
            start_new_session=True,
            check=False,
        )
    finally:
        parent_watch.close()
    if ended.returncode != 0:
        raise typer.Exit(max(ended.returncode, 1))  # it has printed the reason
    return ended.stdout.strip()


async def _supervise(
    settings: "Settings",
    database: "EmbeddedPostgres | None",
    env: Mapping[str, str],
    sign_in: "SignIn",
    interruption: Interruption,
    *,
    demo: bool,
) -> None:
    from leadflood.cli.supervisor import ChildCommand, Supervisor

    several = settings.api_processes > 1
    names = ["api", *(f"api-{number}" for number in range(2, settings.api_processes + 1))]
    commands = [
        *(
            ChildCommand(name, _argv("serve", *(["--share-port"] if several else [])), env, _GRACE, _HUNG_AFTER)
            for name in names
        ),
        ChildCommand("worker", _argv("worker"), env, max(_GRACE, settings.drain_timeout_seconds + 5)),
    ]
    if demo:
        commands.append(ChildCommand("demo-internet", _argv("demo-internet"), env, _GRACE))
    if _catches(settings):
        commands.append(ChildCommand("dev-mail", _argv("dev-mail"), env, _GRACE))
    story = asyncio.create_task(_print_progress(settings, env, sign_in, demo=demo))
    try:
        await Supervisor(commands, database=database, interruption=interruption).run()
    finally:
        story.cancel()
        await asyncio.gather(story, return_exceptions=True)


async def _print_progress(settings: "Settings", env: Mapping[str, str], sign_in: "SignIn", *, demo: bool) -> None:
    """Wait until the API is ready, in the demo show the progress of a lead, then print how to use it and sign in."""
    host, port = env["LEADFLOOD_HOST"], int(env["LEADFLOOD_PORT"])
    while not await asyncio.to_thread(_ready, host, port):  # noqa: ASYNC110, TID251  another process sends no event
        await asyncio.sleep(_POLL_SECONDS)
    if demo:
        await _run_seed(env)
    say(_summary(settings, host, port, demo=demo))
    sign_in.print_once()
    say()
    say("Press Ctrl-C to stop.")


async def _run_seed(env: Mapping[str, str]) -> None:
    from leadflood.kernel.process_lifetime import ParentWatch

    parent_watch = ParentWatch()
    try:
        child = await asyncio.create_subprocess_exec(
            *_argv("seed", "--wait"),
            env={**env, **parent_watch.env},
            stdin=subprocess.DEVNULL,
            pass_fds=(parent_watch.fd,),
            start_new_session=True,
        )
        try:
            await child.wait()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
            raise
    finally:
        parent_watch.close()


def _ready(host: str, port: int) -> bool:
    from leadflood.kernel.public_url import reachable

    connection = HTTPConnection(reachable(host), port, timeout=_POLL_TIMEOUT)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == _OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _summary(settings: "Settings", host: str, port: int, *, demo: bool) -> str:
    from leadflood.domains.identity.models import DEMO_EMAIL, DEMO_PASSWORD
    from leadflood.kernel.public_url import url_of

    url, program = url_of(host, port), _program()
    json = "-H 'Content-Type: application/json'"
    login = f'{{"email":"{DEMO_EMAIL}","password":"{DEMO_PASSWORD}"}}'
    by_login = f'curl -s {url}/v1/auth/login {json} -d \'{login}\' | sed \'s/.*"accessToken": *"\\([^"]*\\)".*/\\1/\''
    lead = f'{{"email":"{_example(demo=demo)}"}}'
    by_key = f'{program} key create curl --scope leads:write --json | sed \'s/.*"token": *"\\([^"]*\\)".*/\\1/\''
    return "\n".join(
        [
            "",
            "LEAD-FLOOD is ready.",
            f"  Web        {url}",
            f"  API        {url}/v1",
            f"  API docs   {url}/docs",
            *([f"  Mail       {url}/mail (captured, not delivered)"] if _catches(settings) else []),
            f"  Data       {settings.home.resolve() if settings.database_url is None else 'at LEADFLOOD_DATABASE_URL'}",
            "",
            *_hint(demo=demo),
            f"  {program} lead add {_example(demo=demo)} --wait",
            "or over HTTP:",
            f"  TOKEN=$({by_login if demo else by_key})",
            f"  curl -s {url}/v1/leads -H \"Authorization: Bearer $TOKEN\" {json} -d '{lead}'",
        ]
    )


def _example(*, demo: bool) -> str:
    """An address whose company can be read: with the demo, of its small internet."""
    return "alan.turing@nordlabs-de.de" if demo else "alan.turing@acme.com"


def _hint(*, demo: bool) -> list[str]:
    if not demo:
        return ["Add a lead from another terminal:"]
    return [
        "The demo has a small internet of its own, with 200 companies.",
        "Add a lead of one of them from another terminal, and see its company being read:",
    ]


def _demo_sign_in(host: str, port: int) -> str:
    from leadflood.domains.identity.models import DEMO_EMAIL, DEMO_PASSWORD
    from leadflood.kernel.public_url import url_of

    return (
        f"Sign in at {url_of(host, port)} as the demo user:\n  Email      {DEMO_EMAIL}\n  Password   {DEMO_PASSWORD}\n"
        f"Set up an account of your own with: {_program()} user first-run"
    )


def _program() -> str:
    """The command that runs this program from another terminal with the same data folder."""
    home = os.environ.get("LEADFLOOD_HOME")
    prefix = f"LEADFLOOD_HOME={shlex.quote(str(Path(home).resolve()))} " if home else ""
    if shutil.which("leadflood"):
        return f"{prefix}leadflood"
    return prefix + shlex.quote(str(Path(sys.executable).parent / "leadflood"))


def _argv(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "leadflood", *arguments]
