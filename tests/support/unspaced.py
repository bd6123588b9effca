"""Crawled hosts without spacing, so that tests do not wait: robots.txt and opt-outs are as usual."""

from collections.abc import Sequence

from leadflood.kernel.door.hosts import MemoryHosts, Spacing


class UnspacedHosts(MemoryHosts):
    """See `leadflood.kernel.door.hosts.Hosts`."""

    async def reserve(self, spacings: Sequence[Spacing]) -> float:
        """There is always a place."""
        return 0.0
