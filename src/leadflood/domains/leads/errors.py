"""Errors of leads."""

from collections.abc import Collection
from uuid import UUID

from leadflood.kernel.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound, PreconditionFailed


class LeadNotFound(NotFound):
    """No lead with this ID in the workspace, or it is deleted."""

    code = "lead_not_found"
    title = "Lead not found"

    def __init__(self, email: str | None = None) -> None:
        """Args: email: by which it was looked for, if not by its ID."""
        wanted = "this ID" if email is None else f"the email {email}"
        super().__init__(f"No lead with {wanted} in your workspace.")


class DuplicateLead(Conflict):
    """A lead with this email already exists."""

    code = "duplicate_lead"
    title = "Duplicate lead"
    remedy = "Update the lead that `existingId` names, or use another email."

    def __init__(self, existing_id: UUID) -> None:
        """Args: existing_id: the lead with the email."""
        super().__init__(
            "A lead with this email already exists.",
            errors=[
                FieldError("/email", "duplicate", "Already exists. Update the existing lead, or use another email.")
            ],
            extra={"existingId": str(existing_id)},
        )


class LeadMerged(Conflict):
    """The lead was merged into another one. Undoing the merge restores it."""

    code = "lead_merged"
    title = "Lead was merged"
    remedy = "Undo the merge that `mergeId` names."

    def __init__(self, *, merge_id: UUID, survivor_id: UUID, survivor_email: str) -> None:
        """Args: merge_id: the merge. The survivor: the lead that it was merged into."""
        super().__init__(
            f"This lead was merged into {survivor_email}. Undo the merge to restore it.",
            extra={"mergeId": str(merge_id), "survivorId": str(survivor_id)},
        )


class LeadVersionConflict(PreconditionFailed):
    """`If-Match` doesn't match the current version of the lead."""

    def __init__(self, version: int) -> None:
        """Args: version: the current one."""
        message = f"The lead was updated since you read it (version {version}). Read it again and retry."
        super().__init__(message, extra={"currentVersion": version})


class FieldsTaken(Conflict):
    """Fields that were to be filled have another value meanwhile."""

    code = "fields_taken"
    title = "Fields have values"
    remedy = "Read the lead again. Only empty fields are filled; to replace a value, update the lead."

    def __init__(self, fields: Collection[str]) -> None:
        """Args: fields: their names in the API."""
        message = "Has another value, which is kept."
        super().__init__(
            "The lead has values in these fields, which are kept. Nothing was accepted.",
            errors=[FieldError(f"/values/{name}", "fields_taken", message) for name in fields],
        )


class UnknownOwner(InvalidInput):
    """`ownerId` is not a member of the workspace."""

    code = "unknown_owner"
    title = "Unknown owner"
    remedy = "Send the ID of a member, or null."

    def __init__(self, pointer: str = "/ownerId") -> None:
        message = "Must be the ID of a workspace member, or null."
        super().__init__("Unknown owner.", errors=[FieldError(pointer, "unknown_owner", message)])


class ChangesetNotFound(NotFound):
    """No changeset with this ID in the workspace."""

    code = "changeset_not_found"
    title = "Change not found"

    def __init__(self) -> None:
        super().__init__("No changeset with this ID in your workspace.")


class ChangesetNotUndoable(Conflict):
    """The changeset is still being applied, or the undo period has ended."""

    code = "changeset_not_undoable"
    title = "Change can't be undone"
    remedy = "Wait until its `status` is `applied`; after the undo period it is final."


class ChangesetClosed(Conflict):
    """The changeset is closed: it is applied or being undone."""

    code = "changeset_closed"
    title = "Change is closed"
    remedy = "Start a new change."

    def __init__(self) -> None:
        super().__init__("The changeset is closed. Start a new one.")


class MatchCountExceeded(Conflict):
    """The count changed: it is above `expectedCount`. Nothing was changed."""

    code = "match_limit_exceeded"
    title = "Count changed"
    remedy = "Count again, and repeat with that `expectedCount`."

    def __init__(self, expected: int) -> None:
        """Args: expected: the caller's number."""
        super().__init__(
            f"The count changed: it is above {expected} now. Count again, and repeat with that count.",
            errors=[FieldError("/expectedCount", "match_limit_exceeded", "The count changed since then.")],
        )


class ViewNotFound(NotFound):
    """No view with this ID, or it isn't shared with you."""

    code = "view_not_found"
    title = "View not found"

    def __init__(self) -> None:
        super().__init__("No view with this ID that you can see.")


class ViewNotOwned(Forbidden):
    """Only the owner of a shared view can change it."""

    code = "view_not_owned"
    title = "Not your view"
    remedy = "Save a copy of the view."

    def __init__(self) -> None:
        super().__init__("This view belongs to someone else. Save a copy to change it.")


class ViewVersionConflict(PreconditionFailed):
    """`If-Match` doesn't match the current version of the view."""

    def __init__(self, version: int) -> None:
        """Args: version: the current one."""
        message = f"The view was updated since you read it (version {version}). Read it again and retry."
        super().__init__(message, extra={"currentVersion": version})


class TooManyViews(Conflict):
    """The user has reached the limit of saved views."""

    code = "too_many_views"
    title = "View limit reached"
    remedy = "Delete a view first."

    def __init__(self, limit: int) -> None:
        """Args: limit: maximum views per user."""
        super().__init__(f"View limit reached ({limit}). Delete one first.")


class UserActorRequired(Forbidden):
    """Views belong to users; the CLI has none."""

    code = "user_actor_required"
    title = "Sign-in required"
    remedy = "Sign in, or use an API key."

    def __init__(self) -> None:
        super().__init__("A view belongs to a person. Sign in, or use an API key.")
