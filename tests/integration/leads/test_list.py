"""Listing and searching leads, held against the same list worked out in Python."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflood.domains.leads import queries
from leadflood.domains.leads.contracts import LeadEventView
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.domains.leads.models import LeadStatus
from leadflood.domains.leads.queries.search import count_leads, list_sources
from leadflood.kernel.actor import Actor
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.pagination import Position
from leadflood.kernel.schema import Count
from tests.conftest import new_workspace
from tests.integration.leads.corpus import COMPANIES, COUNTRIES, FIRST, LAST, SIZE, SOURCES, Corpus, expected, plant
from tests.integration.leads.desk import Desk
from tests.support.examples import examples
from tests.support.identity import Identity

WORDS = [word for word in (*FIRST, *LAST, *COMPANIES, "acme.com", "bücher.example", ".x@") if word]
SPECIAL = [
    "%",
    "_",
    "\\",
    "%%",
    "_%",
    "\\%",
    "a",
    "Z",
    "ß",
    "SS",
    "@",
    ".",
    "1",
    "é",
    "zzz",
    "é ",
    "a%c",
    " ",
    "\u0301",
]


@pytest.fixture(scope="module")
async def corpus(database: Database, settings: Settings, secret_box: SecretBox) -> Corpus:
    """150 leads that several tests read."""
    desk = Desk(database, Actor.cli(await new_workspace(database)))
    return await plant(desk, Identity(database, settings, secret_box))


@st.composite
def needles(draw: st.DrawFn) -> str:
    """A part of something that is there, in any case, or something difficult."""
    word = draw(st.sampled_from(WORDS))
    start = draw(st.integers(0, len(word) - 1))
    part = word[start : draw(st.integers(start + 1, len(word)))]
    changed = draw(st.sampled_from([part, part.upper(), part.lower(), part.replace("ü", "u\u0308")]))
    return draw(st.sampled_from([changed, changed, draw(st.sampled_from(SPECIAL))]))


@st.composite
def filters(draw: st.DrawFn, corpus: Corpus) -> LeadFilter:
    lead, other = draw(st.sampled_from(corpus.leads)), draw(st.sampled_from(corpus.leads))

    def perhaps(value: Any) -> Any:  # noqa: ANN401  the value of any filter
        return value if draw(st.integers(0, 3)) == 0 else None

    def several(values: Any) -> Any:  # noqa: ANN401  as above
        return tuple(draw(st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)) if perhaps(1) else [])

    return LeadFilter(
        statuses=several(LeadStatus),
        sources=several([*SOURCES, "nowhere"]),
        countries=several([country for country in COUNTRIES if country]),
        owner_id=perhaps(draw(st.sampled_from(corpus.owners))),
        unowned=perhaps(1) == 1,
        has_phone=perhaps(draw(st.booleans())),
        created_from=perhaps(lead.created_at),
        created_until=perhaps(other.created_at),
        updated_from=perhaps(lead.updated_at),
        updated_until=perhaps(other.updated_at),
    )


@examples(40)
@given(data=st.data())
async def test_every_filter_and_sort_shows_page_by_page_what_python_works_out(
    corpus: Corpus, data: st.DataObject
) -> None:
    lead_filter, sort = data.draw(filters(corpus)), data.draw(st.sampled_from(LeadSort))

    shown = await corpus.desk.walk(lead_filter, sort, limit=data.draw(st.sampled_from([7, 50, 200])))

    assert [lead.id for lead in shown] == expected(corpus.leads, lead_filter, sort)


@examples(60)
@given(data=st.data())
async def test_a_search_with_any_filter_and_sort_shows_page_by_page_what_python_works_out(
    corpus: Corpus, data: st.DataObject
) -> None:
    lead_filter = replace(data.draw(filters(corpus)), q=data.draw(needles()))
    sort = data.draw(st.sampled_from(LeadSort))

    shown = await corpus.desk.walk(lead_filter, sort, limit=data.draw(st.sampled_from([7, 50, 200])))

    assert [lead.id for lead in shown] == expected(corpus.leads, lead_filter, sort)


@examples(30)
@given(data=st.data())
async def test_leads_are_counted_exactly_up_to_the_most_that_is_asked_for(corpus: Corpus, data: st.DataObject) -> None:
    lead_filter = replace(data.draw(filters(corpus)), q=data.draw(st.none() | needles()))
    most = data.draw(st.sampled_from([0, 1, 20, SIZE]))
    there = len(expected(corpus.leads, lead_filter, LeadSort.NEWEST))

    async with corpus.desk.database.transaction(corpus.desk.actor.workspace_id, read_only=True) as tx:
        counted = await count_leads(tx, corpus.desk.actor, filters=lead_filter, max_count=most)

    assert counted == Count(value=min(there, most), exact=there <= most)


async def test_the_sources_are_those_of_living_leads_of_the_workspace(corpus: Corpus, desk: Desk) -> None:
    gone = await desk.create("gone@acme.test", source="gone")
    await desk.delete(gone.lead_id)

    found = []
    for item in (corpus.desk, desk):
        async with item.database.transaction(item.actor.workspace_id, read_only=True) as tx:
            found.append(await list_sources(tx, item.actor))

    assert found == [sorted(SOURCES), []]


@pytest.mark.parametrize("sort", list(LeadSort))
async def test_each_sort_walks_all_leads_once_with_pages_of_one_kind(corpus: Corpus, sort: LeadSort) -> None:
    pages = [page async for page in corpus.desk.pages(sort=sort, limit=10)]

    assert [len(page.items) for page in pages] == [10] * (SIZE // 10)
    assert [lead.id for page in pages for lead in page.items] == expected(corpus.leads, LeadFilter(), sort)


@pytest.mark.parametrize(
    ("needle", "found"),
    [
        ("jose", True),
        ("JOSÉ GARC", True),
        ("joSe\u0301", True),
        ("garcia lo", True),
        ("j.garcia+x", True),
        ("bucher", True),
        ("STRASSE", True),
        ("50%", True),
        ("%", True),
        ("5%_", False),
        ("a_b", True),
        ("axb", False),
        ("c:\\t", True),
        ("c:\\\\t", False),
        ("garcia j.garcia", True),
        ("lopez jose", True),
        ("lopez ada", False),
        ("jose%garcia", False),
        ("'", False),
        ("j", True),
        ("lo", True),
        ("op", False),
        ("x", False),
    ],
)
async def test_a_search_is_for_a_part_of_name_address_or_company(desk: Desk, needle: str, found: bool) -> None:
    await desk.create(
        "j.garcia+x@bücher.example", firstName="José", lastName="García López", company="Straße 50% a_b C:\\Temp"
    )
    await desk.create("other@nowhere.test", firstName="Ada")

    assert ("j.garcia+x@bücher.example" in await desk.found(needle)) is found


@pytest.mark.parametrize(
    "needle",
    [
        "wei\u00df, j\u00fcrgen", "Wei\u00df,", "ceo,founder", "Founder/CEO", '"founder"', "J\u00fcrgen (Weiss)",
        "founder & ceo",
        "Wei\u00df - CEO", "<j.weiss@acme.test>", "(0151) 12345678", "(0151) 1234-5678", "0151 / 1234 5678",
        "0151\u20131234 5678",
        "(+49) 151 12345678", "+49 (0)151.12345678", "j\u00fcrgen, (0151) 12345678",
        "\u0660\u0661\u0665\u0661 \u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668",
    ],
)  # fmt: skip
async def test_punctuation_of_a_search_separates_words_and_groups_of_a_phone_number(desk: Desk, needle: str) -> None:
    await desk.create(
        "j.weiss@acme.test",
        firstName="J\u00fcrgen",
        lastName="Wei\u00df",
        jobTitle="CEO & Founder",
        phone="+4915112345678",
    )
    await desk.create("other@nowhere.test", firstName="J\u00fcrgen", jobTitle="CTO", phone="+4915187654321")

    assert await desk.found(needle) == {"j.weiss@acme.test"}


@pytest.mark.parametrize("sort", [LeadSort.CREATED, LeadSort.NEWEST, LeadSort.EMAIL, LeadSort.EMAIL_REVERSED])
@pytest.mark.parametrize("needle", [None, "acme"])
async def test_a_walk_misses_no_lead_and_shows_none_twice_while_others_come_and_go(
    desk: Desk, sort: LeadSort, needle: str | None
) -> None:
    steady = [(await desk.create(f"steady{number:02}@acme.com")).lead_id for number in range(30)]
    passing = [(await desk.create(f"passing{number:02}@acme.com")).lead_id for number in range(10)]
    seen: list[UUID] = []
    number = 0

    async for page in desk.pages(LeadFilter(q=needle), sort, limit=4):
        seen += [lead.id for lead in page.items]
        if passing:
            await desk.delete(passing.pop())
            number += 1
            await asyncio.gather(desk.create(f"a{number}@acme.com"), desk.create(f"z{number}@acme.com"))

    assert len(seen) == len(set(seen))
    assert set(steady) <= set(seen)


async def test_a_search_in_a_transaction_without_a_workspace_finds_nothing(desk: Desk) -> None:
    await desk.create("ada@acme.com")
    async with desk.database.system(read_only=True) as tx:
        await tx.execute(sql("SELECT set_config('role', 'leadflood_app', true)"))
        assert (await queries.list_leads(tx, desk.actor, filters=LeadFilter(q="ada"), limit=10)).items == []


async def test_a_search_takes_the_workspace_from_the_transaction_and_not_from_the_actor(desk: Desk) -> None:
    await desk.create("ada@acme.com")
    other = await new_workspace(desk.database)
    async with desk.database.transaction(other, read_only=True) as tx:
        for lead_filter in (LeadFilter(q="ada"), LeadFilter(q="%"), LeadFilter()):
            assert (await queries.list_leads(tx, desk.actor, filters=lead_filter, limit=10)).items == []


async def test_a_timeline_is_newest_first_and_comes_in_pages(desk: Desk) -> None:
    made = await desk.create("ada@acme.com")
    for version in range(1, 8):
        await desk.update(made.lead_id, version, firstName=f"Ada {version}")
    whole = await desk.timeline(made.lead_id)
    after: Position | None = None
    paged: list[LeadEventView] = []

    for _ in range(3):
        async with desk.database.transaction(desk.actor.workspace_id) as tx:
            page = await queries.list_events(tx, desk.actor, lead_id=made.lead_id, after=after, limit=3)
        paged += page.items
        after = page.after

    assert paged == whole
    assert after is None
    times = [entry.at for entry in whole]
    assert times == sorted(times, reverse=True)
    assert whole[0].data["changes"] == {"first_name": ["Ada 6", "Ada 7"]}
