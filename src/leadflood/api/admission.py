"""Authentication and authorization of a request from its headers, before the body is read."""

from starlette.requests import Request

from leadflood.api.context import authenticator_of, context_of
from leadflood.domains.identity.models import throttled_address
from leadflood.domains.identity.service import access
from leadflood.kernel.actor import Actor, Permission
from leadflood.kernel.errors import Unauthenticated
from leadflood.kernel.request_context import request_context_of

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="leadflood"'}


async def admit(request: Request, permission: Permission | None) -> Actor:
    """The caller, within its rate limit and with the permission.

    Raises: Unauthenticated, Forbidden, TooManyRequests.
    """
    parts, request_context = context_of(request.scope), request_context_of(request.scope)
    try:
        caller = await authenticator_of(request.scope)(_bearer_token(request))
    except Unauthenticated as error:
        # Only after the lookup: a flood of invalid tokens must not lock out others behind the same address.
        allowance = parts.strangers.take(throttled_address(request_context.client_ip))
        if allowance.retry_after:
            request_context.headers.extend(parts.strangers.headers(allowance))
        parts.strangers.require(allowance)
        detail = "Send a valid access token or API key as Authorization: Bearer …"
        raise Unauthenticated(detail, headers=_CHALLENGE) from error
    request_context.actor = actor = caller.actor.for_request(request_context.request_id)
    if caller.stale:
        await access.touch(parts.database, actor)
    if permission is not None:
        actor.require(permission)
    limiter = parts.rate_limiter
    allowance = limiter.take(actor.api_key_id or actor.session_id or actor.workspace_id)
    request_context.headers.extend(limiter.headers(allowance))
    limiter.require(allowance)
    return actor


def _bearer_token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("There is no bearer token.")
    return token.strip()
