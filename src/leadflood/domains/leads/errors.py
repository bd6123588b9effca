"""Why a request about a lead is refused."""

from uuid import UUID

from leadflood.kernel.errors import Conflict, FieldError, InvalidInput, NotFound, PreconditionFailed


class LeadNotFound(NotFound):
    """No such lead in this workspace, or it is deleted."""

    code = "lead_not_found"

    def __init__(self) -> None:
        super().__init__("There is no lead with this id in your workspace.")


class DuplicateLead(Conflict):
    """The workspace has a lead with this e-mail address already."""

    code = "duplicate_lead"
    title = "Duplicate lead"

    def __init__(self, existing_id: UUID) -> None:
        """Args: existing_id: the lead that has the address."""
        super().__init__(
            "A lead with this e-mail address exists already.",
            errors=[FieldError("/email", "duplicate", "Use another address, or change the existing lead.")],
            extra={"existingId": str(existing_id)},
        )


class LeadChanged(PreconditionFailed):
    """`If-Match` names another version than the stored one."""

    code = "lead_changed"

    def __init__(self, version: int) -> None:
        """Args: version: the stored one."""
        message = f"The lead was changed in the meantime: it is at version {version}. Read it again and repeat."
        super().__init__(message, extra={"currentVersion": version})


class UnknownOwner(InvalidInput):
    """`ownerId` is nobody in this workspace."""

    code = "unknown_owner"

    def __init__(self) -> None:
        message = "Give the id of a member of this workspace, or null."
        super().__init__("The owner is unknown.", errors=[FieldError("/ownerId", "unknown_owner", message)])
