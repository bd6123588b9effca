"""Facts about a company from the DNS records of its domain."""

from leadflood.domains.enrichment.sources.dns.source import Dns

__all__ = ["Dns"]
