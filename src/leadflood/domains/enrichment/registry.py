"""The enrichment adapters of this program, by name."""

from collections.abc import Callable, Mapping, Sequence

from leadflood.domains.enrichment.adapters.email_insight import EmailInsight
from leadflood.domains.enrichment.adapters.simulated import Simulated
from leadflood.domains.enrichment.errors import UnknownAdapter
from leadflood.domains.enrichment.models import Adapter
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import random_unit


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
