"""Spend that is saved where paid sources are asked only if the answer can change the tier, with the same final tiers.

The sources are simulated: what they know is drawn from the seed of the world. The engine, its planner, the profile (the
template for software companies) and the rule are those of the program; answers are kept in memory.
"""

import asyncio
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Final

from rich.table import Table

from leadflood.demo.internet.world import companies as demo_companies
from leadflood.demo.providers.people import person_of
from leadflood.domains.enrichment.engine.memory import (
    MemoryBreakers,
    MemoryFingerprints,
    MemoryLookups,
    MemoryRates,
)
from leadflood.domains.enrichment.engine.ports import Claimed, EnginePorts
from leadflood.domains.enrichment.engine.running import Engine
from leadflood.domains.enrichment.models import (
    Answer,
    Charge,
    Fact,
    FactField,
    FactValue,
    Fetcher,
    Found,
    Missed,
    Question,
    Receipt,
    Source,
    SourceSpec,
    Speed,
    SubjectKind,
)
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models import lead_fields as person
from leadflood.domains.enrichment.models.lookups import LookupKey, PaidCall
from leadflood.domains.enrichment.models.policies import Policy
from leadflood.domains.enrichment.models.runs import RunRequest, RunResult
from leadflood.domains.enrichment.models.worth import Worth
from leadflood.domains.icps.contracts.bodies import read_profile
from leadflood.domains.icps.contracts.files import read_file
from leadflood.domains.icps.models.catalog import STANDARD
from leadflood.domains.icps.models.evaluate import Facts, evaluate
from leadflood.domains.icps.models.profiles import FactValue as ProfileValue
from leadflood.domains.icps.models.templates import template_text
from leadflood.domains.icps.queries.stakes import TierStakes
from tests.bench.machine import Snapshot
from tests.bench.measure import Failed, Measured
from tests.bench.rounds import Results
from tests.support.canned_web import CannedFetcher

LABEL: Final = "saved spend"
AIM: Final = 0.4
SEEDS: Final = (20_261_201, 7, 4_711)
"""Of the random worlds. They were chosen before anything was measured."""
_DEMO_PEOPLE: Final = 2
_COMPANIES: Final = 150
_FIRST: Final = ("Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Frances", "Niklaus", "Radia", "Tim")
_LAST: Final = ("Weber", "Rossi", "Novak", "Jensen", "Moreau", "Silva", "Kowalski", "Smith", "Berg", "Tanaka")
_INDUSTRIES: Final = ("Software", "Information technology", "Finance", "Retail", "Machinery", "Logistics")
_STACK: Final = ("HubSpot", "Salesforce", "Shopify", "WordPress", "SAP", "Stripe")
_COUNTRIES: Final = ("DE", "AT", "US", "GB", "FR", "ES", "IT", "PL", "SE")
_SENIORITIES: Final = ("entry", "senior", "manager", "director", "head", "vp", "c_level", "owner")
_FUNCTIONS: Final = ("engineering", "sales", "marketing", "operations", "finance", "hr")

Truth = Mapping[FactField, FactValue | tuple[str, ...]]


@dataclass(frozen=True)
class WorldLead:
    """A person, as it is in truth. `written`: fields that a form or file had."""

    email: str
    truth: Truth
    written: Mapping[FactField, FactValue]


@dataclass(frozen=True)
class World:
    """Companies by domain, as they are in truth, and their people."""

    name: str
    companies: Mapping[str, Truth]
    leads: Mapping[str, Sequence[WorldLead]]


@dataclass
class KnowingSource:
    """A source that knows a share of all subjects, and of those a share of the facts. It counts what it charges."""

    spec: SourceSpec
    truths: Mapping[str, Truth]
    key: FactField
    share: float
    share_of_facts: float = 1.0
    price: int = 0
    spent: int = 0

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The facts that it knows; a hit is charged."""
        subject = question.text(self.key) or ""
        truth = self.truths.get(subject)
        if truth is None or not self._knows(self.share, subject):
            return Missed("It does not know this.")
        known = {each: value for each, value in truth.items() if each in self.spec.gives}
        facts = [
            Fact.of(each, one, 0.9, Receipt("simulated", "It knows.", question.asked_at))
            for each, value in known.items()
            if self._knows(self.share_of_facts, subject, each.name)
            for one in (value if isinstance(value, tuple) else (value,))
        ]
        if not facts:
            return Missed("It knows nothing about this.")
        self.spent += self.price
        return Found(facts, units=self.spec.most_units)

    def _knows(self, share: float, *parts: str) -> bool:
        return zlib.crc32("/".join((self.spec.name, *parts)).encode()) / 2**32 < share


class _Purse(MemoryLookups):
    """Answers in memory, of calls that cost money as well."""

    async def claim(
        self,
        key: LookupKey,
        *,
        now: datetime,
        until: datetime,
        newer_than: datetime | None = None,
        paid: PaidCall | None = None,
    ) -> Claimed:
        """See `Lookups.claim`. Whatever is asked is purchased."""
        return await super().claim(key, now=now, until=until, newer_than=newer_than)


@dataclass
class Outcome:
    """Spend in millionths, and the final tier of each lead."""

    spent: int = 0
    tiers: dict[str, str | None] = field(default_factory=dict)


def random_world(seed: int, firms_count: int = _COMPANIES) -> World:
    """A world of companies, each with one to three people."""
    pick = Random(seed)  # noqa: S311  not a secret
    firms: dict[str, Truth] = {}
    leads: dict[str, Sequence[WorldLead]] = {}
    for number in range(firms_count):
        domain, country = f"firm{number}.test", pick.choice(_COUNTRIES)
        firms[domain] = {
            company.EMPLOYEES: int(10 ** pick.uniform(0.5, 3.7)),
            company.INDUSTRY: pick.choice(_INDUSTRIES),
            company.TECHNOLOGY: tuple(pick.sample(_STACK, pick.randint(1, 3))),
            company.COUNTRY: country,
            **({company.PRICING_PAGE: f"https://{domain}/pricing"} if pick.random() < 0.3 else {}),
        }
        people: list[WorldLead] = []
        for _ in range(pick.randint(1, 3)):
            first, last = pick.choice(_FIRST), pick.choice(_LAST)
            email = f"{first}.{last}{len(people)}@{domain}".lower()
            seniority, function = pick.choice(_SENIORITIES), pick.choice(_FUNCTIONS)
            people.append(_lead(email, country, seniority, function, wrote_country=pick.random() < 0.4))
        leads[domain] = people
    return World(f"random, seed {seed}", firms, leads)


def demo_world() -> World:
    """The companies of the demo, and the people whom its providers know or not."""
    firms: dict[str, Truth] = {}
    leads: dict[str, Sequence[WorldLead]] = {}
    for number, each in enumerate(demo_companies()):
        firms[each.domain] = {
            company.EMPLOYEES: each.employees,
            company.INDUSTRY: each.industry,
            company.TECHNOLOGY: each.technologies,
            company.COUNTRY: each.country,
        }
        people: list[WorldLead] = []
        for place in range(_DEMO_PEOPLE):
            first, last = _FIRST[(number + place) % 10], _LAST[(number // 10 + place) % 10]
            email = f"{first}.{last}@{each.domain}".lower()
            known = person_of(email, provider="people_data_labs") or person_of(email, provider="hunter")
            seniority, function = (known.seniority, known.function) if known else ("entry", "engineering")
            people.append(_lead(email, each.country, seniority, function, wrote_country=place == 0))
        leads[each.domain] = people
    return World("demo", firms, leads)


def _lead(email: str, country: str, seniority: str, function: str, *, wrote_country: bool) -> WorldLead:
    truth: Truth = {
        person.SENIORITY: seniority,
        person.JOB_FUNCTION: function,
        person.PHONE: f"+49151{zlib.crc32(email.encode()) % 10**8:08d}",
        person.COUNTRY: country,
        person.EMAIL_STATUS: "valid",
        person.IS_FREE_MAIL: False,
        person.IS_DISPOSABLE: False,
    }
    return WorldLead(email, truth, {person.COUNTRY: country} if wrote_country else {})


def sources_of(world: World) -> list[KnowingSource]:
    """Two free sources and four that charge, with the prices and shares of usual providers."""
    people = {lead.email: lead.truth for leads in world.leads.values() for lead in leads}
    site = (company.EMPLOYEES, company.INDUSTRY, company.TECHNOLOGY, company.COUNTRY, company.PRICING_PAGE)
    record = (company.EMPLOYEES, company.INDUSTRY, company.COUNTRY)
    profile = (person.SENIORITY, person.JOB_FUNCTION, person.PHONE, person.COUNTRY)
    address = (person.IS_FREE_MAIL, person.IS_DISPOSABLE)
    about, of = (world.companies, company.DOMAIN), (people, person.EMAIL)
    return [
        KnowingSource(_spec("address", SubjectKind.LEAD, address), *of, 1.0),
        KnowingSource(_spec("website", SubjectKind.COMPANY, site), *about, 0.9, 0.6),
        KnowingSource(_spec("company_record", SubjectKind.COMPANY, record, paid=True), *about, 0.8, 0.9, 100_000),
        KnowingSource(_spec("stack", SubjectKind.COMPANY, (company.TECHNOLOGY,), paid=True), *about, 0.7, 1.0, 50_000),
        KnowingSource(_spec("person_record", SubjectKind.LEAD, profile, paid=True), *of, 0.7, 0.9, 100_000),
        KnowingSource(_spec("verifier", SubjectKind.LEAD, (person.EMAIL_STATUS,), paid=True), *of, 1.0, 1.0, 8_000),
    ]


def _spec(name: str, subject: SubjectKind, gives: Sequence[FactField], *, paid: bool = False) -> SourceSpec:
    key = person.EMAIL if subject is SubjectKind.LEAD else company.DOMAIN
    return SourceSpec(
        name=name,
        version="1",
        label=name,
        subject=subject,
        speed=Speed.PAID if paid else Speed.NETWORK,
        needs=(frozenset({key}),),
        gives=frozenset(gives),
        family=name,
        charges=Charge.ON_HIT if paid else Charge.NEVER,
        most_units=1 if paid else 0,
    )


async def enriched(world: World, *, sparing: bool) -> Outcome:
    """Enrich all leads, their companies first. Args: sparing: whether paid sources are left out by the rule."""
    _, body = read_file(template_text("b2b_saas"))
    profile = read_profile(body, STANDARD)
    sources = sources_of(world)
    specs = [source.spec for source in sources]
    ports = EnginePorts(_Purse(), MemoryRates(), MemoryBreakers(), CannedFetcher(), MemoryFingerprints().hash)
    engine, done = Engine(_as_sources(sources), ports), Outcome()

    async def run(kind: SubjectKind, given: Mapping[FactField, FactValue], known: Sequence[Facts]) -> RunResult:
        worth = Worth(TierStakes("Fit", profile, STANDARD, known), specs) if sparing else None
        return await engine.run(RunRequest(kind, given, engine.fields_of(kind), Policy(), worth=worth))

    for domain, leads in world.leads.items():
        written = [_facts_of(lead.written, {}) for lead in leads]
        firm = await run(SubjectKind.COMPANY, {company.DOMAIN: domain}, written)
        for lead in leads:
            facts = _facts_of(lead.written, _values(firm))
            found = await run(SubjectKind.LEAD, {person.EMAIL: lead.email, **lead.written}, [facts])
            final = _facts_of(lead.written, {**_values(firm), **_values(found)})
            done.tiers[lead.email] = evaluate(profile, final, STANDARD, datetime.now(UTC)).tier
    done.spent = sum(source.spent for source in sources)
    return done


def _as_sources(sources: Sequence[KnowingSource]) -> Sequence[Source]:
    return sources


def _values(result: RunResult) -> dict[FactField, ProfileValue]:
    return {
        each: frozenset(str(one.best.fact.value) for one in values) if each.multiple else values[0].best.fact.value
        for each, values in result.chosen.items()
    }


def _facts_of(written: Mapping[FactField, FactValue], found: Mapping[FactField, ProfileValue]) -> Facts:
    """The facts of a lead: the found country of the person, or else of the company, fills the column."""
    values: dict[str, ProfileValue] = {f"{each.subject}.{each.name}": value for each, value in found.items()}
    country = written.get(person.COUNTRY) or found.get(person.COUNTRY) or found.get(company.COUNTRY)
    return Facts({**values, **({"lead.country": country} if country else {})})


def worlds() -> list[World]:
    """The worlds that are measured."""
    return [demo_world(), *map(random_world, SEEDS)]


async def saved(world: World) -> tuple[Outcome, Outcome]:
    """The outcome with all sources, and with the rule."""
    return await enriched(world, sparing=False), await enriched(world, sparing=True)


def measure() -> Measured:
    """The share of the spend that the rule saves in each world. Raises: Failed: a final tier differs."""
    before, found = Snapshot.take({}), {}
    for world in worlds():
        everything, sparing = asyncio.run(saved(world))
        if everything.tiers != sparing.tiers:
            raise Failed(f"In the world {world.name}, final tiers differ.")
        found[world.name] = round(1 - sparing.spent / everything.spent, 3)
    return found, Snapshot.take({}).cores_since(before)


def table(results: Results) -> list[Table]:
    """The figures, if there are any."""
    if not results.has(LABEL):
        return []
    found = Table(title="Spend saved by asking only where a tier can change, same final tiers", title_justify="left")
    found.add_column("world")
    found.add_column("saved", justify="right")
    for world in worlds():
        found.add_row(world.name, f"{results.median(LABEL, world.name):.1%}")
    return [found]
