"""Identity of a person: the leads, and the values that identify the person in texts."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any
from uuid import UUID

from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.email_address import EmailAddress
from leadflood.kernel.subjects import DataSubject

_MIN_LENGTH = 5
"""Minimum characters of a text that identifies a person."""

# Leads by id or address, and those that have the same address, deleted ones included.
_SAME = sql("""
WITH given AS (
    SELECT email_norm FROM leads WHERE workspace_id = :workspace_id AND id = ANY (:ids::uuid[])
    UNION SELECT address COLLATE "C" FROM unnest(:addresses::text[]) AS a (address)
)
SELECT id FROM leads WHERE workspace_id = :workspace_id AND id = ANY (:ids::uuid[])
UNION
SELECT l.id FROM given JOIN leads l ON l.workspace_id = :workspace_id AND l.email_norm = given.email_norm
WHERE l.deleted_at IS NULL
UNION
SELECT l.id FROM leads l
WHERE l.workspace_id = :workspace_id AND l.deleted_at IS NOT NULL AND l.email_norm IN (SELECT email_norm FROM given)
""")

# Identifying values of leads.
_IDENTIFIERS = sql("""
SELECT email, email_norm, first_name, last_name, phone FROM leads
WHERE workspace_id = :workspace_id AND id = ANY (:ids::uuid[])
""")

# Old and new values of the changes of leads.
_CHANGES = sql("""
SELECT data -> 'changes' AS changes FROM lead_events
WHERE workspace_id = :workspace_id AND lead_id = ANY (:ids::uuid[]) AND data ? 'changes'
""")

# Other leads that these were once merged with, and how their entries about that are identified.
_PARTNERS = sql("""
SELECT coalesce(data ->> 'otherId', data ->> 'survivorId')::uuid AS lead_id, data ->> 'mergeId' AS merge_id,
       CASE WHEN kind = 'lead.restored' AND data ? 'undo' THEN data ->> 'changesetId' END AS changeset_id
FROM lead_events
WHERE workspace_id = :workspace_id AND lead_id = ANY (:ids::uuid[])
  AND kind IN ('lead.merged', 'lead.merged_into', 'lead.unmerged', 'lead.restored')
""")


async def same_leads(
    tx: Transaction, actor: Actor, *, lead_ids: Iterable[UUID] = (), addresses: Iterable[str] = ()
) -> frozenset[UUID]:
    """The leads with these IDs or emails, deleted ones included, and all others with the same emails."""
    values = {"workspace_id": actor.workspace_id, "ids": sorted(lead_ids), "addresses": sorted(addresses)}
    return frozenset(row.id for row in await tx.all(_SAME, values))


async def data_subject(
    tx: Transaction, actor: Actor, *, lead_ids: frozenset[UUID], address: EmailAddress | None = None
) -> DataSubject:
    """The person of these leads. `address`: the given one.

    Earlier addresses are searched for in texts only: a lead that has one now may be another person.
    """
    values = {"workspace_id": actor.workspace_id, "ids": sorted(lead_ids)}
    leads: list[dict[str, Any]] = [dict(row) for row in await tx.all(_IDENTIFIERS, values)]
    addresses = {lead[name] for lead in leads for name in ("email", "email_norm")}
    if address is not None:
        addresses |= {address.display, address.norm}
    known = leads + [change for row in await tx.all(_CHANGES, values) for change in _values_of(row.changes)]
    emails = {lead["email"] for lead in known if lead.get("email")}
    phones = {number for lead in known if (phone := lead.get("phone")) for number in (phone, phone.partition(";")[0])}
    texts = {text for text in (*emails, *phones, *_full_names(known)) if len(text) >= _MIN_LENGTH}
    return DataSubject(lead_ids, frozenset(item.lower() for item in addresses), frozenset(texts))


async def merge_partners(tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID]) -> dict[str, list[Any]]:
    """Leads that these were once merged with and no longer are, with those merges and changesets."""
    rows = await tx.all(_PARTNERS, {"workspace_id": actor.workspace_id, "ids": list(lead_ids)})
    return {
        "partner_ids": sorted({row.lead_id for row in rows if row.lead_id} - set(lead_ids)),
        "merge_ids": sorted({row.merge_id for row in rows if row.merge_id}),
        "merge_changeset_ids": sorted({row.changeset_id for row in rows if row.changeset_id}),
    }


def _full_names(known: Iterable[dict[str, Any]]) -> set[str]:
    firsts, lasts = set[str](), set[str]()
    for lead in known:
        firsts |= {lead["first_name"]} if lead.get("first_name") else set()
        lasts |= {lead["last_name"]} if lead.get("last_name") else set()
    pairs = list(product(firsts, lasts))
    return {f"{first} {last}" for first, last in pairs} | {f"{last}, {first}" for first, last in pairs}


def _values_of(changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Values of each field before and after the changes."""
    return [
        {name: value}
        for name, pair in changes.items()
        if isinstance(pair, list)
        for value in pair
        if isinstance(value, str)
    ]
