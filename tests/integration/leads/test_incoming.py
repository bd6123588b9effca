"""Rows of another domain become leads: the tables between them are leads' own, and take columns by name and type."""

import json

import asyncpg
import pytest

from leadflood.domains.leads.contracts.bulk_write import IncomingRows, WriteContext, WriteResult
from leadflood.domains.leads.models import ChangesetKind
from leadflood.domains.leads.queries.changesets import get_changeset
from leadflood.domains.leads.service import bulk_write, changesets
from leadflood.kernel.db.sql import Sql, sql
from leadflood.kernel.ids import new_id
from tests.integration.leads.desk import Desk

CREATES = sql("""
SELECT 'ada' AS search_text, id, email, email AS email_norm, 'Ada' AS first_name, NULL AS last_name, NULL AS company,
       NULL AS job_title, NULL AS phone, NULL AS website, 'GB' AS country, 'import' AS source,
       NULL AS stage, NULL::uuid AS owner_id,
       '{"plan": "pro"}'::jsonb AS custom_fields
FROM unnest(:ids::uuid[], :emails::text[]) AS given (id, email)
""")
CHANGES = sql("""
SELECT changes::jsonb, 1 AS version, lead_id FROM unnest(:lead_ids::uuid[], :changes::text[]) given (lead_id, changes)
""")
NO_ADDRESS = sql("SELECT id FROM unnest(:ids::uuid[]) AS given (id)")
NO_NUMBER = sql("SELECT lead_id, 'first' AS version, '{}'::jsonb AS changes FROM unnest(:lead_ids::uuid[]) g (lead_id)")


async def write(desk: Desk, rows: IncomingRows) -> tuple[WriteResult, WriteContext]:
    """One chunk, in a changeset of its own."""
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        kind = ChangesetKind.IMPORT
        opened = await changesets.open_changeset(tx, desk.actor, kind=kind, label="leads.csv", wanted=6, request={})
        origin = WriteContext(desk.actor, opened, new_id())
        written = await bulk_write.write_rows(tx, origin, rows)
        await bulk_write.add_row_counts(tx, origin, written)
    return written, origin


async def test_a_chunk_creates_and_changes_leads_and_tells_what_it_left_out(desk: Desk) -> None:
    taken, same, edited, gone, changed = [
        (await desk.create(f"{name}@acme.com", company="Acme")).lead_id
        for name in ("taken", "same", "edited", "gone", "old")
    ]
    await desk.update(same, 1, company="New")
    await desk.update(edited, 1, company="Mine")
    await desk.delete(gone)
    new, refused = new_id(), new_id()
    to_new = json.dumps({"company": ["Acme", "New"]})

    written, origin = await write(
        desk,
        IncomingRows(
            creates=CREATES,
            creates_count=2,
            changes=CHANGES,
            changes_count=4,
            values={
                "ids": [new, refused],
                "emails": ["new@acme.com", "taken@acme.com"],
                "lead_ids": [same, edited, gone, changed],
                "changes": [to_new] * 4,
            },
        ),
    )

    assert written == WriteResult(
        6, 1, 1, email_taken=[refused], deleted=[gone], unchanged=[same], edited_since=[edited]
    )
    made = await desk.get(new)
    assert (made.first_name, made.country, made.source, made.custom_fields) == ("Ada", "GB", "import", {"plan": "pro"})
    assert [(await desk.get(lead_id)).company for lead_id in (changed, edited, taken)] == ["New", "Mine", "Acme"]
    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        changeset = await get_changeset(tx, desk.actor, changeset_id=origin.changeset_id)
    assert (changeset.processed, changeset.created, changeset.updated) == (6, 1, 1)


@pytest.mark.parametrize(
    ("creates", "changes", "refusal"),
    [
        (NO_ADDRESS, CHANGES, asyncpg.UndefinedColumnError),
        (CREATES, NO_NUMBER, asyncpg.DatatypeMismatchError),
    ],
)
async def test_rows_without_a_column_or_with_another_type_are_refused(
    desk: Desk, creates: Sql, changes: Sql, refusal: type[Exception]
) -> None:
    lead_id = (await desk.create("old@acme.com")).lead_id
    values = {"ids": [new_id()], "emails": ["new@acme.com"], "lead_ids": [lead_id], "changes": ["{}"]}

    with pytest.raises(refusal):
        await write(desk, IncomingRows(creates, 1, changes, 1, values))

    assert [lead.id for lead in (await desk.page()).items] == [lead_id]
