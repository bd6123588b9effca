"""Statements are counted, whichever way they take to the server."""

from sqlalchemy import text

from leadflood.kernel.db.database import create_engine
from tests.support.statements import counted


async def test_every_statement_counts_once_and_only_while_counting(application_url: str) -> None:
    engine = create_engine(application_url, application_name="counted", pool_size=1, statement_timeout=30)
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 0"))
    for _ in range(2):
        with counted(engine) as statements:
            async with engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
                await connection.execute(text("SELECT :two"), {"two": "2"})
                raw = await connection.get_raw_connection()
                assert raw.driver_connection is not None
                await raw.driver_connection.fetch("SELECT 3")
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 4"))
        assert [each for each in statements.texts if each.startswith("SELECT")] == [
            "SELECT 1",
            "SELECT $1",
            "SELECT 3",
        ]
    await engine.dispose()
