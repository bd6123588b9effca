"""Catalogs of fields: what the annotations of a class declare."""

from typing import Annotated
from uuid import UUID

import pytest

from leadflood.kernel.db.sql import identifier, sql
from leadflood.kernel.field_types import FieldType
from leadflood.kernel.fields import UUID_, FieldCatalog, FieldDefinition
from leadflood.kernel.text import InvalidValue


class Declared:
    """Fields of a subject."""

    code: Annotated[str, FieldDefinition(label="Code", wide=True)]
    size: Annotated[
        str | None, FieldDefinition(label="Size", type=FieldType.CHOICE, choices={"s": "Small", "l": "Large"})
    ]
    call_sign: Annotated[str | None, FieldDefinition(label="Call sign", depends_on=("owner_id",))]
    owner_id: Annotated[UUID | None, FieldDefinition(label="Owner", type=FieldType.PERSON, sql_type=UUID_)]


CATALOG = FieldCatalog.of("ship", Declared)


def test_an_annotation_names_the_field_in_code_api_lists_and_statements() -> None:
    field = CATALOG["owner_id"]

    assert (field.name, field.api_name, field.short_name) == ("owner_id", "ownerId", "owner")
    assert CATALOG.columns == sql("code, size, call_sign, owner_id")
    assert CATALOG.values(Declared)["call_sign"] == (str | None, ...)


def test_fields_stand_two_in_a_row_and_after_those_that_they_need() -> None:
    assert [[field.name for field in row] for row in CATALOG.rows] == [["code"], ["size", "call_sign"], ["owner_id"]]
    assert [field.name for field in CATALOG.by_dependency] == ["code", "size", "owner_id", "call_sign"]


def test_a_choice_takes_its_values_and_their_labels_and_nothing_else() -> None:
    parse = CATALOG["size"].parse

    assert parse is not None
    assert [parse("Small"), parse("l")] == ["s", "l"]
    for wrong in ("Medium", " "):
        with pytest.raises(InvalidValue):
            parse(wrong)


@pytest.mark.parametrize("name", ["a b", "Name", "x;--", "", "n" * 64, "naïve"])
def test_what_is_no_name_of_a_column_gets_into_no_statement(name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a column"):
        identifier(name)


def test_a_type_without_a_column_is_refused() -> None:
    with pytest.raises(ValueError, match="a field is text"):
        FieldDefinition(label="Born", type=FieldType.DATE).named("born")
