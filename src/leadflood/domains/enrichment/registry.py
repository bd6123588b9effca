"""The enrichment sources of this program, by name."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from leadflood.domains.enrichment.errors import UnknownSource
from leadflood.domains.enrichment.models import Source, SourceSpec
from leadflood.domains.enrichment.models.policies import ChoiceRules, Policy
from leadflood.domains.enrichment.models.providers import Provider
from leadflood.domains.enrichment.sources import (
    abstract,
    apollo,
    hunter,
    language_model,
    people_data_labs,
    zerobounce,
)
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

PROVIDERS: Final[Sequence[Provider]] = (
    hunter.PROVIDER,
    people_data_labs.PROVIDER,
    apollo.PROVIDER,
    zerobounce.PROVIDER,
    abstract.EMAIL_PROVIDER,
    abstract.COMPANY_PROVIDER,
)
"""The providers that workspaces may have keys of. The order of their sources is the one in which they are asked."""
PARSER_MODULES: Final[Sequence[str]] = ("leadflood.domains.enrichment.sources.website.extraction",)
"""Modules that parse pages in child processes, which are to be loaded there."""


def parser_modules(settings: Settings) -> Sequence[str]:
    """The modules that parse pages for the sources that workers ask. Raises: UnknownSource."""
    reads = any(source.spec.name == Website.spec.name for source in worker_sources(settings))
    return PARSER_MODULES if reads else ()


def worker_sources(settings: Settings) -> Sequence[Source]:
    """The sources that workers ask, as the settings name them, in their order. Raises: UnknownSource."""
    every = (*build_sources(settings), _simulated(settings))
    known: Mapping[str, Source] = {source.spec.name: source for source in every}
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
    return _free_sources(key.get_secret_value() if key else "")


@cache
def standard_rules() -> ChoiceRules:
    """Rules of choices that no worker makes, such as after a merge of companies: all sources in their usual order."""
    return rules_of((*_free_sources("no key"), *keyed_sources()))


def provider_of(source: str) -> Provider | None:
    """The provider of a source; None if it needs no key, or does not exist."""
    names = {spec.name: provider for provider in PROVIDERS for spec in _specs(provider)}
    return names.get(source)


def free_names() -> frozenset[str]:
    """Names of the sources that need no key of a workspace."""
    return frozenset({*(source.spec.name for source in _free_sources("no key")), "simulated"})


def _specs(provider: Provider) -> Sequence[SourceSpec]:
    return [source.spec for source in provider.sources("no key")]


@cache
def keyed_sources() -> Sequence[Source]:
    """The sources of all providers and the language model, without keys: what they declare. They are never asked."""
    providers = (*PROVIDERS, language_model.UNSET)
    return tuple(source for provider in providers for source in provider.sources("no key"))


def rules_of(sources: Sequence[Source]) -> ChoiceRules:
    """Rules that prefer sources in their order."""
    return ChoiceRules(default_policy(sources), {source.spec.name: source.spec.family for source in sources})


def _free_sources(companies_house_key: str) -> Sequence[Source]:
    return (
        EmailInsight(),
        JobTitle(),
        PhonePlace(),
        EmailCheck(),
        *((CompaniesHouse(companies_house_key),) if companies_house_key else ()),
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
