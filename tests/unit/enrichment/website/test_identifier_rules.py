"""Words by which most lines are passed over before a pattern is tried."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflood.domains.enrichment.sources.website.identifiers import RULES, VAT_RULES, IdentifierRule
from tests.support.examples import examples


@pytest.mark.parametrize("rule", [*VAT_RULES, *RULES], ids=lambda rule: rule.pattern.pattern[:30])
@examples(15)
@given(data=st.data())
def test_no_text_is_passed_over_that_the_pattern_finds(rule: IdentifierRule, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(rule.pattern, fullmatch=True))

    assert rule.may_fit(text.lower().replace(".", ""))


def test_prose_is_passed_over_by_almost_all_rules() -> None:
    prose = "12 we build machines, deliver spare parts and service plants of all sizes, every day and everywhere"

    assert sum(rule.may_fit(prose) for rule in [*VAT_RULES, *RULES]) <= 4
