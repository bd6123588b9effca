"""Errors of duplicates."""

from uuid import UUID

from leadflood.kernel.errors import Conflict, FieldError, InvalidInput, NotFound


class DuplicateNotFound(NotFound):
    """No pair with this ID in the workspace, or one of its leads is deleted."""

    code = "duplicate_not_found"
    title = "Pair not found"

    def __init__(self) -> None:
        super().__init__("No pair with this ID in your workspace, or one of its leads was deleted.")


class DuplicateMerged(Conflict):
    """The pair has already been merged."""

    code = "duplicate_merged"
    title = "Already merged"
    remedy = "Undo the merge first, then dismiss or merge again."

    def __init__(self) -> None:
        super().__init__("These leads are already merged. Undo the merge first.")


class MergeNotFound(NotFound):
    """No merge with this ID in the workspace."""

    code = "merge_not_found"
    title = "Merge not found"

    def __init__(self) -> None:
        super().__init__("No merge with this ID in your workspace.")


class SelfMerge(InvalidInput):
    """Both IDs of the merge are the same."""

    code = "self_merge"
    title = "Same lead twice"
    remedy = "Send two different lead IDs."

    def __init__(self) -> None:
        fault = FieldError("/otherId", "same_lead", "Must differ from survivorId.")
        super().__init__("A lead cannot be merged with itself.", errors=[fault])


class UnknownMergeField(InvalidInput):
    """`fields` lists custom fields that neither lead has."""

    code = "unknown_merge_field"
    title = "Unknown custom field"
    remedy = "Remove the fields that `errors` lists."

    def __init__(self, names: list[str]) -> None:
        """Args: names: fields that neither lead has."""
        faults = [
            FieldError(f"/fields/{name}", "unknown_field", "Neither lead has this custom field.") for name in names
        ]
        super().__init__("Some fields exist on neither lead.", errors=faults)


class AlreadyMerged(Conflict):
    """One of the leads has been merged into another lead."""

    code = "already_merged"
    title = "Already merged"
    remedy = "Merge with the lead that `survivorId` names, or undo the merge that `mergeId` names first."

    def __init__(self, *, merge_id: UUID, survivor_id: UUID) -> None:
        """Args: merge_id: the merge of the lead. survivor_id: the lead that it was merged into."""
        super().__init__(
            "One of the leads was already merged into another. Merge with that one, or undo the merge first.",
            extra={"mergeId": str(merge_id), "survivorId": str(survivor_id)},
        )


class MergeNotUndoable(Conflict):
    """The merge can't be undone: the undo period has ended, or another lead has the email."""

    code = "merge_not_undoable"
    title = "Merge cannot be undone"
    remedy = "The merge is final. Edit the lead, or create the other one again."


class NoCertainPairs(Conflict):
    """No open pair has the score 100."""

    code = "no_certain_pairs"
    title = "Nothing to merge"
    remedy = "Review the open pairs one by one."

    def __init__(self) -> None:
        super().__init__("No pair is certain any more. Review the others one by one.")


class MergeRunActive(Conflict):
    """Another run of the workspace is merging pairs, or being undone."""

    code = "merge_run_active"
    title = "Merge in progress"
    remedy = "Wait until it is finished."

    def __init__(self) -> None:
        super().__init__("Pairs are being merged or unmerged. Wait until that is finished.")


class MergeRunNotFound(NotFound):
    """No run with this ID in the workspace."""

    code = "merge_run_not_found"
    title = "Merge not found"

    def __init__(self) -> None:
        super().__init__("No merge of several pairs with this ID in your workspace.")


class MergeRunNotUndoable(Conflict):
    """The run is not merged."""

    code = "merge_run_not_undoable"
    title = "Not undoable"
    remedy = "Wait until the merges are finished, or look at the history: they may be undone already."

    def __init__(self, status: str) -> None:
        """Args: status: its state."""
        super().__init__(f"These merges can't be undone now: they are {status}.")
