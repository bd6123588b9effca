"""Requirements for every source of enrichment that is asked without a key, or with one that the user has."""

import contextlib
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

import leadflood.domains.enrichment.sources as package
from leadflood.domains.enrichment.contracts.http_sources import DefineSource
from leadflood.domains.enrichment.contracts.language_models import SetModelEndpoint
from leadflood.domains.enrichment.models import (
    Answer,
    Away,
    Busy,
    FactField,
    FactValue,
    FetchedData,
    FetchedPage,
    Found,
    Missed,
    ProviderReply,
    Source,
    SourceFailure,
    Speed,
    SubjectKind,
)
from leadflood.domains.enrichment.models.company_fields import COMPANY_FIELDS
from leadflood.domains.enrichment.models.lead_fields import PERSON_FIELDS
from leadflood.domains.enrichment.registry import build_sources, keyed_sources
from leadflood.domains.enrichment.sources.http_api import HttpSource
from leadflood.domains.enrichment.sources.language_model import LanguageModel
from leadflood.domains.enrichment.sources.simulated import Simulated
from leadflood.kernel.config import Settings
from leadflood.kernel.door import errors
from leadflood.kernel.door.errors import DoorError
from leadflood.kernel.door.resolver import DnsAnswer, RecordType
from tests.support.canned_web import NOW, CannedFetcher, page
from tests.support.receipts import require_plain
from tests.unit.enrichment.sources.asking import ask, question

FOLDER = Path(package.__file__).parent
DEFINED = DefineSource.model_validate(
    {
        name: {str(status): kind for status, kind in value.items()} if name == "statuses" else value
        for name, value in yaml.safe_load((FOLDER / "http_api/fixtures/definition.yaml").read_text("utf-8")).items()
        if name != "name"
    }
)
MODEL = SetModelEndpoint.model_validate({"url": "https://api.acme-ai.test/v1", "model": "acme-small"})
SOURCES: Sequence[Source] = (
    *build_sources(Settings(_env_file=None, companies_house_key=SecretStr("key"))),
    *(source for source in keyed_sources() if not isinstance(source, LanguageModel)),
    LanguageModel(MODEL.endpoint(), "a key"),
    HttpSource(DEFINED.definition("custom_acme_data"), "a key"),
    Simulated(latency=0, failure_rate=0, failure_kind="retryable", random_unit=lambda: 0.5),
)
HEADINGS = ("## What it gives", "## Limits", "## What can go wrong")

VALUES: Mapping[str, FactValue] = {
    "domain": "acme.com",
    "legal_name": "Acme GmbH",
    "country": "DE",
    "city": "Berlin",
    "postal_code": "10115",
    "region": "BE",
    "lei": "5493001KJTIIGC8Y1R12",
    "cik": "320193",
    "company_number": "03977902",
    "phone": "+493090182",
    "email": "ada@acme.com",
    "job_title": "Head of Sales",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "company_domain": "acme.com",
    "company_name": "Acme",
}
NAUGHTY = ("👩‍💻🚀", "'; DROP TABLE leads; --", "> } SELECT", "../../etc/passwd", "a" * 290, "\u202eacme", "株式会社")
JSON_VALUES: Sequence[object] = (
    None, [], {}, "", 0, True, [[]], {"data": None}, {"data": [None, 1, {"attributes": None}]},
    {"data": {"attributes": []}},
    {"results": {"bindings": [{"item": {"value": 1}}, None, {"item": "x"}]}}, {"results": []}, {"name": {"a": 1}},
    {"name": "👩‍💻" * 5000, "cik": [], "tickers": [None, {}, "x" * 10_000], "addresses": {"business": []}},
    {"error": "no"}, {"error": {"code": 1}}, {"errors": [None, {"id": 7}]},
    {"status": 7, "likelihood": True, "data": []},
    {"data": {"emails": [None, {"value": 1, "confidence": 10**30}], "score": "x", "email": ["a"], "status": []}},
    {"person": {"functions": [{}], "organization": []}}, {"organization": {"technology_names": {"a": 1}, "phone": {}}},
    {"request_id": -5}, {"people": [{"phone_numbers": [None, {"sanitized_number": 5}]}], "credits_consumed": -1},
    {"choices": [{"message": {"content": "{"}}]}, {"choices": [None], "usage": {"prompt_tokens": -1}},
    {"choices": [{"message": {"content": '{"industry": [1, {"value": "Home", "quote": "Home"}]}'}}], "usage": []},
    {"company_name": ["x"], "date_of_creation": 7, "registered_office_address": "x"},
)  # fmt: skip


def _fields(source: Source) -> list[dict[FactField, FactValue]]:
    """The values that a source is asked with: one question for each of its needs."""
    return [{field: VALUES[field.name] for field in {*needed, *source.spec.also_reads}} for needed in source.spec.needs]


def _naughty_questions(source: Source) -> list[dict[FactField, FactValue]]:
    found = []
    for known in _fields(source):
        for text in NAUGHTY:
            odd: dict[FactField, FactValue] = {}
            for field, value in known.items():
                try:
                    odd[field] = field.normalise(text)
                except ValueError:
                    odd[field] = value
            found.append(odd)
    return found


@pytest.fixture(params=SOURCES, ids=lambda source: source.spec.name)
def source(request: pytest.FixtureRequest) -> Source:
    found: Source = request.param
    return found


class _Failing(CannedFetcher):
    """Raises one error, whatever is asked for."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    async def page(self, url: str) -> FetchedPage:
        self.asked.append(url)
        raise self.error

    async def records(self, name: str, type_: RecordType) -> DnsAnswer:
        self.asked.append(name)
        raise self.error

    async def data(self, url: str, *, headers: Mapping[str, str] | None = None) -> FetchedData:
        self.asked.append(url)
        raise self.error

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        secrets: Collection[str] = (),
        model: bool = False,
    ) -> ProviderReply:
        self.asked.append(url)
        raise self.error


class _Saying(CannedFetcher):
    """Answers every question with the same status, text, records and JSON."""

    def __init__(self, *, status: int = 200, text: str = "", records: Sequence[str] = (), value: object = None) -> None:
        super().__init__()
        self.status, self.text, self.answered, self.value = status, text, tuple(records), value

    async def page(self, url: str) -> FetchedPage:
        self.asked.append(url)
        return page(url, self.text, status=self.status)

    async def records(self, name: str, type_: RecordType) -> DnsAnswer:
        self.asked.append(name)
        return DnsAnswer(name, type_, self.answered, name, 60)

    async def data(self, url: str, *, headers: Mapping[str, str] | None = None) -> FetchedData:
        self.asked.append(url)
        return FetchedData(url, self.status, {}, self.value, NOW)

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        secrets: Collection[str] = (),
        model: bool = False,
    ) -> ProviderReply:
        self.asked.append(url)
        return ProviderReply(url, self.status, {"retry-after": "é", "x-ratelimit-reset": "soon"}, self.value, "", NOW)


async def answer_of(source: Source, known: Mapping[FactField, FactValue], fetcher: CannedFetcher) -> object:
    """The answer or the typed failure. Anything else is a fault of the source."""
    try:
        return await ask(source, known, fetcher)
    except (SourceFailure, DoorError) as failure:
        return failure


def require_good(source: Source, answer: object) -> None:
    if isinstance(answer, (SourceFailure, DoorError)):
        assert answer.sentence.endswith((".", "?", "…"))
    if isinstance(answer, Missed):
        assert answer.reason.endswith(".")
    if isinstance(answer, Found):
        assert answer.facts
        for fact in answer.facts:
            assert fact.field in source.spec.gives
            assert fact.field.normalise(fact.value) == fact.value
            assert 0 < fact.confidence <= 1
            assert fact.receipt.evidence.strip() == fact.receipt.evidence
            require_plain(fact.receipt.method, fact.receipt.evidence)
            assert fact.receipt.observed_at == NOW


def test_names_are_unique_and_fields_are_those_of_the_subject() -> None:
    names = [source.spec.name for source in SOURCES]

    assert len(set(names)) == len(names)
    for source in SOURCES:
        catalog = COMPANY_FIELDS if source.spec.subject is SubjectKind.COMPANY else PERSON_FIELDS
        assert {*source.spec.gives, *source.spec.inputs} <= {*catalog}
        assert re.fullmatch(r"[a-z][a-z_]*", source.spec.name)
        assert source.spec.needs


def test_each_source_has_a_folder_whose_readme_says_what_can_go_wrong() -> None:
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir() and not path.name.startswith("__")}

    assert folders == {type(source).__module__.removeprefix(f"{package.__name__}.").split(".")[0] for source in SOURCES}
    for name in folders:
        text = (FOLDER / name / "README.md").read_text("utf-8")
        assert [heading for heading in HEADINGS if heading not in text] == [], name


@pytest.mark.parametrize(
    "error",
    [
        errors.TargetRefused("acme.com is a name of an internal network."),
        errors.NameNotFound("acme.com does not exist."),
        errors.LookupFailed("The name servers of acme.com did not answer."),
        errors.ConnectFailed("The server refused the connection or is not reachable."),
        errors.CertificateRejected("The certificate of acme.com expired.", "expired"),
        errors.TimedOut("acme.com took too long."),
        errors.TooLarge("acme.com sent more than 1536 kB."),
        errors.TooManyRedirects("acme.com redirects in a circle."),
        errors.UnexpectedContent("acme.com answered with a file instead of a web page."),
        errors.BrokenResponse("acme.com gave an answer that is not valid HTTP."),
        errors.RobotsRefused("acme.com does not allow programs to read this page."),
        errors.HostBusy("Other requests to acme.com are waiting.", 20),
        Busy("acme.com received too many requests.", NOW),
        Away("acme.com has a problem of its own (error 503)."),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_failure_outside_is_a_typed_failure_and_nothing_is_asked_twice(
    source: Source, error: Exception
) -> None:
    for known in _fields(source):
        fetcher = _Failing(error)
        answer = await answer_of(source, known, fetcher)
        if source.spec.speed is Speed.INSTANT:
            assert fetcher.asked == []
        else:
            assert isinstance(answer, (SourceFailure, DoorError, Found, Missed))
            assert len(fetcher.asked) <= 8
        require_good(source, answer)


@pytest.mark.parametrize("status", [200, 202, 204, 222, 301, 400, 401, 402, 403, 404, 410, 418, 422, 429, 451, 500])
async def test_every_status_and_any_json_has_a_typed_answer(source: Source, status: int) -> None:
    for known in _fields(source):
        for value in JSON_VALUES:
            answer = await answer_of(source, known, _Saying(status=status, value=value if status == 200 else None))
            require_good(source, answer)


async def test_odd_records_and_pages_have_a_typed_answer(source: Source) -> None:
    records = ("", ".", "0 .", "10", "x" * 4096, "v=spf1 " + "include:a " * 500, "v=DMARC1; p", "é" * 300, "10 \x00")
    for known in _fields(source):
        require_good(source, await answer_of(source, known, _Saying(records=records, text="<p>\x00\ud800👩‍💻")))
        require_good(source, await answer_of(source, known, _Saying(records=(), text="<title>" * 500)))


async def test_odd_values_have_a_typed_answer(source: Source) -> None:
    for known in _naughty_questions(source):
        fetcher = _Saying(text="<p>Acme</p>", value={}, records=("10 mx.acme.com",))
        require_good(source, await answer_of(source, known, fetcher))
        assert all(url.isascii() and " " not in url for url in fetcher.asked)


async def test_the_same_question_has_the_same_answer(source: Source) -> None:
    async def answer(known: Mapping[FactField, FactValue]) -> Answer | object:
        text = "<title>Acme</title><p>Acme GmbH, +49 30 901820, info@acme.com</p>"
        return await answer_of(source, known, _Saying(text=text, records=("10 mx.acme.com",), value={"name": "Acme"}))

    for known in _fields(source):
        one, other = await answer(known), await answer(known)
        assert type(one) is type(other)
        if isinstance(one, Found):
            assert one == other


async def test_a_question_is_not_changed(source: Source) -> None:
    for known in _fields(source):
        asked = question(source, known)
        before = {field: tuple(values) for field, values in asked.known.items()}
        with contextlib.suppress(SourceFailure, DoorError):
            await source.ask(asked, _Saying(text="<p>Acme</p>", value={}, records=()))
        assert {field: tuple(values) for field, values in asked.known.items()} == before
