"""The timelines of companies."""

from typing import Final

from leadflood.domains.companies.events import COMPANY
from leadflood.kernel.timeline import Timeline

TIMELINE: Final = Timeline(COMPANY)
"""The timelines of companies."""
