"""Why a request about custom fields is refused."""

from collections.abc import Iterable

from leadflood.kernel.errors import Conflict, FieldError, InvalidInput, NotFound, PreconditionFailed


class FieldNotFound(NotFound):
    """No such custom field in this workspace."""

    code = "field_not_found"

    def __init__(self) -> None:
        super().__init__("There is no custom field with this id in your workspace.")


class DuplicateField(Conflict):
    """The workspace has a custom field with this key already."""

    code = "duplicate_field"
    title = "Duplicate field"

    def __init__(self, key: str) -> None:
        """Args: key: which there is already."""
        super().__init__(
            f"A custom field with the key {key} exists already.",
            errors=[FieldError("/key", "duplicate", "Use another key, or change the existing field.")],
        )


class TooManyFields(Conflict):
    """There are as many custom fields as there can be."""

    code = "too_many_fields"

    def __init__(self, most: int) -> None:
        """Args: most: how many there can be."""
        super().__init__(f"There are {most} custom fields, which is the maximum. Delete one first.")


class FieldVersionConflict(PreconditionFailed):
    """`If-Match` names another version than the stored one."""

    code = "field_changed"

    def __init__(self, version: int) -> None:
        """Args: version: the stored one."""
        message = f"The field was changed in the meantime: it is at version {version}. Read it again and repeat."
        super().__init__(message, extra={"currentVersion": version})


class ValuesDoNotFit(InvalidInput):
    """Values of custom fields do not fit the fields' types."""

    code = "invalid_input"

    def __init__(self, faults: Iterable[FieldError]) -> None:
        """Args: faults: one for each field."""
        super().__init__("A custom field has a value that does not fit its type.", errors=list(faults))
