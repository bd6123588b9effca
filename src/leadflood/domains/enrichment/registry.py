"""The enrichment sources of this program, by name."""

from collections.abc import Mapping, Sequence
from typing import Final

from leadflood.domains.enrichment.errors import UnknownSource
from leadflood.domains.enrichment.models import Source, SubjectKind
from leadflood.domains.enrichment.models.policies import Policy
from leadflood.domains.enrichment.sources.companies_house import CompaniesHouse
from leadflood.domains.enrichment.sources.company_place import CompanyPlace
from leadflood.domains.enrichment.sources.dns import Dns
from leadflood.domains.enrichment.sources.email_check import EmailCheck
from leadflood.domains.enrichment.sources.email_insight import EmailInsight
from leadflood.domains.enrichment.sources.gleif import Gleif
from leadflood.domains.enrichment.sources.job_title import JobTitle
from leadflood.domains.enrichment.sources.phone_place import PhonePlace
from leadflood.domains.enrichment.sources.sec_edgar import SecEdgar
from leadflood.domains.enrichment.sources.simulated import Simulated
from leadflood.domains.enrichment.sources.website.source import Website
from leadflood.domains.enrichment.sources.wikidata import Wikidata
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import random_unit

PARSER_MODULES: Final[Sequence[str]] = ("leadflood.domains.enrichment.sources.website.extraction",)
"""Modules that parse pages in child processes, which are to be loaded there."""


def worker_sources(settings: Settings) -> Sequence[Source]:
    """The sources that workers ask, as the settings name them, in their order. Raises: UnknownSource."""
    people = (source for source in build_sources(settings) if source.spec.subject is SubjectKind.LEAD)
    known: Mapping[str, Source] = {source.spec.name: source for source in (*people, _simulated(settings))}
    names = [name.strip() for name in settings.enrichment_sources.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise UnknownSource(name, sorted(known))
    return [known[name] for name in dict.fromkeys(names)]


def _simulated(settings: Settings) -> Simulated:
    return Simulated(
        latency=settings.simulated_latency_seconds,
        failure_rate=settings.simulated_failure_rate,
        failure_kind=settings.simulated_failure_kind,
        random_unit=random_unit,
    )


def build_sources(settings: Settings) -> Sequence[Source]:
    """The sources that need no key, and Companies House if the settings have its key, in order of precedence."""
    key = settings.companies_house_key
    return (
        EmailInsight(),
        JobTitle(),
        PhonePlace(),
        EmailCheck(),
        *((CompaniesHouse(key.get_secret_value()),) if key else ()),
        Gleif(),
        SecEdgar(),
        Website(),
        Dns(),
        Wikidata(),
        CompanyPlace(),
    )


def default_policy(sources: Sequence[Source]) -> Policy:
    """The policy that asks sources in their order."""
    return Policy(order=tuple(source.spec.name for source in sources))
