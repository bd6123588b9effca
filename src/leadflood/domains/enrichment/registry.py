"""The enrichment adapters and sources of this program, by name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from leadflood.domains.enrichment.adapters.email_insight import EmailInsight, EmailInsightSource
from leadflood.domains.enrichment.adapters.simulated import Simulated
from leadflood.domains.enrichment.errors import UnknownAdapter
from leadflood.domains.enrichment.models import Adapter, Source
from leadflood.domains.enrichment.models.policies import Policy
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import random_unit

PARSER_MODULES: Final[Sequence[str]] = ()
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


def build_sources() -> Sequence[Source]:
    """The sources that need no key, in order of precedence."""
    return (EmailInsightSource(),)


def default_policy(sources: Sequence[Source]) -> Policy:
    """The policy that asks sources in their order."""
    return Policy(order=tuple(source.spec.name for source in sources))
