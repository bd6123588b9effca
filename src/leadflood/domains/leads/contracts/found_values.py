"""Found values of leads."""

from collections.abc import Mapping
from typing import TypeAlias

FoundValues: TypeAlias = Mapping[str, str]
"""What counts where the lead has no value of its own, by the name of its field in the database, as it would be stored.
Fields without a found value are left out."""
