"""The command line: `leadflood --help`. Commands import their dependencies when they run, so that `--help` is fast."""

import os
import sys
from types import TracebackType

import typer
from typer.main import get_command

from leadflood import __version__
from leadflood.cli import (
    backtests,
    backup,
    changesets,
    companies,
    doctor,
    duplicates,
    engagement,
    enrich,
    enrichments,
    events,
    exports,
    facts,
    fields,
    hold,
    icps,
    identity,
    imports,
    jobs,
    leads,
    lists,
    notes,
    outcomes,
    policies,
    processes,
    purchases,
    rules,
    secret_keys,
    sources,
    spending,
    stages,
    tags,
    tasks,
    up,
    user_access,
)
from leadflood.cli.os_errors import explained
from leadflood.cli.output import error_lines
from leadflood.kernel.errors import AppError

__all__ = ["app", "main"]

REFUSED = 1
DATABASE_UNAVAILABLE = 3
INTERRUPTED = 130
BROKEN_PIPE = 141  # 128 + SIGPIPE, as a shell reports it
_SHOWN_FRAMES = 6
_UNAVAILABLE = 503

app = typer.Typer(
    name="leadflood",
    help="""Self-hosted lead engine on PostgreSQL: capture and enrich leads without losing one.

    Start everything on this machine with `leadflood up`. Then try, in another terminal:
    `leadflood lead add ada.lovelace@acme.com --wait`

    Exit codes: 0 success, 1 refused or failed, 2 invalid usage, 3 database unavailable, 130 interrupted.""",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"leadflood {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print version and exit."),
) -> None:
    return


up.register(app)
processes.register(app)
doctor.register(app)
enrich.register(app)
backup.register(app)
app.add_typer(leads.app, name="lead")
app.add_typer(changesets.app, name="change")
app.add_typer(companies.app, name="company")
app.add_typer(fields.app, name="field")
app.add_typer(notes.app, name="note")
app.add_typer(tasks.app, name="task")
app.add_typer(stages.app, name="stage")
app.add_typer(tags.app, name="tag")
app.add_typer(duplicates.app, name="duplicate")
app.add_typer(lists.app, name="list")
app.add_typer(imports.app, name="import")
app.add_typer(exports.app, name="export")
app.add_typer(enrichments.app, name="enrichment")
app.add_typer(sources.app, name="source")
app.add_typer(facts.app, name="fact")
app.add_typer(policies.app, name="policy")
backtests.register(icps.app)
app.add_typer(icps.app, name="icp")
app.add_typer(rules.app, name="rule")
app.add_typer(outcomes.app, name="outcome")
app.add_typer(engagement.app, name="engagement")
app.add_typer(spending.budget_app, name="budget")
app.add_typer(purchases.app, name="purchase")
app.add_typer(spending.price_app, name="price")
app.command("spend")(spending.spend)
app.add_typer(jobs.app, name="job")
app.add_typer(events.app, name="event")
app.add_typer(hold.app, name="hold")
app.add_typer(secret_keys.app, name="secret")
app.add_typer(identity.workspace_app, name="workspace")
user_access.register(identity.user_app)
app.add_typer(identity.user_app, name="user")
app.add_typer(identity.key_app, name="key")


def main() -> None:
    """Run the command in `sys.argv` and exit with its code (see `leadflood --help`)."""
    sys.excepthook = _print_fault
    sys.exit(_run())


def _run() -> int:
    try:
        # Not app(), which would install its own hook. Ends with SystemExit, also after usage errors.
        get_command(app)(prog_name="leadflood")
    except AppError as error:
        print(error_lines(error), file=sys.stderr)
        return DATABASE_UNAVAILABLE if error.status == _UNAVAILABLE else REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _quiet_exit()
    except OSError as error:
        refusal = explained(error)
        if refusal is None:
            raise
        print(error_lines(refusal), file=sys.stderr)
        return REFUSED
    except SystemExit as end:
        return _flushed(end)
    return 0


def _flushed(end: SystemExit) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _quiet_exit()
    return end.code if isinstance(end.code, int) else 0


def _quiet_exit() -> int:
    """Exit quietly after the reader of our output closed it, as `head` does: Python must not flush the rest at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE


def _print_fault(_kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
    """An unexpected error, short and without the values of variables, which may be secrets."""
    from leadflood.kernel.error_redaction import traceback_of

    print(traceback_of(fault.with_traceback(trace), frames=_SHOWN_FRAMES), file=sys.stderr)
    print("This is a bug in LEAD-FLOOD. Please report it with the lines above.", file=sys.stderr)
