"""The source that asks a language model about pages that the website source has read."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from leadflood.domains.enrichment.models import (
    Answer,
    Charge,
    Fetcher,
    Found,
    Missed,
    ProviderReply,
    Question,
    Rate,
    Refused,
    Repeat,
    Source,
    SourceSpec,
    Speed,
    SubjectKind,
)
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models.model_endpoints import ANSWERABLE, LANGUAGE_MODEL, ModelEndpoint
from leadflood.domains.enrichment.models.providers import Provider
from leadflood.domains.enrichment.models.read_pages import cut_pages
from leadflood.domains.enrichment.sources.language_model.checking import checked
from leadflood.domains.enrichment.sources.language_model.request import INSTRUCTIONS, most_units_of, request_of
from leadflood.domains.enrichment.sources.provider_replies import (
    ReplyClass,
    ReplyRules,
    error_ids,
    error_sentence,
    list_at,
    mapping_at,
    require_value,
)
from leadflood.domains.enrichment.sources.register_replies import text_at

LABEL: Final = "Language model"
UNIT: Final = "thousand tokens"
MAX_UNITS: Final = 1_000_000
_HELP: Final = "Get the key from the provider of the model."
_NOT_FOUND: Final = 404
_MAX_TOKENS: Final = 10**9
_MAX_ANSWER: Final = 200_000
"""Characters of an answer that are read."""
_SETTING_KEPT: Final = timedelta(hours=1)
"""Time for which a question is not repeated that failed because of a setting."""
_FAULT_KEPT: Final = timedelta(days=1)
"""Time for which an answer that could not be read is not asked for again."""


class LanguageModel:
    """Sends pages to a model, once, and keeps those of its values that the pages state."""

    def __init__(self, endpoint: ModelEndpoint, key: str) -> None:
        """Args: key: empty if the server needs none."""
        self._endpoint = endpoint
        self._key = key
        self._rules = _rules(endpoint.host)
        self.spec = _spec(endpoint)

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The values that pages state. Raises: SourceFailure, DoorError."""
        endpoint = self._endpoint
        pages = cut_pages(question.pages, endpoint.max_bytes)
        fields = [field for field in endpoint.wanted if field in question.wanted]
        if not pages or not fields:
            return Missed("There is no text of its website to read.")
        domain = question.text(company.DOMAIN) or ""
        reply = await fetcher.call(
            "POST",
            f"{endpoint.url}/chat/completions",
            headers={"authorization": f"Bearer {self._key}"} if self._key else {},
            body=request_of(endpoint, domain, fields, pages),
            secrets=[self._key] if self._key else [],
            model=True,
        )
        self._require_model(reply)
        value = require_value(reply, self._rules)
        units = _units(endpoint, value, self.spec.most_units)
        given = _values(endpoint, value)
        if isinstance(given, Missed):
            return Missed(given.reason, given.keep_for, units)
        evidence = f"A language model ({endpoint.model}) read it on the page."
        found = checked(given, fields, pages, evidence)
        reference = text_at(value, "id")
        if found.facts:
            return Found(found.facts, found.note, units, reference)
        return Missed(found.note or "The pages state nothing that it was asked for.", None, units, reference)

    def _require_model(self, reply: ProviderReply) -> None:
        """Raises: Refused: the address or the name of the model is wrong."""
        if reply.status == _NOT_FOUND or "model_not_found" in error_ids(reply.value):
            what = (
                f"{self._endpoint.host} does not know the model {self._endpoint.model}, or its address is another one."
            )
            raise Refused(f"{what}{error_sentence(reply)}", _SETTING_KEPT)


def _rules(host: str) -> ReplyRules:
    refused = ReplyClass.REFUSED
    return ReplyRules(
        label=host,
        statuses={410: refused, 451: refused},
        ids={
            "insufficient_quota": ReplyClass.OUT_OF_CREDITS,
            "billing_hard_limit_reached": ReplyClass.OUT_OF_CREDITS,
            "billing_not_active": ReplyClass.OUT_OF_CREDITS,
            "rate_limit_exceeded": ReplyClass.BUSY,
            "invalid_api_key": ReplyClass.KEY_REJECTED,
            "context_length_exceeded": refused,
        },
        wait=timedelta(minutes=1),
    )


def _spec(endpoint: ModelEndpoint) -> SourceSpec:
    return SourceSpec(
        name=LANGUAGE_MODEL,
        version=endpoint.version(INSTRUCTIONS),
        label=LABEL,
        subject=SubjectKind.COMPANY,
        speed=Speed.PAID,
        needs=(frozenset({company.DOMAIN}),),
        gives=frozenset(endpoint.wanted),
        family="website",
        reads_pages=True,
        charges=Charge.ON_CALL,
        most_units=most_units_of(endpoint),
        repeat=Repeat.NEVER,
        ttl_hit=timedelta(days=90),
        ttl_miss=timedelta(days=30),
        rate=Rate(60, 60.0),
        concurrency=4,
        seconds=40.0,
        least_seconds=20.0,
    )


def _units(endpoint: ModelEndpoint, value: Any, most: int) -> int:  # noqa: ANN401  JSON
    """The units of the tokens that the reply counts; the maximum where it does not say."""
    usage = mapping_at(value, "usage")
    used = [usage.get("prompt_tokens"), usage.get("completion_tokens")]
    counts = [each for each in used if isinstance(each, int) and not isinstance(each, bool) and 0 <= each < _MAX_TOKENS]
    if len(counts) < len(used):
        return most
    return min(endpoint.units(*counts), MAX_UNITS)


def _values(endpoint: ModelEndpoint, value: Any) -> Mapping[str, Any] | Missed:  # noqa: ANN401  JSON
    """The values of an answer, or why there are none. Calls of tools and all else beside the text are ignored."""
    choices = list_at(value, "choices", most=1)
    choice = choices[0] if choices else None
    refusal = text_at(choice, "message", "refusal")
    if refusal:
        return Missed(f"The model refused to answer. It says: {_shown(refusal)}.")
    match text_at(choice, "finish_reason"):
        case "length":
            cut = f"The answer of the model was cut off at {endpoint.max_tokens} tokens."
            return Missed(f"{cut} Set a higher limit, or ask for fewer fields.", _FAULT_KEPT)
        case "content_filter":
            return Missed("A filter of the provider withheld the answer of the model.")
        case _:
            found = _parsed(mapping_at(choice, "message").get("content"))
    return (
        Missed("The answer of the model was not in the form that was asked for.", _FAULT_KEPT)
        if found is None
        else found
    )


def _parsed(content: Any) -> Mapping[str, Any] | None:  # noqa: ANN401  JSON
    if not isinstance(content, str) or len(content) > _MAX_ANSWER:
        return None
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return "".join(char for char in line if char.isprintable())[:160].strip().rstrip(".")


_NOWHERE: Final = ModelEndpoint(
    url="",
    model="",
    auth="bearer",
    fields=[field.name for field in ANSWERABLE],
    max_bytes=1,
    max_tokens=1,
    output_weight=1,
)


def _provider(endpoint: ModelEndpoint, label: str, text: str) -> Provider:
    def sources(key: str) -> Sequence[Source]:
        return (LanguageModel(endpoint, key),)

    return Provider(
        name=LANGUAGE_MODEL,
        label=label,
        origin=endpoint.origin,
        unit=UNIT,
        help=text,
        sources=sources,
        needs_key=endpoint.auth != "none",
    )


def language_model_provider(endpoint: ModelEndpoint) -> Provider:
    """The provider of a model: its one source, with a key for its origin."""
    return _provider(endpoint, endpoint.host, _HELP)


UNSET: Final = _provider(_NOWHERE, LABEL, "Set the address and the name of a model first.")
"""The provider of a workspace that has set up no model. It is never asked."""
