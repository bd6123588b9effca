"""More exports of common tools in other languages, and forms: each field is recognized."""

import pytest

from tests.support.desk import csv_of
from tests.support.reading import read_file

# By tool and language: delimiter, encoding and columns, each with header, cell, and target if it is a field of leads.
LAYOUTS: dict[str, tuple[str, str, tuple[tuple[str, str, str], ...]]] = {
    "google-de": (
        ",",
        "utf-8",
        (
            ("Vorname", "Ilse", "firstName"),
            ("Nachname", "Brandt", "lastName"),
            ("Organisationsname", "Brandt AG", "company"),
            ("Titel der Organisation", "Leiterin Vertrieb", "jobTitle"),
            ("Abteilung der Organisation", "IT", ""),
            ("Notizen", "auf der Messe", ""),
            ("E-Mail 1 – Label", "* Work", ""),
            ("E-Mail 1 – Wert", "ilse@brandt.example", "email"),
            ("Telefon 1 – Label", "Mobile", ""),
            ("Telefon 1 – Wert", "+49 170 1234567", "phone"),
            ("Adresse 1 – Straße", "Am Markt 1", ""),
            ("Adresse 1 – Land", "Deutschland", "country"),
            ("Website 1 – Label", "Arbeit", ""),
            ("Website 1 – Wert", "brandt.example", "website"),
        ),
    ),
    "google-fr": (
        ",",
        "utf-8",
        (
            ("Prénom", "Ilse", "firstName"),
            ("Nom de famille", "Brandt", "lastName"),
            ("Nom de l'organisation", "Brandt SA", "company"),
            ("Titre de l'organisation", "Directrice des ventes", "jobTitle"),
            ("Service de l'organisation", "IT", ""),
            ("E-mail 1 - Libellé", "* Work", ""),
            ("E-mail 1 - Valeur", "ilse@brandt.example", "email"),
            ("Téléphone 1 - Valeur", "+33 1 23 45 67 89", "phone"),
            ("Adresse 1 - Pays", "France", "country"),
            ("Site Web 1 - Valeur", "brandt.example", "website"),
        ),
    ),
    "google-es": (
        ",",
        "utf-8",
        (
            ("Nombre", "Ilse", "firstName"),
            ("Apellidos", "Brandt", "lastName"),
            ("Cargo de la organización", "Directora de ventas", "jobTitle"),
            ("Departamento de la organización", "IT", ""),
            ("Nombre de la organización", "Brandt SL", "company"),
            ("Correo electrónico 1 - Valor", "ilse@brandt.example", "email"),
            ("Teléfono 1 - Valor", "+34 612 34 56 78", "phone"),
            ("Dirección 1 - País", "España", "country"),
            ("Sitio web 1 - Valor", "brandt.example", "website"),
        ),
    ),
    "google-it": (
        ",",
        "utf-8",
        (
            ("Nome", "Ilse", "firstName"),
            ("Cognome", "Brandt", "lastName"),
            ("Nome organizzazione", "Brandt SpA", "company"),
            ("Qualifica organizzazione", "Direttrice vendite", "jobTitle"),
            ("Reparto organizzazione", "IT", ""),
            ("E-mail 1 - Valore", "ilse@brandt.example", "email"),
            ("Telefono 1 - Valore", "+39 06 698 12345", "phone"),
            ("Indirizzo 1 - Paese", "Italia", "country"),
            ("Sito web 1 - Valore", "brandt.example", "website"),
        ),
    ),
    "google-nl": (
        ",",
        "utf-8",
        (
            ("Voornaam", "Ilse", "firstName"),
            ("Achternaam", "Brandt", "lastName"),
            ("Naam van organisatie", "Brandt BV", "company"),
            ("Functie bij organisatie", "Verkoopleider", "jobTitle"),
            ("E-mail 1 - Waarde", "ilse@brandt.example", "email"),
            ("Adres 1 - Land", "Nederland", "country"),
            ("Website 1 - Waarde", "brandt.example", "website"),
        ),
    ),
    "google-pl": (
        ",",
        "utf-8",
        (
            ("Imię", "Ilse", "firstName"),
            ("Nazwisko", "Brandt", "lastName"),
            ("Nazwa organizacji", "Brandt sp. z o.o.", "company"),
            ("Stanowisko w organizacji", "Dyrektor", "jobTitle"),
            ("E-mail 1 – Wartość", "ilse@brandt.example", "email"),
            ("Adres 1 – Kraj", "Polska", "country"),
            ("Witryna 1 – Wartość", "brandt.example", "website"),
        ),
    ),
    "outlook-es": (
        ";",
        "utf-8",
        (
            ("Nombre", "Ilse", "firstName"),
            ("Apellidos", "Brandt", "lastName"),
            ("Compañía", "Brandt SL", "company"),
            ("Puesto", "Directora", "jobTitle"),
            ("País o región del trabajo", "España", "country"),
            ("Teléfono del trabajo", "+34 612 34 56 78", "phone"),
            ("Dirección de correo electrónico", "ilse@brandt.example", "email"),
            ("Página web", "brandt.example", "website"),
        ),
    ),
    "outlook-it": (
        ";",
        "utf-8",
        (
            ("Nome", "Ilse", "firstName"),
            ("Cognome", "Brandt", "lastName"),
            ("Società", "Brandt SpA", "company"),
            ("Posizione", "Direttrice", "jobTitle"),
            ("Paese (uff.)", "Italia", "country"),
            ("Paese (ab.)", "Svizzera", ""),
            ("Telefono (uff.)", "+39 06 698 12345", "phone"),
            ("Indirizzo posta elettronica", "ilse@brandt.example", "email"),
            ("Pagina Web", "brandt.example", "website"),
        ),
    ),
    "outlook-nl": (
        ";",
        "utf-8",
        (
            ("Voornaam", "Ilse", "firstName"),
            ("Achternaam", "Brandt", "lastName"),
            ("Bedrijf", "Brandt BV", "company"),
            ("Functie", "Verkoopleider", "jobTitle"),
            ("Land/regio (werk)", "Nederland", "country"),
            ("E-mailadres", "ilse@brandt.example", "email"),
            ("Webpagina", "brandt.example", "website"),
        ),
    ),
    "outlook-pt": (
        ";",
        "utf-8",
        (
            ("Nome", "Ilse", "firstName"),
            ("Apelido", "Brandt", "lastName"),
            ("Empresa", "Brandt Lda", "company"),
            ("Cargo", "Diretora", "jobTitle"),
            ("País/região comercial", "Portugal", "country"),
            ("Endereço de correio eletrónico", "ilse@brandt.example", "email"),
            ("Página da Web", "brandt.example", "website"),
        ),
    ),
    "hubspot-ja": (
        ",",
        "utf-8",
        (
            ("名", "一郎", "firstName"),
            ("姓", "田中", "lastName"),
            ("Eメール", "ilse@brandt.example", "email"),
            ("会社名", "田中株式会社", "company"),
            ("役職", "部長", "jobTitle"),
            ("電話番号", "+81 3 1234 5678", "phone"),
            ("国/地域", "日本", "country"),
            ("ウェブサイトURL", "tanaka.example", "website"),
            ("コンタクト担当者", "me@acme.com", "owner"),
        ),
    ),
    "hubspot-it": (
        ",",
        "utf-8",
        (
            ("Nome", "Ilse", "firstName"),
            ("Cognome", "Brandt", "lastName"),
            ("E-mail", "ilse@brandt.example", "email"),
            ("Nome azienda", "Brandt SpA", "company"),
            ("Qualifica professionale", "Direttrice", "jobTitle"),
            ("URL del sito web", "brandt.example", "website"),
            ("Proprietario del contatto", "me@acme.com", "owner"),
        ),
    ),
    "salesforce-es": (
        ",",
        "utf-8",
        (
            ("Nombre", "Ilse", "firstName"),
            ("Apellidos", "Brandt", "lastName"),
            ("Nombre de la cuenta", "Brandt SL", "company"),
            ("Título", "Directora", "jobTitle"),
            ("Correo electrónico", "ilse@brandt.example", "email"),
        ),
    ),
    "salesforce-nl": (
        ",",
        "utf-8",
        (
            ("Voornaam", "Ilse", "firstName"),
            ("Achternaam", "Brandt", "lastName"),
            ("Accountnaam", "Brandt BV", "company"),
            ("Titel", "Verkoopleider", "jobTitle"),
            ("E-mail", "ilse@brandt.example", "email"),
        ),
    ),
    "form-de": (
        ",",
        "utf-8",
        (
            ("Wie lautet Ihr Name?", "Ilse Brandt", "fullName"),
            ("Ihre Position?", "Leiterin", "jobTitle"),
            ("Wie lautet Ihre E-Mail-Adresse?", "ilse@brandt.example", "email"),
            ("Wie haben Sie von uns erfahren?", "Messe", "source"),
        ),
    ),
}
FIELDS = {"email", "firstName", "lastName", "fullName", "company", "jobTitle", "phone", "website", "country", "owner"}


@pytest.mark.parametrize("name", LAYOUTS)
def test_an_export_in_another_language_is_understood(name: str) -> None:
    delimiter, encoding, columns = LAYOUTS[name]
    rows = [[cell.replace("ilse@", f"ilse{number}@") for _, cell, _ in columns] for number in range(3)]

    found = read_file(csv_of([[header for header, _, _ in columns], *rows], encoding=encoding, delimiter=delimiter))

    recognized = [target if target in {*FIELDS, "source"} else "" for target in found.targets]
    assert list(zip([column[0] for column in columns], recognized, strict=True)) == [
        (header, target) for header, _, target in columns
    ]
    assert (found.rejected, len(found.leads)) == ({}, 3)


@pytest.mark.parametrize(
    ("header", "cells", "wanted"),
    [
        ("What's your role there?", ["CEO", "Founder"], "jobTitle"),
        ("What's your name?", ["Ada Lovelace", "Bob Roe"], "fullName"),
        ("How did you hear about us?", ["Fair", "Friend"], "source"),
        ("Designation", ["CEO", "Founder"], "jobTitle"),
        ("Invitee Name", ["Ada Lovelace", "Bob Roe"], "fullName"),
        ("Invitee First Name", ["Ada", "Bob"], "firstName"),
        ("Invitee Last Name", ["Lovelace", "Roe"], "lastName"),
        ("Please enter your company", ["Acme", "Beta"], "company"),
        ("Teléfono de la empresa", ["+34 612 34 56 78", "+34 612 34 56 79"], "phone"),
        ("Land des Unternehmens", ["Deutschland", "Schweiz"], "country"),
        ("Last name first letter", ["B", "R"], "custom:last_name_first_letter"),
        ("First name last letter", ["a", "b"], "custom:first_name_last_letter"),
        ("Company Address", ["Am Markt 1", "Neue Str. 2"], "custom:company_address"),
        ("Abteilung der Organisation", ["IT", "HR"], "custom:abteilung_der_organisation"),
        ("Land", ["Bayern", "Hessen"], "custom:land"),
        ("Nation", ["German", "French"], "custom:nation"),
        ("Country", ["EMEA", "APAC"], "custom:country"),
        ("Website", ["yes", "no idea"], "custom:website"),
        ("Land", ["Bayern", "DE", "Deutschland"], "country"),
        ("Kunde", ["Brandt GmbH", "Acme AG"], "company"),
        ("Customer", ["Brandt GmbH", "Acme Inc."], "company"),
        ("Name", ["Brandt GmbH", "Acme S.A."], "company"),
        ("Name", ["brandt gmbh", "Acme ltd."], "company"),
        ("Name", ["Ilse Brandt", "Brandt GmbH", "Ada Lovelace"], "fullName"),
        ("Kunde", ["Ilse Brandt", "Ada Lovelace"], "fullName"),
        ("Supplier", ["Brandt GmbH", "Acme AG"], "custom:supplier"),
        ("", ["Brandt GmbH", "Acme AG"], "company"),
    ],
)
def test_a_column_becomes_what_its_header_and_cells_say(header: str, cells: list[str], wanted: str) -> None:
    rows = [[f"l{number}@acme.com", cell] for number, cell in enumerate(cells)]

    assert read_file(csv_of([["Email", header], *rows])).targets == ["email", wanted]


def test_a_name_with_a_legal_form_is_the_company_and_the_contact_is_the_person() -> None:
    found = read_file(csv_of([["Name", "Contact", "Email"], ["Brandt AG", "Ilse Brandt", "ilse@brandt.example"]]))

    assert found.targets == ["company", "fullName", "email"]
    (lead,) = found.leads
    assert (lead["first_name"], lead["last_name"], lead["company"]) == ("Ilse", "Brandt", "Brandt AG")


@pytest.mark.parametrize("header", ["company " * 9000, "of " * 9000 + "company", "title of " * 9000 + "?"])
def test_a_header_of_thousands_of_words_is_a_custom_field(header: str) -> None:
    targets = read_file(csv_of([["Email", header], ["ada@acme.com", "x"]])).targets

    assert targets[0] == "email"
    assert targets[1].startswith("custom:")
