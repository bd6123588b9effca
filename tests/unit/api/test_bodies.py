"""Large bodies: parsed and validated like small ones, in slices, within a budget."""

import asyncio
import json
import random
from contextlib import suppress
from typing import Any

import pytest
from pydantic import ValidationError

from leadflood.api.json_bodies import MAX_VALUES, SMALL_BYTES, ListSchema, parse_json, parse_large
from leadflood.domains.leads.contracts import CreateLead, CreateLeads, InvalidLead
from leadflood.kernel.errors import BodyTimeout, ContentTooLarge, InvalidInput, Unavailable
from leadflood.kernel.request_bodies import BodyBudget, in_slices, read_pieces


async def parsed(body: bytes, limit: int = 1_000_000) -> object:
    """Result of parsing a body: its value, or the error's class."""
    try:
        return await parse_large(body, limit)
    except (InvalidInput, ContentTooLarge) as error:
        return type(error)


def parsed_whole(body: bytes) -> object:
    try:
        return parse_json(body)
    except InvalidInput:
        return InvalidInput


PIECES = ["{", "}", "[", "]", ",", ":", '"a"', '"b"', "1", "null", '"]"', '"\\""', '"{"', '"']


def some_json(random_unit: random.Random, depth: int = 0) -> object:
    kind = random_unit.randrange(6 if depth < 5 else 3)
    if kind == 3:
        return [some_json(random_unit, depth + 1) for _ in range(random_unit.randrange(4))]
    if kind > 3:
        return {f'{n}"\\:{{': some_json(random_unit, depth + 1) for n in range(random_unit.randrange(4))}
    return [random_unit.randrange(100), 'é}]"\\', None][kind]


async def test_a_large_body_has_the_value_that_it_has_in_one_piece() -> None:
    random_unit = random.Random(9)  # noqa: S311  the same cases each time
    for _ in range(400):
        body = json.dumps(some_json(random_unit), ensure_ascii=random_unit.random() < 0.5).encode()
        cut = random_unit.randrange(len(body) + 1)
        broken = body[:cut] + random_unit.choice(PIECES).encode() + body[cut:]
        for text in (body, broken):
            pad = b', {"pad": "' + b"x" * SMALL_BYTES + b'"}, '
            inside = b'{"leads":[' + text + pad + text + b', 7], "a": {"b": []}}'
            found, whole = await parsed(inside), parsed_whole(inside)
            assert found == whole or (found, whole) == (ContentTooLarge, InvalidInput), text


async def test_a_large_body_without_end_is_refused() -> None:
    for body in (
        b"[" * 200_000,
        b'{"leads":[' + b"{}," * 100_000,
        b'"' * 100_001,
        b'{"leads":[{"a":"' + b"x" * 200_000,
    ):
        assert await parsed(body, 70_000) in (InvalidInput, ContentTooLarge)


def test_a_body_has_a_limited_number_of_values() -> None:
    assert parse_json(json.dumps(["," * MAX_VALUES] * 2).encode())
    with pytest.raises(InvalidInput, match="more than 20000 values"):
        parse_json(json.dumps([1] * (MAX_VALUES + 2)).encode())


async def test_leads_are_validated_one_by_one_as_they_are_at_once() -> None:
    value = {"leads": [{"email": "ada@acme.com"}, {"email": 7}, None, {"email": "a@b.com", "x": 1}]}
    contract = ListSchema(CreateLeads)

    validated = await contract.validate(value)

    assert validated == CreateLeads.model_validate(value)
    assert isinstance(validated, CreateLeads)
    assert [type(lead) for lead in validated.leads] == [CreateLead, InvalidLead, InvalidLead, InvalidLead]
    wrong: object
    for wrong in ({"leads": []}, {"leads": [{}] * 1_001}, {"leads": {}}, {}, None, {"leads": [{}], "more": 1}):
        with pytest.raises(ValidationError) as one_by_one:
            await contract.validate(wrong)
        with pytest.raises(ValidationError) as at_once:
            CreateLeads.model_validate(wrong)
        assert one_by_one.value.errors(include_url=False) == at_once.value.errors(include_url=False)


async def test_others_are_served_while_many_slow_addresses_are_validated() -> None:
    turns, validating = 0, True
    loop = asyncio.get_running_loop()

    def another_turn() -> None:
        nonlocal turns
        turns += 1
        if validating:
            loop.call_soon(another_turn)

    leads = [{"email": f"ada{n}@{'ü' * 40}.{'ö' * 40}.com"} for n in range(200)]
    another_turn()
    await ListSchema(CreateLeads).validate({"leads": leads})
    validating = False

    assert turns > 5


async def test_bodies_share_a_budget_and_give_it_back() -> None:
    budget = BodyBudget(100)
    with budget.lease() as one, budget.lease() as other:
        one.reserve(60)
        with pytest.raises(Unavailable):
            other.reserve(41)
        other.reserve(40)
    assert budget.used == 0


async def test_a_body_that_only_drips_is_cut_off() -> None:
    async def drip() -> dict[str, Any]:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.005):
                await asyncio.Event().wait()
        return {"type": "http.request", "body": b"x", "more_body": True}

    received = bytearray()

    async def read() -> None:
        async for piece in read_pieces(drip, idle_timeout=0.05):
            received.extend(piece)

    with pytest.raises(BodyTimeout):
        await read()
    assert received


async def test_slices_hand_on_every_item_in_order() -> None:
    assert [in_slice async for in_slice in in_slices(range(1_000))] == list(range(1_000))
