"""`leadflood user unlock` and `links`: ways in for people whom no mail reaches, or whom others lock out."""

import typer

from leadflood.cli.output import note, say, visible
from leadflood.cli.workspace import open_platform, operator, run

_EMAIL = typer.Argument(help="The user's e-mail address.")


def register(app: typer.Typer) -> None:
    """Add the commands to `leadflood user`."""
    app.command("unlock")(_unlock)
    app.command("links")(_list_links)


def _unlock(email: str = _EMAIL) -> None:
    """Let a user sign in whom wrong passwords of others lock out, and print a link for the user's browser.

    The link lasts 15 minutes and replaces no password: opened in a browser, it lets that browser sign in however often
    others fail.

    Example: `leadflood user unlock ada@acme.com`
    """

    async def work() -> None:
        from leadflood.domains.identity.service import operators
        from leadflood.kernel.origin import public_url

        async with open_platform() as platform:
            code = await operators.unlock_user(platform.database, operator(), platform.sealer, email=email)
            say(f"{public_url(platform.settings)}/sign-in/device/{code}")
        note("Signing in is unlocked. Open the link in the user's browser within 15 minutes.")

    run(work())


def _list_links(email: str = _EMAIL) -> None:
    """Print the links that mails to an address carry now: invitations, and the change of an account to this address.

    For installations without a mail server. Whoever opens a link is taken for the reader of that mailbox: pass it on to
    nobody else.

    Example: `leadflood user links ada@acme.com`
    """

    async def work() -> None:
        from leadflood.domains.email_changes import models as changes
        from leadflood.domains.email_changes import queries as change_queries
        from leadflood.domains.identity.service.operators import parsed_email
        from leadflood.domains.invitations import models as invitations
        from leadflood.domains.invitations import queries as invitation_queries
        from leadflood.kernel.origin import public_url

        address = parsed_email(email)
        async with open_platform() as platform:
            async with platform.database.system(read_only=True) as tx:
                letters = await invitation_queries.letters_to(tx, address)
                pending = await change_queries.pending_to(tx, address)
            url, sealer = public_url(platform.settings), platform.sealer
        for letter in letters:
            token = invitations.LINK.token(sealer, letter.invitation.id, letter.invitation.sends)
            say(f"Join {visible(letter.workspace)}: {invitations.LINK.url(url, token)}")
        for change in pending:
            token = changes.LINK.token(sealer, change.id, change.sending)
            say(f"Use the address for {visible(change.former.display)}: {changes.LINK.url(url, token)}")
        if not letters and not pending:
            note("No mail to this address carries a link that works now.")

    run(work())
