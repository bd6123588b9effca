"""Authentication of callers by token."""

from collections.abc import Sequence
from dataclasses import replace

from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import BrowserVisit, MembershipView, MeView
from leadflood.domains.identity.errors import InvalidToken
from leadflood.domains.identity.models import (
    ACCESS_PREFIX,
    API_KEY_PREFIX,
    WEB_PREFIX,
    Authenticated,
)
from leadflood.domains.identity.queries import access as credentials
from leadflood.domains.identity.store import sessions as session_store
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.crypto import is_token, token_hash
from leadflood.kernel.db.database import Database


async def authenticate(database: Database, token: str, *, production: bool = False) -> Authenticated:
    """The caller of an access token or API key, with the current permissions of its role and scopes.

    What never was one of our tokens is refused without a look-up, and so is a browser's token. Ended sessions, revoked
    keys, removed members and disabled users are refused from the next request on. With
    `production`, so are credentials of a user with the demo user's public password.

    Raises: Unauthenticated.
    """
    (found,) = await authenticate_all(database, [token], production=production)
    if isinstance(found, InvalidToken):
        raise found
    return found


async def authenticate_all(
    database: Database, tokens: Sequence[str], *, production: bool = False
) -> list[Authenticated | InvalidToken]:
    """Like `authenticate`, for many tokens, in order. Of equal `stale` tokens, only the first result says so."""
    hashes = {token: token_hash(token) for token in set(tokens) if _is_ours(token)}
    if not hashes:
        return [InvalidToken() for _ in tokens]
    async with database.statement() as connection:
        known = await credentials.authenticated(connection, list(hashes.values()))
    found = {
        token: known[sought] for token, sought in hashes.items() if _opens(known.get(sought), production=production)
    }
    callers: list[Authenticated | InvalidToken] = []
    for token in tokens:
        caller = found.get(token)
        callers.append(InvalidToken() if caller is None else caller)
        if caller is not None and caller.stale:
            found[token] = replace(caller, stale=False)
    return callers


def _is_ours(token: str) -> bool:
    return is_token(token, ACCESS_PREFIX) or is_token(token, API_KEY_PREFIX)


async def authenticate_browser(database: Database, token: str, *, production: bool = False) -> BrowserVisit:
    """The caller of a browser's cookie token, like `authenticate`; tokens of the API are refused.

    One statement, which also reads what every page says of its reader.

    Raises: Unauthenticated.
    """
    if not is_token(token, WEB_PREFIX):
        raise InvalidToken
    async with database.statement() as connection:
        visit = await credentials.browser_visit(connection, token_hash(token))
    if visit is None or not _opens(visit, production=production):
        raise InvalidToken
    return visit


async def still_valid(database: Database, token: str, *, production: bool = False) -> Actor | None:
    """The current caller of a browser's token, None if it is no longer valid.

    One statement with lookups by key: a live page asks every few seconds.
    """
    if not is_token(token, WEB_PREFIX):
        return None
    async with database.statement() as connection:
        found = (await credentials.authenticated(connection, [token_hash(token)])).get(token_hash(token))
    return found.actor if found is not None and _opens(found, production=production) else None


async def touch(database: Database, actor: Actor) -> None:
    """Record the use of a session or key. Call it only for a `stale` one: at most one write per minute.

    A browser's session thereby lives on, with its token, for as long as it was given at its start.

    The write has its own transaction, so that a read-only request stays one and a failed one still counts as use.
    """
    async with database.transaction(actor.workspace_id) as tx:
        await session_store.touch(tx, actor)


async def me(database: Database, actor: Actor) -> MeView:
    """The caller and its permissions. An API key sees its own workspace only.

    Raises: Unauthenticated: for the command line and the system, which are no users, and for a member just removed.
    """
    if actor.user_id is None:
        raise InvalidToken
    async with database.system(read_only=True) as tx:
        user = await queries.profile(tx, actor.user_id)
        joined = await queries.memberships_of(tx, actor.user_id)
    here = next((item for item in joined if item.id == actor.workspace_id), None)
    if here is None:
        raise InvalidToken
    return MeView(
        kind=actor.kind,
        user=user,
        workspace=here,
        role=here.role,
        is_operator=actor.is_operator,
        permissions=sorted(actor.permissions),
        workspaces=_visible(actor, here, joined),
    )


def _opens(found: Authenticated | None, *, production: bool) -> bool:
    """Whether a credential is usable: in production, those of a user with the public password are not."""
    return found is not None and not (production and found.is_public)


def _visible(actor: Actor, here: MembershipView, joined: list[MembershipView]) -> list[MembershipView]:
    return [here] if actor.kind is ActorKind.API_KEY else joined
