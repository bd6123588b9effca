"""Estimates of batches: scaled from a sample, and limited by the rates of sources."""

from leadflood.domains.enrichment.models.batches import (
    Outcome,
    Settled,
    Survey,
    calls_of,
    counted_reasons,
    duration_of,
    scaled,
)
from leadflood.domains.enrichment.sources.company_place import CompanyPlace
from leadflood.domains.enrichment.sources.gleif import Gleif
from leadflood.kernel.ids import new_id

QUICK = Gleif()


def test_a_sample_stands_for_all() -> None:
    assert scaled(Survey(1000, 250, 400), 4000) == Survey(4000, 1000, 1600)
    assert scaled(Survey(10, 2, 3), 10) == Survey(10, 2, 3)
    assert scaled(Survey(0, 0, 0), 0) == Survey(0, 0, 0)


def test_sources_that_send_nothing_are_not_called() -> None:
    assert calls_of(7, [QUICK, CompanyPlace()]) == {"gleif": 7}


def test_the_slowest_register_decides_how_long_it_takes_at_most() -> None:
    takes = duration_of(4000, 5000, [QUICK, CompanyPlace()])

    assert takes.least == round(4000 / 400 + 5000 / 20)
    assert takes.most == round(4000 / 400 + 5000 * 60 / 50)
    assert duration_of(0, 0, [QUICK]).most == 0


def test_reasons_of_different_domains_are_one() -> None:
    failed = [Settled(new_id(), Outcome.PARTIAL, f"{name} does not exist.") for name in ("acme.com", "globex.de")]
    assert counted_reasons(failed) == {(Outcome.PARTIAL, "The website does not exist."): 2}
    assert counted_reasons([Settled(new_id(), Outcome.COMPLETED)]) == {}
