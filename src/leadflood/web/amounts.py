"""Amounts of money in forms."""

from leadflood.domains.spending.models.amounts import micros_of
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.kernel.text import InvalidValue
from leadflood.web.forms import Form


def form_amount(form: Form, name: str) -> int | None:
    """The amount in a field, in millionths; None for an empty field. Raises: InvalidInput: it is no amount."""
    text = form.value(name).strip()
    try:
        return micros_of(text) if text else None
    except InvalidValue as error:
        raise InvalidInput("Fix the errors below.", errors=[FieldError(f"/{name}", error.code, str(error))]) from None
