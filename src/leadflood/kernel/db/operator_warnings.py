"""Warnings for operators that processes recorded: shown by `leadflood doctor`, one row per kind."""

from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

UNTRUSTED_PROXY = "untrusted_proxy"
"""Detail: the address that sent X-Forwarded-For but is not in LEADFLOOD_TRUSTED_PROXIES."""

# Store the latest warning of a kind.
_STORE = sql("""
INSERT INTO operator_warnings (name, detail) VALUES (:name, :detail)
ON CONFLICT (name) DO UPDATE SET detail = excluded.detail, seen_at = now()
""")
# The warnings of the last week.
_RECENT = sql("SELECT name, detail FROM operator_warnings WHERE seen_at > now() - interval '7 days' ORDER BY name")


async def store_warning(tx: Transaction, name: str, detail: str) -> None:
    """Store the latest warning of a kind."""
    await tx.execute(_STORE, {"name": name, "detail": detail})


async def recent_warnings(tx: Transaction) -> dict[str, str]:
    """Warnings of the last week: the detail of each kind."""
    return {row.name: row.detail for row in await tx.all(_RECENT)}
