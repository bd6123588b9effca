"""Asking one source one question: once at a time, within its rate, and not while it is down."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, assert_never, cast

import structlog

from leadflood.domains.enrichment.engine.fetching import failure_of
from leadflood.domains.enrichment.engine.objections import refusal_of
from leadflood.domains.enrichment.engine.outcomes import (
    CallResult,
    SourceFault,
    step_of_failure,
    step_of_outcome,
    stored_outcome,
)
from leadflood.domains.enrichment.engine.ports import Claimed, EnginePorts
from leadflood.domains.enrichment.models.answers import (
    Answer,
    AnswerLost,
    Away,
    Busy,
    Found,
    KeyRejected,
    Missed,
    OutOfCredits,
    SourceFailure,
    Ticket,
)
from leadflood.domains.enrichment.models.breakers import Breaker
from leadflood.domains.enrichment.models.facts import Fact
from leadflood.domains.enrichment.models.lookups import (
    LookupClaim,
    LookupDeclined,
    LookupInDoubt,
    LookupInProgress,
    LookupKey,
    LookupOutcome,
    LookupUncounted,
    PaidCall,
)
from leadflood.domains.enrichment.models.questions import Question, question_parts
from leadflood.domains.enrichment.models.read_pages import ReadPage
from leadflood.domains.enrichment.models.runs import Step, StepState
from leadflood.domains.enrichment.models.sources import Charge, Source, SourceSpec, Speed, TicketSource
from leadflood.kernel.door.errors import DoorError
from leadflood.kernel.errors import AppError, Unavailable
from leadflood.kernel.hold import EffectsOnHold

MAX_CALLS: Final = 4
"""Calls of a source for one question in one run, where it asks to be asked a little later."""
_CLAIM_MARGIN: Final = timedelta(seconds=30)
_SANDBOX_WAIT: Final = timedelta(seconds=5)
_LOST: Final = "The call was stopped before its answer came."
_IN_DOUBT: Final = "It is not known whether its last call was charged. It is asked again when that is clear."
_UNCOUNTED: Final = "The database was restored, so the provider's count of calls is read first."

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AskedSource:
    """The step of a source, the facts that it found, and the pages that it read."""

    step: Step
    facts: Sequence[Fact] = ()
    pages: Sequence[ReadPage] = ()


class Asking:
    """Asks sources of one process."""

    def __init__(self, ports: EnginePorts, slots: dict[str, asyncio.Semaphore] | None = None) -> None:
        """Args: slots: for concurrent calls of each source."""
        self._ports = ports
        self._slots: dict[str, asyncio.Semaphore] = {} if slots is None else slots

    async def ask(self, source: Source, question: Question, *, newer_than: datetime | None) -> AskedSource:
        """The answer of a source, stored or new. No fault of a source is raised.

        Raises: what the ports raise, such as `leadflood.kernel.hold.EffectsOnHold`.
        """
        spec, started = source.spec, self._ports.now()
        if spec.speed is Speed.INSTANT:
            result = await self._called(source, question, None)
            outcome = stored_outcome(spec, result, now=started, former=None, spread=0)
            return self._asked(spec, result, outcome, started)
        if (refusal := refusal_of(source)) is not None:
            return self._unclaimed(spec, LookupDeclined(refusal), started)
        fingerprint = await self._ports.fingerprint(*question_parts(spec, question))
        key = LookupKey(spec.name, fingerprint, spec.version)
        if spec.speed is Speed.TICKET:  # more may be known now, but another question would be charged, too
            key = await self._ports.lookups.pending(spec.name) or key
        paid = PaidCall.of(spec)
        if paid is not None:
            return await self._ask_paid(source, question, key, paid)
        claim = await self._claimed(key, spec, question, newer_than=newer_than)
        if not isinstance(claim, LookupClaim):
            return self._unclaimed(spec, claim, started)
        try:
            result = await self._result(source, question, claim)
        except BaseException:
            await asyncio.shield(self._ports.lookups.release(key, claim))
            raise
        outcome = stored_outcome(spec, result, now=self._ports.now(), former=claim.former, spread=key.fingerprint[0])
        if outcome is None:
            await self._ports.lookups.release(key, claim)
        else:
            await self._ports.lookups.answer(key, claim, outcome)
        return self._asked(spec, result, outcome, started)

    async def _ask_paid(self, source: Source, question: Question, key: LookupKey, paid: PaidCall) -> AskedSource:
        """The same for a call that costs money: when its turn has come, it is purchased, and made immediately, once."""
        spec, started = source.spec, self._ports.now()
        while True:
            stored = await self._ports.lookups.stored(key, now=self._ports.now())
            if stored is not None:
                return self._unclaimed(spec, stored, started)
            closed = await self._ports.breakers.admit(spec.name, now=self._ports.now())
            if closed is not None:
                return self._asked(spec, _refused(closed), None, started)
            async with self._turn(spec, question) as busy:
                if busy is not None:
                    return self._asked(spec, busy, None, started)
                if (refusal := refusal_of(source)) is not None:  # of another source, while this one waited
                    return self._unclaimed(spec, LookupDeclined(refusal), started)
                now = self._ports.now()
                until = _claim_end(spec, question, now)
                claim = await self._ports.lookups.claim(key, now=now, until=until, paid=paid)
                if isinstance(claim, LookupClaim):
                    return await self._ask_once(source, question, key, claim)
            if not isinstance(claim, LookupInProgress) or now >= question.deadline:
                return self._unclaimed(spec, claim, started)
            await self._wait_for_other(key, question, claim, now)

    async def _ask_once(self, source: Source, question: Question, key: LookupKey, claim: LookupClaim) -> AskedSource:
        """Make a purchased call. Its answer is stored and settled together; without one, what it cost is in doubt."""
        spec, started, lookups = source.spec, self._ports.now(), self._ports.lookups
        ticket = None if claim.former is None else claim.former.ticket
        try:
            result = await self._called(source, replace(question, purchase_id=claim.purchase_id), ticket)
        except EffectsOnHold:
            await asyncio.shield(lookups.release(key, claim))
            raise
        except BaseException:
            await asyncio.shield(lookups.doubt(key, claim, sentence=_LOST))
            raise
        outcome = stored_outcome(spec, result, now=self._ports.now(), former=claim.former, spread=key.fingerprint[0])
        if isinstance(result, AnswerLost | SourceFault):
            outcome = None
            await lookups.doubt(key, claim, sentence=result.sentence)
        elif outcome is not None:
            await lookups.answer(key, claim, outcome)
        else:
            charged = isinstance(result, Busy) and result.charged
            await lookups.release(key, claim, units=spec.most_units if charged else 0)
        await self._record(spec, result)
        return self._asked(spec, result, outcome, started)

    def _unclaimed(
        self,
        spec: SourceSpec,
        claim: LookupOutcome | LookupInProgress | LookupDeclined | LookupInDoubt | LookupUncounted,
        started: datetime,
    ) -> AskedSource:
        """The stored answer, or why the source is not asked now."""
        match claim:
            case LookupOutcome():
                step = step_of_outcome(spec, claim, self._since(started), stored=True)
                return AskedSource(step, claim.facts, claim.pages)
            case LookupInProgress(until):
                step = Step(spec.name, spec.label, StepState.WAITING, "Another run is asking it.", until=until)
            case LookupInDoubt(until):
                step = Step(spec.name, spec.label, StepState.WAITING, _IN_DOUBT, until=until)
            case LookupUncounted(until):
                step = Step(spec.name, spec.label, StepState.WAITING, _UNCOUNTED, until=until)
            case LookupDeclined():
                step = Step(spec.name, spec.label, StepState.SKIPPED, claim.sentence, until=claim.until)
            case _:
                assert_never(claim)
        return AskedSource(step)

    async def _claimed(
        self, key: LookupKey, spec: SourceSpec, question: Question, *, newer_than: datetime | None
    ) -> Claimed:
        """The claim, or the answer that another caller of the same question got meanwhile."""
        while True:
            now = self._ports.now()
            until = _claim_end(spec, question, now)
            claim = await self._ports.lookups.claim(key, now=now, until=until, newer_than=newer_than)
            if not isinstance(claim, LookupInProgress) or now >= question.deadline:
                return claim
            newer_than = None  # the answer of the other caller is new enough
            await self._wait_for_other(key, question, claim, now)

    async def _wait_for_other(self, key: LookupKey, question: Question, other: LookupInProgress, now: datetime) -> None:
        """Wait for the end of another caller's claim, until the deadline of the question."""
        end = min(question.deadline, other.until)
        await self._ports.lookups.wait(key, seconds=(end - now).total_seconds())

    async def _result(self, source: Source, question: Question, claim: LookupClaim) -> CallResult:
        """The answer of the source; one that is busy for less than the time that is left is asked again."""
        ticket = None if claim.former is None else claim.former.ticket
        result: CallResult = ticket or Away("There was no time left.")
        for _ in range(MAX_CALLS):
            closed = await self._ports.breakers.admit(source.spec.name, now=self._ports.now())
            if closed is not None:
                return _refused(closed)
            result = await self._in_turn(source, question, ticket)
            await self._record(source.spec, result)
            if isinstance(result, Ticket):
                ticket, again = result, result.not_before
            elif isinstance(result, Busy):
                again = result.until
            else:
                return result
            wait = (again - self._ports.now()).total_seconds()
            if again >= question.deadline or wait > self._ports.most_wait:
                return result
            await self._ports.sleep(max(0.0, wait))
        return result

    async def _in_turn(self, source: Source, question: Question, ticket: Ticket | None) -> CallResult:
        """One call, when the source's rate and its number of concurrent calls allow it."""
        async with self._turn(source.spec, question) as busy:
            return busy or await self._called(source, question, ticket)

    @asynccontextmanager
    async def _turn(self, spec: SourceSpec, question: Question) -> AsyncIterator[Busy | None]:
        """A turn for one call, as rate and number of concurrent calls allow; or why there is none in time."""
        left = self._left(question)
        if spec.rate is not None:
            now = self._ports.now()
            most = min(left, self._ports.most_wait)
            wait = await self._ports.rates.reserve(spec.name, spec.rate, now=now, most_wait=most)
            if wait > most:
                yield Busy(f"{spec.label} is asked as often as it allows.", now + timedelta(seconds=wait))
                return
            if wait > 0:
                await self._ports.sleep(wait)
        slot = self._slots.setdefault(spec.name, asyncio.Semaphore(spec.concurrency))
        try:
            async with asyncio.timeout(min(self._left(question), self._ports.most_wait)):
                await slot.acquire()
        except TimeoutError:
            yield Busy(f"{spec.label} was busy with other questions.", question.deadline)
            return
        try:
            yield None
        finally:
            slot.release()

    async def _called(  # noqa: PLR0911  one for each kind of end
        self, source: Source, question: Question, ticket: Ticket | None
    ) -> CallResult:
        """The result of one call, whatever becomes of it."""
        spec = source.spec
        try:
            return await self._answer(source, question, ticket)
        except TimeoutError:
            return AnswerLost(f"{spec.label} took too long and was stopped.")
        except SourceFailure as failure:
            return failure
        except DoorError as error:
            return failure_of(error, self._ports.now())
        except Unavailable:
            sentence = "This server has too much to do."
            if spec.charges is Charge.NEVER:
                return Busy(sentence, self._ports.now() + _SANDBOX_WAIT)
            return AnswerLost(sentence)  # the request may have been sent before
        except (AppError, EffectsOnHold):
            raise
        except Exception:  # noqa: BLE001  a fault of one source must not take the values of the others with it
            _log.exception("enrichment.source_failed", source=spec.name)
            return SourceFault("It could not be asked because of an error in LEAD-FLOOD, which is in the log.")

    async def _answer(self, source: Source, question: Question, ticket: Ticket | None) -> Answer:
        async with asyncio.timeout(min(source.spec.seconds, self._left(question))):
            if ticket is None:
                answer = await source.ask(question, self._ports.fetcher)
            else:
                answer = await cast("TicketSource", source).poll(ticket, question, self._ports.fetcher)
        return declared(source.spec, answer)

    async def _record(self, spec: SourceSpec, result: CallResult) -> None:
        """Record in the breaker of a source how a call ended."""
        now, change = self._ports.now(), self._ports.breakers.change
        match result:
            case Away():
                if spec.one_service:
                    await change(spec.name, lambda breaker: breaker.failed(now, result.sentence))
            case KeyRejected():
                await change(spec.name, lambda breaker: breaker.key_rejected(result.sentence))
            case OutOfCredits():
                await change(spec.name, lambda breaker: breaker.out_of_credits(now, result.until, result.sentence))
            case SourceFault():
                return
            case _:
                await change(spec.name, lambda breaker: breaker.succeeded())

    def _asked(
        self, spec: SourceSpec, result: CallResult, outcome: LookupOutcome | None, started: datetime
    ) -> AskedSource:
        if outcome is None:
            return AskedSource(step_of_failure(spec, result, self._since(started)))
        step = step_of_outcome(spec, outcome, self._since(started), stored=False)
        return AskedSource(step, outcome.facts, outcome.pages)

    def _left(self, question: Question) -> float:
        return max(0.0, (question.deadline - self._ports.now()).total_seconds())

    def _since(self, start: datetime) -> float:
        return (self._ports.now() - start).total_seconds()


def _claim_end(spec: SourceSpec, question: Question, now: datetime) -> datetime:
    """The end of a claim whose holder never answers."""
    return max(now + timedelta(seconds=spec.seconds), question.deadline) + _CLAIM_MARGIN


def _refused(breaker: Breaker) -> CallResult:
    """The result of a call that an open breaker refuses."""
    return SourceFault(breaker.reason) if breaker.open_until is None else Busy(breaker.reason, breaker.open_until)


def declared(spec: SourceSpec, answer: Answer) -> Answer:
    """The answer without facts of fields that the source does not declare."""
    if not isinstance(answer, Found):
        return answer
    facts = [fact for fact in answer.facts if fact.field in spec.gives]
    if len(facts) < len(answer.facts):
        undeclared = sorted({fact.field.name for fact in answer.facts if fact.field not in spec.gives})
        _log.warning("enrichment.undeclared_facts", source=spec.name, fields=undeclared)
    if not facts:
        return Missed(answer.note or "It has nothing about this.", units=answer.units, provider_ref=answer.provider_ref)
    return replace(answer, facts=facts)
