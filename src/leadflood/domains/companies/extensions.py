"""Extensions of companies by other domains, which `bootstrap` adds."""

from typing import Final

from leadflood.kernel.extensions import Extensions

COMPANY_EXTENSIONS: Final = Extensions("company")
"""The registry; empty until `bootstrap` is imported. Fields are columns of the list, panels are on the page."""
FOUND_NAME: Final = "foundName"
"""The related field with the name that sources found, for companies that no user named."""
