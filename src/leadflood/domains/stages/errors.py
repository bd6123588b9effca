"""Errors of stages."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.kernel.errors import Conflict, FieldError, InvalidInput, NotFound, PreconditionFailed


class StageNotFound(NotFound):
    """No stage with this ID in the workspace."""

    code = "stage_not_found"
    title = "Stage not found"

    def __init__(self) -> None:
        super().__init__("No stage with this ID in your workspace.")


class DuplicateStage(Conflict):
    """A stage with this name or key already exists."""

    code = "duplicate_stage"
    title = "Duplicate stage"
    remedy = "Use or rename the existing stage (`existingId`). It may be archived."

    def __init__(self, name: str, existing_id: UUID) -> None:
        """Args: name: the one that is taken. existing_id: of the stage that has it."""
        message = "Already exists. Use another name, or rename or restore the existing stage."
        super().__init__(
            f"A stage named “{name}” already exists.",
            errors=[FieldError("/name", "duplicate", message)],
            extra={"existingId": str(existing_id)},
        )


class TooManyStages(Conflict):
    """The workspace has reached the limit of stages."""

    code = "too_many_stages"
    title = "Stage limit reached"
    remedy = "Rename an archived stage instead."

    def __init__(self, most: int) -> None:
        """Args: most: how many there can be."""
        super().__init__(f"Stage limit reached ({most}). Rename an archived stage instead.")


class LastStage(Conflict):
    """The only stage that is left can't be archived."""

    code = "last_stage"
    title = "Last stage"
    remedy = "Create or restore another stage first."

    def __init__(self) -> None:
        super().__init__("At least one stage is needed. Create or restore another one first.")


class StageVersionConflict(PreconditionFailed):
    """`If-Match` doesn't match the current version."""

    code = "stage_changed"
    title = "Version conflict"

    def __init__(self, version: int) -> None:
        """Args: version: the stored one."""
        message = f"The stage was updated since you read it (version {version}). Read it again and retry."
        super().__init__(message, extra={"currentVersion": version})


class UnknownStage(InvalidInput):
    """No stage with this key or name in the workspace."""

    code = "unknown_stage"
    title = "Unknown stage"

    def __init__(self, names: Sequence[str], pointer: str = "/stage") -> None:
        """Args: names: of the stages that there are. pointer: JSON pointer to the value."""
        message = f"Must be one of: {', '.join(names)}."
        super().__init__("The stage doesn't exist.", errors=[FieldError(pointer, "unknown_stage", message)])
