"""Sources that cost money are asked only with a purchase."""

import pytest

from leadflood.domains.enrichment.engine.memory import MemoryBreakers, MemoryFingerprints, MemoryLookups, MemoryRates
from leadflood.domains.enrichment.engine.ports import EnginePorts
from leadflood.domains.enrichment.engine.running import Engine
from leadflood.domains.enrichment.models import Charge, Speed, SubjectKind
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models.policies import Policy
from leadflood.domains.enrichment.models.runs import RunRequest, RunState, Step, StepState
from tests.support.asked_sources import FakeClock, ScriptedSource, fact, finds, spec_of
from tests.support.canned_web import CannedFetcher


@pytest.mark.parametrize("charges", [Charge.ON_HIT, Charge.ON_CALL])
async def test_a_source_without_a_price_is_skipped_and_never_called(charges: Charge) -> None:
    clock = FakeClock()
    ports = EnginePorts(
        MemoryLookups(),
        MemoryRates(),
        MemoryBreakers(),
        CannedFetcher(),
        MemoryFingerprints().hash,
        clock.now,
        clock.sleep,
    )
    provider = ScriptedSource(
        spec_of("provider", company.NAME, speed=Speed.PAID, charges=charges), [finds(fact("Acme"))]
    )
    request = RunRequest(SubjectKind.COMPANY, {company.DOMAIN: "acme.com"}, frozenset({company.NAME}), Policy())

    result = await Engine([provider], ports).run(request)

    assert provider.questions == []
    assert result.steps == (Step("provider", "Provider", StepState.SKIPPED, "No price is set for it."),)
    assert result.state is RunState.NOTHING


def test_a_source_that_charges_says_how_much_and_does_not_answer_instantly() -> None:
    with pytest.raises(ValueError, match="does not answer instantly"):
        spec_of("provider", company.NAME, speed=Speed.INSTANT, charges=Charge.ON_CALL)
    with pytest.raises(ValueError, match="has to say"):
        spec_of("provider", company.NAME, speed=Speed.PAID)
    with pytest.raises(ValueError, match="most_units"):
        spec_of("provider", company.NAME, charges=Charge.ON_HIT, most_units=0)
