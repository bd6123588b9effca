"""What the web application is made of."""

import asyncio
from dataclasses import dataclass, field

from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import Sealer
from leadflood.kernel.db.changes import Changes
from leadflood.kernel.db.database import Database
from leadflood.kernel.pagination import Cursors
from leadflood.kernel.sandbox.pool import Sandbox
from leadflood.web.assets import Assets
from leadflood.web.view import Views


@dataclass(frozen=True, kw_only=True)
class WebParts:
    """The concrete pieces that bootstrap hands to `create_web`.

    Attributes:
        sandbox: reads imported files.
        changes: tells live pages that something in their workspace was written.
        closing: set when the server stops, so that live streams end and do not hold it up.
        body_timeout: seconds that a whole request body may take to arrive.
    """

    settings: Settings
    database: Database
    registry: JobRegistry
    sealer: Sealer
    cursors: Cursors
    sandbox: Sandbox
    changes: Changes
    assets: Assets
    views: Views
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    body_timeout: float = 20.0
