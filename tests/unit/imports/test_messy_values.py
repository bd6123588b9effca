"""Values as people leave them: the lead survives, and what was left out is reported with the value."""

from typing import Any

import pytest

from tests.support.desk import csv_of
from tests.support.reading import MEMBER, ReadFile, read_file


def one(target: str, cell: str, **options: Any) -> ReadFile:  # noqa: ANN401  JSON
    """A file with an address and one cell more."""
    rows = [["email", "value"], ["ada@acme.com", cell]]
    return read_file(csv_of(rows), targets=["email", target], **options)


def email(cell: str) -> ReadFile:
    return read_file(csv_of([["name", "email"], ["Ada", cell]]), targets=["firstName", "email"])


@pytest.mark.parametrize(
    "cell",
    [
        "<ada@acme.com>", "Ada Lovelace <ada@acme.com>", '"Lovelace, Ada" <ada@acme.com>', "mailto:ada@acme.com",
        "mailto:ada@acme.com?subject=Hello", "'ada@acme.com'", '"ada@acme.com"', "(ada@acme.com)", "ada@acme.com.",
        "ada@acme.com;", "ada@acme.com (work)", "E-Mail: ada@acme.com", "* ada@acme.com", "\u2022 ada@acme.com",
        "[ada@acme.com](mailto:ada@acme.com)", '<a href="mailto:ada@acme.com">ada@acme.com</a>',
        "\u201cada@acme.com\u201d",
        "ada@acme.com\u200b", "\ufeffada@acme.com", "\u200eada@acme.com\u200e", "ada@acme.com\u2060",
        "\u00a0ada@acme.com",
        "ada\u200b@acme.com", "ada@acme.com, ", "SMTP:ada@acme.com", "ada@acme.com\nada@acme.com",
        "mailto://ada@acme.com", "mailto:///ada@acme.com", "mailto:%20ada@acme.com", "*ada@acme.com",
        "**ada@acme.com**",
        "/ada@acme.com", "#ada@acme.com", "=ada@acme.com", "'ada@acme.com", "~ada@acme.com~", "- ada@acme.com",
        "\u2013 ada@acme.com", "1. ada@acme.com", "12) ada@acme.com", "(1) ada@acme.com", "a) ada@acme.com",
        "\u2709 ada@acme.com", "\U0001f4e7ada@acme.com", "Email ada@acme.com", "E-Mail ada@acme.com",
        "Correo electr\u00f3nico ada@acme.com", "work email ada@acme.com", "ada@acme.com - private",
        "ada@acme.com privat", "ada@acme.com Tel. 0170", "ada@acme.com\u2026", "ada@acme.com#", "ada@acme.com [old]",
    ],
)  # fmt: skip
def test_decorations_come_off_an_address(cell: str) -> None:
    found = email(cell)

    assert found.column("email") == ["ada@acme.com"]
    assert not found.left_out


@pytest.mark.parametrize(
    "cell",
    [
        "ada@acme.com, bob@acme.com", "ada@acme.com; bob@acme.com", "ada@acme.com / bob@acme.com",
        "ada@acme.com/bob@acme.com",
        "ada@acme.com|bob@acme.com", "ada@acme.com bob@acme.com", "ada@acme.com\nbob@acme.com",
        "ada@acme.com or bob@acme.com",
        "ada@acme.com & bob@acme.com", "ada@acme.com + bob@acme.com", "ada@acme.com\\bob@acme.com",
        "ada@acme.com&bob@acme.com", "ada@acme.com\u2192bob@acme.com", "ada@acme.com privat bob@acme.com work",
        "1. ada@acme.com, 2. bob@acme.com",
        "ada@acme.com ::: bob@acme.com", "Ada <ada@acme.com>, Bob <bob@acme.com>", "ada@acme.com und bob@acme.com",
    ],
)  # fmt: skip
def test_of_two_addresses_the_first_is_taken_and_the_other_reported(cell: str) -> None:
    found = email(cell)

    assert found.column("email") == ["ada@acme.com"]
    assert found.left_out == {2: {"/email other_value"}}
    (fault,) = found.rows[2]["faults"]
    assert "bob@acme.com" in fault["message"]
    assert fault["value"] == " ".join(cell.split(" "))


@pytest.mark.parametrize(
    "cell",
    [
        "nobody",
        "ada lovelace@acme.com",
        "ada@acme",
        "ada@acme,com",
        "@acme.com",
        "ada at acme.com",
        "call ada@acme.com",
        "Email van gogh@acme.com",
        "ada@acme.co m",
        "ada@acme.co mpany.com",
        "-",
    ],
)
def test_what_is_no_address_is_never_another_persons(cell: str) -> None:
    found = email(cell)

    assert not found.leads
    assert found.rejected[2] <= {"/email invalid_format", "/email required"}
    assert found.rows[2]["email"] == cell


@pytest.mark.parametrize(
    ("cell", "country", "phone", "fault"),
    [
        ("491701234567", "DE", "+491701234567", None),
        ("49 170 1234567", "DE", "+491701234567", None),
        ("1701234567", "DE", "+491701234567", None),
        ("0170 1234567", "DE", "+491701234567", None),
        ("8912345678", "DE", "+498912345678", None),
        ("46701234567", "SE", "+46701234567", None),
        ("31612345678", "NL", "+31612345678", None),
        ("919876543210", "IN", "+919876543210", None),
        ("5511961234567", "BR", "+5511961234567", None),
        ("3931234567", "IT", "+393931234567", None),
        ("491701234567.0", "DE", "+491701234567", None),
        ('="01701234567"', "DE", "+491701234567", None),
        ("p:+491701234567", "", "+491701234567", None),
        ("tel:+49-170-1234567", "", "+491701234567", None),
        ("\uff14\uff19\uff11\uff17\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17", "DE", "+491701234567", None),
        ("\u0664\u0669\u0661\u0667\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667", "DE", "+491701234567", None),
        ("\u0967\u096d\u0966\u0967\u0968\u0969\u096a\u096b\u096c\u096d", "DE", "+491701234567", None),
        ("\uff0b\uff14\uff19\u3000\uff11\uff17\uff10\uff0d1234567", "", "+491701234567", None),
        ("\uff10\uff10\uff14\uff19 170 1234567", "", "+491701234567", None),
        ("\uff14\uff14\uff17\uff19\uff11\uff11\uff11\uff12\uff13\uff14\uff15\uff16", "DE", None, "invalid_format"),
        ("\uff14.\uff19\uff11\uff17\uff10\uff12E+11", "DE", None, "digits_lost"),
        ("49-170-1234567", "DE", "+491701234567", None),
        ("(49) 170/1234567", "DE", "+491701234567", None),
        ("49 (0) 170 1234567", "DE", "+491701234567", None),
        ("Mobil: 491701234567", "DE", "+491701234567", None),
        ("44-7911-123456", "DE", None, "invalid_format"),
        ("Mobil: 0170 1234567", "DE", "+491701234567", None),
        ("0170/1234567", "DE", "+491701234567", None),
        ("030/123456-0", "DE", "+49301234560", None),
        ("4.91702E+11", "DE", None, "digits_lost"),
        ("4,91702E+11", "DE", None, "digits_lost"),
        ("4.9170E11", "", None, "digits_lost"),
        ("447911123456", "DE", None, "invalid_format"),
        ("33612345678", "DE", None, "invalid_format"),
        ("491701234567", "", None, "invalid_format"),
        ("12", "DE", None, "invalid_format"),
        ("ask", "DE", None, "invalid_format"),
        ("0170 1234567 / 0171 7654321", "DE", "+491701234567", "other_value"),
        ("0170 1234567; 0171 7654321", "DE", "+491701234567", "other_value"),
        ("+49 170 1234567, +49 171 7654321", "", "+491701234567", "other_value"),
        ("0170 1234567 or 0171 7654321", "DE", "+491701234567", "other_value"),
    ],
)
def test_a_phone_number_is_right_or_left_out(cell: str, country: str, phone: str | None, fault: str | None) -> None:
    rows = [["email", "phone", "country"], ["ada@acme.com", cell, country]]

    found = read_file(csv_of(rows), targets=["email", "phone", "country"])

    assert found.column("phone") == [phone]
    assert found.left_out == ({2: {f"/phone {fault}"}} if fault else {})


def test_the_country_of_an_import_is_for_numbers_and_changes_no_lead() -> None:
    rows = [
        ["email", "phone", "country"],
        ["a@acme.com", "+44 20 7946 0958", ""],
        ["b@acme.com", "(415) 555-2671", ""],
        ["c@acme.com", "030 123456", "DE"],
        ["d@acme.com", "(415) 555-2671", "Narnia"],
    ]

    found = read_file(csv_of(rows), targets=["email", "phone", "country"], country="US")

    assert found.column("phone") == ["+442079460958", "+14155552671", "+4930123456", "+14155552671"]
    assert found.column("country") == [None, None, "DE", None]
    assert found.left_out == {5: {"/country invalid_format"}}


@pytest.mark.parametrize("cell", ["-", "--", "n/a", "N/A", "#N/A", "\\N", "(null)", "k.A.", "?", "#VALUE!", "<NULL>"])
@pytest.mark.parametrize("target", ["phone", "website", "country", "company", "jobTitle", "lastName", "custom:note"])
def test_a_placeholder_is_empty_and_reported(target: str, cell: str) -> None:
    found = one(target, cell)

    pointer = target.replace("custom:", "customFields/")
    assert found.left_out == {2: {f"/{pointer} placeholder"}}
    assert set(found.leads[0]) == {"email"}


@pytest.mark.parametrize("cell", ["none", "NULL", "null", "0", "unknown", "nil", "keine", "TBD"])
@pytest.mark.parametrize("target", ["phone", "website", "country", "owner"])
def test_words_for_nothing_are_placeholders_where_no_text_belongs(target: str, cell: str) -> None:
    found = one(target, cell)

    assert found.left_out == {2: {f"/{'ownerId' if target == 'owner' else target} placeholder"}}


@pytest.mark.parametrize(
    ("target", "cell", "value"),
    [
        ("lastName", "Null", "Null"), ("lastName", "None", "None"), ("company", "0", "0"), ("country", "NO", "NO"),
        ("country", "NA", "NA"), ("company", "Unknown", "Unknown"),
    ],
)  # fmt: skip
def test_what_can_be_a_value_is_one(target: str, cell: str, value: str) -> None:
    found = one(target, cell)

    field = {"lastName": "last_name"}.get(target, target)
    assert found.column(field) == [value]
    assert not found.left_out


def test_not_available_in_every_cell_is_not_namibia() -> None:
    rows = [["email", "company", "country"], ["ada@acme.com", "NA", "NA"]]

    assert read_file(csv_of(rows)).column("country") == [None]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("Deutschland", "DE"), ("Österreich", "AT"), ("Oesterreich", None), ("Schweiz", "CH"), ("Suisse", "CH"),
        ("España", "ES"), ("Spanien", "ES"), ("Italia", "IT"), ("Brasil", "BR"), ("Frankreich", "FR"), ("U.S.", "US"),
        ("USA", "US"), ("UK", "GB"), ("Nederland", "NL"), ("Polska", "PL"), ("Sverige", "SE"), ("Narnia", None),
    ],
)  # fmt: skip
def test_a_country_is_read_by_its_names_or_left_out(cell: str, code: str | None) -> None:
    found = one("country", cell)

    if code is not None:
        assert found.column("country") == [code]
    assert len(found.leads) == 1
    assert found.left_out == ({} if found.column("country") != [None] else {2: {"/country invalid_format"}})


@pytest.mark.parametrize(
    ("target", "cell", "code"),
    [
        ("website", "no site", "invalid_format"), ("website", "ada@acme.com", "invalid_format"),
        ("company", "x" * 201, "too_long"), ("firstName", "x" * 500, "too_long"), ("owner", "eve@acme.com",
        "unknown_owner"),
        ("owner", "Eve Adams", "unknown_owner"), ("country", "D-10115", "invalid_format"), ("phone", "see notes",
        "invalid_format"),
    ],
)  # fmt: skip
def test_a_bad_value_costs_itself_only_and_is_shown(target: str, cell: str, code: str) -> None:
    found = one(target, cell)

    assert set(found.leads[0]) == {"email"}
    (fault,) = found.rows[2]["faults"]
    assert fault["code"] == code
    assert fault["value"].removesuffix("\u2026") == cell[: len(fault["value"].removesuffix("\u2026"))]
    strict = one(target, cell, invalid="reject")
    assert strict.rejected == found.left_out
    assert strict.rows[2]["email"] == "ada@acme.com"


def test_characters_that_cannot_be_stored_are_spaces() -> None:
    assert one("company", "Acme\x0bInc").column("company") == ["Acme Inc"]
    assert one("custom:note", "one\x0btwo").column("custom:note") == ["one two"]


@pytest.mark.parametrize("text", ["word " * 500, "ж" * 5000, "e\u0301" * 2100, "👩‍👩‍👧 " * 600])
def test_a_long_note_is_cut_and_reported(text: str) -> None:
    found = one("custom:note", text)

    (note,) = found.column("custom:note")
    assert 0 < len(note) <= 2000
    assert found.left_out == {2: {"/customFields/note cut"}}
    assert one("custom:note", text, invalid="reject").rejected == {2: {"/customFields/note cut"}}


def test_more_custom_fields_than_a_lead_can_have_do_not_cost_it() -> None:
    header = ["email", *(f"field {number}" for number in range(60))]
    data = csv_of([header, ["ada@acme.com", *("x" for _ in range(60))]])

    found = read_file(data, targets=["email", *(f"custom:f{number}" for number in range(60))])

    assert len(found.leads[0]["custom_fields"]) == 50
    assert len(found.rows[2]["faults"]) == 10


def test_more_text_than_a_lead_can_have_does_not_cost_it() -> None:
    data = csv_of([["email", *(f"note {n}" for n in range(20))], ["ada@acme.com", *("ж" * 1500 for _ in range(20))]])

    found = read_file(data)

    assert 5 <= len(found.leads[0]["custom_fields"]) < 20
    assert {fault["code"] for fault in found.rows[2]["faults"]} == {"too_long"}


def test_an_owner_is_a_member_by_id_or_address_however_it_is_written() -> None:
    for cell in ("me@acme.com", "ME@Acme.com", "Me <me@acme.com>", str(MEMBER)):
        assert one("owner", cell).column("owner_id") == [str(MEMBER)]


FIELDS = {
    "n": {"type": "number", "options": []},
    "d": {"type": "date", "options": []},
    "b": {"type": "boolean", "options": []},
    "c": {"type": "choice", "options": [["gold", "Gold"], ["silver", "Silver"]]},
    "m": {"type": "multi_choice", "options": [["big", "Big"], ["old", "Old"]]},
    "u": {"type": "url", "options": []},
    "p": {"type": "person", "options": []},
}


@pytest.mark.parametrize(
    ("key", "cell", "value"),
    [
        ("n", "1.200,50", 1200.5), ("n", "1,200.50", 1200.5), ("n", "12", 12), ("n", "15%", 0.15), ("n", "12,5 %",
        0.125),
        ("n", "€ 1.200,50", 1200.5), ("n", "$1,200", 1200), ("n", "1 200 EUR", 1200), ("d", "01.03.2026", "2026-03-01"),
        ("d", "2026-03-01T10:12:13+01:00", "2026-03-01"), ("b", "ja", True), ("b", "no", False), ("c", "GOLD", "gold"),
        ("m", "old; big", ["old", "big"]), ("u", "acme.com", "https://acme.com"), ("p", "me@acme.com", str(MEMBER)),
    ],
)  # fmt: skip
def test_a_custom_field_is_read_by_its_type(key: str, cell: str, value: object) -> None:
    found = one(f"custom:{key}", cell, fields=FIELDS)

    assert found.column(f"custom:{key}") == [value]


@pytest.mark.parametrize("key", FIELDS)
@pytest.mark.parametrize("cell", ["n/a", "unknown", "wrong one"])
def test_what_does_not_fit_its_type_is_left_out(key: str, cell: str) -> None:
    found = one(f"custom:{key}", cell, fields=FIELDS)

    assert len(found.leads) == 1
    (code,) = found.left_out[2]
    assert (code == f"/customFields/{key} placeholder") == (cell != "wrong one")


@pytest.mark.parametrize(
    "cell", ["x@a" + "/" * 1900, "a " * 900 + "x@acme.com", "x@a" + "\u2192" * 1900, '"' * 1900 + "@"]
)
def test_long_cells_of_signs_and_words_have_no_address(cell: str) -> None:
    assert email(cell).column("email") == []
