"""Columns encrypted with the secret key, and re-encrypting them with a new key.

Re-encryption runs in small transactions, each of which leaves every value readable with a known key. It can be
killed at any moment and repeated: values already encrypted with the current key are skipped. A value that changes
meanwhile is not overwritten, because each update compares the bytes that it replaces.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from leadflood.kernel.crypto import SecretBox, key_id_of
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import Sql, assemble, sql
from leadflood.kernel.db.transaction import Transaction

BATCH: Final = 200
"""Values per transaction."""

# Count the values of a column by the key that they are encrypted with. A value without key ID starts with its nonce.
_COUNT = sql("""
SELECT CASE WHEN get_byte(t.{column}, 0) = 1 THEN substr(t.{column}, 1, 5) END AS prefix, count(*) AS number
FROM {table} t WHERE length(t.{column}) > 5 GROUP BY 1
""")
# Read values of a column that are not encrypted with the current key, in key order.
_NEXT = sql("""
SELECT {key}::text COLLATE "C" AS key, t.{column} AS sealed, {context} AS context
FROM {table} t
WHERE length(t.{column}) > 5 AND substr(t.{column}, 1, 5) <> :current AND {key}::text COLLATE "C" > :after
ORDER BY 1 LIMIT :limit
""")
# Replace one value unless it has changed since it was read.
_REPLACE = sql("""
UPDATE {table} t SET {column} = :sealed WHERE {key}::text = :key AND t.{column} = :before
""")


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of encrypted values (`SecretBox.encrypt`).

    Attributes:
        name: name of its values for operators, such as `provider keys`.
        table: table name.
        column: column name, of type bytea. NULL and empty values are skipped.
        key: unique expression over the row `t`, such as `t.id`.
        context: bytea expression over the row `t`: the `context` of the encryption.
    """

    name: str
    table: Sql
    column: Sql
    key: Sql
    context: Sql

    def statement(self, template: Sql) -> Sql:
        """A statement for this column."""
        return assemble(template, table=self.table, column=self.column, key=self.key, context=self.context)


@dataclass(frozen=True, slots=True)
class SealedCount:
    """Number of values of a column that are encrypted with one key.

    Attributes:
        column: name of the values.
        key_id: ID of the key; None for values of a release before key IDs.
        number: number of values.
    """

    column: str
    key_id: str | None
    number: int


async def count_sealed(tx: Transaction, columns: Sequence[SealedColumn]) -> list[SealedCount]:
    """Numbers of values by column and key. Requires a system transaction."""
    return [
        SealedCount(column.name, None if row.prefix is None else key_id_of(row.prefix), row.number)
        for column in columns
        for row in await tx.all(column.statement(_COUNT))
    ]


async def reseal(
    database: Database,
    secret_box: SecretBox,
    columns: Sequence[SealedColumn],
    *,
    batch: int = BATCH,
    report: Callable[[SealedColumn, int], None] = lambda _column, _done: None,
) -> int:
    """Encrypt all values with the current key. Values that no known key decrypts are left unchanged.

    Args:
        database: the database with the values.
        secret_box: the current key, with the former keys as fallbacks.
        columns: the columns to re-encrypt.
        batch: values per transaction.
        report: called after each transaction with the number of values done in the column.

    Returns: the number of re-encrypted values.
    """
    total = 0
    for column in columns:
        done, after = 0, ""
        while rows := await _reseal_batch(database, secret_box, column, after, batch):
            done, after = done + sum(rows.values()), max(rows)
            report(column, done)
        total += done
    return total


async def _reseal_batch(
    database: Database, secret_box: SecretBox, column: SealedColumn, after: str, limit: int
) -> dict[str, int]:
    """The row keys of the batch, each with 1 if the value was re-encrypted, otherwise 0."""
    async with database.system() as tx:
        wanted = {"current": secret_box.sealed_prefix, "after": after, "limit": limit}
        rows = await tx.all(column.statement(_NEXT), wanted)
        return {row.key: await _reseal_one(tx, secret_box, column, row) for row in rows}


async def _reseal_one(tx: Transaction, secret_box: SecretBox, column: SealedColumn, row: Row) -> int:
    plain = secret_box.decrypt(row.sealed, row.context)
    if plain is None:
        return 0
    values = {"key": row.key, "before": row.sealed, "sealed": secret_box.encrypt(plain, row.context)}
    return await tx.changed(column.statement(_REPLACE), values)
