"""What identity declares."""

from leadflood.domains.identity.participant import PARTICIPANT
from leadflood.kernel.domain import Domain

DOMAIN = Domain(name="identity", participants=(PARTICIPANT,))
