"""The source of ZeroBounce (API v2)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from leadflood.domains.enrichment.models import (
    Answer,
    Away,
    Charge,
    Fetcher,
    Found,
    KeyRejected,
    Missed,
    OutOfCredits,
    Question,
    Rate,
    Refused,
    Repeat,
    Source,
    SourceSpec,
    Speed,
    SubjectKind,
)
from leadflood.domains.enrichment.models import lead_fields as person
from leadflood.domains.enrichment.models.providers import Provider
from leadflood.domains.enrichment.sources.provider_replies import (
    ProviderFacts,
    ReplyRules,
    error_text,
    number_at,
    require_value,
)
from leadflood.domains.enrichment.sources.register_replies import text_at

ORIGIN: Final = "https://api.zerobounce.net"
LABEL: Final = "ZeroBounce"
_RULES: Final = ReplyRules(label=LABEL, wait=timedelta(hours=1))
_VERDICTS: Final[Mapping[str, tuple[str, float]]] = {
    "valid": ("valid", 0.95),
    "invalid": ("invalid", 0.95),
    "catch-all": ("risky", 0.85),
    "spamtrap": ("risky", 0.9),
    "abuse": ("risky", 0.9),
    "do_not_mail": ("risky", 0.9),
}
"""Our verdict by theirs, with its confidence. `unknown` is none, and costs nothing."""
_SAYS: Final[Mapping[str, str]] = {
    "valid": "ZeroBounce says that it accepts mail.",
    "invalid": "ZeroBounce says that it accepts no mail.",
    "catch-all": "ZeroBounce says that its domain accepts any address, so the mailbox may not exist.",
    "spamtrap": "ZeroBounce says that it exists to catch senders of spam.",
    "abuse": "ZeroBounce says that its owner often reports mail as spam.",
    "do_not_mail": "ZeroBounce advises not to write to it.",
}
_SUB_STATUSES: Final[Mapping[str, str]] = {
    "disposable": "It is a disposable address.",
    "role_based": "It is a shared address.",
    "role_based_catch_all": "It is a shared address, and its domain accepts any address.",
    "toxic": "It is known for abuse.",
    "possible_trap": "It may be a spam trap.",
    "global_suppression": "It is on lists of addresses not to write to.",
    "mailbox_not_found": "The mailbox does not exist.",
    "mailbox_quota_exceeded": "The mailbox is full.",
    "no_dns_entries": "The domain has no mail server.",
    "possible_typo": "It is probably misspelled.",
    "does_not_accept_mail": "The domain accepts no mail.",
    "failed_syntax_check": "It is no valid address.",
    "unroutable_ip_address": "The mail server has no reachable address.",
}
_FIRST_DAY: Final = "2015-01-01"
"""Before the provider existed, for its counter of all that was used."""


class EmailValidation:
    """Asks whether an address accepts mail. The key is part of the URL, because there is no other way."""

    spec = SourceSpec(
        name="zerobounce",
        version="1",
        label="ZeroBounce",
        subject=SubjectKind.LEAD,
        speed=Speed.PAID,
        needs=(frozenset({person.EMAIL}),),
        gives=frozenset(
            {
                person.EMAIL_STATUS,
                person.IS_DISPOSABLE,
                person.IS_FREE_MAIL,
                person.IS_ROLE_ADDRESS,
                person.LIKELY_TYPO_OF,
            }
        ),
        family="zerobounce",
        charges=Charge.ON_HIT,
        most_units=1,
        repeat=Repeat.RECONCILE,
        rate=Rate(600, 60.0),
        concurrency=4,
        seconds=40.0,
    )

    def __init__(self, key: str) -> None:
        self._key = key

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The verdict. HTTP 200 carries all of them, and errors as well. Raises: SourceFailure, DoorError."""
        email = question.text(person.EMAIL) or ""
        value = await self._get(fetcher, "validate", email=email, ip_address="")
        status, sub_status = text_at(value, "status") or "", text_at(value, "sub_status") or ""
        verdict = _VERDICTS.get(status.lower())
        if verdict is None:
            return Missed(f"{LABEL} could not find out whether the address accepts mail.", timedelta(days=7))
        why = _SUB_STATUSES.get(sub_status, "")
        evidence = f"{_SAYS[status.lower()]} {why}".strip()
        facts = ProviderFacts(value, question.asked_at, self.spec.gives, evidence=evidence, sure=verdict[1])
        facts.state(person.EMAIL_STATUS, verdict[0], quote=f"{status} {sub_status}".strip())
        facts.state(person.IS_DISPOSABLE, True if sub_status == "disposable" else None)
        facts.state(person.IS_ROLE_ADDRESS, True if sub_status.startswith("role_based") else None)
        facts.state_flag_at(person.IS_FREE_MAIL, "free_email")
        typo = text_at(value, "did_you_mean")
        facts.state(person.LIKELY_TYPO_OF, typo if typo and "@" in typo else None, 0.9)
        return Found(facts.facts, units=1)

    async def usage(self, fetcher: Fetcher) -> int:
        """See `MeteredSource.usage`. Answers that found nothing out are counted, but not charged."""
        value = await self._get(fetcher, "getapiusage", start_date=_FIRST_DAY, end_date="2100-01-01")
        total, unknown = number_at(value, "total"), number_at(value, "status_unknown")
        if total is None or unknown is None:
            raise Away(f"{LABEL} does not say how many credits are used.")
        return int(total - unknown)

    async def _get(self, fetcher: Fetcher, path: str, **query: str) -> Mapping[str, Any]:
        url = f"{ORIGIN}/v2/{path}?{urlencode({'api_key': self._key, **query})}"
        value = require_value(await fetcher.call("GET", url, secrets=[self._key]), _RULES)
        if not isinstance(value, dict):
            raise Away(f"{LABEL} gave an answer of another form than documented.")
        _require_no_error(value)
        return value


def _require_no_error(value: Mapping[str, Any]) -> None:
    """Raises: OutOfCredits, KeyRejected, Refused: a 200 that says no."""
    if "status" in value or "total" in value:
        return
    said = error_text(value)
    words = said.lower()
    if "credit" in words and "invalid api key" not in words:
        raise OutOfCredits(f"The credits at {LABEL} are used up.")
    if "key" in words:
        raise KeyRejected(f"{LABEL} does not accept the key, or its credits are used up.")
    raise Refused(f"{LABEL} refused the question.")


def _sources(key: str) -> Sequence[Source]:
    return (EmailValidation(key),)


PROVIDER: Final = Provider(
    name="zerobounce",
    label=LABEL,
    origin=ORIGIN,
    unit="credit",
    help="Your key is on the page API of your account at zerobounce.net.",
    sources=_sources,
)
