"""Why a file or a request about an import is refused."""

from leadflood.kernel.errors import AppError, Conflict, NotFound


class ImportNotFound(NotFound):
    """No such import in this workspace."""

    code = "import_not_found"

    def __init__(self) -> None:
        super().__init__("There is no import with this id in your workspace.")


class ImportNotReady(Conflict):
    """The import is in a state that does not allow this."""

    code = "import_not_ready"
    title = "Not in this state of the import"


class UnreadableFile(AppError):
    """The file cannot be read as a table of leads; the message says where and what to do."""

    code = "unreadable_file"
    status = 400
    title = "Unreadable file"


class FileNotRead(UnreadableFile):
    """The process that read the file ended: by the file, or by something that will pass."""


class FileTooLarge(AppError):
    """The file is larger than this server accepts."""

    code = "file_too_large"
    status = 413
    title = "File too large"

    def __init__(self, limit: int) -> None:
        """Args: limit: bytes that a file may have."""
        message = f"A file may have {limit:,} bytes. Split it, or raise LEADFLOOD_MAX_IMPORT_BYTES."
        super().__init__(message, headers={"Connection": "close"})
