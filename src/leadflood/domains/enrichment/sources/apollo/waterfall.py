"""The source of Apollo that answers later: phone numbers, from the providers that the team has chosen there."""

from datetime import timedelta
from typing import Any, Final

from leadflood.domains.enrichment.models import (
    Answer,
    Away,
    Charge,
    Fetcher,
    Found,
    Missed,
    Question,
    Rate,
    Refused,
    Repeat,
    SourceSpec,
    Speed,
    SubjectKind,
    Ticket,
)
from leadflood.domains.enrichment.models import lead_fields as person
from leadflood.domains.enrichment.sources.apollo.calls import LABEL, RULES, ApolloCalls, identity
from leadflood.domains.enrichment.sources.provider_replies import (
    ProviderFacts,
    error_ids,
    list_at,
    mapping_at,
    number_at,
    require_value,
)
from leadflood.domains.enrichment.sources.register_replies import text_at

_FIRST_LOOK: Final = timedelta(seconds=30)
_MIN_WAIT, _MAX_WAIT = 5.0, 3600.0
MOST_UNITS: Final = 9
"""Credits for a person with a mobile number: 1 and 8. Providers of the team's own waterfall may charge more."""
_NOTHING: Final = f"{LABEL} found no phone number of this person."


class PhoneWaterfall:
    """Starts the search for a phone number, and asks for its result until there is one."""

    spec = SourceSpec(
        name="apollo_phone",
        version="1",
        label="Apollo phone numbers",
        subject=SubjectKind.LEAD,
        speed=Speed.TICKET,
        needs=(
            frozenset({person.EMAIL}),
            frozenset({person.FIRST_NAME, person.LAST_NAME, person.COMPANY_DOMAIN}),
        ),
        gives=frozenset({person.PHONE}),
        family="apollo",
        charges=Charge.ON_HIT,
        most_units=MOST_UNITS,
        repeat=Repeat.RECONCILE,
        rate=Rate(50, 60.0),
        concurrency=4,
    )

    def __init__(self, key: str) -> None:
        self._calls = ApolloCalls(key)

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """A ticket with the reference of the request. Raises: SourceFailure, DoorError."""
        query = {**identity(question), "run_waterfall_phone": "true", "poll_only": "true"}
        value = require_value(await self._calls.call(fetcher, "POST", "people/match", **query), RULES)
        reference = text_at(value, "request_id") or text_at(value, "http_request_id")
        if reference is None:
            return Missed(_NOTHING) if not mapping_at(value, "person") else _answer(value, question, None)
        return Ticket(reference, question.asked_at + _FIRST_LOOK)

    async def poll(self, ticket: Ticket, question: Question, fetcher: Fetcher) -> Answer:
        """The numbers, or the ticket again while they are searched for; asking is free. Raises: as `ask`."""
        reply = await self._calls.call(fetcher, "GET", f"webhook_result/{ticket.ref}")
        ids = error_ids(reply.value)
        if "result_pending" in ids:
            wait = number_at(reply.value, "retry_after_seconds") or _FIRST_LOOK.total_seconds()
            wait = min(max(float(wait), _MIN_WAIT), _MAX_WAIT)
            return Ticket(ticket.ref, reply.fetched_at + timedelta(seconds=wait))
        for name in ("request_id_unknown", "request_id_expired", "invalid_request_id"):
            if name in ids:
                raise Refused(f"{LABEL} no longer has the result of this search.")
        value = require_value(reply, RULES)
        if value is None:
            raise Away(f"{LABEL} gave an answer of another form than documented.")
        return _answer(value, question, ticket.ref)

    async def usage(self, fetcher: Fetcher) -> int:
        """See `MeteredSource.usage`."""
        return await self._calls.used(fetcher)


def _answer(value: Any, question: Question, reference: str | None) -> Answer:  # noqa: ANN401  JSON
    """The numbers of a result, whose persons are in `people`, or one in `person`."""
    people = [mapping_at(item) for item in list_at(value, "people", most=10)] or [mapping_at(value, "person")]
    spent = number_at(value, "credits_consumed")
    evidence = "From Apollo's search for this person's phone number."
    facts = ProviderFacts(value, question.asked_at, PhoneWaterfall.spec.gives, evidence=evidence, sure=0.8)
    for found in people:
        for item in list_at(found, "phone_numbers", most=10):
            number = text_at(item, "sanitized_number") or text_at(item, "raw_number")
            mobile = text_at(item, "type_cd") == "mobile"
            facts.state(person.PHONE, number, 1.0 if mobile else 0.85, quote=number)
    if not facts.facts:
        return Missed(_NOTHING, units=max(0, int(spent or 0)), provider_ref=reference)
    units = MOST_UNITS if spent is None else max(0, int(spent))
    return Found(facts.facts, units=units, provider_ref=reference)
