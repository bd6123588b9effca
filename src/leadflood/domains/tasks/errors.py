"""Errors of tasks."""

from leadflood.kernel.errors import FieldError, InvalidInput, NotFound, PreconditionFailed


class TaskNotFound(NotFound):
    """No task with this ID in the workspace."""

    code = "task_not_found"
    title = "Task not found"

    def __init__(self) -> None:
        super().__init__("No task with this ID in your workspace.")


class TaskVersionConflict(PreconditionFailed):
    """`If-Match` doesn't match the current version."""

    code = "task_changed"
    title = "Version conflict"

    def __init__(self, version: int) -> None:
        """Args: version: the stored one."""
        message = f"The task was updated since you read it (version {version}). Read it again and retry."
        super().__init__(message, extra={"currentVersion": version})


class UnknownAssignee(InvalidInput):
    """`assigneeId` is not a member of the workspace."""

    code = "unknown_assignee"
    title = "Unknown assignee"
    remedy = "Send the ID of a member, or null."

    def __init__(self) -> None:
        fault = FieldError("/assigneeId", "unknown_assignee", "Must be the ID of a workspace member, or null.")
        super().__init__("Unknown assignee.", errors=[fault])
