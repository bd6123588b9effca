"""The demo's companies can be read like real ones: names, pages and registers."""

import json
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from leadflood.demo.internet.internet import Internet, demo_handler, demo_zone
from leadflood.demo.internet.registers import COMPANIES_HOUSE, GLEIF, SEC_DATA
from leadflood.demo.internet.world import companies
from leadflood.kernel.door.addresses import parse_address, refusal_of
from leadflood.kernel.door.door import Door
from leadflood.kernel.door.features import Feature
from leadflood.kernel.door.resolver import RecordType
from scripts.generate_world import TARGET, world_lines
from tests.support.small_internet import open_door


@pytest.fixture
async def world() -> AsyncIterator[Door]:
    async with Internet(demo_zone(), demo_handler) as started, open_door(started) as door:
        yield door


def test_the_world_has_200_companies_in_ten_countries_and_is_made_from_its_seed() -> None:
    found = companies()

    assert len({company.domain for company in found}) == 200
    assert set(Counter(company.country for company in found).values()) == {20}
    assert all(refusal_of(address) is None for each in found if (address := parse_address(each.address)) is not None)
    assert TARGET.read_text("utf-8").splitlines() == world_lines()


async def test_every_page_of_a_company_is_served_in_its_language(world: Door) -> None:
    for company in companies()[::20]:
        for path in ("/", "/about", "/imprint", "/contact"):
            reply = await world.request(Feature.WEBSITE, "GET", f"https://www.{company.domain}{path}")
            assert reply.ok
            assert f'<html lang="{company.language}">' in reply.text
        imprint = await world.request(Feature.WEBSITE, "GET", f"https://{company.domain}/imprint")
        assert all(number in imprint.text for number in company.identifiers.values())
        mail = await world.lookup(company.domain, RecordType.MX)
        assert mail.records == (f"10 {company.mail}",)


async def test_registers_answer_by_identifier(world: Door) -> None:
    by = {kind: each for each in companies() for kind in each.identifiers}
    lei, cik, number = by["lei"], by["cik"], by["company_number"]

    record = await world.request(
        Feature.REGISTER, "GET", f"https://{GLEIF}/api/v1/lei-records/{lei.identifiers['lei']}"
    )
    assert json.loads(record.body)["data"]["attributes"]["entity"]["legalName"]["name"] == lei.legal_name
    filing = await world.request(
        Feature.REGISTER, "GET", f"https://{SEC_DATA}/submissions/CIK{cik.identifiers['cik'].zfill(10)}.json"
    )
    assert json.loads(filing.body)["name"] == cik.legal_name
    url = f"https://{COMPANIES_HOUSE}/company/{number.identifiers['company_number']}"
    assert (await world.request(Feature.REGISTER, "GET", url)).status == 401
    profile = await world.request(Feature.REGISTER, "GET", url, headers={"Authorization": "Basic a2V5Og=="})
    assert json.loads(profile.body)["company_name"] == number.legal_name.upper()
    missing = await world.request(Feature.REGISTER, "GET", f"https://{GLEIF}/api/v1/lei-records/X")
    assert missing.status == 404
