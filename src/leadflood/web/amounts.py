"""Amounts of money in forms."""

from leadflood.domains.spending.models.amounts import micros_of
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.kernel.text import InvalidValue
from leadflood.web.forms import Form


def form_amount(form: Form, name: str) -> int | None:
    """The amount in a field, in millionths; None for an empty field. Raises: InvalidInput: it is no amount."""
    return required_amount(form, name) if form.value(name).strip() else None


def required_amount(form: Form, name: str) -> int:
    """The same of a field that must not be empty. Raises: InvalidInput: it is no amount."""
    try:
        return micros_of(form.value(name))
    except InvalidValue as error:
        raise InvalidInput("Fix the errors below.", errors=[FieldError(f"/{name}", error.code, str(error))]) from None
