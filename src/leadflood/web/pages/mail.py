"""Emails captured by the development mail server, of all workspaces. None was delivered."""

import asyncio
from pathlib import Path

from leadflood.dev_mail import messages
from leadflood.kernel.actor import Permission
from leadflood.kernel.errors import NotFound
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult

pages = Pages()

_ROWS = 100
_MAX_TEXT = 50_000
_MAX_HEAD = 16_000
"""Maximum characters of a message on the page."""


class MailCaptureOff(NotFound):
    """Emails of this installation are sent to a real server, or not at all."""

    code = "mail_capture_off"
    title = "Email capture is off"

    def __init__(self) -> None:
        super().__init__(
            "`leadflood up` shows emails here in development, unless LEADFLOOD_SMTP_URL names a mail server. "
            "Delivery status is on the Members page."
        )


@pages.get("/mail", Permission.INSTANCE, live=("mail_list",))
async def list_mails(ctx: PageContext) -> PageResult:
    """The newest messages, newest first."""
    _require_catcher(ctx)
    found = await asyncio.to_thread(messages.list_messages, _folder(ctx), _ROWS)  # noqa: TID251  small files, in development
    return PageResponse("mail/list.html", {"mails": found, "most": _ROWS})


@pages.get("/mail/{id}", Permission.INSTANCE)
async def show_mail(ctx: PageContext) -> PageResult:
    """One message: text, sanitized HTML, and headers."""
    _require_catcher(ctx)
    mail = await asyncio.to_thread(messages.read_message, _folder(ctx), ctx.id())  # noqa: TID251  as above
    head = mail.raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode("utf-8", "replace")
    text, html = mail.text[:_MAX_TEXT], mail.html
    context = {
        "mail": mail,
        "text": text,
        "html": html if html is not None and len(html) <= _MAX_TEXT else None,
        "is_cut": len(text) < len(mail.text) or (html is not None and len(html) > _MAX_TEXT),
        "head": head[:_MAX_HEAD],
    }
    return PageResponse("mail/mail.html", context)


def _folder(ctx: PageContext) -> Path:
    return messages.mail_folder(ctx.parts.settings.home)


def _require_catcher(ctx: PageContext) -> None:
    if not messages.is_in_use(ctx.parts.settings):
        raise MailCaptureOff
