"""What keeps PostgreSQL from reading whole tables where it cannot know better.

It has no statistics of a temporary table, and old ones of a table that the same transaction fills, so that it takes a
few rows for millions or millions for a few. Each profile names what is switched off until the end of the transaction,
and what was measured without it.
"""

from dataclasses import dataclass

from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Set planner settings until the transaction ends.
_SET = sql("SELECT set_config(name, value, true) FROM unnest(:names::text[], :values::text[]) AS s (name, value)")


@dataclass(frozen=True, slots=True)
class Profile:
    """Ways to run a statement that PostgreSQL is kept from, and whether it plans for the values at hand each time."""

    off: tuple[str, ...]
    custom_plans: bool = False


STAGING = Profile(("enable_sort",))
"""Rows of a file meet the leads by address. Without, the LIMIT 1 of each look-up is served by any index and a sort."""

INCOMING = Profile(("enable_hashjoin", "enable_mergejoin"))
"""Temporary rows meet the leads by id. Without, each chunk reads the whole table of leads to build a hash of it."""

SCANNING = Profile(
    ("enable_hashjoin", "enable_mergejoin", "enable_seqscan", "enable_bitmapscan"),
    custom_plans=True,
)
"""Keys of leads meet those of others. Without, the first scan of a workspace reads all keys again for each part."""


async def apply(tx: Transaction, profile: Profile) -> None:
    """Plan the statements of this transaction by a profile from now on."""
    settings = dict.fromkeys(profile.off, "off")
    if profile.custom_plans:
        settings["plan_cache_mode"] = "force_custom_plan"
    await tx.execute(_SET, {"names": list(settings), "values": list(settings.values())})
