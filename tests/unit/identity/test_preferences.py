"""Validation of user preferences."""

import pytest
from pydantic import ValidationError

from leadflood.domains.identity.contracts import UpdateMe
from leadflood.kernel.schema import field_errors


@pytest.mark.parametrize(
    "name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kathmandu", "Etc/GMT+12"]
)
def test_a_time_zone_is_a_name_of_the_iana_database(name: str) -> None:
    assert UpdateMe.model_validate({"timeZone": name}).time_zone == name


@pytest.mark.parametrize(
    "name",
    ["", "Berlin", "europe/berlin", "../../etc/passwd", "/etc/localtime", "America", "UTC\n", "🚀"],
)
def test_what_is_no_time_zone_is_refused_with_an_example(name: str) -> None:
    assert_no_time_zone(name)


def test_a_time_zone_of_many_megabytes_is_refused_with_an_example() -> None:
    assert_no_time_zone("x" * 10_000_000)


def assert_no_time_zone(name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        UpdateMe.model_validate({"timeZone": name})

    (error,) = field_errors(caught.value)
    assert (error.pointer, error.code) == ("/timeZone", "unknown_time_zone")
    assert "Europe/Berlin" in error.message


@pytest.mark.parametrize("value", ["Dark", "", "blue", 1])
def test_an_appearance_is_one_of_three(value: object) -> None:
    with pytest.raises(ValidationError):
        UpdateMe.model_validate({"appearance": value})
