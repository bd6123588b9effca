"""Cells of a file become of the types of the custom fields that they are mapped to."""

import pytest

from leadflood.domains.fields import queries, service
from leadflood.domains.fields.contracts import CreateField
from leadflood.domains.leads.events import LEAD
from tests.support.desk import Desk, counted, csv_of

TARGETS = ["email", "custom:seats", "custom:renewal", "custom:vip", "custom:tags"]
HEADER = ["email", "Seats", "Renewal", "VIP", "Tags"]


async def define(desk: Desk, **given: object) -> None:
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await service.create_field(tx, desk.actor, command=CreateField.model_validate(given))


async def define_all(desk: Desk) -> None:
    await define(desk, label="Seats", type="number")
    await define(desk, label="Renewal", type="date")
    await define(desk, label="VIP", key="vip", type="boolean")
    await define(desk, label="Tags", type="multi_choice", options=["Big", "Old"])


async def test_cells_become_typed_values_and_the_same_value_is_no_change(desk: Desk) -> None:
    await define_all(desk)
    await desk.lead(email="bob@acme.com", customFields={"seats": 12, "vip": True})

    done = await desk.run(
        csv_of(
            [
                HEADER,
                ["ada@acme.com", "1.200,5", "3/31/2026", "yes", "old; BIG"],
                ["bob@acme.com", "12", "", "ja", ""],
            ]
        ),
        TARGETS,
        existing="overwrite",
    )

    assert counted(done) == {"create": 1, "unchanged": 1}
    assert [lead["custom_fields"] for lead in await desk.leads()] == [
        {"seats": 1200.5, "renewal": "2026-03-31", "vip": True, "tags": ["Old", "Big"]},
        {"seats": 12, "vip": True},
    ]


@pytest.mark.parametrize(("invalid", "wanted"), [("reject", {"reject": 1}), ("drop", {"create": 1})])
async def test_a_cell_that_does_not_fit_is_reported_by_the_imports_policy(
    desk: Desk, invalid: str, wanted: dict[str, int]
) -> None:
    await define_all(desk)

    done = await desk.run(csv_of([HEADER, ["ada@acme.com", "many", "2026-03-01", "", ""]]), TARGETS, invalid=invalid)

    assert counted(done) == wanted
    (row,) = await desk.rows(done.id)
    assert [(fault.field, fault.code) for fault in row.errors] == [("/customFields/seats", "wrong_type")]
    if invalid == "drop":
        assert [lead["custom_fields"] for lead in await desk.leads()] == [{"renewal": "2026-03-01"}]


async def test_a_committed_import_defines_the_fields_that_its_columns_became(desk: Desk) -> None:
    await define(desk, label="Seats", type="number")
    import_id = await desk.upload(csv_of([["email", "Annual Revenue", "Seats"], ["ada@acme.com", "12", "3"]]))
    await desk.map(import_id, ["email", "custom:revenue", "custom:seats"])

    async def fields() -> list[tuple[str, str, str]]:
        async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
            found = await queries.list_fields(tx, desk.actor, subject=LEAD)
        return [(item.key, item.label, item.type.value) for item in found]

    await desk.preview(import_id)
    before = await fields()
    await desk.commit(import_id)

    assert before == [("seats", "Seats", "number")]
    assert await fields() == [("seats", "Seats", "number"), ("revenue", "Annual Revenue", "text")]
    assert (await desk.leads())[0]["custom_fields"] == {"revenue": "12", "seats": 3}
