"""Errors of lists."""

from uuid import UUID

from leadflood.kernel.errors import Conflict, FieldError, InvalidInput, NotFound, PreconditionFailed


class ListNotFound(NotFound):
    """No list with this ID in the workspace."""

    code = "list_not_found"
    title = "List not found"

    def __init__(self) -> None:
        super().__init__("No list with this ID in your workspace.")


class UnknownList(InvalidInput):
    """No list with this ID in the workspace, to add leads to or remove them from."""

    code = "unknown_list"
    title = "Unknown list"

    def __init__(self, pointer: str) -> None:
        """Args: pointer: JSON pointer to the ID."""
        fault = FieldError(pointer, "unknown_list", "No such list. Choose another one.")
        super().__init__("The list doesn't exist.", errors=[fault])


class DuplicateList(Conflict):
    """A list with this name already exists."""

    code = "duplicate_list"
    title = "Duplicate list"
    remedy = "Use the existing list (`existingId`), or another name."

    def __init__(self, name: str, existing_id: UUID) -> None:
        """Args: name: the one that is taken. existing_id: of the list that has it."""
        super().__init__(
            f"A list named “{name}” already exists.",
            errors=[FieldError("/name", "duplicate", "Already exists. Use another name.")],
            extra={"existingId": str(existing_id)},
        )


class TooManyLists(Conflict):
    """The workspace has reached the limit of lists."""

    code = "too_many_lists"
    title = "List limit reached"
    remedy = "Delete lists first."

    def __init__(self, most: int) -> None:
        """Args: most: how many there can be."""
        super().__init__(f"List limit reached ({most}). Delete some first.")


class ListVersionConflict(PreconditionFailed):
    """`If-Match` doesn't match the current version."""

    code = "list_changed"
    title = "Version conflict"

    def __init__(self, version: int) -> None:
        """Args: version: the stored one."""
        message = f"The list was updated since you read it (version {version}). Read it again and retry."
        super().__init__(message, extra={"currentVersion": version})
