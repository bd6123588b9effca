"""`leadflood hold …`: whether mails may leave, and what an operator does about it."""

from typing import TYPE_CHECKING

import typer

from leadflood.cli.listing import AS_JSON
from leadflood.cli.output import moment, print_facts, print_json, say
from leadflood.cli.workspace import all_workspaces, open_platform, operator, run

if TYPE_CHECKING:
    from leadflood.bootstrap import Platform
    from leadflood.kernel.hold import Hold

_BATCH = 500

app = typer.Typer(
    help="Show, open and close the hold on outgoing effects (mail). It closes by itself in a restored or cloned "
    "database.",
    no_args_is_help=True,
)


@app.command("status")
def status(as_json: bool = AS_JSON) -> None:
    """Show whether effects may leave, since when not and why, and how many jobs wait.

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
    """Let effects leave, and take this server, database and instance for the original. Waiting mails go out now.

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
    reason: str = typer.Option("Closed by hand", "--reason", help="The reason to show in the status."),
    as_json: bool = AS_JSON,
) -> None:
    """Keep all effects back until the hold is opened. Jobs that send wait; nothing is lost.

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
    """Cancel the queued jobs that would send something, in all workspaces. `leadflood jobs retry` brings one back.

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
            say(f"{cancelled} jobs cancelled.")

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
            ("outgoing effects", "on hold" if view.closed else "may leave"),
            ("since", moment(view.closed_at)),
            ("reason", view.reason),
            ("instance id", view.instance_id),
            ("waiting jobs", ", ".join(f"{count} {kind}" for kind, count in view.waiting.items()) or "none"),
        ]
    )
    if view.closed:
        say("Mails wait. Check that no other installation sends the same ones, then: leadflood hold open")
