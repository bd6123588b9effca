"""Providers: documented replies become facts with a price; every error is of the right class, in plain words."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import leadflood.domains.enrichment.sources as package
from leadflood.domains.enrichment.engine.provider_calls import HIDDEN
from leadflood.domains.enrichment.models import (
    Answer,
    Away,
    Busy,
    FactField,
    Found,
    KeyRejected,
    Missed,
    Objected,
    OutOfCredits,
    ProviderReply,
    Refused,
    Source,
    SourceFailure,
    Ticket,
)
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models import lead_fields as person
from leadflood.domains.enrichment.models.waits import DEFAULT_WAIT, MAX_WAIT
from leadflood.domains.enrichment.registry import PROVIDERS
from tests.support.canned_web import NOW, CannedFetcher
from tests.unit.enrichment.sources.asking import ask, question, values

FOLDER = Path(package.__file__).parent
SOURCES = {source.spec.name: source for provider in PROVIDERS for source in provider.sources("no key")}
KNOWN: Mapping[FactField, str] = {
    company.DOMAIN: "acme.com",
    person.EMAIL: "ada@acme.com",
    person.FIRST_NAME: "Ada",
    person.LAST_NAME: "Lovelace",
    person.COMPANY_DOMAIN: "acme.com",
}
SENTENCE_END = (".", "?")


class _Replying(CannedFetcher):
    """Gives the same reply to each call."""

    def __init__(self, status: int, value: Any, headers: Mapping[str, str] | None = None) -> None:  # noqa: ANN401
        super().__init__()
        self.reply = ProviderReply("https://provider.test/", status, headers or {}, value, json.dumps(value), NOW)

    async def call(self, method: str, url: str, **_: Any) -> ProviderReply:  # noqa: ANN401
        self.asked.append(url)
        return self.reply


def known_of(source: Source) -> dict[FactField, Any]:
    return {field: KNOWN[field] for field in source.spec.needs[0]}


async def answered(
    name: str,
    status: int,
    value: Any,  # noqa: ANN401
    headers: Mapping[str, str] | None = None,
) -> Answer | SourceFailure:
    """The answer or failure. A source asks once, whatever comes."""
    fetcher = _Replying(status, value, headers)
    try:
        answer: Answer | SourceFailure = await ask(SOURCES[name], known_of(SOURCES[name]), fetcher)
    except SourceFailure as failure:
        answer = failure
    assert len(fetcher.asked) == 1
    return answer


def fixture(folder: str, name: str) -> Any:  # noqa: ANN401
    return json.loads((FOLDER / folder / "fixtures" / f"{name}.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("name", "folder", "file", "expected"),
    [
        ("hunter_domain_search", "hunter", "domain_search", {company.EMAIL: "info@acme.com", company.CITY: "Berlin"}),
        ("hunter_email_finder", "hunter", "email_finder", {person.JOB_TITLE: "Head of Sales"}),
        ("hunter_email_verifier", "hunter", "email_verifier", {person.EMAIL_STATUS: "risky"}),
        ("pdl_person", "people_data_labs", "person", {person.PHONE: "+4930901820", person.JOB_TITLE: "Head of Sales"}),
        ("pdl_company", "people_data_labs", "company", {company.EMPLOYEES: 120, company.FOUNDED: 1999}),
        ("zerobounce", "zerobounce", "validate", {person.EMAIL_STATUS: "risky", person.IS_ROLE_ADDRESS: True}),
        ("abstract_email", "abstract", "email", {person.EMAIL_STATUS: "valid", person.FIRST_NAME: "Ada"}),
        ("abstract_company", "abstract", "company", {company.COUNTRY: "DE", company.EMPLOYEES: 120}),
        ("apollo_person", "apollo", "person", {person.JOB_TITLE: "Head of Sales", person.EMAIL_STATUS: "valid"}),
        ("apollo_company", "apollo", "company", {company.PHONE: "+4930901820", company.TECHNOLOGY: "nginx"}),
    ],
)
async def test_a_documented_reply_becomes_facts_and_one_unit(
    name: str, folder: str, file: str, expected: Mapping[FactField, Any]
) -> None:
    answer = await answered(name, 200, fixture(folder, file))

    assert isinstance(answer, Found)
    assert answer.units == 1
    facts = [*answer.facts]
    assert {field: values(facts, field)[0] for field in expected} == expected


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (429, {}, Busy),
        (429, {"retry-after": "90"}, Busy),
        (429, {"retry-after": "999999999"}, Busy),
        (402, {}, OutOfCredits),
        (403, {}, KeyRejected),
        (401, {}, KeyRejected),
        (422, {}, Refused),
        (400, {}, Refused),
        (418, {}, Refused),
        (451, {}, Objected),
        (500, {}, Away),
        (503, {"retry-after": "60"}, Busy),
        (302, {}, Away),
    ],
)
@pytest.mark.parametrize("name", ["pdl_person", "apollo_person", "zerobounce"])
async def test_a_status_has_its_class(
    name: str, status: int, headers: Mapping[str, str], kind: type[SourceFailure]
) -> None:
    failure = await answered(name, status, {"error": {"message": "It said no\n <b>here</b>."}}, headers)

    assert type(failure) is kind
    assert isinstance(failure, SourceFailure)
    assert failure.sentence.endswith(SENTENCE_END)
    assert "\n" not in failure.sentence
    if isinstance(failure, Busy):
        wait = failure.until - NOW
        expected = {"90": timedelta(seconds=90), "60": timedelta(seconds=60), "999999999": MAX_WAIT}
        told = headers.get("retry-after")
        assert wait == expected[told] if told else timedelta(0) < wait <= max(DEFAULT_WAIT, timedelta(hours=1))


@pytest.mark.parametrize(
    ("name", "status", "value", "kind"),
    [
        ("hunter_email_finder", 429, {"errors": [{"id": "too_many_requests", "code": 429}]}, OutOfCredits),
        ("hunter_email_finder", 403, {"errors": [{"id": "rate_limit", "code": 403}]}, Busy),
        ("hunter_email_finder", 403, {"errors": [{"id": "restricted_account", "code": 403}]}, KeyRejected),
        ("hunter_email_finder", 400, {"errors": [{"id": "claimed_email", "code": 400}]}, Objected),
        ("hunter_email_verifier", 202, {"data": {}}, Busy),
        ("hunter_email_verifier", 222, {"errors": [{"id": "smtp", "code": 222}]}, Busy),
        ("abstract_email", 422, {"error": {"code": "quota_reached"}}, OutOfCredits),
        ("abstract_email", 429, {"error": {"message": "Too fast."}}, Busy),
        ("abstract_company", 200, {"error": {"message": "No."}}, Refused),
        ("apollo_person", 403, {"error_code": "API_INACCESSIBLE"}, KeyRejected),
        ("apollo_person", 422, {"error_code": "INSUFFICIENT_CREDITS"}, OutOfCredits),
        ("apollo_person", 401, None, KeyRejected),
        ("apollo_person", 403, None, Away),
        ("zerobounce", 200, {"error": "Invalid API key or your account ran out of credits"}, KeyRejected),
        ("zerobounce", 200, {"error": "You have run out of credits."}, OutOfCredits),
        ("zerobounce", 200, [], Away),
    ],
)
async def test_a_provider_has_its_own_ways_to_say_no(
    name: str,
    status: int,
    value: Any,  # noqa: ANN401
    kind: type[SourceFailure],
) -> None:
    failure = await answered(name, status, value)

    assert type(failure) is kind
    assert isinstance(failure, SourceFailure)
    assert failure.sentence.endswith(SENTENCE_END)


@pytest.mark.parametrize(
    ("name", "status", "value", "units"),
    [
        ("hunter_email_finder", 200, {"data": {"email": None}}, 0),
        ("hunter_domain_search", 200, {"data": {"emails": []}}, 0),
        ("hunter_email_verifier", 200, {"data": {"status": "unknown"}}, 1),
        ("pdl_person", 404, {"status": 404, "error": {"type": "not_found"}}, 0),
        ("pdl_company", 404, {"status": 404, "error": {"type": "not_found"}}, 0),
        ("apollo_person", 200, {"person": None}, 0),
        ("apollo_company", 200, {}, 0),
        ("zerobounce", 200, {"status": "unknown", "sub_status": "greylisted"}, 0),
        ("abstract_email", 200, {"email_deliverability": {"status": "unknown"}}, 1),
        ("abstract_company", 200, {"company_name": None}, 1),
    ],
)
async def test_a_miss_costs_what_the_provider_charges_for_it(
    name: str,
    status: int,
    value: Any,  # noqa: ANN401
    units: int,
) -> None:
    answer = await answered(name, status, value)

    assert isinstance(answer, Missed)
    assert answer.units == units


async def test_a_charge_above_the_maximum_is_what_the_provider_says() -> None:
    reply = fixture("people_data_labs", "person")

    answer = await answered("pdl_person", 200, reply, {"x-call-credits-spent": "5"})

    assert isinstance(answer, Found)
    assert answer.units == 5 > SOURCES["pdl_person"].spec.most_units


async def test_a_rate_that_ends_at_a_time_is_waited_for() -> None:
    reset = NOW + timedelta(seconds=41)

    failure = await answered("pdl_person", 429, {}, {"x-ratelimit-reset": reset.isoformat()})

    assert isinstance(failure, Busy)
    assert failure.until == reset


async def test_a_phone_number_that_is_searched_for_is_polled_and_never_ordered_twice() -> None:
    source: Any = SOURCES["apollo_phone"]
    known = known_of(source)
    ticket = await ask(source, known, _Replying(200, {"person": None, "request_id": -42}))
    assert isinstance(ticket, Ticket)
    assert ticket.ref == "-42"

    pending = _Replying(404, {"error_code": "result_pending", "retry_after_seconds": 20})
    again = await source.poll(ticket, question(source, known), pending)
    assert again == Ticket("-42", NOW + timedelta(seconds=20))
    assert pending.asked == ["https://api.apollo.io/api/v1/webhook_result/-42"]

    found = await source.poll(ticket, question(source, known), _Replying(200, fixture("apollo", "phone")))
    assert isinstance(found, Found)
    assert (found.units, found.facts[0].value) == (9, "+4915123456789")

    for name, status in (("request_id_unknown", 404), ("request_id_expired", 410)):
        with pytest.raises(Refused):
            await source.poll(ticket, question(source, known), _Replying(status, {"error_code": name}))


async def test_keys_are_in_headers_but_where_the_provider_leaves_no_other_way() -> None:
    for name, source in SOURCES.items():
        fetcher = CannedFetcher()
        with pytest.raises(SourceFailure) if name == "zerobounce" else pytest.MonkeyPatch.context():
            await ask(source, known_of(source), fetcher)
        (sent,) = fetcher.requests
        assert ("no+key" in sent.url) is (name == "zerobounce")
        assert HIDDEN in fetcher.asked[0] if name == "zerobounce" else HIDDEN not in fetcher.asked[0]
