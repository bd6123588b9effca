"""Reasons of a pair: the labels of fields as the team wrote them, and their names otherwise."""

import pytest

from leadflood.domains.duplicates.contracts import DuplicateView, ReasonView
from leadflood.domains.duplicates.models import ReasonKind
from leadflood.web.pages.duplicates_presenter import shown_reasons


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("customFields.umsatz", "Same Umsatz (EUR)"),
        ("customFields.plz_ort", "Same PLZ / Ort"),
        ("customFields.unknown", "Same unknown"),
        ("jobTitle", "Same job title"),
    ],
)
def test_a_reason_has_the_label_of_its_field(field: str, text: str) -> None:
    reason = ReasonView(kind=ReasonKind.SIMILAR_FIELD, similarity=1.0, field=field)
    pair = DuplicateView.model_construct(reasons=[reason])
    labels = {"customFields.umsatz": "Umsatz (EUR)", "customFields.plz_ort": "PLZ / Ort"}

    assert [shown.text for shown in shown_reasons(pair, labels)] == [text]
