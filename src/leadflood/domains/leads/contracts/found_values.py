"""Found values of leads."""

from collections.abc import Mapping
from typing import TypeAlias

FoundValues: TypeAlias = Mapping[str, str]
"""Values that count where the lead has none of its own, by the names of their fields in the database, as they would be
stored. Fields without a found value are left out."""
