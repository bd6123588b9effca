"""Job titles that a provider sends in lower case."""

import pytest

from leadflood.domains.enrichment.sources.people_data_labs.titles import spelled_title


@pytest.mark.parametrize(
    ("title", "spelled"),
    [
        ("head of sales", "Head of Sales"),
        ("ceo", "CEO"),
        ("co-founder & ceo", "Co-Founder & CEO"),
        ("vp of sales, emea", "VP of Sales, EMEA"),
        ("it/hr manager", "IT/HR Manager"),
        ("director of it (uk)", "Director of IT (UK)"),
        ("head of r&d and e-commerce", "Head of R&D and E-Commerce"),
        ("e-commerce manager", "E-Commerce Manager"),
        ("gerente de ventas y marketing", "Gerente de Ventas y Marketing"),
        ("editor-in-chief", "Editor-in-Chief"),
        ("sr. .net developer ii", "Sr. .NET Developer II"),
        ("c++ engineer, ci/cd", "C++ Engineer, CI/CD"),
        ("the founder's assistant", "The Founder's Assistant"),
        ("leiter für vertrieb", "Leiter für Vertrieb"),
        ("über-developer", "Über-Developer"),
        ("генеральный директор", "Генеральный Директор"),
        ("VP of sales", "VP of sales"),
        ("Head of sales", "Head of sales"),
        ("CEO", "CEO"),
        ("最高経営責任者", "最高経営責任者"),
        ("42", "42"),
        ("", ""),
    ],
)
def test_a_title_in_lower_case_gets_its_capitals_and_any_other_is_left(title: str, spelled: str) -> None:
    assert spelled_title(title) == spelled
