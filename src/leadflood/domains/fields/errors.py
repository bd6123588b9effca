"""Errors of custom fields."""

from collections.abc import Iterable

from leadflood.kernel.errors import Conflict, FieldError, InvalidInput, NotFound, PreconditionFailed


class FieldNotFound(NotFound):
    """No custom field with this ID in the workspace."""

    code = "field_not_found"
    title = "Field not found"

    def __init__(self) -> None:
        super().__init__("No custom field with this ID in your workspace.")


class DuplicateField(Conflict):
    """A custom field with this key already exists."""

    code = "duplicate_field"
    title = "Duplicate field"
    remedy = "Update the existing field, or use another key."

    def __init__(self, key: str) -> None:
        """Args: key: the existing one."""
        super().__init__(
            f"A custom field with the key {key} already exists.",
            errors=[FieldError("/key", "duplicate", "Already exists. Use another key, or update the existing field.")],
        )


class TooManyFields(Conflict):
    """The workspace has reached the limit of custom fields."""

    code = "too_many_fields"
    title = "Field limit reached"
    remedy = "Delete a field first."

    def __init__(self, most: int) -> None:
        """Args: most: the maximum."""
        super().__init__(f"Custom field limit reached ({most}). Delete one first.")


class FieldVersionConflict(PreconditionFailed):
    """`If-Match` doesn't match the current version of the field."""

    def __init__(self, version: int) -> None:
        """Args: version: the current one."""
        message = f"The field was updated since you read it (version {version}). Read it again and retry."
        super().__init__(message, extra={"currentVersion": version})


class ValuesDoNotFit(InvalidInput):
    """Values of custom fields do not fit the fields' types."""

    code = "invalid_input"

    def __init__(self, faults: Iterable[FieldError]) -> None:
        """Args: faults: one error for each field."""
        super().__init__("A custom field has a value that doesn't match its type.", errors=list(faults))
