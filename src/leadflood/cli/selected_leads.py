"""Leads that a command names one by one, by email or ID."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.kernel.text import InvalidValue

if TYPE_CHECKING:
    from leadflood.cli.context import CliContext


async def lead_ids(context: "CliContext", named: Sequence[str], *, option: str = "--lead") -> list[UUID]:
    """The IDs of active leads, each given by email or ID. Raises: InvalidInput: naming those without a lead."""
    from leadflood.domains.leads import queries

    ids = {text: _id(text) for text in named}
    addresses = {text: _norm(text) for text in named if ids[text] is None}
    async with context.transaction(read_only=True) as tx:
        by_email = await queries.ids_by_email(tx, context.actor, addresses=list(addresses.values()))
        active = await queries.active_leads(tx, context.actor, lead_ids=[id_ for id_ in ids.values() if id_])
    found = {text: id_ if id_ in active else by_email.get(addresses.get(text, "")) for text, id_ in ids.items()}
    unknown = [text for text, lead_id in found.items() if lead_id is None]
    if unknown:
        faults = [FieldError(option, "not_found", f"No lead {text[:100]}.") for text in unknown]
        raise InvalidInput("Some leads don't exist.", errors=faults)
    return [*dict.fromkeys(lead_id for lead_id in found.values() if lead_id is not None)]


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _norm(text: str) -> str:
    """The normalized email; invalid text stays as it is, and no lead has it."""
    from leadflood.kernel.email_address import parse_email

    try:
        return parse_email(text.strip()).norm
    except InvalidValue:
        return text
