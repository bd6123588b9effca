"""Signing in and out, and the current user."""

from typing import Annotated, Any

from fastapi import APIRouter, Header

from leadflood.api.deps import ContextDep, RequestContextDep, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, authenticated, public, requires
from leadflood.domains.identity.contracts import (
    ChangePassword,
    Login,
    LoginView,
    MeView,
    Refresh,
    TokensView,
    UpdateMe,
)
from leadflood.domains.identity.models import Client
from leadflood.domains.identity.permissions import ACCOUNT
from leadflood.domains.identity.service import access, passwords, profile, sessions, signin
from leadflood.kernel.request_context import RequestContext

router = APIRouter(prefix="/v1/auth", tags=["auth"], route_class=EdgeRoute)

_REFUSALS: dict[int | str, dict[str, Any]] = {401: {}, 429: {}}
"""Problems that only the domain knows; `openapi` adds them."""
UserAgent = Annotated[str | None, Header(include_in_schema=False)]


def _client(request_context: RequestContext, user_agent: str | None) -> Client:
    return Client(ip=request_context.client_ip or None, user_agent=user_agent, request_id=request_context.request_id)


@router.post("/login", summary="Sign in", responses=_REFUSALS)
@public("no credentials needed. There is no `Idempotency-Key`: the response is a secret of an unauthenticated caller")
async def login(
    command: Login, parts: ContextDep, request_context: RequestContextDep, user_agent: UserAgent = None
) -> LoginView:
    """Starts a session. Wrong passwords and unknown accounts get the same response; too many attempts get 429."""
    client = _client(request_context, user_agent)
    return await signin.login(parts.database, parts.settings, parts.secret_box, login=command, client=client)


@router.post("/refresh", summary="Refresh tokens", responses=_REFUSALS)
@public("the refresh token is the credential. There is no `Idempotency-Key`: reusing a token ends the session")
async def refresh(command: Refresh, parts: ContextDep) -> TokensView:
    """A refresh token works once. Reusing it ends the session, as the token may be compromised."""
    return await signin.refresh(parts.database, parts.settings, refresh_token=command.refresh_token)


@router.post("/logout", status_code=204, summary="Sign out", responses={404: {}})
@requires(ACCOUNT)
async def logout(unit: UnitOfWorkDep) -> None:
    """Ends the session of the access token and revokes all its tokens."""
    await sessions.logout(unit.tx, unit.actor)


@router.get("/me", summary="Retrieve the current user")
@authenticated(transaction=False)
async def get_me(unit: UnitOfWorkDep) -> MeView:
    """The user, workspace, role and permissions of the caller."""
    return await access.me(unit.parts.database, unit.actor)


@router.patch("/me", summary="Update profile")
@requires(ACCOUNT, transaction=False)
async def update_me(command: UpdateMe, unit: UnitOfWorkDep) -> MeView:
    """Update the given fields. There is no `Idempotency-Key`: the request is idempotent."""
    return await profile.update_me(unit.parts.database, unit.actor, change=command)


@router.put("/password", status_code=204, summary="Change password")
@requires(ACCOUNT, transaction=False)
async def change_password(command: ChangePassword, unit: UnitOfWorkDep) -> None:
    """Ends all other sessions in all workspaces. There is no `Idempotency-Key`: the old password works only once."""
    parts = unit.parts
    await passwords.change_password(parts.database, parts.settings, parts.secret_box, unit.actor, change=command)
