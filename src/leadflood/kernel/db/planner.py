"""What keeps PostgreSQL from reading whole tables where it cannot know better.

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
"""Rows of a file meet the leads by address. Without, the LIMIT 1 of each look-up is served by any index and a sort.

5,000 rows beside 200,000 leads: 85 ms of the server's CPU. Without: 1,000 ms, the second time 3,600, the third 8,300.
"""

INCOMING: Final = {"enable_hashjoin": "off", "enable_mergejoin": "off"}
"""Temporary rows meet the leads by id. Without, each chunk reads the table of leads to build a hash of it.

10,000 rows beside 200,000 leads: 800 ms of the server's CPU. Without: 880, and more with each lead of the workspace.
"""

BY_KEY: Final = {"enable_seqscan": "off", "enable_bitmapscan": "off", "plan_cache_mode": "force_custom_plan"}
"""Changes of thousands of leads look each of them up by its key. Where the statistics are old, as in the hour after a
first large import, PostgreSQL takes the table for tiny and reads it whole, once for each lead.
"""


async def apply(tx: Transaction, settings: Mapping[str, str]) -> None:
    """Plan the statements of this transaction by these settings from now on."""
    await tx.execute(_SET, {"names": list(settings), "values": list(settings.values())})
