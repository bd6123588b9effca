"""From a token to the caller."""

from leadflood.domains.identity import queries, store
from leadflood.domains.identity.contracts import MembershipView, MeView
from leadflood.domains.identity.errors import Unauthenticated
from leadflood.domains.identity.models import ACCESS_PREFIX, API_KEY_PREFIX, Authenticated, permissions_of
from leadflood.kernel.actor import Actor, ActorKind, Role
from leadflood.kernel.crypto import is_token, token_hash
from leadflood.kernel.db.database import Database


async def authenticate(database: Database, token: str) -> Authenticated:
    """The caller that an access token or API key stands for, with what its role and scopes allow at this moment.

    What never was one of our tokens is refused without a look-up. Ended sessions, revoked keys, removed members and
    disabled users are refused from the next request on.

    Raises: Unauthenticated.
    """
    if not (is_token(token, ACCESS_PREFIX) or is_token(token, API_KEY_PREFIX)):
        raise Unauthenticated
    async with database.statement() as connection:
        row = await queries.credential(connection, token_hash(token))
    if row is None:
        raise Unauthenticated
    role = Role(row.role)
    actor = Actor(
        kind=ActorKind(ActorKind.USER if row.kind == "session" else ActorKind.API_KEY),
        workspace_id=row.workspace_id,
        permissions=permissions_of(role, row.scopes),
        user_id=row.user_id,
        role=role,
        session_id=row.session_id,
        api_key_id=row.api_key_id,
    )
    return Authenticated(actor, row.stale)


async def touch(database: Database, actor: Actor) -> None:
    """Note that a session or key is in use. Call it for a `stale` one only: at most one write a minute.

    It has its own transaction, so that a read-only request stays one and a failed one still counts as use.
    """
    async with database.transaction(actor.workspace_id) as tx:
        await store.touch(tx, actor)


async def me(database: Database, actor: Actor) -> MeView:
    """Who the caller is, and what it may do. An API key sees its own workspace only.

    Raises: Unauthenticated: for the command line and the system, who are nobody, and for a member just removed.
    """
    if actor.user_id is None:
        raise Unauthenticated
    async with database.system(read_only=True) as tx:
        account = await queries.account(tx, actor.user_id)
        joined = await queries.memberships_of(tx, actor.user_id)
    here = next((each for each in joined if each.id == actor.workspace_id), None)
    if here is None:
        raise Unauthenticated
    return MeView(
        kind=actor.kind,
        user=queries.user_view(account),
        workspace=here,
        role=here.role,
        permissions=sorted(actor.permissions),
        workspaces=_visible(actor, here, joined),
    )


def _visible(actor: Actor, here: MembershipView, joined: list[MembershipView]) -> list[MembershipView]:
    return [here] if actor.kind is ActorKind.API_KEY else joined
