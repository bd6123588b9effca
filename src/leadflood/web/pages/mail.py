"""Mails that the development mail catcher of this machine has caught, of all workspaces. None was delivered."""

import asyncio
from pathlib import Path

from leadflood.kernel import mail_catcher
from leadflood.kernel.actor import Permission
from leadflood.kernel.errors import NotFound
from leadflood.web.answers import Answer, Page
from leadflood.web.pipeline import Pages
from leadflood.web.visit import Visit

pages = Pages()

_ROWS = 100
_LONGEST_TEXT = 50_000
_LONGEST_HEAD = 16_000
"""Characters of a message that are shown: a page is no place for a megabyte."""


class MailNotCaught(NotFound):
    """Mails of this installation go to a real server, or nowhere."""

    code = "mail_not_caught"
    title = "Mails are not caught here"

    def __init__(self) -> None:
        super().__init__(
            "`leadflood up` shows mails here in development, unless LEADFLOOD_SMTP_URL names a mail server. This "
            "installation sends its mails, or has no server for them; the page of members says what became of them."
        )


@pages.get("/mail", Permission.INSTANCE, live=("mail_list",))
async def list_mails(visit: Visit) -> Answer:
    """The newest messages, newest first."""
    _require_catcher(visit)
    found = await asyncio.to_thread(mail_catcher.list_messages, _folder(visit), _ROWS)  # noqa: TID251  small files, in development
    return Page("mail/list.html", {"mails": found, "most": _ROWS})


@pages.get("/mail/{id}", Permission.INSTANCE)
async def show_mail(visit: Visit) -> Answer:
    """One message: its text, the same in HTML made safe, and its head."""
    _require_catcher(visit)
    mail = await asyncio.to_thread(mail_catcher.read_message, _folder(visit), visit.id())  # noqa: TID251  as above
    head = mail.raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode("utf-8", "replace")
    text, html = mail.text[:_LONGEST_TEXT], mail.html
    context = {
        "mail": mail,
        "text": text,
        "html": html if html is not None and len(html) <= _LONGEST_TEXT else None,
        "is_cut": len(text) < len(mail.text) or (html is not None and len(html) > _LONGEST_TEXT),
        "head": head[:_LONGEST_HEAD],
    }
    return Page("mail/mail.html", context)


def _folder(visit: Visit) -> Path:
    return mail_catcher.folder_of(visit.parts.settings.home)


def _require_catcher(visit: Visit) -> None:
    if not mail_catcher.is_in_use(visit.parts.settings):
        raise MailNotCaught
