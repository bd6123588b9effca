"""LEAD-FLOOD, a self-hosted lead engine on PostgreSQL."""

from importlib.metadata import version

__version__ = version("leadflood")
