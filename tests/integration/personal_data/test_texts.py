"""Identifying values are found in any text and replaced; similar text stays."""

import json

import pytest

from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.subjects import DataSubject
from tests.conftest import Workspace

PERSON = DataSubject(
    addresses=frozenset({"ada+x@acme.com", "o'neil_100%@acme.com"}),
    texts=frozenset({"+442079460958", "Ada Lovelace", "Zoë (Z.) Ünal"}),
)
UNKNOWN = DataSubject()


async def redacted(database: Database, workspace: Workspace, value: object, person: DataSubject) -> tuple[object, bool]:
    """The value without the person, and whether the quick look finds the person in it."""
    statement = sql("""
SELECT redacted(:value::jsonb, :pattern) AS value, lower(:value::jsonb::text) LIKE ANY (:fragments::text[]) AS found
""")
    async with database.transaction(workspace.id, read_only=True) as tx:
        values = {"value": json.dumps(value), "pattern": person.pattern, "fragments": person.fragments}
        row = (await tx.all(statement, values))[0]
    return row.value, row.found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ADA+X@acme.com", "[erased]"),
        ("Merge of ada+x@acme.com into bob@acme.com", "Merge of [erased] into bob@acme.com"),
        ("o'neil_100%@acme.com", "[erased]"),
        ("ada lovelace.csv", "[erased].csv"),
        ("call\n+442079460958", "call\n[erased]"),
        ("Zoë (Z.) Ünal", "[erased]"),
        ({"q": ["Ada Lovelace", 1, None, {"x": True}]}, {"q": ["[erased]", 1, None, {"x": True}]}),
    ],
)
async def test_a_text_that_names_the_person_is_replaced(
    database: Database, workspace: Workspace, value: object, expected: object
) -> None:
    assert await redacted(database, workspace, value, PERSON) == (expected, True)


@pytest.mark.parametrize(
    "value",
    ["x.ada+x@acme.com", "xada+x@acme.com", "ada+x@acme.community", "adax@acme.com", "Nada Lovelace", "{}", {}, []],
)
async def test_another_address_or_name_stays(database: Database, workspace: Workspace, value: object) -> None:
    assert (await redacted(database, workspace, value, PERSON))[0] == value


async def test_a_person_of_whom_nothing_is_known_is_in_no_text(database: Database, workspace: Workspace) -> None:
    assert await redacted(database, workspace, {"q": "a", "b": ""}, UNKNOWN) == ({"q": "a", "b": ""}, False)
