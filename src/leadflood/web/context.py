"""Dependencies of the web application."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.change_subscriber import ChangeSubscriber
from leadflood.kernel.db.database import Database
from leadflood.kernel.extensions import HomePanel
from leadflood.kernel.hold import Hold
from leadflood.kernel.pages import AuditGroup, Navigation, TimelineKind
from leadflood.kernel.pagination import Cursors
from leadflood.kernel.rate_limit import RateLimiter
from leadflood.kernel.request_bodies import BodyBudget
from leadflood.kernel.sandbox.pool import Sandbox
from leadflood.kernel.subjects import Participants
from leadflood.web.assets import Assets
from leadflood.web.live_streams import LiveStreams
from leadflood.web.templating import Templates

if TYPE_CHECKING:
    from leadflood.web.pipeline import Pages  # depends on this module
    from leadflood.web.render_cache import RenderCache  # depends on page contexts, which depend on this module


@dataclass(frozen=True, kw_only=True)
class WebContext:
    """The concrete pieces that bootstrap hands to `create_web`.

    Attributes:
        pages: of the domains, and of the web itself.
        timeline: how entries of each kind look.
        audit: how the audit log shows the actions of domains.
        home: panels of the home page.
        sandbox: reads imported files.
        participants: what refers to leads.
        hold: says whether outgoing effects may leave.
        changes: notifies live pages of writes in their workspace.
        renders: shares renders of live pages.
        streams: the live streams that are open.
        closing: set when the server stops, so that live streams end and do not hold it up.
        page_limiter: what one session may ask of this process.
        strangers: what one address may ask of this process without a session.
        body_timeout: seconds that a whole form may take to arrive, or the next piece of an upload.
        body_budget: how many bytes of bodies this process holds at a time, the API's included.
    """

    pages: "Sequence[Pages]"
    navigation: Navigation
    timeline: Mapping[str, TimelineKind]
    audit: Sequence[AuditGroup] = ()
    home: Sequence[HomePanel] = ()
    settings: Settings
    database: Database
    registry: JobRegistry
    secret_box: SecretBox
    cursors: Cursors
    sandbox: Sandbox
    participants: Participants
    hold: Hold
    changes: ChangeSubscriber
    assets: Assets
    views: Templates
    page_limiter: RateLimiter
    strangers: RateLimiter
    body_budget: BodyBudget = field(default_factory=BodyBudget)
    renders: "RenderCache"
    streams: LiveStreams
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    body_timeout: float = 20.0
