"""Asking one source one question: once at a time, within its rate, and not while it is down."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

import structlog

from leadflood.domains.enrichment.engine.fetching import failure_of
from leadflood.domains.enrichment.engine.outcomes import (
    CallResult,
    SourceFault,
    step_of_failure,
    step_of_outcome,
    stored_outcome,
)
from leadflood.domains.enrichment.engine.ports import EnginePorts
from leadflood.domains.enrichment.models.answers import (
    Answer,
    Away,
    Busy,
    Found,
    KeyRejected,
    Missed,
    OutOfCredits,
    SourceFailure,
    Ticket,
)
from leadflood.domains.enrichment.models.facts import Fact
from leadflood.domains.enrichment.models.lookups import (
    LookupClaim,
    LookupDeclined,
    LookupInProgress,
    LookupKey,
    LookupOutcome,
)
from leadflood.domains.enrichment.models.questions import Question, question_parts
from leadflood.domains.enrichment.models.runs import Step, StepState
from leadflood.domains.enrichment.models.sources import Source, SourceSpec, Speed, TicketSource
from leadflood.kernel.door.errors import DoorError
from leadflood.kernel.errors import AppError, Unavailable
from leadflood.kernel.hold import EffectsOnHold

MAX_CALLS: Final = 4
"""Calls of a source for one question in one run, where it asks to be asked a little later."""
_CLAIM_MARGIN: Final = timedelta(seconds=30)
_SANDBOX_WAIT: Final = timedelta(seconds=5)

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AskedSource:
    """The step of a source, and the facts that it found."""

    step: Step
    facts: Sequence[Fact] = ()


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
        fingerprint = await self._ports.fingerprint(*question_parts(spec, question))
        key = LookupKey(spec.name, fingerprint, spec.version)
        claim = await self._claimed(key, spec, question, newer_than=newer_than)
        if isinstance(claim, LookupOutcome):
            return AskedSource(step_of_outcome(spec, claim, self._since(started), stored=True), claim.facts)
        if isinstance(claim, LookupInProgress):
            step = Step(spec.name, spec.label, StepState.WAITING, "Another run is asking it.", until=claim.until)
            return AskedSource(step)
        if isinstance(claim, LookupDeclined):
            return AskedSource(Step(spec.name, spec.label, StepState.SKIPPED, claim.sentence, until=claim.until))
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

    async def _claimed(
        self, key: LookupKey, spec: SourceSpec, question: Question, *, newer_than: datetime | None
    ) -> LookupClaim | LookupOutcome | LookupInProgress | LookupDeclined:
        """The claim, or the answer that another caller of the same question got meanwhile."""
        while True:
            now = self._ports.now()
            until = max(now + timedelta(seconds=spec.seconds), question.deadline) + _CLAIM_MARGIN
            claim = await self._ports.lookups.claim(
                key, now=now, until=until, newer_than=newer_than, most_units=spec.most_units
            )
            if not isinstance(claim, LookupInProgress) or now >= question.deadline:
                return claim
            newer_than = None  # the answer of the other caller is new enough
            end = min(question.deadline, claim.until)
            await self._ports.lookups.wait(key, seconds=(end - now).total_seconds())

    async def _result(self, source: Source, question: Question, claim: LookupClaim) -> CallResult:
        """The answer of the source; one that is busy for less than the time that is left is asked again."""
        ticket = None if claim.former is None else claim.former.ticket
        result: CallResult = ticket or Away("There was no time left.")
        for _ in range(MAX_CALLS):
            closed = await self._ports.breakers.admit(source.spec.name, now=self._ports.now())
            if closed is not None:
                return (
                    SourceFault(closed.reason) if closed.open_until is None else Busy(closed.reason, closed.open_until)
                )
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
        spec, left = source.spec, self._left(question)
        if spec.rate is not None:
            now = self._ports.now()
            most = min(left, self._ports.most_wait)
            wait = await self._ports.rates.reserve(spec.name, spec.rate, now=now, most_wait=most)
            if wait > most:
                return Busy(f"{spec.label} is asked as often as it allows.", now + timedelta(seconds=wait))
            if wait > 0:
                await self._ports.sleep(wait)
        slot = self._slots.setdefault(spec.name, asyncio.Semaphore(spec.concurrency))
        try:
            async with asyncio.timeout(min(self._left(question), self._ports.most_wait)):
                await slot.acquire()
        except TimeoutError:
            return Busy(f"{spec.label} was busy with other questions.", question.deadline)
        try:
            return await self._called(source, question, ticket)
        finally:
            slot.release()

    async def _called(self, source: Source, question: Question, ticket: Ticket | None) -> CallResult:
        """The result of one call, whatever becomes of it."""
        spec = source.spec
        try:
            return await self._answer(source, question, ticket)
        except TimeoutError:
            return Away(f"{spec.label} took too long and was stopped.")
        except SourceFailure as failure:
            return failure
        except DoorError as error:
            return failure_of(error, self._ports.now())
        except Unavailable:
            return Busy("This server has too much to do.", self._ports.now() + _SANDBOX_WAIT)
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
        return AskedSource(step_of_outcome(spec, outcome, self._since(started), stored=False), outcome.facts)

    def _left(self, question: Question) -> float:
        return max(0.0, (question.deadline - self._ports.now()).total_seconds())

    def _since(self, start: datetime) -> float:
        return (self._ports.now() - start).total_seconds()


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
    return Found(facts, answer.note, answer.units, answer.provider_ref)
