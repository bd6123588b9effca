"""`leadflood hold …`: show, set and release the hold on outgoing email."""

from typing import TYPE_CHECKING

import typer

from leadflood.cli.context import all_workspaces, open_platform, operator, run
from leadflood.cli.listing import AS_JSON
from leadflood.cli.output import moment, print_facts, print_json, say

if TYPE_CHECKING:
    from leadflood.bootstrap import Platform
    from leadflood.kernel.hold import Hold

_BATCH = 500

app = typer.Typer(
    help="Hold and release outgoing email. A restored or cloned database holds it automatically.",
    no_args_is_help=True,
)


@app.command("status")
def status(as_json: bool = AS_JSON) -> None:
    """Show whether outgoing email is on hold, since when and why, and how many jobs are waiting.

    Example: `leadflood hold status`
    """

    async def work() -> None:
        from leadflood import bootstrap

        async with open_platform() as platform:
            hold = bootstrap.build_hold(platform.settings, platform.database)
            await _show(platform, hold, as_json=as_json)

    run(work())


@app.command("open")
def open_(as_json: bool = AS_JSON) -> None:
    """Release outgoing email and record this server, database and instance as the original. Waiting emails are sent.

    To drop them instead, run `leadflood hold cancel-jobs` first.

    Example: `leadflood hold open`
    """

    async def work() -> None:
        from leadflood import bootstrap
        from leadflood.domains.identity.service import holds

        async with open_platform() as platform:
            hold = bootstrap.build_hold(platform.settings, platform.database)
            await holds.open_hold(platform.database, hold, operator())
            await _show(platform, hold, as_json=as_json)

    run(work())


@app.command("close")
def close(
    reason: str = typer.Option("Closed manually", "--reason", help="Reason shown in the status."),
    as_json: bool = AS_JSON,
) -> None:
    """Put outgoing email on hold until it is opened again. Jobs that send email wait.

    Example: `leadflood hold close --reason "Rehearsing a restore"`
    """

    async def work() -> None:
        from leadflood import bootstrap
        from leadflood.domains.identity.service import holds

        async with open_platform() as platform:
            hold = bootstrap.build_hold(platform.settings, platform.database)
            await holds.close_hold(platform.database, hold, operator(), reason=reason)
            await _show(platform, hold, as_json=as_json)

    run(work())


@app.command("cancel-jobs")
def cancel_jobs(as_json: bool = AS_JSON) -> None:
    """Cancel queued jobs that send email, in all workspaces. Requeue one with `leadflood job retry`.

    Example: `leadflood hold cancel-jobs`
    """

    async def work() -> None:
        from leadflood.domains.jobs import service

        cancelled = 0
        async with open_platform() as platform:
            for workspace in await all_workspaces(platform.database):
                more = True
                while more:
                    async with platform.database.transaction(workspace.id) as tx:
                        actor = operator(workspace.id)
                        done = await service.cancel_outgoing(tx, actor, platform.registry, limit=_BATCH)
                    cancelled += done
                    more = done == _BATCH
        if as_json:
            print_json({"cancelled": cancelled})
        else:
            say(f"Cancelled {cancelled} jobs.")

    run(work())


async def _show(platform: "Platform", hold: "Hold", *, as_json: bool) -> None:
    from leadflood.domains.jobs import queries

    async with platform.database.system(read_only=True) as tx:
        view = await queries.hold_view(tx, hold, platform.registry.outgoing)
    if as_json:
        print_json(view)
        return
    print_facts(
        [
            ("outgoing email", "on hold" if view.closed else "sending"),
            ("since", moment(view.closed_at)),
            ("reason", view.reason),
            ("instance id", view.instance_id),
            ("waiting jobs", ", ".join(f"{count} {kind}" for kind, count in view.waiting.items()) or "none"),
        ]
    )
    if view.closed:
        say("Emails are waiting. Check that no other installation sends the same ones, then run: leadflood hold open")
