"""What the command palette offers: places, things to do, and leads that match what was typed."""

from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.kernel.actor import Permission
from leadflood.kernel.text import search_key
from leadflood.web.answers import Answer, Page
from leadflood.web.pages.lead_form import name_of
from leadflood.web.pipeline import SIGNED_IN, Pages
from leadflood.web.visit import Visit

pages = Pages()

_FEWEST = 2
_LEADS = 6
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the palette."""

    text: str
    href: str
    glyph: str
    keys: str | None = None
    note: str | None = None
    needs: Permission | None = None
    words: str = ""


COMMANDS = (
    Command("Home", "/", "house", "g h"),
    Command("Leads", "/leads", "contact", "g l", needs=Permission.LEADS_READ),
    Command("New lead", "/leads/new", "user-plus", "g n", needs=Permission.LEADS_WRITE, words="create add"),
    Command("Duplicates", "/duplicates", "users", needs=Permission.LEADS_READ, words="merge twice same dedupe"),
    Command("Import a file", "/imports/new", "upload", needs=Permission.LEADS_WRITE, words="csv xlsx upload leads"),
    Command("Imports", "/imports", "upload", needs=Permission.LEADS_READ, words="csv xlsx files undo"),
    Command("Export leads", "/leads/export", "download", needs=Permission.LEADS_READ, words="csv parquet ndjson"),
    Command("Exported files", "/exports", "download", needs=Permission.LEADS_READ, words="exports download"),
    Command("Jobs", "/jobs", "activity", "g j", needs=Permission.JOBS_READ, words="queue failed workers"),
    Command("Failed jobs", "/jobs?status=failed", "circle-x", needs=Permission.JOBS_READ, words="errors causes retry"),
    Command("Outbox", "/outbox", "send", "g o", needs=Permission.OUTBOX_READ, words="events dead letters replay"),
    Command("Profile and password", "/settings", "user", "g s", words="settings account name time zone"),
    Command("Appearance", "/settings/appearance", "moon", words="settings theme dark light"),
    Command("Sessions", "/settings/sessions", "monitor", words="settings devices sign out"),
    Command("Workspace", "/settings/workspace", "settings", needs=Permission.WORKSPACE_READ, words="settings name"),
    Command("Members", "/settings/members", "users", needs=Permission.MEMBERS_READ, words="settings invite people"),
    Command("API keys", "/settings/api-keys", "key-round", needs=Permission.KEYS_READ, words="settings token program"),
    Command("Audit log", "/settings/audit", "clock", needs=Permission.AUDIT_READ, words="settings history who"),
)


@pages.get("/palette", SIGNED_IN)
async def show_palette(visit: Visit) -> Answer:
    """The list for what was typed so far."""
    typed = visit.query.get("q", "")[:_LONGEST].strip()
    commands = [each for each in COMMANDS if each.needs is None or visit.may(each.needs)]
    if typed:
        commands = [each for each in commands if _fits(each, typed)]
    return Page("palette.html", {"typed": typed, "commands": commands, "leads": await _leads(visit, typed)})


async def _leads(visit: Visit, typed: str) -> list[Command]:
    if len(typed) < _FEWEST or not visit.may(Permission.LEADS_READ):
        return []
    async with visit.reading() as tx:
        if (lead_id := _id(typed)) is not None:
            return [Command(f"Lead {lead_id}", f"/leads/{lead_id}", "contact")]
        page = await leads.list_leads(tx, visit.actor, only=LeadFilter(q=typed), limit=_LEADS)
    return [
        Command(name_of(each), f"/leads/{each.id}", "contact", note=each.company or each.email) for each in page.items
    ]


def _fits(command: Command, typed: str) -> bool:
    text = search_key(f"{command.text} {command.words}")
    return all(any(word.startswith(part) for word in text.split()) for part in search_key(typed).split())


def _id(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None
