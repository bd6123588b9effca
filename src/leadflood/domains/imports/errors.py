"""Errors of imports."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.kernel.errors import AppError, Conflict, NotFound


class ImportNotFound(NotFound):
    """No import with this ID in the workspace."""

    code = "import_not_found"
    title = "Import not found"

    def __init__(self) -> None:
        super().__init__("No import with this ID in your workspace.")


class ImportNotReady(Conflict):
    """The import's status doesn't allow this."""

    code = "import_not_ready"
    title = "Import isn't in a state that allows this"
    remedy = "Read the import's `status`; `detail` says which one is needed."


class ImportsBusy(Conflict):
    """Imports that may contain the person are in progress, so the person can't be erased now."""

    code = "imports_busy"
    title = "Imports in progress"
    remedy = "Wait until the imports of `importIds` finish, or pause or cancel them, then try again."

    def __init__(self, import_ids: Sequence[UUID]) -> None:
        """Args: import_ids: the imports in progress."""
        super().__init__(
            "An import that may contain this person is being previewed or committed. Wait until it finishes, or pause"
            " or cancel it, then try again.",
            extra={"importIds": [str(import_id) for import_id in import_ids]},
        )


class UnreadableFile(AppError):
    """The file can't be parsed; the message says where and how to fix it."""

    code = "unreadable_file"
    status = 400
    title = "Unreadable file"
    remedy = "Correct what `detail` names in the file, or set its format, and upload it again."


class FileNotRead(UnreadableFile):
    """The process that read the file ended: because of the file, or for a temporary reason."""


class ImportQuotaExceeded(Conflict):
    """The workspace's uncommitted import files would exceed their maximum total size."""

    code = "import_quota_exceeded"
    title = "Import storage full"
    remedy = "Commit or delete some of the `imports` first."

    def __init__(self, limit: int, largest: Sequence[tuple[UUID, str, int]]) -> None:
        """Args: limit: maximum bytes of all files together. largest: ID, name and bytes of the largest ones."""
        names = ", ".join(f"{name} ({size:,} bytes)" for _, name, size in largest)
        message = (
            f"Uncommitted imports can take {limit:,} bytes in this workspace. Commit or delete some "
            f"first. The largest: {names or 'none'}. Set LEADFLOOD_MAX_UNCOMMITTED_IMPORT_BYTES to change the limit."
        )
        found = [{"id": str(id_), "filename": name, "sizeBytes": size} for id_, name, size in largest]
        super().__init__(message, headers={"Connection": "close"}, extra={"imports": found})


class FileTooLarge(AppError):
    """The file exceeds the maximum size."""

    code = "file_too_large"
    status = 413
    title = "File too large"
    remedy = "Split the file."

    def __init__(self, limit: int) -> None:
        """Args: limit: maximum bytes of a file."""
        message = f"File is too large (max {limit:,} bytes). Split it, or raise LEADFLOOD_MAX_IMPORT_BYTES."
        super().__init__(message, headers={"Connection": "close"})
