"""The sources of Abstract (v1 of each product)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from leadflood.domains.enrichment.models import (
    Answer,
    Charge,
    Fetcher,
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
from leadflood.domains.enrichment.models import lead_fields as person
from leadflood.domains.enrichment.models.providers import Provider
from leadflood.domains.enrichment.sources.provider_replies import (
    ProviderFacts,
    ReplyClass,
    ReplyRules,
    mapping_at,
    require_value,
)
from leadflood.domains.enrichment.sources.register_replies import text_at

EMAIL_ORIGIN: Final = "https://emailreputation.abstractapi.com"
COMPANY_ORIGIN: Final = "https://companyenrichment.abstractapi.com"
LABEL: Final = "Abstract"
_RULES: Final = ReplyRules(
    label=LABEL,
    statuses={422: ReplyClass.OUT_OF_CREDITS},
    ids={"quota_reached": ReplyClass.OUT_OF_CREDITS, "validation_error": ReplyClass.REFUSED},
    wait=timedelta(seconds=5),
)
_VERDICTS: Final = {"deliverable": ("valid", 0.93), "undeliverable": ("invalid", 0.93), "risky": ("risky", 0.8)}


class _Abstract:
    """A call of one product, with its key in a header."""

    def __init__(self, origin: str, key: str) -> None:
        self._origin = origin
        self._key = key

    async def _get(self, fetcher: Fetcher, **query: str) -> Mapping[str, Any] | None:
        """The record; None if there is none. Raises: SourceFailure, DoorError."""
        url = f"{self._origin}/v1/?{urlencode(query)}"
        headers = {"authorization": f"Bearer {self._key}"}
        reply = await fetcher.call("GET", url, headers=headers, secrets=[self._key])
        value = require_value(reply, _RULES)
        if mapping_at(value, "error"):
            raise Refused(f"{LABEL} refused the question.")  # a 200 that says no
        return value if isinstance(value, dict) else None


class EmailReputation(_Abstract):
    """Asks whether an address accepts mail, and whose it may be."""

    spec = SourceSpec(
        name="abstract_email",
        version="1",
        label="Abstract email reputation",
        subject=SubjectKind.LEAD,
        speed=Speed.PAID,
        needs=(frozenset({person.EMAIL}),),
        gives=frozenset(
            {
                person.EMAIL_STATUS,
                person.IS_DISPOSABLE,
                person.IS_FREE_MAIL,
                person.IS_ROLE_ADDRESS,
                person.FIRST_NAME,
                person.LAST_NAME,
                person.COMPANY_NAME,
            }
        ),
        family="abstract",
        charges=Charge.ON_CALL,
        most_units=1,
        repeat=Repeat.NEVER,
        rate=Rate(1, 1.0),
        concurrency=1,
    )

    def __init__(self, key: str) -> None:
        super().__init__(EMAIL_ORIGIN, key)

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The verdict, and the sender's name. Raises: SourceFailure, DoorError."""
        value = await self._get(fetcher, email=question.text(person.EMAIL) or "")
        status = text_at(value, "email_deliverability", "status") or ""
        verdict, sure = _VERDICTS.get(status.lower(), (None, 0.6))
        evidence = "Abstract asked the mail server of this address."
        facts = ProviderFacts(value, question.asked_at, self.spec.gives, evidence=evidence, sure=sure)
        facts.state(person.EMAIL_STATUS, verdict, quote=status)
        facts.state_flag_at(person.IS_DISPOSABLE, "email_quality", "is_disposable")
        facts.state_flag_at(person.IS_FREE_MAIL, "email_quality", "is_free_email")
        facts.state_flag_at(person.IS_ROLE_ADDRESS, "email_quality", "is_role")
        for field, name in (
            (person.FIRST_NAME, "first_name"),
            (person.LAST_NAME, "last_name"),
            (person.COMPANY_NAME, "organization_name"),
        ):
            facts.state_at(field, "email_sender", name, weight=0.7)
        return facts.answer(
            f"{LABEL} could not find out whether the address accepts mail.", keep_for=timedelta(days=7), units=1
        )


class CompanyRecord(_Abstract):
    """Asks for the record of a company by domain."""

    spec = SourceSpec(
        name="abstract_company",
        version="1",
        label="Abstract company enrichment",
        subject=SubjectKind.COMPANY,
        speed=Speed.PAID,
        needs=(frozenset({company.DOMAIN}),),
        gives=frozenset(
            {
                company.NAME,
                company.DESCRIPTION,
                company.INDUSTRY,
                company.EMPLOYEES,
                company.EMPLOYEE_RANGE,
                company.FOUNDED,
                company.COUNTRY,
                company.REGION,
                company.CITY,
                company.PROFILE,
            }
        ),
        family="abstract",
        charges=Charge.ON_CALL,
        most_units=1,
        repeat=Repeat.NEVER,
        ttl_hit=timedelta(days=90),
        rate=Rate(1, 1.0),
        concurrency=1,
    )

    def __init__(self, key: str) -> None:
        super().__init__(COMPANY_ORIGIN, key)

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The record. Raises: SourceFailure, DoorError."""
        domain = question.text(company.DOMAIN) or ""
        value = await self._get(fetcher, domain=domain)
        evidence = f"From Abstract, for {domain}."
        facts = ProviderFacts(value, question.asked_at, self.spec.gives, evidence=evidence, sure=0.7)
        for field, names in (
            (company.NAME, ("company_name", "name")),
            (company.DESCRIPTION, ("description",)),
            (company.INDUSTRY, ("industry",)),
            (company.EMPLOYEE_RANGE, ("employee_range",)),
            (company.COUNTRY, ("country_iso_code", "country")),
            (company.REGION, ("state",)),
            (company.CITY, ("city", "locality")),
            (company.PROFILE, ("linkedin_url",)),
        ):
            found = next((text for name in names if (text := text_at(value, name))), None)
            facts.state(field, found, quote=found)
        for field, names in (
            (company.EMPLOYEES, ("employee_count", "employees_count")),
            (company.FOUNDED, ("year_founded",)),
        ):
            for name in names:
                facts.state_number_at(field, name, weight=0.9)
        return facts.answer(f"{LABEL} does not know {domain}.", units=1)


def _email_sources(key: str) -> Sequence[Source]:
    return (EmailReputation(key),)


def _company_sources(key: str) -> Sequence[Source]:
    return (CompanyRecord(key),)


EMAIL_PROVIDER: Final = Provider(
    name="abstract_email",
    label="Abstract email reputation",
    origin=EMAIL_ORIGIN,
    unit="request",
    help="Your key is on the page Email Reputation of your account at abstractapi.com; it serves this product only.",
    sources=_email_sources,
)
COMPANY_PROVIDER: Final = Provider(
    name="abstract_company",
    label="Abstract company enrichment",
    origin=COMPANY_ORIGIN,
    unit="request",
    help="Your key is on the page Company Enrichment of your account at abstractapi.com; it serves this product only.",
    sources=_company_sources,
)
