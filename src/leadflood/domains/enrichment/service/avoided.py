"""Calls of a run that were not made because their answers could change nothing."""

from dataclasses import replace
from uuid import UUID

from leadflood.domains.enrichment.models.fact_fields import SubjectKind
from leadflood.domains.enrichment.models.runs import RunResult, Step
from leadflood.domains.enrichment.queries.worth import kept_answers
from leadflood.domains.spending.models import AvoidedCall
from leadflood.domains.spending.service import avoided as spending
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction


async def record(
    tx: Transaction,
    actor: Actor,
    result: RunResult,
    *,
    subject: SubjectKind,
    subject_id: UUID,
    batch_id: UUID | None = None,
) -> RunResult:
    """Record what a run did not spend. Returns the result with the prices.

    A source whose answer is still kept would have cost nothing.
    """
    wanted = [step for step in result.steps if step.avoided_units]
    if not wanted:
        return result
    names = [step.source for step in wanted]
    kept = await kept_answers(tx, actor, subject=subject, subject_id=subject_id, sources=names)
    counted = [step for step in wanted if step.source not in kept]
    amounts = await spending.record(tx, actor, [_call(step, subject_id, batch_id) for step in counted])
    prices = {step.source: amount for step, amount in zip(counted, amounts, strict=True)}
    return replace(result, steps=[_priced(step, prices.get(step.source)) for step in result.steps])


def _call(step: Step, subject_id: UUID, batch_id: UUID | None) -> AvoidedCall:
    return AvoidedCall(step.source, step.avoided_units, subject_id, batch_id, step.sentence)


def _priced(step: Step, price: tuple[int, str] | None) -> Step:
    return step if price is None else replace(step, avoided_micros=price[0], avoided_currency=price[1])
