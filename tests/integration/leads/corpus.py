"""A workspace full of leads, and what a list of them must be, worked out in Python."""

import asyncio
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from leadflood.domains.leads.contracts import LeadView
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.domains.leads.models import LeadStatus
from leadflood.kernel.actor import Role
from leadflood.kernel.db.sql import sql
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.text import search_key
from tests.integration.leads.desk import Desk
from tests.support.identity import Identity

SIZE = 150
FIRST = ("José", "Zoë", "Ada", "İpek", "Łukasz", "عمر", "O'Neil", "Ana_Maria", "50%", "李", "Søren", "a", "Strauß")
LAST = ("Müller", "Lovelace", "Nguyễn", "de la Cruz", "Čapek", "\\Backslash", "Percent%", "Under_score", "Ng", "")
COMPANIES = ("Acme", "Straße & Söhne", "100% Organic", "C:\\Temp", "snake_case GmbH", "株式会社", "Zöe's", None)
DOMAINS = ("acme.com", "bücher.example", "mail.test", "x-y.org")
COUNTRIES = ("GB", "DE", "NZ", None)
SOURCES = ("api", "web-form", "import:2026-03")

# Times with ties, so that pages are cut between rows that sort alike.
_SPREAD = sql("""
UPDATE leads SET status = :status, created_at = :created_at, updated_at = :updated_at
WHERE workspace_id = :workspace_id AND id = :id
""")


@dataclass(frozen=True)
class Corpus:
    """Some leads, as they are stored."""

    desk: Desk
    leads: Sequence[LeadView]
    owners: Sequence[UUID]


async def plant(desk: Desk, identity: Identity) -> Corpus:
    """Create the leads through the verb, then give them a past and a state."""
    chance = random.Random(20260301)  # noqa: S311  the same leads each time
    owners = [(await identity.new_member(desk.actor.workspace_id, Role.MEMBER)).id for _ in range(2)]
    made = await asyncio.gather(*(desk.create(**_fields(chance, number, owners)) for number in range(SIZE)))
    start = datetime.fromisoformat("2026-03-01T09:30:00.123456+00:00")
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        for each in made:
            row = {
                "workspace_id": desk.actor.workspace_id,
                "id": each.lead_id,
                "status": chance.choice(list(LeadStatus)),
                "created_at": start + timedelta(minutes=chance.randrange(25)),
                "updated_at": start + timedelta(days=1, microseconds=chance.randrange(25)),
            }
            await tx.execute(_SPREAD, row)
    return Corpus(desk, [await desk.get(each.lead_id) for each in made], owners)


def _fields(chance: random.Random, number: int, owners: Sequence[UUID]) -> dict[str, Any]:
    fields = {
        "email": f"{chance.choice('aäbzø')}{number}.{chance.choice('xy_+')}@{chance.choice(DOMAINS)}",
        "firstName": chance.choice(FIRST),
        "lastName": chance.choice(LAST) or None,
        "company": chance.choice(COMPANIES),
        "source": chance.choice(SOURCES),
        "country": chance.choice(COUNTRIES),
        "phone": chance.choice([None, None, "+44 20 7946 0958"]),
        "ownerId": chance.choice([None, *map(str, owners)]),
    }
    return {name: value for name, value in fields.items() if value is not None}


def expected(leads: Sequence[LeadView], only: LeadFilter, sort: LeadSort) -> list[UUID]:
    """The ids that a list must show, in order."""
    ordered = sorted(leads, key=lambda lead: (_sorted_by(lead, sort), lead.id), reverse=sort.descending)
    return [lead.id for lead in ordered if _shown(lead, only)]


def _sorted_by(lead: LeadView, sort: LeadSort) -> Any:  # noqa: ANN401  times or texts
    columns = {"created_at": lead.created_at, "updated_at": lead.updated_at}
    return columns.get(sort.column) or parse_email(lead.email).norm


def _shown(lead: LeadView, only: LeadFilter) -> bool:
    chosen = (
        (only.statuses, lead.status),
        (only.sources, lead.source),
        (only.countries, lead.country),
    )
    return (
        _matches(lead, only.q)
        and all(not wanted or value in wanted for wanted, value in chosen)
        and (only.owner_id is None or lead.owner_id == only.owner_id)
        and (not only.unowned or lead.owner_id is None)
        and (only.has_phone is None or (lead.phone is not None) == only.has_phone)
        and (only.created_from is None or lead.created_at >= only.created_from)
        and (only.created_until is None or lead.created_at < only.created_until)
        and (only.updated_from is None or lead.updated_at >= only.updated_from)
        and (only.updated_until is None or lead.updated_at < only.updated_until)
    )


def _matches(lead: LeadView, needle: str | None) -> bool:
    """One or two letters or digits are looked for at the beginning of words, anything else anywhere."""
    name = " ".join(part for part in (lead.first_name, lead.last_name) if part)
    key, keys = search_key(needle or ""), [search_key(part or "") for part in (name, lead.email, lead.company)]
    if re.fullmatch("[a-z0-9]{1,2}", key):
        return any(word.startswith(key) for part in keys for word in part.split())
    return any(key in part for part in keys)
