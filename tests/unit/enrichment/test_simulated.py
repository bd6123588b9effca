import pytest

from leadflood.domains.enrichment.adapters.simulated import FailureKind, Simulated
from leadflood.domains.enrichment.models import Field
from leadflood.domains.jobs.errors import Retryable, Terminal
from tests.unit.enrichment.finding import lead


class Clock:
    """Remembers the waits instead of waiting."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def simulated(
    *, clock: Clock, random_unit: float = 0.5, failure_rate: float = 0, kind: FailureKind = "retryable"
) -> Simulated:
    return Simulated(
        latency=2, failure_rate=failure_rate, failure_kind=kind, random_unit=lambda: random_unit, sleep=clock.sleep
    )


async def test_it_waits_for_its_latency_and_answers_with_values_that_say_they_are_made_up() -> None:
    clock = Clock()
    found = {value.field: value for value in await simulated(clock=clock).enrich(lead("ada@acme.com"))}
    assert clock.waits == [2]
    assert found[Field.COMPANY_NAME].value == "Acme (simulated)"
    assert {value.method for value in found.values()} == {"simulated"}


@pytest.mark.parametrize(("kind", "error"), [("retryable", Retryable), ("terminal", Terminal)])
async def test_a_chance_below_the_failure_rate_fails_as_configured_after_the_wait(
    kind: FailureKind, error: type[Retryable] | type[Terminal]
) -> None:
    clock = Clock()
    with pytest.raises(error, match="test setting"):
        await simulated(clock=clock, random_unit=0.29, failure_rate=0.3, kind=kind).enrich(lead("ada@acme.com"))
    assert clock.waits == [2]


@pytest.mark.parametrize(("random_unit", "failure_rate"), [(0.3, 0.3), (0.0, 0.0)])
async def test_a_chance_at_or_above_the_failure_rate_succeeds(random_unit: float, failure_rate: float) -> None:
    assert await simulated(clock=Clock(), random_unit=random_unit, failure_rate=failure_rate).enrich(
        lead("ada@acme.com")
    )


async def test_a_failure_rate_of_one_always_fails() -> None:
    with pytest.raises(Retryable):
        await simulated(clock=Clock(), random_unit=0.999_999, failure_rate=1).enrich(lead("ada@acme.com"))


@pytest.mark.parametrize(
    ("latency", "failure_rate", "kind", "named"),
    [
        (-1, 0, "retryable", "latency"),
        (float("nan"), 0, "retryable", "latency"),
        (0, 1.1, "retryable", "failure rate"),
        (0, 0, "sometimes", "failure kind"),
    ],
)
def test_settings_outside_their_range_are_refused_by_name(
    latency: float, failure_rate: float, kind: FailureKind, named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        Simulated(latency=latency, failure_rate=failure_rate, failure_kind=kind, random_unit=lambda: 0.0)
