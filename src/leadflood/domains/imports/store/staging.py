"""SQL that finds out what rows would do: one statement a chunk compares them with the leads and with each other."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any
from uuid import UUID

from leadflood.domains.imports.contracts.stored import LeadColumns
from leadflood.domains.imports.models.states import Duplicates, ImportMode
from leadflood.domains.leads.contracts import MAX_CUSTOM_BYTES, MAX_CUSTOM_FIELDS
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

COLUMNS = ("row_no", "fate", "reason", "lead_id", *LeadColumns._fields, "faults", "raw")
"""Of the temporary table that rows are copied into. `fate`: what a row does whatever the leads are."""

FIELDS = ("first_name", "last_name", "company", "job_title", "phone", "website", "country", "source", "owner_id")
"""The columns of a lead that have a policy each; custom fields share one."""

_ROOM = sql("""
CREATE TEMPORARY TABLE incoming_rows (
    row_no integer NOT NULL, fate text, reason text, lead_id uuid, email text, email_norm text COLLATE "C",
    first_name text, last_name text, company text, job_title text, phone text, website text, country text, source text,
    owner_id uuid, new_source text, new_owner_id uuid, custom_fields jsonb, search_text text, faults jsonb, raw jsonb
) ON COMMIT DROP
""")

_NO_SORTING = sql("SELECT set_config('enable_sort', 'off', true)")

# The last of several rows with an address counts: earlier ones, staged before, step back.
_STEP_BACK = sql("""
UPDATE import_rows r
SET action = 'skip', reason = 'duplicate_in_file', email_norm = NULL, changes = NULL, lead_id = NULL,
    first_name = NULL, last_name = NULL, company = NULL, job_title = NULL, phone = NULL, website = NULL,
    country = NULL, source = NULL, owner_id = NULL, custom_fields = NULL, search_text = NULL
FROM (SELECT x.row_no, x.action, x.changes
      FROM incoming_rows i
      CROSS JOIN LATERAL (SELECT e.row_no, e.action, e.changes FROM import_rows e
                          WHERE e.workspace_id = :workspace_id AND e.import_id = :import_id AND e.row_no < :first
                            AND e.email_norm >= i.email_norm AND e.email_norm <= i.email_norm
                          ORDER BY e.email_norm LIMIT 1) x
      WHERE i.fate IS NULL
      GROUP BY x.row_no, x.action, x.changes) old
WHERE r.workspace_id = :workspace_id AND r.import_id = :import_id AND r.row_no = old.row_no
RETURNING old.action, old.changes
""")

# Each row meets the lead with its address, and the earlier row with it, by one look-up each. PostgreSQL knows nothing
# of a temporary table, and little of rows that came just now. LIMIT keeps it from reading all of them instead; the
# order, which an equality would make void, and no sorting, keep it from every index but the one of addresses.
# A custom value counts as the same if it reads the same.
STAGE = sql("""
WITH told AS (
    SELECT i.*, row_number() OVER (PARTITION BY i.email_norm
                                   ORDER BY CASE WHEN :last_wins = 'yes' THEN -i.row_no ELSE i.row_no END) AS place
    FROM incoming_rows i
), met AS (
    SELECT i.*, l.id AS found_id, l.version,
           i.fate IS NULL AND (i.place > 1 OR e.row_no IS NOT NULL) AS repeated,
           CASE WHEN l.id IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object(
               'first_name', CASE WHEN i.first_name <> coalesce(l.first_name, '')
                   AND (:first_name = 'overwrite' OR :first_name = 'fill_empty' AND l.first_name IS NULL)
                   THEN jsonb_build_array(l.first_name, i.first_name) END,
               'last_name', CASE WHEN i.last_name <> coalesce(l.last_name, '')
                   AND (:last_name = 'overwrite' OR :last_name = 'fill_empty' AND l.last_name IS NULL)
                   THEN jsonb_build_array(l.last_name, i.last_name) END,
               'company', CASE WHEN i.company <> coalesce(l.company, '')
                   AND (:company = 'overwrite' OR :company = 'fill_empty' AND l.company IS NULL)
                   THEN jsonb_build_array(l.company, i.company) END,
               'job_title', CASE WHEN i.job_title <> coalesce(l.job_title, '')
                   AND (:job_title = 'overwrite' OR :job_title = 'fill_empty' AND l.job_title IS NULL)
                   THEN jsonb_build_array(l.job_title, i.job_title) END,
               'phone', CASE WHEN i.phone <> coalesce(l.phone, '')
                   AND (:phone = 'overwrite' OR :phone = 'fill_empty' AND l.phone IS NULL)
                   THEN jsonb_build_array(l.phone, i.phone) END,
               'website', CASE WHEN i.website <> coalesce(l.website, '')
                   AND (:website = 'overwrite' OR :website = 'fill_empty' AND l.website IS NULL)
                   THEN jsonb_build_array(l.website, i.website) END,
               'country', CASE WHEN i.country <> coalesce(l.country, '')
                   AND (:country = 'overwrite' OR :country = 'fill_empty' AND l.country IS NULL)
                   THEN jsonb_build_array(l.country, i.country) END,
               'source', CASE WHEN i.source <> l.source AND :source = 'overwrite'
                   THEN jsonb_build_array(l.source, i.source) END,
               'owner_id', CASE WHEN i.owner_id IS NOT NULL AND i.owner_id IS DISTINCT FROM l.owner_id
                   AND (:owner_id = 'overwrite' OR :owner_id = 'fill_empty' AND l.owner_id IS NULL)
                   THEN jsonb_build_array(l.owner_id, i.owner_id) END
           )) || coalesce((
               SELECT jsonb_object_agg('custom_fields.' || key, jsonb_build_array(l.custom_fields -> key, value))
               FROM jsonb_each(i.custom_fields)
               WHERE (l.custom_fields ->> key) IS DISTINCT FROM (i.custom_fields ->> key)
                 AND (:custom_fields = 'overwrite' OR :custom_fields = 'fill_empty' AND NOT l.custom_fields ? key)
           ), '{}') END AS changes,
           CASE WHEN l.id IS NOT NULL THEN array_remove(ARRAY[
               CASE WHEN i.first_name <> l.first_name AND :first_name <> 'overwrite' THEN 'first_name' END,
               CASE WHEN i.last_name <> l.last_name AND :last_name <> 'overwrite' THEN 'last_name' END,
               CASE WHEN i.company <> l.company AND :company <> 'overwrite' THEN 'company' END,
               CASE WHEN i.job_title <> l.job_title AND :job_title <> 'overwrite' THEN 'job_title' END,
               CASE WHEN i.phone <> l.phone AND :phone <> 'overwrite' THEN 'phone' END,
               CASE WHEN i.website <> l.website AND :website <> 'overwrite' THEN 'website' END,
               CASE WHEN i.country <> l.country AND :country <> 'overwrite' THEN 'country' END,
               CASE WHEN i.source <> l.source AND :source <> 'overwrite' THEN 'source' END,
               CASE WHEN i.owner_id <> l.owner_id AND :owner_id <> 'overwrite' THEN 'owner_id' END,
               CASE WHEN :custom_fields <> 'overwrite' AND EXISTS (
                   SELECT FROM jsonb_each(i.custom_fields)
                   WHERE l.custom_fields ? key AND l.custom_fields ->> key <> i.custom_fields ->> key)
                   THEN 'custom_fields' END
           ], NULL) END AS kept,
           l.id IS NOT NULL AND i.custom_fields IS NOT NULL AND :custom_fields <> 'keep' AND (
               (SELECT count(*) FROM jsonb_object_keys(i.custom_fields || l.custom_fields)) > :most_custom
               OR octet_length((i.custom_fields || l.custom_fields)::text) > :most_bytes) AS overfull
    FROM told i
    LEFT JOIN LATERAL (
        SELECT * FROM leads l
        WHERE l.workspace_id = :workspace_id AND l.deleted_at IS NULL
          AND l.email_norm >= i.email_norm AND l.email_norm <= i.email_norm
        ORDER BY l.email_norm LIMIT 1
    ) l ON i.fate IS NULL
    LEFT JOIN LATERAL (
        SELECT row_no FROM import_rows e
        WHERE e.workspace_id = :workspace_id AND e.import_id = :import_id
          AND e.email_norm >= i.email_norm AND e.email_norm <= i.email_norm
        ORDER BY e.email_norm LIMIT 1
    ) e ON i.fate IS NULL
), judged AS (
    SELECT m.*,
           CASE WHEN fate IS NOT NULL THEN fate
                WHEN repeated THEN 'skip'
                WHEN found_id IS NULL THEN CASE WHEN :mode = 'update_only' THEN 'skip' ELSE 'create' END
                WHEN :mode = 'create_only' THEN 'skip'
                WHEN changes = '{}' THEN 'unchanged'
                WHEN overfull THEN 'reject'
                ELSE 'update' END AS action
    FROM met m
), put AS (
    INSERT INTO import_rows (workspace_id, import_id, row_no, action, reason, lead_id, lead_version, email, email_norm,
                             first_name, last_name, company, job_title, phone, website, country, source, owner_id,
                             custom_fields, search_text, changes, faults, raw)
    SELECT :workspace_id, :import_id, row_no, action,
           CASE WHEN fate IS NOT NULL THEN reason
                WHEN repeated THEN 'duplicate_in_file'
                WHEN action = 'skip' THEN CASE WHEN found_id IS NULL THEN 'no_such_lead' ELSE 'lead_exists' END END,
           CASE WHEN action = 'create' THEN lead_id WHEN NOT coalesce(repeated, false) THEN found_id END,
           CASE WHEN NOT coalesce(repeated, false) THEN version END,
           email, CASE WHEN action NOT IN ('reject') AND NOT coalesce(repeated, true) THEN email_norm END,
           CASE WHEN action = 'create' THEN first_name END, CASE WHEN action = 'create' THEN last_name END,
           CASE WHEN action = 'create' THEN company END, CASE WHEN action = 'create' THEN job_title END,
           CASE WHEN action = 'create' THEN phone END, CASE WHEN action = 'create' THEN website END,
           CASE WHEN action = 'create' THEN country END, CASE WHEN action = 'create' THEN new_source END,
           CASE WHEN action = 'create' THEN new_owner_id END, CASE WHEN action = 'create' THEN custom_fields END,
           CASE WHEN action = 'create' THEN search_text END, CASE WHEN action = 'update' THEN changes END,
           CASE WHEN action = 'reject' AND fate IS NULL THEN :overfull_fault ELSE faults END,
           CASE WHEN action = 'reject' THEN raw END
    FROM judged
    RETURNING action, changes
)
SELECT 'action' AS what, action AS name, count(*) AS n FROM put GROUP BY action
UNION ALL
SELECT 'changed', split_part(key, '.', 1), count(DISTINCT row_no)
FROM judged CROSS JOIN LATERAL jsonb_object_keys(changes) AS key WHERE action = 'update' GROUP BY 2
UNION ALL
SELECT 'kept', name, count(*)
FROM judged CROSS JOIN LATERAL unnest(kept) AS name WHERE action IN ('update', 'unchanged') GROUP BY 2
""")

_OVERFULL = [
    {
        "field": "/customFields",
        "code": "too_long",
        "message": f"The lead would have more than {MAX_CUSTOM_FIELDS} custom fields, or too long ones. Map fewer.",
    }
]


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides what rows do. `policies`: of each of `FIELDS`, and of `custom_fields`."""

    mode: ImportMode
    duplicates: Duplicates
    policies: Mapping[str, str]


@dataclass(slots=True)
class Judged:
    """What the rows of a chunk do: how many by action, and by field how many change it, and how many keep theirs."""

    actions: Counter[str] = dataclass_field(default_factory=Counter)
    changed: Counter[str] = dataclass_field(default_factory=Counter)
    kept: Counter[str] = dataclass_field(default_factory=Counter)


async def hand_over(tx: Transaction, records: Sequence[Sequence[Any]]) -> None:
    """Put rows, given in the order of `COLUMNS`, where `judge_rows` finds them in the same transaction."""
    await tx.execute(_ROOM)
    await tx.execute(_NO_SORTING)
    await tx.copy("incoming_rows", COLUMNS, records)


async def judge_rows(tx: Transaction, workspace_id: UUID, import_id: UUID, rules: Rules, *, first: int) -> Judged:
    """Stage the rows that were handed over, each with what it would do. `first`: the number of the first of them."""
    keys = {"workspace_id": workspace_id, "import_id": import_id}
    judged = Judged()
    if rules.duplicates is Duplicates.LAST:
        for row in await tx.all(_STEP_BACK, {**keys, "first": first}):
            judged.actions.update({row.action: -1, "skip": 1})
            judged.changed.subtract({key.partition(".")[0] for key in row.changes or ()})
    last_wins = "yes" if rules.duplicates is Duplicates.LAST else "no"
    values = {
        **keys,
        **rules.policies,
        "mode": rules.mode,
        "last_wins": last_wins,
        "most_custom": MAX_CUSTOM_FIELDS,
        "most_bytes": MAX_CUSTOM_BYTES,
        "overfull_fault": json.dumps(_OVERFULL),
    }
    for row in await tx.all(STAGE, values):
        counter = {"action": judged.actions, "changed": judged.changed, "kept": judged.kept}[row.what]
        counter[row.name] += row.n
    return judged
