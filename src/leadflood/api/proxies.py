"""A warning about proxies that are not trusted to report the caller's address."""

import asyncio

import structlog

from leadflood.kernel.db.database import Database
from leadflood.kernel.db.operator_warnings import UNTRUSTED_PROXY, store_warning
from leadflood.kernel.errors import AppError

_log = structlog.get_logger()


class ProxyMonitor:
    """Detects requests from a proxy whose X-Forwarded-For is not trusted, and warns once per process.

    All callers behind it appear as one address and share its rate limits.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._warned = self._stored = False
        self._storing: asyncio.Task[None] | None = None

    def notice(self, peer: str) -> None:
        """Warn in the log and for `leadflood doctor`. Requires a running event loop."""
        if not self._warned:
            self._warned = True
            _log.warning("http.untrusted_proxy", peer=peer, setting="LEADFLOOD_TRUSTED_PROXIES")
        if not self._stored and (self._storing is None or self._storing.done()):
            self._storing = asyncio.get_running_loop().create_task(self._store(peer))

    async def _store(self, peer: str) -> None:
        try:
            async with self._database.system() as tx:
                await store_warning(tx, UNTRUSTED_PROXY, peer)
            self._stored = True
        except AppError as error:  # the next request retries
            _log.info("http.warning_not_stored", error=error.detail)
