"""Errors of enrichment."""

from collections.abc import Collection

from leadflood.kernel.errors import AppError, Conflict, FieldError


class UnknownSource(AppError):
    """A setting names a source that does not exist."""

    code = "unknown_source"
    title = "Unknown enrichment source"

    def __init__(self, name: str, known: list[str]) -> None:
        """Args: name: the unknown one. known: the existing ones."""
        names = ", ".join(known)
        super().__init__(
            f"There is no enrichment source {name!r}. Set LEADFLOOD_ENRICHMENT_SOURCES to some of: {names}."
        )


class FoundValueChanged(Conflict):
    """A value to accept is not, or no longer, the effective value of its field."""

    code = "found_value_changed"
    title = "Found value changed"
    remedy = "Read `effectiveValues` of the lead again."

    def __init__(self, fields: Collection[str]) -> None:
        """Args: fields: their names in the API."""
        message = "Another value is chosen now, or none."
        super().__init__(
            "The found values have changed since you read them. Nothing was accepted.",
            errors=[FieldError(f"/values/{name}", "found_value_changed", message) for name in fields],
        )
