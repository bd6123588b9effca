"""Runs: wave after wave of sources, until every wanted field is satisfied, no source is left, or the time is over."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from leadflood.domains.enrichment.engine.asking import AskedSource, Asking
from leadflood.domains.enrichment.engine.ports import EnginePorts
from leadflood.domains.enrichment.models.breakers import Breaker
from leadflood.domains.enrichment.models.choosing import ChosenFact, FactCandidate, choose_all
from leadflood.domains.enrichment.models.fact_fields import FactField, FactValue, SubjectKind
from leadflood.domains.enrichment.models.planning import (
    PlanState,
    SkipKind,
    is_paid,
    needs_sentence,
    next_wave,
    skipped,
    unsatisfied,
)
from leadflood.domains.enrichment.models.questions import KnownFact, Question, meets
from leadflood.domains.enrichment.models.read_pages import ReadPage
from leadflood.domains.enrichment.models.runs import RunRequest, RunResult, Step, StepState, run_state
from leadflood.domains.enrichment.models.sources import Source
from leadflood.domains.enrichment.models.worth import FoundValues, RunProgress
from leadflood.kernel.tasks import task_group


class Engine:
    """Runs the sources that it is given."""

    def __init__(
        self, sources: Sequence[Source], ports: EnginePorts, slots: dict[str, asyncio.Semaphore] | None = None
    ) -> None:
        """Args: slots: for concurrent calls of each source, if other engines of this process share them."""
        self._sources = {source.spec.name: source for source in sources}
        self._ports = ports
        self._asking = Asking(ports, slots)

    def fields_of(self, subject: SubjectKind) -> frozenset[FactField]:
        """The fields that the sources can find about a kind of subject."""
        specs = [source.spec for source in self._sources.values() if source.spec.subject is subject]
        return frozenset().union(*(spec.gives for spec in specs))

    async def run(self, request: RunRequest, report: Callable[[Step], None] = lambda _: None) -> RunResult:
        """Find what is wanted. What a source found counts, whatever becomes of the others.

        Args:
            request: what to find.
            report: called with each step as it ends.

        Raises: leadflood.kernel.text.InvalidValue: a given value is none of its field. What the ports raise.
        """
        run = _Run(request, [*self._sources.values()], self._ports.now())
        plan = run.plan(self._ports.now(), await self._ports.breakers.all())
        for _ in self._sources:  # a wave asks at least one that was not asked before
            plan = run.without_pointless(plan)
            wave = next_wave(plan)
            if not wave:
                break
            question = run.question(plan.now)
            calls = [
                self._asking.ask(self._sources[spec.name], question, newer_than=request.newer_than) for spec in wave
            ]
            run.add(await _together(calls, lambda asked: report(asked.step)), self._ports.now())
            plan = run.plan(self._ports.now(), await self._ports.breakers.all())
        return run.result(plan)

    async def test(self, request: RunRequest) -> AskedSource:
        """Ask the only source, also for what is known already. Raises: as `run`."""
        (source,) = self._sources.values()
        run = _Run(request, [source], self._ports.now())
        question = run.question(self._ports.now())
        if meets(source.spec.needs, question.known):
            return await self._asking.ask(source, question, newer_than=None)
        return AskedSource(Step(source.spec.name, source.spec.label, StepState.SKIPPED, needs_sentence(source.spec)))


class _Run:
    """The state of one run."""

    def __init__(self, request: RunRequest, sources: Sequence[Source], started: datetime) -> None:
        self._request = request
        self._specs = [source.spec for source in sources if source.spec.subject is request.subject]
        self._families = {spec.name: spec.family for spec in self._specs}
        self._started = started
        self._deadline = started + request.time_limit
        self._given = {field: _given(field, value) for field, value in request.given.items()}
        self._candidates = list(request.stored)
        self._recent = [one for one in request.stored if self._is_recent(one)]
        self._steps: list[Step] = []
        self._pages: list[ReadPage] = []
        self._choose(started)

    def plan(self, now: datetime, breakers: Mapping[str, Breaker]) -> PlanState:
        """The state as the planner sees it."""
        return PlanState(
            specs=self._specs,
            wanted=self._request.wanted,
            known=self._known,
            given=frozenset(self._given),
            chosen=self._chosen if self._request.newer_than is None else self._chosen_of(self._recent, now),
            asked={step.source for step in self._steps},
            policy=self._request.policy,
            now=now,
            deadline=self._deadline,
            breakers=breakers,
            has_pages=bool(self._pages),
        )

    def without_pointless(self, plan: PlanState) -> PlanState:
        """The same without the next paid sources whose answers could change nothing."""
        worth, pointless = self._request.worth, {}
        while worth is not None:
            wave = next_wave(plan)
            if not wave or not is_paid(wave[0]):
                break
            reason = worth.why_not(wave[0], plan.given, RunProgress(_values(self._chosen), unsatisfied(plan)))
            if reason is None:
                break
            pointless[wave[0].name] = reason
            plan = replace(plan, pointless=dict(pointless))
        return plan

    def question(self, now: datetime) -> Question:
        """The question to each source of a wave."""
        request, pages = self._request, tuple(self._pages)
        return Question(request.subject, self._known, request.wanted, now, self._deadline, pages=pages)

    def add(self, answers: Sequence[AskedSource], now: datetime) -> None:
        """Take the answers of a wave into account."""
        for asked in answers:
            self._steps.append(asked.step)
            family = self._families[asked.step.source]
            found = [FactCandidate(fact, asked.step.source, family) for fact in asked.facts]
            self._candidates += found
            self._recent += found
            self._pages += asked.pages
        self._choose(now)

    def result(self, plan: PlanState) -> RunResult:
        """The result, with the sources that were not asked."""
        labels = {spec.name: spec.label for spec in self._specs}
        avoided = _avoided(plan)
        unasked = [
            Step(
                name,
                labels[name],
                StepState.SKIPPED,
                why.sentence,
                until=why.until,
                avoided=why.kind is SkipKind.POINTLESS,
                avoided_units=avoided.get(name, 0),
            )
            for name, why in sorted(skipped(plan).items())
        ]
        steps = (*self._steps, *unasked)
        seconds = (plan.now - self._started).total_seconds()
        return RunResult(run_state(self._chosen, steps), self._chosen, steps, seconds)

    def _choose(self, now: datetime) -> None:
        self._chosen = self._chosen_of(self._candidates, now)
        found = {field: [_known(value) for value in values] for field, values in self._chosen.items()}
        self._known: dict[FactField, Sequence[KnownFact]] = {**found, **self._given}

    def _chosen_of(self, candidates: Sequence[FactCandidate], now: datetime) -> dict[FactField, tuple[ChosenFact, ...]]:
        return choose_all(candidates, now=now, policy=self._request.policy)

    def _is_recent(self, stored: FactCandidate) -> bool:
        """Whether a stored value need not be asked for again."""
        newer_than = self._request.newer_than
        return newer_than is None or stored.fact.receipt.observed_at >= newer_than


def _values(chosen: Mapping[FactField, Sequence[ChosenFact]]) -> FoundValues:
    return {
        field: frozenset(str(each.best.fact.value) for each in values) if field.multiple else values[0].best.fact.value
        for field, values in chosen.items()
        if values
    }


def _avoided(plan: PlanState) -> dict[str, int]:
    """Units that were not purchased, by source, if each source would have found all that it can.

    A pointless source is left out whose fields earlier ones would have found: it would not have been asked.
    """
    left, units = unsatisfied(plan), {}
    specs = {spec.name: spec for spec in plan.specs}
    for name in plan.pointless:
        if left & specs[name].gives:
            units[name] = specs[name].most_units
            left -= specs[name].gives
    return units


def _given(field: FactField, value: FactValue) -> list[KnownFact]:
    stored = field.normalise(value)
    return [KnownFact(stored, 1.0, field.compare(stored))]


def _known(chosen: ChosenFact) -> KnownFact:
    fact = chosen.best.fact
    return KnownFact(fact.value, chosen.confidence, fact.key)


async def _together(
    calls: Sequence[Coroutine[Any, Any, AskedSource]], ended: Callable[[AskedSource], None]
) -> list[AskedSource]:
    """The answers, in the order of the calls. The first error ends all of them, and is raised as it is."""

    async def reported(call: Coroutine[Any, Any, AskedSource]) -> AskedSource:
        asked = await call
        ended(asked)
        return asked

    async with task_group() as group:
        tasks = [group.create_task(reported(call)) for call in calls]
    return [task.result() for task in tasks]
