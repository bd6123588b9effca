"""Patterns of digits find the same in texts of all scripts."""

import pytest

from leadflood.domains.enrichment.sources.website.digits import DIGIT, DigitPattern


@pytest.mark.parametrize("text", ["call 030 901820 now", "rufen Sie 030 901820 für Preise", "٠٣٠ ٩٠١٨٢٠", "none"])
@pytest.mark.parametrize("pattern", [r"\d", r"\d{3}", r"[\d+(][\d ]{4,}\d"])
def test_both_forms_of_a_pattern_find_the_same(text: str, pattern: str) -> None:
    found = [match[0] for match in DigitPattern(pattern).for_text(text).finditer(text)]
    widened = text + "\N{SNOWMAN}"

    assert [match[0] for match in DigitPattern(pattern).for_text(widened).finditer(widened)] == found


def test_digits_of_other_scripts_are_digits() -> None:
    assert DIGIT.for_text("٣").search("٣")
    assert not DIGIT.for_text("three").search("three")
