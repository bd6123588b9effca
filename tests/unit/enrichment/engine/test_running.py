"""Runs of the engine, with scripted sources and a clock that sleeping moves."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from leadflood.domains.enrichment.engine.memory import MemoryBreakers, MemoryFingerprints, MemoryLookups, MemoryRates
from leadflood.domains.enrichment.engine.ports import EnginePorts
from leadflood.domains.enrichment.engine.running import Engine
from leadflood.domains.enrichment.models import (
    Answer,
    Away,
    Busy,
    FactField,
    FactValue,
    Fetcher,
    KeyRejected,
    Objected,
    OutOfCredits,
    Question,
    Rate,
    Refused,
    Source,
    Speed,
    SubjectKind,
    Ticket,
)
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models.choosing import FactCandidate
from leadflood.domains.enrichment.models.policies import Policy
from leadflood.domains.enrichment.models.runs import RunRequest, RunResult, RunState, Step, StepState
from leadflood.kernel.door.errors import LookupFailed, NameNotFound, RobotsRefused
from leadflood.kernel.errors import AppError, Unavailable
from leadflood.kernel.text import InvalidValue
from tests.support.asked_sources import NOTHING, FakeClock, ScriptedSource, fact, finds, spec_of
from tests.support.canned_web import NOW, CannedFetcher

WANTED = frozenset({company.NAME, company.PHONE, company.LEGAL_NAME})
PHONE = fact("+442079460958", of=company.PHONE)


@dataclass
class Bench:
    """An engine whose sources a test gives, with everything else in memory."""

    clock: FakeClock = field(default_factory=FakeClock)
    lookups: MemoryLookups = field(default_factory=MemoryLookups)
    breakers: MemoryBreakers = field(default_factory=MemoryBreakers)
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ports = EnginePorts(
            self.lookups,
            MemoryRates(),
            self.breakers,
            CannedFetcher(),
            MemoryFingerprints().hash,
            self.clock.now,
            self.clock.sleep,
        )

    async def run(
        self,
        *sources: Source,
        given: Mapping[FactField, FactValue] | None = None,
        wanted: frozenset[FactField] = WANTED,
        fresh: bool = False,
        stored: tuple[FactCandidate, ...] = (),
        seconds: float = 45,
    ) -> RunResult:
        request = RunRequest(
            SubjectKind.COMPANY,
            {company.DOMAIN: "acme.com"} if given is None else given,
            wanted,
            Policy(),
            timedelta(seconds=seconds),
            newer_than=NOW + timedelta(days=1) if fresh else None,
            stored=stored,
        )
        return await Engine(sources, self.ports).run(request, self.steps.append)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def website(*answers: Answer | Exception) -> ScriptedSource:
    return ScriptedSource(spec_of("website", company.NAME, company.PHONE, one_service=False), answers)


def register(*answers: Answer | Exception, rate: Rate | None = None) -> ScriptedSource:
    needs = (frozenset({company.NAME}),)
    return ScriptedSource(spec_of("register", company.LEGAL_NAME, needs=needs, rate=rate), answers)


async def test_later_waves_read_what_earlier_ones_found(bench: Bench) -> None:
    site = website(finds(fact("Acme"), PHONE))
    record = register(finds(fact("Acme Inc.", of=company.LEGAL_NAME)))

    result = await bench.run(site, record)

    assert result.state is RunState.COMPLETED
    assert {each.name: values[0].best.fact.value for each, values in result.chosen.items()} == {
        "name": "Acme",
        "phone": "+442079460958",
        "legal_name": "Acme Inc.",
    }
    assert record.questions[0].text(company.NAME) == "Acme"
    assert [step.source for step in bench.steps] == ["website", "register"]
    assert [step.sentence for step in result.steps] == ["Found 2 values.", "Found 1 value."]


async def test_a_given_value_wins_is_read_and_is_not_asked_for(bench: Bench) -> None:
    site, record = website(finds(fact("Emca"))), register(NOTHING)

    result = await bench.run(
        site, record, given={company.DOMAIN: "acme.com", company.NAME: "Acme", company.PHONE: "+442079460958"}
    )

    assert not site.questions
    assert record.questions[0].text(company.NAME) == "Acme"
    assert (result.state, [step.state for step in result.steps]) == (
        RunState.NOTHING,
        [StepState.MISSED, StepState.SKIPPED],
    )
    with pytest.raises(InvalidValue):
        await bench.run(site, given={company.DOMAIN: "no domain"})


async def test_sources_read_the_given_value_and_not_a_found_one(bench: Bench) -> None:
    site = website(finds(fact("Emca"), PHONE))
    record = ScriptedSource(spec_of("register", company.LEGAL_NAME, needs=(frozenset({company.PHONE}),)), [NOTHING])

    await bench.run(site, record, given={company.DOMAIN: "acme.com", company.NAME: "Acme"})

    assert record.questions[0].text(company.NAME) == "Acme"


FAULT = "It could not be asked because of an error in LEAD-FLOOD, which is in the log."
FAILURES = [
    (Away("acme.com did not answer."), StepState.AWAY, "acme.com did not answer."),
    (Refused("acme.com refuses."), StepState.REFUSED, "acme.com refuses."),
    (Objected("The person objected."), StepState.REFUSED, "The person objected."),
    (KeyRejected("The key is wrong."), StepState.FAILED, "The key is wrong."),
    (OutOfCredits("No credits are left."), StepState.WAITING, "No credits are left."),
    (Busy("Later.", NOW + timedelta(hours=1)), StepState.WAITING, "Later."),
    (NameNotFound("acme.com does not exist."), StepState.REFUSED, "acme.com does not exist."),
    (RobotsRefused("acme.com does not want robots."), StepState.REFUSED, "acme.com does not want robots."),
    (LookupFailed("acme.com could not be looked up."), StepState.AWAY, "acme.com could not be looked up."),
    (TimeoutError(), StepState.AWAY, "Website took too long and was stopped."),
    (Unavailable("full"), StepState.WAITING, "This server has too much to do."),
    (ZeroDivisionError(), StepState.FAILED, FAULT),
]


@pytest.mark.parametrize(("error", "state", "sentence"), FAILURES, ids=lambda value: type(value).__name__)
async def test_a_failing_source_takes_nothing_from_the_others(
    bench: Bench, error: Exception, state: StepState, sentence: str
) -> None:
    other = ScriptedSource(spec_of("dns", company.NAME), [finds(fact("Acme"))])

    alone = await bench.run(website(error), wanted=frozenset({company.PHONE}), seconds=3)
    result = await Bench().run(website(error), other, wanted=frozenset({company.NAME, company.PHONE}), seconds=3)

    assert (alone.state, alone.steps[0].state, alone.steps[0].sentence) == (RunState.FAILED, state, sentence)
    assert result.state is RunState.PARTIAL
    assert result.chosen[company.NAME][0].best.fact.value == "Acme"


async def test_an_error_of_the_ports_ends_the_run(bench: Bench) -> None:
    with pytest.raises(AppError, match="on hold"):
        await bench.run(website(AppError("Effects are on hold.")))


async def test_an_answer_is_used_again_until_it_expires(bench: Bench) -> None:
    site = website(finds(fact("Acme")))

    await bench.run(site)
    again = await bench.run(site)
    assert (len(site.questions), again.steps[0].stored) == (1, True)

    await bench.run(site, fresh=True)
    assert len(site.questions) == 2
    bench.clock.time += site.spec.ttl_hit * 1.3
    await bench.run(site)
    assert len(site.questions) == 3


@pytest.mark.parametrize(
    ("answer", "days"), [(NOTHING, 30), (Refused("No.", timedelta(days=7)), 7), (Refused("No."), 30)]
)
async def test_misses_and_refusals_are_not_asked_again_either(
    bench: Bench, answer: Answer | Exception, days: float
) -> None:
    site = website(answer)
    for asked_after, times in ((0, 1), (days - 0.1, 1), (0.2, 2)):
        bench.clock.time += timedelta(days=asked_after)
        await bench.run(site)
        assert len(site.questions) == times


async def test_a_website_that_is_away_is_asked_again_less_and_less_often(bench: Bench) -> None:
    site = website(Away("acme.com did not answer."))
    times = []
    for _ in range(24 * 10):
        await bench.run(site)
        times.append(len(site.questions))
        bench.clock.time += timedelta(hours=1)

    assert (times[0], times[1], times[2], times[24], times[25], times[-1]) == (1, 2, 2, 2, 3, 4)


async def test_a_service_that_is_down_is_passed_over(bench: Bench) -> None:
    down = ScriptedSource(spec_of("dns", company.NAME), [Away("The register is down.")])
    for name in ("a", "b", "c", "d", "e"):
        await bench.run(down, given={company.DOMAIN: f"{name}.com"})
    result = await bench.run(down, given={company.DOMAIN: "f.com"})

    assert len(down.questions) == 5
    assert (result.steps[0].state, result.steps[0].sentence) == (StepState.SKIPPED, "The register is down.")
    bench.clock.time += timedelta(minutes=1)
    await bench.run(down, given={company.DOMAIN: "a.com"})
    assert len(down.questions) == 6, "its failures are those of the service, and are not kept for a question"


async def test_websites_that_are_away_do_not_stop_the_reading_of_others(bench: Bench) -> None:
    site = website(*[Away("It did not answer.")] * 8, finds(fact("Acme")))
    results = [await bench.run(site, given={company.DOMAIN: f"acme{number}.com"}) for number in range(9)]

    assert results[-1].chosen


async def test_a_busy_source_is_asked_again_within_the_time_and_not_after_it(bench: Bench) -> None:
    soon = website(Busy("In 10 seconds.", NOW + timedelta(seconds=10)), finds(fact("Acme")))
    result = await bench.run(soon)
    assert (len(soon.questions), bench.clock.slept, bool(result.chosen)) == (2, [10], True)

    late = website(Busy("In an hour.", bench.clock.time + timedelta(hours=1)))
    result = await bench.run(late, given={company.DOMAIN: "emca.com"})
    assert (len(late.questions), result.steps[0].until) == (1, bench.clock.time + timedelta(hours=1))

    always = website(Busy("Now.", NOW))
    await bench.run(always, given={company.DOMAIN: "busy.com"})
    assert len(always.questions) == 4


async def test_a_ticket_is_polled_and_never_submitted_again(bench: Bench) -> None:
    soon = Ticket("t1", NOW + timedelta(seconds=20))
    source = website(soon, finds(fact("Acme")))
    assert (await bench.run(source)).chosen
    assert (len(source.questions), source.polled) == (1, [soon])

    late = Ticket("t2", bench.clock.time + timedelta(hours=1))
    source = website(late, finds(fact("Emca")))
    result = await bench.run(source, given={company.DOMAIN: "emca.com"})
    assert (result.steps[0].state, result.steps[0].until) == (StepState.WAITING, late.not_before)
    bench.clock.time += timedelta(hours=1)
    assert (await bench.run(source, given={company.DOMAIN: "emca.com"})).chosen
    assert (len(source.questions), source.polled) == (1, [late])


async def test_calls_keep_to_the_rate_of_a_source(bench: Bench) -> None:
    record = register(NOTHING, rate=Rate(1, 30))
    first = await bench.run(record, given={company.NAME: "Acme"}, wanted=frozenset({company.LEGAL_NAME}))
    second = await bench.run(record, given={company.NAME: "Emca"}, wanted=frozenset({company.LEGAL_NAME}))
    third = await bench.run(record, given={company.NAME: "Cema"}, wanted=frozenset({company.LEGAL_NAME}), seconds=20)

    assert bench.clock.slept == [30]
    assert [each.steps[0].state for each in (first, second, third)] == [
        StepState.MISSED,
        StepState.MISSED,
        StepState.WAITING,
    ]


async def test_a_run_that_must_not_take_long_waits_neither_for_a_rate_nor_for_a_busy_source(bench: Bench) -> None:
    bench.ports = replace(bench.ports, most_wait=5)
    record = register(NOTHING, rate=Rate(1, 30))
    busy = website(Busy("acme.com wants to be asked later.", bench.clock.now() + timedelta(seconds=10)))
    wanted = frozenset({company.LEGAL_NAME, company.PHONE})
    await bench.run(record, given={company.NAME: "Acme"}, wanted=wanted)

    result = await bench.run(record, busy, given={company.NAME: "Emca", company.DOMAIN: "emca.com"}, wanted=wanted)

    assert bench.clock.slept == []
    assert {step.source: step.state for step in result.steps} == dict.fromkeys(
        ("register", "website"), StepState.WAITING
    )


@pytest.mark.parametrize("fresh", [False, True])
async def test_concurrent_runs_ask_the_same_question_once(bench: Bench, fresh: bool) -> None:
    asked = asyncio.Event()
    released = asyncio.Event()

    class Slow(ScriptedSource):
        async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
            asked.set()
            await released.wait()
            return await super().ask(question, fetcher)

    site = Slow(spec_of("website", company.NAME), [finds(fact("Acme"))])
    runs = [asyncio.create_task(bench.run(site, wanted=frozenset({company.NAME}), fresh=fresh)) for _ in range(5)]
    await asked.wait()
    released.set()
    results = await asyncio.gather(*runs)

    assert len(site.questions) == 1
    assert all(result.chosen for result in results)
    assert sum(result.steps[0].stored for result in results) == 4


async def test_a_cancelled_run_leaves_the_question_free(bench: Bench) -> None:
    asked = asyncio.Event()

    class Hanging(ScriptedSource):
        async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError

    hanging = asyncio.create_task(bench.run(Hanging(website(NOTHING).spec, [NOTHING])))
    await asked.wait()
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging

    assert (await bench.run(website(finds(fact("Acme"))))).chosen


async def test_facts_that_a_source_does_not_declare_are_left_out(bench: Bench) -> None:
    result = await bench.run(website(finds(fact("Acme"), fact("Berlin", of=company.CITY))))
    only = await bench.run(website(finds(fact("Berlin", of=company.CITY))), given={company.DOMAIN: "b.com"})

    assert result.chosen.keys() == {company.NAME}
    assert only.steps[0].state is StepState.MISSED


async def test_values_of_earlier_runs_compete_and_are_not_cleared(bench: Bench) -> None:
    earlier = FactCandidate(fact("Acme", 0.7), "website", "website")

    missed = await bench.run(website(NOTHING), stored=(earlier,))
    weaker = await bench.run(website(finds(fact("Emca", 0.5))), stored=(earlier,), given={company.DOMAIN: "b.com"})

    assert missed.chosen[company.NAME][0].best == earlier
    assert weaker.chosen[company.NAME][0].best == earlier


async def test_stored_values_satisfy_a_field_unless_newer_ones_are_wanted(bench: Bench) -> None:
    stored = (FactCandidate(fact("Acme"), "website", "website"),)
    source = ScriptedSource(spec_of("website", company.NAME), [finds(fact("Acme GmbH"))])

    kept = await bench.run(source, stored=stored)
    again = await bench.run(source, stored=stored, fresh=True)

    assert [step.state for step in kept.steps] == [StepState.SKIPPED]
    assert ([step.state for step in again.steps], len(source.questions)) == ([StepState.FOUND], 1)


async def test_an_instant_source_is_neither_stored_nor_waited_for(bench: Bench) -> None:
    guess = ScriptedSource(spec_of("guess", company.NAME, speed=Speed.INSTANT), [finds(fact("Acme", 0.5))])
    site = website(finds(fact("Acme")))

    await bench.run(guess, site)
    result = await bench.run(guess, site)

    assert len(guess.questions) == 2
    assert [step.source for step in result.steps[:2]] == ["guess", "website"]
    assert result.chosen[company.NAME][0].confidence == pytest.approx(0.95)
