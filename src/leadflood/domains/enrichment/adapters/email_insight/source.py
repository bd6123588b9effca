"""The same facts as a source of the engine."""

from leadflood.domains.enrichment.adapters.email_insight.adapter import EmailInsight, values_of
from leadflood.domains.enrichment.models import (
    Answer,
    Fact,
    Fetcher,
    Found,
    FoundValue,
    Missed,
    Question,
    Receipt,
    SourceSpec,
    Speed,
    SubjectKind,
)
from leadflood.domains.enrichment.models import lead_fields as lead
from leadflood.domains.enrichment.models.lead_fields import PERSON_FIELDS

_GIVES = frozenset(
    {
        lead.FIRST_NAME,
        lead.LAST_NAME,
        lead.COMPANY_NAME,
        lead.COMPANY_DOMAIN,
        lead.CANONICAL_EMAIL,
        lead.LIKELY_TYPO_OF,
        lead.IS_FREE_MAIL,
        lead.IS_DISPOSABLE,
        lead.IS_ROLE_ADDRESS,
    }
)


class EmailInsightSource:
    """Facts about a person from the email address, and from the names if they are known."""

    spec = SourceSpec(
        name=EmailInsight.name,
        version=EmailInsight.version,
        label="Email address",
        subject=SubjectKind.LEAD,
        speed=Speed.INSTANT,
        needs=(frozenset({lead.EMAIL}),),
        also_reads=frozenset({lead.FIRST_NAME, lead.LAST_NAME}),
        gives=_GIVES,
        family="email_address",
    )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:  # noqa: ARG002  nothing is fetched
        """The facts; `Missed` for an address that cannot be parsed. Never raises."""
        found = values_of(question.text(lead.EMAIL) or "", *_given_names(question))
        if not found:
            return Missed("This is no email address.")
        return Found([_fact(value, question) for value in found])


def _given_names(question: Question) -> tuple[str | None, str | None]:
    """First and last name, but not those that were guessed from the address itself."""
    names = (question.known.get(field, ()) for field in (lead.FIRST_NAME, lead.LAST_NAME))
    first, last = (str(values[0].value) if values and values[0].confidence == 1 else None for values in names)
    return first, last


def _fact(value: FoundValue, question: Question) -> Fact:
    receipt = Receipt(value.method, value.evidence, question.asked_at)
    return Fact.of(PERSON_FIELDS[value.field.value], value.value, value.confidence, receipt)
