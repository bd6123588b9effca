"""Errors of profiles."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.kernel.errors import Conflict, FieldError, InvalidInput, NotFound, PreconditionFailed


class IcpNotFound(NotFound):
    """No such profile in the workspace."""

    code = "icp_not_found"
    title = "Profile not found"

    def __init__(self) -> None:
        super().__init__("No such profile in your workspace.")


class IcpVersionNotFound(NotFound):
    """The profile has no version with this number."""

    code = "icp_version_not_found"
    title = "Version not found"

    def __init__(self) -> None:
        super().__init__("The profile has no version with this number.")


class NotScored(NotFound):
    """No version of the profile is live, so leads have no scores."""

    code = "icp_not_live"
    title = "Profile is not live"

    def __init__(self) -> None:
        super().__init__("No version of this profile is published. Publish one to score leads.")


class DuplicateIcp(Conflict):
    """A profile with this name exists already."""

    code = "duplicate_icp"
    title = "Duplicate profile"
    remedy = "Use the existing profile (`existingId`), or another name."

    def __init__(self, name: str, existing_id: UUID) -> None:
        """Args: name: the one that is taken. existing_id: of the profile that has it."""
        super().__init__(
            f"A profile named “{name}” already exists.",
            errors=[FieldError("/name", "duplicate", "Already exists. Use another name.")],
            extra={"existingId": str(existing_id)},
        )


class TooManyIcps(Conflict):
    """The workspace has reached the limit of profiles."""

    code = "too_many_icps"
    title = "Profile limit reached"
    remedy = "Delete profiles first."

    def __init__(self, limit: int) -> None:
        """Args: limit: how many there can be."""
        super().__init__(f"A workspace can have up to {limit} profiles.")


class PublicationRuns(Conflict):
    """A version of the profile is being published."""

    code = "icp_publication_runs"
    title = "Publication running"
    remedy = "Wait until it has ended."

    def __init__(self) -> None:
        super().__init__("A version of this profile is being published.")


class AlreadyLive(Conflict):
    """The version is live already."""

    code = "icp_already_live"
    title = "Already live"
    remedy = "Publish another version, or change the draft first."

    def __init__(self) -> None:
        super().__init__("This version is live already.")


class IcpVersionConflict(PreconditionFailed):
    """The profile was changed since it was read."""

    code = "icp_version_conflict"
    title = "Version conflict"
    remedy = "Get the profile again and repeat the change with its new ETag."

    def __init__(self, current: int) -> None:
        """Args: current: the stored version."""
        super().__init__("The profile was changed since you read it.", extra={"currentVersion": current})


class UnknownTier(InvalidInput):
    """The profile has no such tier."""

    code = "unknown_tier"
    title = "Unknown tier"

    def __init__(self, names: str) -> None:
        """Args: names: those that it has."""
        message = f"Provide one of: {names}."
        super().__init__("The profile has no such tier.", errors=[FieldError("?tier", "unknown_tier", message)])


class BacktestNotFound(NotFound):
    """No such backtest in the workspace."""

    code = "backtest_not_found"
    title = "Backtest not found"

    def __init__(self) -> None:
        super().__init__("No such backtest in your workspace. The latest 20 of each profile are kept.")


class BacktestRuns(Conflict):
    """A version of the profile is being tested."""

    code = "backtest_runs"
    title = "Backtest running"
    remedy = "Wait until the backtest has ended."

    def __init__(self) -> None:
        super().__init__("A version of this profile is being tested.")


class OutcomeNotFound(NotFound):
    """No such outcome in the workspace."""

    code = "outcome_not_found"
    title = "Outcome not found"

    def __init__(self) -> None:
        super().__init__("No such outcome in your workspace.")


class NoOutcomeColumns(InvalidInput):
    """A file of outcomes lacks columns."""

    code = "no_outcome_columns"
    title = "Columns missing"

    def __init__(self, missing: Sequence[str]) -> None:
        """Args: missing: their names."""
        message = "The first row has to name the columns email, outcome and date."
        names = ["date" if name == "at" else name for name in missing]
        errors = [FieldError(f"/{name}", "required", f"Add a column named {name}.") for name in names]
        super().__init__(message, errors=errors)
