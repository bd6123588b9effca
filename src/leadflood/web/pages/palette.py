"""Items of the command palette: pages, actions, and leads that match the search."""

from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.domains.leads.labels import name_of
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.kernel.text import search_key
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import SIGNED_IN, Pages
from leadflood.web.responses import PageResponse, PageResult

pages = Pages()

_MIN_QUERY = 2
_LEADS = 6
_MAX_QUERY = 200


@dataclass(frozen=True, slots=True)
class PaletteCommand:
    """An item of the palette."""

    text: str
    href: str
    glyph: str
    keys: str | None = None
    note: str | None = None
    words: str = ""


@pages.get("/palette", SIGNED_IN)
async def show_palette(ctx: PageContext) -> PageResult:
    """The items that match the typed text."""
    typed = ctx.query.get("q", "")[:_MAX_QUERY].strip()
    commands = [
        PaletteCommand(place.text, place.href, place.icon, place.keys or None, words=place.words)
        for place in ctx.places(*ctx.navigation.items)
        if place.href != place.parent
    ]
    if typed:
        commands = [command for command in commands if _fits(command, typed)]
    return PageResponse("palette.html", {"typed": typed, "commands": commands, "leads": await _leads(ctx, typed)})


async def _leads(ctx: PageContext, typed: str) -> list[PaletteCommand]:
    if len(typed) < _MIN_QUERY or not ctx.may(LEADS_READ):
        return []
    async with ctx.reading() as tx:
        if (lead_id := _id(typed)) is not None:
            return [PaletteCommand(f"Lead {lead_id}", f"/leads/{lead_id}", "contact")]
        page = await leads.list_leads(tx, ctx.actor, filters=LeadFilter(q=typed), limit=_LEADS)
    return [
        PaletteCommand(name_of(item), f"/leads/{item.id}", "contact", note=item.company or item.email)
        for item in page.items
    ]


def _fits(command: PaletteCommand, typed: str) -> bool:
    text = search_key(f"{command.text} {command.words}")
    return all(any(word.startswith(part) for word in text.split()) for part in search_key(typed).split())


def _id(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None
