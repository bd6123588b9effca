"""SQL of comparisons: comparison keys, pairs to compare, and candidates.

Lookups use leakproof comparisons only: indexes serve them under row-level security. Each lookup has the range and order
of one index, and `planner.LOOKUPS` disables other plans: without statistics of a workspace PostgreSQL expects one row
and uses any index. Similarity is computed outside the database. Each lead is compared with a limited number of leads
that share a key, the oldest ones: a phone number that ten thousand leads have costs ten thousand times twenty pairs,
not fifty million.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from leadflood.domains.duplicates.models import ComparedLead, Match, Reason
from leadflood.domains.duplicates.store.scanning import BEGINNING, Scan, ScanPosition
from leadflood.domains.leads.catalog import CUSTOM_FIELD, FINDABLE_FIELDS, LEAD_FIELDS
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import COMMA, assemble, joined, sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

COMPARED_FIELDS: Final = LEAD_FIELDS.where(lambda field: field.personal)
"""Fields that identify a person."""
_NAMED: Final = frozenset(field.name for field in dataclasses.fields(ComparedLead)) - {"fields"}
_OTHER_FIELDS: Final = [(field.name, field.api_name) for field in COMPARED_FIELDS if field.name not in _NAMED]
_MAX_CANDIDATES: Final = 1000
"""Maximum number of open pairs of a lead that are compared again."""

# Comparison keys of the leads of a part, and the pairs found among them.
_TABLES = (
    sql("""
CREATE TEMPORARY TABLE IF NOT EXISTS scanned_keys (
    lead_id uuid NOT NULL, key bigint NOT NULL, PRIMARY KEY (lead_id, key)
) ON COMMIT DROP
"""),
    sql("""
CREATE TEMPORARY TABLE IF NOT EXISTS scanned_pairs (
    id uuid NOT NULL, lead_a uuid NOT NULL, lead_b uuid NOT NULL, score integer NOT NULL, reasons jsonb NOT NULL
) ON COMMIT DROP
"""),
)

# Comparison values of a lead, found ones where it has none of its own, with the requested custom fields.
_LEAD = assemble(
    sql("""
l.id, {fields}, CASE WHEN cardinality(:custom::text[]) > 0 THEN coalesce(
    (SELECT jsonb_object_agg(f.key, f.value) FROM jsonb_each(l.custom_fields) f WHERE f.key = ANY(:custom::text[])),
    jsonb_build_object()) ELSE jsonb_build_object() END AS custom_fields
"""),
    fields=joined(
        COMMA,
        [
            COMPARED_FIELDS.where(lambda field: not field.findable).sql(sql("l.{field}")),
            FINDABLE_FIELDS.sql(sql("coalesce(l.{field}, l.found_{field}) AS {field}")),
        ],
    ),
)

# Leads spread over the order of emails, with their neighbors in that order.
SAMPLE = assemble(
    sql("""
SELECT s.*
FROM unnest(:beginnings::text[]) AS b (beginning) CROSS JOIN LATERAL (
    SELECT {lead} FROM leads l
    WHERE l.workspace_id = :workspace_id AND l.deleted_at IS NULL AND l.email_norm >= b.beginning
    ORDER BY l.email_norm LIMIT :rows::integer
) s
"""),
    lead=_LEAD,
)

# The next leads of a scan, in the order of their last change.
NEXT = assemble(
    sql("""
SELECT {lead}, l.updated_at FROM leads l
WHERE l.workspace_id = :workspace_id AND l.deleted_at IS NULL AND l.updated_at <= :until
  AND (l.updated_at, l.id) > (:position_at, :position_id)
ORDER BY l.updated_at, l.id LIMIT :batch
"""),
    lead=_LEAD,
)

DELETE_KEYS = sql_file("leadflood.domains.duplicates.sql", "delete_keys")

# Add the comparison keys of the leads of a part.
INSERT_KEYS = sql("""
INSERT INTO duplicate_keys (workspace_id, key, lead_id)
SELECT :workspace_id, key, lead_id FROM scanned_keys
ON CONFLICT DO NOTHING
""")

PAIRS = sql_file("leadflood.domains.duplicates.sql", "pairs")
OPEN_PAIRS = sql_file("leadflood.domains.duplicates.sql", "open_pairs")

# Comparison values of active leads.
ACTIVE = assemble(
    sql("""
SELECT a.*
FROM unnest(:lead_ids::uuid[]) AS i (lead_id) CROSS JOIN LATERAL (
    SELECT {lead} FROM leads l
    WHERE l.workspace_id = :workspace_id AND l.id BETWEEN i.lead_id AND i.lead_id AND l.deleted_at IS NULL
    ORDER BY l.id LIMIT 1
) a
"""),
    lead=_LEAD,
)

# Save pairs as candidates. A pair with a decision stays unchanged.
SAVE_PAIRS = sql("""
INSERT INTO duplicate_candidates AS c (workspace_id, id, lead_a, lead_b, score, reasons)
SELECT :workspace_id, id, lead_a, lead_b, score, reasons FROM scanned_pairs ORDER BY lead_a, lead_b
ON CONFLICT (workspace_id, lead_a, lead_b) DO UPDATE
SET score = excluded.score, reasons = excluded.reasons, updated_at = now()
WHERE c.status = 'open' AND (c.score, c.reasons) IS DISTINCT FROM (excluded.score, excluded.reasons)
""")

# Delete open candidates.
DROP_PAIRS = sql("""
DELETE FROM duplicate_candidates
WHERE workspace_id = :workspace_id AND id = ANY(:ids::uuid[]) AND status = 'open'
""")


@dataclass(frozen=True, slots=True)
class ScanBatch:
    """The next leads of a scan by ID, and the position of the last one."""

    leads: Mapping[UUID, ComparedLead]
    last: ScanPosition


async def sample(
    tx: Transaction, workspace_id: UUID, *, beginnings: Sequence[str], rows: int, custom: Sequence[str]
) -> list[ComparedLead]:
    """For each prefix, the next leads from there on, in order of email."""
    values = {"workspace_id": workspace_id, "beginnings": list(beginnings), "rows": rows, "custom": list(custom)}
    return list(_compared(await tx.all(SAMPLE, values)).values())


async def next_batch(tx: Transaction, scan: Scan, *, batch: int, custom: Sequence[str]) -> ScanBatch | None:
    """The next leads of a scan, in the order of their last change; None at the end."""
    values = {
        "workspace_id": scan.workspace_id,
        "until": scan.started_at,
        "position_at": scan.position_at or scan.since or BEGINNING,
        "position_id": (scan.position_id if scan.position_at else None) or UUID(int=0),
        "batch": batch,
        "custom": list(custom),
    }
    rows = await tx.all(NEXT, values)
    return ScanBatch(_compared(rows), ScanPosition(rows[-1].updated_at, rows[-1].id)) if rows else None


async def replace_keys(tx: Transaction, workspace_id: UUID, keys: Mapping[UUID, frozenset[int]]) -> None:
    """Set the comparison keys of leads; they stay in `scanned_keys` for `pairs`."""
    await _create_tables(tx)
    records = [(lead_id, key) for lead_id, item in keys.items() for key in item]
    await tx.copy("scanned_keys", ("lead_id", "key"), records)
    await delete_keys(tx, workspace_id, list(keys))
    await tx.execute(INSERT_KEYS, {"workspace_id": workspace_id})


async def _create_tables(tx: Transaction) -> None:
    for statement in _TABLES:
        await tx.execute(statement)


async def delete_keys(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]) -> None:
    """Delete comparison keys of leads, except those in `scanned_keys`."""
    await _create_tables(tx)
    await tx.execute(DELETE_KEYS, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)})


async def pairs(tx: Transaction, workspace_id: UUID, *, neighbours: int) -> list[tuple[UUID, UUID]]:
    """Pairs of leads to compare: `scanned_keys` with others."""
    rows = await tx.all(PAIRS, {"workspace_id": workspace_id, "neighbours": neighbours})
    return [(row.lead_a, row.lead_b) for row in rows]


async def open_pairs(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]) -> dict[tuple[UUID, UUID], UUID]:
    """Open candidates of the leads: ID by pair of leads."""
    values = {"workspace_id": workspace_id, "lead_ids": list(lead_ids), "most": _MAX_CANDIDATES}
    return {(row.lead_a, row.lead_b): row.id for row in await tx.all(OPEN_PAIRS, values)}


async def active_leads(
    tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID], *, custom: Sequence[str]
) -> dict[UUID, ComparedLead]:
    """Comparison values of those of the leads that are active."""
    values = {"workspace_id": workspace_id, "lead_ids": list(lead_ids), "custom": list(custom)}
    return _compared(await tx.all(ACTIVE, values))


async def save_pairs(tx: Transaction, workspace_id: UUID, found: Mapping[tuple[UUID, UUID], Match]) -> int:
    """Save pairs as candidates. Pairs with a decision stay unchanged. Returns the number of new or changed ones."""
    records = [
        (
            new_id(),
            *pair,
            match.score,
            json.dumps([_stored(reason) for reason in match.reasons]),
        )
        for pair, match in found.items()
    ]
    await tx.copy("scanned_pairs", ("id", "lead_a", "lead_b", "score", "reasons"), records)
    return await tx.changed(SAVE_PAIRS, {"workspace_id": workspace_id})


async def drop_pairs(tx: Transaction, workspace_id: UUID, candidate_ids: Sequence[UUID]) -> None:
    """Delete open candidates that no longer match."""
    if candidate_ids:
        await tx.execute(DROP_PAIRS, {"workspace_id": workspace_id, "ids": list(candidate_ids)})


def _compared(rows: Sequence[Row]) -> dict[UUID, ComparedLead]:
    return {row.id: compared_lead(row) for row in rows}


def compared_lead(row: Mapping[str, Any] | Row) -> ComparedLead:
    """The comparison values of a lead by column: those of `COMPARED_FIELDS`, and `custom_fields`."""
    fields = {api_name: row[name] for name, api_name in _OTHER_FIELDS if row[name] is not None}
    custom = {f"{CUSTOM_FIELD}{key}": value for key, value in row["custom_fields"].items()}
    return ComparedLead(**{name: row[name] for name in _NAMED}, fields=fields | custom)


def _stored(reason: Reason) -> dict[str, Any]:
    """The JSON of a reason. Releases that compare no fields omit unknown kinds."""
    stored: dict[str, Any] = {"kind": reason.kind, "similarity": reason.similarity}
    return stored | {"field": reason.field} if reason.field is not None else stored
