"""Dependencies of the API application."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from fastapi import APIRouter
from starlette.types import Scope

from leadflood.domains.identity.models import Authenticated
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads.service.group_commit import GroupCommit
from leadflood.kernel.batching import Batcher
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.hold import Hold
from leadflood.kernel.observability import Metrics
from leadflood.kernel.pagination import Cursors
from leadflood.kernel.queue.ports import QueueBackend
from leadflood.kernel.rate_limit import RateLimiter
from leadflood.kernel.request_bodies import BodyBudget
from leadflood.kernel.sandbox.pool import Sandbox
from leadflood.kernel.subjects import Participants


@dataclass(frozen=True, kw_only=True)
class ApiContext:
    """The concrete pieces that bootstrap hands to `create_app`.

    Attributes:
        routers: of the domains, and of the server itself.
        sandbox: reads imported files.
        participants: what refers to leads.
        hold: says whether outgoing effects may leave.
        rate_limiter: what one credential may ask of this process.
        strangers: how often one address may show no credential, or one that is not valid.
        body_budget: how many bytes of bodies this process holds at a time.
        body_timeout: seconds that a whole request body may take to arrive.
        probe_timeout: seconds that `/ready` waits for each thing it looks at.
    """

    routers: Sequence[APIRouter]
    settings: Settings
    database: Database
    queue_backend: QueueBackend
    registry: JobRegistry
    secret_box: SecretBox
    cursors: Cursors
    sandbox: Sandbox
    participants: Participants
    hold: Hold
    metrics: Metrics
    rate_limiter: RateLimiter
    strangers: RateLimiter
    body_budget: BodyBudget = field(default_factory=BodyBudget)
    body_timeout: float = 20.0
    probe_timeout: float = 1.5


def context_of(scope: Scope) -> ApiContext:
    """Dependencies of the application that handles this request."""
    return cast("ApiContext", scope["app"].state.parts)


def authenticator_of(scope: Scope) -> Batcher[str, Authenticated]:
    """Authentication of callers by token; concurrent requests share one lookup."""
    return cast("Batcher[str, Authenticated]", scope["app"].state.authenticator)


def group_commit_of(scope: Scope) -> GroupCommit:
    """The group commit of this application."""
    return cast("GroupCommit", scope["app"].state.group_commit)
