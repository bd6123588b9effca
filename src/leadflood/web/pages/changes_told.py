"""Changes of many leads, in words."""

from leadflood.domains.leads.contracts.changesets import KeptLeadView, KeptReason

_REASONS = {
    KeptReason.ADDRESS_TAKEN: "Another lead has this address now",
    KeptReason.MERGED: "Another lead was merged into it",
    KeptReason.MERGED_INTO: "Merged into another lead; it is deleted when that merge is undone",
}


def kept_why(lead: KeptLeadView) -> str:
    """Why an undo left a lead, or some of its fields, as they are."""
    if lead.reason is not KeptReason.EDITED:
        return _REASONS[lead.reason]
    names = [name.removeprefix("custom_fields.").replace("_", " ") for name in lead.fields]
    return "Edited since: " + ", ".join(names)
