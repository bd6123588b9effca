"""A workspace full of leads, and what a list of them must be, worked out in Python."""

import asyncio
import random
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from leadflood.domains.leads.contracts import LeadView
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.domains.leads.models import LeadStatus
from leadflood.domains.leads.queries.orders import RELATED
from leadflood.domains.leads.service.found_values import set_found_values
from leadflood.kernel.actor import Role
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.sql import sql
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.filters import Condition, Group
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
TITLES = ("Chief Engineer", "Geschäftsführer", "VP, R&D", None)
WEBSITES = ("https://acme.com", None)
NOTES = ("met in Zürich", "5 seats", None)
UMLAUTS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ø": "oe", "Ø": "Oe", "å": "aa", "Å": "Aa"}
)
VALUES: dict[str, Callable[[LeadView], Any]] = {
    "email": lambda lead: lead.email,
    "firstName": lambda lead: lead.first_name,
    "lastName": lambda lead: lead.last_name,
    "company": lambda lead: lead.company,
    "jobTitle": lambda lead: lead.job_title,
    "phone": lambda lead: lead.phone,
    "website": lambda lead: lead.website,
    "country": lambda lead: lead.country,
    "source": lambda lead: lead.source,
    "status": lambda lead: lead.status,
    "owner": lambda lead: lead.owner_id,
    "createdAt": lambda lead: lead.created_at,
    "updatedAt": lambda lead: lead.updated_at,
    "enrichedAt": lambda lead: lead.enriched_at,
}
"""Value of each filter field, except the search."""
TEXTS = {"email", "firstName", "lastName", "company", "jobTitle", "phone", "website"}

# Times with ties, so that pages are cut between rows that sort alike.
_SPREAD = sql("""
UPDATE leads SET status = :status, created_at = :created_at, updated_at = :updated_at, enriched_at = :enriched_at
WHERE workspace_id = :workspace_id AND id = :id
""")


@dataclass(frozen=True)
class Corpus:
    """Some leads, with the values that count: found ones where they have none of their own."""

    desk: Desk
    leads: Sequence[LeadView]
    owners: Sequence[UUID]


async def plant(desk: Desk, identity: Identity) -> Corpus:
    """Create the leads through the verb, then give them a past and a state."""
    random_unit = random.Random(20260301)  # noqa: S311  the same leads each time
    owners = [(await identity.new_member(desk.actor.workspace_id, Role.MEMBER)).id for _ in range(2)]
    made = await asyncio.gather(*(desk.create(**_fields(random_unit, number, owners)) for number in range(SIZE)))
    start = datetime.fromisoformat("2026-03-01T09:30:00.123456+00:00")
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        for item in made:
            row = {
                "workspace_id": desk.actor.workspace_id,
                "id": item.lead_id,
                "status": random_unit.choice(list(LeadStatus)),
                "created_at": start + timedelta(minutes=random_unit.randrange(25)),
                "updated_at": start + timedelta(days=1, microseconds=random_unit.randrange(25)),
                "enriched_at": random_unit.choice(
                    [None, start, utc_now() - timedelta(days=random_unit.randrange(1, 9), hours=1)]
                ),
            }
            await tx.execute(_SPREAD, row)
        found = {item.lead_id: _found(random_unit) for item in made}
        await set_found_values(tx, desk.actor, found=found)
    return Corpus(desk, [_effective(await desk.get(item.lead_id), found[item.lead_id]) for item in made], owners)


def _found(random_unit: random.Random) -> dict[str, str]:
    """Found values of some fields, whether the lead has others or not."""
    fields = {
        "first_name": random_unit.choice((*FIRST, None)),
        "last_name": random_unit.choice(LAST) or None,
        "company": random_unit.choice(COMPANIES),
        "job_title": random_unit.choice(TITLES),
        "phone": random_unit.choice([None, "+49301234567"]),
        "country": random_unit.choice(COUNTRIES),
        "website": random_unit.choice(WEBSITES),
    }
    return {name: value for name, value in fields.items() if value is not None and random_unit.random() < 0.5}


def _effective(lead: LeadView, found: Mapping[str, str]) -> LeadView:
    """The lead with the values that count."""
    return lead.model_copy(update={name: getattr(lead, name) or value for name, value in found.items()})


def _fields(random_unit: random.Random, number: int, owners: Sequence[UUID]) -> dict[str, Any]:
    fields = {
        "email": f"{random_unit.choice('aäbzø')}{number}.{random_unit.choice('xy_+')}@{random_unit.choice(DOMAINS)}",
        "firstName": random_unit.choice((*FIRST, None)),
        "lastName": random_unit.choice(LAST) or None,
        "company": random_unit.choice(COMPANIES),
        "source": random_unit.choice(SOURCES),
        "country": random_unit.choice(COUNTRIES),
        "phone": random_unit.choice([None, None, "+44 20 7946 0958"]),
        "jobTitle": random_unit.choice(TITLES),
        "website": random_unit.choice(WEBSITES),
        "ownerId": random_unit.choice([None, *map(str, owners)]),
    }
    note = random_unit.choice(NOTES)
    return {name: value for name, value in fields.items() if value is not None} | {
        "customFields": {"note": note, "seats": 5} if note else {}
    }


def expected(leads: Sequence[LeadView], filters: LeadFilter, sort: LeadSort) -> list[UUID]:
    """The ids that a list must show, in order."""
    shown = [lead for lead in leads if _shown(lead, filters)]
    sorted_by = {lead.id: _sorted_by(lead, sort) for lead in shown}
    first = [lead for lead in shown if sorted_by[lead.id] is not None]
    last = [lead for lead in shown if sorted_by[lead.id] is None]
    first.sort(key=lambda lead: (sorted_by[lead.id], lead.id), reverse=sort.descending)
    last.sort(key=lambda lead: lead.id, reverse=sort.descending)
    return [lead.id for lead in (*first, *last)]


def _sorted_by(lead: LeadView, sort: LeadSort) -> tuple[Any, ...] | None:
    """Sort key before the ID; None for leads without a value, which come last."""
    name = " ".join(part for part in (lead.first_name, lead.last_name) if part)
    texts = {"name": name, "company": lead.company, "job_title": lead.job_title}
    if sort.column in texts:
        text = texts[sort.column]
        return (search_key(text).encode(),) if text else None
    if sort.column in RELATED:
        return None
    if sort.column == "email_norm":
        return (parse_email(lead.email).norm.encode(),)
    value = getattr(lead, sort.column)
    return (value, lead.created_at) if sort.column in {"status", "source"} else (value,)


def _shown(lead: LeadView, filters: LeadFilter) -> bool:
    return _meets(lead, filters.whole)


def _meets(lead: LeadView, part: Condition | Group) -> bool:
    if isinstance(part, Group):
        met = [_meets(lead, item) for item in part.parts]
        return all(met) if part.match == "all" or not met else any(met)
    if part.field == "search":
        return _matches(lead, part.value)
    value = VALUES[part.field](lead)
    if part.operator in {"isEmpty", "isNotEmpty"}:
        return (value is None) == (part.operator == "isEmpty")
    if value is None:
        return part.operator == "isNot"
    if isinstance(value, datetime):
        return _in_time(value, part)
    fold = search_key if part.field in TEXTS else str
    wanted = [fold(item) for item in (part.value if isinstance(part.value, tuple) else (part.value,))]
    found = fold(str(value))
    return {
        "is": found == wanted[0],
        "isNot": found != wanted[0],
        "isAnyOf": found in wanted,
        "contains": wanted[0] in found,
        "startsWith": found.startswith(wanted[0]),
    }[part.operator]


def _in_time(value: datetime, part: Condition) -> bool:
    if part.operator == "inLastDays":
        return value >= utc_now() - timedelta(days=part.value)
    times = [datetime.fromisoformat(item) for item in (part.value if isinstance(part.value, tuple) else (part.value,))]
    return {
        "onOrAfter": value >= times[0],
        "before": value < times[0],
        "between": times[0] <= value < times[-1],
    }[part.operator]


SEPARATORS = '[,;/|\\\\"\u00ab\u00bb\u201c-\u201f()\\[\\]{}<>!?*:&]'


def _matches(lead: LeadView, needle: str) -> bool:
    """One or two letters or digits are looked for at the beginning of words, anything else anywhere."""
    name = " ".join(part for part in (lead.first_name, lead.last_name) if part)
    custom = [value for value in lead.custom_fields.values() if isinstance(value, str)]
    texts = [name, lead.email, lead.company or "", lead.job_title or "", lead.phone or "", *custom]
    words = [word for text in texts for word in unicodedata.normalize("NFC", text).split()]
    keys = [*map(search_key, texts), *map(search_key, filter(None, map(_spelled, words)))]
    sought = needle.split()
    numbers = "".join(item for item in needle if item.isdigit()).lstrip("0")
    if sought and len(numbers) > 4 and not re.search("[^0-9 +()./-]", needle) and any(numbers in key for key in keys):
        return True
    words = [word for word in sought if _separated(word)] or sought
    return all(
        _is_found(keys, word) or (_separated(word) != [] and all(_is_found(keys, part) for part in _separated(word)))
        for word in words
    )


def _is_found(keys: Sequence[str], word: str) -> bool:
    return any(_has(keys, search_key(item)) for item in (word, _spelled(word)) if item)


def _separated(word: str) -> list[str]:
    """Parts of a word between its punctuation. Full stops and hyphens are within words of addresses."""
    parts = [part for item in re.split(SEPARATORS, word) if (part := item.rstrip("'`\u2019.-").lstrip("'`\u2019"))]
    return parts if re.search("[@.]", "".join(parts)) else [part for item in parts for part in item.split("-") if part]


def _spelled(word: str) -> str:
    """A word with umlauts as it is spelled without; empty for any other."""
    composed = unicodedata.normalize("NFC", word)
    return composed.translate(UMLAUTS) if set(composed) & set(map(chr, UMLAUTS)) else ""


def _has(keys: Sequence[str], key: str) -> bool:
    if re.fullmatch("[a-z0-9]{1,2}", key):
        return any(word.startswith(key) for part in keys for word in part.split())
    return any(key in part for part in keys)
