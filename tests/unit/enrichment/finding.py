"""Questions about leads, and what is found about them."""

from dataclasses import dataclass
from datetime import timedelta

from leadflood.domains.enrichment.models import FactField, FactValue, Found, Question, SubjectKind
from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.enrichment.models.questions import KnownFact
from leadflood.domains.enrichment.sources.email_insight import EmailInsight
from tests.support.canned_web import NOW, CannedFetcher
from tests.support.receipts import require_plain


@dataclass(frozen=True)
class Finding:
    """A value with its receipt."""

    value: FactValue
    confidence: float
    method: str
    evidence: str


def lead(email: str, *, first_name: str | None = None, last_name: str | None = None) -> Question:
    written = {fields.EMAIL: email, fields.FIRST_NAME: first_name, fields.LAST_NAME: last_name}
    known = {field: [KnownFact(text, 1.0, text)] for field, text in written.items() if text is not None}
    return Question(SubjectKind.LEAD, known, EmailInsight.spec.gives, NOW, NOW + timedelta(seconds=60))


async def receipts(
    email: str, *, first_name: str | None = None, last_name: str | None = None
) -> dict[FactField, Finding]:
    """Values that `email_insight` finds, by field."""
    answer = await EmailInsight().ask(lead(email, first_name=first_name, last_name=last_name), CannedFetcher())
    facts = answer.facts if isinstance(answer, Found) else ()
    for fact in facts:
        require_plain(fact.receipt.method, fact.receipt.evidence)
    return {
        fact.field: Finding(fact.value, fact.confidence, fact.receipt.method, fact.receipt.evidence) for fact in facts
    }


async def values(
    email: str, *, first_name: str | None = None, last_name: str | None = None
) -> dict[FactField, FactValue]:
    by_field = await receipts(email, first_name=first_name, last_name=last_name)
    return {field: found.value for field, found in by_field.items()}
