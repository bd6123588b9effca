"""Preparation before a process serves: database, schema, queue, and on the first run an owner with a setup link."""

import asyncio
from typing import TYPE_CHECKING

from leadflood.cli.output import note, say

if TYPE_CHECKING:
    from leadflood.bootstrap import Platform
    from leadflood.domains.identity.models import FirstRun
    from leadflood.kernel.config import Settings


def run_prepare(settings: "Settings") -> None:
    """Prepare the database; print how the first owner signs in: a new password, and the link to set up the workspace.

    The link is printed at each start until the first sign-in. `up` prints both last.
    """
    asyncio.run(_prepare(settings))


async def _prepare(settings: "Settings") -> None:
    from leadflood import bootstrap
    from leadflood.domains.identity.service import administration, public_password
    from leadflood.kernel.secret_key import secret_keys

    secret_keys(settings, create=True)
    await bootstrap.provision_embedded(settings)
    done = await bootstrap.prepare_database(settings)
    if not done.is_current:
        note(done.summary)
    async with bootstrap.open_platform(settings, process="prepare") as platform:
        await public_password.refuse_to_serve(platform.database, settings)
        first = await administration.first_run(platform.database)
        link = await link_to_print(platform, settings)
    if first is not None:
        _print_login(first)
    if link is not None:
        say(link)


async def ensure_first_owner(platform: "Platform", settings: "Settings") -> None:
    """Create the first owner and print the link, as `up` does, for a `serve` that runs without it. Prints no password.

    Each process prints it at its start, until the first sign-in.
    """
    from leadflood.domains.identity.service import administration

    await administration.first_run(platform.database)
    link = await link_to_print(platform, settings)
    if link is not None:
        note(link)


async def link_to_print(platform: "Platform", settings: "Settings", *, unless_in_use: bool = True) -> str | None:
    """The lines with a new link for the first owner; None once it is no longer needed."""
    from leadflood.domains.identity.service import first_run
    from leadflood.kernel.clock import utc_now
    from leadflood.kernel.public_url import public_url

    code = await first_run.open_code(platform.database, platform.secret_box, now=utc_now(), unless_in_use=unless_in_use)
    if code is None:
        return None
    return (
        f"Set it up in the browser: {public_url(settings)}/first-run/{code}\n"
        "The link works once and expires in 24 hours. New link: leadflood user first-run"
    )


def _print_login(first: "FirstRun") -> None:
    say("First start. Your workspace and its owner:")
    say(f"  Workspace  {first.workspace_id}")
    say(f"  Email      {first.email}")
    say(f"  Password   {first.password}")
    say("Save this password; it won't be shown again.")
    say(f"Change it with: leadflood user set-password {first.email}")
    say()
