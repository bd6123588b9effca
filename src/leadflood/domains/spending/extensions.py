"""Extensions of purchases by other domains, which `bootstrap` adds."""

from typing import Final

from leadflood.kernel.extensions import Extensions

PURCHASE_EXTENSIONS: Final = Extensions("purchase")
"""The registry; empty until `bootstrap` is imported. Panels are on the page of a purchase."""
