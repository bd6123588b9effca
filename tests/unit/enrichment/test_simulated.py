import pytest

from leadflood.domains.enrichment.models import Away, Found, Refused
from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.enrichment.sources.simulated import FailureKind, Simulated
from tests.support.canned_web import CannedFetcher
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
    answer = await simulated(clock=clock).ask(lead("ada@acme.com"), CannedFetcher())
    assert isinstance(answer, Found)
    found = {fact.field: fact for fact in answer.facts}
    assert clock.waits == [2]
    assert found[fields.COMPANY_NAME].value == "Acme (simulated)"
    assert {fact.receipt.method for fact in found.values()} == {"simulated"}


@pytest.mark.parametrize(("kind", "error"), [("retryable", Away), ("terminal", Refused)])
async def test_a_chance_below_the_failure_rate_fails_as_configured_after_the_wait(
    kind: FailureKind, error: type[Away] | type[Refused]
) -> None:
    clock = Clock()
    with pytest.raises(error, match="test setting"):
        await simulated(clock=clock, random_unit=0.29, failure_rate=0.3, kind=kind).ask(
            lead("ada@acme.com"), CannedFetcher()
        )
    assert clock.waits == [2]


@pytest.mark.parametrize(("random_unit", "failure_rate"), [(0.3, 0.3), (0.0, 0.0)])
async def test_a_chance_at_or_above_the_failure_rate_succeeds(random_unit: float, failure_rate: float) -> None:
    source = simulated(clock=Clock(), random_unit=random_unit, failure_rate=failure_rate)

    assert isinstance(await source.ask(lead("ada@acme.com"), CannedFetcher()), Found)


async def test_a_failure_rate_of_one_always_fails() -> None:
    with pytest.raises(Away):
        await simulated(clock=Clock(), random_unit=0.999_999, failure_rate=1).ask(lead("ada@acme.com"), CannedFetcher())


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
