"""DNS, email check, registers and the instant sources, with records that are written down."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from leadflood.domains.enrichment.models import FactField, FactValue, FetchedData, Found, KeyRejected, Missed, Refused
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models import lead_fields as lead
from leadflood.domains.enrichment.sources.companies_house import CompaniesHouse
from leadflood.domains.enrichment.sources.companies_house.source import spelled
from leadflood.domains.enrichment.sources.company_place import CompanyPlace
from leadflood.domains.enrichment.sources.dns import Dns
from leadflood.domains.enrichment.sources.email_check import EmailCheck
from leadflood.domains.enrichment.sources.gleif import Gleif
from leadflood.domains.enrichment.sources.job_title import JobTitle
from leadflood.domains.enrichment.sources.phone_place import PhonePlace
from leadflood.domains.enrichment.sources.sec_edgar import SecEdgar
from leadflood.domains.enrichment.sources.wikidata import Wikidata
from leadflood.domains.enrichment.sources.wikidata.source import query_for
from leadflood.kernel.door.errors import LookupFailed, NameNotFound, TargetRefused
from tests.support.canned_web import NOW, CannedFetcher
from tests.unit.enrichment.sources.asking import ask, facts_of, values

DOMAIN: dict[FactField, FactValue] = {company.DOMAIN: "acme.com"}
RECORDS = {
    ("acme.com", "MX"): ("10 acme-com.mail.protection.outlook.com",),
    ("acme.com", "TXT"): ("v=spf1 include:spf.protection.outlook.com include:_spf.salesforce.com -all", "docusign=1"),
    ("acme.com", "NS"): ("ada.ns.cloudflare.com",),
    ("_dmarc.acme.com", "TXT"): ("v=DMARC1; p=quarantine",),
}


async def test_dns_records_name_provider_services_and_policy() -> None:
    facts = await facts_of(Dns(), DOMAIN, CannedFetcher(texts=RECORDS))

    assert values(facts, company.MAIL_PROVIDER) == ["Microsoft 365"]
    assert values(facts, company.ACCEPTS_MAIL) == [True]
    assert set(values(facts, company.SERVICE)) == {"Microsoft 365", "Salesforce", "DocuSign"}
    assert values(facts, company.TECHNOLOGY) == ["Cloudflare"]
    assert values(facts, company.DMARC) == ["quarantine"]


async def test_dns_records_of_a_domain_above_hold_for_those_below() -> None:
    records = {("shop.acme.com", "TXT"): ("x",), ("_dmarc.acme.com", "TXT"): ("v=DMARC1; p=reject",)}
    facts = await facts_of(Dns(), {company.DOMAIN: "shop.acme.com"}, CannedFetcher(texts=records))

    assert values(facts, company.DMARC) == ["reject"]


async def test_dns_failures_are_partial_or_whole() -> None:
    failed = LookupFailed("The name servers of acme.com did not answer.")
    partly = await ask(Dns(), DOMAIN, CannedFetcher(texts={**RECORDS, ("acme.com", "TXT"): failed}))
    names = {("acme.com", kind): failed for kind in ("MX", "TXT", "NS")}

    assert isinstance(partly, Found)
    assert partly.note == failed.sentence
    assert values([*partly.facts], company.MAIL_PROVIDER) == ["Microsoft 365"]
    with pytest.raises(LookupFailed):
        await ask(Dns(), DOMAIN, CannedFetcher(texts={**names, ("_dmarc.acme.com", "TXT"): failed}))
    with pytest.raises(NameNotFound):
        await ask(Dns(), DOMAIN, CannedFetcher())


async def test_a_domain_that_takes_no_mail_or_is_parked_says_so() -> None:
    null = await facts_of(Dns(), DOMAIN, CannedFetcher(texts={("acme.com", "MX"): ("0 .",)}))
    parked = await facts_of(Dns(), DOMAIN, CannedFetcher(texts={("acme.com", "NS"): ("ns1.sedoparking.com",)}))

    assert values(null, company.ACCEPTS_MAIL) == [False]
    assert values(parked, company.PARKED) == [True]


@pytest.mark.parametrize(
    ("email", "records", "status", "method"),
    [
        ("ada@acme.com", RECORDS, "unknown", "mx"),
        ("ada@acme.com", {}, "invalid", "domain"),
        ("ada@acme.com", {("acme.com", "MX"): ("0 .",)}, "invalid", "null_mx"),
        ("ada@acme.com", {("acme.com", "TXT"): ("x",)}, "invalid", "no_mx"),
        ("ada@acme.com", {("acme.com", "A"): ("25.1.1.1",)}, "risky", "no_mx"),
        ("ada@acme.com", {("acme.com", "MX"): ("10 mail.mailinator.com",)}, "risky", "disposable_mx"),
        ("ada@acme.com", {("acme.com", "MX"): ("10 mx.sedoparking.com",)}, "risky", "parked"),
        ("ada@mailinator.com", {("mailinator.com", "MX"): ("10 mx.example",)}, "risky", "disposable_list"),
        ("ada@gmaill.com", {("gmaill.com", "MX"): ("10 mx.example",)}, "risky", "typo"),
        ("sales@acme.com", RECORDS, "risky", "role"),
        (
            "ada@acme.com",
            {("acme.com", "MX"): TargetRefused("acme.com is a name of an internal network.")},
            "invalid",
            "domain",
        ),
    ],
)
async def test_the_verdict_about_an_address(
    email: str, records: dict[tuple[str, str], tuple[str, ...]], status: str, method: str
) -> None:
    facts = await facts_of(EmailCheck(), {lead.EMAIL: email}, CannedFetcher(texts=records))
    verdict = next(fact for fact in facts if fact.field is lead.EMAIL_STATUS)

    assert (verdict.value, verdict.receipt.method) == (status, method)
    assert verdict.receipt.evidence.endswith(".")


async def test_a_lookup_that_fails_is_no_verdict() -> None:
    failed = LookupFailed("The name servers of acme.com did not answer.")

    with pytest.raises(LookupFailed):
        await ask(EmailCheck(), {lead.EMAIL: "ada@acme.com"}, CannedFetcher(texts={("acme.com", "MX"): failed}))


LEI = "5493001KJTIIGC8Y1R12"
RECORD = {
    "attributes": {
        "lei": LEI,
        "entity": {
            "legalName": {"name": "Acme GmbH"},
            "headquartersAddress": {
                "addressLines": ["Allee 1"],
                "city": "Köln",
                "country": "DE",
                "postalCode": "50667",
            },
            "registeredAs": "HRB 1",
            "status": "ACTIVE",
        },
    }
}


class _Asked(CannedFetcher):
    """Answers every URL with the same JSON and status."""

    def __init__(self, value: object, status: int = 200) -> None:
        super().__init__()
        self._value, self._status = value, status

    async def data(self, url: str, *, headers: object = None) -> FetchedData:
        self.asked.append(url)
        return FetchedData(url, self._status, {}, self._value if self._status == 200 else None, NOW)


async def test_gleif_answers_by_lei_and_by_name_only_without_doubt() -> None:
    by_number = await facts_of(Gleif(), {company.LEI: LEI}, _Asked({"data": RECORD}))
    named: dict[FactField, FactValue] = {
        company.LEGAL_NAME: "ACME G.m.b.H.",
        company.COUNTRY: "DE",
        company.CITY: "koln",
    }
    by_name = await facts_of(Gleif(), named, _Asked({"data": [RECORD]}))

    assert values(by_number, company.LEGAL_NAME) == ["Acme GmbH"]
    assert values(by_name, company.LEI) == [LEI]
    assert max(fact.confidence for fact in by_name) < max(fact.confidence for fact in by_number)
    for other in ({company.CITY: "Bonn"}, {company.COUNTRY: "AT"}, {company.LEGAL_NAME: "Acne GmbH & Söhne"}):
        assert isinstance(await ask(Gleif(), {**named, **other}, _Asked({"data": [RECORD]})), Missed)
    assert isinstance(await ask(Gleif(), named, _Asked({"data": [RECORD, RECORD]})), Missed), "two of them"
    assert isinstance(await ask(Gleif(), {company.LEI: LEI}, _Asked(None, 404)), Missed)


async def test_wikidata_has_one_item_with_the_website() -> None:
    row = {"item": "http://www.wikidata.org/entity/Q42", "itemLabel": "Acme", "inception": "1987-01-01T00:00:00Z",
           "employees": "120", "country": "DE", "lei": LEI}  # fmt: skip
    bindings = [{name: {"value": text} for name, text in row.items()}]
    facts = await facts_of(Wikidata(), DOMAIN, _Asked({"results": {"bindings": bindings * 3}}))

    assert values(facts, company.WIKIDATA) == ["Q42"]
    assert (values(facts, company.EMPLOYEES), values(facts, company.FOUNDED)) == ([120], [1987])
    other = [*bindings, {"item": {"value": "http://www.wikidata.org/entity/Q43"}}]
    assert isinstance(await ask(Wikidata(), DOMAIN, _Asked({"results": {"bindings": other}})), Missed)


def test_a_domain_cannot_change_the_query() -> None:
    query = query_for("acme.com> } SELECT ?x { ?x ?y <http://evil.example")

    assert "SELECT ?x" not in query
    assert query.count("{") == query_for("acme.com").count("{")


async def test_sec_edgar_answers_by_number_and_needs_a_contact() -> None:
    address = {"street1": "ONE APPLE PARK WAY", "city": "CUPERTINO", "zipCode": "95014", "stateOrCountry": "CA"}
    record = {
        "cik": "0000320193",
        "name": "Apple Inc.",
        "sicDescription": "Electronic Computers",
        "tickers": ["AAPL"],
        "phone": "(408) 996-1010",
        "addresses": {"business": address},
    }
    fetcher = _Asked(record)
    facts = await facts_of(SecEdgar(), {company.CIK: "320193"}, fetcher)

    assert fetcher.asked == ["https://data.sec.gov/submissions/CIK0000320193.json"]
    assert values(facts, company.PHONE) == ["+14089961010"]
    assert values(facts, company.TICKER) == ["AAPL"]
    assert values(facts, company.COUNTRY) == ["US"]
    with pytest.raises(Refused, match="name a contact"):
        await ask(SecEdgar(), {company.CIK: "320193"}, _Asked(None, 403))


async def test_companies_house_answers_by_number_with_a_key() -> None:
    profile = {"company_name": "ACME (UK) WIDGETS LTD", "company_number": "03977902", "date_of_creation": "2000-04-19",
               "registered_office_address": {"locality": "Leeds", "postal_code": "LS1 4AP"}}  # fmt: skip
    known: dict[FactField, FactValue] = {company.COMPANY_NUMBER: "03977902"}
    facts = await facts_of(CompaniesHouse("key"), known, _Asked(profile))

    assert values(facts, company.LEGAL_NAME) == ["Acme (UK) Widgets Ltd"]
    assert values(facts, company.FOUNDED) == [2000]
    with pytest.raises(KeyRejected):
        await ask(CompaniesHouse("key"), known, _Asked(None, 401))
    assert isinstance(await ask(CompaniesHouse("key"), known, _Asked(None, 404)), Missed)


def test_names_in_capitals_are_spelled_as_people_write_them() -> None:
    assert [spelled(name) for name in ("BANK OF ACME PLC", "JCB SALES LTD", "O'NEIL-SMITH LLP", "Acme Ltd", "")] == [
        "Bank of Acme PLC", "JCB Sales Ltd", "O'Neil-Smith LLP", "Acme Ltd", "",
    ]  # fmt: skip


async def test_instant_sources_read_titles_phones_and_places() -> None:
    nothing = CannedFetcher()
    title = await facts_of(JobTitle(), {lead.JOB_TITLE: "Head of Sales"}, nothing)
    phone = await facts_of(PhonePlace(), {lead.PHONE: "+493090182"}, nothing)
    place = await facts_of(CompanyPlace(), {company.COUNTRY: "US", company.REGION: "CA"}, nothing)

    assert (values(title, lead.SENIORITY), values(title, lead.JOB_FUNCTION)) == (["head"], ["sales"])
    assert (values(phone, lead.COUNTRY), values(phone, lead.TIME_ZONE)) == (["DE"], ["Europe/Berlin"])
    assert values(place, company.TIME_ZONE) == ["America/Los_Angeles"]
    assert nothing.asked == []


async def test_the_query_is_sent_once_and_encoded() -> None:
    fetcher = _Asked({"results": {"bindings": []}})
    await ask(Wikidata(), DOMAIN, fetcher)

    (url,) = fetcher.asked
    assert parse_qs(urlsplit(url).query)["format"] == ["json"]
    assert "acme.com" in parse_qs(urlsplit(url).query)["query"][0]
    assert json.dumps(url).isascii()
