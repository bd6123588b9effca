import math

import pytest

from leadflood.domains.enrichment.models import Candidate, Field, FoundValue, best_values


def candidate(adapter: str, field: Field, value: str, confidence: float) -> Candidate:
    return Candidate(adapter, "1", FoundValue(field, value, confidence, "test", "Because."))


def test_the_highest_confidence_wins_each_field() -> None:
    weak, strong = candidate("a", Field.FIRST_NAME, "Ada", 0.4), candidate("b", Field.FIRST_NAME, "Augusta", 0.6)
    other = candidate("a", Field.LAST_NAME, "Lovelace", 0.1)
    assert best_values([weak, other, strong]) == {Field.FIRST_NAME: strong, Field.LAST_NAME: other}


def test_of_equally_sure_values_the_adapter_registered_first_wins() -> None:
    first, second = candidate("a", Field.FIRST_NAME, "Ada", 0.5), candidate("b", Field.FIRST_NAME, "Augusta", 0.5)
    assert best_values([first, second]) == {Field.FIRST_NAME: first}


def test_no_candidates_give_no_values() -> None:
    assert best_values([]) == {}


@pytest.mark.parametrize("confidence", [-0.1, 1.1, math.nan, math.inf])
def test_a_confidence_outside_zero_to_one_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence of first_name"):
        FoundValue(Field.FIRST_NAME, "Ada", confidence, "test", "Because.")


def test_a_negative_cost_is_refused() -> None:
    with pytest.raises(ValueError, match="cost of first_name"):
        FoundValue(Field.FIRST_NAME, "Ada", 0.5, "test", "Because.", cost_micros=-1)
