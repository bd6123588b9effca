"""Messages to people outside the pages, in a showcase: invitations, development mail, the setup link."""

import asyncio
from contextlib import suppress
from pathlib import Path

from leadflood.dev_mail.messages import mail_folder, save_message
from leadflood.domains.email_changes import queries
from leadflood.domains.email_changes import service as email_changes
from leadflood.domains.email_changes.models import LINK as EMAIL_CHANGE
from leadflood.domains.identity.contracts import ChangeEmail
from leadflood.domains.identity.errors import UserExists
from leadflood.domains.identity.models import FIRST_OWNER_EMAIL, FIRST_WORKSPACE
from leadflood.domains.identity.permissions import ACCOUNT
from leadflood.domains.identity.service import administration, first_run
from leadflood.domains.invitations import service
from leadflood.domains.invitations.contracts import CreateInvitation
from leadflood.domains.invitations.models import LINK
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.clock import utc_now
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.ids import new_id
from leadflood.kernel.mail import Mail, Mailer
from tests.support.identity import CLI, PASSWORD
from tests.support.mail import Open
from tests.support.showcase import Showcase


async def add_letters(showcase: Showcase, home: Path) -> None:
    """Invite some, catch mails in this data folder, and leave the first owner to be set up: see `showcase.links`."""
    for role in ("viewer", "admin"):
        showcase.links["invitation"] = await invite(showcase, role)
    showcase.links["email_change"] = await _change_email(showcase)
    showcase.links["mail"] = f"/mail/{await asyncio.to_thread(_catch, mail_folder(home))}"
    showcase.links["first_run"] = await _first_run(showcase)


async def invite(showcase: Showcase, role: str) -> str:
    """Invite somebody. Returns where the mail's link leads."""
    command = CreateInvitation.model_validate({"email": f"{role}.{new_id().hex[-6:]}@partner.example", "role": role})
    async with showcase.parts.database.transaction(showcase.workspace_id) as tx:
        made = await service.invite(tx, showcase.actor, showcase.parts.secret_box, command=command)
    return f"/invitations/{LINK.token(showcase.parts.secret_box, made.id, made.sends)}"


async def _change_email(showcase: Showcase) -> str:
    parts = showcase.parts
    email = f"margaret.{new_id().hex[-6:]}@partner.example"
    person = await administration.create_user(parts.database, CLI, email=email, name="Margaret", password=PASSWORD)
    actor = Actor(ActorKind.USER, showcase.workspace_id, frozenset({ACCOUNT}), user_id=person.id, session_id=new_id())
    wanted = ChangeEmail.model_validate({"email": f"new-{email}", "currentPassword": PASSWORD})
    await email_changes.request_change(parts.database, parts.settings, parts.secret_box, actor, change=wanted)
    async with parts.database.system(read_only=True) as tx:
        change = await queries.pending(tx, person.id)
    assert change is not None
    return f"/email-changes/{EMAIL_CHANGE.token(parts.secret_box, change.id, change.sending)}"


def _catch(folder: Path) -> object:
    to = parse_email("ada@partner.example")
    text = "Margaret Hamilton invites you.\n\nAccept the invitation:\nhttps://leads.example/invitations/x\n"
    html = '<p>Margaret Hamilton invites you.</p><p><a href="https://leads.example/">Accept the invitation</a></p>'
    mails = [Mail(str(number), to, f"Letter {number} 📬", text, html) for number in range(3)]
    composer = Mailer(None, "LEAD-FLOOD <no-reply@leadflood.local>", gate=Open())
    kept = [
        save_message(folder, sender="no-reply@leadflood.local", recipients=[to.display], content=bytes(mail))
        for mail in map(composer.compose, mails)
    ]
    return kept[-1]


async def _first_run(showcase: Showcase) -> str:
    database = showcase.parts.database
    with suppress(UserExists):  # of an earlier showcase in this database
        await administration.create_user(database, CLI, email=FIRST_OWNER_EMAIL, name="Owner", password=PASSWORD)
        await administration.create_workspace(database, CLI, name=FIRST_WORKSPACE, owner_email=FIRST_OWNER_EMAIL)
    return f"/first-run/{await first_run.open_code(database, showcase.parts.secret_box, now=utc_now())}"
