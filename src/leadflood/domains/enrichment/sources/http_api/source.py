"""The source that asks a web API by a definition."""

import base64
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError

from leadflood.domains.enrichment.models import (
    Answer,
    Charge,
    FactField,
    Fetcher,
    Found,
    Missed,
    Question,
    Rate,
    Repeat,
    Source,
    SourceSpec,
    Speed,
    SubjectKind,
)
from leadflood.domains.enrichment.models.catalogs import CATALOGS
from leadflood.domains.enrichment.models.http_definitions import HttpDefinition, filled_body, filled_url
from leadflood.domains.enrichment.models.providers import Provider
from leadflood.domains.enrichment.sources.provider_replies import (
    ProviderFacts,
    ReplyClass,
    ReplyRules,
    require_value,
)

_MOST_VALUES: Final = 20
"""Values of one field that are read from a list."""


class HttpSource:
    """Sends the request of a definition, once, and reads the values from the JSON of the reply."""

    def __init__(self, definition: HttpDefinition, key: str) -> None:
        """Args: key: empty if the API needs none."""
        self._definition = definition
        self._key = key
        self._rules = ReplyRules(
            label=definition.label,
            statuses={status: ReplyClass(name) for status, name in definition.statuses.items()},
            wait=timedelta(minutes=1),
        )
        self.spec = _spec(definition)

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The values that the paths lead to. Raises: SourceFailure, DoorError."""
        definition = self._definition
        known = {read.name: question.text(read) or "" for read in self.spec.inputs}
        headers, secrets = self._credentials()
        reply = await fetcher.call(
            definition.method,
            filled_url(definition.url, known),
            headers=headers,
            body=None if definition.body is None else filled_body(definition.body, known),
            secrets=secrets,
        )
        value = require_value(reply, self._rules)
        charged = 1 if definition.charges == Charge.ON_CALL else 0
        if value is None or (definition.miss_when and _truth(definition.miss_when, value)):
            return Missed(f"{definition.label} has nothing about this.", units=self._units(value, charged))
        evidence = f"From {definition.label}."
        facts = ProviderFacts(value, question.asked_at, self.spec.gives, evidence=evidence, sure=definition.confidence)
        for name, path in definition.fields.items():
            _state(facts, CATALOGS[self.spec.subject][name], _found(path, value))
        if not facts.facts:
            return Missed(f"{definition.label} has none of the wanted values.", units=self._units(value, charged))
        return Found(facts.facts, units=self._units(value, 1))

    def _credentials(self) -> tuple[dict[str, str], list[str]]:
        """Headers with the key, and every form of it that is a secret."""
        if not self._key or self._definition.auth == "none":
            return {}, []
        if self._definition.auth == "header":
            return {self._definition.header: self._key}, [self._key]
        if self._definition.auth == "bearer":
            return {"authorization": f"Bearer {self._key}"}, [self._key]
        token = base64.b64encode(f"{self._key}:".encode()).decode("ascii")
        return {"authorization": f"Basic {token}"}, [self._key, token]

    def _units(self, value: Any, otherwise: int) -> int:  # noqa: ANN401  JSON
        """The units that the reply says were charged, or those that such an answer costs."""
        if self._definition.charges == Charge.NEVER:
            return 0
        found = None if self._definition.units is None else _found(self._definition.units, value)
        if isinstance(found, int | float) and not isinstance(found, bool) and 0 <= found < 1_000_000:  # noqa: PLR2004
            return int(found)
        return otherwise


def _spec(definition: HttpDefinition) -> SourceSpec:
    subject = SubjectKind(definition.subject)
    catalog = CATALOGS[subject]
    return SourceSpec(
        name=definition.name,
        version=definition.version,
        label=definition.label,
        subject=subject,
        speed=Speed.NETWORK if definition.charges == Charge.NEVER else Speed.PAID,
        needs=tuple(frozenset(catalog[name] for name in needed) for needed in definition.needs),
        gives=frozenset(catalog[name] for name in definition.fields),
        family=definition.name,
        charges=Charge(definition.charges),
        most_units=definition.most_units,
        repeat=Repeat.NEVER,
        ttl_hit=timedelta(days=definition.days),
        ttl_miss=timedelta(days=definition.days),
        rate=Rate(definition.calls, definition.seconds),
        concurrency=4,
    )


def _state(facts: ProviderFacts, fact_field: FactField, found: Any) -> None:  # noqa: ANN401  JSON
    """Add a value, or each of a list where the field may have several; of another list, the first."""
    items = found if isinstance(found, list) else [found]
    for item in items[: _MOST_VALUES if fact_field.multiple else 1]:
        if isinstance(item, str | int | float):
            facts.state(fact_field, item, quote=str(item))


def _found(path: str, value: Any) -> Any:  # noqa: ANN401  JSON
    """The value that a path leads to; None where it does not fit the reply."""
    try:
        return jmespath.search(path, value)
    except JMESPathError:
        return None


def _truth(path: str, value: Any) -> bool:  # noqa: ANN401  JSON
    """Whether an expression is true of the reply; false where it does not fit."""
    found = _found(path, value)
    return not (found is None or found is False or found in ("", [], {}))  # in JMESPath, all numbers are true


def http_provider(definition: HttpDefinition) -> Provider:
    """The provider of a definition: its one source, with a key for its origin."""

    def sources(key: str) -> Sequence[Source]:
        return (HttpSource(definition, key),)

    return Provider(
        name=definition.name,
        label=definition.label,
        origin=definition.origin,
        unit=definition.unit,
        help="The key that the API expects.",
        sources=sources,
        needs_key=definition.auth != "none",
    )
