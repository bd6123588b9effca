"""Ending one's own sessions. It takes effect with the next request."""

from uuid import UUID

from leadflood.domains.identity import store
from leadflood.domains.identity.errors import SessionNotFound
from leadflood.domains.identity.events import AuditAction, AuditSubject
from leadflood.domains.identity.models import EndReason
from leadflood.domains.identity.service import audit
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Transaction


async def logout(tx: Transaction, actor: Actor, *, request_id: str | None = None) -> None:
    """End the session that this request belongs to, with all its tokens.

    Raises: SessionNotFound: for a caller without a session, such as an API key.
    """
    if actor.session_id is None:
        raise SessionNotFound
    await _end(tx, actor, actor.session_id, EndReason.LOGOUT, request_id)


async def end_session(tx: Transaction, actor: Actor, *, session_id: UUID, request_id: str | None = None) -> None:
    """End one of the caller's own sessions in this workspace.

    Raises: SessionNotFound: also for somebody else's, and for one that has ended already.
    """
    if actor.user_id is None:
        raise SessionNotFound
    await _end(tx, actor, session_id, EndReason.ENDED, request_id)


async def _end(tx: Transaction, actor: Actor, session_id: UUID, reason: EndReason, request_id: str | None) -> None:
    if not await store.end_session(tx, actor.workspace_id, session_id, reason, user_id=actor.user_id):
        raise SessionNotFound
    await audit.record(
        tx,
        actor,
        action=AuditAction.SESSION_ENDED,
        subject_type=AuditSubject.SESSION,
        subject_id=session_id,
        data={"reason": reason},
        request_id=request_id,
    )
