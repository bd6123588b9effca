"""What `up` needs done before anything serves: database, schema, queue, and on the first run an owner."""

import asyncio
from typing import TYPE_CHECKING

from leadflood.cli.output import say

if TYPE_CHECKING:
    from leadflood.domains.identity.models import FirstRun
    from leadflood.kernel.config import Settings


def run_prepare(settings: "Settings") -> None:
    """Prepare the database; print the first owner's password where one was made just now, and the link to set it up.

    The link is printed with each start until somebody has signed in as that owner.
    """
    asyncio.run(_prepare(settings))


async def _prepare(settings: "Settings") -> None:
    from leadflood import bootstrap
    from leadflood.domains.identity.service import first_run, operators, public_password
    from leadflood.kernel.origin import public_url

    bootstrap.secret_key(settings, create=True)
    await bootstrap.provision_embedded(settings)
    done = await bootstrap.prepare_database(settings)
    if not done.is_current:
        say(done.summary)
    async with bootstrap.open_platform(settings, process="prepare") as platform:
        await public_password.refuse_to_serve(platform.database, settings)
        first = await operators.first_run(platform.database)
        code = await first_run.open_code(platform.database, platform.sealer)
    if first is not None:
        _tell(first)
    if code is not None:
        say(f"Set it up in the browser: {public_url(settings)}/first-run/{code}")
        say()


def _tell(first: "FirstRun") -> None:
    say()
    say("First start. Your workspace and its owner:")
    say(f"  Workspace  {first.workspace_id}")
    say(f"  E-mail     {first.email}")
    say(f"  Password   {first.password}")
    say("Keep the password now: it is not shown again, and stored only as a hash.")
    say(f"To set another one: leadflood user set-password {first.email}")
    say()
