"""Exports of common tools, in their layouts as of 2026 but with people made up here: each field is recognized."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tests.support.desk import csv_of
from tests.support.reading import ReadFile, read_file


@dataclass(frozen=True)
class Layout:
    """An export: cells of one lead by header, and what headers become; all others become custom fields."""

    cells: Mapping[str, str]
    wanted: Mapping[str, str]
    delimiter: str = ","
    encoding: str = "utf-8"
    above: tuple[tuple[str, ...], ...] = ()


GOOGLE = Layout(
    {
        "First Name": "Ilse", "Middle Name": "", "Last Name": "Brandt", "Phonetic First Name": "", "Name Prefix": "",
        "Nickname": "", "File As": "", "Organization Name": "Brandt AG", "Organization Title": "Head of Sales",
        "Organization Department": "IT", "Birthday": "", "Notes": "met at the fair", "Photo": "lh3.example/p.jpg",
        "Labels": "* myContacts", "E-mail 1 - Label": "* Work", "E-mail 1 - Value": "ilse@brandt.example",
        "E-mail 2 - Label": "", "E-mail 2 - Value": "", "Phone 1 - Label": "Mobile",
        "Phone 1 - Value": "+49 170 1234567",
        "Address 1 - Label": "", "Address 1 - Country": "Germany", "Website 1 - Label": "",
        "Website 1 - Value": "brandt.example",
    },
    {
        "First Name": "firstName", "Last Name": "lastName", "Organization Name": "company",
        "Organization Title": "jobTitle", "E-mail 1 - Value": "email", "Phone 1 - Value": "phone",
        "Address 1 - Country": "country", "Website 1 - Value": "website",
        "E-mail 2 - Value": "otherEmail:e_mail_2_value",
    },
)  # fmt: skip
OLD_GOOGLE = Layout(
    {
        "Name": "Ilse Brandt", "Given Name": "Ilse", "Family Name": "Brandt", "Group Membership": "* myContacts",
        "E-mail 1 - Type": "* Work", "E-mail 1 - Value": "ilse@brandt.example", "Phone 1 - Type": "Mobile",
        "Phone 1 - Value": "+49 170 1234567", "Organization 1 - Type": "", "Organization 1 - Name": "Brandt AG",
        "Organization 1 - Title": "Head of Sales",
    },
    {
        "Name": "fullName", "Given Name": "firstName", "Family Name": "lastName", "E-mail 1 - Value": "email",
        "Phone 1 - Value": "phone", "Organization 1 - Name": "company", "Organization 1 - Title": "jobTitle",
    },
)  # fmt: skip
OUTLOOK = Layout(
    {
        "Title": "Ms.", "First Name": "Ilse", "Middle Name": "", "Last Name": "Brandt", "Suffix": "",
        "Company": "Brandt AG", "Department": "IT", "Job Title": "Head of Sales", "Business Fax": "+49 30 1234569",
        "Business Phone": "+49 30 1234567", "Business Phone 2": "", "Home Phone": "+49 30 7654321", "Mobile Phone": "",
        "Business Country/Region": "Germany", "Home Country/Region": "", "E-mail Address": "ilse@brandt.example",
        "E-mail Type": "SMTP", "E-mail Display Name": "Ilse Brandt", "Gender": "",
        "Web Page": "brandt.example",
    },
    {
        "First Name": "firstName", "Last Name": "lastName", "Company": "company", "Job Title": "jobTitle",
        "Business Phone": "phone", "Business Country/Region": "country", "E-mail Address": "email",
        "Web Page": "website",
    },
    encoding="cp1252",
)  # fmt: skip
LINKEDIN = Layout(
    {
        "First Name": "Ilse", "Last Name": "Brandt", "URL": "https://www.linkedin.com/in/ilse-brandt",
        "Email Address": "ilse@brandt.example", "Company": "Brandt AG", "Position": "Head of Sales",
        "Connected On": "01 Mar 2026",
    },
    {
        "First Name": "firstName", "Last Name": "lastName", "Email Address": "email", "Company": "company",
        "Position": "jobTitle",
    },
    above=(("Notes:",), ("When exporting your connection data, you may notice that some addresses are missing.",), ()),
)  # fmt: skip
HUBSPOT = Layout(
    {
        "Record ID - Contact": "151", "First Name": "Ilse", "Last Name": "Brandt", "Email": "ilse@brandt.example",
        "Phone Number": "+49 30 1234567", "Mobile Phone Number": "", "Contact owner": "me@acme.com",
        "Lifecycle Stage": "Lead", "Lead Status": "New", "Marketing contact status": "Marketing contact",
        "Create Date": "2026-03-01 10:12", "Associated Company": "Brandt AG", "Job Title": "Head of Sales",
        "Website URL": "brandt.example", "Country/Region": "Germany", "Original Source": "Organic Search",
    },
    {
        "First Name": "firstName", "Last Name": "lastName", "Email": "email", "Phone Number": "phone",
        "Contact owner": "owner", "Associated Company": "company", "Job Title": "jobTitle", "Website URL": "website",
        "Country/Region": "country", "Original Source": "source",
    },
)  # fmt: skip
PIPEDRIVE = Layout(
    {
        "Person - ID": "12", "Person - Name": "Ilse Brandt", "Person - Label": "Hot lead",
        "Person - Organization": "Brandt AG", "Person - Email - Work": "ilse@brandt.example",
        "Person - Email - Home": "", "Person - Phone - Work": "+49 30 1234567", "Person - Phone - Mobile": "",
        "Person - Open deals": "1", "Person - Owner": "me@acme.com",
    },
    {
        "Person - Name": "fullName", "Person - Organization": "company", "Person - Email - Work": "email",
        "Person - Email - Home": "otherEmail:person_email_home",
        "Person - Phone - Work": "phone", "Person - Owner": "owner",
    },
)  # fmt: skip
SALESFORCE = Layout(
    {
        "Lead Owner": "me@acme.com", "First Name": "Ilse", "Last Name": "Brandt", "Title": "Head of Sales",
        "Company / Account": "Brandt AG", "Lead Source": "Trade Show", "Rating": "Hot", "Street": "Weg 1",
        "State/Province": "CA", "Country": "United States", "Email": "ilse@brandt.example",
        "Phone": "(415) 555-2671", "Mobile": "", "Email Opt Out": "0", "Unread By Owner": "1",
    },
    {
        "Lead Owner": "owner", "First Name": "firstName", "Last Name": "lastName", "Title": "jobTitle",
        "Company / Account": "company", "Lead Source": "source", "Country": "country", "Email": "email",
        "Phone": "phone", "Email Opt Out": "ignore",
    },
)  # fmt: skip
APOLLO = Layout(
    {
        "First Name": "Ilse", "Last Name": "Brandt", "Title": "Head of Sales", "Company": "Brandt AG",
        "Company Name for Emails": "Brandt", "Email": "ilse@brandt.example", "Email Status": "Verified",
        "Email Confidence": "98", "Seniority": "Head", "Departments": "Sales", "Contact Owner": "me@acme.com",
        "Work Direct Phone": "", "Home Phone": "", "Mobile Phone": "+49 170 1234567",
        "Corporate Phone": "+49 30 1234567",
        "Stage": "Cold", "# Employees": "120", "Industry": "machinery",
        "Person Linkedin Url": "http://www.linkedin.com/in/ilse", "Website": "https://brandt.example",
        "Company Linkedin Url": "http://www.linkedin.com/company/brandt", "Facebook Url": "https://facebook.com/brandt",
        "City": "Berlin", "State": "Berlin", "Country": "Germany", "Company Country": "Germany",
        "Annual Revenue": "12000000",
    },
    {
        "First Name": "firstName", "Last Name": "lastName", "Title": "jobTitle", "Company": "company", "Email": "email",
        "Contact Owner": "owner", "Mobile Phone": "phone", "Website": "website", "Country": "country",
    },
)  # fmt: skip
FACEBOOK = Layout(
    {
        "id": "l:118", "created_time": "2026-03-01T10:12:13+01:00", "ad_id": "ag:120", "ad_name": "Spring",
        "campaign_name": "Demo", "form_name": "Demo form", "is_organic": "false", "platform": "fb",
        "full_name": "Ilse Brandt", "email": "ilse@brandt.example", "phone_number": "p:+491701234567",
        "company_name": "Brandt AG", "job_title": "Head of Sales", "country": "DE",
    },
    {
        "full_name": "fullName", "email": "email", "phone_number": "phone", "company_name": "company",
        "job_title": "jobTitle", "country": "country",
    },
    delimiter="\t",
    encoding="utf-16",
)  # fmt: skip
SALES_NAVIGATOR = Layout(
    {
        "profileUrl": "https://www.linkedin.com/sales/lead/ACw", "fullName": "Ilse Brandt", "firstName": "Ilse",
        "lastName": "Brandt", "companyName": "Brandt AG", "title": "Head of Sales", "companyId": "1234",
        "companyUrl": "https://www.linkedin.com/sales/company/1234", "location": "Berlin, Germany",
        "professionalEmail": "ilse@brandt.example", "connectionDegree": "2nd",
        "profilePictureUrl": "https://media.licdn.com/dms/image/x", "isPremium": "true",
    },
    {
        "fullName": "fullName", "firstName": "firstName", "lastName": "lastName", "companyName": "company",
        "title": "jobTitle", "professionalEmail": "email",
    },
)  # fmt: skip
TYPEFORM = Layout(
    {
        "#": "k3v9", "What's your *first name*?": "Ilse", "And your last name?": "Brandt",
        "What is your email address?": "ilse@brandt.example",
        "Which phone number can we call you on?": "+49 170 1234567",
        "How big is your team?": "11-50", "Response Type": "completed", "Start Date (UTC)": "2026-03-01 10:12:13",
        "Network ID": "a1b2c3", "Tags": "",
    },
    {
        "What's your *first name*?": "firstName", "And your last name?": "lastName",
        "What is your email address?": "email", "Which phone number can we call you on?": "phone", "#": "ignore",
        "Tags": "tags",
    },
)  # fmt: skip
GERMAN_CRM = Layout(
    {
        "Kundennummer": "10042", "Anrede": "Frau", "Titel": "Dr.", "Vorname": "Ilse", "Nachname": "Brandt",
        "Firma": "Brandt AG", "Position": "Vertriebsleiterin", "E-Mail (geschäftlich)": "ilse@brandt.example",
        "E-Mail (privat)": "", "Tel. geschäftlich": "030 1234567", "Mobiltelefon": "", "Telefax": "030 1234569",
        "PLZ": "10115", "Ort": "Berlin", "Land": "Deutschland", "Webseite": "www.brandt.example",
        "Geburtstag": "01.03.1980",
    },
    {
        "Vorname": "firstName", "Nachname": "lastName", "Firma": "company", "Position": "jobTitle",
        "E-Mail (geschäftlich)": "email", "E-Mail (privat)": "otherEmail:e_mail_privat",
         "Tel. geschäftlich": "phone", "Land": "country", "Webseite": "website",
    },
    delimiter=";",
    encoding="cp1252",
)  # fmt: skip

LAYOUTS = {name.lower(): layout for name, layout in list(globals().items()) if isinstance(layout, Layout)}


def read_layout(layout: Layout, *rows: Mapping[str, str]) -> ReadFile:
    """A file in a layout. `rows`: what differs from its lead in more rows."""
    header = list(layout.cells)
    leads = [layout.cells, *({**layout.cells, **row} for row in rows)]
    table = [*map(list, layout.above), header, *([lead[name] for name in header] for lead in leads)]
    return read_file(csv_of(table, delimiter=layout.delimiter, encoding=layout.encoding))


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_export_of_a_tool_is_understood(name: str) -> None:
    layout = LAYOUTS[name]

    found = read_layout(layout)

    columns = {column.header: column.target for column in found.analysis.columns}
    assert list(columns) == list(layout.cells)
    custom = {header for header, target in columns.items() if target.startswith("custom:")}
    assert {header: target for header, target in columns.items() if header not in custom} == layout.wanted
    (lead,) = found.leads
    assert lead["email"] == "ilse@brandt.example"
    assert (lead["first_name"], lead["last_name"]) == ("Ilse", "Brandt")
    assert not found.left_out


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_bad_cell_does_not_change_what_the_columns_are(name: str) -> None:
    layout = LAYOUTS[name]
    address = next(header for header, target in layout.wanted.items() if target == "email")

    found = read_layout(layout, {address: "ilse2@brandt.example"}, {address: "ilse@brandt"}, {address: ""})

    assert found.targets == read_layout(layout).targets
    first = 1 + len(layout.above) + 1
    assert found.rejected == {first + 2: {"/email invalid_format"}, first + 3: {"/email required"}}


@pytest.mark.parametrize(
    ("header", "cells", "wanted"),
    [
        ("VIP", ["no", "no", "yes"], "custom:vip"),
        ("Department", ["IT", "IT", "HR"], "custom:department"),
        ("State", ["CA", "DE", "IL"], "custom:state"),
        ("Region", ["DE", "AT", "CH"], "custom:region"),
        ("Language", ["de", "fr", "it"], "custom:language"),
        ("LinkedIn", ["https://linkedin.com/in/ada", "linkedin.com/in/bob", ""], "custom:linkedin"),
        ("Website", ["https://linkedin.com/in/ada", "https://xing.com/profile/bob", ""], "custom:website"),
        ("Photo", ["https://cdn.acme.com/a.jpg", "https://cdn.acme.com/b.png", ""], "custom:photo"),
        ("Username", ["ada.lovelace", "bob.io", "eve.me"], "custom:username"),
        ("Mobile", ["iPhone", "Android", "iPhone"], "custom:mobile"),
        ("Account", ["10042", "10043", "10044"], "custom:account"),
        ("Title", ["Mr", "Mrs.", "Dr."], "custom:title"),
        ("Titel", ["Dr.", "Prof. Dr.", ""], "custom:titel"),
        ("Company", ["a@acme.com", "b@acme.com", "c@acme.com"], "custom:company"),
        ("Order number", ["201-555-0123", "201-555-0124", "201-555-0125"], "custom:order_number"),
        ("Date", ["01.03.2026", "02.03.2026", "03.03.2026"], "custom:date"),
        ("Zip", ["10115", "20095", "80331"], "custom:zip"),
        ("Fax", ["+49 30 1234567", "+49 30 1234568", ""], "custom:fax"),
        ("Owner", ["Eve", "Mallory", "Eve"], "custom:owner"),
        ("Name of pet", ["Rex", "Bello", "Mia"], "custom:name_of_pet"),
        ("phone1", ["030 1234567", "030 1234568", ""], "phone"),
        ("Phone Number 1", ["030 1234567", "030 1234568", ""], "phone"),
        ("Mobile Phone Number", ["030 1234567", "030 1234568", ""], "phone"),
        ("Cell", ["+1 415 555 2671", "", ""], "phone"),
        ("Reach me at", ["+49 170 1234567", "+49 171 1234567", "+49 172 1234567"], "phone"),
        ("Kontaktnr.", ["0049 170 1234567", "0049 171 1234567", ""], "phone"),
        ("Country", ["Germany", "Narnia", "D"], "country"),
        ("Phone", ["-", "0", "12"], "phone"),
        ("", ["Germany", "France", "Spain"], "country"),
        ("", ["acme.com", "https://example.org", "b.io"], "website"),
        ("", ["no", "it", "de"], "ignore"),
    ],
)
def test_a_guess_is_tested_against_the_cells(header: str, cells: list[str], wanted: str) -> None:
    rows = [[f"l{number}@acme.com", cell] for number, cell in enumerate(cells)]

    assert read_file(csv_of([["Email", header], *rows])).targets == ["email", wanted]


def test_national_numbers_are_recognized_beside_a_country() -> None:
    rows = [["a@acme.com", "(415) 555-2671", "US"], ["b@acme.com", "(201) 555-0123", "US"]]

    assert read_file(csv_of([["Email", "Reach at", "Country"], *rows])).targets == ["email", "phone", "country"]


@pytest.mark.parametrize(
    ("header", "rows", "wanted"),
    [
        (["Title", "Job Title"], [["CEO", "CEO"], ["CTO", "CTO"]], ["custom:title", "jobTitle"]),
        (["Title", "Job Title"], [["Dr.", "CEO"], ["Mr", "CTO"]], ["custom:title", "jobTitle"]),
        (["Job Title", "Title"], [["", "CEO"], ["", "CTO"]], ["custom:job_title", "jobTitle"]),
        (["Phone", "Mobile Phone"], [["", "+1 415 555 2671"]] * 9, ["custom:phone", "phone"]),
        (["Phone", "Home Phone"], [["+1 415 555 2671", "+1 415 555 2672"]] + [["", "+1 415 555 2673"]] * 9,
         ["custom:phone", "phone"]),
        (["Email 2", "Email"], [["b@acme.com", "a@acme.com"]] * 3, ["otherEmail:email_2", "email"]),
        (["Email", "Email 2"], [["a@acme.com", ""], ["b@acme", "c@acme.com"], ["d@acme.com", ""]],
         ["email", "otherEmail:email_2"]),
        (["Company", "Company name"], [["", "Acme"], ["", "Beta"]], ["custom:company", "company"]),
        (["First name", "Name"], [["Ada", "Lovelace"]], ["firstName", "lastName"]),
        (["First name", "Name"], [["Ada", "Ada Lovelace"]], ["firstName", "fullName"]),
        (["Nombre"], [["Ada Lovelace"], ["Bob Roe"]], ["fullName"]),
        (["Nom", "Prénom"], [["Lovelace", "Ada"]], ["lastName", "firstName"]),
    ],
)  # fmt: skip
def test_of_several_columns_the_surer_and_fuller_one_is_taken(
    header: list[str], rows: list[list[str]], wanted: list[str]
) -> None:
    has_email = "Email" in header
    table = (
        [header, *rows] if has_email else [[*header, "Mail"], *([*row, f"l{n}@x.com"] for n, row in enumerate(rows))]
    )

    targets = read_file(csv_of(table)).targets

    assert (targets if has_email else targets[:-1]) == wanted
