"""Errors of engagement."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.kernel.errors import Conflict, FieldError, InvalidInput, NotFound, PreconditionFailed


class EngagementNotFound(NotFound):
    """No such engagement in the workspace."""

    code = "engagement_not_found"
    title = "Engagement not found"

    def __init__(self) -> None:
        super().__init__("No such engagement in your workspace.")


class DuplicateExternalKey(Conflict):
    """An engagement of another lead has this external key."""

    code = "duplicate_external_key"
    title = "Duplicate external key"
    remedy = "Use a key that is unique in the workspace."

    def __init__(self, existing_id: UUID) -> None:
        """Args: existing_id: of the engagement that has it."""
        message = "Belongs to an engagement of another lead. Use another key."
        super().__init__(
            "Another lead has an engagement with this external key.",
            errors=[FieldError("/externalKey", "duplicate", message)],
            extra={"existingId": str(existing_id)},
        )


class TooManyEngagements(Conflict):
    """The lead has the maximum number of engagements."""

    code = "too_many_engagements"
    title = "Engagement limit reached"
    remedy = "Delete old engagements of the lead first."

    def __init__(self, most: int) -> None:
        """Args: most: how many there can be."""
        super().__init__(f"A lead can have up to {most} engagements.")


class PointsRequired(InvalidInput):
    """The kind has no points of its own."""

    code = "points_required"
    title = "Points required"

    def __init__(self, kind: str) -> None:
        """Args: kind: of the engagement."""
        message = f"The kind {kind} has no points. Provide points from -100 to 100."
        super().__init__(message, errors=[FieldError("/points", "required", message)])


class NoEngagementColumns(InvalidInput):
    """A file of engagements lacks columns."""

    code = "no_engagement_columns"
    title = "Columns missing"

    def __init__(self, missing: Sequence[str]) -> None:
        """Args: missing: their names."""
        message = "The first row has to name the columns email, kind and at."
        errors = [FieldError(f"/{name}", "required", f"Add a column named {name}.") for name in missing]
        super().__init__(message, errors=errors)


class EngagementSettingsConflict(PreconditionFailed):
    """The settings were changed since they were read."""

    code = "engagement_settings_changed"
    title = "Version conflict"
    remedy = "Get the settings again and repeat the change with their new ETag."

    def __init__(self, current: int) -> None:
        """Args: current: the stored version."""
        super().__init__("The settings were changed since you read them.", extra={"currentVersion": current})


class InvalidBorders(InvalidInput):
    """Level 2 would begin above level 1."""

    code = "invalid_borders"
    title = "Invalid levels"

    def __init__(self) -> None:
        message = "Must be at most the points of level 1."
        super().__init__(
            "Level 2 can't begin above level 1.", errors=[FieldError("/level2From", "out_of_range", message)]
        )


class TooManyKinds(Conflict):
    """The workspace has the maximum number of kinds with points of its own."""

    code = "too_many_kinds"
    title = "Limit of kinds reached"
    remedy = "Give kinds that are no longer used their default points (null)."

    def __init__(self, most: int) -> None:
        """Args: most: how many there can be."""
        super().__init__(f"A workspace can have points of its own for up to {most} kinds.")
