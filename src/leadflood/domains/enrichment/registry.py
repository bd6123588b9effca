"""The enrichment adapters and sources of this program, by name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from leadflood.domains.enrichment.adapters.email_insight import EmailInsight, EmailInsightSource
from leadflood.domains.enrichment.adapters.simulated import Simulated
from leadflood.domains.enrichment.errors import UnknownAdapter
from leadflood.domains.enrichment.models import Adapter, Source
from leadflood.domains.enrichment.models.policies import Policy
from leadflood.domains.enrichment.sources.companies_house import CompaniesHouse
from leadflood.domains.enrichment.sources.company_place import CompanyPlace
from leadflood.domains.enrichment.sources.dns import Dns
from leadflood.domains.enrichment.sources.email_check import EmailCheck
from leadflood.domains.enrichment.sources.gleif import Gleif
from leadflood.domains.enrichment.sources.job_title import JobTitle
from leadflood.domains.enrichment.sources.phone_place import PhonePlace
from leadflood.domains.enrichment.sources.sec_edgar import SecEdgar
from leadflood.domains.enrichment.sources.website.source import Website
from leadflood.domains.enrichment.sources.wikidata import Wikidata
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import random_unit

PARSER_MODULES: Final[Sequence[str]] = ("leadflood.domains.enrichment.sources.website.extraction",)
"""Modules that parse pages in child processes, which are to be loaded there."""


def build_adapters(settings: Settings) -> Sequence[Adapter]:
    """The adapters in the settings, in their order. Raises: UnknownAdapter."""
    known: Mapping[str, Callable[[], Adapter]] = {
        "email_insight": EmailInsight,
        "simulated": lambda: Simulated(
            latency=settings.simulated_latency_seconds,
            failure_rate=settings.simulated_failure_rate,
            failure_kind=settings.simulated_failure_kind,
            random_unit=random_unit,
        ),
    }
    names = [name.strip() for name in settings.enrichment_adapters.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise UnknownAdapter(name, sorted(known))
    return [known[name]() for name in names]


def build_sources(settings: Settings) -> Sequence[Source]:
    """The sources that need no key, and Companies House if the settings have its key, in order of precedence."""
    key = settings.companies_house_key
    return (
        EmailInsightSource(),
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
