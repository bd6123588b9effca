"""A profile as the engine builds one, for tests of the output."""

from datetime import timedelta

from leadflood.domains.enrichment.engine.profiles import Profile, parse_target
from leadflood.domains.enrichment.models import Fact, FactField, FactValue, Receipt
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models import lead_fields as lead
from leadflood.domains.enrichment.models.choosing import FactCandidate, choose_all
from leadflood.domains.enrichment.models.policies import Policy
from leadflood.domains.enrichment.models.runs import RunResult, Step, StepState, run_state
from tests.support.canned_web import NOW

PAGE = "https://acme.com/imprint"


def said(field: FactField, value: FactValue, confidence: float = 0.9, source: str = "website") -> FactCandidate:
    """A candidate with a quote."""
    receipt = Receipt("visible_text", "The legal notice says so.", NOW, PAGE, str(value))
    return FactCandidate(Fact.of(field, value, confidence, receipt), source, source)


def run_of(*candidates: FactCandidate, steps: tuple[Step, ...] = ()) -> RunResult:
    """A run that found these."""
    chosen = choose_all(candidates, now=NOW, policy=Policy())
    steps = steps or (Step("website", "Website", StepState.FOUND, "Found some values.", len(candidates), 1.25),)
    return RunResult(run_state(chosen, steps), chosen, steps, 1.5)


def acme() -> Profile:
    """A person and a company, with values that files have trouble with."""
    person = run_of(said(lead.FIRST_NAME, "Ada 🚀"), said(lead.IS_FREE_MAIL, value=False))
    found = run_of(
        said(company.NAME, '=HYPERLINK("http://evil.example")'),
        said(company.NAME, "Acme", 0.4, "guess"),
        said(company.EMPLOYEES, 120),
        said(company.PHONE, "+442079460958"),
        said(company.TECHNOLOGY, "nginx"),
        said(company.TECHNOLOGY, "React Native"),
        said(company.DESCRIPTION, 'Rockets,\n"fast"'),
    )
    return Profile(parse_target("ada@acme.com"), "acme.com", person, found)


def away() -> Profile:
    """A company whose website did not answer."""
    step = Step("website", "Website", StepState.AWAY, "b.com did not answer.", until=NOW + timedelta(hours=1))
    return Profile(parse_target("b.com"), "b.com", None, run_of(steps=(step,)))
