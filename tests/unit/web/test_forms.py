"""Forms are read into the contracts of the API."""

from typing import Annotated
from urllib.parse import urlencode

import pytest
from pydantic import Field

from leadflood.domains.leads.contracts import CreateLead
from leadflood.kernel.errors import InvalidInput
from leadflood.kernel.schema import Schema
from leadflood.web.forms import MAX_FIELDS, Form


class Shape(Schema):
    name: Annotated[str, Field(max_length=5)] | None = None
    tall: bool = False
    size: int | None = None
    tags: list[str] = Field(default_factory=list)


def test_a_form_becomes_a_contract_by_its_camel_case_names() -> None:
    form = Form.parse(urlencode({"email": "ada@acme.com", "firstName": "Ada", "customFields.plan": "gold"}).encode())

    lead = form.read(CreateLead)

    assert (lead.email.display, lead.first_name, lead.custom_fields) == ("ada@acme.com", "Ada", {"plan": "gold"})


def test_fields_that_the_contract_does_not_know_are_left_out() -> None:
    assert Form.parse(b"csrf=x&name=Ada&page=2").read(Shape).name == "Ada"


@pytest.mark.parametrize(("blank", "given"), [(..., set()), (None, {"name"})])
def test_an_empty_field_is_one_not_given_unless_it_is_to_clear(blank: None, given: set[str]) -> None:
    assert Form.parse(b"name=").read(Shape, blank=blank).model_fields_set == given


def test_numbers_checkboxes_and_repeated_fields_get_their_types() -> None:
    shape = Form.parse(b"tall=on&size=12&tags=a&tags=b&tags=").read(Shape)

    assert (shape.tall, shape.size, shape.tags) == (True, 12, ["a", "b"])


def test_every_fault_is_told_at_its_field_and_what_was_typed_stays() -> None:
    form = Form.parse(b"name=much+too+long&size=many&tall=on")

    with pytest.raises(InvalidInput) as caught:
        form.read(Shape)
    again = form.refused(caught.value)

    assert again.error("name") == "Maximum 5 characters."
    assert again.error("size") == "Must be a whole number."
    assert again.error("tall") is None
    assert again.value("name") == "much too long"
    assert again.detail == "Fix the errors below."


@pytest.mark.parametrize("body", [b"name=%ff", b"name=\xff", b"&".join(b"a=1" for _ in range(MAX_FIELDS + 1))])
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        Form.parse(body)


def test_lines_of_a_text_area_end_as_json_would_have_them() -> None:
    assert Form.parse(b"name=a%0D%0Ab").value("name") == "a\nb"


@pytest.mark.parametrize("text", ["", "7", "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4fg"])
def test_a_field_that_holds_an_id_holds_one(text: str) -> None:
    with pytest.raises(InvalidInput):
        Form({"id": [text]}).id("id")
