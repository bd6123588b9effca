"""Which sources are asked next."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from leadflood.domains.enrichment.models import Charge, FactField, SourceSpec, Speed
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models.breakers import Breaker
from leadflood.domains.enrichment.models.choosing import FactCandidate, choose_all
from leadflood.domains.enrichment.models.planning import PlanState, SkipKind, next_wave, skipped, unsatisfied
from leadflood.domains.enrichment.models.policies import Policy
from leadflood.domains.enrichment.models.questions import KnownFact
from tests.support.asked_sources import fact, spec_of
from tests.support.canned_web import NOW

DOMAIN = {company.DOMAIN: [KnownFact("acme.com", 1.0, "acme.com")]}
GUESS = spec_of("guess", company.NAME, speed=Speed.INSTANT)
WEBSITE = spec_of("website", company.NAME, company.LEI, company.PHONE)
DNS = spec_of("dns", company.MAIL_PROVIDER)
GLEIF = spec_of("gleif", company.LEGAL_NAME, company.NAME, needs=(frozenset({company.LEI}),))
HUNTER = spec_of("hunter", company.NAME, company.EMPLOYEES, speed=Speed.PAID, charges=Charge.ON_HIT)
PDL = spec_of("pdl", company.EMPLOYEES, company.FOUNDED, speed=Speed.PAID, charges=Charge.ON_CALL)
POLICY = Policy(order=("guess", "website", "gleif", "dns", "hunter", "pdl"))


def plan(
    *wanted: FactField,
    specs: Sequence[SourceSpec] = (GUESS, WEBSITE, DNS, GLEIF, HUNTER, PDL),
    known: Mapping[FactField, Sequence[KnownFact]] = DOMAIN,
    found: Sequence[FactCandidate] = (),
    given: frozenset[FactField] = frozenset(),
    asked: Sequence[str] = (),
    policy: Policy = POLICY,
    breakers: Mapping[str, Breaker] | None = None,
    seconds: float = 30,
) -> PlanState:
    return PlanState(
        specs=specs,
        wanted=frozenset(wanted),
        known=known,
        given=given,
        chosen=choose_all(found, now=NOW, policy=policy),
        asked=asked,
        policy=policy,
        now=NOW,
        deadline=NOW + timedelta(seconds=seconds),
        breakers=breakers or {},
    )


def names(state: PlanState) -> list[str]:
    return [spec.name for spec in next_wave(state)]


def test_sources_that_do_not_wait_come_first_then_the_free_ones_together() -> None:
    wanted = (company.NAME, company.MAIL_PROVIDER, company.EMPLOYEES)

    assert names(plan(*wanted)) == ["guess"]
    assert names(plan(*wanted, asked=["guess"])) == ["website", "dns"]


def test_a_paid_source_is_asked_alone_and_only_when_no_free_one_is_left() -> None:
    wanted = (company.NAME, company.EMPLOYEES, company.FOUNDED)

    assert names(plan(*wanted, asked=["guess"])) == ["website"]
    assert names(plan(*wanted, asked=["guess", "website"])) == ["hunter"]
    assert names(plan(*wanted, asked=["guess", "website", "hunter"])) == ["pdl"]


def test_it_stops_when_every_field_is_satisfied() -> None:
    sure = [FactCandidate(fact("Acme", 0.9), "guess", "guess")]
    unsure = [FactCandidate(fact("Acme", 0.7), "guess", "guess")]

    assert names(plan(company.NAME, found=sure, asked=["guess"])) == []
    assert names(plan(company.NAME, found=unsure, asked=["guess"])) == ["website"]
    strict = Policy(order=POLICY.order, satisfied={company.NAME: 0.95})
    assert names(plan(company.NAME, found=sure, asked=["guess"], policy=strict)) == ["website"]


def test_no_source_is_asked_twice() -> None:
    assert names(plan(company.NAME, company.MAIL_PROVIDER, asked=("guess", "website"))) == ["dns"]
    assert names(plan(company.MAIL_PROVIDER, asked=("dns",))) == []


def test_a_field_that_a_person_filled_in_needs_no_source() -> None:
    state = plan(company.NAME, given=frozenset({company.NAME}))

    assert names(state) == []
    assert skipped(state)["website"].kind is SkipKind.SATISFIED


def test_a_source_waits_until_what_it_needs_is_known() -> None:
    state = plan(company.LEGAL_NAME)
    with_lei = {**DOMAIN, company.LEI: [KnownFact("X", 0.9, "X")]}

    assert names(state) == []
    assert skipped(state)["gleif"].sentence == "It needs LEI, which is not known."
    assert names(plan(company.LEGAL_NAME, known=with_lei)) == ["gleif"]


def test_a_source_that_is_down_is_passed_over_with_its_reason() -> None:
    down = {"website": Breaker(open_until=NOW + timedelta(minutes=1), reason="Websites cannot be read.")}
    state = plan(company.PHONE, breakers=down)
    back = {"website": Breaker(open_until=NOW - timedelta(minutes=1))}

    assert names(state) == []
    assert skipped(state)["website"].sentence == "Websites cannot be read."
    assert names(plan(company.PHONE, breakers=back)) == ["website"]


def test_nothing_is_asked_after_the_deadline() -> None:
    state = plan(company.NAME, seconds=0)

    assert names(state) == []
    assert skipped(state)["guess"].kind is SkipKind.NO_TIME


def test_a_policy_of_a_field_names_its_sources_in_order() -> None:
    only = Policy(by_field={company.NAME: ("hunter",)})

    assert names(plan(company.NAME, policy=only)) == ["hunter"]
    assert names(plan(company.NAME, policy=only, asked=["hunter"])) == []


FIELDS = (company.NAME, company.LEGAL_NAME, company.PHONE, company.LEI, company.CITY)
_specs = st.lists(
    st.builds(
        lambda name, gives, needs, speed: spec_of(
            name,
            *gives,
            needs=needs,
            speed=speed,
            charges=Charge.ON_HIT if speed is Speed.PAID else Charge.NEVER,
        ),
        st.sampled_from(["a", "b", "c", "d", "e", "f"]),
        st.sets(st.sampled_from(FIELDS), min_size=1),
        st.lists(st.frozensets(st.sampled_from([company.DOMAIN, *FIELDS]), max_size=2), min_size=1, max_size=2),
        st.sampled_from([Speed.INSTANT, Speed.NETWORK, Speed.PAID]),
    ),
    unique_by=lambda spec: spec.name,
    max_size=6,
)
_answers = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d", "e", "f"]), st.sampled_from([0.0, 0.4, 0.7, 0.9]), max_size=6
)
_VALUES = {company.LEI: "5493001KJTIIGC8Y1R12", company.PHONE: "+442079460958"}


@given(_specs, st.frozensets(st.sampled_from(FIELDS)), _answers)
def test_a_run_ends_and_never_asks_for_a_satisfied_field(
    specs: list[SourceSpec], wanted: frozenset[FactField], confidences: dict[str, float]
) -> None:
    found: list[FactCandidate] = []
    asked: list[str] = []
    for _ in range(len(specs) + 1):
        chosen = choose_all(found, now=NOW, policy=POLICY)
        known = {**DOMAIN, **{each: [KnownFact("x", 0.5, "x")] for each in chosen}}
        state = plan(*wanted, specs=specs, known=known, found=found, asked=asked)
        wave = next_wave(state)
        if not wave:
            break
        for spec in wave:
            assert spec.name not in asked
            assert spec.gives & unsatisfied(state)
            assert any(needed <= known.keys() for needed in spec.needs)
            asked.append(spec.name)
            confidence = confidences.get(spec.name, 0.0)
            if confidence:
                found += [
                    FactCandidate(fact(_VALUES.get(each, "x"), confidence, of=each), spec.name, spec.family)
                    for each in spec.gives
                ]
        paid = [spec for spec in wave if spec.charges is not Charge.NEVER]
        assert not paid or len(wave) == 1
    else:
        raise AssertionError("the run did not end")
    assert set(asked) | skipped(state).keys() == {spec.name for spec in specs}
