"""Statements are counted, whichever way they take to the server."""

from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.sql import sql
from tests.support.statements import counted


async def test_every_statement_counts_once_and_only_while_counting(application_url: str) -> None:
    pool = ConnectionPool(application_url, application_name="counted", size=1, statement_timeout=30)
    database = Database(pool, None)
    async with database.statement() as tx:
        await tx.execute(sql("SELECT 0"))
    for _ in range(2):
        with counted(pool) as statements:
            async with database.system(read_only=True) as tx:
                await tx.execute(sql("SELECT 1"))
                await tx.execute(sql("SELECT :two::text"), {"two": "2"})
            async with pool.connection() as connection:
                await connection.fetch("SELECT 3")
        async with database.statement() as tx:
            await tx.execute(sql("SELECT 4"))
        assert [text for text in statements.texts if text.startswith("SELECT")] == [
            "SELECT 1",
            "SELECT $1::text",
            "SELECT 3",
        ]
    await database.close()
