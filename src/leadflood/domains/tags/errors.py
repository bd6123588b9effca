"""Errors of tags."""

from uuid import UUID

from leadflood.kernel.errors import Conflict, FieldError, InvalidInput, NotFound, PreconditionFailed


class TagNotFound(NotFound):
    """No tag with this ID in the workspace."""

    code = "tag_not_found"
    title = "Tag not found"

    def __init__(self) -> None:
        super().__init__("No tag with this ID in your workspace.")


class DuplicateTag(Conflict):
    """A tag with this name already exists."""

    code = "duplicate_tag"
    title = "Duplicate tag"
    remedy = "Use the existing tag (`existingId`), or merge the two."

    def __init__(self, name: str, existing_id: UUID) -> None:
        """Args: name: the one that is taken. existing_id: of the tag that has it."""
        super().__init__(
            f"A tag named “{name}” already exists.",
            errors=[FieldError("/name", "duplicate", "Already exists. Use another name, or merge the tags.")],
            extra={"existingId": str(existing_id)},
        )


class TooManyTags(Conflict):
    """The workspace has reached the limit of tags."""

    code = "too_many_tags"
    title = "Tag limit reached"
    remedy = "Delete or merge tags first."

    def __init__(self, most: int) -> None:
        """Args: most: how many there can be."""
        super().__init__(f"Tag limit reached ({most}). Delete or merge some first.")


class TagVersionConflict(PreconditionFailed):
    """`If-Match` doesn't match the current version."""

    code = "tag_changed"
    title = "Version conflict"

    def __init__(self, version: int) -> None:
        """Args: version: the stored one."""
        message = f"The tag was updated since you read it (version {version}). Read it again and retry."
        super().__init__(message, extra={"currentVersion": version})


class UnknownTag(InvalidInput):
    """No tag with this ID or these names in the workspace."""

    code = "unknown_tag"
    title = "Unknown tag"

    def __init__(self, pointer: str) -> None:
        """Args: pointer: JSON pointer to the ID or names."""
        fault = FieldError(pointer, "unknown_tag", "No such tag. Choose another one.")
        super().__init__("The tag doesn't exist.", errors=[fault])


class MergeIntoItself(InvalidInput):
    """A tag can't be merged into itself."""

    code = "invalid_input"

    def __init__(self) -> None:
        message = "Choose another tag."
        super().__init__("A tag can't be merged into itself.", errors=[FieldError("/intoId", "not_allowed", message)])
