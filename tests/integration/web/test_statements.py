"""The number of statements of a page does not depend on its number of rows."""

from leadflood.bootstrap import SUBSCRIBERS, build_registry
from leadflood.kernel.actor import Role
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.sql import sql
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from tests.support import cast
from tests.support.addresses import addresses, is_public, paths
from tests.support.api import make_parts
from tests.support.letters import invite
from tests.support.sandbox import shared_sandbox
from tests.support.showcase import Showcase, new_showcase
from tests.support.statements import counted
from tests.support.tenants import new_key, new_member, new_session
from tests.support.web import Browser, browser_of, site, web_parts

MORE = 60

_FAIL = sql("""
UPDATE job_executions SET status = 'failed', finished_at = now(), last_error = 'broken ' || right(id::text, 6),
    cause = 'broken ' || right(id::text, 6), lease_expires_at = NULL
WHERE workspace_id = :workspace_id AND subject_id = ANY(:leads)
""")
_DIE = sql("""
UPDATE outbox_events SET status = 'dead_letter', attempts = 5, processed_at = NULL, last_error = 'away',
    cause = 'away ' || right(id::text, 6)
WHERE workspace_id = :workspace_id AND job_id IN (SELECT id FROM job_executions WHERE subject_id = ANY(:leads))
""")
_TELL = sql("""
INSERT INTO lead_events (workspace_id, lead_id, id, kind, at, actor_kind, actor_id, data)
SELECT workspace_id, :lead_id, uuidv7(), kind, at, actor_kind, actor_id, data FROM lead_events
WHERE workspace_id = :workspace_id AND kind = 'lead.created'
""")
# More files, and more rows of each that has some.
_IMPORT = sql("""
INSERT INTO imports (workspace_id, id, filename, status, actor_kind, size_bytes)
SELECT :workspace_id, uuidv7(), 'more.csv', 'cancelled', 'system', 1 FROM generate_series(1, :more)
""")
_STAGE = sql("""
INSERT INTO import_rows (workspace_id, import_id, row_no, action, lead_id, email, email_norm)
SELECT workspace_id, id, 1000 + number, 'create', uuidv7(), number || '@growth.example', number || '@growth.example'
FROM imports, generate_series(1, :more) AS number
WHERE workspace_id = :workspace_id AND status IN ('previewed', 'committing', 'committed')
""")


async def test_no_page_asks_more_often_where_there_are_more_rows(
    application_url: str, machine: Settings, queue_backend: PostgresQueueBackend, secret_box: SecretBox
) -> None:
    pool = ConnectionPool(application_url, application_name="counted", size=5, statement_timeout=30)
    database = Database(pool, queue_backend, SUBSCRIBERS)
    parts = make_parts(
        machine, database, queue_backend, build_registry(machine, database, shared_sandbox()), secret_box
    )
    showcase = await new_showcase(parts, "Counted")
    showcase.links |= {"first_run": "/first-run/x", "invitation": "/invitations/x", "mail": "/mail/x"}
    web = web_parts(parts, application_url)
    async with browser_of(site(parts, web)) as browser:
        browser.enter(await showcase.session(showcase.owner))

        async def statements(before: dict[str, list[str]]) -> dict[str, list[str]]:
            found: dict[str, list[str]] = {}
            for path in (path for path in paths() if not is_public(path)):
                for address in addresses(path, showcase):
                    found[address] = await fewest(browser, pool, address, enough=len(before.get(address, ())))
            return found

        few = await statements({})
        await grow(showcase)
        many = await statements(few)
    await web.changes.close()
    await database.close()
    more = {address: many[address] for address in few if len(many[address]) > len(few[address])}
    assert more == {}, "\n".join(
        f"{len(few[address])} became {len(texts)} at {address}" for address, texts in more.items()
    )


async def fewest(browser: Browser, pool: ConnectionPool, address: str, *, enough: int) -> list[str]:
    """Statements of a page; the smallest number of several visits, as one sometimes needs more.

    Args: enough: so few that further visits are of no interest.
    """
    page_contexts: list[list[str]] = []
    for _ in range(3):
        with counted(pool) as statements:
            seen = await browser.get(address)
        assert seen.status < 500, address
        page_contexts.append(statements.texts)
        if len(statements.texts) <= enough:
            break
    return min(page_contexts, key=len)


async def grow(showcase: Showcase) -> None:
    """More of everything that a page lists."""
    database, here = showcase.parts.database, showcase.workspace_id
    _, token = await new_key(database, here, showcase.owner.id)
    emails = [f"more{number}@growth.example" for number in range(MORE)]
    await showcase.add([{"email": email} for email in emails], token)
    leads = [showcase.leads[email] for email in emails]
    async with database.system() as tx:
        await tx.execute(_FAIL, {"workspace_id": here, "leads": leads[::2]})
        await tx.execute(_DIE, {"workspace_id": here, "leads": leads[::2]})
        for statement in (_IMPORT, _STAGE):
            await tx.execute(statement, {"workspace_id": here, "more": MORE})
        await tx.execute(_TELL, {"workspace_id": here, "lead_id": showcase.leads[cast.FOUND]})
    for _ in range(MORE):
        await new_member(database, here, Role.MEMBER)
        await new_key(database, here, showcase.owner.id)
        await new_session(database, here, showcase.owner.id)
        await invite(showcase, "viewer")
