"""Pages that other sources have read: which lines of them are sent, and when a source is asked that needs them."""

import json
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from leadflood.domains.enrichment.models import Charge, Question, SourceSpec, Speed, SubjectKind
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models.planning import PlanState, next_wave, skipped
from leadflood.domains.enrichment.models.policies import Policy
from leadflood.domains.enrichment.models.questions import KnownFact, question_parts
from leadflood.domains.enrichment.models.read_pages import ReadPage, cut_pages
from tests.support.asked_sources import spec_of
from tests.support.canned_web import NOW

KNOWN = {company.DOMAIN: [KnownFact("acme.com", 1.0, "acme.com")]}
READER = replace(
    spec_of("reader", company.INDUSTRY, company.FOUNDED, speed=Speed.PAID, charges=Charge.ON_CALL),
    reads_pages=True,
    least_seconds=20,
)


def page(*lines: str, url: str = "https://acme.com/") -> ReadPage:
    return ReadPage(url, "\n".join(lines), NOW)


def plan(*, has_pages: bool, seconds: float) -> PlanState:
    until = NOW + timedelta(seconds=seconds)
    wanted = frozenset({company.INDUSTRY})
    return PlanState((READER,), wanted, KNOWN, frozenset(), {}, (), Policy(), NOW, until, has_pages=has_pages)


def parts(spec: SourceSpec, *wanted: object, pages: tuple[ReadPage, ...] = ()) -> list[bytes]:
    return question_parts(spec, Question(SubjectKind.COMPANY, KNOWN, frozenset(wanted), NOW, NOW, pages=pages))  # type: ignore[arg-type]


def test_a_source_that_reads_pages_is_asked_only_where_there_are_some_and_enough_time() -> None:
    assert next_wave(plan(has_pages=True, seconds=20)) == (READER,)
    assert next_wave(plan(has_pages=False, seconds=45)) == ()
    assert next_wave(plan(has_pages=True, seconds=19)) == ()

    assert "Enrich again" in skipped(plan(has_pages=False, seconds=45))["reader"].sentence
    late = skipped(plan(has_pages=True, seconds=19))["reader"]
    assert (late.sentence, late.until) == ("There was no time left for it.", NOW)


def test_another_page_is_the_same_question_and_another_wanted_field_is_not() -> None:
    first = parts(READER, company.INDUSTRY, company.PHONE)

    assert parts(READER, company.INDUSTRY, pages=(page("Another text"),)) == first
    assert parts(READER, company.INDUSTRY, company.FOUNDED) != first
    other = replace(READER, reads_pages=False)
    assert parts(other, company.INDUSTRY) == parts(other, company.FOUNDED)


def test_lines_that_another_page_has_are_left_out_and_each_page_has_its_share() -> None:
    home = page("Menu", "Acme makes tools.", "")
    about = page("Menu", "Founded in 1987.", url="https://acme.com/about")

    assert [each.text for each in cut_pages([home, about], 1000)] == ["Menu\nAcme makes tools.", "Founded in 1987."]
    assert [each.text for each in cut_pages([page("a" * 5000), about], 100)] == ["a" * 48, "Menu\nFounded in 1987."]
    assert cut_pages([page("Menu"), page("Menu")], 100) == [page("Menu")]
    assert cut_pages([home], 0) == []
    assert cut_pages([], 100) == []


@given(st.lists(st.lists(st.text(max_size=60), max_size=8), max_size=4), st.integers(0, 400))
def test_what_is_kept_fits_and_stands_on_its_page(texts: list[list[str]], most: int) -> None:
    pages = [page(*lines) for lines in texts]

    kept = cut_pages(pages, most)

    text = json.dumps([each.text for each in kept], ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert len(text) <= most + len(json.dumps(["" for _ in kept]))
    written = [line for each in pages for line in each.text.split("\n")]
    assert all(any(line.startswith(part) for line in written) for each in kept for part in each.text.split("\n"))
