"""The timelines of leads, for what writes and reads them."""

from typing import Final

from leadflood.domains.leads.events import LEAD
from leadflood.kernel.timeline import Timeline

TIMELINE: Final = Timeline(LEAD)
"""The timelines of leads."""
