"""Extensions of companies by other domains, which `bootstrap` adds."""

from typing import Final

from leadflood.domains.companies.events import COMPANY
from leadflood.kernel.extensions import Extensions

COMPANY_EXTENSIONS: Final = Extensions(COMPANY)
"""The registry; empty until `bootstrap` is imported. Fields are columns of the list, panels are on the page."""
