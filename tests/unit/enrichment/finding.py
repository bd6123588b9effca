"""Leads to enrich, and what is found about them."""

from uuid import UUID

from leadflood.domains.enrichment.adapters.email_insight import EmailInsight
from leadflood.domains.enrichment.models import Field, FoundValue, KnownLead


def lead(email: str, *, first_name: str | None = None, last_name: str | None = None) -> KnownLead:
    return KnownLead(UUID(int=1), email, email.lower(), first_name=first_name, last_name=last_name)


async def receipts(
    email: str, *, first_name: str | None = None, last_name: str | None = None
) -> dict[Field, FoundValue]:
    """Values that `email_insight` finds, by field."""
    found = await EmailInsight().enrich(lead(email, first_name=first_name, last_name=last_name))
    return {value.field: value for value in found}


async def values(
    email: str, *, first_name: str | None = None, last_name: str | None = None
) -> dict[Field, str | bool | float]:
    by_field = await receipts(email, first_name=first_name, last_name=last_name)
    return {field: found.value for field, found in by_field.items()}
