"""Errors of exports."""

from leadflood.kernel.errors import Conflict, FieldError, InvalidInput, NotFound


class ExportNotFound(NotFound):
    """No export with this ID in the workspace, or it has expired."""

    code = "export_not_found"
    title = "Export not found"

    def __init__(self) -> None:
        super().__init__("No export with this ID in your workspace. Exports are kept for 7 days.")


class ExportNotReady(Conflict):
    """The file isn't complete, or the export failed."""

    code = "export_not_ready"
    title = "Export not ready"
    remedy = "Poll the export until its `status` is `ready`; create a new one if it is `failed`."


class ExportTooLarge(Conflict):
    """Too many leads for a direct download."""

    code = "export_too_large"
    title = "Export too large"
    remedy = "Create an export with `POST /v1/exports`, or add filters."

    def __init__(self, limit: int) -> None:
        """Args: limit: maximum number of leads."""
        super().__init__(
            f"More than {limit:,} leads match. Prepare the export in the background (POST /v1/exports), or add filters."
        )


class TooManyExports(Conflict):
    """The workspace has reached the limit of export files."""

    code = "too_many_exports"
    title = "Export limit reached"
    remedy = "Delete exports that you no longer need."

    def __init__(self, limit: int) -> None:
        """Args: limit: maximum number of files per workspace."""
        super().__init__(f"Export limit reached ({limit}). Delete exports you no longer need.")


class TooManyColumns(InvalidInput):
    """The leads have more custom fields than a file can have columns."""

    code = "too_many_columns"
    title = "Too many columns"
    remedy = "Name fewer columns, or use the format `ndjson`."

    def __init__(self, limit: int) -> None:
        """Args: limit: maximum number of columns of a table."""
        message = f"Maximum {limit} columns. Name the ones you need, or use the format ndjson."
        super().__init__(
            "The leads have too many custom fields for a table.", errors=[FieldError("?columns", "too_long", message)]
        )
