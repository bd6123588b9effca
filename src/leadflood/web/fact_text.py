"""Values that sources found, as text for people."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from leadflood.domains.enrichment.models.fact_fields import FactType, FactValue
from leadflood.kernel.email_parts import to_u_labels
from leadflood.web import formats

_FORMATS: Final[Mapping[FactType, Callable[[Any], str | None]]] = {
    FactType.COUNTRY: formats.country,
    FactType.DOMAIN: to_u_labels,
    FactType.INTEGER: formats.number,
    FactType.LANGUAGE: formats.language,
    FactType.PHONE: formats.phone,
}


def fact_text(value: FactValue, fact_type: FactType) -> str:
    """A stored value as text. A value that is none of its type any more is shown as it is."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if fact_type in _FORMATS and isinstance(value, str) == (fact_type is not FactType.INTEGER):
        return _FORMATS[fact_type](value) or str(value)
    return str(value)
