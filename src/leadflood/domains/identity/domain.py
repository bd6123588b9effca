"""What identity declares."""

from leadflood.kernel.domain import Domain

DOMAIN = Domain(name="identity")
