"""SQL that plans the actions of rows: one statement per chunk compares them with the leads and with each other."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from leadflood.domains.imports.contracts.lead_row import LeadColumns
from leadflood.domains.imports.contracts.rows import DIFFERS_IN_FILE, DUPLICATE_IN_FILE
from leadflood.domains.imports.models.fields import API_NAMES
from leadflood.domains.imports.models.states import Duplicates, ImportMode, InvalidValues
from leadflood.domains.imports.store import StoredImport
from leadflood.domains.leads.catalog import IMPORTABLE_FIELDS, PLAIN_FIELDS, TEXT_FIELDS
from leadflood.domains.leads.contracts import MAX_CUSTOM_BYTES, MAX_CUSTOM_FIELDS
from leadflood.kernel.db import planner
from leadflood.kernel.db.sql import assemble, sql, sql_file
from leadflood.kernel.db.transaction import Transaction

COLUMNS = ("row_no", "forced_action", "reason", "lead_id", *LeadColumns._fields, "faults", "raw", "related")
"""Columns of the temporary table that rows are copied into. `forced_action`: one that does not depend on the leads."""

# The rows of one chunk.
_TABLE = assemble(
    sql("""
CREATE TEMPORARY TABLE incoming_rows (
    row_no integer NOT NULL, forced_action text, reason text, lead_id uuid, email text, email_norm text COLLATE "C",
    {fields}, new_source text, new_owner_id uuid, custom_fields jsonb, faults jsonb, raw jsonb,
    related jsonb, duplicate_of integer, counted text[]
) ON COMMIT DROP
"""),
    fields=PLAIN_FIELDS.sql(sql("{field} {type}")),
)

_STEP_BACK = assemble(
    sql_file("leadflood.domains.imports.sql", "step_back"), fields=PLAIN_FIELDS.sql(sql("{field} = NULL"))
)

# A new lead has the default source if the file has none.
_AS_GIVEN = TEXT_FIELDS.where(lambda field: field.name != "source")

_MATCH = sql_file("leadflood.domains.imports.sql", "match_rows")
_RECALL = assemble(
    sql_file("leadflood.domains.imports.sql", "recall_rows"),
    fields=_AS_GIVEN.columns,
    counted=IMPORTABLE_FIELDS.sql(sql("CASE WHEN {field} IS NOT NULL THEN '{field}' END")),
)
_COMBINE = assemble(
    sql_file("leadflood.domains.imports.sql", "combine_rows"),
    first=PLAIN_FIELDS.sql(
        sql("(array_agg(g.{field} ORDER BY g.row_no) FILTER (WHERE g.{field} IS NOT NULL))[1] AS {field}")
    ),
    filled=PLAIN_FIELDS.sql(sql("{field} = m.{field}")),
)
_REPORT_DIFFERENCES = assemble(
    sql_file("leadflood.domains.imports.sql", "report_differences"),
    values=IMPORTABLE_FIELDS.sql(sql("('{field}', i.{field}::text, h.{field}::text)")),
)
# Report incoming rows with the email of another one as an error, with the number of that.
_REPORT_DUPLICATES = sql("""
UPDATE incoming_rows SET faults = coalesce(faults, '[]') || jsonb_build_array(jsonb_build_object(
    'field', '/email', 'code', :code::text, 'value', email,
    'message', format('Row %s has the same email.', duplicate_of)))
WHERE duplicate_of IS NOT NULL
""")

# One statement for PostgreSQL, in four parts for readers.
STAGE = assemble(
    sql_file("leadflood.domains.imports.sql", "stage"),
    fields=_AS_GIVEN.columns,
    given=_AS_GIVEN.sql(sql("n.{field}")),
    replaced=_AS_GIVEN.sql(sql("{field} = excluded.{field}")),
    judged=_AS_GIVEN.sql(sql("j.{field}")),
    compared=assemble(
        sql_file("leadflood.domains.imports.sql", "compare"),
        plain=assemble(
            sql_file("leadflood.domains.imports.sql", "compare_plain"),
            fields=IMPORTABLE_FIELDS.sql(sql("('{field}', l.{field}::text, i.{field}::text, :{field}::text)")),
        ),
        custom=sql_file("leadflood.domains.imports.sql", "compare_custom"),
    ),
)

_LIMITS = {"most_custom": MAX_CUSTOM_FIELDS, "most_bytes": MAX_CUSTOM_BYTES}

_OVERFULL = [
    {
        "field": "/customFields",
        "code": "too_long",
        "message": f"Custom fields aren't imported: the lead would have over {MAX_CUSTOM_FIELDS}, or too much data.",
    }
]


@dataclass(frozen=True, slots=True)
class StagingRules:
    """Rules that decide the actions of rows. `policies`: one for each column in `API_NAMES`."""

    mode: ImportMode
    duplicates: Duplicates
    invalid: InvalidValues
    policies: Mapping[str, str]


@dataclass(slots=True)
class StagingResult:
    """Actions of the rows of a chunk: their number by action, how many change or keep each field, and errors."""

    actions: Counter[str] = dataclass_field(default_factory=Counter)
    faults: Counter[str] = dataclass_field(default_factory=Counter)
    changed: Counter[str] = dataclass_field(default_factory=Counter)
    kept: Counter[str] = dataclass_field(default_factory=Counter)


async def load_rows(tx: Transaction, records: Sequence[Sequence[Any]]) -> None:
    """Copy rows, in the order of `COLUMNS`, to the table that `decide_rows` reads in the same transaction."""
    await tx.execute(_TABLE)
    await planner.apply(tx, planner.STAGING)
    await tx.copy("incoming_rows", COLUMNS, records)


async def decide_rows(tx: Transaction, found: StoredImport, rules: StagingRules, *, first: int) -> StagingResult:
    """Stage the copied rows with their planned actions. `first`: number of the first row."""
    staged = StagingResult()
    if rules.duplicates is Duplicates.LAST:
        for row in await tx.all(_STEP_BACK, {**found.key, "first": first}):
            staged.actions.update({row.action: -1, "skip": 1})
            staged.changed.subtract({key.partition(".")[0] for key in row.changes or ()})
    repeated = await tx.changed(_MATCH, {**found.key, "last_wins": rules.duplicates is Duplicates.LAST})
    if repeated and rules.duplicates is Duplicates.COMBINE:
        await _combine(tx, found, staged, first=first)
    if repeated and rules.duplicates is Duplicates.REPORT:
        await tx.execute(_REPORT_DUPLICATES, {"code": DUPLICATE_IN_FILE})
        staged.faults[f"/email {DUPLICATE_IN_FILE}"] += repeated
    values = {
        **found.key,
        **rules.policies,
        "mode": rules.mode,
        "strict": rules.invalid is InvalidValues.REJECT,
        "combines": rules.duplicates is Duplicates.COMBINE,
        "repeated_action": "reject" if rules.duplicates is Duplicates.REPORT else "skip",
        "repeated_reason": "combined_in_file" if rules.duplicates is Duplicates.COMBINE else DUPLICATE_IN_FILE,
        **_LIMITS,
        "overfull_fault": json.dumps(_OVERFULL),
    }
    counters = {"action": staged.actions, "changed": staged.changed, "kept": staged.kept, "fault": staged.faults}
    for row in await tx.all(STAGE, values):
        counter = counters[row.what]
        counter[row.name] += row.n
    return staged


async def _combine(tx: Transaction, found: StoredImport, staged: StagingResult, *, first: int) -> None:
    """Fill rows with the values of later ones with their email; values that are not used are reported."""
    for row in await tx.all(_RECALL, {**found.key, "first": first}):
        staged.actions[row.action] -= 1
        staged.changed.subtract({key.partition(".")[0] for key in row.changes or ()})
    await tx.execute(_COMBINE, _LIMITS)
    for row in await tx.all(_REPORT_DIFFERENCES, {"names": json.dumps(API_NAMES), "code": DIFFERS_IN_FILE}):
        staged.faults[f"{row.field} {DIFFERS_IN_FILE}"] += row.n
