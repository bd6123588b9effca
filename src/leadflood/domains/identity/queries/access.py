"""Authentication of the tokens of requests."""

from collections.abc import Sequence

from leadflood.domains.identity.contracts import BrowserVisit, MembershipView, VisitorView
from leadflood.domains.identity.models import Appearance, Authenticated, chosen_time_zone, permissions_of
from leadflood.kernel.actor import Actor, ActorKind, Role
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# The current state of each token.
CREDENTIALS = sql("""
SELECT sought.token_hash, credential.*,
       (SELECT u.is_operator FROM users u WHERE u.id = credential.user_id) AS is_operator,
       (SELECT u.password_hash = u.public_password_hash FROM users u WHERE u.id = credential.user_id) AS is_public
FROM unnest(:token_hashes::bytea[]) AS sought (token_hash), authenticate_token(sought.token_hash) AS credential
""")

# The current state of a browser's token, with the user's profile and workspaces.
VISITOR = sql("""
SELECT visitor.*, u.is_operator, u.password_hash = u.public_password_hash AS is_public, u.locale, u.time_zone_chosen
FROM authenticate_visitor(:token_hash) AS visitor LEFT JOIN users u ON u.id = visitor.user_id
""")


async def authenticated(tx: Transaction, token_hashes: Sequence[bytes]) -> dict[bytes, Authenticated]:
    """The authenticated callers, by token hash. Invalid tokens are missing."""
    rows = await tx.all(CREDENTIALS, {"token_hashes": list(token_hashes)})
    return {row.token_hash: Authenticated(_actor(row), row.stale, bool(row.is_public)) for row in rows}


async def browser_visit(tx: Transaction, token_hash: bytes) -> BrowserVisit | None:
    """The session of a browser's token, with the reader's data for pages; None if it is invalid."""
    row = await tx.first(VISITOR, {"token_hash": token_hash})
    return None if row is None else BrowserVisit(_actor(row), row.stale, bool(row.is_public), _visitor_view(row))


def _actor(row: Row) -> Actor:
    role = Role(row.role)
    return Actor(
        kind=ActorKind.USER if row.kind == "session" else ActorKind.API_KEY,
        workspace_id=row.workspace_id,
        permissions=permissions_of(role, row.scopes, is_operator=row.is_operator),
        user_id=row.user_id,
        role=role,
        session_id=row.session_id,
        api_key_id=row.api_key_id,
    )


def _visitor_view(row: Row) -> VisitorView:
    joined = [
        MembershipView(id=workspace_id, name=name, role=Role(role))
        for workspace_id, name, role in zip(row.joined_ids, row.joined_names, row.joined_roles, strict=True)
    ]
    return VisitorView(
        id=row.user_id,
        email=row.email,
        name=row.name,
        appearance=Appearance(row.appearance),
        time_zone=chosen_time_zone(row.time_zone, chosen=row.time_zone_chosen),
        locale=row.locale,
        workspace=next(item for item in joined if item.id == row.workspace_id),
        workspaces=joined,
    )
