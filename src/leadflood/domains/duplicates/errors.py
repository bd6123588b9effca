"""Why a request about duplicates is refused."""

from uuid import UUID

from leadflood.kernel.errors import Conflict, FieldError, InvalidInput, NotFound


class DuplicateNotFound(NotFound):
    """No such pair in this workspace, or one of its leads is deleted."""

    code = "duplicate_not_found"

    def __init__(self) -> None:
        super().__init__("There is no pair with this id in your workspace, or one of its leads is deleted by now.")


class DuplicateMerged(Conflict):
    """The pair is one lead by now: there is nothing left to decide."""

    code = "duplicate_merged"

    def __init__(self) -> None:
        super().__init__("The two are merged. Undo the merge to decide otherwise.")


class MergeNotFound(NotFound):
    """No such merge in this workspace."""

    code = "merge_not_found"

    def __init__(self) -> None:
        super().__init__("There is no merge with this id in your workspace.")


class SelfMerge(InvalidInput):
    """Both ids of a merge are the same."""

    code = "merge_with_itself"

    def __init__(self) -> None:
        fault = FieldError("/otherId", "same_lead", "Give the id of another lead than survivorId.")
        super().__init__("A lead cannot be merged with itself.", errors=[fault])


class UnknownMergeField(InvalidInput):
    """`fields` names custom fields that neither lead has."""

    code = "unknown_merge_field"

    def __init__(self, names: list[str]) -> None:
        """Args: names: those that neither has."""
        faults = [
            FieldError(f"/fields/{name}", "unknown_field", "Neither lead has this custom field: leave it out.")
            for name in names
        ]
        super().__init__("Some fields are of neither lead.", errors=faults)


class AlreadyMerged(Conflict):
    """One of the leads is part of another by now."""

    code = "already_merged"
    title = "Already merged"

    def __init__(self, *, merge_id: UUID, survivor_id: UUID) -> None:
        """Args: merge_id: the merge that took it in. survivor_id: the lead that it is part of."""
        super().__init__(
            "One of the leads was merged into another already. Merge with that one, or undo the merge first.",
            extra={"mergeId": str(merge_id), "survivorId": str(survivor_id)},
        )


class MergeNotUndoable(Conflict):
    """What the merge changed cannot be put back: too old, or the address belongs to somebody else by now."""

    code = "merge_not_undoable"
    title = "Merge cannot be undone"
