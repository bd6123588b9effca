"""The text that a search looks through: the database keeps it, and folds letters as the program does."""

import itertools
import json

import pytest

from leadflood.domains.leads.contracts.views import CreateView
from leadflood.domains.leads.queries.views import get_view
from leadflood.domains.leads.service import views
from leadflood.kernel.actor import Actor, ActorKind, Permission, Role
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.filters import written
from leadflood.kernel.ids import new_id
from leadflood.kernel.text import search_key
from tests.integration.leads.desk import Desk
from tests.support.identity import Identity

LETTERS = [
    chr(code) for code in (*range(0x21, 0x7F), *range(0xA1, 0x250), *range(0x386, 0x587), *range(0x1E00, 0x2000))
]
WORDS = ["José", "joSe\u0301", "Straße & SÖHNE",
         "İstanbul", "ILICA", "Łódź", "Ærø", "Þór", "Đặng", "ﬁn", "Σίσυφος", "Ёж",
         "עִבְרִית", "عُمَر",
         "株式会社",
         "हिन्दी", "a\u200bb", "a\u00a0\u2003b", "ß", "ẞ", "Ⅷ", "１２"]  # fmt: skip

_KEYS = sql("SELECT search_key(value) AS key FROM unnest(:values::text[]) WITH ORDINALITY AS v (value, n) ORDER BY n")
_WRITE = sql("""
INSERT INTO leads (workspace_id, id, email, email_norm, source, search_text, job_title, custom_fields)
VALUES (:workspace_id, :id, 'x@acme.test', 'x@acme.test', 'api', 'made up', 'Head of Growth', :custom_fields)
""")
_OVERWRITE = sql("UPDATE leads SET search_text = 'made up' WHERE workspace_id = :workspace_id AND id = :id")
_EXPLAINED = sql("""
EXPLAIN (ANALYZE, FORMAT json) UPDATE leads SET {change} WHERE workspace_id = :workspace_id AND id = :id
""")
_OLD_VIEW = sql("""
INSERT INTO saved_views (workspace_id, id, user_id, name, filter, sort, columns, position)
VALUES (:workspace_id, :id, :user_id, 'Old', :filter, '-createdAt', '{email}', 0)
""")
_OLD_CHANGE = sql("UPDATE saved_views SET filter = :filter WHERE workspace_id = :workspace_id AND id = :id")
_RENAME = sql("UPDATE saved_views SET name = 'New' WHERE workspace_id = :workspace_id AND id = :id")


async def test_the_database_folds_letters_as_the_program_does(desk: Desk) -> None:
    pairs = [f"{letter} {other}" for letter, other in itertools.pairwise(LETTERS)]
    spaced = [f" {letter}  Ä{letter} " for letter in LETTERS]
    values = [*(item for letter in LETTERS for item in (letter, f"a{letter}b")), *pairs, *spaced, *WORDS]
    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        folded = [row.key for row in await tx.all(_KEYS, {"values": values})]

    assert {value: key for value, key in zip(values, folded, strict=True) if key != search_key(value)} == {}


@pytest.mark.parametrize(
    ("needle", "found"),
    [
        ("mueller", True),
        ("muller", True),
        ("MÜLLER", True),
        ("müller jürgen", True),
        ("acme jurgen", True),
        ("juergen founder", True),
        ("founder zuerich", True),
        ("020 7946 0958", True),
        ("+44 (0)20-7946-0958", True),
        ("79460958", True),
        ("020 7946 0959", False),
        ("jurgen nobody", False),
        ("joe", False),
        ("seats 42", False),
    ],
)
async def test_words_in_any_order_are_found_in_name_company_title_phone_and_custom_text(
    desk: Desk, needle: str, found: bool
) -> None:
    await desk.create(
        "jm@acme.test",
        firstName="Jürgen",
        lastName="Müller",
        company="Acme",
        jobTitle="Founder",
        phone="+44 20 7946 0958",
        customFields={"office": "Zürich", "seats": 42},
    )
    await desk.create("john@acme.test", firstName="John")

    assert ("jm@acme.test" in await desk.found(needle)) is found


async def test_no_way_to_write_a_lead_forgets_its_text(desk: Desk) -> None:
    values = {"workspace_id": desk.actor.workspace_id, "id": new_id(), "custom_fields": json.dumps({"plan": "Pro"})}
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await tx.execute(_WRITE, values)

    assert await desk.found("growth pro") == {"x@acme.test"}
    assert await desk.found("made up") == set()

    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await tx.execute(_OVERWRITE, {name: values[name] for name in ("workspace_id", "id")})

    assert await desk.found("growth pro") == {"x@acme.test"}
    assert await desk.found("made up") == set()


@pytest.mark.parametrize(
    ("change", "computes"),
    [
        ("deleted_at = now(), first_name = first_name, search_text = search_text", False),
        ("first_name = 'Ada'", True),
        ("found_company = 'Acme'", True),
        ("search_text = 'made up'", True),
    ],
)
async def test_the_text_is_computed_when_it_changes(desk: Desk, change: str, computes: bool) -> None:
    lead = await desk.create("x@acme.test", jobTitle="Founder")
    statement = assemble(_EXPLAINED, change=sql(change))

    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        plan = await tx.scalar(statement, {"workspace_id": desk.actor.workspace_id, "id": lead.lead_id})

    called = {trigger["Trigger Name"] for trigger in json.loads(plan)[0]["Triggers"] if "Trigger Name" in trigger}
    assert ("leads_changed_text" in called) is computes


async def test_views_that_the_release_before_writes_get_a_tree_and_others_show_it_nothing(
    desk: Desk, identity: Identity
) -> None:
    person = await identity.new_member(desk.actor.workspace_id, Role.MEMBER)
    actor = Actor(ActorKind.USER, desk.actor.workspace_id, frozenset(Permission), user_id=person.id)
    owner = str(new_id())
    old = {
        "q": "acme",
        "status": ["new"],
        "country": [],
        "ownerId": owner,
        "hasPhone": False,
        "updatedUntil": "2026-01-01T00:00:00+00:00",
    }
    key = {"workspace_id": actor.workspace_id, "id": new_id()}
    async with desk.database.transaction(actor.workspace_id) as tx:
        await tx.execute(_OLD_VIEW, {**key, "user_id": person.id, "filter": json.dumps(old)})
        converted = await get_view(tx, actor, view_id=key["id"])
        await tx.execute(_OLD_CHANGE, {**key, "filter": json.dumps({"unowned": True})})
        changed = await get_view(tx, actor, view_id=key["id"])
        command = CreateView.model_validate({"name": "New", "filter": {"status": ["failed"]}})
        made = await views.create_view(tx, actor, command=command)
        await tx.execute(_RENAME, {**key, "id": made.id})
        renamed = await get_view(tx, actor, view_id=made.id)
        shown_to_it = await tx.scalar(sql("SELECT filter FROM saved_views WHERE id = :id"), {"id": made.id})

    assert written(converted.filter.lead_filter().whole)["all"] == [
        {"field": "search", "operator": "matches", "value": "acme"},
        {"field": "status", "operator": "isAnyOf", "value": ["new"]},
        {"field": "owner", "operator": "is", "value": owner},
        {"field": "phone", "operator": "isEmpty"},
        {"field": "updatedAt", "operator": "before", "value": "2026-01-01T00:00:00+00:00"},
    ]
    assert written(changed.filter.lead_filter().whole)["all"] == [{"field": "owner", "operator": "isEmpty"}]
    assert renamed.filter == made.filter
    assert shown_to_it == {"createdUntil": "1970-01-01T00:00:00+00:00"}
