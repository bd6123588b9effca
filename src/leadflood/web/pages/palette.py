"""Items of the command palette: pages, actions, and leads that match the search."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.contracts.changesets import ChangesetView
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.domains.leads.labels import name_of
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.domains.leads.queries.changesets import list_changesets
from leadflood.kernel.text import search_key
from leadflood.web.page_context import PageContext
from leadflood.web.pages.changes_presenter import name_of as name_of_change
from leadflood.web.pipeline import SIGNED_IN, Pages
from leadflood.web.responses import PageResponse, PageResult

pages = Pages()

_MIN_QUERY = 2
_LEADS = 6
_CHANGES = 50
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


@dataclass(frozen=True, slots=True)
class PaletteAction:
    """An item of the palette that submits a form. `note`: what it is about."""

    text: str
    path: str
    glyph: str
    fields: Mapping[str, str]
    note: str | None = None


_THEMES: Final = (("light", "Light", "sun"), ("dark", "Dark", "moon"), ("system", "System", "monitor"))
_UNDO: Final = PaletteAction("Undo last change", "/changesets/{id}/undos", "rotate-cw", {})


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
        commands = [command for command in commands if _fits(f"{command.text} {command.words}", typed)]
    context = {"typed": typed, "commands": commands, "leads": await _leads(ctx, typed)}
    actions = {"undos": await _undos(ctx, typed), "themes": _themes(ctx, typed)} if typed else {}
    return PageResponse("palette.html", {"undos": (), "themes": (), **context, **actions})


def _themes(ctx: PageContext, typed: str) -> list[PaletteAction]:
    themes = [
        PaletteAction(f"Theme: {text}", "/settings/appearance", glyph, {"appearance": value, **_here(ctx)})
        for value, text, glyph in _THEMES
    ]
    return [theme for theme in themes if _fits(theme.text, typed)]


async def _undos(ctx: PageContext, typed: str) -> list[PaletteAction]:
    """The undo of the user's latest change, if the text is its beginning."""
    if not _UNDO.text.lower().startswith(search_key(typed)) or not ctx.may(LEADS_WRITE):
        return []
    async with ctx.reading() as tx:
        changes = (await list_changesets(tx, ctx.actor, limit=_CHANGES)).items
    last = next((change for change in changes if change.actor.id == ctx.actor.id and _is_undoable(ctx, change)), None)
    if last is None:
        return []
    return [replace(_UNDO, path=_UNDO.path.format(id=last.id), fields=_here(ctx), note=name_of_change(last))]


def _here(ctx: PageContext) -> Mapping[str, str]:
    """The page below the palette, which is shown after an action."""
    came_from = urlsplit(ctx.request.headers.get("referer", ""))
    return {"next": came_from._replace(scheme="", netloc="", fragment="").geturl()}


def _is_undoable(ctx: PageContext, change: ChangesetView) -> bool:
    until = change.dated(ctx.parts.settings.lead_retention_days).undo_until
    return until is not None and until > ctx.now


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


def _fits(text: str, typed: str) -> bool:
    words = search_key(text).split()
    return all(any(word.startswith(part) for word in words) for part in search_key(typed).split())


def _id(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None
