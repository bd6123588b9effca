"""Validation of settings and command-line values; every invalid one is named."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError

from leadflood.kernel.config import Settings
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.kernel.schema import Schema, field_errors

PREFIX = "LEADFLOOD_"

C = TypeVar("C", bound=Schema)


def load_settings() -> Settings:
    """The settings of this process. Raises: InvalidInput: naming all invalid variables."""
    try:
        return Settings()
    except ValidationError as exc:
        faults = [
            FieldError(f"{PREFIX}{fault.pointer.strip('/').upper()}", fault.code, fault.message)
            for fault in field_errors(exc)
        ]
        raise InvalidInput("Invalid settings.", errors=faults) from None


def checked(contract: type[C], given: Mapping[str, object]) -> C:
    """The values as a validated contract. Raises: InvalidInput: naming all invalid values."""
    import leadflood.bootstrap  # noqa: F401  domains add permissions, columns and filters, which contracts accept

    try:
        return contract.model_validate(given)
    except ValidationError as exc:
        raise InvalidInput("Invalid values.", errors=field_errors(exc)) from None
