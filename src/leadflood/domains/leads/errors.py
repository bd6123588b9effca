"""Why a request about a lead is refused."""

from uuid import UUID

from leadflood.kernel.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound, PreconditionFailed


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


class LeadMerged(Conflict):
    """The lead was merged into another: undoing the merge brings it back, with all that was found about it."""

    code = "lead_merged"
    title = "Lead was merged"

    def __init__(self, *, merge_id: UUID, survivor_id: UUID, survivor_email: str) -> None:
        """Args: merge_id: the merge that took it in. The survivor: the lead that it became part of."""
        super().__init__(
            f"This lead was merged into {survivor_email}. Undo the merge: that brings back what went with it, too.",
            extra={"mergeId": str(merge_id), "survivorId": str(survivor_id)},
        )


class LeadVersionConflict(PreconditionFailed):
    """`If-Match` names another version than the stored one."""

    code = "lead_changed"

    def __init__(self, version: int) -> None:
        """Args: version: the stored one."""
        message = f"The lead was changed in the meantime: it is at version {version}. Read it again and repeat."
        super().__init__(message, extra={"currentVersion": version})


class UnknownOwner(InvalidInput):
    """`ownerId` is nobody in this workspace."""

    code = "unknown_owner"

    def __init__(self, pointer: str = "/ownerId") -> None:
        message = "Give the id of a member of this workspace, or null."
        super().__init__("The owner is unknown.", errors=[FieldError(pointer, "unknown_owner", message)])


class ChangesetNotFound(NotFound):
    """No such changeset in this workspace."""

    code = "changeset_not_found"

    def __init__(self) -> None:
        super().__init__("There is no changeset with this id in your workspace.")


class ChangesetNotUndoable(Conflict):
    """The changeset is still being written, or its before-images are gone."""

    code = "changeset_not_undoable"


class ChangesetClosed(Conflict):
    """The changeset takes no more changes: it is applied, or being undone."""

    code = "changeset_closed"

    def __init__(self) -> None:
        super().__init__("The changeset is closed. Open another one.")


class MatchCountExceeded(Conflict):
    """More leads match than the caller said: nothing is changed that nobody meant."""

    code = "more_leads_match"
    title = "More leads match"

    def __init__(self, expected: int) -> None:
        """Args: expected: how many the caller meant."""
        super().__init__(
            f"More than {expected} leads match by now. Count them again, and repeat with that count.",
            errors=[FieldError("/expectedCount", "more_leads_match", "Give how many match now.")],
        )


class ViewNotFound(NotFound):
    """No such view, or one that somebody else keeps to themselves."""

    code = "view_not_found"

    def __init__(self) -> None:
        super().__init__("There is no view with this id that you can see.")


class ViewNotOwned(Forbidden):
    """A shared view is changed by whoever made it."""

    code = "view_of_somebody_else"

    def __init__(self) -> None:
        super().__init__("Somebody else shares this view with you. Save a view of your own to change it.")


class ViewVersionConflict(PreconditionFailed):
    """`If-Match` names another version than the stored one."""

    code = "view_changed"

    def __init__(self, version: int) -> None:
        """Args: version: the stored one."""
        message = f"The view was changed in the meantime: it is at version {version}. Read it again and repeat."
        super().__init__(message, extra={"currentVersion": version})


class TooManyViews(Conflict):
    """A person keeps as many views as anybody may."""

    code = "too_many_views"

    def __init__(self, most: int) -> None:
        """Args: most: how many anybody may keep."""
        super().__init__(f"You have {most} views, which is the most there can be. Delete one first.")


class UserActorRequired(Forbidden):
    """A view belongs to a person, and the command line is none."""

    code = "views_need_person"

    def __init__(self) -> None:
        super().__init__("A view belongs to a person. Sign in, or use an API key.")
