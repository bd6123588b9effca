"""Job titles in ten languages."""

import pytest

from leadflood.kernel.job_titles import functions, seniorities, title_meaning

TITLES: tuple[tuple[str, str | None, str | None], ...] = (
    ("CEO", "c_level", "executive"),
    ("Chief Marketing Officer", "c_level", "marketing"),
    ("VP Sales", "vp", "sales"),
    ("Vice President of Engineering", "vp", "engineering"),
    ("Head of Marketing", "head", "marketing"),
    ("Sales Manager", "manager", "sales"),
    ("Senior Software Engineer", "senior", "engineering"),
    ("Executive Assistant to the CEO", "junior", "administration"),
    ("Assistant Manager", "junior", None),
    ("Managing Director", "c_level", "executive"),
    ("Director of Product", "director", "product"),
    ("Product Owner", "manager", "product"),
    ("Founder & CEO", "founder", "executive"),
    ("Working Student HR", "intern", "human_resources"),
    ("Head of Sales Operations", "head", "operations"),
    ("Data Scientist", None, "data"),
    ("Accountant", None, "finance"),
    ("Geschäftsführer", "c_level", "executive"),
    ("Vertriebsleiter", "head", "sales"),
    ("Leiter Einkauf", "head", "procurement"),
    ("Leiter:in Personal", "head", "human_resources"),
    ("Teamleiterin Buchhaltung", "manager", "finance"),
    ("Assistenz der Geschäftsführung", "junior", "administration"),
    ("Softwareentwickler", None, "engineering"),
    ("Werkstudent Marketing", "intern", "marketing"),
    ("IT-Leiter", "head", "it"),
    ("Prokurist", "director", None),
    ("Inhaberin", "owner", "executive"),
    ("Directeur Général", "c_level", "executive"),
    ("Directrice des ventes", "director", "sales"),
    ("Responsable RH", "head", "human_resources"),
    ("Chef de projet", "manager", "operations"),
    ("Développeur web", None, "engineering"),
    ("Stagiaire communication", "intern", "communications"),
    ("Gérant", "c_level", "executive"),
    ("Director Comercial", "director", "sales"),
    ("Jefe de Compras", "head", "procurement"),
    ("Consejero Delegado", "c_level", "executive"),
    ("Becario de Marketing", "intern", "marketing"),
    ("Responsable de Recursos Humanos", "head", "human_resources"),
    ("Amministratore Delegato", "c_level", "executive"),
    ("Direttore Vendite", "director", "sales"),
    ("Responsabile Acquisti", "head", "procurement"),
    ("Titolare", "owner", "executive"),
    ("Hoofd Inkoop", "head", "procurement"),
    ("Algemeen Directeur", "c_level", "executive"),
    ("Verkoopleider", "manager", "sales"),
    ("Boekhouder", None, "finance"),
    ("Diretor Financeiro", "director", "finance"),
    ("Gerente de Vendas", "manager", "sales"),
    ("Estagiário de TI", "intern", "it"),
    ("VD", "c_level", "executive"),
    ("Försäljningschef", "head", "sales"),
    ("Ekonomichef", "head", "finance"),
    ("Salgsdirektør", "director", "sales"),
    ("Daglig leder", "c_level", "executive"),
    ("Systemutvecklare", None, "it"),
    ("Prezes Zarządu", "c_level", "executive"),
    ("Dyrektor Finansowy", "director", "finance"),
    ("Kierownik Sprzedaży", "head", "sales"),
    ("Programista", None, "engineering"),
    ("Toimitusjohtaja", "c_level", "executive"),
    ("Myyntipäällikkö", "head", "sales"),
    ("Talousjohtaja", "director", "finance"),
    ("", None, None),
    ("👩‍💻", None, None),
    ("Ninja", None, None),
)


def test_titles_have_their_seniority_and_function() -> None:
    found = [(title, *_meaning(title)) for title, _, _ in TITLES]

    assert found == [*TITLES]


def _meaning(title: str) -> tuple[str | None, str | None]:
    meaning = title_meaning(title)
    return meaning.seniority, meaning.function


@pytest.mark.parametrize("title", ["", " ", "\x00", "x" * 100_000, "ceo " * 50_000, "\u0301" * 1000, "\ud800"])
def test_any_text_is_read(title: str) -> None:
    meaning = title_meaning(title)

    assert meaning.seniority in {None, *seniorities()}
    assert meaning.function in {None, *functions()}


def test_the_words_that_decided_are_shown() -> None:
    meaning = title_meaning("Leiterin Vertrieb & Marketing")

    assert (meaning.seniority_word, meaning.function_word) == ("leiterin", "vertrieb")
