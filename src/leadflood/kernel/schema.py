"""Common rules of all inputs and outputs, and our wording of validation errors."""

from collections.abc import Sequence
from functools import cache
from itertools import islice
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from leadflood.kernel.errors import FieldError

MAX_FIELD_ERRORS = 100
"""Maximum number of listed errors: a hostile body must not get a response larger than itself."""
_SHOWN = 100
"""Maximum code points of the caller's text (field names) repeated in an error."""


class Schema(BaseModel):
    """Input of a caller: camelCase names only, no unknown fields, no coercion between JSON types, immutable."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=False,
        serialize_by_alias=True,
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )

    # The ignored complaint is about the configuration above: mypy cannot check construction by camelCase names, and
    # inputs are only ever validated, never constructed.
    @model_validator(mode="wrap")  # type: ignore[pydantic-alias]
    @classmethod
    def _refuse_unknown_fields(cls, data: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Name the known fields next to an unknown one, together with all other errors.

        Pydantic alone would not name them, and would stop at the first field name that is no valid Unicode.
        """
        known = _known(cls)
        if not isinstance(data, dict) or known.issuperset(data):
            return handler(data)
        faults: list[InitErrorDetails] = []
        try:
            handler({name: value for name, value in data.items() if name in known})
        except ValidationError as exc:
            faults.extend(_again(fault) for fault in exc.errors(include_url=False))
        refusal = PydanticCustomError("unknown_field", "Unknown field", {"known": ", ".join(_aliases(cls))})
        listed = islice((name for name in data if name not in known), MAX_FIELD_ERRORS + 1)
        faults.extend(InitErrorDetails(type=refusal, loc=(_shown(name),), input=None) for name in listed)
        raise ValidationError.from_exception_data(cls.__name__, faults, hide_input=True)


class StoredJson(BaseModel):
    """Value stored as JSON in camelCase and read again, possibly by another release: unknown fields are ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
        extra="ignore",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
    )


class View(Schema):
    """Output: built by Python names from database values, serialized in camelCase."""

    model_config = ConfigDict(validate_by_name=True, strict=False)


class Count(View):
    """Number of items, counted up to a limit: above it, `value` is the limit and `exact` is false."""

    value: int
    exact: bool = Field(description="False if `value` is a lower bound or an estimate.")

    @classmethod
    def up_to(cls, limit: int, found: int) -> Self:
        """A count from a query that stops after `limit + 1`."""
        return cls(value=min(found, limit), exact=found <= limit)


def field_errors(exc: ValidationError, prefix: str = "") -> list[FieldError]:
    """All faults of `exc` in our words.

    Args:
        exc: what pydantic raised.
        prefix: RFC 6901 pointer to the place of the validated value in the whole document, such as `/leads/3`.
    """
    return field_errors_of(exc.errors(include_url=False), prefix)


def field_errors_of(faults: Sequence[ErrorDetails], prefix: str = "") -> list[FieldError]:
    """Like `field_errors`, for errors that a framework has extracted from their exception."""
    listed = [_field_error(fault, prefix) for fault in faults[:MAX_FIELD_ERRORS]]
    if len(faults) > len(listed):
        listed.append(FieldError(prefix, "too_many_errors", "Fix the listed errors first. There are more."))
    return listed


def pointer(path: Sequence[int | str], prefix: str = "") -> str:
    """The RFC 6901 JSON pointer to `path` below `prefix`. Parts are cut after 100 characters, with an ellipsis."""
    parts = (_shown(part).replace("~", "~0").replace("/", "~1") for part in path)
    return prefix + "".join(f"/{part}" for part in parts)


REQUIRED = "This field is required."
_TYPES = {
    "string": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "dict": "an object",
    "model": "an object",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "uuid": 'a UUID, such as "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10"',
    "datetime": 'an RFC 3339 time, such as "2026-03-01T09:30:00Z"',
    "date": 'an ISO 8601 date, such as "2026-03-01"',
}

_MESSAGES = {
    "missing": ("required", REQUIRED),
    "unknown_field": ("unknown_field", "Unknown field. Allowed: {known}."),
    "string_unicode": ("invalid_characters", "Contains invalid Unicode."),
    "string_too_long": ("too_long", "Maximum {max_length} characters."),
    "string_too_short": ("too_short", "At least {min_length} characters."),
    "string_pattern_mismatch": ("invalid_format", "Must match {pattern}."),
    "too_long": ("too_long", "Maximum {max_length} entries."),
    "too_short": ("too_short", "At least {min_length} required."),
    "greater_than": ("out_of_range", "Must be greater than {gt}."),
    "greater_than_equal": ("out_of_range", "Must be at least {ge}."),
    "less_than": ("out_of_range", "Must be less than {lt}."),
    "less_than_equal": ("out_of_range", "Must be at most {le}."),
    "multiple_of": ("out_of_range", "Must be a multiple of {multiple_of}."),
    "finite_number": ("out_of_range", "Must be a finite number."),
    "int_parsing_size": ("out_of_range", "Number is too large."),
    "int_from_float": ("wrong_type", "Must be a whole number."),
    "enum": ("not_allowed", "Must be one of: {expected}."),
    "literal_error": ("not_allowed", "Must be one of: {expected}."),
    "none_required": ("not_allowed", "Must be null."),
    "timezone_aware": ("invalid_format", 'Must have a time zone, such as "Z" at the end.'),
    "json_invalid": ("invalid_json", "Invalid JSON: {error}."),
}
"""Our code and message for each of pydantic's error types; `{…}` is filled from its context."""
_EMPTY = ("too_short", "Must not be empty.")


def _field_error(fault: ErrorDetails, prefix: str) -> FieldError:
    path = [part for part in fault["loc"] if part != "[key]"]
    code, message = _code_and_message(fault)
    return FieldError(pointer(path, prefix), code, message)


def _code_and_message(fault: ErrorDetails) -> tuple[str, str]:
    kind, context = fault["type"], fault.get("ctx", {})
    if kind in _MESSAGES:
        code, template = _EMPTY if kind == "string_too_short" and context["min_length"] == 1 else _MESSAGES[kind]
        return code, template.format_map(context)
    if kind == "value_error":
        return getattr(context["error"], "code", "invalid_format"), str(context["error"])
    wanted = _TYPES.get(kind.partition("_")[0])
    if wanted and kind.endswith("_type"):
        if fault["input"] is None:
            return "wrong_type", f"Must be {wanted}, not null."
        return "wrong_type", f"Must be {wanted}."
    if wanted:
        return "invalid_format", f"Must be {wanted}."
    return "invalid_format", fault["msg"]


@cache
def _known(contract: type[Schema]) -> frozenset[str]:
    by_name = contract.model_fields if contract.model_config["validate_by_name"] else ()
    return frozenset((*_aliases(contract), *by_name))


def _aliases(contract: type[Schema]) -> list[str]:
    return [field.alias or name for name, field in contract.model_fields.items()]


def _again(fault: ErrorDetails) -> InitErrorDetails:
    same = PydanticCustomError(fault["type"], fault["msg"], fault.get("ctx"))
    return InitErrorDetails(type=same, loc=fault["loc"], input=fault["input"])


def _shown(part: object) -> str:
    text = str(part).encode(errors="replace").decode()
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "\u2026"
