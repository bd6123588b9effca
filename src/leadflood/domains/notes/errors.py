"""Errors of notes."""

from leadflood.kernel.errors import Forbidden, NotFound, PreconditionFailed


class NoteNotFound(NotFound):
    """No note with this ID in the workspace."""

    code = "note_not_found"
    title = "Note not found"

    def __init__(self) -> None:
        super().__init__("No note with this ID in your workspace.")


class NotTheAuthor(Forbidden):
    """Only the author of a note can do this."""

    code = "not_the_author"
    title = "Not your note"
    remedy = "Write a note of your own. Admins can delete notes of others."

    def __init__(self) -> None:
        super().__init__("Only the author can edit a note.")


class NoteVersionConflict(PreconditionFailed):
    """`If-Match` doesn't match the current version."""

    code = "note_changed"
    title = "Version conflict"

    def __init__(self, version: int) -> None:
        """Args: version: the stored one."""
        message = f"The note was updated since you read it (version {version}). Read it again and retry."
        super().__init__(message, extra={"currentVersion": version})
