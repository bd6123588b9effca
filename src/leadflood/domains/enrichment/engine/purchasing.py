"""Calls that cost money, in the database.

The claim of a question and its purchase are one transaction, and so are its answer and what that cost. Both are guarded
by the lookup, not by the job: an answer that was paid for is stored and settled, whatever has become of the job.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from leadflood.domains.enrichment.engine.ports import Claimed
from leadflood.domains.enrichment.events import RECONCILE_PURCHASES
from leadflood.domains.enrichment.models.lookups import (
    LookupClaim,
    LookupDeclined,
    LookupInDoubt,
    LookupInProgress,
    LookupKey,
    LookupOutcome,
    LookupState,
    LookupUncounted,
    doubt_until,
)
from leadflood.domains.enrichment.models.sources import Repeat
from leadflood.domains.enrichment.queries.source_settings import disabled_sources
from leadflood.domains.enrichment.store import counters, lookups, paid_lookups
from leadflood.domains.enrichment.store.lookups import LookupAsker, NewAnswer
from leadflood.domains.enrichment.store.paid_lookups import Cause, NewClaim, PaidQuestion
from leadflood.domains.jobs.schedules import hasten
from leadflood.domains.spending.models import Declined, Order, Settlement
from leadflood.domains.spending.service import purchases
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

_STOPPED: Final = "It was stopped before it was asked."
_DISABLED: Final = "It was disabled before it was asked."
_NO_ANSWER: Final = "The answer to the last call was lost."
_READ_WITHIN: Final = timedelta(minutes=2)


async def claim(tx: Transaction, actor: Actor, questions: Sequence[PaidQuestion]) -> list[Claimed | None]:
    """Claim and purchase each question, or neither.

    The job runs, and every budget is open and has room, at the moment when this transaction commits. None where the
    question has to be claimed again, alone: another caller ended meanwhile, or an earlier call of it has to be
    continued, which locks other rows.
    """
    workspace_id = actor.workspace_id
    causes = await paid_lookups.causes(tx, workspace_id, {each.asker for each in questions})
    disabled = await disabled_sources(tx, workspace_id, (each.key.source for each in questions))
    rows = await paid_lookups.unanswered(tx, workspace_id, {each.identity: each.key for each in questions}.values())
    uncounted = await _uncounted(tx, workspace_id, questions)
    claimed: list[Claimed | None] = [None] * len(questions)
    fresh: dict[tuple[bytes, str], int] = {}
    for place, question in enumerate(questions):
        cause, row = causes[question.asker], rows.get(question.identity)
        if not cause.runs or (question.key.source in disabled and not question.asker.testing):
            claimed[place] = LookupDeclined(_STOPPED if not cause.runs else _DISABLED)
        elif row is None and question.key.source in uncounted:
            claimed[place] = LookupUncounted(question.now + _READ_WITHIN)
        elif row is None:
            fresh.setdefault(question.identity, place)
        elif _is_asked(row, question.now):
            claimed[place] = LookupInProgress(row.claimed_until)
        elif len(questions) == 1:
            claimed[place] = await _claim_again(tx, question, row, cause)
    new = [NewClaim(questions[place], new_id(), new_id()) for place in fresh.values()]
    for place, found in zip(fresh.values(), await _claim_new(tx, actor, new, causes), strict=True):
        claimed[place] = found
    return claimed


async def _uncounted(tx: Transaction, workspace_id: UUID, questions: Sequence[PaidQuestion]) -> set[str]:
    """Sources whose usage counter has to be read first, because the database was restored. It is read soon then."""
    metered = {each.key.source for each in questions if each.paid.repeat is Repeat.RECONCILE}
    found = await counters.uncounted(tx, workspace_id, metered) if metered else set()
    if found:
        await hasten(tx, RECONCILE_PURCHASES)
    return found


def _is_asked(row: Row, now: datetime) -> bool:
    return row.claim is not None and row.claimed_until > now and row.state != "in_doubt"


async def _claim_new(
    tx: Transaction, actor: Actor, new: Sequence[NewClaim], causes: Mapping[LookupAsker, Cause]
) -> list[Claimed | None]:
    """Claim and purchase different questions that were not being asked. None for those that another caller has."""
    if not new:
        return []
    tokens = await paid_lookups.claim(tx, actor.workspace_id, new)
    ours = [each for each in new if each.token in tokens]
    asked = [(each.question.asker, each.question.key) for each in ours]
    former = await lookups.all_answered(tx, actor.workspace_id, asked) if asked else ()
    claimed: dict[UUID, Claimed] = {}
    wanted: list[tuple[NewClaim, LookupOutcome | None]] = []
    for each, known in zip(ours, former, strict=True):
        if known is not None and known.outcome.is_good(each.question.now, None):  # it came since the caller looked
            claimed[each.token] = known.outcome
        else:
            wanted.append((each, None if known is None else known.outcome))
    orders = [_order(each.question, causes[each.question.asker], each.purchase_id, each.token) for each, _ in wanted]
    reserved = await purchases.reserve(tx, actor, orders) if orders else ()
    for (each, outcome), booked in zip(wanted, reserved, strict=True):
        if isinstance(booked, Declined):
            claimed[each.token] = LookupDeclined(booked.sentence, booked.until)
        else:
            claimed[each.token] = LookupClaim(each.token, outcome, each.purchase_id)
    unclaimed = [token for token, found in claimed.items() if not isinstance(found, LookupClaim)]
    if unclaimed:
        await paid_lookups.remove_all(tx, actor.workspace_id, unclaimed)
    return [claimed.get(each.token) for each in new]


async def _claim_again(tx: Transaction, question: PaidQuestion, row: Row, cause: Cause) -> Claimed:
    """Continue where an earlier caller was stopped: poll its ticket, or repeat its call as the same purchase.

    A lost call that may be charged twice is not repeated.
    """
    asker, paid = question.asker, question.paid
    actor = _actor(asker)
    lost = row.state != LookupState.WAITING
    if lost and row.purchase_id is not None and not paid.repeatable:
        if row.state != "in_doubt":
            await _doubt(tx, asker, row.id, row.purchase_id, sentence=_NO_ANSWER)
        return LookupInDoubt(doubt_until(row.doubted_at or question.now, paid.repeat))
    purchase_id, declined = row.purchase_id, None
    if lost:
        again = await purchases.repeat(tx, actor, purchase_id) if purchase_id is not None else None
        if again is None or not again.open:
            purchase_id = new_id()
            (answer,) = await purchases.reserve(tx, actor, [_order(question, cause, purchase_id, row.id)])
            declined = answer if isinstance(answer, Declined) else None
        else:
            declined = again.declined
    if declined is not None:
        return LookupDeclined(declined.sentence, declined.until)
    former = await lookups.answered(tx, asker, question.key)
    token = await paid_lookups.take(tx, asker, row.id, purchase_id, until=question.until)
    return LookupClaim(token, None if former is None else former.outcome, purchase_id)


def _order(question: PaidQuestion, cause: Cause, purchase_id: UUID, reference: UUID) -> Order:
    source, units, subject_id = question.key.source, question.paid.most_units, question.asker.subject_id
    return Order(purchase_id, reference, source, units, subject_id, cause.batch_id, cause.actor_id)


async def answer(tx: Transaction, actor: Actor, answers: Sequence[NewAnswer]) -> list[UUID | None]:
    """Store the answers of purchased calls, and settle these. A ticket keeps its purchase open until its answer comes.

    Returns the lookup of each. None, and nothing is stored, for a claim that another caller took.
    """
    stored = await lookups.answer(tx, actor.workspace_id, answers)
    ended: dict[UUID, UUID] = {}
    settlements = []
    for each in answers:
        lookup, outcome = stored.get(each.claim), each.outcome
        if lookup is None or lookup.purchase_id is None or outcome.state is LookupState.WAITING:
            continue
        ended[lookup.purchase_id] = lookup.id
        settlements.append(Settlement(lookup.purchase_id, outcome.units, outcome.state is LookupState.FOUND))
    settled = await purchases.settle(tx, actor, settlements) if settlements else ()
    if settled:
        costs = {ended[each.purchase_id]: each.charged for each in settled}
        await paid_lookups.set_costs(tx, actor.workspace_id, costs)
    return [stored[each.claim].id if each.claim in stored else None for each in answers]


async def release(tx: Transaction, asker: LookupAsker, key: LookupKey, claim: LookupClaim, *, units: int) -> None:
    """End a claim without an answer, whose call cost that many units. A ticket stays, and its purchase open."""
    row = await paid_lookups.claimed(tx, asker, key, claim)
    if row is None:
        return
    await paid_lookups.remove(tx, asker.workspace_id, row.id)
    if row.state == LookupState.WAITING:
        return
    if units:
        await purchases.settle(tx, _actor(asker), [Settlement(row.purchase_id, units, hit=False)])
    else:
        await purchases.release(tx, _actor(asker), [row.purchase_id])


async def doubt(tx: Transaction, asker: LookupAsker, key: LookupKey, claim: LookupClaim, *, sentence: str) -> None:
    """Hold the purchase of a call whose answer was lost. A ticket can be polled again."""
    row = await paid_lookups.claimed(tx, asker, key, claim)
    if row is None:
        return
    if row.state == LookupState.WAITING:
        await paid_lookups.remove(tx, asker.workspace_id, row.id)
    else:
        await _doubt(tx, asker, row.id, row.purchase_id, sentence=sentence)


async def _doubt(tx: Transaction, asker: LookupAsker, lookup_id: UUID, purchase_id: UUID, *, sentence: str) -> None:
    if await paid_lookups.doubt(tx, asker.workspace_id, lookup_id, sentence=sentence):
        await purchases.hold(tx, _actor(asker), [purchase_id], sentence=sentence)


def _actor(asker: LookupAsker) -> Actor:
    return Actor.system(asker.workspace_id)
