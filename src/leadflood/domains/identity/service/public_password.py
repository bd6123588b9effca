"""The demo user's public password, which is refused by production instances.

What counts is the password, not the address: a demo user with another password is a user like any other. Sign-in
refuses the password itself. For sessions and API keys, `users.public_password_hash` remembers which hash was compared
with it, so that requests compare two columns instead of computing argon2.
"""

from leadflood.domains.identity import store
from leadflood.domains.identity.errors import PublicPassword
from leadflood.domains.identity.models import DEMO_PASSWORD, is_public_password
from leadflood.domains.identity.queries.instance import maybe_public
from leadflood.domains.identity.service.passwords import password_matches
from leadflood.kernel.config import Settings
from leadflood.kernel.db.database import Database


def refuse_public(settings: Settings, password: str) -> None:
    """Raises: PublicPassword: in production, for any account."""
    if settings.is_production and is_public_password(password):
        raise PublicPassword


async def users_with_public_password(database: Database) -> list[str]:
    """The addresses of users who can sign in with the public password. Each hash is compared once."""
    async with database.system(read_only=True) as tx:
        candidates = await maybe_public(tx)
    found = []
    for row in candidates:
        if not row.is_public:
            if not await password_matches(DEMO_PASSWORD, row.password_hash):
                continue
            async with database.system() as tx:
                await store.note_public_password(tx, row.id, row.password_hash)
        found.append(row.email)
    return found


async def refuse_to_serve(database: Database, settings: Settings) -> None:
    """Refuse to start in production while a user can sign in with the public password. Raises: PublicPassword."""
    if not settings.is_production:
        return
    for email in await users_with_public_password(database):
        raise PublicPassword(email, before=_START_ONCE if settings.database_url is None else "")


_START_ONCE = (
    "Start the database once with `LEADFLOOD_ENV=development leadflood up --host 127.0.0.1` and, in another terminal: "
)
