"""Settings that keep PostgreSQL from reading whole tables when its estimates are wrong.

It has no statistics of a temporary table, and old ones of a table that the same transaction fills, so that it takes a
few rows for millions or millions for a few. Each group of settings has beside it what was measured without it.
"""

from collections.abc import Mapping
from typing import Final

from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Change planner settings until the transaction ends.
_SET = sql("SELECT set_config(name, value, true) FROM unnest(:names::text[], :values::text[]) AS s (name, value)")

STAGING: Final = {"enable_sort": "off"}
"""Joins rows of a file with leads by email. Without it, the LIMIT 1 of each lookup uses any index and a sort.

5,000 rows and 200,000 leads: 85 ms of the server's CPU. Without: 1,000 ms, the second time 3,600, the third 8,300.
"""

INCOMING: Final = {"enable_hashjoin": "off", "enable_mergejoin": "off"}
"""Joins temporary rows with leads by ID. Without it, each chunk hashes the whole table of leads.

10,000 rows and 200,000 leads: 800 ms of the server's CPU. Without: 880, and more with each lead of the workspace.
"""

BY_KEY: Final = {"enable_seqscan": "off", "enable_bitmapscan": "off"}
"""Changes of thousands of leads look each of them up by its key. Where the statistics are old, as in the hour after a
first large import, PostgreSQL takes the table for tiny and reads it whole, once for each lead.

Without `force_custom_plan`, which concerns the checks of foreign keys, too: they were planned again for each row, 150
of 590 us of the server's CPU for each lead of an undo.
"""

LOOKUPS: Final = {
    "enable_sort": "off",
    "enable_incremental_sort": "off",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_custom_plan",
}
"""Each row of a list is looked up in one index, which the lookup determines by a range and an order.

PostgreSQL expects one row of a workspace that is not in the statistics. Any index on the workspace then seems as good
as the right one, and reads all rows of the workspace for each lookup.
"""


async def apply(tx: Transaction, settings: Mapping[str, str]) -> None:
    """Use these planner settings for the rest of this transaction."""
    await tx.execute(_SET, {"names": list(settings), "values": list(settings.values())})
