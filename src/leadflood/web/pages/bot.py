"""Page for owners of websites: explanation of our crawler, and how to opt out."""

from leadflood.domains.identity.queries.instance import first_owner_email
from leadflood.kernel.door.robots import TOKEN
from leadflood.kernel.door.user_agent import PAGE
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages, Public
from leadflood.web.responses import PageResponse, PageResult

pages = Pages()


@pages.get(PAGE, Public("the user agent of our requests links to it"))
async def show_bot(ctx: PageContext) -> PageResult:
    """The purpose of the crawler, its rules, the lines for robots.txt, and the contact."""
    contact = ctx.parts.settings.crawler_contact
    if not contact:
        async with ctx.parts.database.system(read_only=True) as tx:
            contact = await first_owner_email(tx) or ""
    return PageResponse("bot.html", {"token": TOKEN, "contact": contact, "is_email": "@" in contact})
