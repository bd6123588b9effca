"""Extensions of leads by other domains, which `bootstrap` adds."""

from typing import Final

from leadflood.kernel.extensions import Extensions

LEAD_EXTENSIONS: Final = Extensions("lead")
"""The registry; empty until `bootstrap` is imported."""
