"""`leadflood user unlock` and `links`: access for users who receive no email, or who were locked out."""

from typing import TYPE_CHECKING

import typer

from leadflood.cli.context import open_platform, operator, run
from leadflood.cli.output import note, say, visible

if TYPE_CHECKING:
    from leadflood.kernel.crypto import MailedLink

_EMAIL = typer.Argument(help="The user's email.")


def register(app: typer.Typer) -> None:
    """Add the commands to `leadflood user`."""
    app.command("unlock")(_unlock)
    app.command("links")(_list_links)


def _unlock(email: str = _EMAIL) -> None:
    """Unlock sign-in for a user after too many wrong passwords, and print a link for the user's browser.

    The link expires in 15 minutes. It trusts the browser that opens it; the user still needs the password.

    Example: `leadflood user unlock ada@acme.com`
    """

    async def work() -> None:
        from leadflood.domains.identity.service import administration
        from leadflood.kernel.public_url import public_url

        async with open_platform() as platform:
            code = await administration.unlock_user(platform.database, operator(), platform.secret_box, email=email)
            say(f"{public_url(platform.settings)}/sign-in/device/{code}")
        note("Sign-in unlocked. Open the link in the user's browser within 15 minutes.")

    run(work())


def _list_links(email: str = _EMAIL) -> None:
    """Print the active links emailed to an address: invitations and email changes.

    For installations without a mail server. A link proves ownership of the mailbox; share it only with its owner.

    Example: `leadflood user links ada@acme.com`
    """

    async def work() -> None:
        from leadflood.domains.email_changes import models as changes
        from leadflood.domains.email_changes import queries as change_queries
        from leadflood.domains.identity.service.administration import parsed_email
        from leadflood.domains.invitations import models as invitations
        from leadflood.domains.invitations import queries as invitation_queries
        from leadflood.kernel.public_url import public_url

        address = parsed_email(email)
        async with open_platform() as platform:
            async with platform.database.system(read_only=True) as tx:
                letters = await invitation_queries.invitation_emails_to(tx, address)
                pending = await change_queries.pending_to(tx, address)
            url, secret_box = public_url(platform.settings), platform.secret_box
        for letter in letters:
            found = letter.invitation
            token = invitations.LINK.token_with_hash(secret_box, found.id, found.sends, letter.token_hash)
            say(f"Join {visible(letter.workspace)}: {_url(invitations.LINK, url, token)}")
        for change in pending:
            token = changes.LINK.token_with_hash(secret_box, change.id, change.sending, change.token_hash)
            say(f"Confirm the email of {visible(change.former.display)}: {_url(changes.LINK, url, token)}")
        if not letters and not pending:
            note("No active links for this email.")

    run(work())


def _url(link: "MailedLink", public_url: str, token: str | None) -> str:
    if token is None:
        return "made with a secret key that is not known. Resend the email."
    return link.url(public_url, token)
