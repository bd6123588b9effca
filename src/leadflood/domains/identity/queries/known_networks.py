"""Networks from which an account was signed in to."""

from uuid import UUID

from leadflood.domains.identity.models import KNOWN_ADDRESS_DAYS
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Whether a program signed in to an account from a network.
# A session that the user ended, or that a new password ended, may have been stolen: its address is not known.
# Stored addresses come from a socket or a trusted proxy; anything else would not be an inet.
KNOWN_ADDRESS = sql("""
SELECT EXISTS (
    SELECT FROM sessions
    WHERE user_id = :user_id AND kind = 'api' AND (ended_at IS NULL OR end_reason IN ('logout', 'too_many'))
      AND created_at > now() - make_interval(days => :days)
      AND CASE WHEN ip ~ '^[0-9a-fA-F.:]+$' THEN CAST(ip AS inet) <<= CAST(:network::text AS cidr) END)
""")


async def is_known_address(tx: Transaction, *, user_id: UUID | None, network: str | None) -> bool:
    """Whether a program signed in to this account from the network. Requires a system transaction.

    Without a user or a network it takes the same time and returns False.
    """
    sought = {"user_id": user_id, "network": network, "days": KNOWN_ADDRESS_DAYS}
    return bool(await tx.scalar(KNOWN_ADDRESS, sought))
