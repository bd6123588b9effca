"""SQL that merges and splits companies."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.companies.models import CompanySource, MergeKind, company_sort_key
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

# Companies in any state, locked in ID order. NO KEY: links to them can still be written.
_LOCK = sql("""
SELECT id, domain, name, status, source, version, deleted_at, merged_into FROM companies
WHERE workspace_id = :workspace_id AND id = ANY (:company_ids::uuid[]) ORDER BY id FOR NO KEY UPDATE
""")

# The domains of a company, locked in their order: new links by them wait.
_LOCK_DOMAINS = sql("""
SELECT domain FROM company_domains WHERE workspace_id = :workspace_id AND company_id = :company_id
ORDER BY domain FOR UPDATE
""")

# The same without waiting for others: whether all of the domains are locked.
_TRY_LOCK_DOMAINS = sql("""
WITH locked AS (
    SELECT domain FROM company_domains
    WHERE workspace_id = :workspace_id AND company_id = ANY (:company_ids::uuid[])
    FOR UPDATE SKIP LOCKED
)
SELECT (SELECT count(*) FROM locked) = (
    SELECT count(*) FROM company_domains WHERE workspace_id = :workspace_id AND company_id = ANY (:company_ids::uuid[]))
""")

# Move domains from one company to another.
_MOVE_DOMAINS = sql("""
UPDATE company_domains SET company_id = :to_id
WHERE workspace_id = :workspace_id AND company_id = :from_id AND domain = ANY (:domains::text[])
""")

# Move the leads that belong to a company by these domains, and those named.
_MOVE_LEADS = sql("""
UPDATE company_leads SET company_id = :to_id
WHERE workspace_id = :workspace_id AND company_id = :from_id
  AND CASE WHEN pinned THEN lead_id = ANY (:pinned::uuid[]) ELSE domain = ANY (:domains::text[]) END
""")

# The leads that a person linked to a company.
_PINNED = sql(
    "SELECT lead_id FROM company_leads WHERE workspace_id = :workspace_id AND company_id = :company_id AND pinned"
)

# Make a company part of another one, or a company of its own again.
_SET_MERGED = sql("""
UPDATE companies SET merged_into = :into_id, version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :company_id AND (merged_into IS NULL) = (:into_id::uuid IS NOT NULL)
""")

# Set name and main domain of a company.
_SET_TITLE = sql("""
UPDATE companies SET name = :name, domain = :domain, sort_key = :sort_key, version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :company_id
""")

# A company for domains that are split off.
_INSERT = sql("""
INSERT INTO companies (workspace_id, id, domain, name, sort_key, status, source)
VALUES (:workspace_id, :company_id, :domain, :name, :sort_key, 'provisional', :source)
""")

# Record a merge or split.
_RECORD = sql("""
INSERT INTO company_merges (workspace_id, id, kind, company_id, other_id, domains, pinned_leads, took_name, was_main)
VALUES (:workspace_id, :id, :kind, :company_id, :other_id, :domains::text[], :pinned::uuid[], :took_name, :was_main)
""")

# A merge or split, locked.
_LOCK_MERGE = sql("""
SELECT id, kind, company_id, other_id, domains, pinned_leads, took_name, was_main, undone_at FROM company_merges
WHERE workspace_id = :workspace_id AND id = :merge_id FOR UPDATE
""")

# It is undone now.
_SET_UNDONE = sql("""
UPDATE company_merges SET undone_at = now() WHERE workspace_id = :workspace_id AND id = :merge_id AND undone_at IS NULL
""")

# Merges and splits that can no longer be undone, except those by which a person separated two companies: they stay
# apart whatever sources say.
_PURGE_MERGES = sql("""
DELETE FROM company_merges
WHERE created_at < now() - make_interval(days => :days) AND (kind = 'split') = (undone_at IS NOT NULL)
""")

# Companies that can no longer be restored or unmerged.
_PURGE = sql("""
DELETE FROM companies WHERE (workspace_id, id) IN (
    SELECT workspace_id, id FROM companies c
    WHERE c.deleted_at < now() - make_interval(days => :days)
    UNION ALL
    SELECT workspace_id, id FROM companies c
    WHERE c.merged_into IS NOT NULL AND c.updated_at < now() - make_interval(days => :days)
      AND NOT EXISTS (SELECT FROM company_merges m WHERE m.workspace_id = c.workspace_id AND m.other_id = c.id)
    LIMIT :batch
)
""")


@dataclass(frozen=True, slots=True)
class NewMerge:
    """A merge or split with what it moved.

    Attributes:
        pinned: the leads that a person had linked to the merged company.
        took_name: whether the survivor had no name and got that of the other.
        was_main: whether the main domain was split off.
    """

    kind: MergeKind
    company_id: UUID
    other_id: UUID
    domains: Sequence[str]
    pinned: Sequence[UUID] = ()
    took_name: bool = False
    was_main: bool = False


async def lock_companies(tx: Transaction, workspace_id: UUID, company_ids: Collection[UUID]) -> dict[UUID, Row]:
    """Companies in any state, locked for this transaction, by ID."""
    rows = await tx.all(_LOCK, {"workspace_id": workspace_id, "company_ids": sorted(company_ids)})
    return {row.id: row for row in rows}


async def lock_domains(tx: Transaction, workspace_id: UUID, company_id: UUID) -> list[str]:
    """The domains of a company. New links by them wait until this transaction ends."""
    rows = await tx.all(_LOCK_DOMAINS, {"workspace_id": workspace_id, "company_id": company_id})
    return [row.domain for row in rows]


async def try_lock_domains(tx: Transaction, workspace_id: UUID, company_ids: Collection[UUID]) -> bool:
    """Lock the domains of companies that no other transaction has locked. Returns whether these are all."""
    values = {"workspace_id": workspace_id, "company_ids": list(company_ids)}
    return bool(await tx.scalar(_TRY_LOCK_DOMAINS, values))


async def pinned_leads(tx: Transaction, workspace_id: UUID, company_id: UUID) -> list[UUID]:
    """The leads that a person linked to a company."""
    rows = await tx.all(_PINNED, {"workspace_id": workspace_id, "company_id": company_id})
    return [row.lead_id for row in rows]


async def move(
    tx: Transaction,
    workspace_id: UUID,
    *,
    from_id: UUID,
    to_id: UUID,
    domains: Sequence[str],
    pinned: Sequence[UUID],
) -> int:
    """Move locked domains with their leads, and these pinned leads. Returns the number of leads."""
    keys = {"workspace_id": workspace_id, "from_id": from_id, "to_id": to_id, "domains": list(domains)}
    await tx.execute(_MOVE_DOMAINS, keys)
    return await tx.changed(_MOVE_LEADS, {**keys, "pinned": list(pinned)})


async def set_merged(tx: Transaction, workspace_id: UUID, company_id: UUID, into_id: UUID | None) -> bool:
    """Make a company part of another one; None: a company of its own again."""
    values = {"workspace_id": workspace_id, "company_id": company_id, "into_id": into_id}
    return await tx.changed(_SET_MERGED, values) == 1


async def set_title(tx: Transaction, workspace_id: UUID, company_id: UUID, *, name: str | None, domain: str) -> bool:
    """Set name and main domain of a locked company."""
    values = {"name": name, "domain": domain, "sort_key": company_sort_key(name, domain)}
    return await tx.changed(_SET_TITLE, {"workspace_id": workspace_id, "company_id": company_id, **values}) == 1


async def insert_split(tx: Transaction, workspace_id: UUID, *, domain: str, name: str | None) -> UUID:
    """Create a company without domains. Returns its ID. Move the domain to it in the same transaction."""
    company_id = new_id()
    values = {"domain": domain, "name": name, "sort_key": company_sort_key(name, domain), "source": CompanySource.SPLIT}
    await tx.execute(_INSERT, {"workspace_id": workspace_id, "company_id": company_id, **values})
    return company_id


async def record_merge(tx: Transaction, workspace_id: UUID, merge: NewMerge) -> UUID:
    """Record a merge or split. Returns its ID."""
    merge_id = new_id()
    values = {
        "id": merge_id,
        "kind": merge.kind,
        "company_id": merge.company_id,
        "other_id": merge.other_id,
        "domains": list(merge.domains),
        "pinned": list(merge.pinned),
        "took_name": merge.took_name,
        "was_main": merge.was_main,
    }
    await tx.execute(_RECORD, {"workspace_id": workspace_id, **values})
    return merge_id


async def lock_merge(tx: Transaction, workspace_id: UUID, merge_id: UUID) -> Row | None:
    """A merge or split, locked for this transaction."""
    return await tx.first(_LOCK_MERGE, {"workspace_id": workspace_id, "merge_id": merge_id})


async def set_undone(tx: Transaction, workspace_id: UUID, merge_id: UUID) -> bool:
    """Record that a merge or split is undone."""
    return await tx.changed(_SET_UNDONE, {"workspace_id": workspace_id, "merge_id": merge_id}) == 1


async def purge(tx: Transaction, batch: int, *, days: int) -> int:
    """Remove merges made more than `days` ago, and up to `batch` companies deleted or merged before. Returns those."""
    await tx.execute(_PURGE_MERGES, {"days": days})
    return await tx.changed(_PURGE, {"days": days, "batch": batch})
