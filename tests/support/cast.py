"""People of a showcase: leads of many kinds, and the data that a source has about each."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from leadflood.domains.enrichment.models import (
    Answer,
    Busy,
    Fetcher,
    Found,
    Question,
    Refused,
    SourceSpec,
    Speed,
    SubjectKind,
)
from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.enrichment.sources.collected_facts import CollectedFacts
from leadflood.kernel.actor import Role
from leadflood.kernel.clock import utc_now

PEOPLE: Mapping[str, Role] = {
    "Margaret Hamilton": Role.OWNER,
    "Nils Björnström-Ståhl": Role.ADMIN,
    "نور الهدى": Role.MEMBER,
    "Wei 伟": Role.VIEWER,
}

LEADS: Sequence[Mapping[str, Any]] = (
    {
        "email": "ada.lovelace@analytical-engines.example",
        "firstName": "Ada",
        "lastName": "Lovelace",
        "jobTitle": "Head of Research",
        "country": "GB",
        "phone": "020 7946 0958",
        "source": "web-form",
        "customFields": {"plan": "Enterprise", "seats": 240, "newsletter": True},
    },
    {"email": "grace.hopper@navy-systems.example", "jobTitle": "Rear Admiral", "country": "US", "source": "conference"},
    {"email": "søren@blåbær.dk", "firstName": "Søren", "company": "Blåbær & Sønner A/S", "country": "DK"},
    {"email": "k.nakamura@sakura-trading.co.jp", "firstName": "恵子", "lastName": "中村", "country": "JP"},
    {
        "email": "layla.haddad@cedar-imports.example",
        "firstName": "ليلى",
        "lastName": "حداد",
        "company": "شركة الأرز للاستيراد",
        "country": "LB",
    },
    {"email": "yael@shaked.example", "firstName": "יעל", "lastName": "שקד", "company": "שקד ושות׳", "country": "IL"},
    {"email": "maria.garcia@gmial.com", "firstName": "María", "lastName": "García", "country": "ES"},
    {"email": "sales@northwind-traders.example", "company": "Northwind Traders", "source": "import"},
    {"email": "jonas.weber@gmail.com", "firstName": "Jonas", "lastName": "Weber", "country": "DE"},
    {
        "email": "wolfeschlegelsteinhausenbergerdorff.senior@very-long-company-name-that-keeps-going.example",
        "firstName": "Hubert Blaine",
        "lastName": "Wolfeschlegelsteinhausenbergerdorff-Hohenlohe-Langenburg Senior",
        "company": "Gesellschaft für außerordentlich umständliche Unternehmensbezeichnungen mbH & Co. KG",
        "jobTitle": "Executive Vice President of Revenue Operations, Enablement and Customer Experience (EMEA)",
    },
    {"email": "rocket@launch.example", "firstName": "🚀 Rocket", "lastName": "Team 👩‍🚀", "company": "Launch 🌍 GmbH"},
    {"email": "nguyen.thi.minh@saigon-coffee.example", "firstName": "Minh", "lastName": "Nguyễn Thị", "country": "VN"},
    {"email": "o'brien@emerald.example", "firstName": "Siobhán", "lastName": "O'Brien <script>", "country": "IE"},
    {"email": "x@y.example"},
)
"""Leads with found values."""

PAST: Sequence[str] = (
    "deleted.lead@past.example",
    "edited.lead@past.example",
    "alone@past.example",
    "ada@analytical-engines.example",
)
"""Deleted leads, the last one by a merge."""

REFUSED: Mapping[str, str] = {
    "mark.twain@mississippi.example": "The company registry has no entry for “mississippi.example”.",
    "jane.austen@chawton.example": "The company registry has no entry for “chawton.example”.",
    "leo@yasnaya-polyana.example": "The company registry has no entry for “yasnaya-polyana.example”.",
    "franz.kafka@insurance.example": "HTTP 402: the monthly quota of this key is used up.",
    "virginia@bloomsbury.example": "HTTP 402: the monthly quota of this key is used up.",
    "charlotte@thornfield.example": "The mail server of 203.0.113.7 closed the connection after 30 s.",
}
"""Leads without data, with the reason."""

WAITING = ("emily@amherst.example", "walt@brooklyn.example")
"""Leads whose source is unavailable for now."""

RUNNING = ("herman@pequod.example", "isak@rungsted.example")
"""Leads whose lookup is running."""

NEW = ("oscar@reading.example", "selma@marbacka.example", "pablo@isla-negra.example")
"""Leads that were just created."""


TWINS: Sequence[Mapping[str, Any]] = (
    {
        "email": "jo.larsen@harbour-logistics.example",
        "firstName": "Jo",
        "lastName": "Larsen",
        "company": "Harbour Logistics",
        "phone": "+442079460018",
        "source": "web-form",
    },
    {
        "email": "johanna.larsen@harbour-logistics.example",
        "firstName": "Johanna",
        "lastName": "Larsen",
        "company": "Harbour Logistics Ltd",
        "phone": "+442079460018",
        "source": "conference",
    },
)
"""Two who are one."""


FOUND, NOT_FOUND = "ada.lovelace@analytical-engines.example", "mark.twain@mississippi.example"


def lead(email: str) -> dict[str, str]:
    """Input of a lead whose name is in the address."""
    name, _, domain = email.partition("@")
    first, _, last = name.title().partition(".")
    given = {"email": email, "firstName": first, "lastName": last, "company": domain.partition(".")[0].title()}
    return {key: value for key, value in given.items() if value}


class CompanyRegistry:
    """A source outside: it knows some, and fails at others, as `REFUSED` and `WAITING` say."""

    spec = SourceSpec(
        name="company_registry",
        version="2026-11",
        label="Company registry",
        subject=SubjectKind.LEAD,
        speed=Speed.NETWORK,
        needs=(frozenset({fields.EMAIL}),),
        gives=frozenset({fields.COMPANY_NAME, fields.COMPANY_DOMAIN}),
        family="company_registry",
        one_service=False,
    )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """See `Source.ask`."""
        email = question.text(fields.EMAIL) or ""
        if reason := REFUSED.get(email):
            raise Refused(reason)
        if email in WAITING:
            raise Busy("HTTP 429: too many requests, come back in 20 minutes.", utc_now() + timedelta(minutes=20))
        domain = email.lower().rpartition("@")[2]
        where = f"https://registry.example/companies/{domain}"
        name = domain.partition(".")[0].replace("-", " ").title()
        collected = CollectedFacts(question.asked_at, where)
        evidence = "The registry's entry with this domain, last confirmed in October 2026."
        collected.add(fields.COMPANY_NAME, f"{name} Ltd", 0.92, "registry_entry", evidence)
        collected.add(fields.COMPANY_DOMAIN, domain, 0.97, "registry_entry", evidence)
        return Found(collected.facts)
