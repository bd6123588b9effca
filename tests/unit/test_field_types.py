"""A value becomes of its field's type, from JSON, a form or a cell; what does not fit is refused with a remedy."""

from uuid import UUID

import pytest

from leadflood.kernel.field_types import AllowedValues, FieldType, FieldValue, Option, parse_value, shown_value
from leadflood.kernel.text import InvalidValue

ADA = UUID("0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5")
ALLOWED = AllowedValues(
    (Option("pro", "Pro plan"), Option("free", "Free"), Option("a; b", "A; B")),
    {str(ADA): ADA, "ada@acme.com": ADA},
)
FITTING: list[tuple[str, object, FieldValue | None]] = [
    ("text", " a\r\nb ", "a\nb"),
    ("text", 12, "12"),
    ("text", True, "true"),
    ("text", "  ", None),
    ("number", 12, 12),
    ("number", 12.0, 12),
    ("number", "12", 12),
    ("number", " 12,5 ", 12.5),
    ("number", "1.5", 1.5),
    ("number", "1,200", 1200),
    ("number", "1,200.50", 1200.5),
    ("number", "1.200,50", 1200.5),
    ("number", "1.200.000", 1200000),
    ("number", "0,125", 0.125),
    ("number", "1 200", 1200),
    ("number", "-3e2", -300),
    ("date", "2026-03-01", "2026-03-01"),
    ("date", "2026-03-01T23:30:00Z", "2026-03-01"),
    ("date", "2026-03-01 00:00:00", "2026-03-01"),
    ("date", "2026/03/01", "2026-03-01"),
    ("date", "20260301", "2026-03-01"),
    ("date", "1.3.2026", "2026-03-01"),
    ("date", "31/12/2026", "2026-12-31"),
    ("date", "12/31/2026", "2026-12-31"),
    ("date", "4/4/2026", "2026-04-04"),
    ("date", "1 Mar 2026", "2026-03-01"),
    ("date", "March 1st, 2026", "2026-03-01"),
    ("boolean", True, True),
    ("boolean", "Yes", True),
    ("boolean", "nein", False),
    ("boolean", 0, False),
    ("choice", "pro", "pro"),
    ("choice", "PRO PLAN", "pro"),
    ("multi_choice", ["Free", "pro", "free"], ["free", "pro"]),
    ("multi_choice", "pro; Free", ["pro", "free"]),
    ("multi_choice", "A; B", ["a; b"]),
    ("multi_choice", [], None),
    ("url", "ACME.com/a", "https://acme.com/a"),
    ("person", "Ada@acme.com", str(ADA)),
    ("person", str(ADA), str(ADA)),
    ("person", None, None),
]
MISFITS: list[tuple[str, object]] = [
    ("text", ["a"]),
    ("text", "a" * 2001),
    ("number", True),
    ("number", "twelve"),
    ("number", "12 apples"),
    ("number", "nan"),
    ("number", "1e999"),
    ("number", 2**53),
    ("number", [1]),
    ("date", "03/04/2026"),
    ("date", "31.02.2026"),
    ("date", "2026-13-01"),
    ("date", "1 Foo 2026"),
    ("date", 20260301),
    ("boolean", "maybe"),
    ("boolean", 2),
    ("choice", "gold"),
    ("choice", 1),
    ("multi_choice", "pro; gold"),
    ("multi_choice", [1]),
    ("url", "ftp://acme.com"),
    ("person", "eve@acme.com"),
]


@pytest.mark.parametrize(("kind", "given", "stored"), FITTING)
def test_a_value_that_fits_has_one_stored_form(kind: str, given: object, stored: FieldValue | None) -> None:
    parsed = parse_value(FieldType(kind), given, ALLOWED)

    assert parsed == stored
    assert type(parsed) is type(stored)
    assert parse_value(FieldType(kind), parsed, ALLOWED) == stored


@pytest.mark.parametrize(("kind", "given"), MISFITS)
def test_a_value_that_does_not_fit_is_refused_with_a_remedy(kind: str, given: object) -> None:
    with pytest.raises(InvalidValue, match=r"^(Must be|Maximum|Enter|Contains)"):
        parse_value(FieldType(kind), given, ALLOWED)


def test_people_read_labels_and_names() -> None:
    assert shown_value("pro", ALLOWED.options) == "Pro plan"
    assert shown_value(["pro", "free"], ALLOWED.options) == "Pro plan; Free"
    assert shown_value(True) == "Yes"
    assert shown_value(str(ADA), people={str(ADA): "Ada"}) == "Ada"
