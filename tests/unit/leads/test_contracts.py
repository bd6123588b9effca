import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from leadflood.domains.leads.contracts import (
    CreateLead,
    LeadCreated,
    LeadEventView,
    LeadView,
    UpdateLead,
    merge_custom_fields,
    resolve_phone,
)
from leadflood.kernel.errors import InvalidInput
from leadflood.kernel.schema import Schema, View, field_errors
from tests.support import naughty

TEXT_FIELDS = [field.alias or "" for field in CreateLead.model_fields.values() if field.alias != "customFields"]


def codes(contract: type[Schema], body: object) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        contract.model_validate(body)
    return {error.pointer: error.code for error in field_errors(caught.value)}


def test_a_new_lead_comes_out_normalised() -> None:
    lead = CreateLead.model_validate(
        {
            "email": " Ada@ACME.com ",
            "firstName": " Ada ",
            "lastName": None,
            "phone": "030 123456",
            "country": "Germany",
            "website": "ACME.com",
            "source": "Web-Form",
            "ownerId": "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5",
            "customFields": {"plan": "pro", "seats": 12, "old": None},
        }
    )

    assert lead.email.norm == "ada@acme.com"
    assert (lead.first_name, lead.last_name, lead.country, lead.phone) == ("Ada", None, "DE", "+4930123456")
    assert (lead.website, lead.source) == ("https://acme.com", "web-form")
    assert lead.custom_fields == {"plan": "pro", "seats": 12}


def test_a_lead_needs_its_email_address_alone() -> None:
    assert CreateLead.model_validate({"email": "ada@acme.com"}).source is None
    assert codes(CreateLead, {}) == {"/email": "required"}
    assert codes(CreateLead, {"email": None}) == {"/email": "wrong_type"}


def test_one_fault_never_hides_another() -> None:
    found = codes(
        CreateLead,
        {
            "email": "nobody",
            "firstName": "\x00",
            "jobTitle": "x" * 201,
            "phone": "030 123456",
            "website": "ftp://acme.com",
            "ownerId": "me",
            "source": "🚀",
            "customFields": {"a b": 1, "nested": {}, "nul": "\x00"},
            "nope": 1,
        },
    )

    assert found == {
        "/email": "invalid_format",
        "/firstName": "invalid_characters",
        "/jobTitle": "too_long",
        "/phone": "invalid_format",
        "/website": "invalid_format",
        "/ownerId": "invalid_format",
        "/source": "invalid_format",
        "/customFields/a b": "invalid_format",
        "/customFields/nested": "wrong_type",
        "/customFields/nul": "invalid_characters",
        "/nope": "unknown_field",
    }


def test_a_faulty_country_does_not_make_a_national_number_faulty_too() -> None:
    lead = {"email": "ada@acme.com", "country": "Narnia"}

    assert codes(CreateLead, {**lead, "phone": "030 123456"}) == {"/country": "invalid_format"}
    assert codes(CreateLead, {**lead, "phone": "hello"}).keys() == {"/country", "/phone"}


BLANKS = ["", "  ", "\t\n", "\u00a0", "\u200b\ufeff"]
MAY_BE_BLANK = sorted(set(TEXT_FIELDS) - {"email"})


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("field", MAY_BE_BLANK)
def test_a_blank_value_is_an_absent_one(field: str, blank: str) -> None:
    lead = CreateLead.model_validate({"email": "ada@acme.com", field: blank})

    assert lead.model_dump(by_alias=True)[field] is None
    assert codes(CreateLead, {"email": blank}) == {"/email": "invalid_format"}


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("field", sorted(set(MAY_BE_BLANK) - {"source"}))
def test_a_blank_value_clears_as_null_does(field: str, blank: str) -> None:
    assert UpdateLead.model_validate({field: blank}) == UpdateLead.model_validate({field: None})


@pytest.mark.parametrize("field", MAY_BE_BLANK)
def test_the_schema_says_that_a_value_may_be_blank(field: str) -> None:
    assert Draft202012Validator(CreateLead.model_json_schema()).is_valid({"email": "ada@acme.com", field: ""})


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("Deutschland", "DE"), ("Österreich", "AT"), ("日本", "JP"), ("Germany (DE)", "DE"), ("D", "DE")],
)
def test_a_lead_takes_its_country_by_any_name(typed: str, stored: str) -> None:
    assert CreateLead.model_validate({"email": "ada@acme.com", "country": typed}).country == stored


@pytest.mark.parametrize(
    "body",
    [
        {f"k{number}": 1 for number in range(51)},
        {f"k{number}": "x" * 2000 for number in range(20)},
    ],
)
def test_custom_fields_are_limited_in_number_and_size(body: dict[str, object]) -> None:
    assert codes(CreateLead, {"email": "ada@acme.com", "customFields": body}) == {"/customFields": "too_long"}


def test_an_update_tells_absent_from_cleared() -> None:
    update = UpdateLead.model_validate({"phone": None, "customFields": {"plan": None}})

    assert update.model_fields_set == {"phone", "custom_fields"}
    assert update.custom_fields == {"plan": None}


def test_an_update_must_change_something_and_cannot_clear_what_a_lead_needs() -> None:
    assert codes(UpdateLead, {}) == {"": "required"}
    assert codes(UpdateLead, {"email": None, "source": None}) == {"/email": "not_allowed", "/source": "not_allowed"}
    assert codes(UpdateLead, {"email": "nobody"}) == {"/email": "invalid_format"}


def test_a_national_number_waits_for_the_stored_country() -> None:
    update = UpdateLead.model_validate({"phone": "030 123456"})

    assert update.phone is not None
    assert resolve_phone(update.phone, "DE") == "+4930123456"
    with pytest.raises(InvalidInput) as caught:
        resolve_phone(update.phone, None)
    assert [(error.pointer, error.code) for error in caught.value.errors] == [("/phone", "invalid_format")]


def test_custom_fields_are_set_removed_and_kept_key_by_key() -> None:
    assert merge_custom_fields({"plan": "pro", "seats": 1}, {"plan": None, "tier": 2}) == {"seats": 1, "tier": 2}
    assert merge_custom_fields({"plan": "pro"}, None) == {}


def test_updates_cannot_pile_custom_fields_up_beyond_the_limit() -> None:
    stored = {f"k{number}": "x" for number in range(50)}

    assert len(merge_custom_fields(stored, {"k0": None, "new": 1})) == 50
    with pytest.raises(InvalidInput) as caught:
        merge_custom_fields(stored, {"new": 1})
    assert [(error.pointer, error.code) for error in caught.value.errors] == [("/customFields", "too_long")]


def test_an_update_resolves_the_number_where_it_can() -> None:
    assert UpdateLead.model_validate({"phone": "030 123456", "country": "de"}).phone == "+4930123456"
    assert resolve_phone("+4930123456", None) == "+4930123456"
    assert codes(UpdateLead, {"phone": "hello"}) == {"/phone": "invalid_format"}
    assert codes(UpdateLead, {"phone": "+1 555 0100"}) == {"/phone": "invalid_format"}


@pytest.mark.parametrize("contract", [CreateLead, UpdateLead, LeadView, LeadCreated, LeadEventView])
def test_the_documented_example_is_valid(contract: type[Schema]) -> None:
    mode = "serialization" if issubclass(contract, View) else "validation"
    schema = contract.model_json_schema(mode=mode)  # type: ignore[arg-type]

    assert schema["examples"]
    for example in schema["examples"]:
        contract.model_validate(example)
        Draft202012Validator(schema).validate(example)


@pytest.mark.parametrize("view", [LeadView, LeadCreated, LeadEventView])
def test_an_answer_is_written_as_its_example_says(view: type[View]) -> None:
    for example in view.model_json_schema()["examples"]:
        assert json.loads(view.model_validate(example).model_dump_json()) == example


@naughty.texts
def test_naughty_strings_are_stored_clean_or_refused_by_name(texts: naughty.Texts) -> None:
    for text in texts():
        for field in [*TEXT_FIELDS, "customFields"]:
            value = {"note": text} if field == "customFields" else text
            check({"email": "ada@acme.com", field: value}, field)


def check(body: dict[str, Any], field: str) -> None:
    try:
        lead = CreateLead.model_validate(body)
    except ValidationError as exc:
        assert {error.pointer.split("/")[1] for error in field_errors(exc)} == {field}  # noqa: PT017
    else:
        written = json.loads(lead.model_dump_json(by_alias=True))
        assert json.loads(CreateLead.model_validate(written).model_dump_json()) == written
        assert "\\u0000" not in lead.model_dump_json()


_SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20)
_JSON = _SCALAR | st.lists(_SCALAR, max_size=2) | st.dictionaries(st.text(st.characters(), max_size=5), _SCALAR)
_BODY = st.dictionaries(st.sampled_from([*TEXT_FIELDS, "customFields"]) | st.text(st.characters(), max_size=5), _JSON)


@given(_BODY | _JSON, st.sampled_from([CreateLead, UpdateLead]))
def test_any_json_body_gives_a_contract_or_field_errors(body: object, contract: type[Schema]) -> None:
    try:
        contract.model_validate(body)
    except ValidationError as exc:
        found = field_errors(exc)
        assert found
        for error in found:
            json.dumps([error.pointer, error.code, error.message], ensure_ascii=False).encode()


def test_custom_texts_that_are_too_long_in_all_are_refused_before_they_are_cleaned() -> None:
    broken = {f"field{n}": "\x00" * 2_000 for n in range(40)}

    assert codes(CreateLead, {"email": "ada@acme.com", "customFields": broken}) == {"/customFields": "too_long"}
