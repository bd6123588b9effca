"""The language model: what is sent, what of its answers is kept, and what its replies cost and mean."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import leadflood.domains.enrichment.sources.language_model as package
from leadflood.domains.enrichment.contracts.language_models import SetModelEndpoint
from leadflood.domains.enrichment.models import (
    Answer,
    Away,
    Busy,
    Found,
    KeyRejected,
    Missed,
    OutOfCredits,
    ProviderReply,
    Refused,
    SourceFailure,
)
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models.model_endpoints import ANSWERABLE
from leadflood.domains.enrichment.sources.language_model import LanguageModel
from tests.support.canned_web import NOW, CannedFetcher
from tests.unit.enrichment.sources.asking import PAGES, ask, question, values

URL = "https://api.acme-ai.test/v1/chat/completions"
KEY = "a secret key"
KNOWN = {company.DOMAIN: "acme.com"}
FIXTURE = json.loads((Path(package.__file__).parent / "fixtures/completion.json").read_text("utf-8"))


def source(**changes: object) -> LanguageModel:
    given = {"url": "https://api.acme-ai.test/v1", "model": "acme-small", **changes}
    return LanguageModel(SetModelEndpoint.model_validate(given).endpoint(), KEY)


async def asked(
    value: Any,  # noqa: ANN401
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **changes: object,
) -> tuple[Answer | SourceFailure, CannedFetcher]:
    fetcher = CannedFetcher(calls={URL: ProviderReply(URL, status, headers or {}, value, "", NOW)})
    try:
        return await ask(source(**changes), KNOWN, fetcher), fetcher
    except SourceFailure as failure:
        return failure, fetcher


def completion(content: object, finish: str = "stop", **more: object) -> dict[str, object]:
    text = content if isinstance(content, str) else json.dumps(content)
    usage = {"prompt_tokens": 900, "completion_tokens": 100}
    return {"choices": [{"message": {"content": text, **more}, "finish_reason": finish}], "usage": usage}


async def test_values_that_pages_state_are_kept_with_page_and_quote_and_the_others_are_counted() -> None:
    answer, _ = await asked(FIXTURE)

    assert isinstance(answer, Found)
    facts = [*answer.facts]
    expected = {
        company.INDUSTRY: "Tools",
        company.FOUNDED: 1987,
        company.EMPLOYEES: 1200,
        company.LEGAL_FORM: "GmbH",
        company.COUNTRY: "DE",
    }
    assert {fact.field: fact.value for fact in facts} == expected
    assert answer.note == "1 of 6 values was dropped: 1 not quoted from a page."
    assert answer.units == 2, "900 tokens of input and 120 of output, which count four times, in thousands"
    receipts = {fact.field: fact.receipt for fact in facts}
    assert receipts[company.EMPLOYEES].source_url == "https://acme.com/about"
    assert receipts[company.INDUSTRY].quote == "Industry: Tools", "however the page is spaced"
    assert "acme-small" in receipts[company.FOUNDED].evidence
    assert {fact.confidence for fact in facts} == {0.7}


async def test_one_request_is_sent_with_pages_as_data_and_without_tools() -> None:
    _, fetcher = await asked(FIXTURE, fields=["industry", "founded"], maxTokens=500)

    (sent,) = fetcher.requests
    assert (sent.method, sent.url, sent.headers) == ("POST", URL, {"authorization": f"Bearer {KEY}"})
    assert isinstance(sent.body, dict)
    assert sent.body.keys() == {"model", "messages", "temperature", "max_tokens", "response_format"}
    assert (sent.body["temperature"], sent.body["max_tokens"]) == (0, 500)
    schema = sent.body["response_format"]["json_schema"]["schema"]
    assert schema["required"] == ["industry", "founded"]
    assert schema["properties"]["founded"]["items"]["properties"]["value"] == {"type": "integer"}
    system, user = sent.body["messages"]
    assert (system["role"], user["role"]) == ("system", "user")
    given = json.loads(user["content"])
    assert given["domain"] == "acme.com"
    assert [page["page"] for page in given["pages"]] == [1, 2]
    assert given["pages"][0]["text"] == PAGES[0].text
    assert "acme.com/about" not in user["content"], "the model gets no addresses"
    assert KEY not in json.dumps(sent.body)


@pytest.mark.parametrize(
    ("item", "dropped"),
    [
        ({"value": "Banking", "quote": "We are a bank."}, "not quoted from a page"),
        ({"value": "Tools", "quote": "industry: tools"}, "not quoted from a page"),
        ({"value": "Tools", "quote": ""}, "not quoted from a page"),
        ({"value": "Tools", "quote": "makes tools for “smart” factories"}, "not quoted from a page"),
        ({"value": "Tools", "quote": " ".join(PAGES[0].text.split()) + "x" * 300}, "not quoted from a page"),
        ({"value": "Tools"}, "not quoted from a page"),
        ({"value": "Tools", "quote": ["Industry: Tools"]}, "not quoted from a page"),
        ("Tools", "not quoted from a page"),
        ({"value": "Banking", "quote": "Industry: Tools"}, "not in its quote"),
        ({"value": "Too", "quote": "Industry: Tools"}, "not in its quote"),
        ({"value": "ools", "quote": "Industry: Tools"}, "not in its quote"),
        ({"value": "TOOLS", "quote": "Industry: Tools"}, "not in its quote"),
        ({"value": "", "quote": "Industry: Tools"}, "not in its quote"),
        ({"value": 7, "quote": "Industry: Tools"}, "not a value of its field"),
        ({"value": True, "quote": "Industry: Tools"}, "not a value of its field"),
        ({"value": None, "quote": "Industry: Tools"}, "not a value of its field"),
        ({"value": {"x": "Tools"}, "quote": "Industry: Tools"}, "not a value of its field"),
    ],
    ids=str,
)
async def test_a_value_without_its_quote_is_dropped_and_counted(item: object, dropped: str) -> None:
    kept = {"value": 1987, "quote": "Since 1987."}

    answer, _ = await asked(completion({"industry": [item], "founded": [kept]}))

    assert isinstance(answer, Found)
    assert [fact.field for fact in answer.facts] == [company.FOUNDED]
    assert answer.note == f"1 of 2 values was dropped: 1 {dropped}."


@pytest.mark.parametrize(
    ("field", "value", "quote", "kept"),
    [
        ("employees", 1200, "1,200 people", True),
        ("employees", 200, "1,200 people", False),
        ("employees", 1, "1,200 people", False),
        ("employees", "1200", "1,200 people", False),
        ("employees", 1200.0, "1,200 people", False),
        ("founded", 1987, "Since 1987.", True),
        ("founded", 87, "Since 1987.", False),
        ("country", "Germany", "Berlin, Germany", True),
        ("country", "Berlin", "Berlin, Germany", False),
        ("country", "DE", "Berlin, Germany", False),
        ("description", 'Acme GmbH makes tools for "smart" factories.', PAGES[0].text[5:50], True),
    ],
)
async def test_a_value_is_one_of_its_field_and_stands_in_its_quote(
    field: str, value: object, quote: str, kept: bool
) -> None:
    answer, _ = await asked(completion({field: [{"value": value, "quote": quote}]}))

    assert isinstance(answer, Found) is kept
    if isinstance(answer, Missed):
        assert answer.reason.startswith("1 of 1 value was dropped: ")


async def test_more_values_than_asked_for_and_other_fields_are_dropped() -> None:
    tools, factories = {"value": "tools", "quote": "makes tools"}, {"value": "factories", "quote": "factories"}
    given = {
        "industry": [tools, factories],
        "keyword": [tools, tools, factories],
        "email": [{"value": "evil@acme.com", "quote": "Home"}],
        "website": "https://evil.test/",
        **{f"x{number}": [] for number in range(50)},
    }

    answer, _ = await asked(completion(given))

    assert isinstance(answer, Found)
    facts = [*answer.facts]
    assert (values(facts, company.INDUSTRY), values(facts, company.KEYWORD)) == (["tools"], ["tools", "factories"])
    assert {fact.field for fact in facts} == {company.INDUSTRY, company.KEYWORD}
    assert answer.note == "4 of 7 values were dropped: 4 more than asked for."


@pytest.mark.parametrize(
    ("value", "sentence", "units"),
    [
        (completion({}), "The pages state nothing that it was asked for.", 2),
        (completion('{"industry": [', "length"), "cut off at 2000 tokens", 2),
        (completion("Sure! Here is the JSON"), "not in the form", 2),
        (completion("[1]"), "not in the form", 2),
        (completion("[" * 100_000), "not in the form", 2),
        (completion('"' + "x" * 300_000 + '"'), "not in the form", 2),
        (completion(None, refusal="I can't\n help."), "refused to answer. It says: I can't help.", 2),
        (completion("{}", "content_filter"), "A filter of the provider", 2),
        ({"choices": [{"message": {"content": None, "tool_calls": [{"id": "x"}]}}]}, "not in the form", None),
        ({"choices": []}, "not in the form", None),
        ({"choices": [{"message": {"content": "{}"}}], "usage": {"prompt_tokens": 10}}, "state nothing", None),
        ({"choices": [], "usage": {"prompt_tokens": -1, "completion_tokens": 1}}, "not in the form", None),
        ({**completion({}), "usage": {"prompt_tokens": 10**6, "completion_tokens": 0}}, "state nothing", 1000),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
async def test_an_answer_without_values_says_why_and_costs_its_tokens(
    value: object, sentence: str, units: int | None
) -> None:
    answer, _ = await asked(value)

    assert isinstance(answer, Missed)
    assert sentence in answer.reason
    assert answer.reason.endswith(".")
    assert answer.units == (source().spec.most_units if units is None else units), "without a count, the maximum"


def error(code: str | None, kind: str = "invalid_request_error") -> dict[str, object]:
    return {"error": {"message": "It went wrong.", "type": kind, "param": None, "code": code}}


@pytest.mark.parametrize(
    ("status", "value", "headers", "kind"),
    [
        (401, error("invalid_api_key"), {}, KeyRejected),
        (403, error("unsupported_country_region_territory"), {}, KeyRejected),
        (402, error(None), {}, OutOfCredits),
        (429, error("insufficient_quota", "insufficient_quota"), {}, OutOfCredits),
        (429, error("rate_limit_exceeded", "tokens"), {}, Busy),
        (429, error("rate_limit_exceeded", "tokens"), {"retry-after": "90"}, Busy),
        (404, error("model_not_found"), {}, Refused),
        (404, None, {}, Refused),
        (400, error("context_length_exceeded"), {}, Refused),
        (400, error("invalid_value"), {}, Refused),
        (451, error(None), {}, Refused),
        (500, error(None, "server_error"), {}, Away),
        (503, error(None), {"retry-after": "60"}, Busy),
        (502, None, {}, Away),
        (200, error("rate_limit_exceeded"), {}, Busy),
    ],
)
async def test_an_error_has_its_class_and_says_what_happened(
    status: int, value: object, headers: Mapping[str, str], kind: type
) -> None:
    answer, fetcher = await asked(value, status, headers)

    assert isinstance(answer, SourceFailure)
    assert type(answer) is kind
    assert "api.acme-ai.test" in answer.sentence
    assert len(fetcher.requests) == 1


async def test_busy_is_asked_again_when_the_server_says() -> None:
    answer, _ = await asked(error("rate_limit_exceeded"), 429, {"retry-after": "90"})

    assert isinstance(answer, Busy)
    assert (answer.until - NOW).total_seconds() == 90


async def test_without_pages_nothing_is_sent() -> None:
    fetcher, made = CannedFetcher(), source()

    answer = await made.ask(replace(question(made, KNOWN), pages=()), fetcher)

    assert answer == Missed("There is no text of its website to read.")
    assert fetcher.requests == []


def test_the_fields_of_the_api_are_those_that_a_model_may_be_asked_for() -> None:
    assert SetModelEndpoint.model_validate({"url": "https://a.test", "model": "m"}).fields == [
        field.name for field in ANSWERABLE
    ]


def test_what_changes_an_answer_changes_the_version_and_the_price_does_not() -> None:
    first = source().spec.version

    assert source(outputWeight=10).spec.version == first
    for changes in ({"model": "other"}, {"fields": ["industry"]}, {"maxBytes": 2000}, {"url": "https://b.test/v1"}):
        assert source(**changes).spec.version != first
