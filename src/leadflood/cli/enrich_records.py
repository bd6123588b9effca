"""Results of `leadflood enrich` as JSON, one record for each line of the input."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from leadflood.domains.enrichment.engine.profiles import Profile
from leadflood.domains.enrichment.models import FactField
from leadflood.domains.enrichment.models.choosing import ChosenFact, FactCandidate
from leadflood.domains.enrichment.models.company_fields import COMPANY_FIELDS
from leadflood.domains.enrichment.models.lead_fields import PERSON_FIELDS
from leadflood.domains.enrichment.models.runs import RunResult, Step

INVALID: Final = "invalid"
"""Status of a line that is neither a domain nor an email address."""
FAILED: Final = "failed"
"""Status of a target whose sources could not be asked or reached."""
FOUND_SOMETHING: Final = frozenset({"completed", "partial"})

JsonObject = dict[str, Any]


def profile_record(line: str, profile: Profile) -> JsonObject:
    """The record of a profile: status, facts with their receipts, and the steps."""
    return {
        "input": line,
        "domain": profile.domain,
        "email": profile.target.email,
        "status": profile.state.value,
        "message": profile.sentence,
        "person": _facts(profile.person, PERSON_FIELDS),
        "company": _facts(profile.company, COMPANY_FIELDS),
        "steps": [_step(step) for step in profile.steps],
    }


def invalid_record(line: str, message: str) -> JsonObject:
    """The record of a line that is no target."""
    empty: JsonObject = {"domain": None, "email": None, "status": INVALID, "message": message}
    return {"input": line, **empty, "person": {}, "company": {}, "steps": []}


def _facts(run: RunResult | None, catalog: Iterable[FactField]) -> JsonObject:
    """The chosen values by field, in the order of the catalog; a list where the field has several."""
    if run is None:
        return {}
    found: JsonObject = {}
    for field in catalog:
        if values := run.chosen.get(field):
            facts = [_fact(value) for value in values]
            found[field.name] = facts if field.multiple else facts[0]
    return found


def _fact(chosen: ChosenFact) -> JsonObject:
    return {
        **_candidate(chosen.best),
        "confidence": round(chosen.confidence, 4),
        "because": chosen.because.value,
        "agreeing": sorted({each.source for each in chosen.agreeing}),
        "others": [_candidate(each) for each in chosen.losers],
    }


def _candidate(candidate: FactCandidate) -> JsonObject:
    fact, receipt = candidate.fact, candidate.fact.receipt
    return {
        "value": fact.value,
        "confidence": round(fact.confidence, 4),
        "source": candidate.source,
        "method": receipt.method,
        "evidence": receipt.evidence,
        "sourceUrl": receipt.source_url,
        "quote": receipt.quote,
        "observedAt": _time(receipt.observed_at),
    }


def _step(step: Step) -> JsonObject:
    return {
        "source": step.source,
        "label": step.label,
        "state": step.state.value,
        "message": step.sentence,
        "facts": step.facts,
        "seconds": round(step.seconds, 3),
        "stored": step.stored,
        "until": None if step.until is None else _time(step.until),
    }


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
