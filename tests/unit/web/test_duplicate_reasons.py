"""Reasons of a pair: the labels of fields as the team wrote them, and their names otherwise."""

from datetime import UTC, datetime

import pytest

from leadflood.domains.duplicates.contracts import DuplicateView, ReasonView
from leadflood.domains.duplicates.models import CandidateStatus, ReasonKind
from leadflood.kernel.ids import new_id
from leadflood.web.pages.duplicates_presenter import shown_reasons

NOW = datetime(2026, 3, 1, tzinfo=UTC)


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
    pair = DuplicateView(
        id=new_id(), score=99, reasons=[reason], status=CandidateStatus.OPEN, leads=[], created_at=NOW, updated_at=NOW
    )
    labels = {"customFields.umsatz": "Umsatz (EUR)", "customFields.plz_ort": "PLZ / Ort"}

    assert [shown.text for shown in shown_reasons(pair, labels)] == [text]
