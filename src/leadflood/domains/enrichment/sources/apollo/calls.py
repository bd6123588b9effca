"""Calls of Apollo, which its sources share."""

from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from leadflood.domains.enrichment.models import Away, Fetcher, ProviderReply, Question
from leadflood.domains.enrichment.models import lead_fields as person
from leadflood.domains.enrichment.sources.provider_replies import (
    ReplyClass,
    ReplyRules,
    list_at,
    mapping_at,
    number_at,
    require_value,
)

ORIGIN: Final = "https://api.apollo.io"
LABEL: Final = "Apollo"
RULES: Final = ReplyRules(
    label=LABEL,
    ids={"API_INACCESSIBLE": ReplyClass.KEY_REJECTED, "INSUFFICIENT_CREDITS": ReplyClass.OUT_OF_CREDITS},
    wait=timedelta(minutes=1),
)


class ApolloCalls:
    """Calls with the key in a header."""

    def __init__(self, key: str) -> None:
        self._key = key

    async def call(self, fetcher: Fetcher, method: str, path: str, **query: str) -> ProviderReply:
        """The reply to a call whose parameters are all in the query, as documented for each method."""
        url = f"{ORIGIN}/api/v1/{path}" + (f"?{urlencode(query)}" if query else "")
        return await fetcher.call(method, url, headers={"x-api-key": self._key}, secrets=[self._key])

    async def used(self, fetcher: Fetcher) -> int:
        """Credits that the team used so far: its balance counts down from what was granted.

        Raises: SourceFailure, DoorError.
        """
        value = require_value(await self.call(fetcher, "POST", "usage_stats/credit_usage_stats"), RULES)
        used = number_at(value, "credits_used")
        if used is None:
            items = [mapping_at(item) for item in list_at(value, "usage")]
            amounts = [amount for item in items if (amount := number_at(item, "credits_used")) is not None]
            used = sum(amounts) if amounts else None
        if used is None:
            raise Away(f"{LABEL} does not say how many credits are used.")
        return int(used)


def identity(question: Question) -> dict[str, str]:
    """The parameters that say who is meant."""
    email = question.text(person.EMAIL)
    if email is not None:
        return {"email": email}
    known = {
        "first_name": question.text(person.FIRST_NAME),
        "last_name": question.text(person.LAST_NAME),
        "domain": question.text(person.COMPANY_DOMAIN),
    }
    return {name: value for name, value in known.items() if value}
