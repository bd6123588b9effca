"""Forms: input of browsers, validated by the same contracts as JSON, and shown again with its errors."""

import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin
from urllib.parse import parse_qsl
from uuid import UUID

from pydantic import ValidationError

from leadflood.kernel.errors import AppError, FieldError, InvalidInput
from leadflood.kernel.schema import REQUIRED, Schema, field_errors
from leadflood.web import labels

C = TypeVar("C", bound=Schema)

MAX_FIELDS = 2100
"""Field limit. The largest form has two fields for each of up to 1,000 columns of a file, and a few more."""
_MAX_DIGITS = 18
_ON = frozenset({"on", "true", "1", "yes"})


def by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The values of each name, in order."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


class Form:
    """The fields of one form, as text, and what is wrong with them.

    Names are those of the contract (camelCase); a dot leads into an object: `customFields.plan`.
    """

    def __init__(
        self, fields: Mapping[str, Sequence[str]] | None = None, errors: Iterable[FieldError] = (), detail: str = ""
    ) -> None:
        """`detail`: an error of the whole form, as a sentence."""
        self.fields = {name: list(values) for name, values in (fields or {}).items()}
        self.errors = {_name(error.pointer): _message(error) for error in reversed(list(errors))}
        self.detail = detail

    @classmethod
    def of(cls, values: Mapping[str, object]) -> "Form":
        """A form filled with stored values; None is an empty field, a list has several values."""
        return cls({name: _texts(value) for name, value in values.items() if value is not None})

    @classmethod
    def parse(cls, body: bytes) -> "Form":
        """Raises: InvalidInput: the body is not a form (application/x-www-form-urlencoded in UTF-8)."""
        try:
            pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
        except ValueError as error:
            fault = FieldError("", "invalid_format", f"Maximum {MAX_FIELDS} form fields, in UTF-8.")
            raise InvalidInput("The form could not be read. Reload and try again.", errors=[fault]) from error
        return cls(by_name((name, value.replace("\r\n", "\n")) for name, value in pairs))

    def value(self, name: str, default: str = "") -> str:
        """The last value of a field, as a template shows it."""
        return self.fields.get(name, [default])[-1]

    def values(self, name: str) -> list[str]:
        """All values of a field: of checkboxes that share a name."""
        return self.fields.get(name, [])

    def one_or_several(self, name: str) -> str | list[str]:
        """The value of a field, or the list of its non-empty values if it is sent more than once."""
        values = self.values(name)
        return [value for value in values if value] if len(values) > 1 else self.value(name)

    def checked(self, name: str) -> bool:
        """Whether a single checkbox is checked."""
        return self.value(name) in _ON

    def number(self, name: str) -> int | str:
        """A whole number; other text unchanged, for the contract to refuse."""
        text = self.value(name).strip()
        digits = text.removeprefix("-")
        return int(text) if len(digits) <= _MAX_DIGITS and digits.isascii() and digits.isdecimal() else text

    def version(self) -> int:
        """The version of the record that was shown; 0, which no record has, for any other text."""
        version = self.number("version")
        return version if isinstance(version, int) and version < 2**31 else 0

    def id(self, name: str) -> UUID:
        """An ID. Raises: InvalidInput."""
        try:
            return UUID(self.value(name))
        except ValueError as error:
            fault = FieldError(f"/{name}", "invalid_format", "Select an option.")
            raise InvalidInput("Select an option.", errors=[fault]) from error

    def error(self, name: str) -> str | None:
        """Error message of a field, with the remedy."""
        return self.errors.get(name)

    def refused(self, error: AppError) -> "Form":
        """The same fields, with the errors of `error`."""
        return Form(self.fields, error.errors, error.detail)

    def read(self, contract: type[C], *, blank: Any = ...) -> C:  # noqa: ANN401  None or nothing
        """The form as a contract.

        Args:
            contract: what it is validated against; fields of the form that it does not know are left out.
            blank: what an empty field stands for: nothing given (the default), or None.

        Raises: InvalidInput.
        """
        return validated(contract, self.given(contract, blank=blank))

    def given(self, contract: type[C], *, blank: Any = ...) -> dict[str, Any]:  # noqa: ANN401  as in `read`
        """Values that `read` validates: the fields that the contract knows, by their JSON names."""
        given: dict[str, Any] = {}
        for name, field in contract.model_fields.items():
            value = self._field(field.alias or name, field.annotation)
            if value == "" and blank is not ...:
                given[field.alias or name] = blank
            elif value not in ("", None):
                given[field.alias or name] = value
        return given

    def _field(self, alias: str, annotation: Any) -> Any:  # noqa: ANN401  as the contract says
        kinds = set(_kinds(annotation))
        if dict in kinds:
            prefix = f"{alias}."
            inner = {name[len(prefix) :]: self.one_or_several(name) for name in self.fields if name.startswith(prefix)}
            return {name: value for name, value in inner.items() if value} or None
        if alias not in self.fields:
            return None
        if bool in kinds:
            return self.checked(alias)
        if list in kinds:
            return [value for value in self.values(alias) if value]
        if int in kinds and str not in kinds:
            return self.number(alias)
        return self.value(alias)


def validated(contract: type[C], given: Mapping[str, Any]) -> C:
    """`given` as a contract. Raises: InvalidInput."""
    try:
        return contract.model_validate(given)
    except ValidationError as error:
        faults = field_errors(error)
        detail = "Fix the errors below."
        raise InvalidInput(detail, errors=faults) from error


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return ["", *map(str, value)]
    return [str(value).lower() if isinstance(value, bool) else str(value)]


def _kinds(annotation: Any) -> Iterable[Any]:  # noqa: ANN401  any annotation
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for get_arg in get_args(annotation):
            yield from _kinds(get_arg)
    else:
        yield origin or annotation


def _message(error: FieldError) -> str:
    return (
        f"{labels.field(error.pointer)} is required." if error.message == REQUIRED and error.pointer else error.message
    )


def _name(pointer: str) -> str:
    return pointer.lstrip("/?").replace("/", ".").replace("~1", "/").replace("~0", "~")
