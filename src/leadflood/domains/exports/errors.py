"""Why an export is refused."""

from leadflood.kernel.errors import Conflict, FieldError, InvalidInput, NotFound


class ExportNotFound(NotFound):
    """No such export in this workspace, or its time is over."""

    code = "export_not_found"

    def __init__(self) -> None:
        super().__init__("There is no export with this id in your workspace. Files are kept for 7 days.")


class ExportNotReady(Conflict):
    """The file is not whole yet, or never will be."""

    code = "export_not_ready"
    title = "The file is not ready"


class ExportTooLarge(Conflict):
    """More leads than are sent at once."""

    code = "export_too_large"
    title = "Too many leads to send at once"

    def __init__(self, limit: int) -> None:
        """Args: limit: leads that may be sent."""
        super().__init__(
            f"More than {limit:,} leads match. Have the file written (POST /v1/exports), or filter further."
        )


class TooManyExports(Conflict):
    """The workspace keeps as many files as it may."""

    code = "too_many_exports"
    title = "Too many files"

    def __init__(self, limit: int) -> None:
        """Args: limit: files that a workspace may keep."""
        super().__init__(f"A workspace keeps at most {limit} exported files. Delete some that nobody needs.")


class TooManyColumns(InvalidInput):
    """The leads have more custom fields than a table may have columns."""

    code = "too_many_columns"
    title = "Too many columns"

    def __init__(self, limit: int) -> None:
        """Args: limit: columns that a table may have."""
        message = f"A table has at most {limit} columns. Name those that you need, or use the format ndjson."
        super().__init__(
            "The leads have too many custom fields for a table.", errors=[FieldError("?columns", "too_long", message)]
        )
