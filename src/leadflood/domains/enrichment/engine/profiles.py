"""Profiles: a person and their company, from an email address; or a company, from a domain or a URL."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from leadflood.domains.enrichment.engine.running import Engine
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models import lead_fields as lead
from leadflood.domains.enrichment.models.fact_fields import FactField, FactValue, SubjectKind
from leadflood.domains.enrichment.models.policies import Policy
from leadflood.domains.enrichment.models.runs import (
    TIME_LIMIT,
    RunRequest,
    RunResult,
    RunState,
    Step,
    run_sentence,
    run_state,
)
from leadflood.kernel.email_domains import public_suffixes, registrable_domain
from leadflood.kernel.text import InvalidValue

_MAX_TARGET: Final = 2048


@dataclass(frozen=True, slots=True)
class ProfileTarget:
    """Subject of a profile. `email`: None for a company; `domain`: of the company, None where only a run knows it."""

    email: str | None
    domain: str | None

    @property
    def key(self) -> str:
        """Equal for all spellings of the same target."""
        return str(self.domain) if self.email is None else lead.EMAIL.compare(self.email)


@dataclass(frozen=True, slots=True)
class ProfileRequest:
    """Rules of a profile: the policy and the time limit of each of its runs."""

    policy: Policy
    time_limit: timedelta = TIME_LIMIT


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile. `person` and `company`: the runs; None where there was nothing to ask about."""

    target: ProfileTarget
    domain: str | None
    person: RunResult | None
    company: RunResult | None

    @property
    def steps(self) -> list[Step]:
        """The steps of both runs."""
        return [step for run in (self.person, self.company) if run is not None for step in run.steps]

    @property
    def state(self) -> RunState:
        """End of both runs together."""
        chosen = {field: values for run in (self.person, self.company) if run for field, values in run.chosen.items()}
        return run_state(chosen, self.steps)

    @property
    def sentence(self) -> str:
        """The result in a sentence: why something is missing, or how many values there are."""
        runs = (run for run in (self.person, self.company) if run is not None)
        return run_sentence(self.steps, sum(len(values) for run in runs for values in run.chosen.values()))


def parse_target(text: str) -> ProfileTarget:
    """A target from an email address, a domain or a URL.

    Raises: leadflood.kernel.text.InvalidValue: it is none, or a public suffix, such as `co.uk`.
    """
    plain = text.strip()
    if len(plain) > _MAX_TARGET:
        raise InvalidValue(f"Maximum {_MAX_TARGET} characters.", "too_long")
    if "@" in plain and "/" not in plain:
        return ProfileTarget(str(lead.EMAIL.normalise(plain)), None)
    host = str(company.DOMAIN.normalise(plain))
    if public_suffixes().publicsuffix(host) == host:
        raise InvalidValue(f"{host} is a suffix of many domains. Enter one of a company, e.g. acme.{host}.")
    return ProfileTarget(None, registrable_domain(host) or host)


async def build_profile(
    engine: Engine, target: ProfileTarget, request: ProfileRequest, report: Callable[[Step], None] = lambda _: None
) -> Profile:
    """Run the sources for a person, then for the company. Raises: as `Engine.run`.

    Args:
        engine: with the sources.
        target: the subject.
        request: what to find.
        report: called with each step as it ends.
    """
    person, domain = None, target.domain
    if target.email is not None:
        person = await _run(engine, SubjectKind.LEAD, {lead.EMAIL: target.email}, request, report)
        found = person.chosen.get(lead.COMPANY_DOMAIN)
        domain = str(found[0].best.fact.value) if found else None
    found_company = None
    if domain is not None:
        found_company = await _run(engine, SubjectKind.COMPANY, {company.DOMAIN: domain}, request, report)
    return Profile(target, domain, person, found_company)


async def _run(
    engine: Engine,
    subject: SubjectKind,
    given: dict[FactField, FactValue],
    request: ProfileRequest,
    report: Callable[[Step], None],
) -> RunResult:
    wanted = engine.fields_of(subject)
    return await engine.run(RunRequest(subject, given, wanted, request.policy, request.time_limit), report)
